# SPDX-License-Identifier: Apache-2.0
"""What makes ``openstack`` know the commands of VBS.

Imported at every start of ``openstack``, whatever it is to do: it imports
nothing that is not loaded anyway, and reads nothing but the environment.
"""

from osc_lib import utils

#: OSC makes the command group of ``API_NAME`` and the major number of the
#: setting that ``API_VERSION_OPTION`` names.  A value that is no such number
#: would make every command of ours vanish, so that this setting has a name
#: that nobody sets, and the version on the wire has one of its own.
API_NAME = 'vbs'
API_VERSION_OPTION = 'os_vbsclient_vbs_command_group'
DEFAULT_API_VERSION = '2'
API_VERSIONS = ('2',)


def make_client(instance):  # type: ignore[no-untyped-def]
    """The client that OSC keeps as ``client_manager.vbs``."""
    from vbsclient.osc.command.clients import make_vbs_client

    return make_vbs_client(instance)


def build_option_parser(parser):  # type: ignore[no-untyped-def]
    """Add the global option that chooses the version on the wire."""
    parser.add_argument(
        '--os-vbs-api-version',
        metavar='<vbs-api-version>',
        dest='vbsclient_api_version',
        # Any other default would win over clouds.yaml.
        default=utils.env('OS_VBSCLIENT_API_VERSION'),
        help=(
            'VBS version for backups: auto, 2 or 3, default=auto '
            '(Env: OS_VBSCLIENT_API_VERSION, clouds.yaml: '
            'vbsclient_api_version)'
        ),
    )
    return parser
