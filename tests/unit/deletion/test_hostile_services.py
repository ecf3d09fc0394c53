# SPDX-License-Identifier: Apache-2.0
"""Whatever a service answers, the safety rules hold."""

import unicodedata
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.hostile import (
    CHECKPOINTS,
    IDS,
    UUID,
    Delete,
    Hostile,
    arguments,
    hostiles,
    named_in,
)
from vbsclient.api import errors
from vbsclient.api.csbs import CSBS_PROVIDER, CSBSClient
from vbsclient.api.http import Limits
from vbsclient.api.vbs import VBSClient
from vbsclient.bulk import State
from vbsclient.change.run import execute
from vbsclient.change.targets import Change, Outcome, Recorder
from vbsclient.deletion import server_backups, siblings
from vbsclient.deletion.checkpoints import CheckpointDeletion
from vbsclient.deletion.server_backups import ServerBackupDeletion
from vbsclient.deletion.shares import (
    BackupSharesDeletion,
    ShareDeletion,
)
from vbsclient.deletion.volume_backups import VolumeBackupDeletion


@pytest.fixture(autouse=True, scope='module')
def _no_patience() -> Iterator[None]:
    """Hypothesis runs many cases in one test: nothing is set for each."""
    with (
        mock.patch.object(server_backups, 'PROOF_TIMEOUT', 0.0),
        mock.patch.object(siblings, 'SECOND_LOOK', 0.0),
        mock.patch('vbsclient.api.http._wait', return_value=0.0),
        mock.patch('vbsclient.change.verify.SECOND_LOOK', 0.0),
    ):
        yield


class Run:
    """One deletion against a service, carried out to its end."""

    def __init__(self, service: Hostile) -> None:
        self.cloud = service.cloud()
        self.limits = Limits(concurrency=1)
        keywords: dict[str, Any] = {
            'limits': self.limits,
        }
        self.vbs = VBSClient(
            self.cloud.session,
            version=service.pin,  # type: ignore[arg-type]
            **keywords,
        )
        self.csbs = CSBSClient(self.cloud.session, **keywords)

    def carry_out(self, deletion: Change) -> None:
        """Nothing but an error of our own may come of it."""
        try:
            outcomes = [Outcome.of(target) for target in deletion.targets()]
            execute(
                deletion,
                outcomes,
                Recorder(),
                self.limits,
            )
        except errors.ClientError:
            return
        finally:
            self.cloud.session.session.close()
        for outcome in outcomes:
            assert outcome.error is None or isinstance(
                outcome.error, errors.ClientError
            ), repr(outcome.error)
            if outcome.state in (State.ACCEPTED, State.DONE):
                assert outcome.target.id is not None


def check_addresses(log: list[Delete]) -> None:
    """One host, one version, and no id but a UUID that was seen before."""
    assert len({d.host for d in log}) <= 1
    native = {d.segments[:-2] for d in log if d.segments[-2] == 'backups'}
    assert len(native) <= 1
    for delete in log:
        assert UUID.fullmatch(delete.id), delete
        assert is_known(delete.id, delete), delete


def is_known(id: str, delete: Delete) -> bool:
    return any(
        id in (row.get('id'), row.get('checkpoint_id'), row.get('backup_id'))
        for row in delete.seen
    )


def same(text: str) -> str:
    """What all spellings of an id, and all forms of a name, have in common."""
    return unicodedata.normalize('NFC', text.lower())


def check_named(id: str, delete: Delete, named: list[str]) -> None:
    """An id that was given, or that the one bearer of a name has."""
    if same(id) in map(same, named):
        return
    names = {
        same(row['name'])
        for row in delete.seen
        if isinstance(row.get('name'), str)
        and isinstance(row.get('id'), str)
        and same(row['id']) == same(id)
    }
    assert names & set(map(same, named)), delete


def check_unambiguous(
    service: Hostile, key: str, delete: Delete, id: str, named: list[str]
) -> None:
    """Where the list stays the same, no other has the same name."""
    if same(id) in map(same, named) or service.restless:
        return
    first: dict[Any, Any] = {}
    for kind, row in delete.read:
        if kind == key and isinstance(row.get('id'), str):
            # What moved onto another page is read once.
            first.setdefault(same(row['id']), row.get('name'))
    name = first[same(id)]
    assert same(name) in map(same, named)
    assert [other for other in first if first[other] == name] == [same(id)]


@given(hostiles, arguments, st.booleans(), st.booleans())
def test_backups(
    service: Hostile, words: list[Any], force: bool, cancel: bool
) -> None:
    named = named_in(service, 'backups', words)
    run = Run(service)
    run.carry_out(
        VolumeBackupDeletion(
            run.vbs,
            run.csbs,
            named,
            limits=run.limits,
            force=force,
            cancel_shares=cancel and not force,
        )
    )
    check_addresses(service.log)
    for delete in service.log:
        if delete.segments[-2] == 'backups':
            assert delete.raw_query == ''
            check_named(delete.id, delete, named)
            check_unambiguous(service, 'backups', delete, delete.id, named)
        else:
            assert delete.segments[-2] == 'os-vendor-backup-sharing'
            assert cancel
            assert delete.query['is_backup_id'] in ('true', 'false')


@given(hostiles, arguments)
def test_shares(service: Hostile, words: list[Any]) -> None:
    named = named_in(service, 'shared', words)
    run = Run(service)
    run.carry_out(ShareDeletion(run.vbs, named, limits=run.limits))
    check_addresses(service.log)
    for delete in service.log:
        assert delete.segments[-2] == 'os-vendor-backup-sharing'
        assert delete.raw_query == 'is_backup_id=false'
        assert same(delete.id) in map(same, named)


@given(hostiles, arguments, st.sampled_from([None, 'p1']))
def test_shares_of_backups(
    service: Hostile, words: list[Any], project: str | None
) -> None:
    named = named_in(service, 'backups', words)
    run = Run(service)
    run.carry_out(
        BackupSharesDeletion(
            run.vbs, named, limits=run.limits, project_id=project
        )
    )
    check_addresses(service.log)
    for delete in service.log:
        assert delete.segments[-2] == 'os-vendor-backup-sharing'
        if project is None:
            assert delete.raw_query == 'is_backup_id=true'
            check_named(delete.id, delete, named)
            check_unambiguous(service, 'backups', delete, delete.id, named)
            continue
        assert delete.raw_query == 'is_backup_id=false'
        assert [
            row
            for row in delete.seen
            if row.get('id') == delete.id
            and row.get('to_project_id') == project
        ]


@given(
    hostiles, arguments, st.sampled_from([None, *CHECKPOINTS, IDS[0], '..'])
)
def test_backups_of_servers(
    service: Hostile, words: list[Any], checkpoint: str | None
) -> None:
    named = named_in(service, 'checkpoint_items', words)
    run = Run(service)
    run.carry_out(
        ServerBackupDeletion(
            run.csbs,
            named,
            provider_id=CSBS_PROVIDER,
            limits=run.limits,
            checkpoint=checkpoint,
        )
    )
    check_addresses(service.log)
    for delete in service.log:
        assert delete.segments[-2] == 'checkpoints'
        item = delete.query['checkpoint_items']
        assert delete.raw_query == f'checkpoint_items={item}'
        assert UUID.fullmatch(item)
        check_named(item, delete, named)
        assert checkpoint in (None, delete.id)
        assert [
            row
            for row in delete.seen
            if (row.get('id'), row.get('checkpoint_id')) == (item, delete.id)
        ]
        if checkpoint is None:
            check_unambiguous(service, 'checkpoint_items', delete, item, named)


@given(
    hostiles,
    arguments,
    st.lists(st.sampled_from([*CHECKPOINTS, *IDS[:2], '..'])),
)
def test_checkpoints(
    service: Hostile, words: list[Any], ids: list[str]
) -> None:
    named = [*named_in(service, 'checkpoint_items', words), *ids]
    run = Run(service)
    run.carry_out(
        CheckpointDeletion(
            run.csbs, named, provider_id=CSBS_PROVIDER, limits=run.limits
        )
    )
    check_addresses(service.log)
    for delete in service.log:
        assert delete.segments[-2] == 'checkpoints'
        assert delete.raw_query == ''
        names = {
            same(row['name'])
            for row in delete.seen
            if row.get('checkpoint_id') == delete.id
            and isinstance(row.get('name'), str)
        }
        assert {same(delete.id), *names} & set(map(same, named)), delete
