# SPDX-License-Identifier: Apache-2.0
"""What a parser makes of a command line."""

from typing import Any

import pytest


def parse(command: type[Any], line: str) -> dict[str, Any]:
    """The options and arguments that are given, by their names in the help."""
    parser = command(None, None).get_parser('openstack x')
    parsed = parser.parse_args(line.split())
    found = {}
    for action in parser._actions:
        value = getattr(parsed, action.dest, None)
        is_other_choice = action.nargs == 0 and value != action.const
        if value in (None, [], action.default) or is_other_choice:
            continue
        found[(action.option_strings or [action.metavar])[-1]] = value
    return found


def usage_error(
    command: type[Any], line: str, capsys: pytest.CaptureFixture[str]
) -> str:
    """The message that ends a command line with a usage error."""
    with pytest.raises(SystemExit) as ended:
        parse(command, line)
    assert ended.value.code == 2
    return capsys.readouterr().err
