# SPDX-License-Identifier: Apache-2.0
"""The command lines of the prune commands."""

from typing import Any

import pytest

from vbsclient.api.times import CalendarDuration
from vbsclient.osc.command.prune import PruneCommand
from vbsclient.osc.csbs.prune import PruneCsbsBackup
from vbsclient.osc.vbs.prune import PruneVbsBackup

BOTH = pytest.mark.parametrize('command', [PruneVbsBackup, PruneCsbsBackup])

YEAR = CalendarDuration('1y', years=1)

#: What both commands take, and what it says.
ID = 'dc1e2c1b-0000-4000-8000-00000000abcd'
COMMON = (
    ('--keep-last', '3', 'keep_last', 3),
    ('--keep-yearly', '2', 'keep_yearly', 2),
    ('--keep-within', '1y', 'keep_within', YEAR),
    ('--keep-within-hourly', '1y', 'keep_within_hourly', YEAR),
    ('--keep-within-daily', '1y', 'keep_within_daily', YEAR),
    ('--keep-within-weekly', '1y', 'keep_within_weekly', YEAR),
    ('--keep-within-monthly', '1y', 'keep_within_monthly', YEAR),
    ('--keep-within-yearly', '1y', 'keep_within_yearly', YEAR),
    ('--keep-name', 'a*', 'keep_name', ['a*']),
    ('--older-than', '1y', 'older_than', YEAR),
    ('--name-contains', 'x', 'name_contains', 'x'),
    ('--status', 'error', 'status', ['error']),
    ('--created-before', '2026-11-21', 'created_before', '2026-11-21'),
    ('--include-error', None, 'include_error', True),
    ('--allow-empty', None, 'allow_empty', True),
    ('--dry-run', None, 'dry_run', True),
    ('--yes', None, 'yes', True),
    ('--wait', None, 'wait', True),
    ('--concurrency', '4', 'concurrency', 4),
)
VBS = (
    ('--all-volumes', None, 'all_groups', True),
    ('--volume', 'db01', 'volume', ['db01']),
    ('--source', 'vbs', 'source', 'vbs'),
    ('--include-shared', None, 'include_shared', True),
)
CSBS = (
    ('--all-servers', None, 'all_groups', True),
    ('--server', 'web01', 'server', ['web01']),
    ('--policy', 'p', 'policy', ['p']),
    ('--keep-tag', 'a=b', 'keep_tag', ['a=b']),
    ('--provider', ID, 'provider', ID),
)


def parse(command: type[PruneCommand], *arguments: str) -> dict[str, Any]:
    parser = command(None, None).get_parser('prune')
    return vars(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ('command', 'options'),
    [(PruneVbsBackup, COMMON + VBS), (PruneCsbsBackup, COMMON + CSBS)],
)
def test_options(
    command: type[PruneCommand],
    options: tuple[tuple[str, str | None, str, object], ...],
) -> None:
    arguments = [word for o in options for word in o[:2] if word is not None]
    parsed = parse(command, *arguments)
    assert {o[2]: parsed[o[2]] for o in options} == {
        o[2]: o[3] for o in options
    }
    defaults = parse(command)
    for _, value, name, _ in options:
        if value is None:
            assert defaults[name] is False


@BOTH
@pytest.mark.parametrize(
    'words',
    [
        ['--keep-las', '3'],
        ['--keep-within-d', '3d'],
        ['--all'],
        ['--force'],
        ['--ignore-missing'],
        ['x'],
    ],
)
def test_nothing_is_named_or_abbreviated(
    command: type[PruneCommand], words: list[str]
) -> None:
    with pytest.raises(SystemExit):
        parse(command, *words)


@pytest.mark.parametrize(
    ('command', 'option'),
    [(PruneVbsBackup, '--keep-tag'), (PruneCsbsBackup, '--include-shared')],
)
def test_options_of_the_other_service(
    command: type[PruneCommand], option: str
) -> None:
    with pytest.raises(SystemExit):
        parse(command, option, 'a=b')
