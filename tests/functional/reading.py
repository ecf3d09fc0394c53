# SPDX-License-Identifier: Apache-2.0
"""What commands that only read may send: GETs, and nothing else."""

import re
from collections.abc import Iterator, Sequence
from unittest import mock

import pytest

from tests.functional import shell
from tests.functional.wire import requests
from tests.sandbox import LoggedRequest, Sandbox


def audit_reads(sent: Sequence[LoggedRequest], project_id: str) -> None:
    """Fail if anything but a GET left, or a query without a value."""
    for request in sent:
        if request.service == 'identity':
            continue
        assert request.method == 'GET', f'{request} changes something'
        assert not re.search('=(&|$)', request.query), f'{request} is empty'


@pytest.fixture
def only_gets() -> Iterator[None]:
    """Hold every run of a test against :func:`audit_reads`."""
    with mock.patch.object(shell, 'audit', audit_reads):
        yield


def asked(sandbox: Sandbox) -> list[str]:
    """The requests to VBS and CSBS, without the question for versions."""
    prefixes = ('GET /vbs/v', 'GET /csbs/v', 'GET /volume/v3/{P}/backups')
    return [
        text.removeprefix('GET ')
        for text in requests(sandbox)
        if text.startswith(prefixes)
    ]
