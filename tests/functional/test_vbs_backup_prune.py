# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs backup prune``."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack, Result, Somebody, Terminal
from tests.functional.wire import deletes, requests, vbs_delete
from tests.sandbox import Fault, Sandbox
from tests.sandbox.model import Backup, Volume

PRUNE = ('vbs', 'backup', 'prune')

COLUMNS = ['Group', 'Name', 'ID', 'Created At', 'Size', 'Action', 'Reasons']
KEYS = [*COLUMNS, 'Group Name']
PLACE = 'in project demo of cloud sandbox?'


def add(
    c: Sandbox, days: float, volume: Volume | str | None = None, **more: Any
) -> Backup:
    """A backup so many days old, named after its age."""
    more.setdefault('name', f'day-{days}')
    return c.state.add_backup(
        volume=volume,
        created_at=c.state.now() - timedelta(days=days),
        **more,
    )


def plan_of(openstack: Openstack, *args: str) -> dict[str, tuple[str, Any]]:
    """ID -> (action, reasons) of a dry run."""
    rows = openstack(
        *(*PRUNE, *args, '--dry-run', '-f', 'json'), complains=[...], code=0
    )
    return {
        row['ID']: (row['Action'], row['Reasons'])
        for row in json.loads(rows.stdout)
    }


@pytest.fixture(autouse=True)
def in_utc(openstack: Openstack, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine's zone must not matter."""
    monkeypatch.setenv('TZ', 'UTC')


# -- what is deleted -------------------------------------------------------


def test_what_no_rule_keeps_is_deleted_and_nothing_else(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    disk, other = c.state.add_volume(), c.state.add_volume()
    backups = [add(c, days, disk) for days in (1, 2, 3, 40, 50)]
    foreign = add(c, 60, other)
    result = openstack(
        *PRUNE, '--volume', disk.id, '--keep-last', '3', '--yes'
    )
    gone = [b.id for b in backups[3:]]
    assert sorted(deletes(c)) == sorted(vbs_delete(*gone))
    assert set(c.state.backups) == {
        *(b.id for b in backups[:3]),
        foreign.id,
    }
    assert (
        'Deleted: 0, in progress: 2, kept: 3, skipped: 0, failed: 0.'
    ) in result.stdout
    assert 'Nominal size: 40 GB' in result.stdout


def test_each_volume_is_a_group(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    disks = [c.state.add_volume() for _ in range(3)]
    old = [add(c, days, disk) for disk in disks for days in (100, 101)]
    openstack(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes')
    assert sorted(deletes(c)) == sorted(
        vbs_delete(*(b.id for b in old if b.name == 'day-101'))
    )


def test_a_second_run_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for days in range(1, 30):
        add(c, days)
    command = (
        *(*PRUNE, '--all-volumes', '--keep-daily', '3'),
        *('--keep-weekly', '2', '--yes', '--wait'),
    )
    openstack(*command)
    left = dict(c.state.backups)
    result = openstack(*command)
    assert result.stdout == (
        f'Nothing to delete: all {len(left)} backups of 1 volume are kept.\n'
    )
    assert c.state.backups == left


def test_few_requests_whatever_the_number(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_page=100)
    disks = [c.state.add_volume() for _ in range(50)]
    for days in range(250):
        add(c, days, disks[days % 50])
    openstack(*PRUNE, '--all-volumes', '--keep-last', '4', '--yes')
    sent = requests(c)
    assert len([text for text in sent if text.startswith('DELETE ')]) == 50
    # Two looks of three pages, with the shares each; the question for
    # versions; and for each volume a look at what stays.
    assert len(sent) - 50 <= 1 + 2 * (3 + 1) + 1 + 50


@pytest.mark.parametrize('discovery', ['both', 'none-json'])
def test_with_either_version(
    cloud: CloudFactory, openstack: Openstack, discovery: str
) -> None:
    c = cloud(discovery=discovery)
    backups = [add(c, days) for days in (1, 2, 3, 4, 5, 6)]
    openstack(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes')
    version = 'v3' if discovery == 'both' else 'v2'
    assert sorted(deletes(c)) == sorted(
        vbs_delete(*(b.id for b in backups[1:]), version=version)
    )


def test_by_age_alone(cloud: CloudFactory, openstack: Openstack) -> None:
    c = cloud()
    young, old = add(c, 29), add(c, 31)
    openstack(*PRUNE, '--all-volumes', '--older-than', '30d', '--yes')
    assert list(c.state.backups) == [young.id]
    assert deletes(c) == vbs_delete(old.id)


def test_an_age_limits_what_rules_delete(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backups = [add(c, days) for days in (1, 10, 40)]
    told = plan_of(
        openstack,
        *('--all-volumes', '--keep-last', '1', '--older-than', '30d'),
    )
    assert [told[b.id] for b in backups] == [
        ('keep', ['last 1', 'not older than 30d']),
        ('keep', ['not older than 30d']),
        ('delete', ['kept by no rule', 'older than 30d']),
    ]


def test_the_newest_of_each_period_within_a_time_is_kept(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    expected: dict[str, list[str]] = {
        '2026-01-10T12:00:00': [
            'daily 2026-01-10 within 3d',
            'monthly 2026-01 within 1mo',
        ],
        '2026-01-10T02:00:00': [],
        '2026-01-09T12:00:00': ['daily 2026-01-09 within 3d'],
        '2026-01-07T13:00:00': ['daily 2026-01-07 within 3d'],
        '2026-01-06T12:00:00': [],
        '2025-12-11T12:00:00': ['monthly 2025-12 within 1mo'],
        '2025-11-30T12:00:00': [],
    }
    ids = {
        created: c.state.add_backup(created_at=created).id
        for created in expected
    }
    rules = ('--keep-within-daily', '3d', '--keep-within-monthly', '1mo')
    told = plan_of(openstack, '--all-volumes', *rules)
    assert told == {
        ids[created]: ('keep', reasons)
        if reasons
        else ('delete', ['kept by no rule'])
        for created, reasons in expected.items()
    }
    result = openstack(*PRUNE, '--all-volumes', *rules, '--yes')
    assert result.stdout.startswith(
        'Keep daily within 3d of the newest, monthly within 1mo of the newest.'
    )
    assert set(c.state.backups) == {
        ids[created] for created, reasons in expected.items() if reasons
    }


@pytest.mark.parametrize(
    ('option', 'kept'),
    [('--manual', 'autobk_1a2b'), ('--automatic', 'before-upgrade')],
)
def test_manual_and_automatic_backups_are_distinguished(
    cloud: CloudFactory, openstack: Openstack, option: str, kept: str
) -> None:
    c = cloud()
    for name in ('autobk_1a2b', 'before-upgrade'):
        add(c, 50, name=name)
        add(c, 1, name=name)
    openstack(
        *(*PRUNE, '--all-volumes', option),
        *('--older-than', '30d', '--yes'),
    )
    left = sorted(b.name for b in c.state.backups.values())
    assert left == sorted(['autobk_1a2b', 'before-upgrade', kept])
    listed = openstack(
        'vbs', 'backup', 'list', option, '-f', 'value', '-c', 'Name'
    ).stdout.split()
    assert kept not in listed


# -- what is kept whatever the rules say -----------------------------------


def test_what_must_stay_stays_with_its_reason(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    server = c.state.add_server('web01')
    disk = server.volumes[0]
    newest = add(c, 1, disk)
    expected = {newest.id: ('keep', ['last 1'])}
    for status, reason in (
        ('creating', 'not finished (creating)'),
        ('restoring', 'not finished (restoring)'),
        ('deleting', 'not finished (deleting)'),
        ('error', 'status error'),
        ('error_deleting', 'status error_deleting'),
    ):
        backup = add(c, 50, disk, status=status)
        expected[backup.id] = ('keep', [reason])
    shared = add(c, 60, disk)
    for name in ('partner-a', 'partner-b'):
        partner = c.state.add_project(name, member=False)
        c.state.add_share(shared, partner)
    expected[shared.id] = ('keep', ['shared with 2 projects'])
    run = c.state.add_checkpoint(
        [server], created_at=c.state.now() - timedelta(days=70)
    )
    part = run.items[0].parts[0].backup_id
    expected[part] = ('keep', ['made by CSBS'])
    old = add(c, 80, disk)
    expected[old.id] = ('delete', ['kept by no rule'])
    told = plan_of(openstack, '--volume', disk.id, '--keep-last', '1')
    assert told == expected
    openstack(*PRUNE, '--volume', disk.id, '--keep-last', '1', '--yes')
    assert deletes(c) == vbs_delete(old.id)


@pytest.mark.parametrize('discovery', ['both', 'none-json'])
def test_what_csbs_made_does_not_count(
    cloud: CloudFactory, openstack: Openstack, discovery: str
) -> None:
    c = cloud(discovery=discovery)
    server = c.state.add_server('web01')
    own = [add(c, days, server.volumes[0]) for days in (30, 40)]
    for days in (1, 2, 3):
        c.state.add_checkpoint(
            [server], created_at=c.state.now() - timedelta(days=days)
        )
    openstack(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes')
    version = 'v3' if discovery == 'both' else 'v2'
    assert deletes(c) == vbs_delete(own[1].id, version=version)


def test_shared_ones_go_when_asked_for_their_shares_first(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 1)
    shared = add(c, 60)
    share = c.state.add_share(
        shared, c.state.add_project('partner', member=False)
    )
    openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1'),
        *('--include-shared', '--yes'),
    )
    assert deletes(c) == [
        f'DELETE /vbs/v2/{{P}}/os-vendor-backup-sharing/{share.id}'
        f'?is_backup_id=false',
        *vbs_delete(shared.id),
    ]


@pytest.mark.parametrize('number', [2, 6])
def test_shares_that_may_not_be_read_are_warned_of_once(
    cloud: CloudFactory, openstack: Openstack, number: int
) -> None:
    c = cloud(sharing='forbidden')
    backups = [add(c, days) for days in range(number)]
    openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes'),
        complains=['Whether backups are shared was not checked'],
        code=0,
    )
    assert list(c.state.backups) == [backups[0].id]


def test_failed_ones_go_when_asked_for_and_never_count(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    good = [add(c, days) for days in (5, 6)]
    failed = [add(c, days, status='error') for days in (1, 2)]
    stuck = add(c, 3, status='error_deleting')
    openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1'),
        *('--include-error', '--yes'),
    )
    assert sorted(deletes(c)) == sorted(
        vbs_delete(good[1].id, *(b.id for b in failed))
    )
    assert set(c.state.backups) == {good[0].id, stuck.id}


def test_names_by_pattern_are_kept(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 1)
    kept = add(c, 90, name='pre-upgrade')
    old = add(c, 91)
    told = plan_of(
        openstack,
        *('--all-volumes', '--keep-last', '1', '--keep-name', 'pre-*'),
    )
    assert told[kept.id] == ('keep', ['name pre-*'])
    assert told[old.id][0] == 'delete'


# -- what must never happen ------------------------------------------------


@pytest.mark.parametrize('dry', [True, False])
def test_rules_that_would_empty_a_volume_are_refused(
    cloud: CloudFactory, openstack: Openstack, dry: bool
) -> None:
    c = cloud()
    alive, stopped = c.state.add_volume(), c.state.add_volume()
    for days in (1, 50, 60):
        add(c, days, alive)
    for days in (200, 201):
        add(c, days, stopped)
    openstack(
        *(*PRUNE, '--all-volumes', '--older-than', '30d'),
        '--dry-run' if dry else '--yes',
        complains=[re.compile(f'would leave no backup.*{stopped.id}')],
    )
    assert not deletes(c)
    openstack(
        *(*PRUNE, '--all-volumes', '--older-than', '30d'),
        *('--allow-empty', '--yes'),
    )
    assert [b.name for b in c.state.backups.values()] == ['day-1']


@pytest.mark.parametrize(
    ('arguments', 'complaint'),
    [
        (['--all-volumes'], 'no rule is given'),
        (['--keep-last', '1'], 'say which backups are meant'),
        (['--keep-last', '1', '--status', 'error'], 'say which backups'),
        (['--all-volumes', '--keep-last', '0'], 'greater than 0'),
        (['--all-volumes', '--keep-daily', '-1'], 'greater than 0'),
        (['--all-volumes', '--keep-daily', 'x'], 'greater than 0'),
        (['--all-volumes', '--keep-name', ''], 'empty pattern'),
        (['--all-volumes', '--older-than', '30'], 'is not a duration'),
        (['--all-volumes', '--keep-within', '0d'], 'must be positive'),
        (['--all-volumes', '--keep-within-daily', '0d'], 'must be positive'),
        (['--name-contains', '', '--keep-last', '1'], '--name-contains is'),
        (['--volume', '', '--keep-last', '1'], '--volume is empty'),
        (['--all-volumes', '--keep-las', '1'], 'unrecognized arguments'),
        (
            ['--all-volumes', '--keep-last', '1', '--timezone', 'Mars/Base'],
            'is not a time zone',
        ),
        (
            ['--all-volumes', '--keep-last', '1', '--timezone', '../../etc'],
            'is not a time zone',
        ),
        (
            ['--all-volumes', '--keep-last', '1', '--keep-tag', 'a=b'],
            'unrecognized arguments',
        ),
    ],
)
def test_what_is_no_policy_is_refused_before_anything_is_asked(
    cloud: CloudFactory,
    openstack: Openstack,
    arguments: list[str],
    complaint: str,
) -> None:
    c = cloud()
    add(c, 100)
    openstack(*PRUNE, *arguments, '--yes', code=2, complains=[..., complaint])
    assert not requests(c)


def test_nobody_to_ask_and_no_yes_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 1)
    old = add(c, 2)
    result = openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1'),
        complains=['This would delete 1 backup, as listed above: add --yes.'],
    )
    assert old.id in result.stdout
    assert not deletes(c)


@pytest.mark.parametrize(('answer', 'goes'), [('y', True), ('', False)])
def test_a_terminal_is_asked(
    cloud: CloudFactory, openstack: Openstack, answer: str, goes: bool
) -> None:
    c = cloud()
    kept, old = add(c, 1), add(c, 2)
    question = f'Delete 1 backup of 1 volume (20 GB nominal) {PLACE} [y/N]'
    result = openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1'),
        stdin=Terminal(f'{answer}\n'),
        complains=[question],
        code=0 if goes else 1,
    )
    assert old.id in result.stdout
    assert kept.id not in result.stdout
    assert (
        f'\nKept: 1, the newest that can be restored is day-1 of '
        f'{kept.created_at[:10]} {kept.created_at[11:19]}.\n'
    ) in result.stdout
    assert deletes(c) == (vbs_delete(old.id) if goes else [])


def test_a_cloud_that_is_read_only_here_refuses(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 1)
    add(c, 2)
    openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes'),
        config={'vbsclient_read_only': True},
        complains=['vbsclient_read_only'],
    )
    assert not requests(c)


# -- what changes between plan and deletion --------------------------------


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        ('vanish', 'it is gone'),
        ('restore', 'not finished (restoring)'),
        ('share', 'shared with 1 project'),
        ('rename', 'it is not the same any more'),
    ],
)
def test_what_has_changed_since_the_plan_is_skipped(
    cloud: CloudFactory, openstack: Openstack, change: str, reason: str
) -> None:
    c = cloud()
    add(c, 1)
    changed, old = add(c, 50), add(c, 51)
    partner = c.state.add_project('partner', member=False)

    def meanwhile() -> None:
        if change == 'vanish':
            c.state.remove_backup(changed)
        elif change == 'restore':
            changed.status = 'restoring'
        elif change == 'share':
            c.state.add_share(changed, partner)
        else:
            changed.name = 'keep-me'

    result = openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1'),
        stdin=Somebody('y', meanwhile),
        complains=[
            re.compile(f'Delete 2 .*{changed.id}.*{re.escape(reason)}')
        ],
        code=0,
    )
    assert deletes(c) == vbs_delete(old.id)
    assert (
        'Deleted: 0, in progress: 1, kept: 1, skipped: 1, failed: 0.'
    ) in result.stdout


@pytest.mark.parametrize('number', [2, 6])
@pytest.mark.parametrize('before', [0, 1])
def test_a_share_that_was_not_confirmed_is_not_cancelled(
    cloud: CloudFactory, openstack: Openstack, number: int, before: int
) -> None:
    c = cloud()
    *_, old = (add(c, days) for days in range(1, number + 1))
    partners = [c.state.add_project(n, member=False) for n in ('one', 'two')]
    for partner in partners[:before]:
        c.state.add_share(old, partner)

    def share_otherwise() -> None:
        for share in list(c.state.shares.values()):
            c.state.remove_share(share)
        c.state.add_share(old, partners[1])

    result = openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--include-shared'),
        stdin=Somebody('y', share_otherwise),
        complains=[re.compile(f'{old.id}.*it is not the same any more')],
        code=0,
    )
    assert old.id not in str(deletes(c))
    assert len(c.state.shares) == 1
    # Nothing is said of what is in progress where there is nothing.
    going = f'in progress: {number - 2}, ' if number > 2 else ''
    assert f'Deleted: 0, {going}kept: 1, skipped: 1, ' in result.stdout


@pytest.mark.parametrize('number', [2, 6])
@pytest.mark.parametrize('skip', [0, 1])
def test_what_cannot_be_known_is_a_failure(
    cloud: CloudFactory, openstack: Openstack, skip: int, number: int
) -> None:
    c = cloud(versions=('v3',), discovery='v3')
    for days in range(number):
        add(c, days)
    c.knobs.faults.append(
        Fault(
            'status',
            'GET',
            'checkpoint_items',
            status=403,
            skip=skip,
            times=None,
        )
    )
    openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes'),
        complains=[
            ...,
            re.compile('whether CSBS made it could not be read'),
            ...,
        ],
        code=1,
    )
    assert not deletes(c)


def test_what_takes_the_place_of_a_kept_one_that_vanished_is_kept(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    newest, second, third = (add(c, days) for days in (1, 2, 3))
    openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1'),
        stdin=Somebody('y', lambda: c.state.remove_backup(newest)),
        complains=[re.compile(f'{second.id}.*last 1')],
        code=0,
    )
    assert deletes(c) == vbs_delete(third.id)


def test_a_volume_that_would_be_empty_by_now_stops_the_run(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    young, old = add(c, 1), add(c, 50)
    openstack(
        *(*PRUNE, '--all-volumes', '--older-than', '30d'),
        stdin=Somebody('y', lambda: c.state.remove_backup(young)),
        complains=['would leave no backup'],
    )
    assert not deletes(c)
    assert list(c.state.backups) == [old.id]


def test_what_appears_after_the_plan_is_not_touched(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    _, old = add(c, 1), add(c, 50)
    late: list[Backup] = []
    openstack(
        *(*PRUNE, '--all-volumes', '--older-than', '30d'),
        stdin=Somebody('y', lambda: late.append(add(c, 60))),
        complains=[f'Delete 1 backup of 1 volume (20 GB nominal) {PLACE}'],
        code=0,
    )
    assert deletes(c) == vbs_delete(old.id)
    assert late[0].id in c.state.backups


# -- chains ----------------------------------------------------------------


def chain(c: Sandbox, disk: Volume, *days: int) -> list[Backup]:
    """A full backup and increments, the oldest first."""
    return [
        add(c, age, disk, incremental=number > 0)
        for number, age in enumerate(days)
    ]


def test_block_storage_keeps_what_a_kept_increment_needs(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='volumev3', csbs_catalog=None, chains=True)
    disk = c.state.add_volume()
    old = chain(c, disk, 20, 19, 18)
    new = chain(c, disk, 10, 9, 8)
    told = plan_of(openstack, '--volume', disk.id, '--keep-last', '1')
    assert told == {
        new[2].id: ('keep', ['last 1']),
        new[1].id: ('keep', [f'needed by {new[2].id}']),
        new[0].id: ('keep', [f'needed by {new[2].id}']),
        **{b.id: ('delete', ['kept by no rule']) for b in old},
    }
    openstack(
        *(*PRUNE, '--volume', disk.id, '--keep-last', '1'),
        *('--yes', '--wait'),
    )
    assert set(c.state.backups) == {b.id for b in new}


def test_block_storage_keeps_what_needs_it_though_it_is_not_selected(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='volumev3', csbs_catalog=None, chains=True)
    disk = c.state.add_volume()
    full = add(c, 20, disk, name='nightly-1')
    manual = add(c, 19, disk, name='manual', incremental=True)
    rest = [add(c, days, disk, name=f'nightly-{days}') for days in (3, 2)]
    told = plan_of(openstack, '--name-contains', 'nightly', '--keep-last', '1')
    assert told == {
        full.id: ('keep', [f'needed by {manual.id}']),
        rest[0].id: ('delete', ['kept by no rule']),
        rest[1].id: ('keep', ['last 1']),
    }


def test_vbs_may_delete_any_of_a_chain(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    links = chain(c, c.state.add_volume(), 20, 19, 18)
    openstack(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes')
    assert list(c.state.backups) == [links[2].id]


# -- what is shown ---------------------------------------------------------


def test_the_plan_as_json_is_a_contract(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    disk = c.state.add_volume(size=40)
    kept = add(c, 1, disk)
    result = openstack(
        *(*PRUNE, '--volume', disk.id, '--keep-last', '1', '--dry-run'),
        *('--timezone', 'Europe/Berlin', '-f', 'json'),
        complains=[
            re.compile(r'Keep last 1\. Time zone: Europe/Berlin \(now \+0'),
            'Would delete 0, keep 1.',
        ],
        code=0,
    )
    assert result.json() == [
        {
            'Group': disk.id,
            'Name': 'day-1',
            'ID': kept.id,
            'Created At': f'{kept.created_at}+00:00',
            'Size': 40,
            'Action': 'keep',
            'Reasons': ['last 1'],
            'Group Name': None,
        }
    ]
    assert list(result.json()[0]) == KEYS
    assert not deletes(c)


def test_names_are_shown_where_they_can_be_read(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(catalog='vbs+volumev3')
    disk = c.state.add_volume('db01-data', size=600)
    c.state.add_server('db01', [disk])
    for days in range(1, 4):
        add(c, days, disk)
    rules = (*PRUNE, '--all-volumes', '--keep-last', '1')
    result = openstack(
        *rules,
        stdin=Terminal('n\n'),
        complains=[f'Delete 2 backups of 1 volume (1.2 TB nominal) {PLACE}'],
    )
    lines = result.stdout.splitlines()
    assert lines[1] == (
        f'Volume db01-data of db01 ({disk.id}): 2 of 3 to delete'
    )
    rows = openstack(
        *(*rules, '--dry-run', '-f', 'json'), complains=[...], code=0
    ).json()
    assert [(row['Group'], row['Group Name']) for row in rows] == [
        (disk.id, 'db01-data of db01')
    ] * 3
    # A table has the one in place of the other.
    table = openstack(*rules, '--dry-run').stdout
    assert '| db01-data of db01 |' in table
    assert disk.id not in table


def test_a_dry_run_shows_the_same_to_a_person(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 1)
    add(c, 2)
    result = openstack(
        *PRUNE, '--all-volumes', '--keep-last', '1', '--dry-run'
    )
    lines = result.stdout.splitlines()
    assert lines[0].startswith('Keep last 1. Time zone: UTC')
    assert [cell.strip() for cell in lines[2].split('|')[1:-1]] == COLUMNS
    assert lines[-1].startswith('Would delete 1, keep 1. Nominal size')


@pytest.mark.parametrize('zone', ['Asia/Tokyo', 'Europe/Berlin', 'XYZ-3'])
def test_the_zone_of_the_machine_does_not_matter(
    cloud: CloudFactory, openstack: Openstack, zone: str
) -> None:
    add(cloud(), 1)
    result = openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--dry-run'),
        env={'TZ': zone},
    )
    assert 'Time zone: UTC (now +00:00)' in result.stdout


def test_a_zone_moves_dates_and_periods(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    disk = c.state.add_volume()
    for name, moment in (
        ('newest', '2026-01-10T12:00:00'),
        ('in-berlin', '2025-12-31T23:30:00'),
        ('in-utc', '2025-12-31T22:30:00'),
    ):
        c.state.add_backup(name, disk, created_at=moment)
    args = ('--volume', disk.id, '--created-before', '2026-01-01')
    keep = ('--keep-last', '1')
    for zone, selected in (
        ((), {'in-berlin', 'in-utc'}),
        (('--timezone', 'Europe/Berlin'), {'in-utc'}),
        (('--timezone', 'America/New_York'), {'in-berlin', 'in-utc'}),
    ):
        rows = openstack(
            *(*PRUNE, *args, *keep, *zone, '--dry-run', '-f', 'json'),
            complains=[...],
            code=0,
        ).json()
        assert {row['Name'] for row in rows} == selected


@pytest.mark.parametrize('verbose', [False, True])
def test_with_yes_only_what_goes_is_shown_and_the_rest_with_v(
    cloud: CloudFactory, openstack: Openstack, verbose: bool
) -> None:
    c = cloud()
    kept, old = add(c, 1), add(c, 2)
    result = openstack(
        *(('-v',) if verbose else ()),
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes'),
        complains=[...],
        code=0,
    )
    assert old.id in result.stdout
    assert (kept.id in result.stdout) == verbose


def test_a_report_is_alone_on_stdout(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 1)
    old = add(c, 2)
    result = openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes', '--wait'),
        *('-f', 'json'),
        complains=[..., 'Deleted: 1, kept: 1, skipped: 0, failed: 0.'],
        code=0,
    )
    assert [(r['ID'], r['Result']) for r in result.json()] == [
        (old.id, 'deleted')
    ]


@pytest.mark.parametrize('dry', [True, False])
def test_nothing_selected_is_success_and_said(
    cloud: CloudFactory, openstack: Openstack, dry: bool
) -> None:
    c = cloud()
    add(c, 1)
    result = openstack(
        *(*PRUNE, '--name', 'nobody', '--keep-last', '1'),
        '--dry-run' if dry else '--yes',
    )
    # The table of a dry run is an empty line.
    assert result.stdout.rstrip('\n') == (
        'Nothing to delete: no backup is selected.'
    )
    assert not deletes(c)


@pytest.mark.parametrize('name', [(), ('--name', 'nobody')])
def test_a_quiet_night_of_cron_says_nothing(
    cloud: CloudFactory, openstack: Openstack, name: tuple[str, ...]
) -> None:
    add(cloud(), 1)
    rules = (*name, '--all-volumes', '--keep-last', '1', '--yes')
    assert openstack('-q', *PRUNE, *rules).stdout == ''


@pytest.mark.parametrize('wait', [(), ('--wait',)])
def test_what_goes_quietly_is_not_said_either(
    cloud: CloudFactory, openstack: Openstack, wait: tuple[str, ...]
) -> None:
    c = cloud()
    volume = c.state.add_volume()
    _, old = (add(c, days, volume) for days in (1, 2))
    rules = ('--all-volumes', '--keep-last', '1', '--yes')
    assert openstack('-q', *PRUNE, *rules, *wait).stdout == ''
    assert deletes(c) == vbs_delete(old.id)


def prune_with_a_failure(
    cloud: CloudFactory, openstack: Openstack, *options: str
) -> Result:
    """One of two deletions fails, and the failure is said."""
    c = cloud(deletion_time=0.05)
    add(c, 1)
    bad = add(c, 50, deletion_fails=True)
    add(c, 51)
    return openstack(
        *(*options, *PRUNE, '--all-volumes', '--keep-last', '1'),
        *('--yes', '--wait'),
        complains=[bad.id, '1 of 2 backups failed to delete.'],
    )


def test_what_fails_is_said_quietly_as_well(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    result = prune_with_a_failure(cloud, openstack, '-q')
    assert result.stdout == ''


def test_a_quiet_question_comes_with_its_plan(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 1)
    old = add(c, 2)
    shown = openstack(
        *('-q', *PRUNE, '--all-volumes', '--keep-last', '1'),
        stdin=Terminal('n\n'),
        complains=[f'Delete 1 backup of 1 volume (20 GB nominal) {PLACE}'],
    ).stdout
    assert old.id in shown
    assert not deletes(c)


def test_a_quiet_dry_run_for_a_program_has_rows_alone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    _, old = add(c, 1), add(c, 2)
    rows = openstack(
        *('-q', *PRUNE, '--all-volumes', '--keep-last', '1', '--dry-run'),
        *('--keep-name', 'nobody', '-f', 'json'),
    ).json()
    assert [row['ID'] for row in rows if row['Action'] == 'delete'] == [old.id]


def test_a_volume_that_keeps_its_limit_is_warned_of(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    disk = c.state.add_volume()
    for days in range(1, 23):
        add(c, days, disk)
    openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '20', '--yes'),
        complains=[
            f'A volume can have 20 backups; where that many are kept, the '
            f'next one will be refused: {disk.id}: 20.',
        ],
        code=0,
    )


def test_a_failure_is_counted_and_told(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    result = prune_with_a_failure(cloud, openstack)
    assert 'Deleted: 1, kept: 1, skipped: 0, failed: 1.' in result.stdout


def test_what_is_not_finished_in_time_exits_with_three(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(deletion_time=30)
    add(c, 1)
    old = add(c, 50)
    result = openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes', '--wait'),
        *('--timeout', '1'),
        complains=[f'1 of 1 backups is not deleted yet: day-50 ({old.id})'],
        code=3,
    )
    assert (
        'Deleted: 0, in progress: 1, kept: 1, skipped: 0, failed: 0.'
    ) in result.stdout


def test_the_journal_has_every_delete(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path
) -> None:
    c = cloud()
    add(c, 1)
    old = add(c, 50)
    journal = tmp_path / 'journal'
    openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--yes'),
        *('--journal', str(journal)),
    )
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert [line['id'] for line in lines] == [old.id, old.id]
    assert {line['command'] for line in lines} == {'vbs backup prune'}


def test_hostile_names_do_no_harm(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    add(c, 1)
    name = 'a\x1b[31m\nb%s{0}[red]'
    old = add(c, 50, name=name)
    result = openstack(
        *PRUNE, '--all-volumes', '--keep-last', '1', '--dry-run'
    )
    assert '\x1b' not in result.stdout
    told = openstack(
        *(*PRUNE, '--all-volumes', '--keep-last', '1', '--dry-run'),
        *('-f', 'json'),
        complains=[...],
        code=0,
    ).json()
    assert [row['Name'] for row in told if row['ID'] == old.id] == [name]
