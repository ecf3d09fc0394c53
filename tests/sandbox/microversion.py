# SPDX-License-Identifier: Apache-2.0
"""The header `OpenStack-API-Version: volume 3.45`."""

import re

from tests.sandbox.wire import Request, native_error, refuse

HEADER = 'OpenStack-API-Version'


def requested(request: Request, highest: str) -> tuple[int, int]:
    """The microversion of a request; 3.0 without a header."""
    text = request.headers.get(HEADER)
    if text is None:
        return 3, 0
    if text.strip() == 'volume latest':
        return numbers(highest)
    kind, _, version = text.strip().partition(' ')
    if kind != 'volume' or not re.fullmatch(r'[0-9]+\.[0-9]{1,3}', version):
        message = (
            f'API Version String {version} is of invalid format. Must be of '
            f'format MajorNum.MinorNum.'
        )
        refuse(native_error(400, message))
    wanted = numbers(version)
    if not (3, 0) <= wanted <= numbers(highest):
        message = (
            f'Version {wanted[0]}.{wanted[1]} is not supported by the API. '
            f'Minimum is 3.0 and maximum is {highest}.'
        )
        refuse(native_error(406, message))
    return wanted


def numbers(text: str) -> tuple[int, int]:
    major, minor = text.split('.')
    return int(major), int(minor)
