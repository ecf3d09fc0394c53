# SPDX-License-Identifier: Apache-2.0
"""Help that keeps its paragraphs."""

from __future__ import annotations

import argparse
import textwrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    _Base = argparse.HelpFormatter
else:
    _Base = object


class _Paragraphs(_Base):
    """Fills each paragraph of a description by itself.

    No line ends inside of an option: ``--keep-`` and ``weekly`` on two lines
    are nothing that anybody could copy or search for.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return '\n\n'.join(
            textwrap.fill(
                ' '.join(paragraph.split()),
                width,
                initial_indent=indent,
                subsequent_indent=indent,
                break_on_hyphens=False,
            )
            for paragraph in text.split('\n\n')
        )

    def _split_lines(self, text: str, width: int) -> list[str]:
        return [
            part
            for line in text.splitlines()
            for part in textwrap.wrap(line, width, break_on_hyphens=False)
        ]


def keep_paragraphs(parser: argparse.ArgumentParser) -> None:
    """Show the paragraphs of a command's description as they are written."""
    bases: Any = (_Paragraphs, parser.formatter_class)
    formatter: Any = type('ParagraphFormatter', bases, {})
    parser.formatter_class = formatter
