# SPDX-License-Identifier: Apache-2.0
"""Canceling shares, by their own ids or by those of their backups."""

from collections.abc import Callable

import pytest

from tests.unit.world import World, uuid
from vbsclient.bulk import State
from vbsclient.deletion.shares import BackupSharesDeletion, ShareDeletion
from vbsclient.lookup.refusals import MissingError

MakeWorld = Callable[..., World]

#: What VBS alone answers: the list of shares, or one of them.
SHARES = 'GET .*/os-vendor-backup-sharing/'


def of_backups(
    there: World, *backups: str, project_id: str | None = None
) -> BackupSharesDeletion:
    return BackupSharesDeletion(
        there.vbs, backups, limits=there.limits, project_id=project_id
    )


class TestOneByOne:
    def test_each_goes_by_its_own_id(self, world: MakeWorld) -> None:
        there = world()
        backup = there.add_backup(1)
        shares = [there.add_share(70 + n, backup) for n in range(5)]
        there.carry_out(
            ShareDeletion(there.vbs, shares[:4], limits=there.limits)
        )
        assert there.deletes() == [
            f'{share}?is_backup_id=false' for share in shares[:4]
        ]

    def test_one_that_is_not_there(self, world: MakeWorld) -> None:
        there = world()
        there.fails(f'{SHARES}[0-9a-f-]{{36}}', 404, _does_not_know(70))
        [target] = ShareDeletion(
            there.vbs, [uuid(70)], limits=there.limits
        ).targets()
        assert isinstance(target.refusal, MissingError)


class TestOfABackup:
    def test_all_go_with_one_request(self, world: MakeWorld) -> None:
        there = world()
        backup = there.add_backup(1)
        for number in range(3):
            there.add_share(70 + number, backup, f'p{number}')
        there.carry_out(of_backups(there, backup))
        assert there.deletes() == [f'{backup}?is_backup_id=true']

    def test_with_a_project_the_backup_is_never_named(
        self, world: MakeWorld
    ) -> None:
        there = world()
        backup = there.add_backup(1)
        there.add_share(70, backup, 'p1')
        wanted = there.add_share(71, backup, 'p2')
        there.carry_out(of_backups(there, backup, project_id='p2'))
        assert there.deletes() == [f'{wanted}?is_backup_id=false']

    @pytest.mark.parametrize(
        ('left', 'state'), [(0, State.DONE), (1, State.FAILED)]
    )
    def test_a_404_is_judged_by_the_list(
        self, world: MakeWorld, left: int, state: State
    ) -> None:
        there = world()
        backup = there.add_backup(1)
        there.add_share(70, backup)
        deletion = there.verified(of_backups(there, backup))
        del there.shares[left:]
        there.fails('DELETE', 404)
        [outcome], _ = there.carry_out(deletion)
        assert outcome.state is state

    def test_a_list_that_is_not_there_proves_nothing(
        self, world: MakeWorld
    ) -> None:
        there = world()
        backup = there.add_backup(1)
        there.add_share(70, backup)
        deletion = there.verified(of_backups(there, backup))
        there.fails('(DELETE|GET) .*/os-vendor-backup-sharing/', 404)
        [outcome], _ = there.carry_out(deletion)
        assert outcome.state is State.UNKNOWN


def _does_not_know(number: int) -> dict[str, object]:
    message = f'share {uuid(number)} could not be found'
    return {'itemNotFound': {'code': 404, 'message': message}}
