# SPDX-License-Identifier: Apache-2.0
"""From rules to what may be deleted now, by two looks.

The first look makes the plan that a person sees.  The second one is made
when the plan is agreed to: what would no longer go by then is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol

from vbsclient.deletion.follow import Followable
from vbsclient.deletion.targets import (
    Refused,
    ResourceT,
    Target,
    Undecided,
    left_alone,
)
from vbsclient.deletion.wording import listed
from vbsclient.retention import (
    Candidate,
    Decision,
    Plan,
    RuleSet,
    make_plan,
)


@dataclass
class Reading(Generic[ResourceT]):
    """What one look has found.

    :ivar parents: as :func:`vbsclient.retention.make_plan` takes it.
    :ivar resources: by id, those that were to be kept hold of.
    :ivar doubt: why some of them stay of which nobody knows enough.
    """

    candidates: list[Candidate] = field(default_factory=list)
    parents: Mapping[str, str | None] = field(default_factory=dict)
    resources: dict[str, ResourceT] = field(default_factory=dict)
    doubt: str | None = None


class History(Protocol[ResourceT]):
    """The backups of one service that the rules are about."""

    def read(self, hold: Container[str] = ()) -> Reading[ResourceT]:
        """Look at all of them.

        :param hold: ids of what will be deleted.
        """

    def deletion(
        self, known: Mapping[str, ResourceT]
    ) -> Followable[ResourceT]:
        """The rules for deleting what was just read."""


class Emptied(Refused):
    """The rules would leave nothing of some groups."""


class Prune(Generic[ResourceT]):
    """One set of rules over one history.

    :param now: the same for both looks.
    """

    def __init__(
        self, history: History[ResourceT], rule_set: RuleSet, now: datetime
    ) -> None:
        self._history = history
        self._rule_set = rule_set
        self._now = now
        #: Why backups stay of which nobody knows enough.
        self.doubt: str | None = None

    def plan(self) -> Plan:
        """The first look."""
        reading = self._history.read()
        self.doubt = reading.doubt
        return self._plan(reading)

    def look_again(self, plan: Plan) -> Agreed[ResourceT]:
        """The second look: what of a plan is still right.

        :raises Emptied: if it would leave nothing of a group by now.
        """
        planned = {decision.backup.id: decision for decision in plan.deleted}
        agreed = self._agree(planned, _identity)
        # The same look before anything of it is sent once more.
        agreed.deletion.renewed = lambda ids: self._agree(
            {id: planned[id] for id in ids}, _identity_when_sent
        )
        return agreed

    def _agree(
        self,
        planned: Mapping[str, Decision],
        identity: Callable[[Candidate], object],
    ) -> Agreed[ResourceT]:
        """What may go of these by now.

        :param identity: what must be the same of each.
        :raises Emptied: if nothing would be left of a group.
        """
        reading = self._history.read(hold=planned)
        self.doubt = self.doubt or reading.doubt
        renewed = self._plan(reading)
        demand_rest(renewed)
        fresh = {d.backup.id: d for d in renewed.decisions}
        changed = {}
        for id, decision in planned.items():
            now = fresh.get(id)
            if now is None:
                changed[id] = 'it is gone, or not selected any more'
            elif now.keep:
                changed[id] = '; '.join(now.reasons)
            elif identity(now.backup) != identity(decision.backup):
                changed[id] = 'it is not the same any more'
            elif identity is not _identity and now.backup.share_ids:
                # Its shares were cancelled before it was sent.
                changed[id] = 'it is shared'
        return Agreed(
            self._history.deletion(
                {
                    id: resource
                    for id, resource in reading.resources.items()
                    if id not in changed
                }
            ),
            [
                _skipped(planned[id].backup, reason)
                for id, reason in changed.items()
            ],
        )

    def _plan(self, reading: Reading[ResourceT]) -> Plan:
        return make_plan(
            reading.candidates,
            self._rule_set,
            self._now,
            parents=reading.parents,
        )


@dataclass(frozen=True)
class Agreed(Generic[ResourceT]):
    """What is left of a plan when it is carried out.

    :ivar deletion: the rules for what still goes.
    :ivar skipped: what does not any more.
    """

    deletion: Followable[ResourceT]
    skipped: Sequence[Target[ResourceT]]

    def targets(self) -> list[Target[ResourceT]]:
        """All that was planned; what fails its last check is skipped too."""
        targets = list(self.deletion.targets())
        for target in targets:
            refusal = target.refusal
            # What nobody knows is no change: that fails.
            if refusal is not None and not isinstance(refusal, Undecided):
                target.refusal = left_alone(refusal.message)
        return [*targets, *self.skipped]


def demand_rest(plan: Plan) -> None:
    """Make sure that a plan leaves something of each group.

    :raises Emptied: if it does not.
    """
    if not plan.emptied:
        return
    groups = listed([group_label(backup) for backup in plan.emptied])
    raise Emptied(
        f'these rules would leave no backup that can be restored of '
        f'{groups}. Nothing was deleted',
        'Only what is selected counts, and of that only what can be '
        'restored. Add a rule that keeps some, such as --keep-last 1, or '
        '--allow-empty if that is what you want.',
    )


def group_label(backup: Candidate) -> str:
    """How a message names the volume or server of a backup."""
    if backup.group_name and backup.group_name != backup.group:
        return f'{backup.group_name} ({backup.group})'
    return backup.group


def status_reasons(
    status: str, *, include_error: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what protects a backup in this state, what is remarked of it)."""
    if status == 'available':
        return (), ()
    if status == 'error' and include_error:
        return (), ('status error',)
    if status.startswith('error'):
        return (f'status {status}',), ()
    if not status:
        return ('of no known status',), ()
    return (f'not finished ({status})',), ()


def _identity(backup: Candidate) -> tuple[object, ...]:
    return (
        backup.group,
        backup.name,
        backup.created_at,
        backup.size,
        backup.remarks,
        backup.share_ids,
        backup.part_of,
    )


def _identity_when_sent(backup: Candidate) -> tuple[object, ...]:
    """The same, but for the shares, which were cancelled then."""
    return (
        backup.group,
        backup.name,
        backup.created_at,
        backup.size,
        backup.status,
        backup.part_of,
    )


def _skipped(backup: Candidate, reason: str) -> Target[ResourceT]:
    return Target(
        backup.id,
        'backup',
        '',
        id=backup.id,
        name=backup.name,
        refusal=left_alone(reason),
    )
