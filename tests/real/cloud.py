# SPDX-License-Identifier: Apache-2.0
"""Keystone and Cinder together, and projects in them."""

import itertools
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import yaml
from openstack.connection import Connection

from tests.real.cinder import Answered, Cinder
from tests.real.keystone import PASSWORD, REGION, Keystone
from tests.real.process import until
from tests.sandbox import LoggedRequest

OTHER_REGION = 'RegionTwo'

#: Catalog types of the one Cinder, and how their URLs end.
TYPES = {
    'vbs': '/v3/%(project_id)s',
    'volumev3': '/v3/%(project_id)s',
    'block-storage': '/v3',
}

#: What a test makes must be quick to back up, so the driver's files are cut.
CONTENT = 64 * 1024


class RealCloud:
    """The services; they live as long as the tests."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self.keystone = Keystone(home / 'keystone')
        self.cinder = Cinder(home / 'cinder')
        self._other: Cinder | None = None
        self._numbers = itertools.count(1)

    def start(self) -> None:
        self.keystone.start()
        self._register()
        self.cinder.start(self.keystone.url)
        self.await_backup_worker('up')

    def stop(self) -> None:
        if self._other is not None:
            self._other.stop()
        self.cinder.stop()
        self.keystone.stop()

    def other_cinder(self) -> Cinder:
        """A Cinder beside the first, in the catalog as ``vbsv2``.

        The first one is in it as ``vbsv3`` from then on.
        """
        if self._other is None:
            self._other = Cinder(self._home / 'other')
            self._other.start(self.keystone.url)
            self._offer('vbsv3', f'{self.cinder.url}/v3/%(project_id)s')
            self._offer('vbsv2', f'{self._other.url}/v3/%(project_id)s')
        return self._other

    def project(
        self,
        types: Sequence[str] = ('vbs', 'volumev3'),
        regions: Sequence[str] = (REGION,),
    ) -> 'Project':
        """A new project whose catalog has these types in these regions."""
        identity = self._admin.identity
        name = f'project-{next(self._numbers)}'
        made = identity.create_project(name=name, domain_id='default')
        for role, user in self._users.items():
            self._give(made.id, user, role)
        for endpoint in identity.endpoints():
            kind = self._types[endpoint.service_id]
            if kind == 'identity' or (
                kind in types and endpoint.region_id in regions
            ):
                path = f'projects/{made.id}/endpoints/{endpoint.id}'
                identity.put(f'/OS-EP-FILTER/{path}').raise_for_status()
        return Project(
            self,
            made.id,
            name,
            is_vbs=any(t.startswith('vbs') for t in types),
        )

    def user(self, project: 'Project', name: str) -> str:
        """A member of one project alone; its id."""
        made = self._admin.identity.create_user(name=name, password=PASSWORD)
        self._give(project.project_id, made, 'member')
        return str(made.id)

    def change_password(self, user_id: str) -> None:
        """Make what a user logs in with worthless, and its tokens."""
        self._admin.identity.update_user(user_id, password='changed')

    def revoke_tokens(self, user: str) -> None:
        """Make every token that a user has worthless."""
        identity = self._admin.identity
        for enabled in (False, True):
            identity.update_user(self._users[user].id, enabled=enabled)

    def requests(self) -> list[Answered]:
        """Everything that Cinder has answered so far."""
        mark = f'/healthcheck?{time.monotonic_ns()}'
        with requests.Session() as session:
            session.trust_env = False
            session.get(f'{self.cinder.url}{mark}', timeout=10)

        def log() -> list[Answered]:
            found = self.cinder.answered()
            marks = [n for n, one in enumerate(found) if one.target == mark]
            return found[: marks[0] + 1] if marks else []

        # A line is written when its answer is already on its way.
        return [
            one
            for one in until(log, 'the log is written')
            if not one.target.startswith('/healthcheck')
        ]

    def await_backup_worker(self, state: str) -> None:
        """Wait until Cinder sees that the worker is up, or down."""
        storage = self._admin.block_storage

        def seen() -> bool:
            return any(
                service.binary == 'cinder-backup' and service.state == state
                for service in storage.services()
            )

        until(seen, f'the backup worker is {state}')

    def _register(self) -> None:
        self._admin = self.keystone.admin()
        identity = self._admin.identity
        self._roles = {role.name: role for role in identity.roles()}
        self._users = {
            name: identity.create_user(name=name, password=PASSWORD)
            for name in ('member', 'reader')
        }
        service = identity.create_project(name='service', domain_id='default')
        cinder = identity.create_user(name='cinder', password=PASSWORD)
        for role in ('admin', 'service'):
            identity.assign_project_role_to_user(
                service, cinder, self._roles[role]
            )
        identity.create_region(id=OTHER_REGION)
        for kind, path in TYPES.items():
            self._offer(kind, self.cinder.url + path)
        # The catalog of the first login is older than these endpoints.
        self._admin = self.keystone.admin()

    def _offer(self, kind: str, url: str) -> None:
        """Put an endpoint of each region into the catalog."""
        identity = self._admin.identity
        entry = identity.create_service(type=kind, name=kind)
        for region in (REGION, OTHER_REGION):
            identity.create_endpoint(
                service_id=entry.id,
                interface='public',
                region_id=region,
                url=url,
            )
        self._types = {one.id: one.type for one in identity.services()}

    def _give(self, project_id: str, user: Any, role: str) -> None:
        self._admin.identity.assign_project_role_to_user(
            project_id, user, self._roles[role]
        )


class Project:
    """One project: what is in it, and how the command reaches it.

    It stands where the functional tests have their sandbox.
    """

    def __init__(
        self, cloud: RealCloud, id: str, name: str, *, is_vbs: bool
    ) -> None:
        self.cloud = cloud
        self.cinder = cloud.cinder
        self.project_id = id
        self.name = name
        self.user = 'member'
        self._prefix = 'vbs' if is_vbs else 'volume'
        self._connections: dict[str, Connection] = {}

    def clouds_yaml(self, **extra: Any) -> str:
        """The text of a clouds.yaml with this project."""
        entry = {
            'auth': {
                'auth_url': self.cloud.keystone.url,
                'username': self.user,
                'password': PASSWORD,
                'project_name': self.name,
                'user_domain_name': 'Default',
                'project_domain_name': 'Default',
            },
            'region_name': REGION,
            'interface': 'public',
            'identity_api_version': '3',
        }
        kept = {k: v for k, v in (entry | extra).items() if v is not None}
        return str(yaml.safe_dump({'clouds': {'sandbox': kept}}))

    @property
    def requests(self) -> list[LoggedRequest]:
        """What Cinder has answered, as the functional tests read it.

        Each service has a prefix there; here it has a host of its own.
        """
        return [
            LoggedRequest(
                one.method,
                f'/{self._prefix}{urlsplit(one.target).path}',
                urlsplit(one.target).query,
                self._prefix,
                project='',
                token='',
                user_agent='',
                started=0.0,
                status=one.status,
            )
            for one in self.cloud.requests()
        ]

    def service_requests(self) -> list[str]:
        return [str(request) for request in self.requests]

    @property
    def storage(self) -> Any:
        """Its Cinder as this project's member sees it, with the SDK."""
        url = self.cinder.url
        if url not in self._connections:
            self._connections[url] = Connection(
                auth={
                    'auth_url': self.cloud.keystone.url,
                    'username': 'member',
                    'password': PASSWORD,
                    'project_id': self.project_id,
                    'user_domain_name': 'Default',
                },
                region_name=REGION,
                block_storage_endpoint_override=(
                    f'{url}/v3/{self.project_id}'
                ),
            )
        return self._connections[url].block_storage

    @contextmanager
    def at(self, cinder: Cinder) -> Iterator[None]:
        """Let what follows be made and read in another Cinder."""
        former, self.cinder = self.cinder, cinder
        try:
            yield
        finally:
            self.cinder = former

    def volume(self, name: str = 'disk', size: int = 1) -> str:
        """A new volume of so many GB; its id."""
        made = self.storage.create_volume(size=size, name=name)
        self._await(lambda: self.storage.get_volume(made.id), 'available')
        os.truncate(self.cinder.file_of(made.id), CONTENT)
        return str(made.id)

    def backup(
        self, volume_id: str, name: str, *, wait: bool = True, **more: Any
    ) -> str:
        """A new backup; its id."""
        made = self.storage.create_backup(
            volume_id=volume_id, name=name, **more
        )
        if wait:
            self.await_status(made.id, 'available')
        return str(made.id)

    def chain(
        self, volume_id: str, name: str, increments: int = 2
    ) -> list[str]:
        """A full backup and what is built on it, oldest first."""
        return [
            self.backup(
                volume_id, f'{name}-{number}', is_incremental=number > 0
            )
            for number in range(increments + 1)
        ]

    def await_status(self, backup_id: str, status: str) -> None:
        self._await(lambda: self.storage.get_backup(backup_id), status)

    def statuses(self) -> dict[str, str]:
        """The backups that there are: id -> status."""
        return {one.id: one.status for one in self.storage.backups()}

    def await_empty(self) -> None:
        """Wait until there is no backup left."""
        until(lambda: not self.statuses(), 'all backups are gone')

    def _await(self, read: Callable[[], Any], status: str) -> None:
        until(lambda: read().status == status, f'it is {status}')
