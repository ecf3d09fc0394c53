# SPDX-License-Identifier: Apache-2.0
"""Hints name options and keys of clouds.yaml, which only osc knows."""

import pytest

from vbsclient.api import errors, failures, login, vbs
from vbsclient.osc.output.hints import hint_of
from vbsclient.schedule import InvalidSetting, csbs, values
from vbsclient.schedule import vbs as vbs_schedule


@pytest.mark.parametrize(
    ('error', 'words'),
    [
        (errors.NotServed('x'), 'Set vbsclient_api_version in clouds.yaml'),
        (errors.TooManyRequests('x', status=429), 'less --concurrency.'),
        (vbs.NoSharing(), 'check vbs_endpoint_override in clouds.yaml.'),
        (
            errors.BadRequest(
                'x', status=400, hint=errors.HINTS['VolumeBackup.0125']
            ),
            'deleted with "openstack csbs backup delete".',
        ),
        (
            errors.NotFound('x', status=404, hint=errors.HINTS['CSBS.3001']),
            '"openstack csbs checkpoint delete" takes IDs of checkpoints',
        ),
        (
            errors.ConnectionFailed('x', failures.TRUST_ISSUER),
            'Set cacert in clouds.yaml',
        ),
        (
            errors.ConnectionFailed('x', failures.CORRECT_FILES),
            'Correct cacert, or cert and key, in clouds.yaml.',
        ),
        (
            errors.LoginUnanswered('x', login.CORRECT_AUTH_URL),
            'Correct auth_url in clouds.yaml.',
        ),
        # What wraps an error takes its hint, and may add to it.
        (
            errors.ClientError('x', errors.TooManyRequests.hint),
            'less --concurrency.',
        ),
        (
            errors.ClientError('x', f'{errors.NotServed.hint} Or not.'),
            'to the version that it serves, or correct the endpoint. Or not.',
        ),
        (errors.Conflict('x', status=409), 'Another operation is using it'),
        (errors.ClientError('x', 'Read the manual.'), 'Read the manual.'),
    ],
)
def test_a_hint_of_the_library_is_one_of_the_command_line(
    error: errors.ClientError, words: str
) -> None:
    assert words in hint_of(error)


@pytest.mark.parametrize(
    ('hint', 'words'),
    [
        (values.GIVE_TIMES_AND_DAYS, 'Give --at, and --every or --on'),
        (values.SAY_HOW_MUCH, 'Give --keep-last or --keep-days.'),
        (values.GIVE_LAST, 'Add --keep-last.'),
        (values.GIVE_DAYS_OR_END, 'Give --keep-last instead'),
        (vbs_schedule.GIVE_ZONE, 'Add --timezone.'),
        (csbs.SAY_FOREVER, 'or --keep-forever.'),
        (csbs.ONE_DAY, 'or --every 1d, or times that stay on one day'),
        (csbs.EVERY_DAY, '--rrule sends any other rule as it is.'),
        (csbs.SAME_MINUTE, csbs.SAME_MINUTE),
    ],
)
def test_a_hint_about_a_setting_names_options(hint: str, words: str) -> None:
    assert words in hint_of(InvalidSetting('x', hint))


def test_what_has_no_hint_has_none() -> None:
    assert hint_of(errors.ClientError('x')) == ''
