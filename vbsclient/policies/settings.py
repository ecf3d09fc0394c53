# SPDX-License-Identifier: Apache-2.0
"""Creating policies, and changing what they say of themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vbsclient.api import errors
from vbsclient.api.http import Limits, Receipt
from vbsclient.api.names import is_named
from vbsclient.bulk import State
from vbsclient.change.targets import (
    Change,
    ChangeFailed,
    Done,
    NotSent,
    Recorder,
    Target,
)
from vbsclient.creation import base
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.policies import find_policies
from vbsclient.lookup.refusals import RefusedError
from vbsclient.policies.modification import modify
from vbsclient.policies.services import Edit, PolicyService
from vbsclient.schedule import InvalidSetting
from vbsclient.schedule.comparison import Difference, differences, expected
from vbsclient.schedule.values import Settings
from vbsclient.wording import brief, listed

# What to do where a service refuses values without saying which.
MAY_NEED_ZONE = (
    'If the values are right, the service may need a time zone for long-term '
    'counts, even if none is kept.'
)
# What to do after a change that was not made as it was asked for.
PUT_BACK = 'The policy as it was before is in the journal, if one was kept.'

#: The code of CSBS for a parameter that it does not take.
_BAD_PARAMETER = 'CSBS.9001'

#: Said where a retention is sent, and long-term rules are not shown.
_UNSEEN_RULES = (
    'the service shows no long-term rules of this policy: if it has any, '
    'they may end with this change'
)

#: How many differences a message has.
_MOST = 5


@dataclass(frozen=True)
class Described:
    """What can be shown of a policy, whether it is there yet or not.

    :ivar id: None before it is created.
    :ivar members: how many volumes or servers it has, if that is known.
    :ivar retention_is_told: whether what it keeps can be read.
    """

    id: str | None
    name: str | None
    settings: Settings
    description: str | None = None
    members: int | None = None
    retention_is_told: bool = True


@dataclass(frozen=True)
class Plan:
    """What a change makes of a policy."""

    before: Described
    after: Described


class _PolicyChange(Change):
    """What creating and changing have in common."""

    def __init__(self, service: PolicyService, limits: Limits) -> None:
        self._service = service
        self._limits = limits

    def _named(self, rows: Sequence[Any], name: str) -> list[str]:
        """The ids of this project's policies with a name."""
        policies = self._service.policies
        return [
            row.id
            for row in rows
            if is_named(row.name, name) and policies.owns(row)
        ]

    def _refuse_taken(self, rows: Sequence[Any], name: str) -> None:
        """Check that no policy has a name.

        :raises RefusedError: if one has.
        """
        if ids := self._named(rows, name):
            raise RefusedError(
                f'a policy with the name {name} exists already '
                f'({listed(ids, 3)})'
            )


class PolicyCreation(_PolicyChange):
    """Creates one policy, and never a second one.

    :param request: what is sent but for the members: name, schedule and
        retention, as the service has them.
    :ivar left: {id: why} of what the request could not name, and was not
        added afterwards.
    :ivar is_sure: whether none of these may belong to it all the same.
    """

    def __init__(
        self,
        service: PolicyService,
        name: str,
        request: Mapping[str, Any],
        limits: Limits,
        description: str | None = None,
    ) -> None:
        super().__init__(service, limits)
        self._name = name
        self._request = dict(request)
        self._description = description
        #: The ids of the policies before it is created.
        self._others: set[str] = set()
        self.left: dict[str, str] = {}
        self.is_sure = True

    def targets(self) -> list[Target]:
        name = self._name
        target = Target(
            name, 'policy', self._service.source, name=name, new_name=name
        )
        rows: list[Any] = list(self._service.policies.list())
        self._others = {row.id for row in rows}
        try:
            self._refuse_taken(rows, name)
            target.notes += self.verify_members(rows)
        except RefusedError as refusal:
            target.refusal = refusal
        return [target]

    def verify_members(self, policies: Sequence[Any]) -> Sequence[str]:
        """Look up what the policy is to back up.

        :param policies: all that there are.
        :returns: what is worth knowing of them.
        :raises RefusedError: if one of them cannot belong to it.
        """
        return ()

    def add_members(self, target: Target, recorder: Recorder) -> str:
        """Add what the request that creates a policy cannot name.

        :returns: what else has come of it.
        """
        return ''

    def member_count(self) -> int | None:
        """How many belong to it when all is done; None if nobody knows."""
        return 0

    def describe(self, target: Target) -> Described:
        """What is created, from what is sent."""
        return Described(
            target.id,
            self._name,
            self._service.settings_of(self._request),
            self._description,
            self.member_count(),
        )

    def send(self, target: Target, recorder: Recorder) -> Done:
        def create() -> Receipt:
            id, said, receipt = self._service.create(self._request)
            self._check_answer(id, said, receipt)
            target.id = id
            return receipt

        remark = ''
        try:
            request_id = recorder.record(target, 'create', create).request_id
        except errors.OutcomeUnknown as unknown:
            target.id = self._find_new(unknown)
            recorder.settle(target, 'create')
            request_id = unknown.request_id
            remark = f'{unknown.remark}: this is the only policy of the name'
        except errors.ServiceError as error:
            raise _explained(error) from error
        remarks = [remark, self.add_members(target, recorder)]
        return Done(
            request_id, is_final=True, remark='; '.join(filter(None, remarks))
        )

    def _check_answer(
        self, id: str, said: Mapping[str, Any], receipt: Receipt
    ) -> None:
        """Check that an answer is about what was sent.

        :raises OutcomeUnknown: if it is not.
        """
        if id in self._others:
            problem = f'the policy {id}, which was there before'
        else:
            # An answer may leave out what is not empty.
            told = [
                one
                for one in self._contradictions(said)
                if one.after is not None
                or isinstance(said.get(one.path), list)
            ]
            if not told:
                return
            problem = f'another policy than was sent: {_said(told)}'
        raise errors.OutcomeUnknown(
            errors.ContradictoryAnswer(
                f'the service answered with {problem}',
                status=receipt.status,
                request_id=receipt.request_id,
            )
        )

    def _contradictions(self, body: Mapping[str, Any]) -> list[Difference]:
        """What a policy says that is not what was sent."""
        return differences(body, self._service.new(self._request), body)

    def _find_new(self, unknown: errors.OutcomeUnknown) -> str:
        """The id of what a doubtful request has created.

        Somebody else may have created one of the name at the same time.

        :raises OutcomeUnknown: if there is none that must be it.
        """
        seen = ''
        for pause in base.LOOKS:
            if self._limits.stop.wait(pause):
                break
            rows: Any = suppress_errors(
                lambda: list(self._service.policies.list())
            )
            new = set(self._named(rows or (), self._name)) - self._others
            found = {row.id: row for row in rows or () if row.id in new}
            if len(found) > 1:
                seen = f'new policies of the name: {listed(list(found), 3)}'
            for id, row in found.items() if len(found) == 1 else ():
                wrong = self._contradictions(self._service.raw(row))
                if not wrong:
                    return str(id)
                seen = (
                    f'the new policy {id} of the name is not what was sent: '
                    f'{_said(wrong)}'
                )
        if not seen:
            raise unknown
        raise unknown.revised(f'{unknown.message.rstrip(".")}; {seen}')


class PolicyUpdate(_PolicyChange):
    """Changes what is asked for of one policy, and keeps all the rest.

    :param argument: its name or id.
    :param now: when the offset of a named zone is taken.
    :ivar plan: what it makes of the policy; None before that is known.
    """

    def __init__(
        self,
        service: PolicyService,
        argument: str,
        edit: Edit,
        now: datetime,
        limits: Limits,
    ) -> None:
        super().__init__(service, limits)
        self._argument = argument
        self._edit = edit
        self._now = now
        self.plan: Plan | None = None

    def targets(self) -> list[Target]:
        service = self._service
        [found] = find_policies(service.policies, [self._argument]).values()
        target = Target.of(self._argument, 'policy', service.source, found)
        if target.refusal is None:
            try:
                self._prepare(target)
            except (RefusedError, errors.MalformedResponse) as refusal:
                target.refusal = refusal
        return [target]

    def _prepare(self, target: Target) -> None:
        """Find out what is to be sent.

        :raises RefusedError: if nothing may be.
        :raises MalformedResponse: if the policy cannot be changed safely.
        """
        name = self._edit.name
        policy = target.resource = self._service.current(target.verified)
        if name is not None and name != policy.name:
            if self._service.is_fixed(policy):
                raise RefusedError('the default policy keeps its name')
            self._refuse_taken(list(self._service.policies.list()), name)
        changes = self._changes(policy)
        before = self._service.raw(policy)
        self.plan = Plan(
            self._described(policy, before),
            self._described(policy, expected(before, changes), name),
        )
        if not changes:
            target.settled = 'is as it is to be already'
            target.settled_as = State.UNCHANGED
        elif self._service.may_end_long_term(policy, changes):
            target.notes.append(_UNSEEN_RULES)

    def _changes(self, policy: Any) -> Mapping[str, Any]:
        """The request.

        :raises RefusedError: if the service has no such settings.
        :raises MalformedResponse: if the policy cannot be changed safely.
        """
        try:
            return self._service.changed(policy, self._edit, self._now)
        except InvalidSetting as error:
            raise RefusedError(error.message, error.hint) from error

    def _described(
        self, policy: Any, body: Mapping[str, Any], name: str | None = None
    ) -> Described:
        return Described(
            policy.id,
            name or policy.name,
            self._service.settings_of(body),
            body.get('description'),
            retention_is_told=self._service.tells_retention(body),
        )

    def send(self, target: Target, recorder: Recorder) -> Done:
        """Read once more, change, and compare.

        :raises RefusedError: if it is not any more what was read first.
        :raises ChangeFailed: if it is not afterwards what it should be.
        :raises OutcomeUnknown: if that cannot be read.
        """
        id, service = target.verified_id, self._service
        recorder.await_turn()
        policy = service.policies.get(id)
        before = service.raw(policy)
        moved = differences(service.raw(target.verified), {}, before)
        if moved:
            raise RefusedError(
                f'it was changed by somebody else meanwhile '
                f'({_said(moved)}), and nothing was sent',
                'Run the command again.',
            )
        changes = self._changes(policy)
        if self._limits.stop.is_set():
            raise NotSent('not sent: the run was interrupted')
        try:
            modified = modify(
                *(service, policy, changes, target, 'set', recorder),
                self._limits,
            )
        except errors.ServiceError as error:
            raise _explained(error) from error
        lost = modified.lost
        if modified.differs:
            if self._limits.stop.is_set():
                # Nobody has looked again: what was read may be behind.
                raise lost or errors.OutcomeUnknown(
                    errors.UnexpectedSuccess(
                        'the service accepted it, and what was read just '
                        'after does not show it yet',
                        status=0,
                        request_id=modified.request_id,
                    )
                )
            after = service.raw(modified.after)
            if lost is not None and not differences(before, {}, after):
                # It may be carried out yet.
                raise lost
            said = lost.message if lost else 'the service accepted it'
            raise ChangeFailed(
                f'{said.rstrip(".")}, but the policy is not as it should be: '
                f'{_said(modified.differs)}',
                PUT_BACK,
            )
        if lost is not None:
            recorder.settle(target, 'set')
        return Done(
            modified.request_id,
            is_final=True,
            remark=lost.remark if lost else '',
        )


def _said(found: Sequence[Difference]) -> str:
    """Differences for a message."""
    return listed([_of_field(one) for one in found], _MOST)


def _of_field(one: Difference) -> str:
    said = f'{one.path} is {brief(repr(one.after))}'
    if one.is_asked:
        return f'{said} in place of {brief(repr(one.wanted))}'
    return f'{said} and was {brief(repr(one.before))}'


def _explained(error: errors.ServiceError) -> errors.ServiceError:
    """A refusal, with a hint that only policies need."""
    if error.code != _BAD_PARAMETER:
        return error
    return error.revised(hint=MAY_NEED_ZONE)
