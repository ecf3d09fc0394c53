# SPDX-License-Identifier: Apache-2.0
"""Backups of the VBS and CSBS services for the ``openstack`` command line.

Every start of ``openstack`` imports this package for the plugin modules
below it, so nothing is imported here.
"""


def __getattr__(name: str) -> str:
    """``__version__``, which ``openstack module list`` shows."""
    if name == '__version__':
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version('python-vbsclient')
        except PackageNotFoundError:
            pass  # a checkout that is not installed
    raise AttributeError(name)
