# SPDX-License-Identifier: Apache-2.0
"""How a question names the cloud that it is about."""

from types import SimpleNamespace
from typing import Any

import pytest

from vbsclient.osc.command.clients import place_of


@pytest.mark.parametrize(
    ('cloud', 'project', 'place'),
    [
        ('prod', 'demo', ' in project demo of cloud prod'),
        # Of the environment alone, the name says nothing.
        ('envvars', 'demo', ' in project demo at iam.example:443'),
        (None, None, ' in project p-1 at iam.example:443'),
        ('prod', '\r\n? y', r' in project \r\n? y of cloud prod'),
        ('x\x1b[2J', 'a\u202eb', r' in project a\u202eb of cloud x\x1b[2J'),
        ('c', 'x' * 300, f' in project {"x" * 80}... of cloud c'),
    ],
)
def test_a_place(cloud: str | None, project: str | None, place: str) -> None:
    manager: Any = SimpleNamespace(
        _cli_options=SimpleNamespace(name=cloud),
        auth_ref=SimpleNamespace(project_id='p-1', project_name=project),
        region_name='',
        session=SimpleNamespace(
            auth=SimpleNamespace(auth_url='https://iam.example:443/v3')
        ),
    )
    assert place_of(manager) == place
