# SPDX-License-Identifier: Apache-2.0
"""Logins that end while a command waits: a refusal is told once."""

import re
from collections.abc import Callable
from typing import Any

import pytest
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


@pytest.mark.parametrize('login', [password, application_credential, token])
def test_a_refused_renewal_ends_the_wait_and_is_not_tried_again(
    project: Make,
    openstack: Openstack,
    no_backup_worker: Callable[[], None],
    real_cloud: RealCloud,
    login: Any,
) -> None:
    cinder = project()
    ids = [cinder.backup(cinder.volume(), f'b{n}') for n in range(4)]
    config, end = login(real_cloud, cinder)
    no_backup_worker()
    before = len(cinder.requests)
    running = openstack.start(*DELETE, '--wait', *ids, config=config)
    try:
        until(lambda: looks(cinder, before) >= 2, 'it is waited for')
        logins = real_cloud.keystone.logins()
        end()
        stdout, stderr = running.communicate(timeout=60)
    finally:
        running.kill()

    told = stderr.splitlines()
    assert (running.returncode, stdout) == (3, ''), stderr
    assert 'Traceback' not in stderr
    assert [line for line in told if 'login' in line], stderr
    assert 'Whether 4 of 4 backups are deleted by now is unknown' in stderr
    refused = [
        status
        for status in real_cloud.keystone.logins()[len(logins) :]
        if status != 201
    ]
    assert len(refused) == 1


def looks(cinder: Project, before: int) -> int:
    """How often the backups were looked at since then."""
    return sum(
        request.method == 'GET'
        and re.search('/backups', request.path) is not None
        for request in cinder.requests[before:]
    )
