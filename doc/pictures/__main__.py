# SPDX-License-Identifier: Apache-2.0
"""Writes every picture that is drawn."""

from __future__ import annotations

from pathlib import Path

from doc.pictures import (
    concepts,
    creation,
    deletion,
    faults,
    restoring,
    retention,
    speed,
)

FOLDER = Path(__file__).parents[1] / 'source/pictures'
PICTURES = (
    concepts.draw,
    retention.draw,
    deletion.draw,
    creation.draw,
    restoring.draw,
    speed.draw,
    faults.draw_deleting,
    faults.draw_reading,
)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for draw in PICTURES:
        picture = draw()
        path = FOLDER / f'{picture.name}.svg'
        path.write_text(picture.svg(), encoding='utf-8')


if __name__ == '__main__':
    main()
