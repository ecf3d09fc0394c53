# SPDX-License-Identifier: Apache-2.0
"""What to do about an error, by the options and keys of the command line.

The library says what would help, and knows neither.
"""

from __future__ import annotations

from vbsclient.api import (
    catalog,
    csbs,
    endpoint,
    errors,
    failures,
    login,
    vbs,
)
from vbsclient.api.csbs import karbor, kind
from vbsclient.creation import base as creation
from vbsclient.creation import volume_backups as volume_backup_creation
from vbsclient.deletion import checkpoints, prune, shares, volume_backups
from vbsclient.lookup import kinds, origin, resources, sharing
from vbsclient.policies import (
    members,
    server_members,
    server_runs,
    volume_runs,
)
from vbsclient.policies import servers as policy_servers
from vbsclient.policies import settings as policy_settings
from vbsclient.restoring import servers as restored_servers
from vbsclient.restoring import volumes as restored_volumes
from vbsclient.schedule import InvalidSetting
from vbsclient.schedule import csbs as csbs_schedule
from vbsclient.schedule import values as schedule_values
from vbsclient.schedule import vbs as vbs_schedule

#: What a hint of the library means on the command line.
_ON_THE_COMMAND_LINE = {
    catalog.SET_REGION: 'Set region_name in clouds.yaml (OS_REGION_NAME).',
    catalog.CORRECT_REGION: (
        'Correct region_name in clouds.yaml (OS_REGION_NAME).'
    ),
    catalog.CORRECT_INTERFACE: (
        'Correct interface in clouds.yaml (OS_INTERFACE, --os-interface).'
    ),
    catalog.SET_OVERRIDE: (
        'Set an endpoint override in clouds.yaml to the one that is meant.'
    ),
    catalog.SET_OVERRIDES: (
        'Set vbs_endpoint_override and csbs_endpoint_override in clouds.yaml.'
    ),
    catalog.SET_PROJECT: (
        'Set project_name or project_id in clouds.yaml (OS_PROJECT_NAME, '
        'OS_PROJECT_ID).'
    ),
    catalog.NAME_PROJECT: (
        'Set {key} in clouds.yaml to a URL that ends in version and project, '
        'or log in for a project.'
    ),
    endpoint.USE_VERSION: (
        'Set vbsclient_api_version (OS_VBSCLIENT_API_VERSION, '
        '--os-vbs-api-version) to auto, 2 or 3.'
    ),
    endpoint.SET_VERSION: (
        'If it serves one of them all the same, set vbsclient_api_version in '
        'clouds.yaml to 2 or 3.'
    ),
    endpoint.SET_VBS: (
        'If it has one all the same, set vbs_endpoint_override in clouds.yaml.'
    ),
    endpoint.SET_CSBS: 'Set csbs_endpoint_override in clouds.yaml.',
    endpoint.SET_CSBS_OR_NONE: (
        'Set csbs_endpoint_override in clouds.yaml, or vbsclient_csbs: false '
        'if the project has no CSBS.'
    ),
    endpoint.HAS_CSBS: (
        'If it has one all the same, set csbs_endpoint_override in '
        'clouds.yaml.'
    ),
    csbs.SAID_SO: 'That is what vbsclient_csbs in clouds.yaml says.',
    csbs.SET_CSBS_OR_REMOVE: (
        'Set csbs_endpoint_override in clouds.yaml, or remove that.'
    ),
    kind.OF_CSBS_PROVIDER: (
        'It is a Karbor with the provider {provider}. GET '
        '{url}/providers/<provider>/checkpoints lists its checkpoints, and '
        '"openstack csbs checkpoint delete <checkpoint>" deletes a whole one.'
    ),
    kind.OF_PROVIDERS: (
        'It is a Karbor with the provider {provider}. GET '
        '{url}/providers/<provider>/checkpoints lists its checkpoints, and '
        '"openstack csbs checkpoint delete --provider <provider> '
        '<checkpoint>" deletes a whole one.'
    ),
    kind.CORRECT_CSBS: 'Correct csbs_endpoint_override in clouds.yaml.',
    karbor.CORRECT_CSBS_OR_PROVIDER: (
        'Correct csbs_endpoint_override in clouds.yaml, or give the right '
        '--provider.'
    ),
    resources.NAME_VOLUMES: 'Name them one by one, with --volume.',
    resources.NAME_DOMAIN: 'Use the ID, or --target-project-domain.',
    creation.NAME_FEWER: 'Name fewer, delete backups, or add --force.',
    volume_backup_creation.FORCE_IN_USE: (
        'Detach it, or add --force: it is saved as after a power failure.'
    ),
    restored_servers.NAME_TARGETS: (
        'Name the volumes to overwrite: {sources:--volume %=<target>}.'
    ),
    restored_volumes.DETACH: (
        'Stop the server and detach it first: "openstack server stop '
        '{server}", "openstack server remove volume {server} {volume}".'
    ),
    restored_volumes.DETACH_ROOT: (
        'Stop the server and detach it first: "openstack server stop '
        '{server}", "openstack server remove volume {server} {volume}". '
        'Where the cloud does not detach a system disk, restore the whole '
        'server with "openstack csbs backup restore".'
    ),
    restored_volumes.SET_AVAILABLE: (
        'Its data are not complete. To restore to it again, an administrator '
        'makes it available: "openstack volume set --state available '
        '{volume}".'
    ),
    policy_servers.REMOVE_FIRST: (
        'Remove it from that policy first: "openstack csbs policy remove '
        'server {policy} {server}".'
    ),
    policy_settings.MAY_NEED_ZONE: (
        'If the values are right, the service may need a time zone for '
        'long-term counts, even if none is kept: add --keep-daily 0 and '
        '--timezone.'
    ),
    policy_settings.PUT_BACK: (
        'The policy as it was before is in the journal, if --journal was '
        'given.'
    ),
    prune.KEEP_SOME: (
        'Only selected backups that can be restored count. Add a rule that '
        'keeps some, such as --keep-last 1, or --allow-empty if that is what '
        'you want.'
    ),
    errors.NotServed.hint: (
        'Set vbsclient_api_version in clouds.yaml (--os-vbs-api-version) to '
        'the version that it serves, or correct the endpoint.'
    ),
    vbs.NoSharing.hint: (
        'Shares are a function of VBS v2: check vbs_endpoint_override in '
        'clouds.yaml.'
    ),
    errors.TooManyRequests.hint: (
        'The service limits the rate: try again with less --concurrency.'
    ),
    errors.HINTS['VolumeBackup.0125']: (
        'Check the status; a backup that CSBS made is deleted with '
        '"openstack csbs backup delete".'
    ),
    errors.HINTS['CSBS.3001']: (
        'It is gone already, or the ID is of another kind: '
        '"openstack csbs checkpoint delete" takes IDs of checkpoints, '
        '"openstack csbs backup delete" takes IDs of backups.'
    ),
    failures.TRUST_ISSUER: (
        'Set cacert in clouds.yaml to the authority that signed it.'
    ),
    failures.CORRECT_FILES: (
        'Correct cacert, or cert and key, in clouds.yaml.'
    ),
    kinds.SHARE: (
        'It is the ID of a share (of backup {backup}): use "openstack vbs '
        'share delete {id}".'
    ),
    kinds.BACKUP: (
        'It is the ID of a backup: use "openstack vbs share delete --backup '
        '{id}" to cancel all its shares.'
    ),
    kinds.SERVER_BACKUP: (
        'It is the ID of a server backup: use "openstack csbs backup delete '
        '{id}".'
    ),
    kinds.MEMBER: (
        'It is the ID of one backup in the checkpoint {checkpoint}: use '
        '"openstack csbs backup {verb} {id}".'
    ),
    kinds.CHECKPOINT: (
        'It is the ID of a checkpoint with {backups}: use "openstack csbs '
        'checkpoint delete {id}" to delete all of it.'
    ),
    kinds.PART: (
        "It is the ID of one volume's part of the backup {name}: use "
        '"openstack csbs backup delete {backup}" to delete all of that.'
    ),
    origin.OF_SERVER_BACKUP: (
        'Delete that one with "openstack csbs backup delete {id}", or add '
        '--force.'
    ),
    origin.OF_SOME_SERVER_BACKUP: (
        'Delete the server backup with "openstack csbs backup delete", or '
        'add --force.'
    ),
    origin.LEFT_OVER: 'Add --force to delete it all the same.',
    origin.UNKNOWN_ORIGIN: (
        "A server backup's part must not be deleted here. If you know that "
        'it is none, add --force.'
    ),
    sharing.NO_SHARES: (
        'Correct vbs_endpoint_override in clouds.yaml, if this cloud has them.'
    ),
    volume_backups.IS_SHARED: (
        'Add --cancel-shares to cancel that first, or --force.'
    ),
    volume_backups.BUSY: (
        'Its status is {status}: try again when that is done, or use --wait.'
    ),
    volume_backups.FORCED_AND_BUSY: (
        'Its status is {status}: try again when that is done, or use --wait. '
        '--force skips checks of its own and overrules no status: the '
        'service decides.'
    ),
    shares.NO_NAME: (
        'A share has no name of its own; with --backup you can name its '
        'backup instead.'
    ),
    checkpoints.PROVIDERS: (
        'The providers of this cloud are {providers}: give the one of the '
        'checkpoint with --provider.'
    ),
    login.CORRECT_AUTH_URL: 'Correct auth_url in clouds.yaml.',
    members.MOVE: 'Add --move to let it leave that one.',
    members.MOVE_UNKNOWN: (
        'Try again later, or add --move if it may leave another policy.'
    ),
    server_members.PUT_BACK: (
        'It is in no policy now. To put it back: "openstack csbs policy add '
        'server {policy} {server}".'
    ),
    server_members.LOOK_AT_BOTH: (
        'It may be in no policy now. Look: "openstack csbs policy show '
        '{policy}", "openstack csbs policy show {other}". If the first does '
        'not have it, put it back: "openstack csbs policy add server {other} '
        '{server}".'
    ),
    server_members.LOOK_AT_POLICY: (
        'Look at it: "openstack csbs policy show {policy}". A --journal has '
        'what it was before.'
    ),
    volume_runs.ADD_VOLUMES: (
        'Add some first: "openstack vbs backup policy add volume".'
    ),
    server_runs.ADD_SERVERS: (
        'Add some first: "openstack csbs policy add server".'
    ),
    server_runs.NAME_SERVERS: 'Name the servers to back up with --server.',
    schedule_values.GIVE_TIMES_AND_DAYS: (
        'Give --at, and --every or --on, with --timezone if it is not UTC.'
    ),
    schedule_values.SAY_HOW_MUCH: 'Give --keep-last or --keep-days.',
    schedule_values.GIVE_LAST: 'Add --keep-last.',
    schedule_values.GIVE_DAYS_OR_END: (
        'Give --keep-last instead, or end them with --keep-daily 0 and the '
        'like.'
    ),
    vbs_schedule.GIVE_ZONE: 'Add --timezone.',
    csbs_schedule.SAY_FOREVER: (
        'Give --keep-last, --keep-days or --keep-forever.'
    ),
    csbs_schedule.ONE_DAY: (
        'Give one --at, or --every 1d, or times that stay on one day in UTC.'
    ),
    csbs_schedule.EVERY_DAY: (
        'Use --every 1d or --on; --rrule sends any other rule as it is.'
    ),
}


def hint_of(error: errors.ClientError | InvalidSetting) -> str:
    """What a user can do about an error; '' if nothing is known."""
    hint = error.hint or ''
    if isinstance(hint, errors.Hint):
        sentence = _ON_THE_COMMAND_LINE.get(hint.template, hint.template)
        return sentence.format(**hint.values)
    if hint in _ON_THE_COMMAND_LINE:
        return _ON_THE_COMMAND_LINE[hint]
    # A hint may be a part of a longer one.
    for general, concrete in _ON_THE_COMMAND_LINE.items():
        hint = hint.replace(general, concrete)
    return hint
