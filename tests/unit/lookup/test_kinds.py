# SPDX-License-Identifier: Apache-2.0
"""An id of another kind is told from one of nothing."""

from collections.abc import Callable
from functools import partial

import pytest

from tests.unit.world import World, uuid
from vbsclient.api import errors
from vbsclient.change.targets import Target, suggest_command
from vbsclient.lookup import kinds
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.osc.output.hints import hint_of

MakeWorld = Callable[..., World]


def test_each_kind_knows_its_own_ids(world: MakeWorld) -> None:
    there = world(pin='2')
    backup = there.add_backup(1)
    there.add_share(70, backup)
    item = there.add_item(80)
    known = {
        'vbs share delete': partial(kinds.a_share, there.vbs)(uuid(70)),
        '--backup': kinds.a_backup(there.vbs, backup),
        'csbs backup delete': kinds.a_server_backup(there.csbs, item),
        'csbs backup show': kinds.a_member(there.csbs, item, 'show'),
    }
    for command, hint in known.items():
        assert hint is not None
        told = hint_of(errors.ClientError('no', hint))
        assert command in told
        assert '{' not in told
    assert kinds.a_share(there.vbs, uuid(99)) is None
    assert kinds.a_backup(there.vbs, uuid(99)) is None
    assert kinds.a_server_backup(there.csbs, uuid(99)) is None
    assert kinds.a_checkpoint(there.csbs, uuid(99)) is None
    assert kinds.a_part(there.csbs, uuid(99)) is None


@pytest.mark.parametrize('status', [403, 500])
def test_what_cannot_be_asked_is_no_kind(
    world: MakeWorld, status: int
) -> None:
    there = world(pin='2')
    id = there.add_backup(1)
    there.fails('GET', status)
    assert kinds.a_backup(there.vbs, id) is None


def test_only_what_is_missing_is_asked_about_and_only_a_few() -> None:
    asked: list[str] = []

    def kind(id: str) -> None:
        asked.append(id)

    targets = [
        Target(uuid(n), 'backup', 'VBS', refusal=MissingError('none'))
        for n in range(1, 9)
    ]
    refused = Target(uuid(9), 'backup', 'VBS', refusal=RefusedError('no'))
    named = Target('name', 'backup', 'VBS', refusal=MissingError('none'))
    suggest_command([refused, named, *targets], kind)
    assert asked == [uuid(1), uuid(2), uuid(3)]
