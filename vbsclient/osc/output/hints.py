# SPDX-License-Identifier: Apache-2.0
"""What to do about an error, by the options and keys of the command line.

The library says what would help, and knows neither.
"""

from __future__ import annotations

from vbsclient.api import errors, failures, login

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
    login.CORRECT_AUTH_URL: 'Correct auth_url in clouds.yaml.',
}


def hint_of(error: errors.ClientError) -> str:
    """What a user can do about an error; '' if nothing is known."""
    hint = error.hint or ''
    for general, concrete in _ON_THE_COMMAND_LINE.items():
        hint = hint.replace(general, concrete)
    return hint
