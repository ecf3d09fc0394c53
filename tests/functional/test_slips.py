# SPDX-License-Identifier: Apache-2.0
"""What people type, paste and set is what happens, or nothing happens."""

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack, Terminal
from tests.functional.wire import deletes, requests, vbs_delete
from tests.sandbox import Fault

DELETE = ('vbs', 'backup', 'delete')
PRUNE = ('vbs', 'backup', 'prune', '--all-volumes', '--keep-last', '1')
EN_DASH = '\u2013'
COMPOSED, DECOMPOSED = 'M\xfcller', 'Mu\u0308ller'

COMMANDS = [
    'vbs backup create',
    'vbs share create --target-project x',
    'vbs backup policy create',
    'vbs backup policy set',
    'vbs backup policy delete',
    'vbs backup policy add volume weekly',
    'vbs backup policy remove volume weekly',
    'vbs backup policy execute',
    'csbs policy add server weekly',
    'csbs policy remove server weekly',
    'csbs policy execute',
    'vbs job show',
    'csbs backup create',
    'csbs policy create',
    'csbs policy set',
    'csbs policy delete',
    'vbs backup restore x',
    'csbs backup restore --yes',
    'vbs backup delete',
    'vbs backup list',
    'vbs backup prune --all-volumes --keep-last 1 --yes',
    'vbs backup show',
    'vbs quota show',
    'vbs share delete',
    'vbs share list',
    'vbs share show',
    'csbs backup delete',
    'csbs backup list',
    'csbs backup prune --all-servers --keep-last 1 --yes',
    'csbs backup show',
    'csbs checkpoint delete',
    'csbs checkpoint list',
    'csbs checkpoint show',
    'csbs quota show',
]


@pytest.mark.parametrize('command', COMMANDS)
def test_a_dash_that_is_none_sends_nothing(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    backup = c.state.add_backup()
    result = openstack(
        *command.split(),
        f'{EN_DASH}dry-run',
        backup.id,
        complains=[
            ...,
            re.compile(
                r"U\+2013 \(EN DASH\).*write '--dry-run'.*Nothing was sent"
            ),
        ],
        code=2,
    )
    assert result.stdout == ''
    assert requests(c) == []


@pytest.mark.parametrize(
    ('noun', 'told'),
    [
        ('vbs backup', '<backup>. "openstack vbs backup prune" deletes by '),
        ('csbs backup', '<backup>. "openstack csbs backup prune" deletes by '),
        ('csbs checkpoint', '<checkpoint>. "openstack csbs backup prune"'),
        ('vbs share', '--backup <backup>. "openstack vbs share list'),
    ],
)
def test_a_deletion_of_nothing_says_what_else_deletes(
    cloud: CloudFactory, openstack: Openstack, noun: str, told: str
) -> None:
    c = cloud()
    from_a_list = (
        f'"openstack {noun} list ... -f value -c ID | openstack {noun} '
        f'delete -"'
    )
    result = openstack(
        *noun.split(),
        'delete',
        complains=[..., re.compile(f'error: .*{re.escape(told)}')],
        code=2,
    )
    assert from_a_list in result.stderr.splitlines()[-1]
    assert result.stdout == ''
    assert requests(c) == []


def test_who_types_ids_is_told_so(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup, other = c.state.add_backup(), c.state.add_backup()
    typed = f'# of last week\n{backup.id}\n#{other.id}\n'
    result = openstack(
        *DELETE,
        '-',
        stdin=Terminal(typed),
        complains=['Enter IDs, one a line; end with Ctrl-D.'],
        code=0,
    )
    assert result.stdout == ''
    assert deletes(c) == vbs_delete(backup.id)
    openstack(*DELETE, '-', stdin=f'#{other.id}\n')
    assert deletes(c) == vbs_delete(backup.id)


@pytest.mark.parametrize(
    'typed',
    [
        *('vbs b d', 'vbs backup del', 'vb backup delete', 'csbs c d'),
        *('vbs b c', 'csbs b cr', 'vbs s c --target-project=x'),
    ],
)
def test_a_command_that_changes_something_is_spelled_out(
    cloud: CloudFactory, openstack: Openstack, typed: str
) -> None:
    c = cloud()
    openstack(
        *typed.split(),
        c.state.add_backup().id,
        complains=[
            ...,
            re.compile("write the command in full: '[cv].* (create|delete)"),
        ],
        code=2,
    )
    assert requests(c) == []


def test_one_that_shows_something_need_not(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    backup = cloud().state.add_backup()
    assert openstack('vbs', 'b', 'l', '-f', 'value', '-c', 'ID').stdout == (
        f'{backup.id}\n'
    )


@pytest.mark.parametrize(
    'args',
    [
        ['vbs', 'backup', 'list', '--marker', 'a', '--marker', 'b'],
        ['csbs', 'backup', 'list', '--checkpoint', 'a', '--checkpoint', 'b'],
        [*PRUNE, '--keep-last', '2', '--yes'],
        [*DELETE, 'a', '--concurrency', '1', '--concurrency', '10'],
        [*PRUNE, '--older-than', '30d', '--older-than', '3d', '--yes'],
    ],
)
def test_an_option_that_counts_once_is_not_given_twice(
    cloud: CloudFactory, openstack: Openstack, args: list[str]
) -> None:
    c = cloud()
    openstack(*args, complains=[..., 'given more than once'], code=2)
    assert requests(c) == []


@pytest.mark.parametrize(
    'args',
    [
        ['vbs', 'backup', 'list', '--created-before', '6m'],
        ['vbs', 'backup', 'list', '--created-before', '30'],
        ['vbs', 'backup', 'list', '--created-after', '1782678995'],
        ['vbs', 'backup', 'list', '--stuck', '30m'],
        ['vbs', 'backup', 'list', '--stuck', '30'],
        ['csbs', 'checkpoint', 'list', '--created-before', '6m'],
        [*PRUNE, '--older-than', '6m'],
        [*PRUNE, '--keep-within', '6m'],
        [*PRUNE, '--keep-within-monthly', '6m'],
        [*PRUNE, '--created-before', '30'],
        [*PRUNE, '--keep-name', '[z-a]*'],
        [*PRUNE, '--keep-name', 'a[b'],
        [*PRUNE, '--keep-name', '[[:alpha:]]*'],
        [*DELETE, 'a', '--journal', '-'],
    ],
)
def test_what_may_mean_two_things_is_a_usage_error(
    cloud: CloudFactory, openstack: Openstack, args: list[str]
) -> None:
    c = cloud()
    openstack(*args, complains=[...], code=2)
    assert requests(c) == []


def test_months_mean_the_same_in_every_option(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for days in (20, 100, 300):
        c.state.add_backup(
            f'day-{days}', created_at=c.state.now() - timedelta(days=days)
        )
    listed = openstack(
        *('vbs', 'backup', 'list', '--created-before', '3mo', '-f', 'json')
    ).json()
    planned = openstack(
        *('vbs', 'backup', 'prune', '--all-volumes', '--allow-empty'),
        *('--older-than', '3mo', '--dry-run', '-f', 'json'),
        complains=[...],
        code=0,
    ).json()
    going = {row['Name'] for row in planned if row['Action'] == 'delete'}
    assert {row['Name'] for row in listed} == going == {'day-100', 'day-300'}


@pytest.mark.parametrize(
    ('option', 'effect'),
    [('--created-before', 'everything'), ('--created-after', 'nothing')],
)
def test_the_future_is_said(
    cloud: CloudFactory, openstack: Openstack, option: str, effect: str
) -> None:
    cloud().state.add_backup()
    openstack(
        *('vbs', 'backup', 'list', option, '2206-11-21'),
        complains=[
            f'{option} 2206-11-21 00:00 UTC is in the future: it '
            f'selects {effect}.'
        ],
        code=0,
    )


class TestIds:
    def test_in_capitals_it_is_the_same_backup(
        self, cloud: CloudFactory, openstack: Openstack
    ) -> None:
        c = cloud()
        disk = c.state.add_volume()
        backups = [c.state.add_backup(volume=disk) for _ in range(3)]
        one, two, three = (b.id for b in backups)
        shown = openstack(
            *('vbs', 'backup', 'show', one.upper(), '-f', 'json')
        ).json()
        assert shown['id'] == one
        listed = openstack(
            *('vbs', 'backup', 'list', '--volume', disk.id.upper()),
            *('-f', 'value', '-c', 'ID'),
        ).stdout.split()
        assert sorted(listed) == sorted([one, two, three])
        openstack(*DELETE, one.upper(), one)
        openstack(*DELETE, '-', stdin=f'\ufeff{two.upper()}\r\n')
        assert deletes(c) == vbs_delete(one, two)

    def test_a_rule_is_about_that_volume(
        self, cloud: CloudFactory, openstack: Openstack
    ) -> None:
        c = cloud()
        disk = c.state.add_volume()
        old, _ = (
            c.state.add_backup(
                volume=disk, created_at=c.state.now() - timedelta(days=days)
            )
            for days in (9, 1)
        )
        openstack(
            *('vbs', 'backup', 'prune', '--volume', disk.id.upper()),
            *('--keep-last', '1', '--yes'),
        )
        assert deletes(c) == vbs_delete(old.id)


@pytest.mark.parametrize('typed', [COMPOSED, DECOMPOSED])
@pytest.mark.parametrize('stored', [COMPOSED, DECOMPOSED])
class TestNames:
    def test_a_name_is_found_in_any_form(
        self,
        cloud: CloudFactory,
        openstack: Openstack,
        typed: str,
        stored: str,
    ) -> None:
        c = cloud()
        backup = c.state.add_backup(stored)
        for option in ('--name', '--name-contains'):
            for extra in ([], ['--count']):
                listed = openstack(
                    *('vbs', 'backup', 'list', option, typed, *extra),
                    *(() if extra else ('-f', 'value', '-c', 'ID')),
                ).stdout
                assert listed == ('1\n' if extra else f'{backup.id}\n')
        openstack(*DELETE, typed)
        assert deletes(c) == vbs_delete(backup.id)

    def test_a_pattern_keeps_it(
        self,
        cloud: CloudFactory,
        openstack: Openstack,
        typed: str,
        stored: str,
    ) -> None:
        c = cloud()
        disk = c.state.add_volume()
        for name, days in (('new', 1), (stored, 2), ('old', 3)):
            c.state.add_backup(
                name, disk, created_at=c.state.now() - timedelta(days=days)
            )
        openstack(*PRUNE, '--keep-name', f'{typed}*', '--yes')
        left = {b.name for b in c.state.backups.values()}
        assert left == {'new', stored}


@pytest.mark.parametrize('quiet', [(), ('-q',)])
@pytest.mark.parametrize('end', ['--yes', '--dry-run'])
def test_a_rule_that_names_nothing_is_said_unless_quiet(
    cloud: CloudFactory, openstack: Openstack, end: str, quiet: tuple[str]
) -> None:
    c = cloud()
    disk = c.state.add_volume()
    for days in (1, 2):
        c.state.add_backup(
            'a', disk, created_at=c.state.now() - timedelta(days=days)
        )
    openstack(
        *(*quiet, *PRUNE, '--keep-name', 'b*', '--keep-name', 'a', end),
        complains=[]
        if quiet
        else ["--keep-name 'b*' keeps nothing: no selected backup has"],
        code=0,
    )
    assert not deletes(c)


class TestGuards:
    def test_the_environment_guards_a_cloud_that_has_a_name(
        self, cloud: CloudFactory, openstack: Openstack
    ) -> None:
        c = cloud()
        openstack(
            *('--os-cloud', 'sandbox', *DELETE, c.state.add_backup().id),
            env={'OS_VBSCLIENT_READ_ONLY': 'true'},
            complains=[re.compile('read-only .*nothing was changed')],
        )
        assert requests(c) == []

    @pytest.mark.parametrize(
        'config',
        [
            {'vbsclient_readonly': True},
            {'vbsclient_read_only': ''},
            {'vbsclient_read_ony': False},
        ],
    )
    @pytest.mark.parametrize('command', [DELETE, PRUNE])
    def test_a_guard_that_cannot_be_understood_guards(
        self,
        cloud: CloudFactory,
        openstack: Openstack,
        config: dict[str, object],
        command: tuple[str, ...],
    ) -> None:
        c = cloud()
        backup = c.state.add_backup()
        last = backup.id if command is DELETE else '--yes'
        openstack(
            *(*command, last),
            config=config,
            complains=[re.compile('nothing was changed')],
        )
        assert requests(c) == []
        # Whatever shows something does not mind.
        openstack('vbs', 'backup', 'show', backup.id, config=config)


class TestStatuses:
    @pytest.mark.parametrize('count', [(), ('--count',)])
    def test_one_that_nobody_knows_is_said(
        self, cloud: CloudFactory, openstack: Openstack, count: tuple[str]
    ) -> None:
        cloud().state.add_backup()
        commands = ['vbs backup', 'csbs checkpoint']
        commands += [] if count else ['csbs backup', 'vbs share']
        for command in commands:
            openstack(
                *(*command.split(), 'list', '--status', 'avaliable', *count),
                complains=[
                    'status avaliable, and no backup has it: did you '
                    'mean available?'
                ],
                code=0,
            )

    def test_one_that_only_this_cloud_knows_is_not(
        self, cloud: CloudFactory, openstack: Openstack
    ) -> None:
        c = cloud()
        backup = c.state.add_backup(status='uploading')
        for count, shown in (
            (('--count',), '1\n'),
            (('-f', 'value', '-c', 'ID'), f'{backup.id}\n'),
        ):
            args = ('vbs', 'backup', 'list', '--status', 'UPLOADING')
            assert openstack(*args, *count).stdout == shown

    @pytest.mark.parametrize('typed', ['ERROR', 'Error', 'error'])
    def test_case_does_not_matter(
        self, cloud: CloudFactory, openstack: Openstack, typed: str
    ) -> None:
        c = cloud()
        c.state.add_backup()
        backup = c.state.add_backup(status='error')
        args = ('vbs', 'backup', 'list', '--status', typed, '-c', 'ID')
        assert openstack(*args, '-f', 'value').stdout == f'{backup.id}\n'


@pytest.mark.parametrize('command', ['backup', 'checkpoint'])
def test_a_policy_that_is_none_is_said(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    cloud()
    openstack(
        *('csbs', command, 'list', '--policy', 'daily'),
        complains=["No policy found for 'daily'"],
    )


@pytest.mark.parametrize('command', ['backup', 'checkpoint'])
def test_a_policy_that_made_nothing_is_said(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    made = c.state.add_checkpoint(1, policy='daily')
    args = ('csbs', command, 'list', '-f', 'value', '-c', 'ID', '--policy')
    assert openstack(*args, made.policy_id).stdout
    unknown = c.state.new_uuid()
    openstack(
        *(*args, unknown),
        complains=[f'No backup of the policy {unknown} is listed'],
        code=0,
    )


@pytest.mark.parametrize('command', ['backup', 'checkpoint'])
@pytest.mark.parametrize('more', [(), ('--max-items', '1')])
def test_a_list_that_is_not_of_the_policy_is_none(
    cloud: CloudFactory,
    openstack: Openstack,
    command: str,
    more: tuple[str, ...],
) -> None:
    c = cloud()
    other_id = c.state.new_uuid()
    row = {'id': other_id, 'checkpoint_id': other_id}
    c.knobs.faults.append(
        Fault(
            'body',
            'GET',
            'policy_id=',
            body=json.dumps({'checkpoint_items': [row]}),
            times=9,
        )
    )
    result = openstack(
        *('csbs', command, 'list', '--policy', c.state.new_uuid(), *more),
        complains=['This cloud does not filter by policy'],
    )
    assert other_id not in result.stdout


def test_force_overrules_no_status(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup(status='creating')
    openstack(
        *(*DELETE, '--force', backup.id),
        complains=['the service decides', '1 of 1 backups failed'],
    )
    assert 'does not override a status' in ' '.join(
        openstack('help', *DELETE).stdout.split()
    )


def test_no_page_makes_other_dashes_of_options() -> None:
    root = Path(__file__).parents[2]
    assert 'smartquotes = False' in (root / 'doc/source/conf.py').read_text()
    pages = [root / 'README.rst', *(root / 'doc').rglob('*.rst')]
    for page in pages:
        found = re.findall(r'\s[\u2010-\u2015\u2212]\w\S*', page.read_text())
        assert found == [], page
