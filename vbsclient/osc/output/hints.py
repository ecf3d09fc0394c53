# SPDX-License-Identifier: Apache-2.0
"""What to do about an error, by the options and keys of the command line.

The library says what would help, and knows neither.
"""

from __future__ import annotations

from vbsclient.api import errors, failures, login
from vbsclient.deletion import checkpoints, shares, volume_backups
from vbsclient.lookup import kinds, origin, sharing

#: What a hint of the library means on the command line.
_ON_THE_COMMAND_LINE = {
    errors.NotServed.hint: (
        'Set vbsclient_api_version in clouds.yaml (--os-vbs-api-version) to '
        'the version that it serves, or correct the endpoint.'
    ),
    errors.TooManyRequests.hint: (
        'The service limits the rate: try again with less --concurrency.'
    ),
    errors.HINTS['VolumeBackup.0125']: (
        'Check the status; a backup that CSBS made is deleted with '
        '"openstack csbs backup delete".'
    ),
    errors.HINTS['CSBS.3001']: (
        'It is gone already, or the id is of another kind: '
        '"openstack csbs checkpoint delete" takes checkpoint ids, '
        '"openstack csbs backup delete" takes ids of backups.'
    ),
    failures.TRUST_ISSUER: (
        'Set cacert in clouds.yaml to the authority that signed it.'
    ),
    failures.CORRECT_FILES: (
        'Correct cacert, or cert and key, in clouds.yaml.'
    ),
    kinds.SHARE: (
        'It is the id of a share (of backup {backup}): use "openstack vbs '
        'share delete {id}".'
    ),
    kinds.BACKUP: (
        'It is the id of a backup: use "openstack vbs share delete --backup '
        '{id}" to cancel all its shares.'
    ),
    kinds.SERVER_BACKUP: (
        'It is the id of a server backup: use "openstack csbs backup delete '
        '{id}".'
    ),
    kinds.MEMBER: (
        'It is the id of one backup in the checkpoint {checkpoint}: use '
        '"openstack csbs backup {verb} {id}".'
    ),
    kinds.CHECKPOINT: (
        'It is the id of a checkpoint with {backups}: use "openstack csbs '
        'checkpoint delete {id}" to delete all of it.'
    ),
    kinds.PART: (
        "It is the id of one volume's part of the backup {name}: use "
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
    checkpoints.NO_NAME: (
        'A checkpoint has no name of its own; "openstack csbs backup delete" '
        'takes names of backups.'
    ),
    login.CORRECT_AUTH_URL: 'Correct auth_url in clouds.yaml.',
}


def hint_of(error: errors.ClientError) -> str:
    """What a user can do about an error; '' if nothing is known."""
    hint = error.hint or ''
    if isinstance(hint, errors.Hint):
        sentence = _ON_THE_COMMAND_LINE.get(hint.template, hint.template)
        return sentence.format(**hint.values)
    for general, concrete in _ON_THE_COMMAND_LINE.items():
        hint = hint.replace(general, concrete)
    return hint
