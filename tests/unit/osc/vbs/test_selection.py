# SPDX-License-Identifier: Apache-2.0
"""Which volume backups a selection asks for, and which it takes."""

from typing import Any

import pytest
from osc_lib import exceptions

from vbsclient.api.vbs import Backup
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.osc.command.filters import Conditions
from vbsclient.osc.vbs.selection import Selection

MANY = frozenset(f'v{number}' for number in range(MAX_SINGLE_GETS + 1))


def selection(**values: Any) -> Selection:
    return Selection(**{'conditions': Conditions(), **values})


def backup(**body: Any) -> Backup:
    whole = {'id': 'i', 'status': 'available', 'volume_id': 'v'}
    return Backup.from_body(whole | body)


@pytest.mark.parametrize(
    ('values', 'listed', 'asked'),
    [
        ({}, [None], None),
        ({'volume_ids': frozenset('v')}, ['v'], 'v'),
        ({'volume_ids': frozenset('wv')}, ['v', 'w'], None),
        ({'volume_ids': frozenset()}, [], None),
        ({'volume_ids': MANY}, [None], None),
        # Its volumes are known from backups, and maybe not all.
        (
            {
                'volume_ids': frozenset('v'),
                'deleted_server_ids': frozenset('s'),
            },
            [None],
            None,
        ),
    ],
)
def test_which_volumes_are_listed(
    values: dict[str, Any], listed: list[str | None], asked: str | None
) -> None:
    assert list(selection(**values).listed_volumes) == listed
    assert selection(**values).volume_id == asked


@pytest.mark.parametrize(
    ('values', 'countable', 'whole'),
    [
        ({}, True, True),
        ({'volume_ids': frozenset('v')}, True, True),
        ({'volume_ids': frozenset('wv')}, False, True),
        ({'volume_ids': frozenset()}, False, True),
        ({'source': 'VBS'}, False, False),
        ({'conditions': Conditions(names=frozenset('n'))}, True, False),
        ({'conditions': Conditions(name_contains='n')}, False, False),
    ],
)
def test_what_a_service_can_count(
    values: dict[str, Any], countable: bool, whole: bool
) -> None:
    assert selection(**values).countable is countable
    assert selection(**values).is_whole is whole


@pytest.mark.parametrize(
    ('values', 'body', 'is_match'),
    [
        ({}, {}, True),
        ({'volume_ids': frozenset('v')}, {}, True),
        ({'volume_ids': frozenset('w')}, {}, False),
        ({'volume_ids': frozenset()}, {}, False),
        ({'source': 'CSBS'}, {}, True),
        ({'source': 'VBS'}, {}, False),
        ({'conditions': Conditions(names=frozenset('n'))}, {}, False),
        (
            {
                'volume_ids': frozenset('w'),
                'deleted_server_ids': frozenset('s'),
            },
            {'service_metadata': '{"VMID": "s"}'},
            True,
        ),
    ],
)
def test_which_backups_match(
    values: dict[str, Any], body: dict[str, Any], is_match: bool
) -> None:
    found = selection(**values).match(backup(**body), lambda backup: 'CSBS')
    assert found is is_match


def test_an_unknown_source_is_neither_in_nor_out() -> None:
    with pytest.raises(exceptions.CommandError, match='cannot be applied'):
        selection(source='VBS').match(backup(), lambda backup: None)
    other = selection(source='VBS', volume_ids=frozenset('w'))
    assert not other.match(backup(), lambda backup: None)
