# SPDX-License-Identifier: Apache-2.0
"""Quotas, as both references print them."""

from typing import Any

import pytest

from vbsclient.api import errors
from vbsclient.api.quotas import UNLIMITED, Quota, quotas_of


def body(*resources: Any) -> dict[str, Any]:
    return {'quotas': {'resources': list(resources)}}


def test_a_quota_of_vbs() -> None:
    row = {'type': 'backups', 'used': 3, 'reserved': 1, 'quota': 40}
    assert quotas_of(body(row)) == [Quota('backups', 3, 1, 40)]


def test_a_quota_of_csbs() -> None:
    row = {'type': 'backup_capacity', 'unit': 'GB', 'quota': -1, 'used': 0}
    (quota,) = quotas_of(body(row))
    assert quota == Quota('backup_capacity', 0, None, UNLIMITED, 'GB')


def test_a_blank_inside_a_type_is_no_part_of_it() -> None:
    (quota,) = quotas_of(body({'type': 'backup_ gigabytes'}))
    assert quota == Quota('backup_gigabytes', None, None, None)


@pytest.mark.parametrize(
    'answer',
    [{}, {'quotas': []}, {'quotas': {}}, {'quotas': {'resources': 1}}],
)
def test_an_answer_without_quotas_is_refused(answer: dict[str, Any]) -> None:
    with pytest.raises(errors.MalformedResponse):
        quotas_of(answer)


@pytest.mark.parametrize('value', [True, '3', 3.0, None, [3]])
def test_what_is_no_whole_number_is_unknown(value: object) -> None:
    (quota,) = quotas_of(body({'type': 'backups', 'used': value}))
    assert quota.used is None
