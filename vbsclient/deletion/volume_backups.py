# SPDX-License-Identifier: Apache-2.0
"""Deleting volume backups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from vbsclient import bulk
from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.errors import Hint
from vbsclient.api.http import Limits
from vbsclient.api.vbs import Backup, Share, VBSClient
from vbsclient.change.targets import (
    Change,
    Done,
    Outcome,
    Recorder,
    Target,
    VerifyAgain,
    merge,
    suggest_command,
)
from vbsclient.change.verify import delete_and_verify
from vbsclient.lookup import kinds
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    LookupResult,
    is_going,
    is_gone,
    seen_in,
)
from vbsclient.lookup.labels import VolumeLabel, no_label
from vbsclient.lookup.names import foreign, unique
from vbsclient.lookup.origin import Origins
from vbsclient.lookup.refusals import (
    MissingError,
    RefusedError,
    UnverifiedError,
)
from vbsclient.lookup.sharing import (
    Sharing,
    describe_share,
    read_shares,
)
from vbsclient.lookup.sharing import existence_of as existence_of_shares
from vbsclient.lookup.volume_backups import (
    existence_of,
    find_backups,
    keeps_chains,
    status_of,
)
from vbsclient.waiting import ResourceStatus
from vbsclient.wording import brief, counted, listed

# What to do about a backup that is shared, or busy.
IS_SHARED = 'Cancel its shares first, or force it.'
BUSY = 'Its status is {status}: try again when that is done, or wait.'
FORCED_AND_BUSY = f'{BUSY} No force overrules a status: the service decides.'

#: What the manual says may be deleted; the service decides.
_DELETABLE = ('available', 'error')

_FORCED = 'whether CSBS made it, or it is shared, is not checked'

_SINCE = ' since this run looked'


class VolumeBackupDeletion(Change):
    """The rules for ``vbs backup delete``.

    :param arguments: names and ids.
    :param force: go ahead although CSBS made a backup, or it is shared.
    :param cancel_shares: cancel the shares of a backup before deleting it.
    :param known: what this run has just read of some of them, by id: these
        are not read again.
    :param origins: whether CSBS made them, as far as this run knows.
    :param sharing: their shares, as far as this run knows.
    :param again: these were sent before: their shares were canceled then,
        and what is shared now is refused.
    :param confirm: called with the id before anything is sent for it; raises
        if that must not be.
    :param label: how people call a volume.
    :param verify_again: checks what is to be sent again, if a rule chose it.
    """

    is_repeatable = True

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
        again: bool = False,
        confirm: Callable[[str], None] | None = None,
        verify_again: VerifyAgain | None = None,
        label: VolumeLabel = no_label,
    ) -> None:
        self._label = label
        self._vbs = vbs
        self._csbs = csbs
        self._arguments = unique(arguments)
        self._limits = limits
        self._force = force
        self._cancel_shares = cancel_shares
        self._known = known or {}
        self._origins = origins or Origins(vbs, csbs, limits)
        self._sharing = sharing or Sharing(vbs)
        self._again = again
        self._confirm = confirm
        self._verify_again = verify_again
        #: What is shared and to be canceled, until that was tried.
        self._to_cancel: dict[str, list[Share]] = {}
        self._named: set[str | None] = set()

    def targets(self) -> list[Target]:
        found = self._find()
        targets = [
            Target.of(a, 'backup', 'VBS', found[a]) for a in self._arguments
        ]
        suggest_command(
            targets,
            partial(kinds.a_share, self._vbs),
            partial(kinds.a_server_backup, self._csbs),
            partial(kinds.a_checkpoint, self._csbs),
        )
        targets = merge(targets)
        self._check([t for t in targets if t.refusal is None])
        self._named = {target.id for target in targets}
        return targets

    def _find(self) -> LookupResult[Backup]:
        """Look up the backups; for many, read all lists at the same time."""
        found: LookupResult[Backup] = dict(self._known)
        others = [a for a in self._arguments if a not in self._known]

        def find() -> None:
            found.update(
                find_backups(
                    self._vbs.backups, others, self._limits, self._label
                )
            )

        reads = [find]
        if len(others) > MAX_SINGLE_GETS and not self._force:
            if self._vbs.endpoint.version != 'v2':
                reads.append(self._origins.read_list)
            reads.append(self._sharing.read_list)
        bulk.gather(reads, self._limits)
        return found

    def batches(
        self, outcomes: Sequence[Outcome]
    ) -> Iterator[Sequence[Outcome]]:
        """All at the same time, the youngest first.

        Where the cloud keeps chains together, a child goes before its
        parent; where it does not, the order costs nothing.
        """
        yield sorted(
            outcomes, key=lambda o: self.age_of(o.target), reverse=True
        )

    def send(self, target: Target, recorder: Recorder) -> Done:
        id = target.verified_id
        if self._confirm is not None:
            self._confirm(id)
        # Once: shares that are added later were not confirmed.
        shares = self._to_cancel.pop(id, None)
        try:
            if shares:
                self._cancel(target, shares, recorder)
                self._refuse_what_remains(id, shares)
            existence = existence_of(self._vbs.backups, {id: target.verified})
            return delete_and_verify(
                recorder,
                target,
                'delete',
                partial(self._vbs.backups.delete, id),
                partial(existence.status_now, id),
                limits=self._limits,
            )
        except errors.Cancelled as error:
            if not target.preceded:
                raise
            # Something was changed: "not sent" would be a lie.
            raise errors.ClientError('the run was interrupted') from error

    def _cancel(
        self, target: Target, shares: Sequence[Share], recorder: Recorder
    ) -> None:
        """Cancel the shares that were seen, each by its own id."""
        existence = existence_of_shares(self._vbs.shares, shares)
        for count, share in enumerate(shares, 1):
            one = Target(
                share.id, 'share', 'VBS', id=share.id, name=target.name
            )
            try:
                delete_and_verify(
                    recorder,
                    one,
                    'cancel share',
                    partial(self._vbs.shares.cancel, share.id),
                    partial(existence.status_now, share.id),
                    limits=self._limits,
                )
            except errors.OutcomeUnknown as error:
                # Of the backup itself it is certain: it was not sent.
                raise errors.ClientError(
                    f'whether its shares were canceled is unknown, {error}, '
                    f'so that it was not deleted',
                    error.hint,
                ) from error
            except errors.Cancelled:
                raise
            except errors.ClientError as error:
                raise error.revised(
                    f'its shares could not be canceled, {error}'
                ) from error
            target.preceded = f'canceled {counted(count, "share")}'

    def _refuse_what_remains(self, id: str, shares: Sequence[Share]) -> None:
        """Check that no share is left, and that none was added.

        :raises RefusedError: if there is one, or if it cannot be known.
        """
        try:
            left = list(read_shares(self._vbs.shares, id))
        except errors.Cancelled:
            raise
        except errors.ClientError as error:
            raise UnverifiedError(
                f'whether it is still shared could not be read '
                f'({error.message})',
                'It was not deleted.',
            ) from error
        known = {share.id for share in shares}
        new = [share for share in left if share.id not in known]
        if new:
            raise _shared(new, since=_SINCE)
        if left:
            raise _shared(left, verb='is still')

    def verify_again(self, ids: Sequence[str]) -> list[Target]:
        if self._verify_again is not None:
            return self._verify_again(ids)
        return VolumeBackupDeletion(
            self._vbs,
            self._csbs,
            ids,
            limits=self._limits,
            force=self._force,
            cancel_shares=self._cancel_shares,
            sharing=self._sharing.again(),
            again=True,
        ).targets()

    def poll(self, targets: Sequence[Target]) -> dict[str, ResourceStatus]:
        known = {t.verified_id: t.verified for t in targets}
        many = len(known) > MAX_SINGLE_GETS
        answers = existence_of(self._vbs.backups, known).of(
            sorted(known),
            self._limits,
            rows=self._vbs.backups.list() if many else (),
            unlisted=many,
        )
        return seen_in(answers, status_of)

    def initial_status(self, target: Target) -> ResourceStatus:
        return status_of(target.verified)

    def identity_of(self, target: Target) -> Mapping[str, object]:
        backup: Backup = target.verified
        return {
            'name': backup.name,
            'volume': backup.volume_id,
            'creation time': backup.created_at,
        }

    def chain_of(self, target: Target) -> str | None:
        backup: Backup = target.verified
        return backup.volume_id

    def age_of(self, target: Target) -> str:
        backup: Backup = target.verified
        return backup.created_at or ''

    def explain(self, error: errors.BadRequest, target: Target) -> str | None:
        backup: Backup = target.verified
        if backup.volume_id is None:
            return None
        if backup.status not in _DELETABLE:
            return Hint(
                FORCED_AND_BUSY if self._force else BUSY, status=backup.status
            )
        younger = [
            f'{other.name} ({other.id})'
            for other in self._vbs.backups.list(volume_id=backup.volume_id)
            if (other.created_at or '') > (backup.created_at or '')
            and other.volume_id == backup.volume_id
            and other.id not in self._named
            and other.body.get('is_incremental') is not False
        ]
        if not younger:
            return None
        # What a rule keeps is not to be deleted for it.
        advice = (
            'It can be deleted once they are gone.'
            if self._known
            else 'Name them too, or delete them first.'
        )
        return (
            f'Younger backups of the same volume probably depend on it: '
            f'{listed(younger, 5)}. {advice}'
        )

    # -- what is checked before -----------------------------------------

    def _check(self, targets: Sequence[Target]) -> None:
        for target in targets:
            _check_status(target)
            if not self._vbs.backups.owns(target.verified):
                target.refusal = target.refusal or foreign(
                    target.verified.owner
                )
        open_targets = _undecided(targets)
        if self._force:
            for target in open_targets:
                target.notes.append(_FORCED)
        if not self._force and open_targets:
            self._refuse_csbs(open_targets)
        open_targets = _undecided(open_targets)
        if (self._cancel_shares or not self._force) and open_targets:
            self._refuse_shared(open_targets)
        open_targets = _undecided(open_targets)
        _number(open_targets)
        if keeps_chains(
            self._vbs,
            has_marks=any(
                'service_metadata' in t.verified.body for t in targets
            ),
            has_shares=self._sharing.is_offered,
        ):
            _expect_refusals(open_targets)

    def _refuse_csbs(self, targets: Sequence[Target]) -> None:
        for target in targets:
            self._origins.learn(target.verified)
        refused = self._origins.refusals([t.verified_id for t in targets])
        for target in targets:
            if target.id in refused:
                target.refusal = refused[target.id]
                unknown = isinstance(target.refusal, UnverifiedError)
                target.source = '' if unknown else 'CSBS'

    def _refuse_shared(self, targets: Sequence[Target]) -> None:
        shares = self._sharing.of([t.verified_id for t in targets])
        for target in targets:
            given = shares.get(target.verified_id)
            if not given:
                continue
            if self._again:
                target.refusal = _shared(given, since=_SINCE)
            elif self._cancel_shares:
                self._to_cancel[target.verified_id] = given
                target.members = [
                    f'first cancels {describe_share(s)}' for s in given
                ]
            else:
                target.refusal = _shared(
                    given,
                    IS_SHARED,
                )


def _undecided(targets: Iterable[Target]) -> list[Target]:
    return [target for target in targets if not target.is_decided]


def _check_status(target: Target) -> None:
    status = target.verified.status
    if is_gone(status):
        target.refusal = MissingError(
            f'No backup found for {target.argument!r}'
        )
    elif is_going(status):
        target.settled = 'is being deleted already'
    elif status == 'error_deleting':
        target.refusal = RefusedError(
            'its deletion failed before (status error_deleting)',
            'Leave it alone and tell the operator of the cloud: that is what '
            'the manual asks for.',
        )
    elif status not in _DELETABLE:
        target.notes.append(
            f'its status is {brief(status)}: the service may refuse'
        )


def _by_volume(
    targets: Iterable[Target],
) -> Iterator[tuple[str, list[Target]]]:
    """The targets of each known volume, youngest first."""
    volumes: dict[str, list[Target]] = {}
    for target in targets:
        if target.verified.volume_id is not None:
            volumes.setdefault(target.verified.volume_id, []).append(target)
    for volume_id, members in volumes.items():
        members.sort(key=_created, reverse=True)
        yield volume_id, members


def _number(targets: Sequence[Target]) -> None:
    """Say the order within each volume, youngest first."""
    for volume_id, members in _by_volume(targets):
        if len(members) < 2:
            continue
        for place, target in enumerate(members, 1):
            target.notes.append(
                f'{place} of {len(members)} of volume {volume_id}, '
                f'youngest first'
            )


def _expect_refusals(targets: Sequence[Target]) -> None:
    """Say what a service will refuse that keeps chains together.

    It tells itself of which backups increments depend.  Those are no older:
    where none of them goes, what they depend on cannot go either.
    """
    for _, members in _by_volume(targets):
        going = list(members)
        for target in members:
            if target.verified.body.get('has_dependent_backups') is True and (
                not any(
                    other is not target and _created(other) >= _created(target)
                    for other in going
                )
            ):
                going.remove(target)
                target.expected = (
                    'the service would refuse it: increments depend on it '
                    'that are not named, or would stay'
                )


def _created(target: Target) -> str:
    return target.verified.created_at or ''


def _shared(
    shares: Sequence[Share],
    hint: str = 'It was not deleted: ask those projects first.',
    *,
    verb: str = 'is',
    since: str = '',
) -> RefusedError:
    projects = ', '.join(str(share.to_project_id) for share in shares)
    return RefusedError(
        f'it {verb} shared with {counted(len(shares), "project")}{since}: '
        f'{projects}',
        hint,
    )
