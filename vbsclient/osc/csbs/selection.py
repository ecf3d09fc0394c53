# SPDX-License-Identifier: Apache-2.0
"""The options that select server backups, and the backups they select."""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
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
from vbsclient.lookup.policies import find_policy
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.lookup.server_backups import (
    find_checkpoint_ids,
    find_server_backups,
)
from vbsclient.osc.command import filters
from vbsclient.osc.command.clients import resources_of
from vbsclient.osc.command.list import (
    Found,
    SortKey,
    newest_first,
    sorted_by_service,
)


def add_selection(parser: argparse.ArgumentParser) -> None:
    """Add the options that select server backups."""
    filters.add_filters(parser)
    parser.add_argument(
        '--server',
        metavar='<server>',
        action='append',
        help=(
            'Only backups of this server (name or ID), even if it is deleted; '
            'repeat for several'
        ),
    )
    parser.add_argument(
        '--policy',
        metavar='<policy>',
        action='append',
        help=(
            'Only backups that this policy created (name or ID); repeat for '
            'several'
        ),
    )
    parser.add_argument(
        '--tag',
        metavar='<key>[=<value>]',
        action='append',
        help='Only backups with this tag; repeat for several: all must fit',
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
    """What the options of :func:`add_selection` say.

    :ivar server_ids: of one of these servers; empty for all.
    :ivar policy_ids: made by one of these policies; empty for all.
    :ivar tags: with all of these, ``key`` or ``key=value``.
    :ivar all_projects: of all projects: no backup tells whose it is.
    """

    conditions: filters.Conditions
    server_ids: frozenset[str] = frozenset()
    policy_ids: frozenset[str] = frozenset()
    checkpoint_id: str | None = None
    tags: frozenset[str] = frozenset()
    all_projects: bool = False

    @classmethod
    def of(
        cls, parsed_args: argparse.Namespace, instance: Any, csbs: CSBSClient
    ) -> Selection:
        """Look up what is given by name.

        :raises CommandError: if there is no such server.
        :raises MissingError: if there is no such checkpoint or policy.
        :raises RefusedError: if there are several.
        """
        resources = resources_of(instance)
        checkpoint = getattr(parsed_args, 'checkpoint', None)
        return cls(
            filters.conditions_of(parsed_args),
            frozenset(
                resources.server_id(csbs, server)
                for server in parsed_args.server or ()
            ),
            frozenset(
                policy_id_of(csbs, policy)
                for policy in parsed_args.policy or ()
            ),
            checkpoint and checkpoint_id_of(csbs, checkpoint),
            frozenset(parsed_args.tag or ()),
            getattr(parsed_args, 'all_projects', False),
        )

    def wheres(self) -> Sequence[ServerBackupFilter]:
        """What the service is asked for, once for each policy.

        No backup shows its policy, so that it cannot be compared here.
        """
        where = self.where()
        each = [replace(where, policy_id=id) for id in sorted(self.policy_ids)]
        return each or [where]

    def where(self) -> ServerBackupFilter:
        """What the service is asked for, but for the policies."""
        conditions = self.conditions
        return ServerBackupFilter(
            checkpoint_id=self.checkpoint_id,
            name=conditions.name,
            name_contains=conditions.name_contains,
            status=conditions.status,
            availability_zone=conditions.availability_zone,
            server_id=filters.only_one(self.server_ids),
            start_time=_stamp(conditions.since),
            end_time=_stamp(conditions.before),
            all_projects=self.all_projects,
        )

    @property
    def countable(self) -> bool:
        """Whether what the service compares exactly says everything."""
        return (
            self.conditions.countable
            and not self.conditions.names
            and not self.tags
            and len(self.server_ids) < 2
        )

    def count(self, csbs: CSBSClient) -> int | None:
        """How many the service counts; None if it cannot."""
        counts = list(map(csbs.backups.count, self.wheres()))
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    @property
    def lists_whole_checkpoints(self) -> bool:
        """Whether the service is asked for all backups of each checkpoint.

        What is only compared here leaves the others of it to be seen.
        """
        return set(self.where().query()) <= {'checkpoint_id', 'all_tenants'}

    @property
    def hint(self) -> str | None:
        """What may be wrong if nothing is selected."""
        if not self.policy_ids:
            return None
        return (
            f'No backup of the policy {" or ".join(sorted(self.policy_ids))} '
            f'is listed: check that the policy exists.'
        )

    def match(self, backup: ServerBackup) -> bool:
        """Whether a backup is selected."""
        # The service compared the zone; not all backups show theirs.
        conditions = replace(self.conditions, availability_zone=None)
        return conditions.match(backup) and self._match_rest(backup)

    def match_strictly(self, backup: ServerBackup) -> bool:
        """The same without trust in the service."""
        return self.conditions.match(backup) and self._match_rest(backup)

    def _match_rest(self, backup: ServerBackup) -> bool:
        return (
            not self.server_ids or backup.server_id in self.server_ids
        ) and (not self.tags or self.tags <= _tags_of(backup))

    def ensure_policy_filter(self, csbs: CSBSClient) -> None:
        """Make sure that the service filters by policy, if one is given.

        No backup shows its policy, so that it cannot be compared here.

        :raises RefusedError: if it does not.
        """
        if not self.policy_ids:
            return
        nothing = ServerBackupFilter(policy_id=str(uuid.uuid4()))
        found = csbs.backups.list(where=nothing, page_size=1)
        if next(found, None) is not None:
            raise _no_policy_filter('for a policy that does not exist')

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
        wheres = self.wheres()

        def read(
            where: ServerBackupFilter = wheres[0], **order: Any
        ) -> Iterator[ServerBackup]:
            return csbs.backups.list(where=where, page_size=page_size, **order)

        found = None
        if len(wheres) > 1:
            rows = newest_first(map(read, wheres))
            found = Found(_each_of_one_policy(rows))
        elif not sort:
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


def read_checkpoints(
    csbs: CSBSClient, ids: Iterable[str], *, all_projects: bool = False
) -> CheckpointGroups:
    """Read checkpoints with all their backups.

    A few are asked for one by one, many with one list of everything.

    :param all_projects: whether some may be of other projects.
    """
    where = ServerBackupFilter(all_projects=all_projects)
    wanted = dict.fromkeys(ids)
    checkpoints = CheckpointGroups()
    if len(wanted) <= MAX_SINGLE_GETS:
        for id in wanted:
            checkpoints.add_all(
                csbs.backups.list(checkpoint_id=id, where=where)
            )
    else:
        checkpoints.add_all(
            backup
            for backup in csbs.backups.list(where=where)
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


def policy_id_of(csbs: CSBSClient, policy: str) -> str:
    """The id of a policy, by id or name; an id costs no request.

    :raises MissingError: if there is none with that name.
    :raises RefusedError: if there are several.
    """
    return policy if is_uuid(policy) else find_policy(csbs.policies, policy).id


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


def _tags_of(backup: ServerBackup) -> set[str]:
    """Each tag as ``key`` and as ``key=value``."""
    tags = [tag for tag in backup.tags or () if isinstance(tag, dict)]
    return {str(tag.get('key')) for tag in tags} | {
        f'{tag.get("key")}={tag.get("value") or ""}' for tag in tags
    }


def _no_policy_filter(evidence: str) -> RefusedError:
    return RefusedError(
        f'this cloud does not filter by policy: it lists backups {evidence}',
        'Select by --server or --name instead.',
    )


def _each_of_one_policy(
    backups: Iterable[ServerBackup],
) -> Iterator[ServerBackup]:
    """The backups in the lists of several policies.

    :raises RefusedError: if one is in two of them: a backup has one policy.
    """
    seen: set[str] = set()
    for backup in backups:
        if backup.id in seen:
            raise _no_policy_filter('for more than one policy')
        seen.add(backup.id)
        yield backup


def _stamp(time: datetime | None) -> str | None:
    return f'{time:%Y-%m-%dT%H:%M:%S.%f}' if time else None
