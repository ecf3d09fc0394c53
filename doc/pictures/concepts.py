# SPDX-License-Identifier: Apache-2.0
"""What contains what, and which command deletes which."""

from __future__ import annotations

from doc.pictures.drawing import MARGIN, WIDTH, Picture

_INNER = WIDTH - 2 * MARGIN


def draw() -> Picture:
    """Servers above what CSBS made of them, a volume above what VBS did."""
    picture = Picture(
        'concepts',
        'What contains what',
        'CSBS: one run saves one or more servers into a checkpoint. It '
        'contains a server backup for each server, and that a volume backup '
        'for each volume. csbs checkpoint delete deletes the checkpoint, '
        'csbs backup delete one server backup, each with all that is in it. '
        'VBS: a volume backup is a copy of one volume; vbs backup delete '
        'deletes it. A share in it gives another project access; vbs share '
        'delete deletes the share only.',
    )
    _csbs(picture)
    _vbs(picture)
    y = picture.y + 14
    _command(picture, MARGIN, y, 'command')
    picture.text(MARGIN + 92, y + 17, 'deletes the box that it is in,')
    picture.text(MARGIN + 92, y + 35, 'with everything in that box')
    picture.y = y + 40
    return picture


def _csbs(picture: Picture) -> None:
    picture.text(MARGIN, 24, 'CSBS saves servers', 'title')
    half = (_INNER - 12) / 2
    for x, name, volumes in (
        (MARGIN, 'Server web01', '2 volumes'),
        (MARGIN + half + 12, 'Server db01', '1 volume'),
    ):
        picture.box(x, 36, half, 48, 'plain', name, volumes)
        picture.arrow((x + half / 2, 84), (x + half / 2, 106))
    picture.box(MARGIN, 106, _INNER, 320, 'csbs')
    picture.text(18, 128, 'Checkpoint', 'bold')
    _remark(picture, 128, 'one run: one server, or many')
    _command(picture, 18, 136, 'csbs checkpoint delete')
    for y, server, saved in (
        (174, 'web01', ('web01-root', 'web01-data')),
        (302, 'db01', ('db01-root',)),
    ):
        picture.box(18, y, 324, 114, 'plain')
        picture.text(28, y + 21, f'Server backup of {server}', 'bold')
        _command(picture, 28, y + 29, 'csbs backup delete')
        for place, volume in enumerate(saved):
            x = 28 + 154 * place
            lines = ('Volume backup', volume)
            picture.box(x, y + 62, 148, 44, 'csbs', *lines)
    for y, words in (
        (381, 'Listed by VBS, too;'),
        (399, 'deleted only here.'),
    ):
        picture.text(186, y, words, 'small', 'soft')
    picture.y = 426


def _vbs(picture: Picture) -> None:
    y = picture.y + 36
    picture.text(MARGIN, y, 'VBS saves volumes', 'title')
    picture.box(MARGIN, y + 12, 180, 32, 'plain', 'Volume web01-data')
    picture.arrow((98, y + 44), (98, y + 66))
    picture.box(MARGIN, y + 66, _INNER, 138, 'vbs')
    picture.text(18, y + 88, 'Volume backup', 'bold')
    _remark(picture, y + 88, 'refused while it is shared')
    _command(picture, 18, y + 96, 'vbs backup delete')
    picture.box(18, y + 132, 324, 62, 'plain')
    picture.text(28, y + 153, 'Share', 'bold')
    _remark(picture, y + 153, 'another project has access')
    _command(picture, 28, y + 161, 'vbs share delete')
    picture.y = y + 204


def _remark(picture: Picture, y: float, words: str) -> None:
    picture.text(WIDTH - 28, y, words, 'small', 'soft', 'end')


def _command(picture: Picture, x: float, y: float, words: str) -> None:
    """What deletes; the width is that of the widest usual font."""
    width = 8 * len(words) + 20
    picture.box(x, y, width, 26, 'bad', words, styles=('code',))
