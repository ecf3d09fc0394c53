# SPDX-License-Identifier: Apache-2.0
"""The options that select server backups, and the backups they select."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from vbsclient.api.csbs import (
    CSBS_PROVIDER,
    Checkpoint,
    CheckpointGroups,
    CSBSClient,
    ServerBackup,
    ServerBackupFilter,
)
from vbsclient.api.csbs.backups import SORT_KEYS
from vbsclient.api.http import Limits
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import canonical_id
from vbsclient.lookup import kinds
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.lookup.names import only
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.lookup.server_backups import (
    find_checkpoint_ids,
    find_server_backups,
    read_all,
)
from vbsclient.osc.command import filters
from vbsclient.osc.command.clients import resources_of
from vbsclient.osc.command.list import Found, SortKey, sorted_by_service
from vbsclient.wording import quote


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that select server backups."""
    filters.add_filters(parser)
    parser.add_argument(
        '--server',
        metavar='<server>',
        help='Only backups of this server (name or ID), even if it is deleted',
    )
    parser.add_argument(
        '--policy',
        metavar='<policy>',
        help='Only backups that this policy created (ID)',
    )


def add_provider(parser: argparse.ArgumentParser) -> None:
    """Add the option of all commands that delete from CSBS."""
    parser.add_argument(
        '--provider',
        metavar='<provider>',
        type=_provider,
        default=CSBS_PROVIDER,
        help=f'Backup provider (ID), default: {CSBS_PROVIDER} (servers)',
    )


def _provider(text: str) -> str:
    if not is_uuid(text):
        raise argparse.ArgumentTypeError(f'{text!r} is not an ID (a UUID)')
    return canonical_id(text)


@dataclass(frozen=True)
class Selection:
    """What the options of :func:`add_selection` say."""

    conditions: filters.Conditions
    server_id: str | None = None
    policy_id: str | None = None
    checkpoint_id: str | None = None

    @classmethod
    def of(
        cls, parsed_args: argparse.Namespace, instance: Any, csbs: CSBSClient
    ) -> Selection:
        """Look up what is given by name.

        :raises CommandError: if there is no such server.
        :raises MissingError: if there is no such checkpoint.
        :raises RefusedError: if the policy is given by its name, which would
            select nothing.
        """
        policy = parsed_args.policy
        if policy is not None and not is_uuid(policy):
            raise RefusedError(
                f'{quote(policy)} is not the ID of a policy, and nothing can '
                f'be selected by its name'
            )
        server = parsed_args.server
        checkpoint = getattr(parsed_args, 'checkpoint', None)
        return cls(
            filters.conditions_of(parsed_args),
            server and resources_of(instance).server_id(csbs, server),
            policy,
            checkpoint and checkpoint_id_of(csbs, checkpoint),
        )

    def where(self) -> ServerBackupFilter:
        """What the service is asked for."""
        conditions = self.conditions
        return ServerBackupFilter(
            checkpoint_id=self.checkpoint_id,
            name=conditions.name,
            name_contains=conditions.name_contains,
            status=conditions.status,
            availability_zone=conditions.availability_zone,
            server_id=self.server_id,
            policy_id=self.policy_id,
            start_time=_stamp(conditions.since),
            end_time=_stamp(conditions.before),
        )

    @property
    def countable(self) -> bool:
        """Whether what the service compares exactly says everything."""
        return self.conditions.countable and self.conditions.name is None

    @property
    def lists_whole_checkpoints(self) -> bool:
        """Whether the service is asked for all backups of each checkpoint.

        What is only compared here leaves the others of it to be seen.
        """
        return set(self.where().query()) <= {'checkpoint_id', 'policy_id'}

    @property
    def hint(self) -> str | None:
        """What may be wrong if nothing is selected."""
        if self.policy_id is None:
            return None
        return (
            f'No backup of the policy {self.policy_id} is listed: check that '
            f'the policy exists.'
        )

    def match(self, backup: ServerBackup) -> bool:
        """Whether a backup is selected."""
        # The service compared the zone; not all backups show theirs.
        conditions = replace(self.conditions, availability_zone=None)
        return conditions.match(backup)

    def match_strictly(self, backup: ServerBackup) -> bool:
        """The same without trust in the service."""
        return self.conditions.match(backup)

    def ensure_policy_filter(self, csbs: CSBSClient) -> None:
        """Make sure that the service filters by policy, if one is given.

        No backup shows its policy, so that it cannot be compared here.

        :raises RefusedError: if it does not.
        """
        if self.policy_id is None:
            return
        nothing = ServerBackupFilter(policy_id=str(uuid.uuid4()))
        found = csbs.backups.list(where=nothing, page_size=1)
        if next(found, None) is not None:
            raise RefusedError(
                'this cloud does not filter by policy: it lists backups for '
                'a policy that does not exist',
                'Select by --server or --name instead.',
            )

    def backups(
        self,
        csbs: CSBSClient,
        *,
        sort: Sequence[SortKey] = (),
        marker: str | None = None,
        page_size: int,
    ) -> Found:
        """The backups to choose from, which :meth:`match` then does.

        :param sort: sent to the service where it is documented to sort.
        :param marker: sent to the service if the order is the service's.
        """
        read = partial(
            csbs.backups.list, where=self.where(), page_size=page_size
        )
        found = None
        if not sort:
            found = Found(read(marker=marker), by_service=True)
        elif all(key.field in SORT_KEYS for key in sort):
            order = ','.join(map(':'.join, sort))
            found = sorted_by_service(lambda: read(sort=order, marker=marker))
        found = found or Found(read())
        found.hint = self.hint
        return found

    def verified(
        self, csbs: CSBSClient, backups: Iterable[ServerBackup]
    ) -> Iterator[ServerBackup]:
        """The backups, once they are known to be those of the policy.

        :raises RefusedError: if the service does not filter by policy.
        """
        for number, backup in enumerate(backups):
            if number == 0:
                self.ensure_policy_filter(csbs)
            yield backup


def read_checkpoints(csbs: CSBSClient, ids: Iterable[str]) -> CheckpointGroups:
    """Read checkpoints with all their backups.

    A few are asked for one by one, many with one list of everything.
    """
    wanted = dict.fromkeys(ids)
    checkpoints = CheckpointGroups()
    if len(wanted) <= MAX_SINGLE_GETS:
        for id in wanted:
            checkpoints.add_all(read_all(csbs.backups, checkpoint_id=id))
    else:
        checkpoints.add_all(
            backup
            for backup in csbs.backups.list()
            if backup.checkpoint_id in wanted
        )
    return checkpoints


def find_backup(csbs: CSBSClient, backup: str) -> ServerBackup:
    """Find the one server backup of a name or id.

    :raises MissingError: if there is none.
    :raises RefusedError: if several have the name.
    """
    return only(find_server_backups(csbs.backups, [backup], Limits()))


def backup_id_of(csbs: CSBSClient, backup: str) -> str:
    """The id of a backup, by name or id; an id costs no request."""
    return backup if is_uuid(backup) else find_backup(csbs, backup).id


def checkpoint_id_of(csbs: CSBSClient, checkpoint: str) -> str:
    """The id of a checkpoint, by id or by the name of its backups.

    An id costs no request.

    :raises MissingError: if there is none with that name.
    :raises RefusedError: if there are several.
    """
    return only(find_checkpoint_ids(csbs.backups, [checkpoint]))


def find_checkpoint(csbs: CSBSClient, checkpoint: str) -> Checkpoint:
    """Find the one checkpoint of an id or name, with all its backups.

    :raises MissingError: if there is none.
    :raises RefusedError: if several have the name.
    """
    id = checkpoint_id_of(csbs, checkpoint)
    checkpoints = read_checkpoints(csbs, [id])
    if id in checkpoints:
        return checkpoints[id]
    raise MissingError(
        f'No checkpoint found for {checkpoint!r}',
        kinds.a_member(csbs, id, 'show'),
    )


def _stamp(time: datetime | None) -> str | None:
    return f'{time:%Y-%m-%dT%H:%M:%S.%f}' if time else None
