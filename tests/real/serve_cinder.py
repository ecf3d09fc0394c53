# SPDX-License-Identifier: Apache-2.0
"""The four services of Cinder in one process, so that they need no broker.

``serve_cinder --config-file FILE``.  SIGUSR1 stops the backup worker,
SIGUSR2 starts one again.
"""

# ruff: noqa: E402, I001
from cinder import monkey_patch

monkey_patch.patch()

import shlex
import signal
import sys
from typing import Any

import eventlet
import os_brick
from oslo_config import cfg
from oslo_log import log
from oslo_privsep import priv_context
from oslo_service import service as oslo_service

from cinder import coordination, i18n, objects, rpc, utils, version
from cinder import service
from cinder.cmd import backup as _backup_options  # noqa: F401
from cinder.cmd import volume as _volume_options
from cinder.common import config

CONF = cfg.CONF


class Service(service.Service):
    """A service that reports its own state.

    Cinder keeps the id of the service in the class, which is meant for one
    service in a process.
    """

    def report_state(self) -> None:
        service.Service.service_id = self.origin_service_id
        super().report_state()


class BackupWorker:
    """The one service that tests stop and start again."""

    def __init__(self, launcher: Any) -> None:
        self._launcher = launcher
        self._running: Service | None = None

    def start(self, *_: Any) -> None:
        if self._running is not None:
            return
        semaphore = utils.semaphore_factory(CONF.backup_max_operations, 1)
        self._running = Service.create(
            binary='cinder-backup',
            coordination=False,
            service_name='backup',
            process_number=1,
            semaphore=semaphore,
        )
        self._launcher.launch_service(self._running)

    def stop(self, *_: Any) -> None:
        if self._running is not None:
            self._running.stop()
            self._running = None


def main() -> None:
    i18n.enable_lazy()
    objects.register_all()
    CONF(sys.argv[1:], project='cinder', version=version.version_string())
    config.set_middleware_defaults()
    log.setup(CONF, 'cinder')
    priv_context.init(root_helper=shlex.split(utils.get_root_helper()))
    os_brick.setup(CONF)
    coordination.COORDINATOR.start()
    rpc.init(CONF)
    launcher = oslo_service.launch(
        CONF, Service.create(binary='cinder-scheduler')
    )
    CONF.register_opt(_volume_options.host_opt, group='nfs')
    launcher.launch_service(
        Service.create(
            host=f'{CONF.host}@nfs',
            service_name='nfs',
            binary='cinder-volume',
        )
    )
    worker = BackupWorker(launcher)
    worker.start()
    signal.signal(signal.SIGUSR1, lambda *_: eventlet.spawn(worker.stop))
    signal.signal(signal.SIGUSR2, lambda *_: eventlet.spawn(worker.start))
    launcher.launch_service(service.WSGIService('osapi_volume'))
    launcher.wait()


main()
