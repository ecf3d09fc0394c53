# SPDX-License-Identifier: Apache-2.0
"""From rules to what may be deleted now, by two looks.

The first look makes the plan that a person sees.  The second one is made
when the plan is agreed to: what would no longer go by then is left alone.
Both read lists, which may show what is gone.  So the newest backup that stays
of a group is seen by itself before anything of that group goes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from vbsclient.api import errors
from vbsclient.change.targets import Change, Target
from vbsclient.lookup.refusals import (
    RefusedError,
    UnverifiedError,
    changed_since_plan,
)
from vbsclient.retention import Candidate, Decision, Plan, RuleSet, make_plan
from vbsclient.wording import listed

#: Raises if the backup of this id must not go now.
Confirm = Callable[[str], None]

#: So many of a group are asked for until one is there.
_LOOKS = 3


class Absence(NamedTuple):
    """How a backup is not what a list shows.

    :ivar reason: what a message says of it.
    :ivar is_gone: whether it does not exist.
    """

    reason: str
    is_gone: bool = False


@dataclass
class Snapshot:
    """What one look has found.

    :ivar parents: as :func:`vbsclient.retention.make_plan` takes it.
    :ivar resources: by id, those that were to be kept hold of.
    :ivar doubt: why some of them stay of which nobody knows enough.
    """

    candidates: list[Candidate] = field(default_factory=list)
    parents: Mapping[str, str | None] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    doubt: str | None = None


class History(Protocol):
    """The backups of one service that the rules are about."""

    def read(self, hold: Container[str] = ()) -> Snapshot:
        """Look at all of them.

        :param hold: ids of what will be deleted.
        """

    def deletion(self, known: Mapping[str, Any], confirm: Confirm) -> Change:
        """The rules for deleting what was just read.

        :param confirm: is called before each DELETE.
        """

    def absence_of(self, backup: Candidate) -> Absence | None:
        """See by a GET whether a backup is there and can be restored.

        :returns: how it is not what the list shows, or None.
        :raises ClientError: if that cannot be seen.
        """


class EmptyGroupError(RefusedError):
    """The rules would leave nothing of some groups."""


class Prune:
    """One set of rules over one history.

    :param now: the same for both looks.
    """

    def __init__(
        self, history: History, rule_set: RuleSet, now: datetime
    ) -> None:
        self._history = history
        self._rule_set = rule_set
        self._now = now
        #: Why backups stay of which nobody knows enough.
        self.doubt: str | None = None
        #: What was to stay and is not as the list shows it, by id.
        self.absent: dict[str, Absence] = {}

    def plan(self) -> Plan:
        """The first look."""
        reading = self._history.read()
        self.doubt = reading.doubt
        return self._plan(reading)

    def look_again(self, plan: Plan) -> ConfirmedPlan:
        """The second look: what of a plan is still right.

        :raises EmptyGroupError: if it would leave nothing of a group by now.
        """
        planned = {decision.backup.id: decision for decision in plan.deleted}
        agreed = self._agree(planned, _identity)
        # The same look before anything of it is sent once more.
        agreed.deletion.verify_again = lambda ids: self._agree(  # type: ignore[method-assign]
            {id: planned[id] for id in ids}, _identity_when_sent
        ).targets()
        return agreed

    def _agree(
        self,
        planned: Mapping[str, Decision],
        identity: Callable[[Candidate], object],
    ) -> ConfirmedPlan:
        """What may go of these by now.

        :param identity: what must be the same of each.
        :raises EmptyGroupError: if nothing would be left of a group.
        """
        reading = self._history.read(hold=planned)
        self.doubt = self.doubt or reading.doubt
        renewed = self._plan(reading)
        ensure_not_empty(renewed)
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
        return ConfirmedPlan(
            self._history.deletion(
                {
                    id: resource
                    for id, resource in reading.resources.items()
                    if id not in changed
                },
                self._confirm(reading, renewed),
            ),
            [
                _skipped(planned[id].backup, reason)
                for id, reason in changed.items()
            ],
        )

    def _confirm(self, reading: Snapshot, plan: Plan) -> Confirm:
        """Lets nothing of a group go before something that stays was seen."""
        members: dict[str, list[Decision]] = {}
        for decision in plan.decisions:
            members.setdefault(decision.backup.group, []).append(decision)
        going = {d.backup.id: d.backup.group for d in plan.deleted}
        guards = {
            group: _Guard(
                members[group],
                lambda backups: self._plan(
                    replace(reading, candidates=list(backups))
                ),
                self._history.absence_of,
                self.absent,
            )
            for group in set(going.values())
        }
        return lambda id: guards[going[id]].confirm(id)

    def _plan(self, reading: Snapshot) -> Plan:
        return make_plan(
            reading.candidates,
            self._rule_set,
            self._now,
            parents=reading.parents,
        )


@dataclass(frozen=True)
class ConfirmedPlan:
    """What is left of a plan when it is carried out.

    :ivar deletion: the rules for what still goes.
    :ivar skipped: what does not any more.
    """

    deletion: Change
    skipped: Sequence[Target]

    def targets(self) -> list[Target]:
        """All that was planned; what fails its last check is skipped too."""
        targets = list(self.deletion.targets())
        for target in targets:
            refusal = target.refusal
            # What nobody knows is no change: that fails.
            if refusal is not None and not isinstance(
                refusal, UnverifiedError
            ):
                target.refusal = changed_since_plan(refusal.message)
        return [*targets, *self.skipped]


class _Guard:
    """Sees that something of one group stays, before anything of it goes.

    :param decisions: what stays and what goes, newest first.
    :param make_plan: the same for what is left of the group.
    :param look: as :meth:`History.absence_of`.
    :param absent: gets what the list shows and a GET does not, by id.
    """

    def __init__(
        self,
        decisions: Sequence[Decision],
        make_plan: Callable[[Sequence[Candidate]], Plan],
        look: Callable[[Candidate], Absence | None],
        absent: dict[str, Absence],
    ) -> None:
        self._decisions = decisions
        self._make_plan = make_plan
        self._look = look
        self._absent = absent
        self._lock = threading.Lock()
        self._sure_for: set[str] | None = None
        self._refusal: str | None = None
        #: Why what was to go stays in place of what is not there, by id.
        self._stays: dict[str, str] = {}

    def confirm(self, id: str) -> None:
        """Make sure that one backup may go, by one GET for all of the group.

        What is sent again costs one more: that may be long after.

        :raises SkippedError: if it is to stay in place of what is not there.
        :raises UnverifiedError: if what stays cannot be seen.
        """
        with self._lock:
            if self._refusal is None and (
                self._sure_for is None or id in self._sure_for
            ):
                self._see_what_stays()
                self._sure_for = set()
            if self._refusal is not None:
                raise UnverifiedError(
                    self._refusal,
                    'Run the command again when the service shows what is '
                    'true.',
                )
            if id in self._stays:
                raise changed_since_plan(self._stays[id])
            if self._sure_for is not None:
                self._sure_for.add(id)

    def _see_what_stays(self) -> None:
        """See the newest; what is not there counts no more."""
        group = group_label(self._decisions[0].backup)
        for _ in range(_LOOKS):
            newest = next(
                (
                    d.backup
                    for d in self._decisions
                    if d.keep and d.backup.counts
                ),
                None,
            )
            if newest is None:
                # Nothing that can be restored stays, as was asked for.
                return
            try:
                absence = self._look(newest)
            except errors.Cancelled:
                raise
            except errors.ClientError as error:
                self._refusal = (
                    f'{_named(newest)}, the newest of {group} to stay, could '
                    f'not be seen: {error.message}'
                )
                return
            if absence is None:
                return
            self._absent[newest.id] = absence
            plan = self._make_plan(
                [d.backup for d in self._decisions if d.backup != newest]
            )
            if plan.emptied:
                break
            self._decisions = plan.decisions
            self._stays = {
                d.backup.id: '; '.join(d.reasons) for d in plan.kept
            }
        self._refusal = (
            f'what is to stay of {group} is not there, although the list '
            f'shows it'
        )


def _named(backup: Candidate) -> str:
    return f'{backup.name} ({backup.id})' if backup.name else backup.id


def ensure_not_empty(plan: Plan) -> None:
    """Make sure that a plan leaves something of each group.

    :raises EmptyGroupError: if it does not.
    """
    if not plan.emptied:
        return
    groups = listed([group_label(backup) for backup in plan.emptied])
    raise EmptyGroupError(
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
        *_identity_when_sent(backup),
        backup.remarks,
        backup.share_ids,
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


def _skipped(backup: Candidate, reason: str) -> Target:
    return Target(
        backup.id,
        'backup',
        '',
        id=backup.id,
        name=backup.name,
        refusal=changed_since_plan(reason),
    )
