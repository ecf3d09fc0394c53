# SPDX-License-Identifier: Apache-2.0
"""What an output cannot encode is escaped; it never ends a report."""

import csv
import json
import re

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import UNKNOWN, deletes
from tests.sandbox import Fault, Sandbox

NAME = 'nächtlich 日本'
ESCAPED = {
    'cp1252': 'nächtlich \\u65e5\\u672c',
    'ascii': 'n\\xe4chtlich \\u65e5\\u672c',
    'utf-8': NAME,
}
EACH = pytest.mark.parametrize('encoding', list(ESCAPED))
FORMATS = pytest.mark.parametrize(
    'form', ['table', 'value', 'csv', 'json', 'yaml']
)


def world(cloud: CloudFactory) -> Sandbox:
    c = cloud(catalog='vbs+volumev3')
    c.state.add_server(NAME)
    c.state.add_volume(NAME)
    for _ in range(2):
        c.state.add_backup(NAME, next(iter(c.state.volumes.values())))
    return c


@EACH
def test_failures_and_rows_are_printed_whatever_the_names(
    cloud: CloudFactory, openstack: Openstack, encoding: str
) -> None:
    c = cloud()
    names = ('one', NAME, 'three', 'four', 'five')
    ids = [c.state.add_backup(name).id for name in names]
    c.knobs.faults.append(
        Fault('status', 'DELETE', f'{ids[1]}|{ids[3]}', 403, times=None)
    )
    result = openstack.run(
        *('vbs', 'backup', 'delete', '--report', '-f', 'csv', *ids, UNKNOWN),
        encoding=encoding,
    )
    assert result.code == 1
    rows = list(csv.DictReader(result.stdout.splitlines()))
    assert [row['Result'] for row in rows] == [
        *('accepted', 'failed', 'accepted', 'failed', 'accepted', 'failed')
    ]
    assert rows[1]['Name'] == ESCAPED[encoding]
    for said in (ids[1], ids[3], UNKNOWN, ESCAPED[encoding]):
        assert said in result.stderr
    assert result.stderr.endswith('3 of 6 backups failed to delete.\n')
    assert len(deletes(c)) == 5


@FORMATS
@pytest.mark.parametrize(
    'command',
    [
        ('vbs', 'backup', 'list', '-c', 'Name'),
        ('vbs', 'backup', 'delete', '--dry-run', '-c', 'Name', '{id}'),
        (
            *('vbs', 'backup', 'prune', '--all-volumes', '--keep-last', '1'),
            *('--dry-run', '-c', 'Name', '--timezone', 'UTC'),
        ),
        (
            *('csbs', 'backup', 'create', '--dry-run', '-c', 'Server Name'),
            '{server}',
        ),
        (
            *('vbs', 'backup', 'restore', '--dry-run', '-c', 'Target Name'),
            *('--force', '{id}', '{volume}'),
        ),
    ],
    ids=['list', 'delete', 'prune', 'create', 'restore'],
)
def test_each_format_can_say_each_name(
    cloud: CloudFactory,
    openstack: Openstack,
    form: str,
    command: tuple[str, ...],
) -> None:
    c = world(cloud)
    [id, _], [server] = c.state.backups, c.state.servers
    *_, volume = c.state.volumes
    named = {'id': id, 'server': server, 'volume': volume}
    result = openstack.run(
        *(word.format(**named) for word in command),
        *('-f', form),
        encoding='cp1252',
    )
    assert result.code == 0, result.stderr
    expected = {
        # These are ASCII whatever the output is.
        'json': json.dumps(NAME),
        'yaml': '"n\\xE4chtlich \\u65E5\\u672C"',
    }
    assert expected.get(form, ESCAPED['cp1252']) in result.stdout


@EACH
def test_a_plan_and_its_sum_are_shown(
    cloud: CloudFactory, openstack: Openstack, encoding: str
) -> None:
    c = world(cloud)
    result = openstack.run(
        *('vbs', 'backup', 'prune', '--name', NAME, '--keep-last', '1'),
        *('--timezone', 'UTC', '--yes', '-v'),
        encoding=encoding,
    )
    assert result.code == 0, result.stderr
    assert ESCAPED[encoding] in result.stdout
    assert 'Deleted: 0, in progress: 1, kept: 1' in result.stdout
    assert len(deletes(c)) == 1


@EACH
def test_a_show_and_a_refusal(
    cloud: CloudFactory, openstack: Openstack, encoding: str
) -> None:
    c = world(cloud)
    one, _ = c.state.backups.values()
    shown = openstack.run('vbs', 'backup', 'show', one.id, encoding=encoding)
    assert ESCAPED[encoding] in shown.stdout
    refused = openstack.run('vbs', 'backup', 'show', NAME, encoding=encoding)
    assert refused.code == 1
    assert f"exists with the name '{ESCAPED[encoding]}'" in refused.stderr


def test_in_a_process_of_its_own(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    """Python chooses the encoding, and errors go their own way."""
    c = cloud()
    backup = c.state.add_backup(NAME)
    result = openstack.process(
        *('vbs', 'backup', 'delete', '--report', '-f', 'value'),
        *('-c', 'Name', '-c', 'Result', UNKNOWN, backup.id),
        env={
            'LC_ALL': 'C',
            'PYTHONUTF8': '0',
            'PYTHONCOERCECLOCALE': '0',
        },
        complains=[f"No backup found for '{UNKNOWN}'", '1 of 2 backups'],
    )
    # An older cliff chooses UTF-8 for such a locale.
    assert re.search(
        f'({re.escape(ESCAPED["ascii"])}|{NAME}) acc', result.stdout
    )


@pytest.mark.parametrize(
    'command',
    [
        ('vbs', 'backup', 'delete', '--report'),
        ('vbs', 'backup', 'delete', '--dry-run'),
        ('vbs', 'backup', 'delete'),
    ],
)
def test_a_column_that_there_is_not_is_said_before(
    cloud: CloudFactory, openstack: Openstack, command: tuple[str, ...]
) -> None:
    c = cloud()
    backup = c.state.add_backup('x')
    openstack(
        *command,
        *('-c', 'Nonsense', backup.id),
        complains=["No recognized column names in ['Nonsense']"],
    )
    assert c.service_requests() == []
