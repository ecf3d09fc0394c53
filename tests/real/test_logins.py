# SPDX-License-Identifier: Apache-2.0
"""Logins that end while a command waits: a refusal is told once."""

from collections.abc import Callable
from functools import partial
from typing import Any

from openstack.connection import Connection

from tests.functional.shell import Openstack
from tests.real.cloud import Project, RealCloud
from tests.real.keystone import PASSWORD
from tests.real.process import until

Make = Callable[..., Project]

DELETE = ('vbs', 'backup', 'delete')
#: Takes the login away.
End = Callable[[], None]


def password(cloud: RealCloud, project: Project) -> tuple[dict[str, Any], End]:
    """A login whose password is changed."""
    name = f'{project.name}-user'
    user = cloud.user(project, name)
    auth = {
        'auth_url': cloud.keystone.url,
        'username': name,
        'password': PASSWORD,
        'project_name': project.name,
        'user_domain_name': 'Default',
        'project_domain_name': 'Default',
    }
    return {'auth': auth}, lambda: cloud.change_password(user)


def application_credential(
    cloud: RealCloud, project: Project
) -> tuple[dict[str, Any], End]:
    """A login whose application credential is deleted."""
    config, _ = password(cloud, project)
    identity = Connection(**config, region_name='RegionOne').identity
    user = identity.get_user_id()
    made = identity.create_application_credential(user, 'nightly')
    auth = {
        'auth_url': cloud.keystone.url,
        'application_credential_id': made.id,
        'application_credential_secret': made.secret,
    }
    return (
        {'auth_type': 'v3applicationcredential', 'auth': auth},
        lambda: identity.delete_application_credential(user, made),
    )


def token(cloud: RealCloud, project: Project) -> tuple[dict[str, Any], End]:
    """A login that is a token, which is revoked."""
    config, end = password(cloud, project)
    connection = Connection(**config, region_name='RegionOne')
    auth = {
        'auth_url': cloud.keystone.url,
        'token': connection.session.get_token(),
        'project_id': project.project_id,
    }
    return {'auth_type': 'v3token', 'auth': auth}, end


def test_a_refused_renewal_ends_the_wait_and_is_not_tried_again(
    project: Make,
    openstack: Openstack,
    no_backup_worker: Callable[[], None],
    real_cloud: RealCloud,
) -> None:
    """One stop of the worker serves all kinds of logins."""
    made = []
    for login in (password, application_credential, token):
        cinder = project()
        id = cinder.backup(cinder.volume(), 'only')
        made.append((cinder, id, *login(real_cloud, cinder)))
    no_backup_worker()
    before = len(made[0][0].requests)
    running = [
        openstack.start(
            *DELETE,
            *('--wait', id),
            cloud=cinder,  # type: ignore[arg-type]
            config=config,
        )
        for cinder, id, config, _ in made
    ]
    try:
        for cinder, *_ in made:
            until(partial(is_waited_for, cinder, before), 'it is waited for')
        logins = len(real_cloud.keystone.logins())
        for *_, end in made:
            end()
        told = [one.communicate(timeout=60) for one in running]
    finally:
        for one in running:
            one.kill()

    for one, (stdout, stderr) in zip(running, told, strict=True):
        assert (one.returncode, stdout) == (3, ''), stderr
        assert 'Traceback' not in stderr
        assert [line for line in stderr.splitlines() if 'login' in line]
        assert 'Whether 1 of 1 backups is deleted by now is unknown' in stderr
    refused = [n for n in real_cloud.keystone.logins()[logins:] if n != 201]
    assert len(refused) == len(made)


def is_waited_for(cinder: Project, before: int) -> bool:
    """Whether the backups of a project were looked at twice since then."""
    looks = [
        request
        for request in cinder.requests[before:]
        if request.method == 'GET'
        and cinder.project_id in request.path
        and '/backups' in request.path
    ]
    return len(looks) >= 2
