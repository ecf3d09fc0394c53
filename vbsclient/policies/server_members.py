# SPDX-License-Identifier: Apache-2.0
"""Which servers a policy of CSBS backs up.

What nobody asked for and is different after a change is a failure.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vbsclient.api import errors
from vbsclient.api.compute import Compute, Server
from vbsclient.api.csbs import CSBSClient, Policy, PolicyServer
from vbsclient.api.errors import Hint
from vbsclient.api.http import Limits
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import dict_or_empty, lenient_id
from vbsclient.bulk import State
from vbsclient.change.combined import CombinedRequest
from vbsclient.change.targets import (
    AbortRun,
    Change,
    Done,
    Outcome,
    Recorder,
    Target,
    merge,
)
from vbsclient.lookup.existence import LookupResult
from vbsclient.lookup.names import (
    Kind,
    foreign,
    unique,
    validate_names,
)
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.lookup.servers import find_servers
from vbsclient.policies.members import MOVE, called
from vbsclient.policies.modification import Modified, modify
from vbsclient.policies.services import CsbsPolicies
from vbsclient.schedule.comparison import Difference
from vbsclient.schedule.csbs import changed_policy
from vbsclient.schedule.values import Wanted
from vbsclient.wording import brief, counted, quote

#: What to do about a server that is in no policy any more.
PUT_BACK = 'Add it to the policy {policy} again.'

LOOK_AT_POLICY = 'Look at the policy {policy}, and correct it.'

#: What the guide says that one policy may have.
MOST_SERVERS = 64

_SERVER_TYPE = 'OS::Nova::Server'
_MEMBER = Kind('server', lambda server: str(server.id))

Rows = Sequence[Mapping[str, Any]]


def ensure_known(policy: Policy) -> None:
    """Refuse a policy whose servers cannot all be read.

    :raises RefusedError: if a list that is sent back would lack one.
    """
    if not policy.servers_are_known:
        raise RefusedError(
            f'not all servers of the policy {called(policy)} can be read, '
            f'and whatever is not sent back would leave it'
        )


def find_members(
    policy: Policy, nova: Compute, arguments: Sequence[str], limits: Limits
) -> LookupResult[PolicyServer]:
    """The server of a policy for each name or id, or why there is none.

    A server may be gone, and is in the policy all the same: an ID is not
    looked up, and a name that Nova does not know is the one that the policy
    has.
    """
    members = {server.id: server for server in policy.servers}
    valid, found = validate_names(arguments, 'server')
    named = find_servers(nova, [a for a in valid if not is_uuid(a)], limits)
    for argument in valid:
        server = named.get(argument)
        try:
            found[argument] = _member(policy, members, argument, server)
        except errors.ClientError as refusal:
            found[argument] = refusal
    return found


def _member(
    policy: Policy,
    members: Mapping[str, PolicyServer],
    argument: str,
    server: Server | errors.ClientError | None,
) -> PolicyServer:
    """The server of a policy that an argument names.

    :param server: what Nova says of a name; None for an id.
    """
    if isinstance(server, MissingError):
        former = [one for one in policy.servers if one.name == argument]
        if former:
            return _MEMBER.choose(former, argument)
    if isinstance(server, errors.ClientError):
        raise server
    id = argument if server is None else server.id
    if id not in members:
        raise MissingError(
            f'No server found for {quote(argument)} in the policy '
            f'{called(policy)}'
        )
    return members[id] if server is None else PolicyServer(id, server.name)


@dataclass(eq=False)
class _Request(CombinedRequest):
    """The PUT of a policy, with all that is to change in it.

    :ivar failures: why a server alone is not where it was to be, by its id.
    :ivar remarks: what else has come of it.
    """

    failures: dict[str, Exception] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @property
    def open_targets(self) -> list[Target]:
        """Those that nothing has failed for."""
        return [
            outcome.target
            for outcome in self.outcomes
            if outcome.target.verified_id not in self.failures
        ]

    def end_of(self, target: Target) -> Done:
        error = self.failures.get(target.verified_id) or self.error
        if error is not None:
            raise error
        return Done(
            self.request_id, is_final=True, remark='; '.join(self.remarks)
        )


def _unasked(
    differences: Sequence[Difference], named: set[str]
) -> Iterator[str]:
    """What has changed that nobody asked for.

    :param named: the servers that were to join or to leave.
    """
    for one in differences:
        if one.path != 'resources':
            yield (
                f'{one.path} was {brief(one.wanted)} and is {brief(one.after)}'
            )
            continue
        wanted, after = set(one.wanted or ()), set(one.after or ())
        for ids, verb in (
            (wanted - after, 'has left it'),
            (after - wanted, 'has joined it'),
        ):
            yield from (f'server {id} {verb}' for id in ids - named)


class ServerMembers(Change):
    """Changes which servers a policy has, with one request for all of them.

    :param nova: knows the servers.
    :param policy: the one that was named.
    :param arguments: names and ids of servers.
    :param now: this moment, in UTC.
    """

    #: What a journal calls it.
    _action: str

    def __init__(
        self,
        csbs: CSBSClient,
        nova: Compute,
        policy: Policy,
        arguments: Sequence[str],
        *,
        now: datetime,
        limits: Limits,
    ) -> None:
        self._csbs = csbs
        self._nova = nova
        self._policy = policy
        self._arguments = unique(arguments)
        self._now = now
        self._limits = limits
        self._request = _Request()
        #: What has changed that nobody asked for.
        self._unasked: list[str] = []

    @abc.abstractmethod
    def _found(self) -> LookupResult[Any]:
        """What the arguments name."""

    @abc.abstractmethod
    def _change(self, request: _Request, recorder: Recorder) -> None:
        """Send what the open targets of a request need.

        :raises Cancelled: if nothing was sent.
        :raises Exception: why it was not done for any of those.
        """

    def targets(self) -> list[Target]:
        # A list may be behind.
        self._policy = self._csbs.policies.get(self._policy.id)
        ensure_known(self._policy)
        found = self._found()
        targets = merge(
            [
                Target.of(argument, 'server', 'CSBS', found[argument])
                for argument in self._arguments
            ]
        )
        self._check([t for t in targets if not t.is_decided])
        return targets

    def _check(self, targets: Sequence[Target]) -> None:
        """Refuse what must not be sent, and settle what need not."""

    def batches(
        self, outcomes: Sequence[Outcome]
    ) -> Iterator[Sequence[Outcome]]:
        self._request.outcomes = list(outcomes)
        yield outcomes
        if self._unasked:
            raise AbortRun(
                f'something else has changed: {"; ".join(self._unasked)}',
                Hint(LOOK_AT_POLICY, policy=self._policy.id),
            )

    def send(self, target: Target, recorder: Recorder) -> Done:
        return self._request.send_once(target, lambda: self._send(recorder))

    def _send(self, recorder: Recorder) -> None:
        request = self._request
        try:
            self._change(request, recorder)
        except errors.Cancelled:
            raise
        except Exception as error:  # noqa: BLE001 - that of all its targets
            request.error = error
            request.request_id = getattr(error, 'request_id', None)

    # -- a policy is changed ----------------------------------------------

    def _update(
        self,
        policy_id: str,
        change: Callable[[Rows], Rows],
        named: set[str],
        action: str,
        recorder: Recorder,
    ) -> Modified:
        """Read a policy, change its servers, and read it again.

        :param change: makes of all its servers all that it is to have.
        :param named: those that join or leave.
        :raises OutcomeUnknown: if what has come of it cannot be told.
        """
        policies = self._csbs.policies
        before = policies.get(policy_id)
        ensure_known(before)
        sent = changed_policy(
            before.body,
            Wanted(),
            self._now,
            resources=change(before.body['resources']),
        )
        if not sent:
            return Modified(before, before)
        target = Target('', 'policy', 'CSBS', before.id, before.name)
        action = f'{action} {", ".join(sorted(named))}'
        update = modify(
            *(CsbsPolicies(self._csbs), before, sent, target, action),
            *(recorder, self._limits),
        )
        lost = update.lost
        if not update.after.servers_are_known:
            raise lost or errors.OutcomeUnknown(
                errors.UnexpectedSuccess(
                    f'the service accepted it, and not all servers of the '
                    f'policy {called(before)} can be read',
                    status=0,
                    request_id=update.request_id,
                )
            )
        if lost is not None:
            wanted = set(map(_id_of, sent['resources']))
            if (wanted ^ _server_ids(update)) & named:
                # It may be carried out yet.
                raise lost
            recorder.settle(target, action)
        self._unasked += [
            f'the policy {called(before)}: {text}'
            for text in _unasked(update.differs, named)
        ]
        return update

    def _tell(self, request: _Request, update: Modified) -> None:
        request.request_id = update.request_id
        if update.lost is not None:
            request.remarks.append(update.lost.remark)


def _server_ids(update: Modified) -> set[str]:
    """The servers that a policy has after it was changed."""
    return {server.id for server in update.after.servers}


def _without(ids: set[str]) -> Callable[[Rows], Rows]:
    """Leaves out some servers, and nothing else."""
    return lambda rows: [row for row in rows if _id_of(row) not in ids]


def _with(added: Rows) -> Callable[[Rows], Rows]:
    """Puts servers behind those that there are."""

    def put(rows: Rows) -> Rows:
        there = {_id_of(row) for row in rows}
        return [*rows, *(row for row in added if _id_of(row) not in there)]

    return put


def _id_of(row: Any) -> str | None:
    return lenient_id(dict_or_empty(row).get('id'))


class ServerRemoval(ServerMembers):
    """The rules for ``csbs policy remove server``."""

    _action = 'remove servers'

    def _found(self) -> LookupResult[Any]:
        return find_members(
            self._policy, self._nova, self._arguments, self._limits
        )

    def _change(self, request: _Request, recorder: Recorder) -> None:
        ids = {target.verified_id for target in request.open_targets}
        update = self._update(
            self._policy.id, _without(ids), ids, self._action, recorder
        )
        self._tell(request, update)
        for id in ids & _server_ids(update):
            request.failures[id] = errors.ServiceError(
                'the service accepted it, and the policy still has the server',
                status=0,
                request_id=update.request_id,
            )


class ServerAddition(ServerMembers):
    """The rules for ``csbs policy add server``.

    :param move: whether a server may leave another policy.
    """

    _action = 'add servers'

    def __init__(
        self,
        csbs: CSBSClient,
        nova: Compute,
        policy: Policy,
        arguments: Sequence[str],
        *,
        now: datetime,
        limits: Limits,
        move: bool = False,
    ) -> None:
        super().__init__(csbs, nova, policy, arguments, now=now, limits=limits)
        self._move = move
        #: The policies that servers leave, by the ids of those.
        self._holders: dict[str, list[Policy]] = {}

    def _found(self) -> LookupResult[Any]:
        return find_servers(self._nova, self._arguments, self._limits)

    def _check(self, targets: Sequence[Target]) -> None:
        if not targets:
            return
        members = {member.id for member in self._policy.servers}
        holders = self._other_policies()
        for target in targets:
            server: Server = target.verified
            if not self._nova.owns(server):
                target.refusal = foreign(server.owner, 'the server', 'use')
            elif server.id in members:
                target.settled = 'is in the policy already'
                target.settled_as = State.UNCHANGED
            elif server.id in holders:
                self._leaves(target, holders[server.id])
        self._check_room([t for t in targets if not t.is_decided])

    def _other_policies(self) -> dict[str, list[Policy]]:
        """The other policies that servers belong to, by the ids of those."""
        holders: dict[str, list[Policy]] = {}
        for policy in self._csbs.policies.list():
            if policy.id != self._policy.id:
                for server in policy.servers:
                    holders.setdefault(server.id, []).append(policy)
        return holders

    def _check_room(self, joining: Sequence[Target]) -> None:
        room = max(0, MOST_SERVERS - len(self._policy.servers))
        if len(joining) <= room:
            return
        for target in joining:
            target.refusal = RefusedError(
                f'the policy has room for {counted(room, "more server")}, '
                f'and {len(joining)} are to be added'
            )

    def _leaves(self, target: Target, holders: Sequence[Policy]) -> None:
        policies = ', '.join(map(called, holders))
        if not self._move:
            target.refusal = RefusedError(
                f'it belongs to the policy {policies}', MOVE
            )
            return
        self._holders[target.verified_id] = list(holders)
        target.notes.append(f'leaves the policy {policies}')

    def _change(self, request: _Request, recorder: Recorder) -> None:
        taken = self._take(request, recorder)
        targets = request.open_targets
        if not targets:
            return
        try:
            self._add(request, targets, recorder)
        except Exception as error:
            if not taken and not request.failures:
                raise
            for target in targets:
                request.failures[target.verified_id] = error
        for holder, rows in taken:
            self._put_back(request, holder, rows, recorder)

    def _add(
        self,
        request: _Request,
        targets: Sequence[Target],
        recorder: Recorder,
    ) -> None:
        ids = {target.verified_id for target in targets}
        update = self._update(
            self._policy.id,
            _with([row_of(target.verified) for target in targets]),
            ids,
            self._action,
            recorder,
        )
        self._tell(request, update)
        for id in ids - _server_ids(update):
            request.failures[id] = errors.ServiceError(
                'the service accepted it, and the policy does not have the '
                'server',
                status=0,
                request_id=update.request_id,
            )

    # -- a server leaves another policy -----------------------------------

    def _take(
        self, request: _Request, recorder: Recorder
    ) -> list[tuple[Policy, Rows]]:
        """Let servers leave other policies.

        :returns: which policies were changed, and the servers that left.
        :raises Cancelled: if nothing was sent.
        """
        holders: dict[str, tuple[Policy, list[Target]]] = {}
        for target in request.open_targets:
            for policy in self._holders.get(target.verified_id, ()):
                entry = holders.setdefault(policy.id, (policy, []))
                entry[1].append(target)
        taken: list[tuple[Policy, Rows]] = []
        for policy, targets in holders.values():
            ids = {t.verified_id for t in targets} - set(request.failures)
            try:
                rows = self._take_from(policy, ids, request, recorder)
            except Exception as error:
                if (
                    isinstance(error, errors.Cancelled)
                    and not taken
                    and not request.failures
                ):
                    raise
                request.failures |= dict.fromkeys(ids, error)
                continue
            left = set(map(_id_of, rows))
            for target in targets:
                if target.verified_id in left:
                    target.preceded = _joined(
                        target.preceded, f'it left the policy {called(policy)}'
                    )
            if rows:
                taken.append((policy, rows))
        return taken

    def _take_from(
        self,
        policy: Policy,
        ids: set[str],
        request: _Request,
        recorder: Recorder,
    ) -> Rows:
        """The servers that have left a policy, as that had them."""
        if not ids:
            return ()
        update = self._update(
            policy.id, _without(ids), ids, 'remove servers', recorder
        )
        for id in ids & _server_ids(update):
            request.failures[id] = errors.ServiceError(
                f'the service accepted it, and the policy {called(policy)} '
                f'still has the server',
                status=0,
                request_id=update.request_id,
            )
        return [
            row
            for row in update.before.body['resources']
            if _id_of(row) in ids - _server_ids(update)
        ]

    def _put_back(
        self,
        request: _Request,
        policy: Policy,
        rows: Rows,
        recorder: Recorder,
    ) -> None:
        """Undo that servers have left a policy that did not join this one.

        What may have joined it stays as it is.
        """
        back = {
            str(_id_of(row)): row
            for row in rows
            if _has_failed(request.failures.get(str(_id_of(row))))
        }
        if not back:
            return
        try:
            update = self._update(
                policy.id,
                _with(list(back.values())),
                set(back),
                'put servers back',
                recorder,
            )
            missing = set(back) - _server_ids(update)
            why = 'the service accepted it, and does not show it'
        except Exception as error:  # noqa: BLE001 - it is told for each
            missing, why = set(back), str(error)
        for target in request.outcomes:
            self._tell_back(
                request, target.target, policy, set(back), missing, why
            )

    def _tell_back(
        self,
        request: _Request,
        target: Target,
        policy: Policy,
        back: set[str],
        missing: set[str],
        why: str,
    ) -> None:
        id = target.verified_id
        if id not in back:
            return
        if id not in missing:
            target.preceded += ' and was put back'
            return
        target.preceded += f' and could not be put back ({why.rstrip(".")})'
        failure = request.failures[id]
        if isinstance(failure, errors.Cancelled):
            failure = errors.ClientError('it was not added: interrupted')
        if isinstance(failure, errors.ClientError):
            hint = Hint(PUT_BACK, policy=policy.id, server=id)
            request.failures[id] = failure.revised(hint=hint)


def _has_failed(error: Exception | None) -> bool:
    """Whether a server has not joined a policy, and will not."""
    return error is not None and not isinstance(error, errors.OutcomeUnknown)


def _joined(before: str, text: str) -> str:
    return f'{before}; {text}' if before else text


def row_of(server: Server) -> dict[str, Any]:
    """A server, as requests name it."""
    return {
        'id': server.id,
        'type': _SERVER_TYPE,
        'name': server.name or server.id,
    }
