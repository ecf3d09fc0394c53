# SPDX-License-Identifier: Apache-2.0
"""A Cinder of its own, with the NFS driver on a directory.

What the driver takes for an NFS share is a directory that is mounted beside
itself, in a mount namespace of the service alone: nothing is left mounted
when the service has ended.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import md5
from pathlib import Path

from tests.real.keystone import PASSWORD
from tests.real.process import PROGRAMS, MissingError, Service, free_port, run

SHARE = '127.0.0.1:/share'
#: Seconds without a sign of life after which a worker is taken for dead.
DOWN_TIME = 6

#: eventlet's line for each request that was answered.
_REQUEST = re.compile(
    r'"(?P<method>[A-Z]+) (?P<target>\S+) HTTP/1\.[01]" '
    r'status: (?P<status>[0-9]{3}) '
)


@dataclass(frozen=True)
class Answered:
    """One request of Cinder's log."""

    method: str
    target: str
    status: int

    def __str__(self) -> str:
        return f'{self.method} {self.target}'


def settings(home: Path, port: int, identity_url: str) -> str:
    """The text of cinder.conf."""
    etc = Path(sys.prefix) / 'etc' / 'cinder'
    return f"""\
[DEFAULT]
log_file = {home}/cinder.log
state_path = {home}/state
host = real
my_ip = 127.0.0.1
osapi_volume_listen = 127.0.0.1
osapi_volume_listen_port = {port}
api_paste_config = {etc}/api-paste.ini
resource_query_filters_file = {etc}/resource_filters.json
rootwrap_config = {etc}/rootwrap.conf
transport_url = fake://
enabled_backends = nfs
backup_driver = cinder.backup.drivers.posix.PosixBackupDriver
backup_posix_path = {home}/backups
report_interval = 1
service_down_time = {DOWN_TIME}
quota_volumes = -1
quota_gigabytes = -1
quota_backups = -1
quota_backup_gigabytes = -1
[database]
connection = sqlite:///{home}/cinder.db
[oslo_concurrency]
lock_path = {home}/locks
[coordination]
backend_url = file://{home}/locks
[nfs]
volume_driver = cinder.volume.drivers.nfs.NfsDriver
volume_backend_name = nfs
nfs_shares_config = {home}/shares
nfs_mount_point_base = {home}/mounts
nas_secure_file_operations = true
nas_secure_file_permissions = true
[keystone_authtoken]
www_authenticate_uri = {identity_url}
auth_url = {identity_url}
auth_type = password
username = cinder
password = {PASSWORD}
project_name = service
user_domain_name = Default
project_domain_name = Default
# A token that is revoked is to be refused soon.
token_cache_time = 1
"""


class Cinder:
    """Cinder in a directory: API, scheduler, volumes and backups."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._config = home / 'cinder.conf'
        self._port = free_port()
        self._service: Service | None = None

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self._port}'

    def start(self, identity_url: str) -> None:
        demand_programs()
        mount_point = self._make_directories()
        self._config.write_text(settings(self._home, self._port, identity_url))
        (self._home / 'shares').write_text(f'{SHARE}\n')
        self._make_programs()
        config = f'--config-file={self._config}'
        log = self._home / 'output.log'
        run(log, [str(PROGRAMS / 'cinder-manage'), config, 'db', 'sync'])
        mount = f'mount --bind {self._home}/share {mount_point}'
        serve = (
            f'exec setpriv --pdeathsig KILL '
            f'{sys.executable} -m tests.real.serve_cinder {config}'
        )
        self._service = Service(
            [*namespace(), 'sh', '-c', f'{mount} && {serve}'],
            log,
            self.url,
            {'PATH': f'{self._home}/bin:{PROGRAMS}:/usr/bin:/bin:/usr/sbin'},
        )

    def stop(self) -> None:
        if self._service is not None:
            self._service.stop()

    def stop_backup_worker(self) -> None:
        """What is sent to it from now on waits for the next one."""
        assert self._service is not None
        self._service.send(signal.SIGUSR1)

    def start_backup_worker(self) -> None:
        assert self._service is not None
        self._service.send(signal.SIGUSR2)

    def file_of(self, volume_id: str) -> Path:
        """Where the driver keeps the content of a volume."""
        return self._home / 'share' / f'volume-{volume_id}'

    def lose_backup(self, backup_id: str) -> None:
        """Lose what the driver keeps of a backup."""
        [container] = (self._home / 'backups').glob(f'*/*/{backup_id}')
        for path in container.iterdir():
            path.unlink()

    def answered(self) -> list[Answered]:
        """Every request so far, in the order of their answers."""
        return list(self._read_log())

    def _read_log(self) -> Iterator[Answered]:
        with (self._home / 'cinder.log').open(errors='replace') as lines:
            for line in lines:
                if found := _REQUEST.search(line):
                    yield Answered(
                        found['method'], found['target'], int(found['status'])
                    )

    def _make_directories(self) -> Path:
        name = md5(SHARE.encode(), usedforsecurity=False).hexdigest()
        mount_point = self._home / 'mounts' / name
        for path in ('share', 'backups', 'state', 'locks', 'bin'):
            (self._home / path).mkdir(parents=True)
        mount_point.mkdir(parents=True)
        return mount_point

    def _make_programs(self) -> None:
        """Stand-ins: the share is mounted, and the service is root."""
        for name, line in (
            ('mount.nfs', 'exit 0'),
            # What comes is: sudo cinder-rootwrap FILE PROGRAM ...
            ('sudo', 'shift 2; exec "$@"'),
        ):
            program = self._home / 'bin' / name
            program.write_text(f'#!/bin/sh\n{line}\n')
            program.chmod(0o755)


def namespace() -> list[str]:
    """What runs a program with mounts of its own, as root, be it of a user
    namespace."""
    as_root = [] if os.geteuid() == 0 else ['--map-root-user']
    return ['unshare', '--mount', *as_root]


def demand_programs() -> None:
    """Make sure that there is all that is needed.

    :raises MissingError: if there is not.
    """
    if not (PROGRAMS / 'cinder-manage').exists():
        raise MissingError('Cinder is not installed: run "tox -e real".')
    for program, package in (
        ('qemu-img', 'qemu-utils'),
        ('unshare', 'util-linux'),
        ('setpriv', 'util-linux'),
    ):
        if shutil.which(program) is None:
            raise MissingError(
                f'{program} is not installed (package {package}).'
            )
    if subprocess.run([*namespace(), 'true'], check=False).returncode:
        raise MissingError(
            'Mounts of its own are forbidden here: run it as root.'
        )
