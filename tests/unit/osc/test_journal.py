# SPDX-License-Identifier: Apache-2.0
"""The record of every DELETE."""

import json
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.http import Receipt
from vbsclient.deletion.targets import Target
from vbsclient.osc.journal import Journal, NoJournal

CONTEXT = {'cloud': 'otc', 'project': 'demo', 'command': 'vbs backup delete'}
RECEIPT = Receipt(202, 'req-1', 1)


def target(name: str = 'nightly') -> Target[Any]:
    return Target('nightly', 'backup', 'VBS', id='0b9d', name=name)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def fail(error: BaseException) -> Callable[[], Receipt]:
    def send() -> Receipt:
        raise error

    return send


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / 'journal'


@pytest.fixture
def journal(path: Path) -> Journal:
    return Journal(str(path), CONTEXT)


class TestLines:
    def test_one_before_and_one_after(
        self, journal: Journal, path: Path
    ) -> None:
        seen: list[int] = []

        def send() -> Receipt:
            seen.append(len(lines(path)))
            return RECEIPT

        assert journal.delete(target(), 'delete', send) is RECEIPT
        assert seen == [1]
        before, after = lines(path)
        assert (before['event'], after['event']) == ('request', 'answer')
        for line in (before, after):
            assert line.items() >= CONTEXT.items()
            assert line['id'] == '0b9d'
            assert line['name'] == 'nightly'
            assert line['action'] == 'delete'
            assert line['at'].endswith('+00:00')
        assert (after['result'], after['status']) == ('accepted', 202)
        assert (after['request_id'], after['attempts']) == ('req-1', 1)

    @pytest.mark.parametrize(
        ('error', 'facts'),
        [
            (
                errors.BadRequest('no', status=400, code='C', request_id='r'),
                {
                    'result': 'refused',
                    'status': 400,
                    'code': 'C',
                    'message': 'no',
                    'request_id': 'r',
                },
            ),
            (
                errors.RepeatedDelete(errors.NotFound('no', status=404), 3),
                {'result': 'refused', 'status': 404, 'attempts': 3},
            ),
            (errors.Cancelled('not sent'), {'result': 'not sent'}),
            (
                errors.ConnectionFailed('lost'),
                {'result': 'unknown', 'message': 'lost'},
            ),
            (
                errors.ConnectionFailed('lost', sent=False),
                {'result': 'not sent'},
            ),
            (KeyboardInterrupt(), {'result': 'unknown'}),
        ],
    )
    def test_what_came_of_it(
        self,
        journal: Journal,
        path: Path,
        error: BaseException,
        facts: dict[str, Any],
    ) -> None:
        with pytest.raises(type(error)):
            journal.delete(target(), 'delete', fail(error))
        assert lines(path)[1].items() >= facts.items()

    @pytest.mark.parametrize('name', ['a\nb', '\x1b', 'ü', '\ud800', '"'])
    def test_a_name_stays_within_its_line(
        self, journal: Journal, path: Path, name: str
    ) -> None:
        journal.delete(target(name), 'delete', lambda: RECEIPT)
        assert [line['name'] for line in lines(path)] == [name, name]

    def test_lines_of_many_threads_stay_whole(
        self, journal: Journal, path: Path
    ) -> None:
        threads = [
            threading.Thread(
                target=journal.delete,
                args=(target('x' * 3000), 'delete', lambda: RECEIPT),
            )
            for _ in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(lines(path)) == 40


class TestFile:
    def test_nobody_else_reads_it(self, journal: Journal, path: Path) -> None:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600

    def test_it_is_appended(self, path: Path) -> None:
        path.write_text('{"old": true}\n')
        journal = Journal(str(path), CONTEXT)
        journal.delete(target(), 'delete', lambda: RECEIPT)
        journal.close()
        assert lines(path)[0] == {'old': True}
        assert len(lines(path)) == 3

    @pytest.mark.parametrize('name', ['', '.', 'missing/journal', 'a\0b'])
    def test_one_that_cannot_be_opened_refuses(
        self, tmp_path: Path, name: str
    ) -> None:
        text = f'{tmp_path}/{name}' if name else ''
        with pytest.raises(exceptions.CommandError, match='nothing was sent'):
            Journal(text, CONTEXT)

    def test_one_that_cannot_be_written_sends_nothing(
        self, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[int] = []

        def send() -> Receipt:
            sent.append(1)
            return RECEIPT

        monkeypatch.setattr(os, 'write', _full)
        with pytest.raises(errors.ClientError, match='was not sent'):
            journal.delete(target(), 'delete', send)
        assert sent == []

    def test_half_a_line_is_none(
        self, journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = os.write

        def half(file: int, data: bytes) -> int:
            return write(file, data[: len(data) // 2])

        monkeypatch.setattr(os, 'write', half)
        with pytest.raises(errors.ClientError, match='was not sent'):
            journal.delete(target(), 'delete', fail(AssertionError()))
        monkeypatch.undo()
        # There is room again, for this run and for the next one.
        journal.delete(target(), 'delete', lambda: RECEIPT)
        assert len(path.read_text().splitlines()) == 3
        path.write_text(path.read_text() + '{"at"')
        Journal(str(path), CONTEXT).delete(target(), 'x', lambda: RECEIPT)
        torn, *_, fourth, before, after = path.read_text().splitlines()
        assert json.loads(before)['event'] == 'request'
        assert json.loads(after)['event'] == 'answer'
        assert fourth == '{"at"'
        assert torn

    def test_a_missing_answer_is_said_at_the_end(
        self,
        journal: Journal,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def send() -> Receipt:
            monkeypatch.setattr(os, 'write', _full)
            return RECEIPT

        assert journal.delete(target(), 'delete', send) is RECEIPT
        monkeypatch.undo()
        journal.close()
        assert 'not complete' in caplog.text


def test_without_a_journal_it_is_only_sent() -> None:
    recorder = NoJournal()
    assert recorder.delete(target(), 'delete', lambda: RECEIPT) is RECEIPT
    recorder.close()


def _full(file: int, data: bytes) -> int:
    raise OSError(28, 'No space left on device')
