# SPDX-License-Identifier: Apache-2.0
"""What is known of statuses and codes, apart from any answer."""

import pytest

from vbsclient.api import errors


class TestCodes:
    @pytest.mark.parametrize(
        ('code', 'words'),
        [
            ('BackupService.4008', 'Use CBR'),
            ('VolumeBackup.0113', 'delete the image first'),
            ('CSBS.8007', 'delete the image first'),
            ('CSBS.3001', 'gone already'),
            ('CSBS.2003', 'try again'),
            ('VolumeBackup.0042', 'administrator'),
            ('AutoBackup.0100', 'not renamed or deleted'),
            ('AutoBackup.0225', 'Try again'),
        ],
    )
    def test_important_hints(self, code: str, words: str) -> None:
        assert words in errors.HINTS[code]

    def test_temporary_codes(self) -> None:
        assert {
            'CSBS.2003',
            'CSBS.2004',
            'CSBS.1001',
            'CSBS.6030',
            'CSBS.9998',
        } == errors.TEMPORARY_CODES


class TestSystemic:
    @pytest.mark.parametrize(
        ('error', 'systemic'),
        [
            (errors.EndpointError('none'), True),
            (errors.Unauthorized('no', status=401), True),
            (errors.Forbidden('no', status=403), True),
            (
                errors.BadRequest(
                    'closed', status=400, code='BackupService.4008'
                ),
                True,
            ),
            (errors.BadRequest('no', status=400), False),
            (errors.NotFound('no', status=404), False),
            (errors.InternalServerError('no', status=500), False),
            (errors.ConnectionFailed('no'), False),
            (ValueError('no'), False),
        ],
    )
    def test_which_refusals_cannot_differ_per_target(
        self, error: BaseException, systemic: bool
    ) -> None:
        assert errors.is_systemic(error) is systemic
