# SPDX-License-Identifier: Apache-2.0
"""Who may pass: tokens, projects, roles and quotas."""

from typing import NoReturn

from tests.sandbox.cloud import Cloud
from tests.sandbox.model import Token
from tests.sandbox.wire import (
    Request,
    csbs_error,
    identity_error,
    native_error,
    refuse,
)


def authenticate(cloud: Cloud, request: Request) -> Token:
    """The token of a service request, counted as used once more."""
    token = cloud.state.tokens.get(request.headers.get('X-Auth-Token', ''))
    if token is None:
        refuse_unauthorised(request)
    if token.expires_at <= f'{cloud.state.stamp()}Z':
        refuse_unauthorised(request)
    limit = cloud.knobs.token_uses
    if limit is not None and token.uses >= limit:
        refuse_unauthorised(request)
    token.uses += 1
    return token


def refuse_unauthorised(request: Request) -> NoReturn:
    answer = identity_error(
        401,
        'Unauthorized',
        'The request you have made requires authentication.',
    )
    answer.headers['WWW-Authenticate'] = (
        f'Keystone uri="{request.base}/identity"'
    )
    refuse(answer)


def admit(cloud: Cloud, request: Request, project: str, noun: str) -> None:
    """Let a request on a project's resources pass, or refuse it."""
    token = authenticate(cloud, request)
    if project != token.project_id:
        refuse(native_error(400, 'Malformed request url'))
    if request.method == 'DELETE':
        may_change(cloud, f'{noun}:delete')


def may_change(cloud: Cloud, action: str) -> None:
    """Let a role pass that may do it, or refuse it."""
    if cloud.knobs.read_only_role:
        message = f"Policy doesn't allow {action} to be performed."
        refuse(native_error(403, message))


def may_create(cloud: Cloud, action: str) -> None:
    """The same, where projects that are new to the service may not."""
    may_change(cloud, action)
    if cloud.knobs.closed:
        message = 'The service is not open to new projects.'
        refuse(csbs_error(400, 'BackupService.4008', message))


def may_see_all(cloud: Cloud, wanted: bool | None) -> bool:
    """Whether what all projects have is asked for, or the refusal."""
    if wanted and not cloud.knobs.administrator:
        message = 'all_tenants is for administrators.'
        refuse(csbs_error(403, 'CSBS.9009', message))
    return bool(wanted)


def exceeds(quota: int, wanted: int) -> bool:
    """Whether so much is more than is allowed."""
    return quota != -1 and wanted > quota
