# SPDX-License-Identifier: Apache-2.0
"""Deleting backups of disks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.vbs import Backup, Share, VBSClient
from vbsclient.deletion.judgement import (
    Findings,
    get_surely,
    is_going,
    is_gone,
    may_be_no_route,
    send_and_judge,
)
from vbsclient.deletion.naming import merge, recognise, unique
from vbsclient.deletion.targets import (
    FEW,
    Done,
    Limits,
    Missing,
    Outcome,
    Recorder,
    Refused,
    Target,
)
from vbsclient.deletion.vbs_lookup import find_backups, get_each
from vbsclient.deletion.vbs_origin import Origins
from vbsclient.deletion.vbs_sharing import (
    Sharing,
    any_left,
    describe_share,
)
from vbsclient.deletion.wording import brief, counted, listed
from vbsclient.waiting import Seen

#: What the manual says may be deleted; the service decides.
_DELETABLE = ('available', 'error')


class BackupDeletion:
    """The rules for ``vbs backup delete``.

    :param arguments: names and ids.
    :param force: go ahead although CSBS made a backup, or it is shared.
    :param cancel_shares: cancel the shares of a backup before deleting it.
    :param known: what this run has just read of some of them, by id: these
        are not read again.
    :param origins: whether CSBS made them, as far as this run knows.
    :param sharing: their shares, as far as this run knows.
    """

    def __init__(
        self,
        vbs: VBSClient,
        csbs: CSBSClient,
        arguments: Sequence[str],
        *,
        limits: Limits,
        force: bool = False,
        cancel_shares: bool = False,
        known: Mapping[str, Backup] | None = None,
        origins: Origins | None = None,
        sharing: Sharing | None = None,
    ) -> None:
        self._vbs = vbs
        self._csbs = csbs
        self._arguments = unique(arguments)
        self._limits = limits
        self._force = force
        self._cancel_shares = cancel_shares
        self._known = known or {}
        self._origins = origins or Origins(vbs, csbs, limits)
        self._sharing = sharing or Sharing(vbs)
        self._to_cancel: dict[str, list[Share]] = {}
        self._named: set[str | None] = set()

    def targets(self) -> list[Target[Backup]]:
        """Find the backups and check each against the rules."""
        found = self._find()
        targets = [_target(a, found[a]) for a in self._arguments]
        recognise(targets, self._other_kind)
        targets = merge(targets)
        self._check([t for t in targets if t.refusal is None])
        self._named = {target.id for target in targets}
        return targets

    def _find(self) -> Findings[Backup]:
        """Look up the backups; for many, read all lists at the same time."""
        found: Findings[Backup] = dict(self._known)
        others = [a for a in self._arguments if a not in self._known]

        def find() -> None:
            found.update(find_backups(self._vbs.backups, others, self._limits))

        reads = [find]
        if len(others) > FEW and not self._force:
            if self._vbs.endpoint.version != 'v2':
                reads.append(self._origins.read_list)
            reads.append(self._sharing.read_list)
        bulk.gather(reads, stop=self._limits.stop)
        return found

    def batches(
        self, outcomes: Sequence[Outcome[Backup]]
    ) -> Iterator[Sequence[Outcome[Backup]]]:
        """All at the same time, the youngest on their way first.

        Where the cloud keeps chains together, a child goes before its
        parent; where it does not, the order costs nothing.
        """
        yield sorted(
            outcomes, key=lambda o: self.age_of(o.target), reverse=True
        )

    def delete(self, target: Target[Backup], recorder: Recorder) -> Done:
        """Cancel its shares if that was asked for, then delete it."""
        id = target.verified_id
        shares = self._to_cancel.get(id)
        if not shares:
            return self._delete(target, recorder)
        try:
            send_and_judge(
                lambda: recorder.delete(
                    target,
                    'cancel all shares',
                    lambda: self._vbs.shares.cancel_all(id),
                ),
                lambda: any_left(self._vbs.shares, id),
            )
        except errors.ClientError as error:
            error.message = f'its shares could not be cancelled, {error}'
            raise
        before = f'cancelled {counted(len(shares), "share")}'
        try:
            done = self._delete(target, recorder)
        except errors.Cancelled as error:
            raise errors.ClientError(
                f'{before}, and then the run was interrupted'
            ) from error
        except errors.ClientError as error:
            error.message = f'{error.message}; before that, {before}'
            raise
        details = [text for text in (before, done.detail) if text]
        return Done(done.request_id, done.finished, '; '.join(details))

    def _delete(self, target: Target[Backup], recorder: Recorder) -> Done:
        id = target.verified_id
        return send_and_judge(
            lambda: recorder.delete(
                target, 'delete', lambda: self._vbs.backups.delete(id)
            ),
            lambda: (
                get_surely(
                    self._vbs.backups.get, id, self._vbs.backups.demand_served
                ).status
            ),
        )

    def look(self, targets: Sequence[Target[Backup]]) -> dict[str, Seen]:
        """One look: the list for many, and a GET for what it leaves out."""
        wanted = {target.verified_id for target in targets}
        seen: dict[str, Seen] = {}
        if len(wanted) > FEW:
            for backup in self._vbs.backups.list():
                if backup.id in wanted:
                    seen[backup.id] = _seen(backup)
        absent = sorted(wanted - set(seen))
        answers = get_each(self._vbs.backups, absent, self._limits)
        if may_be_no_route(answers):
            self._vbs.backups.demand_served()
        for id, answer in answers.items():
            if isinstance(answer, Backup):
                seen[id] = _seen(answer)
            elif isinstance(answer, errors.NotFound):
                seen[id] = Seen(None)
        return seen

    def chain_of(self, target: Target[Backup]) -> str | None:
        """Backups of one volume may be built on one another."""
        return target.verified.volume_id

    def age_of(self, target: Target[Backup]) -> str:
        """The time of the backup, which sorts as text."""
        return target.verified.created_at or ''

    def seen_first(self, target: Target[Backup]) -> Seen:
        """What was seen of it before its DELETE."""
        return _seen(target.verified)

    def explain(self, outcome: Outcome[Backup]) -> None:
        """Name the backups that probably keep this one from being deleted."""
        backup, error = outcome.target.verified, outcome.error
        if (
            not isinstance(error, errors.BadRequest)
            or error.hint is not None
            or error.code is not None
            or backup.volume_id is None
        ):
            return
        if backup.status not in _DELETABLE:
            error.hint = (
                f'Its status is {backup.status}: try again when that is '
                f'done, or use --wait.'
            )
            if self._force:
                error.hint += (
                    ' --force skips checks of its own and overrules no '
                    'status: the service decides.'
                )
            return
        younger = [
            other
            for other in self._vbs.backups.list(volume_id=backup.volume_id)
            if (other.created_at or '') > (backup.created_at or '')
            and other.volume_id == backup.volume_id
            and other.id not in self._named
            and other.body.get('is_incremental') is not False
        ]
        if younger:
            shown = listed([f'{b.name} ({b.id})' for b in younger], 5)
            error.hint = (
                f'Younger backups of the same volume probably depend on it: '
                f'{shown}. Name them too, or delete them first.'
            )

    def _check(self, targets: Sequence[Target[Backup]]) -> None:
        for target in targets:
            _check_status(target)
        open_targets = [
            t for t in targets if t.refusal is None and t.settled is None
        ]
        if not self._force and open_targets:
            self._refuse_csbs(open_targets)
        open_targets = [t for t in open_targets if t.refusal is None]
        if (self._cancel_shares or not self._force) and open_targets:
            self._refuse_shared(open_targets)
        _number([t for t in open_targets if t.refusal is None])

    def _refuse_csbs(self, targets: Sequence[Target[Backup]]) -> None:
        for target in targets:
            self._origins.learn(target.verified)
        refused = self._origins.refusals([t.verified_id for t in targets])
        for target in targets:
            if target.id in refused:
                target.refusal = refused[target.id]
                target.source = 'CSBS'

    def _refuse_shared(self, targets: Sequence[Target[Backup]]) -> None:
        shares = self._sharing.of([t.verified_id for t in targets])
        for target in targets:
            given = shares.get(target.verified_id)
            if not given:
                continue
            if self._cancel_shares:
                self._to_cancel[target.verified_id] = given
                target.members = [
                    f'first cancels {describe_share(s)}' for s in given
                ]
            else:
                projects = ', '.join(str(s.to_project_id) for s in given)
                target.refusal = Refused(
                    f'it is shared with {counted(len(given), "project")}: '
                    f'{projects}',
                    'Add --cancel-shares to cancel that first, or --force.',
                )

    def _other_kind(self, id: str) -> str | None:
        try:
            share = self._vbs.shares.get(id)
            return (
                f'It is the id of a share (of backup {share.backup_id}): '
                f'use "openstack vbs share delete {id}".'
            )
        except errors.ClientError:
            pass
        try:
            self._csbs.items.get(id)
            return (
                f'It is the id of a backup of a server: use "openstack csbs '
                f'backup delete {id}".'
            )
        except errors.ClientError:
            return None


def _target(
    argument: str, found: Backup | errors.ClientError
) -> Target[Backup]:
    if isinstance(found, errors.ClientError):
        return Target(argument, 'backup', 'VBS', refusal=found)
    return Target(
        argument,
        'backup',
        'VBS',
        id=found.id,
        name=found.name,
        resource=found,
    )


def _check_status(target: Target[Backup]) -> None:
    status = target.verified.status
    if is_gone(status):
        target.refusal = Missing(f'No backup found for {target.argument!r}')
    elif is_going(status):
        target.settled = 'is being deleted already'
    elif status == 'error_deleting':
        target.refusal = Refused(
            'its deletion failed before (status error_deleting)',
            'Leave it alone and tell the operator of the cloud: that is what '
            'the manual asks for.',
        )
    elif status not in _DELETABLE:
        target.order = f'its status is {brief(status)}: the service may refuse'


def _seen(backup: Backup) -> Seen:
    return Seen(backup.status, backup.fail_reason, backup.updated_at)


def _number(targets: Sequence[Target[Backup]]) -> None:
    """Say the order within each volume, youngest first."""
    volumes: dict[str | None, list[Target[Backup]]] = {}
    for target in targets:
        volumes.setdefault(target.verified.volume_id, []).append(target)
    for volume_id, members in volumes.items():
        if volume_id is None or len(members) < 2:
            continue
        members.sort(key=lambda t: t.verified.created_at or '', reverse=True)
        for place, target in enumerate(members, 1):
            target.order = (
                f'{place} of {len(members)} of volume {volume_id}, '
                f'youngest first'
            )
