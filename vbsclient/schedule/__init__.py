# SPDX-License-Identifier: Apache-2.0
"""Schedule and retention of policies: what people write, what is sent.

Pure: values in, decisions out.  ``texts`` reads what a person writes,
``values`` has what it means, ``vbs`` and ``csbs`` read and write it as the
services have it, ``runs`` tells when a policy runs next, ``comparison`` what a
change has come to, and ``cbr`` how another service has the same policy.
"""

from __future__ import annotations


class InvalidSetting(ValueError):
    """A setting that cannot be used.

    :ivar message: why, in one sentence without its full stop.
    :ivar hint: what to write instead; '' if the message says it.
    """

    def __init__(self, message: str, hint: str = '') -> None:
        super().__init__(f'{message}. {hint}' if hint else message)
        self.message = message
        self.hint = hint
