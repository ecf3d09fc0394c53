# SPDX-License-Identifier: Apache-2.0
"""What a checkpoint holds takes more than one short list."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from tests.unit.world import uuid
from vbsclient.api.csbs import ServerBackup, ServerBackups
from vbsclient.api.http import Limits
from vbsclient.lookup.server_backups import find_members

RUN = uuid(70)
ROWS = [
    ServerBackup.from_body(
        {'id': uuid(n), 'checkpoint_id': RUN, 'status': 'available'}
    )
    for n in range(3)
]


class Lagging:
    """A list that lacks rows where it is narrowed to a checkpoint."""

    def __init__(self, narrowed: Sequence[ServerBackup]) -> None:
        self.narrowed = narrowed
        self.reads = 0

    def list(
        self, *, checkpoint_id: str | None, **_: Any
    ) -> Sequence[ServerBackup]:
        self.reads += 1
        return ROWS if checkpoint_id is None else self.narrowed


@pytest.mark.parametrize(
    ('shown', 'fewest', 'found', 'reads'),
    [(0, 1, 3, 2), (1, 1, 1, 1), (1, 2, 3, 2), (2, 2, 2, 1), (3, 2, 3, 1)],
)
def test_fewer_are_looked_for_in_the_whole_list(
    shown: int, fewest: int, found: int, reads: int
) -> None:
    lists = Lagging(ROWS[:shown])
    members = find_members(
        cast(ServerBackups, lists), [RUN], Limits(), fewest=fewest
    )
    assert [item.id for item in members[RUN]] == [r.id for r in ROWS[:found]]
    assert lists.reads == reads
