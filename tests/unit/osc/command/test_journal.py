# SPDX-License-Identifier: Apache-2.0
"""The record of every DELETE."""

import json
import os
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.http import Receipt
from vbsclient.change.targets import Recorder, Target
from vbsclient.osc.command.journal import Journal

CONTEXT = {'cloud': 'otc', 'project': 'demo', 'command': 'vbs backup delete'}
RECEIPT = Receipt(202, 'req-1', 1)


def target(name: str = 'nightly') -> Target:
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

        assert journal.record(target(), 'delete', send) is RECEIPT
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

    def test_what_is_replaced_is_in_the_line_of_the_request(
        self, journal: Journal, path: Path
    ) -> None:
        old = {'name': 'nightly', 'x': [{'y': '\u20ac\n'}, None, 1.5]}
        seen: list[Any] = []

        def send() -> Receipt:
            seen.extend(lines(path))
            return RECEIPT

        journal.record(target(), 'set', send, before=old)
        [request] = seen
        assert request['before'] == old
        assert 'before' not in lines(path)[1]

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
            journal.record(target(), 'delete', fail(error))
        assert lines(path)[1].items() >= facts.items()

    @pytest.mark.parametrize('answered', [True, False])
    @pytest.mark.parametrize(
        'error',
        [errors.LoginRefused('ended'), errors.LoginUnanswered('hangs')],
        ids=['refused', 'unanswered'],
    )
    def test_a_login_that_ends_tells_whether_the_request_left(
        self,
        journal: Journal,
        path: Path,
        error: errors.LoginRefused | errors.LoginUnanswered,
        answered: bool,
    ) -> None:
        error.answered = answered
        with pytest.raises(errors.ClientError):
            journal.record(target(), 'delete', fail(error))
        line = lines(path)[1]
        assert line['result'] == ('refused' if answered else 'not sent')
        assert line.get('status') == (401 if answered else None)

    @pytest.mark.parametrize('name', ['a\nb', '\x1b', 'ü', '\ud800', '"'])
    def test_a_name_stays_within_its_line(
        self, journal: Journal, path: Path, name: str
    ) -> None:
        journal.record(target(name), 'delete', lambda: RECEIPT)
        assert [line['name'] for line in lines(path)] == [name, name]

    def test_lines_of_many_threads_stay_whole(
        self, journal: Journal, path: Path
    ) -> None:
        threads = [
            threading.Thread(
                target=journal.record,
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
        journal.record(target(), 'delete', lambda: RECEIPT)
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
            journal.record(target(), 'delete', send)
        assert sent == []

    def test_half_a_line_is_none(
        self, journal: Journal, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        write = os.write

        def half(file: int, data: bytes) -> int:
            return write(file, data[: len(data) // 2])

        monkeypatch.setattr(os, 'write', half)
        with pytest.raises(errors.ClientError, match='was not sent'):
            journal.record(target(), 'delete', fail(AssertionError()))
        monkeypatch.undo()
        # There is room again, for this run and for the next one.
        journal.record(target(), 'delete', lambda: RECEIPT)
        assert len(path.read_text().splitlines()) == 3
        path.write_text(path.read_text() + '{"at"')
        Journal(str(path), CONTEXT).record(target(), 'x', lambda: RECEIPT)
        torn, *_, fourth, before, after = path.read_text().splitlines()
        assert json.loads(before)['event'] == 'request'
        assert json.loads(after)['event'] == 'answer'
        assert fourth == '{"at"'
        assert torn

    def test_two_writers_end_a_torn_line_once(self, path: Path) -> None:
        path.write_text('{"at"')
        first, second = (Journal(str(path), CONTEXT) for _ in range(2))
        for journal in (first, second, first):
            journal.record(target(), 'delete', lambda: RECEIPT)
        torn, *whole = path.read_text().splitlines()
        assert torn == '{"at"'
        assert len([json.loads(line) for line in whole]) == 6

    def test_what_another_writer_tears_is_ended(
        self, journal: Journal, path: Path
    ) -> None:
        journal.record(target(), 'delete', lambda: RECEIPT)
        with path.open('a') as other:
            other.write('{"at"')
        journal.record(target(), 'delete', lambda: RECEIPT)
        texts = path.read_text().splitlines()
        assert texts.pop(2) == '{"at"'
        assert [json.loads(text)['event'] for text in texts] == [
            'request',
            'answer',
        ] * 2

    def test_writers_in_several_processes_leave_whole_lines(
        self, path: Path
    ) -> None:
        path.write_text('{"at"')
        script = (
            'import sys\n'
            'from tests.unit.osc.command.test_journal import *\n'
            'journal = Journal(sys.argv[1], CONTEXT)\n'
            'for _ in range(20):\n'
            "    journal.record(target('x' * 3000), 'd', lambda: RECEIPT)\n"
        )
        writers = [
            subprocess.Popen([sys.executable, '-c', script, str(path)])
            for _ in range(2)
        ]
        assert [writer.wait(60) for writer in writers] == [0, 0]
        torn, *whole = path.read_text().split('\n')
        assert torn == '{"at"'
        assert whole.pop() == ''
        assert len([json.loads(line) for line in whole]) == 80

    @pytest.mark.parametrize('reader', [False, True])
    def test_a_pipe_is_no_file(self, tmp_path: Path, reader: bool) -> None:
        pipe = tmp_path / 'pipe'
        os.mkfifo(pipe)
        end = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK) if reader else None
        with pytest.raises(exceptions.CommandError, match='not a file'):
            Journal(str(pipe), CONTEXT)
        if end is not None:
            os.close(end)

    def test_neither_is_a_terminal_nor_a_socket(self, tmp_path: Path) -> None:
        ours, theirs = os.openpty()
        with pytest.raises(exceptions.CommandError, match='not a file'):
            Journal(os.ttyname(theirs), CONTEXT)
        os.close(ours)
        os.close(theirs)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / 's'))
            with pytest.raises(exceptions.CommandError, match='cannot be op'):
                Journal(str(tmp_path / 's'), CONTEXT)

    def test_one_that_may_not_be_read_is_written(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = os.open

        def write_only(name: str, flags: int, mode: int) -> int:
            if flags & os.O_RDWR:
                raise PermissionError(13, 'Permission denied')
            return real(name, flags, mode)

        monkeypatch.setattr(os, 'open', write_only)
        journal = Journal(str(path), CONTEXT)
        monkeypatch.undo()
        journal.record(target(), 'delete', lambda: RECEIPT)
        assert len(lines(path)) == 2

    def test_a_missing_answer_is_said_at_the_end(
        self,
        journal: Journal,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        def send() -> Receipt:
            monkeypatch.setattr(os, 'write', _full)
            return RECEIPT

        assert journal.record(target(), 'delete', send) is RECEIPT
        monkeypatch.undo()
        journal.close()
        assert 'not complete' in caplog.text


def test_without_a_journal_it_is_only_sent() -> None:
    recorder = Recorder()
    assert recorder.record(target(), 'delete', lambda: RECEIPT) is RECEIPT
    recorder.close()


def _full(file: int, data: bytes) -> int:
    raise OSError(28, 'No space left on device')
