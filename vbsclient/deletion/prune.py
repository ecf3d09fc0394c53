# SPDX-License-Identifier: Apache-2.0
"""From retention rules to what may be deleted now.

The backups are read twice: for the plan that a user sees, and once more when
the plan is confirmed, so that what has changed meanwhile is skipped.  Both
times lists are read, which may show what is gone: before anything of a group
is deleted, a GET shows the newest backup that the group keeps.
"""

from __future__ import annotations

import abc
import threading
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from vbsclient.api import errors
from vbsclient.api.client import ServiceClient
from vbsclient.api.times import parse_timestamp
from vbsclient.change.targets import Change, Target, VerifyAgain
from vbsclient.lookup import refusals
from vbsclient.lookup.existence import is_gone
from vbsclient.retention import Candidate, Decision, Plan, RuleSet, make_plan
from vbsclient.wording import brief, listed

#: Raises if the backup with this id must not be deleted now.
Confirm = Callable[[str], None]

#: How many backups of a group are read until one is found that exists.
_MAX_READS = 3


class Absence(NamedTuple):
    """Why a backup that a list shows keeps nothing.

    :ivar reason: for a message.
    :ivar is_gone: whether it does not exist.
    """

    reason: str
    is_gone: bool = False


@dataclass
class Snapshot:
    """The backups as they were read at one time.

    :ivar parents: as :func:`vbsclient.retention.make_plan` takes it.
    :ivar resources: by id, those whose bodies were to be kept.
    :ivar uncertain_reason: why some are kept whose origin is unknown.
    """

    candidates: list[Candidate] = field(default_factory=list)
    parents: Mapping[str, str | None] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)
    uncertain_reason: str | None = None

    @property
    def ids(self) -> list[str]:
        return [backup.id for backup in self.candidates]


class History(abc.ABC):
    """The backups of one service that the rules are applied to.

    :param clients: all that read them.
    :param backups: the API of these backups, where DELETEs are sent.
    :param include_error: whether those with status ``error`` may be deleted.
    """

    #: The field of a backup that says which group it belongs to.
    group_field: str

    def __init__(
        self,
        clients: Sequence[ServiceClient],
        backups: Any,
        *,
        include_error: bool,
    ) -> None:
        self.clients = clients
        self.backups = backups
        self._include_error = include_error

    @property
    def is_vendor(self) -> bool:
        """Whether the service is the vendor's, with its limits and delays."""
        return True

    @abc.abstractmethod
    def read(self, keep_bodies_of: Container[str] = ()) -> Snapshot:
        """Read all of them.

        :param keep_bodies_of: ids of those that will be deleted.
        """

    @abc.abstractmethod
    def deletion(
        self,
        known: Mapping[str, Any],
        confirm: Confirm,
        verify_again: VerifyAgain,
    ) -> Change:
        """The rules for deleting what was just read.

        :param confirm: is called before each DELETE.
        :param verify_again: is called before anything is sent again.
        """

    def unusable_reason(self, backup: Any) -> str | None:
        """Why an available backup can keep nothing, if it cannot."""
        return None

    def candidate(
        self,
        backup: Any,
        protections: Sequence[str] = (),
        *,
        size: float | None,
        **more: Any,
    ) -> Candidate:
        """What the rules see of a backup.

        :param protections: those that do not follow from its status.
        :param size: in GB.
        """
        by_status, remarks = status_reasons(
            backup.status, include_error=self._include_error
        )
        is_usable = self.unusable_reason(backup) is None
        return Candidate(
            id=backup.id,
            name=backup.name,
            status=backup.status,
            created_at=backup.created_at,
            created=parse_timestamp(backup.created_at),
            size=size,
            counts=backup.status == 'available' and is_usable,
            protections=(*by_status, *protections),
            remarks=remarks,
            **more,
        )

    def absence_of(self, backup: Candidate) -> Absence | None:
        """Check by a GET that a backup exists and can be restored.

        :returns: why the list is wrong about it, or None.
        :raises ClientError: if it cannot be read.
        """
        try:
            now = self.backups.get(backup.id)
        except errors.NotFound:
            return Absence('there is no such backup', is_gone=True)
        if now.status != 'available':
            return Absence(
                f'its status is {brief(now.status)}', is_gone(now.status)
            )
        reason = self.unusable_reason(now)
        if reason is not None:
            return Absence(reason)
        is_same_group = getattr(now, self.group_field) == backup.group
        if not is_same_group or not self.backups.owns(now):
            return Absence('it is not the same any more')
        return None


#: What to do where a group would be emptied.
KEEP_SOME = (
    'Only selected backups that can be restored count. Add a rule that keeps '
    'some, or allow that nothing is left.'
)


class EmptyGroupError(refusals.RefusedError):
    """The rules would leave nothing of some groups."""


class Prune:
    """One set of rules for one history.

    :param now: the same for all plans.
    :ivar uncertain_reason: why backups are kept whose origin is unknown.
    :ivar absent: what was to be kept and is not as the list shows it, by id.
    """

    def __init__(
        self, history: History, rule_set: RuleSet, now: datetime
    ) -> None:
        self.history = history
        self._rule_set = rule_set
        self._now = now
        self.uncertain_reason: str | None = None
        self.absent: dict[str, Absence] = {}

    def plan(self) -> Plan:
        """Read the backups and apply the rules."""
        snapshot = self.history.read()
        self.uncertain_reason = snapshot.uncertain_reason
        return self.apply_rules(snapshot)

    def confirm(self, plan: Plan) -> ConfirmedPlan:
        """Read the backups again: what of a plan is still right.

        :raises EmptyGroupError: if nothing would be left of a group by now.
        """
        planned = {decision.backup.id: decision for decision in plan.deleted}
        return self._confirm(planned, was_sent=False)

    def _confirm(
        self, planned: Mapping[str, Decision], *, was_sent: bool
    ) -> ConfirmedPlan:
        snapshot = self.history.read(keep_bodies_of=planned)
        self.uncertain_reason = (
            self.uncertain_reason or snapshot.uncertain_reason
        )
        plan = self.apply_rules(snapshot)
        ensure_not_empty(plan)
        decisions = {d.backup.id: d for d in plan.decisions}
        known = snapshot.resources
        skipped: list[Target] = []
        for id, decision in planned.items():
            change = _change_of(decision, decisions.get(id), was_sent)
            if change is not None:
                known.pop(id, None)
                refusal = refusals.changed_since_plan(change)
                name = decision.backup.name
                skipped.append(
                    Target(id, 'backup', '', id, name, refusal=refusal)
                )

        def verify_again(ids: Sequence[str]) -> list[Target]:
            again = {id: planned[id] for id in ids}
            return self._confirm(again, was_sent=True).targets()

        guard = self._guard(snapshot, plan)
        return ConfirmedPlan(
            self.history.deletion(known, guard, verify_again), skipped
        )

    def _guard(self, snapshot: Snapshot, plan: Plan) -> Confirm:
        """Checks each group before its first DELETE."""
        guards: dict[str, _Guard] = {}
        for _, members in groupby(plan.decisions, lambda d: d.backup.group):
            decisions = list(members)
            guard = _Guard(self, snapshot, decisions)
            guards.update(
                (d.backup.id, guard) for d in decisions if not d.keep
            )
        return lambda id: guards[id].confirm(id)

    def apply_rules(self, snapshot: Snapshot) -> Plan:
        return make_plan(
            snapshot.candidates,
            self._rule_set,
            self._now,
            parents=snapshot.parents,
        )


@dataclass(frozen=True)
class ConfirmedPlan:
    """What is left of a plan when it is carried out.

    :ivar deletion: the rules for what is still to be deleted.
    :ivar skipped: what is not any more.
    """

    deletion: Change
    skipped: Sequence[Target]

    def targets(self) -> list[Target]:
        """All that was planned; what fails its last check is skipped too."""
        targets = list(self.deletion.targets())
        for target in targets:
            refusal = target.refusal
            # What could not be verified has not changed: that fails.
            if refusal is not None and not isinstance(
                refusal, refusals.UnverifiedError
            ):
                target.refusal = refusals.changed_since_plan(refusal.message)
        return [*targets, *self.skipped]


class _Guard:
    """Checks that a group keeps a backup before it loses one.

    :param decisions: on the backups of the group, newest first.
    """

    def __init__(
        self, prune: Prune, snapshot: Snapshot, decisions: Sequence[Decision]
    ) -> None:
        self._prune = prune
        self._snapshot = snapshot
        self._decisions = decisions
        self._lock = threading.Lock()
        self._is_checked = False
        #: What was confirmed since the last check.
        self._confirmed: set[str] = set()
        self._refusal: str | None = None
        #: Why what was to be deleted is kept after all, by id.
        self._kept: dict[str, str] = {}

    def confirm(self, id: str) -> None:
        """Confirm that one backup may be deleted, by one GET for the group.

        What is sent again costs one more: that may be long after.

        :raises SkippedError: if it is kept in place of one that is absent.
        :raises UnverifiedError: if what the group keeps cannot be read.
        """
        with self._lock:
            if self._refusal is None and (
                not self._is_checked or id in self._confirmed
            ):
                self._refusal = self._check()
                self._is_checked = True
                self._confirmed.clear()
            if self._refusal is not None:
                raise refusals.UnverifiedError(
                    self._refusal,
                    'Run the command again when the list of the service is '
                    'correct.',
                )
            if id in self._kept:
                raise refusals.changed_since_plan(self._kept[id])
            self._confirmed.add(id)

    def _check(self) -> str | None:
        """See the newest that is kept, and plan again without what is absent.

        :returns: why nothing of the group may be deleted, or None.
        """
        group = group_label(self._decisions[0].backup)
        for _ in range(_MAX_READS):
            restorable = (
                d.backup for d in self._decisions if d.keep and d.backup.counts
            )
            newest = next(restorable, None)
            if newest is None:
                # The rules keep nothing that can be restored, as requested.
                return None
            try:
                absence = self._prune.history.absence_of(newest)
            except errors.Cancelled:
                raise
            except errors.ClientError as error:
                name = f'{newest.name} ({newest.id})'
                return (
                    f'{name if newest.name else newest.id}, the newest backup '
                    f'of {group} to keep, could not be read: {error.message}'
                )
            if absence is None:
                return None
            self._prune.absent[newest.id] = absence
            others = [d.backup for d in self._decisions if d.backup != newest]
            plan = self._prune.apply_rules(
                replace(self._snapshot, candidates=others)
            )
            if plan.emptied:
                break
            self._decisions = plan.decisions
            self._kept = {d.backup.id: '; '.join(d.reasons) for d in plan.kept}
        return (
            f'the backups of {group} to keep do not exist, although the list '
            f'shows them'
        )


def ensure_not_empty(plan: Plan) -> None:
    """Make sure that a plan leaves something of each group.

    :raises EmptyGroupError: if it does not.
    """
    if plan.emptied:
        groups = listed([group_label(backup) for backup in plan.emptied])
        raise EmptyGroupError(
            f'these rules would leave no backup that can be restored of '
            f'{groups}. Nothing was deleted',
            KEEP_SOME,
        )


def group_label(backup: Candidate) -> str:
    """How a message names the volume or server of a backup."""
    if backup.group_name and backup.group_name != backup.group:
        return f'{backup.group_name} ({backup.group})'
    return backup.group


def status_reasons(
    status: str, *, include_error: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The protections and the remarks of a backup with this status."""
    if status == 'available':
        return (), ()
    if status == 'error' and include_error:
        return (), ('status error',)
    if status.startswith('error'):
        return (f'status {status}',), ()
    if not status:
        return ('of no known status',), ()
    return (f'not finished ({status})',), ()


def _change_of(
    before: Decision, now: Decision | None, was_sent: bool
) -> str | None:
    """Why a backup that was to be deleted is skipped, if it is.

    :param was_sent: whether a DELETE was sent for it, and its shares were
        canceled before that.
    """
    if now is None:
        return 'it is gone, or no longer selected'
    if now.keep:
        return '; '.join(now.reasons)
    if _identity(now.backup, was_sent) != _identity(before.backup, was_sent):
        return 'it is not the same any more'
    if was_sent and now.backup.share_ids:
        return 'it is shared'
    return None


def _identity(backup: Candidate, was_sent: bool) -> tuple[object, ...]:
    return (
        backup.group,
        backup.name,
        backup.created_at,
        backup.size,
        backup.status,
        backup.part_of,
        *(() if was_sent else (backup.remarks, backup.share_ids)),
    )
