# SPDX-License-Identifier: Apache-2.0
"""The recording of the demo."""

import re
from xml.etree import ElementTree

import pytest

from doc.pictures.recording import (
    FILE,
    LONGEST_PAUSE,
    ROWS,
    Recording,
    Roll,
    svg,
)


@pytest.mark.parametrize(
    ('pieces', 'lines'),
    [
        (['one\r\ntwo\r\n'], ['one', 'two', '']),
        (['0 of 2\r\x1b[2K1 of 2'], ['1 of 2']),
        (['0 of 2\r\n\x1b[1A\x1b[2Kdone\r\n'], ['done', '']),
        (['\x1b[?25l\x1b', '[1mbold\x1b[', '0m'], ['bold']),
        (['12345678'], ['12345', '678']),
        (['12345\r\nnext'], ['12345', 'next']),
    ],
)
def test_a_roll_is_what_a_terminal_shows(
    pieces: list[str], lines: list[str]
) -> None:
    roll = Roll(columns=5 if '12345' in pieces[0] else 80)
    for piece in pieces:
        roll.feed(piece)
    assert roll.lines == lines


def test_a_recording_shortens_pauses_and_ends_with_the_last_line() -> None:
    roll, recording = Roll(), Recording()
    for text in ('$ wait\r\n0 of 1', '\r\x1b[2K1 of 1 & <done>\r\n'):
        roll.feed(text)
        recording.note(roll, 3600.0)
    assert recording.end == LONGEST_PAUSE
    picture = svg(recording)
    ElementTree.fromstring(picture)
    assert '.v1-0{opacity:0;' in picture
    assert '.v1-1{opacity:1;' in picture
    assert '1 of 1 &amp; &lt;done&gt;' in picture


def test_a_recording_begins_with_words_and_ends_with_them_as_a_still() -> None:
    roll, recording = Roll(), Recording()
    for line in range(ROWS + 2):
        roll.feed(f'{line}\r\n')
        recording.note(roll, 1.0)
    picture = svg(recording)
    assert '{0.00%{transform:translateY(0px)}' in picture
    assert 'class="ink ">0<' in picture
    assert 'class="ink v1-0">1<' in picture
    assert '.v1-0{opacity:1;' in picture
    assert '@keyframes v1-0{0%{opacity:0}' in picture
    assert f'class="ink ">{ROWS}<' in picture
    assert ' transform="translate(0 -36)"' in picture


def test_a_command_has_one_color_in_all_its_lines() -> None:
    roll, recording = Roll(), Recording()
    for text in ('$ list \\\r\n  -c ID\r\n', 'nothing\r\n'):
        roll.feed(text)
        recording.note(roll, 1.0)
    colors = re.findall(r'<text y="\d+" class="(\S+) ', svg(recording))
    assert colors == ['csbs-edge', 'csbs-edge', 'ink']


def test_the_recording_is_small_and_respects_reduced_motion() -> None:
    text = FILE.read_text()
    ElementTree.fromstring(text)
    assert len(text) < 300_000
    assert 'prefers-reduced-motion' in text
