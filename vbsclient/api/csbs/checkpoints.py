# SPDX-License-Identifier: Apache-2.0
"""Checkpoints seen through their backups, which alone are documented."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from vbsclient.api.csbs.backups import ServerBackup


@dataclass(frozen=True, slots=True)
class Member:
    """What a checkpoint tells of one of its backups.

    :ivar size: MB.
    """

    id: str
    name: str | None
    status: str
    server_id: str | None
    server_name: str | None
    size: int | None
    created_at: str | None
    updated_at: str | None
    automatic: bool


@dataclass(slots=True)
class Checkpoint:
    """A checkpoint: the backups that share its id."""

    id: str
    members: list[Member] = field(default_factory=list)

    @property
    def name(self) -> str | None:
        """The name of the run, which each of its backups has."""
        return self.members[0].name

    @property
    def statuses(self) -> list[str]:
        """The states of its backups, each once."""
        return sorted({member.status for member in self.members})

    @property
    def servers(self) -> int:
        """How many servers it holds."""
        return len({m.server_id or m.id for m in self.members})

    @property
    def server_names(self) -> list[str]:
        """Their names, or ids where there is no name."""
        names = (m.server_name or m.server_id for m in self.members)
        return list(dict.fromkeys(name for name in names if name))

    @property
    def size(self) -> int | None:
        """MB of all backups; None if none says it."""
        known = [m.size for m in self.members if m.size is not None]
        return sum(known) if known else None

    @property
    def created_at(self) -> str | None:
        """When the first of its backups was made."""
        return min(
            (m.created_at for m in self.members if m.created_at), default=None
        )

    @property
    def updated_at(self) -> str | None:
        """When one of its backups changed last."""
        return max(
            (m.updated_at for m in self.members if m.updated_at), default=None
        )

    @property
    def automatic(self) -> bool:
        """Whether a schedule made it."""
        return any(member.automatic for member in self.members)


class CheckpointGroups(dict[str, Checkpoint]):
    """Checkpoints by their ids, in the order in which backups were added."""

    def add(self, backup: ServerBackup) -> Checkpoint:
        """Put a backup into its checkpoint.

        Only what is shown is kept: a list may hold a hundred thousand.
        """
        group = self.get(backup.checkpoint_id)
        if group is None:
            group = self[backup.checkpoint_id] = Checkpoint(
                backup.checkpoint_id
            )
        group.members.append(
            Member(
                id=backup.id,
                name=backup.name,
                status=backup.status,
                server_id=backup.server_id,
                server_name=backup.server_name,
                size=backup.size,
                created_at=backup.created_at,
                updated_at=backup.updated_at,
                automatic=backup.automatic,
            )
        )
        return group

    def add_all(self, backups: Iterable[ServerBackup]) -> None:
        """Put several backups into their checkpoints."""
        for backup in backups:
            self.add(backup)
