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
    """Fills each paragraph of a description by itself."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return '\n\n'.join(
            textwrap.fill(
                ' '.join(paragraph.split()),
                width,
                initial_indent=indent,
                subsequent_indent=indent,
            )
            for paragraph in text.split('\n\n')
        )


def keep_paragraphs(parser: argparse.ArgumentParser) -> None:
    """Show the paragraphs of a command's description as they are written."""
    bases: Any = (_Paragraphs, parser.formatter_class)
    formatter: Any = type('ParagraphFormatter', bases, {})
    parser.formatter_class = formatter
