# SPDX-License-Identifier: Apache-2.0
"""Sharing backups with other projects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from vbsclient.api import errors
from vbsclient.api.http import Handle, Limits, Receipt
from vbsclient.api.vbs import Backup, Share, VBSClient
from vbsclient.bulk import State
from vbsclient.change.combined import CombinedRequest
from vbsclient.change.targets import (
    Change,
    Done,
    Outcome,
    Recorder,
    Target,
)
from vbsclient.creation import base
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.labels import VolumeLabel, no_label
from vbsclient.lookup.names import foreign, unique
from vbsclient.lookup.refusals import RefusedError
from vbsclient.lookup.sharing import by_backup, read_shares
from vbsclient.lookup.volume_backups import find_backups
from vbsclient.wording import brief


@dataclass(eq=False)
class _Request(CombinedRequest):
    """The one POST of a backup, with all its new projects.

    :ivar is_unread: whether it was accepted, and what it has made is neither
        told nor to be read.
    :ivar share_ids: of the shares that there are after it, by project.
    """

    project_ids: list[str] = field(default_factory=list)
    is_unread: bool = False
    share_ids: dict[str, str] = field(default_factory=dict)

    def end_of(self, target: Target) -> Done:
        wanted: SharedWith = target.verified
        share_id = self.share_ids.get(wanted.project_id)
        if share_id is None:
            raise self.error or self._not_made(wanted.project_id)
        target.handle = Handle(share_id=share_id)
        unknown = self.error
        return Done(
            self.request_id,
            is_final=True,
            remark=(
                unknown.remark
                if isinstance(unknown, errors.OutcomeUnknown)
                else ''
            ),
        )

    def _not_made(self, project_id: str) -> errors.ClientError:
        """Why one that was accepted has made no share with a project."""
        if self.is_unread:
            return errors.OutcomeUnknown(
                errors.UnexpectedSuccess(
                    f'the service accepted the request and does not say '
                    f'whether it shared it with {project_id}',
                    status=200,
                    request_id=self.request_id,
                )
            )
        return errors.ClientError(
            f'the service accepted the request and did not share it with '
            f'{project_id}',
            'Check that this is the ID of a project.',
        )


@dataclass(frozen=True)
class SharedWith:
    """The project that a backup is to be shared with.

    :ivar project_name: None if it is not known.
    """

    project_id: str
    project_name: str | None = None


class ShareCreation(Change):
    """The rules for ``vbs share create``.

    A target is one backup with one project; the targets of one backup go
    with one request.

    :param arguments: names and ids of backups.
    :param projects: names by the ids of the projects; None where the name is
        not known.
    :param label: how people call a volume.
    """

    def __init__(
        self,
        vbs: VBSClient,
        arguments: Sequence[str],
        projects: Mapping[str, str | None],
        *,
        limits: Limits,
        label: VolumeLabel = no_label,
    ) -> None:
        self._vbs = vbs
        self._arguments = unique(arguments)
        self._projects = projects
        self._limits = limits
        self._label = label
        self._requests: dict[str, _Request] = {}

    def targets(self) -> list[Target]:
        own = self._vbs.shares.project_id
        if own in self._projects:
            raise RefusedError(
                f'the project {own} is the one that has the backups',
                'Name another project to share them with.',
            )
        found = find_backups(
            self._vbs.backups, self._arguments, self._limits, self._label
        )
        backups = {
            one.id: one for one in found.values() if isinstance(one, Backup)
        }
        shares = self._shares_of(list(backups))
        targets = []
        for argument in self._arguments:
            backup = found[argument]
            if isinstance(backup, errors.ClientError):
                targets += [
                    Target(
                        argument,
                        'share',
                        'VBS',
                        resource=SharedWith(project_id, name),
                        refusal=backup,
                    )
                    for project_id, name in self._projects.items()
                ]
            elif backups.pop(backup.id, None) is not None:
                targets += self._targets(
                    argument, backup, shares.get(backup.id, ())
                )
        return targets

    def batches(
        self, outcomes: Sequence[Outcome]
    ) -> Iterator[Sequence[Outcome]]:
        for outcome in outcomes:
            request = self._requests[outcome.target.verified_id]
            request.outcomes.append(outcome)
        yield outcomes

    def send(self, target: Target, recorder: Recorder) -> Done:
        request = self._requests[target.verified_id]
        return request.send_once(
            target, lambda: self._send(request, target, recorder)
        )

    def _send(
        self, request: _Request, target: Target, recorder: Recorder
    ) -> None:
        """Send the one request of a backup, and compare what came of it."""
        backup_id = target.verified_id
        made: list[Share] = []

        def share() -> Receipt:
            shares, receipt = self._vbs.shares.create(
                backup_id, request.project_ids
            )
            made.extend(shares)
            return receipt

        projects = ', '.join(request.project_ids)
        try:
            receipt = recorder.record(target, f'share with {projects}', share)
            request.request_id = receipt.request_id
        except errors.Cancelled:
            raise
        except errors.OutcomeUnknown as unknown:
            request.error = unknown
            request.request_id = unknown.request_id
        except Exception as error:  # noqa: BLE001 - that of all its targets
            request.error = error
            return
        request.share_ids = _ids_by_project(made)
        self._look_for_missing(request, backup_id)

    def _look_for_missing(self, request: _Request, backup_id: str) -> None:
        """What did not come back may be there all the same."""
        wanted = set(request.project_ids)
        for pause in base.LOOKS:
            if wanted <= request.share_ids.keys():
                return
            if self._limits.stop.wait(pause):
                break
            listed = suppress_errors(
                lambda: list(self._vbs.shares.list(backup_id=backup_id))
            )
            request.is_unread = listed is None
            request.share_ids |= _ids_by_project(listed or ())
        if request.error is None and not request.share_ids:
            request.error = errors.OutcomeUnknown(
                errors.ClientError(
                    'the service accepted the request, and shows no share'
                )
            )

    # -- what is checked before -----------------------------------------

    def _shares_of(
        self, backup_ids: Sequence[str]
    ) -> Mapping[str, list[Share]]:
        """The shares that there are, by the ids of the backups."""
        if len(backup_ids) > MAX_SINGLE_GETS:
            return by_backup(read_shares(self._vbs.shares))
        return {
            id: list(read_shares(self._vbs.shares, id)) for id in backup_ids
        }

    def _targets(
        self, argument: str, backup: Backup, shares: Sequence[Share]
    ) -> list[Target]:
        existing = _ids_by_project(shares)
        request = self._requests[backup.id] = _Request()
        targets = []
        for project_id, name in self._projects.items():
            target = Target(
                argument,
                'share',
                'VBS',
                id=backup.id,
                name=backup.name,
                resource=SharedWith(project_id, name),
                refusal=self._refusal(backup),
                aspect=f'with project {name or project_id}',
            )
            if target.refusal is None and project_id in existing:
                target.handle = Handle(share_id=existing[project_id])
                target.settled = 'is shared with this project already'
                target.settled_as = State.UNCHANGED
            if not target.is_decided:
                request.project_ids.append(project_id)
            targets.append(target)
        return targets

    def _refusal(self, backup: Backup) -> RefusedError | None:
        if not self._vbs.backups.owns(backup):
            return foreign(backup.owner, verb='share')
        if backup.status != 'available':
            return RefusedError(
                f'its status is {brief(backup.status)}: only a backup that is '
                f'available can be shared'
            )
        return None


def _ids_by_project(shares: Iterable[Share]) -> dict[str, str]:
    return {
        share.to_project_id: share.id
        for share in shares
        if share.to_project_id
    }
