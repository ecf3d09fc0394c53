# SPDX-License-Identifier: Apache-2.0
"""One cloud for all tests, a project of its own for each."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.shell import Openstack
from tests.real.cinder import demand_programs
from tests.real.cloud import Project, RealCloud
from tests.real.process import MissingError

ProjectFactory = Callable[..., Project]


@pytest.fixture(scope='session')
def real_cloud(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[RealCloud]:
    """Keystone and Cinder, started once."""
    try:
        demand_programs()
    except MissingError as missing:
        pytest.exit(str(missing), returncode=1)
    cloud = RealCloud(tmp_path_factory.mktemp('cloud'))
    try:
        cloud.start()
        yield cloud
    finally:
        cloud.stop()


@pytest.fixture
def openstack(tmp_path: Path) -> Openstack:
    """The command; it talks to the project that was made last."""
    return Openstack(tmp_path)


@pytest.fixture
def project(real_cloud: RealCloud, openstack: Openstack) -> ProjectFactory:
    """Make a project, by default with ``vbs`` and block storage."""

    def make(*types: str, **how: Any) -> Project:
        made = real_cloud.project(types or ('vbs', 'volumev3'), **how)
        openstack.cloud = made  # type: ignore[assignment]
        return made

    return make


@pytest.fixture
def no_backup_worker(real_cloud: RealCloud) -> Iterator[Callable[[], None]]:
    """Stop the backup worker until the test is over."""
    yield real_cloud.cinder.stop_backup_worker
    real_cloud.cinder.start_backup_worker()
    real_cloud.await_backup_worker('up')
