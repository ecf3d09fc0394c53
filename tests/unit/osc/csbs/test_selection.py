# SPDX-License-Identifier: Apache-2.0
"""Which server backups a selection asks for, and which it takes."""

from datetime import datetime, timezone
from typing import Any

import pytest

from vbsclient.api.csbs import ServerBackup
from vbsclient.osc.command.filters import Conditions
from vbsclient.osc.csbs.selection import Selection

NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
POLICY = 'dc1e2c1b-0000-4000-8000-00000000abcd'


def selection(**values: Any) -> Selection:
    return Selection(**{'conditions': Conditions(), **values})


@pytest.mark.parametrize(
    ('values', 'query'),
    [
        ({}, {}),
        ({'policy_id': POLICY}, {'policy_id': POLICY}),
        (
            {'conditions': Conditions(since=NOON)},
            {'start_time': '2026-11-21T12:00:00.000000'},
        ),
        (
            {'conditions': Conditions(before=NOON)},
            {'end_time': '2026-11-21T12:00:00.000000'},
        ),
    ],
)
def test_what_the_service_is_asked_for(
    values: dict[str, Any], query: dict[str, str]
) -> None:
    assert selection(**values).where().query() == query


@pytest.mark.parametrize(
    ('values', 'whole', 'countable'),
    [
        ({}, True, True),
        ({'policy_id': POLICY}, True, True),
        ({'checkpoint_id': POLICY}, True, True),
        ({'server_id': POLICY}, False, True),
        ({'conditions': Conditions(name='n')}, False, False),
        ({'conditions': Conditions(before=NOON)}, False, False),
        # Compared here alone: the list has the others, too.
        ({'conditions': Conditions(automatic=True)}, True, False),
    ],
)
def test_what_the_service_lists_and_counts(
    values: dict[str, Any], whole: bool, countable: bool
) -> None:
    assert selection(**values).lists_whole_checkpoints is whole
    assert selection(**values).countable is countable


def test_a_zone_that_is_not_shown_is_trusted_but_where_it_deletes() -> None:
    body = {'id': 'i', 'checkpoint_id': 'c', 'status': 'available'}
    backup = ServerBackup.from_body(body)
    zone = selection(conditions=Conditions(availability_zone='a'))
    assert zone.match(backup)
    assert not zone.match_strictly(backup)


def test_a_hint_for_a_policy() -> None:
    assert selection().hint is None
    hint = selection(policy_id=POLICY).hint
    assert hint is not None
    assert POLICY in hint
