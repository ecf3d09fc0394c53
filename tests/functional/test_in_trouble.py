# SPDX-License-Identifier: Apache-2.0
"""Many targets on a bad day: none is lost, whatever becomes of it."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import tenacity

from tests.functional.conftest import CloudFactory
from tests.functional.fault_matrix import AT_ONCE, CREATES, DELETES
from tests.functional.shell import Openstack
from tests.functional.targets import (
    REPORT,
    ROOMY,
    add_targets,
    arrived,
    changed,
    results,
    things,
    words,
)
from tests.functional.wire import deletes
from tests.sandbox.faults import failures
from vbsclient.api import http


@pytest.fixture(autouse=True)
def _in_a_hurry(real_pauses: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        http, '_exponential', tenacity.wait_random_exponential(0.01, max=0.1)
    )


@pytest.mark.parametrize(
    ('command', 'number'),
    [(DELETES[0], 500), *((command, 100) for command in DELETES[1:])],
)
def test_many_are_deleted_although_many_requests_fail(
    cloud: CloudFactory,
    openstack: Openstack,
    tmp_path: Path,
    command: str,
    number: int,
) -> None:
    c = cloud(
        latency=0.001,
        deletion_time=3600,
        deletion_slots=number,
        max_concurrent=2,
        faults=failures(0.05),
    )
    named = add_targets(c.state, command, number)
    before = things(c.state)
    path = tmp_path / 'journal'
    result = openstack.run(
        *words(command), *named.arguments, *REPORT, '--journal', str(path)
    )
    rows = result.json()
    assert [row['ID'] for row in rows] == named.ids
    assert {row['Result'] for row in rows} <= {'accepted', 'deleted'}, result
    assert (result.code, result.stderr) == (0, '')
    assert changed(before, c.state) == set[str]().union(*named.whole)
    # The trouble was real, and the journal knows of each target.
    assert sum(fault.hits for fault in c.knobs.faults) >= number / 50
    assert any(request.status == 429 for request in c.requests)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    told = Counter((line['event'], line['id']) for line in lines)
    assert told == {
        (event, id): 1 for event in ('request', 'answer') for id in named.ids
    }
    assert all(arrived(c, id) for id in named.ids)
    assert len(deletes(c)) > number


@pytest.mark.parametrize('command', CREATES)
def test_many_are_created_once_although_many_requests_fail(
    cloud: CloudFactory, openstack: Openstack, tmp_path: Path, command: str
) -> None:
    c = cloud(
        latency=0.001,
        creation_time=3600,
        max_concurrent=2,
        faults=failures(0.1),
        **ROOMY,
    )
    named = add_targets(c.state, command, 100)
    before = things(c.state, command)
    path = tmp_path / 'journal'
    result = openstack.run(
        *words(command), *named.arguments, *REPORT, '--journal', str(path)
    )
    told = dict(zip(named.ids, results(result), strict=True))
    done = AT_ONCE.get(command, 'accepted')
    # It stops if three answers in a row are lost alike.
    assert {done, 'unknown'} <= set(told.values()), result
    assert set(told.values()) <= {done, 'unknown', 'not sent'}
    assert result.code == 1
    # What was not answered, and not done, is all that is in doubt.
    assert changed(before, c.state, command) == {
        id for id, word in told.items() if word == done
    }
    assert any(request.status == 429 for request in c.requests)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    noted = Counter(
        (line['event'], line['id'])
        for line in lines
        # What was found by reading.
        if line['event'] != 'settled'
    )
    sent = [id for id, word in told.items() if word != 'not sent']
    assert noted == {
        (event, id): 1 for event in ('request', 'answer') for id in sent
    }
    for id, word in told.items():
        assert bool(arrived(c, id)) == (word != 'not sent')
        assert (id in result.stderr) == (word == 'unknown')


def message_on(id: str, stderr: str) -> str:
    """The message that tells of a target; '' if none does."""
    message = ''
    for line in stderr.splitlines():
        message = message if line.startswith('  ') else line
        if f'({id})' in line:
            return message
    return ''


def test_what_fails_for_good_among_many_is_reported_for_each(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    """Nine of ten DELETEs fail: not all can be done, and none is lost."""
    c = cloud(deletion_time=3600)
    named = add_targets(c.state, DELETES[0], 100)
    before = things(c.state)
    c.knobs.faults += [replace(f, method='DELETE') for f in failures(0.9)]
    result = openstack.run(*words(DELETES[0]), *named.arguments, *REPORT)
    told = {row['ID']: row['Result'] for row in result.json()}
    assert list(told) == named.ids
    assert result.code == 1
    gone = changed(before, c.state)
    for id, word in told.items():
        message = message_on(id, result.stderr)
        if word == 'unknown':
            assert message.startswith('Whether ')
            assert ' deleted is unknown: ' in message
            continue
        assert (word == 'accepted') == (id in gone), (id, word)
        assert (word == 'failed') == message.startswith('Failed to delete ')
        assert (word == 'not sent') == (arrived(c, id) == 0), (id, word)
    assert {'accepted'} < set(told.values())
