# SPDX-License-Identifier: Apache-2.0
"""Which backups of servers a command is about, when it names none."""

from __future__ import annotations

import argparse
import logging
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from vbsclient.api import errors
from vbsclient.api.csbs import (
    CSBS_PROVIDER,
    CheckpointGroups,
    CSBSClient,
    ServerBackup,
    ServerBackupFilter,
)
from vbsclient.api.csbs.backups import SORT_KEYS
from vbsclient.api.http import is_uuid
from vbsclient.bulk import Limits
from vbsclient.lookup import kinds
from vbsclient.lookup.existence import MAX_SINGLE_GETS
from vbsclient.lookup.names import Kind, only
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.lookup.server_backups import (
    find_server_backups,
    read_all,
)
from vbsclient.osc.command.clients import resources_of
from vbsclient.osc.command.filters import (
    Conditions,
    add_filters,
    conditions_of,
)
from vbsclient.osc.command.list import Found, SortKey, begun
from vbsclient.wording import quote

LOG = logging.getLogger(__name__)


def add_selection(parser: argparse.ArgumentParser) -> None:
    """The options that choose among backups of servers."""
    add_filters(parser)
    parser.add_argument(
        '--server',
        metavar='<server>',
        help=(
            'Only backups of this server (name or ID), also of one that is '
            'gone'
        ),
    )
    parser.add_argument(
        '--policy',
        metavar='<policy>',
        help='Only backups that this policy made (ID)',
    )


def warn_of_no_policy(parsed_args: argparse.Namespace) -> None:
    """Say of an empty list that the policy may not exist."""
    if parsed_args.policy is not None:
        LOG.warning(
            'No backup of the policy %s is listed: check that the policy '
            'exists.',
            parsed_args.policy,
        )


def add_provider(parser: argparse.ArgumentParser) -> None:
    """The option that all deletions of CSBS have."""
    parser.add_argument(
        '--provider',
        metavar='<provider>',
        default=CSBS_PROVIDER,
        help=f'Backup provider (ID), default: {CSBS_PROVIDER} (servers)',
    )


@dataclass(frozen=True)
class Selection:
    """What the options of :func:`add_selection` say."""

    conditions: Conditions
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
                f'{quote(policy)} is no id of a policy, and nothing can be '
                f'selected by its name'
            )
        server = parsed_args.server
        checkpoint = getattr(parsed_args, 'checkpoint', None)
        return cls(
            conditions_of(parsed_args),
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
    def whole(self) -> bool:
        """Whether the service is asked for checkpoints with all their items.

        A filter that is only compared here leaves the others to be seen.
        """
        asked = set(self.where().query())
        return asked <= {'checkpoint_id', 'policy_id'}

    def fits(self, item: ServerBackup) -> bool:
        """Whether an item is wanted."""
        # The zone was compared where the item says one; not all do.
        return replace(self.conditions, availability_zone=None).fit(item)

    def surely_fits(self, item: ServerBackup) -> bool:
        """The same where nothing is taken on trust."""
        return self.conditions.fit(item)

    def demand_policy_filter(self, csbs: CSBSClient) -> None:
        """Make sure that the service asks for the policy, if one is wanted.

        No item tells its policy, so that nobody could compare it here.

        :raises RefusedError: if it does not.
        """
        if self.policy_id is None:
            return
        nobody = ServerBackupFilter(policy_id=str(uuid.uuid4()))
        if (
            next(csbs.backups.list(where=nobody, page_size=1), None)
            is not None
        ):
            raise RefusedError(
                'this cloud does not choose by policy: it lists backups for '
                'a policy that does not exist',
                'Select by --server or --name instead.',
            )

    def trusted(
        self, csbs: CSBSClient, items: Iterator[ServerBackup]
    ) -> Iterator[ServerBackup]:
        """The items, once it is sure that they are those of the policy.

        :raises RefusedError: if the service does not ask for the policy.
        """
        for number, item in enumerate(items):
            if number == 0:
                self.demand_policy_filter(csbs)
            yield item

    def items(
        self,
        csbs: CSBSClient,
        *,
        sort: Sequence[SortKey] = (),
        marker: str | None = None,
        page_size: int,
    ) -> Found:
        """The items to choose from, which :meth:`fits` then does.

        :param sort: sent to the service where it is documented to sort.
        :param marker: sent to the service if the order is the service's.
        """
        read = partial(csbs.backups.list, where=self.where())
        if all(key.field in SORT_KEYS for key in sort):
            order = ','.join(f'{key.field}:{key.direction}' for key in sort)
            found = read(
                sort=order or None, marker=marker, page_size=page_size
            )
            if not sort:
                return Found(found, True, True)
            # It may sort by less than the reference says.
            with suppress(errors.BadRequest):
                return Found(begun(found), True, True)
        return Found(read(page_size=page_size))


def read_groups(csbs: CSBSClient, ids: Iterable[str]) -> CheckpointGroups:
    """Checkpoints with all their items.

    A few are asked for one by one, many with one list of everything.
    """
    wanted = dict.fromkeys(ids)
    groups = CheckpointGroups()
    if len(wanted) <= MAX_SINGLE_GETS:
        for id in wanted:
            groups.add_all(read_all(csbs.backups, checkpoint_id=id))
    else:
        groups.add_all(
            item
            for item in csbs.backups.list()
            if item.checkpoint_id in wanted
        )
    return groups


def find_item(csbs: CSBSClient, backup: str) -> ServerBackup:
    """The one backup of a server of a name or id.

    :raises MissingError: if there is none.
    :raises RefusedError: if several have the name.
    """
    return only(find_server_backups(csbs.backups, [backup], Limits()))


def checkpoint_id_of(csbs: CSBSClient, checkpoint: str) -> str:
    """The id of a checkpoint, by id or by the name that its items bear.

    An id costs no request.

    :raises MissingError: if there is none of that name.
    :raises RefusedError: if there are several.
    """
    if is_uuid(checkpoint):
        return checkpoint
    matches = {
        item.checkpoint_id: item
        for item in read_all(csbs.backups, name=checkpoint)
    }
    return _CHECKPOINT.choose(list(matches.values()), checkpoint).checkpoint_id


def find_checkpoint(csbs: CSBSClient, checkpoint: str) -> list[ServerBackup]:
    """The items of the one checkpoint of an id or name.

    :raises MissingError: if there is none.
    :raises RefusedError: if several have the name.
    """
    id = checkpoint_id_of(csbs, checkpoint)
    items = read_all(csbs.backups, checkpoint_id=id)
    if items:
        return items
    raise MissingError(
        f'No checkpoint found for {checkpoint!r}',
        kinds.a_member(csbs, id, 'show'),
    )


def _describe(item: ServerBackup) -> str:
    return f'{item.checkpoint_id} ({item.created_at or "no date"})'


_CHECKPOINT = Kind(
    'checkpoint', _describe, ids=lambda backup: [backup.checkpoint_id]
)


def _stamp(moment: datetime | None) -> str | None:
    return f'{moment:%Y-%m-%dT%H:%M:%S.%f}' if moment else None
