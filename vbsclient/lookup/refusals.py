# SPDX-License-Identifier: Apache-2.0
"""Why nothing is sent for a target."""

from __future__ import annotations

from vbsclient.api import errors


class RefusedError(errors.ClientError):
    """A safety rule forbids this target; nothing was sent for it."""


class UnverifiedError(RefusedError):
    """Whether a safety rule forbids it could not be found out."""


class SkippedError(RefusedError):
    """It was to be deleted by rule, and that is no longer right."""


def changed_since_plan(reason: str) -> SkippedError:
    """Say that something is no more what a plan was made of."""
    return SkippedError(
        f'skipped: it has changed since the plan was made: {reason}'
    )


class MissingError(RefusedError):
    """What was named does not exist."""
