# SPDX-License-Identifier: Apache-2.0
"""A Keystone of its own: configured, filled and started."""

import base64
import os
import re
import sys
from pathlib import Path

from openstack.connection import Connection

from tests.real.process import PROGRAMS, Service, free_port, run

#: The server's line for each login that was answered.
_LOGIN = re.compile(r'"POST /v3/auth/tokens HTTP/1\.1" ([0-9]{3})')

PASSWORD = 'secret'
REGION = 'RegionOne'


def settings(home: Path) -> str:
    """The text of keystone.conf."""
    return f"""\
[DEFAULT]
log_file = {home}/keystone.log
[database]
connection = sqlite:///{home}/keystone.db
[fernet_tokens]
key_repository = {home}/keys
[fernet_receipts]
key_repository = {home}/keys
[credential]
key_repository = {home}/keys
[cache]
enabled = true
backend = dogpile.cache.memory
[token]
caching = false
[revoke]
caching = false
[identity]
password_hash_rounds = 4
"""


class Keystone:
    """Keystone in a directory; :meth:`start` fills it first."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._config = home / 'keystone.conf'
        self._port = free_port()
        self._service: Service | None = None

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self._port}/v3'

    def start(self) -> None:
        self._home.mkdir(parents=True)
        self._config.write_text(settings(self._home))
        self._make_keys()
        self._manage('db_sync')
        self._manage(
            'bootstrap',
            f'--bootstrap-password={PASSWORD}',
            f'--bootstrap-public-url={self.url}',
            f'--bootstrap-internal-url={self.url}',
            f'--bootstrap-region-id={REGION}',
        )
        program = [sys.executable, '-m', 'tests.real.serve_keystone']
        self._service = Service(
            [*program, str(self._port)],
            self._home / 'output.log',
            self.url,
            {'OS_KEYSTONE_CONFIG_FILES': str(self._config)},
        )

    def stop(self) -> None:
        if self._service is not None:
            self._service.stop()

    def logins(self) -> list[int]:
        """The status of each login so far, in their order."""
        log = (self._home / 'output.log').read_text(errors='replace')
        return [int(status) for status in _LOGIN.findall(log)]

    def admin(self, project: str = 'admin') -> Connection:
        """A connection that may do everything."""
        return Connection(
            auth={
                'auth_url': self.url,
                'username': 'admin',
                'password': PASSWORD,
                'project_name': project,
                'user_domain_name': 'Default',
                'project_domain_name': 'Default',
            },
            region_name=REGION,
            identity_interface='public',
        )

    def _make_keys(self) -> None:
        keys = self._home / 'keys'
        keys.mkdir(mode=0o700)
        for name in ('0', '1'):
            key = base64.urlsafe_b64encode(os.urandom(32))
            (keys / name).write_bytes(key)

    def _manage(self, *arguments: str) -> None:
        run(
            self._home / 'output.log',
            [
                str(PROGRAMS / 'keystone-manage'),
                f'--config-file={self._config}',
                *arguments,
            ],
        )
