# SPDX-License-Identifier: Apache-2.0
"""Which servers a policy of CSBS backs up.

What nobody asked for and is different after a change is a failure.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vbsclient.api import errors
from vbsclient.api.compute import Compute, Server
from vbsclient.api.csbs import (
    CSBSClient,
    Policies,
    Policy,
    PolicyServer,
)
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
from vbsclient.lookup.existence import LookupResult, is_gone
from vbsclient.lookup.names import (
    Kind,
    foreign,
    unique,
    validate_names,
)
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.lookup.servers import find_servers
from vbsclient.policies.members import MOVE, MOVE_UNKNOWN, called
from vbsclient.policies.modification import Modified, modify
from vbsclient.policies.services import CsbsPolicies
from vbsclient.schedule.comparison import Difference
from vbsclient.schedule.csbs import changed_policy, current_operation
from vbsclient.schedule.values import Wanted
from vbsclient.wording import brief, counted, quote

#: What to do about a server that is in no policy any more.
PUT_BACK = 'Add it to the policy {policy} again.'
#: The same where it is not known in which policy it is.
LOOK_AT_BOTH = (
    'Look at the policies {policy} and {other}: if the first does not have '
    'it, add it to the other one again.'
)

LOOK_AT_POLICY = 'Look at the policy {policy}, and correct it.'

#: What the guide says that one policy may have.
MOST_SERVERS = 64

_SERVER_TYPE = 'OS::Nova::Server'
_MEMBER = Kind('server', lambda server: str(server.id))

Rows = Sequence[Mapping[str, Any]]


def ensure_changeable(policies: Policies, policy: Policy) -> None:
    """Refuse a policy that nothing may be sent for.

    :raises RefusedError: if it is another project's, if a list that is sent
        back would lack a server, or if a request would enable it.
    """
    if not policies.owns(policy):
        raise foreign(policy.owner, f'the policy {called(policy)}', 'change')
    try:
        current_operation(policy.body)
    except errors.MalformedResponse as error:
        raise RefusedError(f'{called(policy)}: {error.message}') from error
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
    named = _find_each(nova, [a for a in valid if not is_uuid(a)], limits)
    for argument in valid:
        server = named.get(argument)
        try:
            member = _member(policy, members, argument, server)
            if isinstance(server, MissingError):
                _ensure_former(nova, member)
            found[argument] = member
        except errors.ClientError as refusal:
            found[argument] = refusal
    return found


def _find_each(
    nova: Compute, arguments: Sequence[str], limits: Limits
) -> LookupResult[Server]:
    """The same as of :func:`find_servers`, where Nova may refuse some.

    What it says of names is no reason to give up ids.
    """
    found: LookupResult[Server] = {}
    ids = [argument for argument in arguments if is_uuid(argument)]
    names = [argument for argument in arguments if not is_uuid(argument)]
    for group in (ids, names):
        try:
            found |= find_servers(nova, group, limits)
        except errors.Unauthorized:
            raise
        except (
            errors.ServiceError,
            errors.MalformedResponse,
            errors.AmbiguousListing,
        ) as error:
            found |= dict.fromkeys(group, error)
    return found


def _ensure_former(nova: Compute, member: PolicyServer) -> None:
    """Refuse a name that a policy has for a server of another name.

    :raises RefusedError: if the server is there, and is called otherwise.
    :raises ClientError: if that cannot be read.
    """
    try:
        server = nova.server(member.id)
    except errors.NotFound:
        return
    if server.name != member.name and not is_gone(server.status):
        raise RefusedError(
            f'the server {member.id} is called {brief(server.name)} now',
            'Name it by its ID, if it is the one that you mean.',
        )


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
        ensure_changeable(self._csbs.policies, self._policy)
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
        recorder.await_turn()
        before = policies.get(policy_id)
        ensure_changeable(policies, before)
        rows = change(before.body['resources'])
        wanted = set(map(_id_of, rows))
        sent = changed_policy(before.body, Wanted(), self._now, resources=rows)
        if not sent:
            unchanged = Modified(before, before)
            if (wanted ^ _server_ids(unchanged)) & named:
                raise _of_another_type(before)
            return unchanged
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
        is_undone = (wanted ^ _server_ids(update)) & named
        if lost is not None:
            if is_undone:
                # It may be carried out yet.
                raise lost
            recorder.settle(target, action)
        self._unasked += [
            f'the policy {called(before)}: {text}'
            for text in _unasked(update.differs, named)
        ]
        answered = update.answered
        if is_undone and answered is not None and answered.servers_are_known:
            said = {server.id for server in answered.servers}
            if not (wanted ^ said) & named:
                # What is read may be behind.
                raise errors.OutcomeUnknown(
                    errors.ContradictoryAnswer(
                        f'the service accepted it, and the policy '
                        f'{called(before)} does not show it',
                        status=0,
                        request_id=update.request_id,
                    )
                )
        return update

    def _tell(self, request: _Request, update: Modified) -> None:
        request.request_id = update.request_id
        if update.lost is not None:
            request.remarks.append(update.lost.remark)


def _of_another_type(policy: Policy) -> RefusedError:
    """The refusal of an id that a policy has, and not as a server."""
    return RefusedError(
        f'the policy {called(policy)} has it as something else than a server'
    )


@dataclass(frozen=True)
class Holders:
    """Which policies have a server, whatever type they say that it is.

    :ivar by_server: by the id of the server.
    :ivar unreadable: those that may have any.
    """

    by_server: Mapping[str, Sequence[Policy]]
    unreadable: Sequence[Policy]

    @property
    def doubt(self) -> str:
        """Why it is not known of a server that no policy shows."""
        return (
            f'whether it belongs to another policy is unknown: not all '
            f'servers of the policy {called(self.unreadable[0])} can be read'
        )


def holders_in(
    policies: Iterable[Policy], read: Callable[[str], Policy]
) -> Holders:
    """The policies that servers belong to.

    :param policies: as a list has them, which need not show all.
    :param read: reads one alone.
    """
    by_server: dict[str, list[Policy]] = {}
    unreadable = []
    for policy in policies:
        if not policy.servers_are_known:
            try:
                policy = read(policy.id)
            except errors.Unauthorized:
                raise
            except (errors.ServiceError, errors.MalformedResponse):
                pass
        if not policy.servers_are_known:
            unreadable.append(policy)
        for id in _row_ids(policy):
            if id is not None:
                by_server.setdefault(id, []).append(policy)
    return Holders(by_server, unreadable)


def _row_ids(policy: Policy) -> set[str | None]:
    """The ids of all that a policy has, of any type."""
    rows = policy.body.get('resources')
    return {_id_of(row) for row in rows} if isinstance(rows, list) else set()


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
        return _find_each(self._nova, self._arguments, self._limits)

    def _check(self, targets: Sequence[Target]) -> None:
        if not targets:
            return
        members = {member.id for member in self._policy.servers}
        holders = holders_in(
            (p for p in self._csbs.policies.list() if p.id != self._policy.id),
            self._csbs.policies.get,
        )
        for target in targets:
            server: Server = target.verified
            if not self._nova.owns(server):
                target.refusal = foreign(server.owner, 'the server', 'use')
            elif server.id in members:
                target.settled = 'is in the policy already'
                target.settled_as = State.UNCHANGED
            elif server.id in _row_ids(self._policy):
                target.refusal = _of_another_type(self._policy)
            elif server.id in holders.by_server:
                self._leaves(target, holders.by_server[server.id])
            elif holders.unreadable and not self._move:
                target.refusal = RefusedError(holders.doubt, MOVE_UNKNOWN)
        self._check_room([t for t in targets if not t.is_decided])

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
        for policy in holders:
            if not self._csbs.policies.owns(policy):
                target.refusal = foreign(
                    policy.owner, f'its policy {called(policy)}', 'change'
                )
                return
        if not self._move:
            target.refusal = RefusedError(
                f'it belongs to the policy {policies}', MOVE
            )
            return
        try:
            for policy in holders:
                ensure_changeable(self._csbs.policies, policy)
                if target.verified_id not in {s.id for s in policy.servers}:
                    raise _of_another_type(policy)
        except RefusedError as refusal:
            target.refusal = refusal
            return
        self._holders[target.verified_id] = list(holders)
        target.notes.append(f'leaves the policy {policies}')

    def _change(self, request: _Request, recorder: Recorder) -> None:
        taken = self._take(request, recorder)
        targets = request.open_targets
        try:
            if targets:
                self._add(request, targets, recorder)
        except Exception as error:
            if not taken and not request.failures:
                raise
            holders = {_id_of(row): one for one, rows in taken for row in rows}
            for target in targets:
                id = target.verified_id
                request.failures[id] = (
                    self._may_be_nowhere(error, holders[id], id)
                    if isinstance(error, errors.OutcomeUnknown)
                    and id in holders
                    else error
                )
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

    def _look(self, policy: Policy, id: str) -> Hint:
        return Hint(
            LOOK_AT_BOTH, policy=self._policy.id, other=policy.id, server=id
        )

    def _may_be_nowhere(
        self, error: errors.OutcomeUnknown, policy: Policy, id: str
    ) -> errors.OutcomeUnknown:
        """Say of a server that left a policy where it may be."""
        refusal = error.refusal.revised(hint=self._look(policy, id))
        return errors.OutcomeUnknown(refusal, error.read_error)

    def _not_taken(
        self, error: Exception, policy: Policy, id: str
    ) -> Exception:
        """Why a server was not added, which may have left its policy."""
        if not isinstance(error, errors.OutcomeUnknown):
            return error
        why = error.message.rstrip('.')
        if error.read_error is not None:
            why += f', and the policy cannot be read ({error.read_error})'
        return errors.ClientError(
            f'it was not added, and may have left the policy '
            f'{called(policy)}: {why}',
            self._look(policy, id),
        )

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
            for target in targets:
                target.left.append(policy.id)
                # Read while its request is under way.
                target.notes[:] = [
                    f'may have left the policy {called(policy)}, and may be '
                    f'in no policy now'
                ]
            try:
                rows = self._take_from(policy, ids, request, recorder)
            except Exception as error:
                if (
                    isinstance(error, errors.Cancelled)
                    and not taken
                    and not request.failures
                ):
                    raise
                request.failures |= {
                    id: self._not_taken(error, policy, id) for id in ids
                }
                continue
            left = set(map(_id_of, rows))
            for target in targets:
                if target.verified_id in left:
                    target.preceded = _joined(
                        target.preceded, f'it left the policy {called(policy)}'
                    )
                    target.notes[:] = [
                        f'{target.preceded}, and may be in no policy now'
                    ]
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
            hint = (
                Hint(PUT_BACK, policy=policy.id, server=id)
                if self._is_in_none(id)
                else self._look(policy, id)
            )
            request.failures[id] = failure.revised(hint=hint)

    def _is_in_none(self, id: str) -> bool:
        """Whether reading shows a server in no policy that it was to leave."""
        try:
            read = [
                self._csbs.policies.get(one.id)
                for one in (self._policy, *self._holders[id])
            ]
        except errors.ClientError:
            return False
        return all(
            one.servers_are_known and id not in _row_ids(one) for one in read
        )


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
