"""Check that what is copied from a built page has the hyphens of a shell.

    python doc/check_dashes.py doc/build/html doc/build/man

A dash in place of ``--`` looks like it, and is not an option.  Code has no
dash at all; a sentence has none before a word, as in an option.
"""

import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

#: Hyphens and dashes of typography, the minus sign, and quotation marks.
LOOKALIKES = '\u2010-\u2015\u2018-\u201f\u2212'

IN_CODE = re.compile(rf'\S*[{LOOKALIKES}]\S*')
IN_TEXT = re.compile(r'(?<!\w)[\u2010-\u2015\u2212]\w\S*')

#: What holds code; the names of options are in `dt` elements of this class.
CODE = frozenset({'pre', 'code', 'kbd', 'samp', 'tt'})
OPTION = 'sig-name'

#: What has no end.
VOID = frozenset(
    {'br', 'col', 'hr', 'img', 'input', 'link', 'meta', 'source', 'wbr'}
)


class Page(HTMLParser):
    """(line, text) of each suspicious word."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(
        self, tag: str, attrs: list[tuple[str, str | None]]
    ) -> None:
        if tag not in VOID:
            code = tag in CODE or OPTION in (dict(attrs).get('class') or '')
            self._open.append((tag, code))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if any(tag in ('script', 'style') for tag, _ in self._open):
            return
        code = any(code for _, code in self._open)
        pattern = IN_CODE if code else IN_TEXT
        for match in pattern.finditer(data):
            line = self.getpos()[0] + data.count('\n', 0, match.start())
            self.found.append((line, match.group()))


def suspicious(path: Path) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding='utf-8')
    if path.suffix == '.html':
        page = Page()
        page.feed(text)
        page.close()
        yield from page.found
        return
    for number, line in enumerate(text.splitlines(), 1):
        for match in IN_TEXT.finditer(line):
            yield number, match.group()


def main(folders: list[str]) -> int:
    pages = [
        path
        for folder in folders
        for path in sorted(Path(folder).rglob('*'))
        if path.suffix in ('.html', '.1')
    ]
    if not pages:
        sys.exit('There is no built page to check.')
    wrong = 0
    for path in pages:
        for line, text in suspicious(path):
            print(f'{path}:{line}: {text!a} is not typed with hyphens')
            wrong += 1
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
