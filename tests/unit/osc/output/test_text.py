# SPDX-License-Identifier: Apache-2.0
"""Sentences for people, out of data that may be hostile."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vbsclient.api import errors
from vbsclient.osc.output.text import (
    Text,
    capital,
    sentence,
    shortened,
    visible,
)


class TestVisible:
    @pytest.mark.parametrize(
        ('text', 'shown'),
        [
            ('plain', 'plain'),
            ('größe 日本 🙂', 'größe 日本 🙂'),
            ('\x1b[31mred', '\\x1b[31mred'),
            ('a\nb\tc\r', 'a\\nb\\tc\\r'),
            ('\x00\x7f\x9b', '\\x00\\x7f\\x9b'),
            ('\u202etxt', '\\u202etxt'),
            ('zero\u200bwidth', 'zero\\u200bwidth'),
            ('\u2028line', '\\u2028line'),
            ('\ud800', '\\ud800'),
            ('\U000e0001', '\\U000e0001'),
        ],
    )
    def test_what_a_terminal_would_obey_is_written_out(
        self, text: str, shown: str
    ) -> None:
        assert visible(text) == shown

    @given(st.text(st.characters(codec=None)))
    def test_nothing_gets_through(self, text: str) -> None:
        shown = visible(text)
        shown.encode()
        categories = {unicodedata.category(c) for c in shown}
        assert not categories & {'Cc', 'Cf', 'Cs', 'Co', 'Cn', 'Zl', 'Zp'}

    @given(st.text())
    def test_it_changes_nothing_twice(self, text: str) -> None:
        assert visible(visible(text)) == visible(text)

    @given(st.text(st.characters(categories=['L', 'N', 'P', 'S', 'Zs'])))
    def test_harmless_text_stays_as_it_is(self, text: str) -> None:
        assert visible(text) == text

    def test_long_texts_are_cut(self) -> None:
        assert shortened('x' * 600) == 'x' * 500 + '...'
        assert shortened('x' * 500) == 'x' * 500


class TestSentence:
    @pytest.mark.parametrize(
        ('error', 'said'),
        [
            (errors.ClientError('it is so'), 'it is so.'),
            (
                errors.ClientError('it is so.', 'Do that.'),
                'it is so. Do that.',
            ),
            (errors.NotFound('no', status=404), 'no (HTTP 404).'),
            (
                errors.LoginRefused('keystone answered 404', 'Do that.'),
                'keystone answered 404. Do that.',
            ),
            (
                errors.BadRequest(
                    'image',
                    status=400,
                    code='VolumeBackup.0113',
                    request_id='req-1',
                    hint='Delete it.',
                ),
                'image (HTTP 400, code VolumeBackup.0113, request req-1). '
                'Delete it.',
            ),
            (
                errors.RepeatedDelete(errors.NotFound('no', status=404), 2),
                'no (HTTP 404).',
            ),
            (
                errors.ClientError('evil \x1b[2J', 'worse \x07'),
                'evil \\x1b[2J. worse \\x07',
            ),
            (ValueError('bad\n'), 'ValueError: bad\\n.'),
        ],
    )
    def test_reason_facts_and_advice(
        self, error: BaseException, said: str
    ) -> None:
        assert sentence(error) == said

    @given(st.text(), st.text(), st.text())
    def test_no_service_reaches_the_terminal(
        self, message: str, code: str, request_id: str
    ) -> None:
        said = sentence(
            errors.ServiceError(
                message, status=500, code=code, request_id=request_id
            )
        )
        assert visible(said) == said
        assert len(said) < 10_000


class TestColumn:
    def test_people_see_and_machines_get_it_exactly(self) -> None:
        text = Text('a\x1b')
        assert text.human_readable() == 'a\\x1b'
        assert text.machine_readable() == 'a\x1b'

    def test_nothing_is_empty_or_null(self) -> None:
        assert Text(None).human_readable() == ''
        assert Text(None).machine_readable() is None


@pytest.mark.parametrize(
    ('text', 'shown'),
    [
        ('it is so', 'It is so'),
        ('no: it is not', 'No: it is not'),
        ('vbsclient_csbs in clouds.yaml is 1', None),
        ('clouds.yaml says so', None),
        ('keystone.example.com answered 404', None),
        ("'x' is none", None),
        ('', None),
    ],
)
def test_a_sentence_begins_with_a_capital_and_a_name_as_it_is(
    text: str, shown: str | None
) -> None:
    assert capital(text) == (text if shown is None else shown)
