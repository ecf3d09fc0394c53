# SPDX-License-Identifier: Apache-2.0
"""Which server backups a selection asks for, and which it takes."""

from datetime import datetime, timezone
from typing import Any

import pytest

from vbsclient.api.csbs import ServerBackup
from vbsclient.osc.command.filters import Conditions
from vbsclient.osc.csbs.selection import Selection

NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)
OTHER = '00000000-0000-4000-8000-00000000000a'
POLICY = 'dc1e2c1b-0000-4000-8000-00000000abcd'


def selection(**values: Any) -> Selection:
    return Selection(**{'conditions': Conditions(), **values})


@pytest.mark.parametrize(
    ('values', 'query'),
    [
        ({}, {}),
        ({'policy_ids': frozenset({POLICY})}, {'policy_id': POLICY}),
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
    [where] = selection(**values).wheres()
    assert where.query() == query


@pytest.mark.parametrize(
    ('values', 'whole', 'countable'),
    [
        ({}, True, True),
        ({'policy_ids': frozenset({POLICY})}, True, True),
        ({'checkpoint_id': POLICY}, True, True),
        ({'server_ids': frozenset({POLICY})}, False, True),
        ({'conditions': Conditions(names=frozenset('n'))}, False, False),
        ({'conditions': Conditions(before=NOON)}, False, False),
        ({'server_ids': frozenset({POLICY, OTHER})}, True, False),
        ({'policy_ids': frozenset({POLICY, OTHER})}, True, True),
        ({'tags': frozenset({'env'})}, True, False),
        ({'all_projects': True}, True, True),
        # Compared here alone: the list has the others, too.
        ({'conditions': Conditions(automatic=True)}, True, False),
    ],
)
def test_what_the_service_lists_and_counts(
    values: dict[str, Any], whole: bool, countable: bool
) -> None:
    assert selection(**values).lists_whole_checkpoints is whole
    assert selection(**values).countable is countable


def test_each_policy_is_asked_for() -> None:
    both = selection(policy_ids=frozenset({POLICY, OTHER}))
    assert [where.policy_id for where in both.wheres()] == [OTHER, POLICY]


@pytest.mark.parametrize(
    ('tags', 'matches'),
    [
        ({'env'}, True),
        ({'env=prod'}, True),
        ({'env=prod', 'team'}, True),
        ({'env=test'}, False),
        ({'env=prod', 'owner'}, False),
        ({'prod'}, False),
        ({'team='}, True),
    ],
)
def test_all_tags_must_fit(tags: set[str], matches: bool) -> None:
    body = {
        'id': 'i',
        'checkpoint_id': 'c',
        'status': 'available',
        'tags': [
            {'key': 'env', 'value': 'prod'},
            {'key': 'team', 'value': ''},
        ],
    }
    backup = ServerBackup.from_body(body)
    assert selection(tags=frozenset(tags)).match(backup) is matches
    untagged = ServerBackup.from_body({**body, 'tags': None})
    assert not selection(tags=frozenset(tags)).match_strictly(untagged)


def test_any_of_several_servers_fits() -> None:
    both = selection(server_ids=frozenset({POLICY, OTHER}))
    for id, matches in ((POLICY, True), (OTHER, True), ('another', False)):
        body = {'id': 'i', 'checkpoint_id': 'c', 'resource_id': id}
        assert both.match(ServerBackup.from_body(body)) is matches


def test_a_zone_that_is_not_shown_is_trusted_but_where_it_deletes() -> None:
    body = {'id': 'i', 'checkpoint_id': 'c', 'status': 'available'}
    backup = ServerBackup.from_body(body)
    zone = selection(conditions=Conditions(availability_zone='a'))
    assert zone.match(backup)
    assert not zone.match_strictly(backup)


def test_a_hint_for_a_policy() -> None:
    assert selection().hint is None
    hint = selection(policy_ids=frozenset({POLICY})).hint
    assert hint is not None
    assert POLICY in hint
