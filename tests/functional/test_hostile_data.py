# SPDX-License-Identifier: Apache-2.0
"""Names, reasons and errors of a service that mean harm to a terminal.

People see them written out; machine formats have them as they were sent.
"""

import csv
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
import yaml

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack, Result, Terminal
from tests.sandbox import Fault, Sandbox
from tests.sandbox.model import Backup, Checkpoint, Share

#: One of each kind of what a terminal, a formatter or an encoding obeys.
TEXTS = {
    'controls': (
        'a\x1b[2J\x1b]0;t\x07\r\nb\tc\x00\x7f\x9b31m\x85d'
        '\u202eb\u202c\u2066\u200f\u200b\ufeff\u2028c'
    ),
    'halves': 'a\ud800b\udfff',
    'formats': '%s %(x)s %n {0} {x} [red]x[/red] [/] <script>\\u001b"\',;',
    'long': 'x' * 20_000,
}

#: What must never get to a terminal as it is.
UNSAFE = re.compile(
    '[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e'
    '\u2060-\u2069\ufeff\ud800-\udfff]'
)

LISTS = (
    'vbs backup list',
    'vbs share list',
    'csbs backup list',
    'csbs checkpoint list',
)


class World:
    """A cloud in which every text that there is can be the same."""

    def __init__(self, sandbox: Sandbox, text: str) -> None:
        self.text = text
        state = sandbox.state
        self.backup: Backup = state.add_backup(
            text, description=text, fail_reason=text
        )
        self.stuck = state.add_backup(text, status=text, fail_reason=text)
        self.backup.availability_zone = text
        self.plain = state.add_backup('plain', description=text)
        self.share: Share = state.add_share(
            self.backup, state.add_project('partner', member=False)
        )
        self.run: Checkpoint = state.add_checkpoint(2, text)
        for item in self.run.items:
            self._spoil(item)
        self.volume = state.add_volume(text)
        self.server = state.add_server(text, protectable_message=text)
        self.job = state.add_job('bksCreateBackup', self.plain, 'FAIL')
        self.job.fail_reason = self.job.error_code = text

    def _spoil(self, item: Any) -> None:
        item.description = item.resource_name = self.text
        item.availability_zone = self.text
        item.fail_op = item.fail_reason = self.text
        item.fail_code = {'Code': self.text, 'Description': self.text}
        item.tags = [{'key': self.text, 'value': self.text}]
        for part in item.parts:
            part.name = part.volume_name = self.text

    @property
    def item_id(self) -> str:
        return self.run.items[0].id

    @property
    def shows(self) -> list[list[str]]:
        return [
            ['vbs', 'backup', 'show', self.backup.id],
            ['vbs', 'share', 'show', self.share.id],
            ['csbs', 'backup', 'show', self.item_id],
            ['csbs', 'checkpoint', 'show', self.run.id],
            ['vbs', 'job', 'show', self.job.id],
        ]

    @property
    def creations(self) -> list[list[str]]:
        """Of all of it, by id and by a name that several have."""
        project = f'--target-project={"a" * 32}'
        vbs, csbs = ([s, 'backup', 'restore'] for s in ('vbs', 'csbs'))
        return [
            ['vbs', 'backup', 'create', self.volume.id, '--', self.text],
            ['csbs', 'backup', 'create', self.server.id, '--', self.text],
            ['vbs', 'share', 'create', project, self.plain.id, self.backup.id],
            [*vbs, '--yes', self.backup.id, self.volume.id],
            [*csbs, '--yes', self.item_id],
        ]

    @property
    def plans(self) -> list[list[str]]:
        """Deletions of all of it, by id and by a name that several have."""
        backups = self.backup.id, self.stuck.id
        return [
            ['vbs', 'backup', 'delete', *backups, '--', self.text],
            ['vbs', 'share', 'delete', self.share.id],
            ['csbs', 'backup', 'delete', self.item_id, '--', self.text],
            ['csbs', 'checkpoint', 'delete', self.run.id],
        ]


@pytest.fixture(params=TEXTS.values(), ids=TEXTS)
def world(request: pytest.FixtureRequest, cloud: CloudFactory) -> World:
    return World(cloud(catalog='vbs+volumev3'), request.param)


def is_harmless(result: Result, *, codes: Sequence[int] = (0,)) -> None:
    assert result.code in codes, result.stderr[:2000]
    for said in (result.stdout, result.stderr):
        assert 'Traceback' not in said
        assert UNSAFE.search(said) is None
    assert len(result.stderr) < 10_000


def test_tables_show_it_harmlessly(world: World, openstack: Openstack) -> None:
    for command in LISTS:
        is_harmless(openstack.run(*command.split(), '--long'))
    for show in world.shows:
        is_harmless(openstack.run(*show))
    for plan in (*world.plans, *world.creations):
        is_harmless(openstack.run(*_with(plan, '--dry-run')), codes=(0, 1))
    for creation in world.creations:
        is_harmless(openstack.run(*creation), codes=(0, 1))
    waits = ('vbs', 'job', 'show', '--wait', world.job.id)
    is_harmless(openstack.run(*waits), codes=(1,))


def _with(command: list[str], *options: str) -> list[str]:
    return [*command[:3], *options, *command[3:]]


def test_json_and_yaml_have_it_exactly(
    world: World, openstack: Openstack
) -> None:
    listed = openstack('vbs', 'backup', 'list', '--long', '-f', 'json').json()
    mine = {row['ID']: row for row in listed}[world.backup.id]
    assert (mine['Name'], mine['Description']) == (world.text, world.text)
    plan = _with(world.plans[0], '--dry-run', '-f', 'json')
    assert openstack.run(*plan).json()[0]['Name'] == world.text
    backup, share, item, *_ = world.shows
    for show, field in (
        (backup, 'description'),
        (share, 'backup_name'),
        (item, 'server_name'),
    ):
        assert openstack(*show, '-f', 'json').json()[field] == world.text
    shown = openstack(*backup, '-f', 'yaml').stdout
    assert yaml.safe_load(shown)['name'] == world.text


def test_csv_and_value_lose_no_row_to_it(
    world: World, openstack: Openstack
) -> None:
    text = world.text.encode('utf-8', 'backslashreplace').decode()
    for command in LISTS:
        for form in ('csv', 'value'):
            listed = openstack.run(
                *command.split(), '--long', '-f', form, '--max-items=9'
            )
            assert listed.code == 0, listed.stderr
            assert world.share.id in listed.stdout or 'share' not in command
            if form == 'value':
                assert text in listed.stdout
    for show in world.shows:
        for form in ('value', 'shell'):
            assert openstack.run(*show, '-f', form).code == 0
    plan = openstack.run(*_with(world.plans[0], '--dry-run', '-f', 'csv'))
    # The reader of Python 3.10 takes no NUL.
    text = plan.stdout.replace('\0', '')
    rows = list(csv.DictReader(io.StringIO(text, newline='')))
    assert rows[0]['ID'] == world.backup.id
    assert len(rows) == 3


def test_what_a_deletion_says_of_it_is_harmless(
    world: World, openstack: Openstack, cloud: CloudFactory
) -> None:
    backups, *others = world.plans
    journal = openstack.home / 'journal'
    result = openstack.run(
        *_with(backups, '--cancel-shares', '--report', f'--journal={journal}')
    )
    is_harmless(result, codes=(0, 1))
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    assert world.text in {line['name'] for line in lines}
    for plan in others:
        yes = ['--yes'] if 'checkpoint' in plan else []
        is_harmless(openstack.run(*_with(plan, *yes)), codes=(0, 1))


def test_the_question_shows_it_harmlessly_with_the_ids(
    world: World, openstack: Openstack
) -> None:
    for stdin in ('', Terminal('n\n')):
        result = openstack.run(*world.plans[3], stdin=stdin)
        is_harmless(result, codes=(1,))
        assert result.stderr.count('  ') == 2
        for item in world.run.items:
            assert item.id in result.stderr


@pytest.mark.parametrize('key', ['controls', 'formats'])
def test_candidates_of_a_name_are_shown_with_their_ids(
    cloud: CloudFactory, openstack: Openstack, key: str
) -> None:
    c = cloud()
    text = TEXTS[key]
    ids = {
        'vbs': [c.state.add_backup(text, status=text).id for _ in range(8)],
        'csbs': [
            item.id
            for _ in range(4)
            for item in c.state.add_checkpoint(2, text).items
        ],
    }
    for item in c.state.items.values():
        item.resource_name = item.created_at = text
        for part in item.parts:
            c.state.backups[part.backup_id].name = 'other'
    for noun, candidates in ids.items():
        result = openstack.run(noun, 'backup', 'delete', '--', text)
        is_harmless(result, codes=(1,))
        for id in candidates:
            assert id in result.stderr


NATIVE = '{"itemNotFound": {"code": 404, "message": %s}}'


@pytest.mark.parametrize(
    ('key', 'body'),
    [
        ('controls', NATIVE),
        ('controls', '{"error": {"code": %s, "message": %s}}'),
        ('controls', '{"error_code": %s, "error_msg": %s}'),
        ('controls', '%s'),
        ('halves', NATIVE),
        ('long', NATIVE),
    ],
    ids=['native', 'vendor', 'csbs', 'no object', 'halves', 'long'],
)
def test_errors_of_the_service_are_shown_harmlessly(
    cloud: CloudFactory, openstack: Openstack, key: str, body: str
) -> None:
    c = cloud(catalog='vbs+volumev3')
    world = World(c, 'name')
    body = body.replace('%s', json.dumps(TEXTS[key]))
    for method in ('DELETE', 'GET', 'POST'):
        c.knobs.faults[:] = [
            Fault(
                'status',
                method,
                '/(vbs|csbs)/',
                status=409,
                body=body,
                times=None,
            )
        ]
        for plan in world.creations if method == 'POST' else world.plans:
            options = ['--yes', '--report'] if 'checkpoint' in plan else []
            result = openstack.run(*_with(plan, *options))
            is_harmless(result, codes=(1,))
        is_harmless(openstack.run('vbs', 'backup', 'list'), codes=(0, 1))


@pytest.mark.parametrize('text', TEXTS.values(), ids=TEXTS)
def test_what_v_tells_of_a_wait_is_harmless(
    cloud: CloudFactory, openstack: Openstack, text: str
) -> None:
    c = cloud(deletion_time=0.05)
    backups = [c.state.add_backup(text) for _ in range(5)]
    error = json.dumps({'fault': {'code': 500, 'message': text}})
    c.knobs.faults += [
        Fault('status', 'GET', 'os-vendor', status=403, body=error, times=2),
        Fault('status', 'GET', 'backups/detail', skip=1, body=error),
    ]
    result = openstack.run(
        '-v', 'vbs', 'backup', 'delete', '--wait', *(b.id for b in backups)
    )
    is_harmless(result)
    assert 'Polling failed once' in result.stderr
    assert 'Whether backups are shared was not checked' in result.stderr


@pytest.mark.parametrize('key', ['controls', 'halves', 'long'])
def test_a_deletion_that_fails_later_says_why_harmlessly(
    cloud: CloudFactory, openstack: Openstack, key: str
) -> None:
    text = TEXTS[key]
    c = cloud(deletion_time=0.02)
    run = c.state.add_checkpoint(1, text)
    run.items[0].deletion_fails = True
    backup = c.state.add_backup(text, deletion_fails=True)
    body = {
        'id': backup.id,
        'name': text,
        'status': 'error_' + text,
        'fail_reason': text,
        'updated_at': 'later',
    }
    c.knobs.faults.append(
        Fault(
            'body',
            'GET',
            f'backups/{backup.id}',
            skip=2,
            body=json.dumps({'backup': body}),
            times=None,
        )
    )
    for command in (
        ['vbs', 'backup', 'delete', '--timeout=1', backup.id],
        ['csbs', 'checkpoint', 'delete', '--yes', run.id],
    ):
        is_harmless(
            openstack.run(*_with(command, '--wait', '--report')),
            codes=(1, 3),
        )
