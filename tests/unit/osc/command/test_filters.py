# SPDX-License-Identifier: Apache-2.0
"""Which backups the options of lists select."""

import argparse
import logging
from datetime import datetime, timezone
from typing import Any

import pytest

from vbsclient.api.vbs import Backup
from vbsclient.osc.command.filters import (
    Conditions,
    add_filters,
    conditions_of,
    is_transient,
    refuse_empty,
    warn_of_unknown_statuses,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=timezone.utc)


def backup(**body: Any) -> Backup:
    whole = {
        'id': 'i',
        'name': 'nightly',
        'status': 'available',
        'created_at': '2026-11-21T12:00:00.000000',
    }
    return Backup.from_body(whole | body)


def parsed(*args: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_filters(parser)
    return parser.parse_args(args)


@pytest.mark.parametrize(
    ('conditions', 'body', 'is_match'),
    [
        ({}, {}, True),
        ({'names': frozenset({'nightly'})}, {}, True),
        ({'names': frozenset({'night'})}, {}, False),
        ({'names': frozenset({'nightly', 'other'})}, {}, True),
        ({'name_contains': 'night'}, {}, True),
        ({'name_contains': 'night'}, {'name': None}, False),
        ({'statuses': {'available'}}, {'status': 'AVAILABLE'}, True),
        ({'statuses': {'error', 'deleting'}}, {'status': 'error'}, True),
        ({'statuses': {'error', 'deleting'}}, {}, False),
        ({'availability_zone': 'a'}, {'availability_zone': 'a'}, True),
        ({'availability_zone': 'a'}, {}, False),
        ({'since': NOON}, {}, True),
        ({'before': NOON}, {}, False),
        ({'before': NOON}, {'created_at': '2026-11-21T11:59:59'}, True),
        # Neither older nor younger than anything.
        ({'since': NOON}, {'created_at': None}, False),
        ({'before': NOON}, {'created_at': 'yesterday'}, False),
        ({'automatic': True}, {'name': 'autobk_1234'}, True),
        ({'automatic': False}, {'name': 'autobk_1234'}, False),
        ({'unchanged_since': NOON}, {'status': 'creating'}, True),
        ({'unchanged_since': NOON}, {}, False),
        (
            {'unchanged_since': NOON},
            {'status': 'creating', 'updated_at': '2026-11-21T12:00:01'},
            False,
        ),
    ],
)
def test_a_backup_matches(
    conditions: dict[str, Any], body: dict[str, Any], is_match: bool
) -> None:
    assert Conditions(**conditions).match(backup(**body)) is is_match


@pytest.mark.parametrize(
    ('conditions', 'countable'),
    [
        ({}, True),
        ({'names': frozenset({'n'}), 'statuses': frozenset({'error'})}, True),
        ({'names': frozenset({'n', 'm'})}, False),
        ({'unknown_statuses': {'x'}}, True),
        ({'statuses': frozenset({'error', 'deleting'})}, False),
        ({'name_contains': 'n'}, False),
        ({'availability_zone': 'a'}, False),
        ({'since': NOON}, False),
        ({'before': NOON}, False),
        ({'unchanged_since': NOON}, False),
        ({'automatic': False}, False),
    ],
)
def test_a_service_counts_what_it_compares_exactly(
    conditions: dict[str, Any], countable: bool
) -> None:
    assert Conditions(**conditions).countable is countable


@pytest.mark.parametrize(
    ('statuses', 'asked'),
    [((), None), (('error',), 'error'), (('error', 'deleting'), None)],
)
def test_a_service_is_asked_for_one_status(
    statuses: tuple[str, ...], asked: str | None
) -> None:
    assert Conditions(statuses=frozenset(statuses)).status == asked


@pytest.mark.parametrize(
    ('status', 'transient'),
    [
        ('creating', True),
        ('waiting_delete', True),
        ('whatever comes', True),
        ('available', False),
        ('deleted', False),
        ('error_deleting', False),
    ],
)
def test_which_states_pass(status: str, transient: bool) -> None:
    assert is_transient(status) is transient


def test_what_options_say() -> None:
    args = parsed('--status', 'ERROR', '--created-after', '2026-11-21')
    conditions = conditions_of(args)
    assert args.conditions is conditions
    assert conditions.statuses == {'error'}
    assert conditions.since == NOON.replace(hour=0)
    assert conditions_of(parsed()) == Conditions()


@pytest.mark.parametrize(
    ('option', 'effect'),
    [('--created-before', 'everything'), ('--created-after', 'nothing')],
)
def test_a_time_in_the_future_is_reported(
    caplog: pytest.LogCaptureFixture, option: str, effect: str
) -> None:
    conditions_of(parsed(option, '2999-01-01'))
    assert caplog.messages == [
        f'{option} 2999-01-01 00:00 UTC is in the future: it selects {effect}.'
    ]


def test_a_status_that_a_backup_has_is_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    args = parsed('--status', 'uploading', '--status', 'avaliable')
    conditions = conditions_of(args)
    conditions.match(backup(status='uploading'))
    with caplog.at_level(logging.WARNING):
        warn_of_unknown_statuses(conditions)
    assert caplog.messages == [
        'No service is known to have the status avaliable, and no backup has '
        'it: did you mean available?'
    ]


@pytest.mark.parametrize('option', ['--name', '--status'])
def test_an_empty_text_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], option: str
) -> None:
    parser = argparse.ArgumentParser()
    add_filters(parser)
    with pytest.raises(SystemExit):
        refuse_empty(parser, parser.parse_args([option, '']))
    assert f'{option} is empty' in capsys.readouterr().err
    refuse_empty(parser, parser.parse_args([option, 'x']))
