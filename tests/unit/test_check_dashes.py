# SPDX-License-Identifier: Apache-2.0
"""What the check of the built pages takes for an option that is none."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / 'doc/check_dashes.py'


@pytest.fixture(scope='module')
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location('check_dashes', SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ('name', 'text', 'words'),
    [
        ('a.html', '<p>goes with \u2013wait</p>', ['\u2013wait']),
        ('a.html', '<p>x<br>goes with \u2212c ID</p>', ['\u2212c']),
        ('a.html', '<p>the backups \u2013 all of them \u2013 are</p>', []),
        ('a.html', '<p>pages 3\u20135</p>', []),
        (
            'a.html',
            '<pre>a\n<span>b \u2010\u2010wait</span></pre>',
            ['\u2010\u2010wait'],
        ),
        ('a.html', '<code><span>a \u2014</span> b</code>', ['\u2014']),
        ('a.html', '<code>-c \u201cID\u201d</code>', ['\u201cID\u201d']),
        ('a.html', '<code>a</code> \u2013 <code>b</code>', []),
        (
            'a.html',
            '<dt><span class="sig-name x">\u2013wait</span></dt>',
            ['\u2013wait'],
        ),
        ('a.html', '<script>a = "\u2013b"</script>', []),
        ('a.1', r'goes with \-\-wait', []),
        ('a.1', 'goes with\n\u2013wait', ['\u2013wait']),
    ],
)
def test_a_dash_is_found(
    check: ModuleType, tmp_path: Path, name: str, text: str, words: list[str]
) -> None:
    page = tmp_path / name
    page.write_text(text, encoding='utf-8')
    assert [word for _, word in check.suspicious(page)] == words
    assert check.main([str(tmp_path)]) == bool(words)


def test_nothing_to_check_is_a_failure(
    check: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(SystemExit):
        check.main([str(tmp_path)])
