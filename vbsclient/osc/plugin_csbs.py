# SPDX-License-Identifier: Apache-2.0
"""What makes ``openstack`` know the commands of CSBS.

Imported at every start of ``openstack``: see :mod:`.plugin_vbs`.
"""

API_NAME = 'csbs'
API_VERSION_OPTION = 'os_vbsclient_csbs_command_group'
DEFAULT_API_VERSION = '1'
API_VERSIONS = ('1',)


def make_client(instance):  # type: ignore[no-untyped-def]
    """The client that OSC keeps as ``client_manager.csbs``."""
    from vbsclient.osc.command.clients import make_csbs_client

    return make_csbs_client(instance)


def build_option_parser(parser):  # type: ignore[no-untyped-def]
    """There is nothing to choose: CSBS has one version."""
    return parser
