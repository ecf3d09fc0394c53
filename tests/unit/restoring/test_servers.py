# SPDX-License-Identifier: Apache-2.0
"""What is verified before a server is overwritten, and how it is followed."""

from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import PROJECT
from tests.unit.maker import Fate
from tests.unit.restoring.restorer import GOOD, Restorer
from tests.unit.world import uuid
from vbsclient.api import errors
from vbsclient.bulk import State
from vbsclient.change.targets import Outcome, Recorder, Target
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.osc.output.hints import hint_of
from vbsclient.restoring.plan import LOOKS, Plan, difference, plan_of
from vbsclient.restoring.servers import mapping_of
from vbsclient.waiting import Patience

ITEM, SERVER = uuid(5000), uuid(3000)
ROOT, DATA, SPARE = uuid(1000), uuid(1001), uuid(1002)
PARTS = [uuid(8000), uuid(8001)]
CHECKS = 'POST .*/resources/action$'


def there(**changes: Any) -> Restorer:
    """A server with two volumes, its backup, and a third volume of its."""
    cloud = Restorer()
    for number in range(4):
        cloud.add_volume(number)
    cloud.add_server_of(0, [ROOT, DATA])
    cloud.add_item_of(0, SERVER, **changes)
    attach(cloud, SERVER, SPARE)
    cloud.script = GOOD
    return cloud


def attach(cloud: Restorer, server: str, volume: str) -> None:
    attached = 'os-extended-volumes:volumes_attached'
    cloud.servers[server][attached].append({'id': volume})
    cloud.volumes[volume].update(
        status='in-use', attachments=[{'server_id': server}]
    )


def detach(cloud: Restorer, server: str, volume: str) -> None:
    attached = 'os-extended-volumes:volumes_attached'
    cloud.servers[server][attached].remove({'id': volume})


def parts(cloud: Restorer) -> list[dict[str, Any]]:
    found = cloud.item(ITEM)['extend_info']['volume_backups']
    return list(found)


def planned(cloud: Restorer, **options: Any) -> tuple[Target, Plan]:
    """What a dry run shows, which changes nothing."""
    [target] = cloud.server_restore(ITEM, **options).targets()
    assert cloud.restoring_posts == []
    return target, plan_of(target)


def refusal_of(cloud: Restorer, **options: Any) -> str:
    target, _ = planned(cloud, **options)
    assert isinstance(target.refusal, RefusedError)
    [outcome] = cloud.carry_out(
        cloud.server_restore(ITEM, **options), wait=True
    )
    assert outcome.state is State.REFUSED
    assert cloud.restoring_posts == []
    assert cloud.overwritten == {}
    return target.refusal.message


class TestPlan:
    def test_each_volume_onto_itself(self) -> None:
        target, plan = planned(there())
        assert target.refusal is None
        assert (target.id, target.name) == (SERVER, 'server-0')
        assert mapping_of(plan) == dict(zip(PARTS, [ROOT, DATA], strict=True))
        assert [d.check for d in plan.disks] == ['overwrites'] * 2

    def test_others_by_id_and_by_name(self) -> None:
        for source in (PARTS[1], DATA, 'volume-1'):
            for given_ in (SPARE, SPARE.upper(), 'volume-2'):
                _, plan = planned(there(), volumes={source: given_})
                assert mapping_of(plan) == {PARTS[0]: ROOT, PARTS[1]: SPARE}

    def test_the_server_is_said(self) -> None:
        cloud = there()
        said = ' '.join(planned(cloud)[1].remarks)
        assert 'cannot be undone' in said
        assert 'server-0' in said
        assert SERVER in said
        assert 'Not touched: volume-2.' in said
        assert 'not the server that was backed up' not in said

    @pytest.mark.parametrize(
        ('status', 'power_on', 'starts'),
        [
            ('ACTIVE', None, True),
            ('SHUTOFF', None, False),
            ('ACTIVE', False, False),
            ('SHUTOFF', True, True),
        ],
    )
    def test_whether_it_is_started_is_shown_and_sent(
        self, status: str, power_on: bool | None, starts: bool
    ) -> None:
        cloud = there()
        cloud.servers[SERVER]['status'] = status
        _, plan = planned(cloud, power_on=power_on)
        assert plan.power_on is starts
        said = ' '.join(plan.remarks)
        assert ('starts it afterwards' in said) is starts
        cloud.carry_out(cloud.server_restore(ITEM, power_on=power_on))
        [body] = cloud.bodies
        assert body['restore']['parameters']['power_on'] is starts

    @pytest.mark.parametrize('named', [SERVER, SERVER.upper(), 'server-0'])
    def test_its_own_server_may_be_named(self, named: str) -> None:
        target, _ = planned(there(), server=named)
        assert (target.id, target.refusal) == (SERVER, None)

    def test_for_another_server_nothing_is_guessed(self) -> None:
        cloud = there()
        other = cloud.add_server_of(1, [uuid(1003)])
        said = refusal_of(cloud, server=other)
        assert said.count('no target is named for it') == 2
        target, plan = planned(cloud, server=other)
        assert mapping_of(plan) == {}
        hint = str(target.refusal.hint) if target.refusal else ''
        assert 'volume-0' in hint
        assert 'volume-1' in hint
        # The service is not asked about half a mapping.
        assert cloud.asked == []
        said = refusal_of(cloud, server=other, volumes={ROOT: uuid(1003)})
        assert said.count('no target is named for it') == 1
        assert cloud.asked == []

    def test_another_server_with_all_targets(self) -> None:
        cloud = there()
        more = cloud.add_volume(4)
        other = cloud.add_server_of(1, [uuid(1003), more])
        named = {ROOT: uuid(1003), 'volume-1': more}
        target, plan = planned(cloud, server=other, volumes=named)
        assert target.refusal is None
        assert 'not the server that was backed up' in ' '.join(plan.remarks)
        cloud.carry_out(
            cloud.server_restore(ITEM, server=other, volumes=named)
        )
        assert cloud.overwritten == {uuid(1003): PARTS[0], more: PARTS[1]}

    def test_names_are_pinned(self) -> None:
        cloud = there()
        change = cloud.server_restore('item-0', server='server-0')
        [shown] = change.targets()
        cloud.add_item_of(1, SERVER, name='item-0')
        cloud.servers[SERVER]['name'] = 'another'
        cloud.add_server_of(1, [uuid(1003)])
        cloud.servers[uuid(3001)]['name'] = 'server-0'
        cloud.look_ups.clear()
        [again] = change.targets()
        assert cloud.look_ups == []
        assert again.id == shown.id
        assert difference(plan_of(shown), plan_of(again)) == (
            'the name of the server was server-0 and is now another'
        )

    def test_a_target_whose_name_has_moved_is_a_difference(self) -> None:
        cloud = there()
        change = cloud.server_restore(ITEM, volumes={ROOT: 'volume-2'})
        [shown] = change.targets()
        attach(cloud, SERVER, uuid(1003))
        cloud.volumes[SPARE]['name'] = 'another'
        cloud.volumes[uuid(1003)]['name'] = 'volume-2'
        [again] = change.targets()
        assert difference(plan_of(shown), plan_of(again))


class TestRefusals:
    @pytest.mark.parametrize(
        'status',
        [
            'protecting',
            'error',
            'restoring',
            'waiting_restore',
            'deleting',
            '',
        ],
    )
    @pytest.mark.parametrize('force', [False, True])
    def test_the_status_of_the_backup(self, status: str, force: bool) -> None:
        cloud = there(status=status)
        said = refusal_of(cloud, force=force)
        assert 'the status of the backup is' in said

    @pytest.mark.parametrize('force', [False, True])
    def test_its_mode(self, force: bool) -> None:
        cloud = there(extend_info={'supported_restore_mode': 'na'})
        assert '(mode na)' in refusal_of(cloud, force=force)

    @pytest.mark.parametrize(
        'status', ['ERROR', 'RESIZE', 'VERIFY_RESIZE', 'PAUSED', '', 'active']
    )
    @pytest.mark.parametrize('force', [False, True])
    def test_the_status_of_the_server(self, status: str, force: bool) -> None:
        cloud = there()
        cloud.servers[SERVER]['status'] = status
        said = refusal_of(cloud, force=force)
        assert 'it has to be ACTIVE or SHUTOFF' in said

    def test_a_server_that_is_busy(self) -> None:
        cloud = there()
        cloud.servers[SERVER]['OS-EXT-STS:task_state'] = 'rebooting'
        assert 'is busy (rebooting)' in refusal_of(cloud, force=True)

    def test_one_that_does_not_tell_its_volumes(self) -> None:
        cloud = there()
        del cloud.servers[SERVER]['os-extended-volumes:volumes_attached']
        said = refusal_of(cloud, force=True)
        assert 'compute does not show the volumes' in said

    @pytest.mark.parametrize('force', [False, True])
    def test_a_volume_that_is_not_attached(self, force: bool) -> None:
        cloud = there()
        detach(cloud, SERVER, DATA)
        assert 'volume-1: the target is not attached' in refusal_of(
            cloud, force=force
        )
        cloud = there()
        said = refusal_of(cloud, volumes={ROOT: uuid(1003)}, force=force)
        assert 'not attached' in said

    @pytest.mark.parametrize('force', [False, True])
    def test_one_that_block_storage_does_not_show(self, force: bool) -> None:
        cloud = there()
        del cloud.volumes[DATA]
        said = refusal_of(cloud, force=force)
        assert 'block storage does not show the target' in said

    @pytest.mark.parametrize('key', ['multiattach', 'shareable'])
    def test_one_that_is_shared(self, key: str) -> None:
        cloud = there()
        del cloud.volumes[DATA]['multiattach']
        cloud.volumes[DATA][key] = True
        assert 'can be shared' in refusal_of(cloud, force=True)

    @pytest.mark.parametrize('size', [9, None, '10'])
    @pytest.mark.parametrize('force', [False, True])
    def test_its_size(self, size: Any, force: bool) -> None:
        cloud = there()
        cloud.volumes[DATA]['size'] = size
        said = refusal_of(cloud, force=force)
        assert '10 GB are needed' in said or 'is not told' in said

    @pytest.mark.parametrize('force', [False, True])
    def test_one_target_for_two(self, force: bool) -> None:
        said = refusal_of(there(), volumes={ROOT: DATA}, force=force)
        assert said.count('has the same target') == 2

    @pytest.mark.parametrize(
        ('saved', 'bootable', 'words'),
        [
            (True, 'false', 'a system disk would go onto a data disk'),
            (False, 'true', 'a data disk would go onto a system disk'),
        ],
    )
    def test_what_alone_can_be_forced(
        self, saved: bool, bootable: str, words: str
    ) -> None:
        cloud = there()
        parts(cloud)[0]['bootable'] = saved
        cloud.volumes[ROOT]['bootable'] = bootable
        assert words in refusal_of(cloud)
        assert planned(cloud, force=True)[0].refusal is None

    def test_of_another_project(self) -> None:
        cloud = there(project_id='f' * 32)
        with pytest.raises(RefusedError, match='belongs to another project'):
            cloud.server_restore(ITEM, force=True).targets()
        with pytest.raises(MissingError):
            cloud.server_restore('item-0', force=True).targets()
        assert planned(there(project_id=PROJECT))[0].refusal is None

    @pytest.mark.parametrize(
        ('backup', 'server'),
        [
            (uuid(1), None),
            ('no-name', None),
            (ITEM, uuid(1)),
            (ITEM, 'no-name'),
        ],
    )
    def test_what_is_not_there(self, backup: str, server: str | None) -> None:
        cloud = there()
        with pytest.raises(MissingError):
            cloud.server_restore(backup, server=server).targets()
        assert cloud.asked == []

    def test_its_server_is_gone(self) -> None:
        cloud = there()
        del cloud.servers[SERVER]
        with pytest.raises(MissingError):
            cloud.server_restore(ITEM).targets()

    def test_its_server_is_not_told(self) -> None:
        cloud = there()
        cloud.item(ITEM)['resource_id'] = None
        with pytest.raises(RefusedError, match='does not tell its server'):
            cloud.server_restore(ITEM).targets()

    @pytest.mark.parametrize(
        'volumes', [None, [], 'x', [{}], [{'id': None}], [5]]
    )
    def test_its_volumes_are_not_told(self, volumes: Any) -> None:
        cloud = there(extend_info={'volume_backups': volumes})
        try:
            said = refusal_of(cloud, force=True)
        except errors.ClientError:
            # No id that can be sent, nor asked for.
            assert cloud.asked == []
        else:
            assert 'does not tell its volumes' in said
        assert cloud.restoring_posts == []

    def test_an_empty_server_is_none(self) -> None:
        with pytest.raises(RefusedError):
            there().server_restore(ITEM, server='').targets()

    @pytest.mark.parametrize('source', ['no-name', uuid(1), 'VOLUME-0', ''])
    def test_a_source_that_is_none(self, source: str) -> None:
        cloud = there()
        with pytest.raises(RefusedError, match='the backup has no volume'):
            cloud.server_restore(ITEM, volumes={source: DATA}).targets()

    def test_a_name_of_two_sources(self) -> None:
        cloud = there()
        parts(cloud)[1]['source_volume_name'] = 'volume-0'
        with pytest.raises(RefusedError) as why:
            cloud.server_restore(ITEM, volumes={'volume-0': SPARE}).targets()
        assert ROOT in why.value.message
        assert DATA in why.value.message

    def test_a_source_that_is_named_in_two_ways(self) -> None:
        cloud = there()
        named = {'volume-0': SPARE, ROOT: ROOT}
        with pytest.raises(RefusedError, match='more than once'):
            cloud.server_restore(ITEM, volumes=named).targets()

    def test_an_id_is_no_name(self) -> None:
        """A volume whose name is the ID of another one is not that one."""
        cloud = there()
        parts(cloud)[0]['source_volume_name'] = DATA
        _, plan = planned(cloud, volumes={DATA: SPARE})
        assert mapping_of(plan) == {PARTS[0]: ROOT, PARTS[1]: SPARE}
        cloud = there()
        cloud.volumes[SPARE]['name'] = DATA
        assert 'the same target' in refusal_of(cloud, volumes={ROOT: DATA})
        cloud = there()
        cloud.volumes[SPARE]['name'] = uuid(1003)
        said = refusal_of(cloud, volumes={ROOT: uuid(1003)})
        assert 'not attached' in said

    def test_two_targets_of_one_name(self) -> None:
        cloud = there()
        cloud.volumes[SPARE]['name'] = 'volume-1'
        with pytest.raises(RefusedError) as why:
            cloud.server_restore(ITEM, volumes={ROOT: 'volume-1'}).targets()
        assert SPARE in why.value.message

    def test_one_backup_of_two_volumes(self) -> None:
        """What is shown as two, and could only be sent as one."""
        cloud = there()
        parts(cloud)[1]['id'] = PARTS[0]
        assert 'two volumes in the backup have the same ID' in refusal_of(
            cloud, force=True
        )

    def test_ids_in_any_case(self) -> None:
        cloud = there()
        for part in parts(cloud):
            part['source_volume_id'] = part['source_volume_id'].upper()
            part['id'] = part['id'].upper()
        target, _ = planned(cloud, volumes={ROOT: SPARE})
        assert target.refusal is None

    @pytest.mark.parametrize('servers', [[], [uuid(3001)], None])
    @pytest.mark.parametrize('force', [False, True])
    def test_block_storage_knows_better_where_it_is(
        self, servers: Any, force: bool
    ) -> None:
        cloud = there()
        cloud.volumes[DATA]['attachments'] = servers and [
            {'server_id': id} for id in servers
        ]
        assert 'does not show the target at' in refusal_of(cloud, force=force)

    @pytest.mark.parametrize('force', [False, True])
    def test_a_target_of_another_project(self, force: bool) -> None:
        cloud = there()
        cloud.volumes[DATA]['os-vol-tenant-attr:tenant_id'] = 'f' * 32
        assert 'another project' in refusal_of(cloud, force=force)
        cloud = there()
        cloud.servers[SERVER]['tenant_id'] = 'f' * 32
        with pytest.raises(RefusedError, match='server belongs to another'):
            cloud.server_restore(ITEM, force=force).targets()

    def test_what_is_forced_is_said(self) -> None:
        cloud = there()
        parts(cloud)[0]['bootable'] = 'True'
        assert 'a system disk would go' in refusal_of(cloud)
        _, plan = planned(cloud, force=True)
        assert (
            'Forced: volume-0: a system disk would go onto a data disk.'
            in plan.remarks
        )

    def test_how_to_name_targets(self) -> None:
        cloud = there()
        other = cloud.add_server_of(1, [uuid(1003)])
        names = ['plain-1', '-x']
        for part, name in zip(parts(cloud), names, strict=True):
            part['source_volume_name'] = name
        target, _ = planned(cloud, server=other)
        assert target.refusal is not None
        # What a shell or a parser would take for something else has its ID.
        hint = target.refusal.hint
        assert isinstance(hint, errors.Hint)
        assert hint.values['sources'] == ('plain-1', DATA)
        assert hint_of(target.refusal) == (
            f'Name the volumes to overwrite: --volume plain-1=<target> '
            f'--volume {DATA}=<target>.'
        )


class TestTheService:
    @pytest.mark.parametrize(
        ('answer', 'words'),
        [
            (None, 'it gives no reason'),
            ({}, 'it gives no reason'),
            ({'result': False}, 'it gives no reason'),
            ({'result': 'false'}, 'it gives no reason'),
            ({'result': 1}, 'it gives no reason'),
            ({'result': True, 'resource_id': uuid(1)}, 'it gives no reason'),
            (
                {
                    'result': False,
                    'error_code': 'CSBS.6014',
                    'error_msg': 'It is detached.',
                },
                r'It is detached (code CSBS.6014)',
            ),
        ],
    )
    @pytest.mark.parametrize('force', [False, True])
    def test_what_it_refuses(
        self, answer: Any, words: str, force: bool
    ) -> None:
        cloud = there()
        cloud.answer = answer
        said = refusal_of(cloud, force=force)
        assert 'the service says that it cannot be restored: ' in said
        assert words in said

    @pytest.mark.parametrize('result', [True, 'true', 'True'])
    def test_what_it_allows(self, result: Any) -> None:
        cloud = there()
        cloud.answer = {'result': result, 'resource_id': SERVER.upper()}
        assert planned(cloud)[0].refusal is None

    @pytest.mark.parametrize('status', [400, 403, 404, 500])
    def test_without_its_answer_nothing_is_sent(self, status: int) -> None:
        cloud = there()
        cloud.faults.append(('POST .*/resources/action', status))
        with pytest.raises(errors.ServiceError):
            cloud.server_restore(ITEM, force=True).targets()
        assert cloud.restoring_posts == []

    def test_it_is_asked_again_each_time(self) -> None:
        cloud = there()
        change = cloud.server_restore(ITEM)
        [shown] = change.targets()
        cloud.answer = {'result': False}
        [again] = change.targets()
        assert len(cloud.asked) == 2
        assert difference(plan_of(shown), plan_of(again))

    def test_what_it_is_asked(self) -> None:
        cloud = there()
        planned(cloud)
        assert cloud.asked == [
            {
                'checkpoint_item_id': ITEM,
                'target': {
                    'resource_id': SERVER,
                    'resource_type': 'OS::Nova::Server',
                    'volumes': [
                        {'backup_id': PARTS[0], 'volume_id': ROOT},
                        {'backup_id': PARTS[1], 'volume_id': DATA},
                    ],
                },
            }
        ]


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=4),
    targets=st.lists(st.integers(0, 7), max_size=4),
    by=st.sampled_from(['id', 'name', 'part']),
    is_other=st.booleans(),
    attached=st.sets(st.integers(0, 7), min_size=1),
    force=st.booleans(),
)
def test_what_is_sent_is_what_was_shown_and_asked(
    sizes: list[int],
    targets: list[int],
    by: str,
    is_other: bool,
    attached: set[int],
    force: bool,
) -> None:
    """Whatever backup, server and mapping: or nothing is sent."""
    cloud = Restorer()
    ids = [
        cloud.add_volume(n, size=sizes[n] if n < len(sizes) else 10 * n)
        for n in range(8)
    ]
    saved = cloud.add_server_of(0, ids[: len(sizes)])
    item = cloud.add_item_of(0, saved)
    cloud.script = GOOD
    server = cloud.add_server_of(1, []) if is_other else saved
    key = 'os-extended-volumes:volumes_attached'
    cloud.servers[server][key] = []
    for n in sorted(attached):
        attach(cloud, server, ids[n])
    named = {}
    for number, target in enumerate(targets[: len(sizes)]):
        source = {
            'id': ids[number],
            'name': f'volume-{number}',
            'part': uuid(8000 + number),
        }[by]
        named[source] = ids[target] if by == 'id' else f'volume-{target}'
    expected = {
        uuid(8000 + n): targets[n] if n < len(targets) else n
        for n in range(len(sizes))
        if n < len(targets) or not is_other
    }
    change: Any = cloud.server_restore(
        item, server=server, volumes=named, force=force
    )
    [target] = change.targets()
    plan = plan_of(target)
    assert mapping_of(plan) == {k: ids[n] for k, n in expected.items()}
    change.targets = lambda: [target]
    [outcome] = cloud.carry_out(change)
    fits = (
        len(expected) == len(sizes)
        and len(set(expected.values())) == len(sizes)
        and set(expected.values()) <= attached
        and all(
            cloud.volumes[ids[n]]['size'] >= size
            for n, size in zip(expected.values(), sizes, strict=True)
        )
    )
    assert (outcome.state is State.ACCEPTED) is fits
    if not fits:
        assert (cloud.bodies, cloud.overwritten) == ([], {})
        return
    sent = cloud.bodies[0]['restore']['parameters']
    assert sent['targets']['volumes'] == cloud.asked[0]['target']['volumes']
    assert sent['targets']['server_id'] == server
    assert cloud.asked[0]['target']['resource_id'] == server
    assert {
        row['backup_id']: row['volume_id']
        for row in sent['targets']['volumes']
    } == mapping_of(plan)
    assert cloud.overwritten == {v: k for k, v in mapping_of(plan).items()}
    shown = {disk.target_id for disk in plan.disks}
    assert shown == set(cloud.overwritten)


# -- what became of it ------------------------------------------------------


def restored(
    cloud: Restorer,
    *,
    wait: bool = True,
    stop_at: int | None = None,
    patience: Patience | None = None,
) -> Outcome:
    """The outcome of a run whose target was verified before the trouble."""
    change: Any = cloud.server_restore(ITEM)
    targets = change.targets()
    change.targets = lambda: targets
    cloud.stop_at = stop_at and len(cloud.log) + stop_at
    [outcome] = cloud.carry_out(
        change, wait=wait, patience=patience or Patience(timeout=600.0)
    )
    assert len(cloud.restoring_posts) == cloud.posts[SERVER]
    assert set(cloud.overwritten) in (set(), {ROOT, DATA})
    return outcome


OLD = {'fail_op': 'restore', 'fail_reason': 'no space', 'taskid': 'task-0'}
RESTORING = {'status': 'restoring'}
AVAILABLE = {'status': 'available'}


class TestWaiting:
    @pytest.mark.parametrize(
        ('before', 'script', 'state', 'words'),
        [
            # The five of what a backup shows.
            ({}, GOOD, State.DONE, ''),
            ({}, (RESTORING, {'status': 'error'}), State.FAILED, 'error'),
            (
                {},
                (RESTORING, {**AVAILABLE, **OLD}),
                State.FAILED,
                'restore, no space',
            ),
            (OLD, (RESTORING, AVAILABLE), State.UNKNOWN, 'cannot be told'),
            ({}, (), State.ACCEPTED, ''),
            # And others.
            (OLD, (RESTORING, {**AVAILABLE, 'fail_op': ''}), State.DONE, ''),
            (
                OLD,
                (RESTORING, {**AVAILABLE, 'taskid': 'task-1'}),
                State.FAILED,
                'no space',
            ),
            (
                OLD,
                (RESTORING, {**AVAILABLE, 'fail_reason': 'worse'}),
                State.FAILED,
                'worse',
            ),
            ({}, ({'status': 'waiting_restore'}, *GOOD), State.DONE, ''),
            ({}, ({}, {}, {}, *GOOD), State.DONE, ''),
            # One that nobody has seen to go on.
            ({}, ({'taskid': 'task-1'},), State.DONE, ''),
            (OLD, ({'progress': 0},), State.UNKNOWN, 'cannot be told'),
            ({}, (RESTORING,), State.ACCEPTED, ''),
            ({}, (RESTORING, {'status': 'deleting'}), State.ACCEPTED, ''),
        ],
    )
    def test_what_its_backup_shows(
        self, before: Any, script: Any, state: State, words: str
    ) -> None:
        cloud = there(extend_info=before)
        cloud.script = script
        outcome = restored(cloud)
        assert outcome.state is state
        assert words in str(outcome.error)
        assert cloud.posts == {SERVER: 1}

    def test_a_short_change_is_no_end(self) -> None:
        """What was not seen to begin may only be about to begin."""
        cloud = there()
        cloud.script = ({'taskid': 'task-1'},)
        outcome = restored(cloud, patience=Patience(timeout=30.0))
        assert outcome.state is State.ACCEPTED

    @pytest.mark.parametrize(
        ('statuses', 'state'),
        [
            (['restoring-backup', 'in-use'], State.DONE),
            (['restoring-backup', 'error_restoring'], State.FAILED),
            (['error_restoring'], State.FAILED),
        ],
    )
    def test_its_volumes_are_asked_as_well(
        self, statuses: list[str], state: State
    ) -> None:
        """The backup says that all is well."""
        cloud = there()
        cloud.shows_both = False
        cinder = cloud._cinder

        def answer(path: Any, query: Any, body: Any, context: Any) -> Any:
            if cloud.restores and path[-1] == DATA and statuses:
                cloud.volumes[DATA]['status'] = statuses.pop(0)
            return cinder(path, query, body, context)

        cloud._cinder = answer  # type: ignore[method-assign]
        assert restored(cloud).state is state

    def test_one_volume_alone_is_never_the_end(self) -> None:
        """The backup shows nothing, and the other volume is not begun."""
        cloud = there()
        cloud.script, cloud.shows_both = (), False
        seen = ['restoring-backup', 'in-use']
        cinder = cloud._cinder

        def answer(path: Any, query: Any, body: Any, context: Any) -> Any:
            if cloud.restores and path[-1] == ROOT and seen:
                cloud.volumes[ROOT]['status'] = seen.pop(0)
            return cinder(path, query, body, context)

        cloud._cinder = answer  # type: ignore[method-assign]
        assert restored(cloud).state is State.ACCEPTED

    def test_one_that_nobody_has_seen_says_so(self) -> None:
        cloud = there()
        cloud.script = ({'taskid': 'task-1'},)
        outcome = restored(cloud)
        assert outcome.state is State.DONE
        assert outcome.result is not None
        assert 'not seen while it went on' in outcome.result.remark

    @pytest.mark.parametrize('status', [400, 403, 413, 429])
    def test_a_page_while_its_backup_goes_on(self, status: int) -> None:
        """A gateway's refusal proves nothing."""
        cloud = there()
        cloud.shows_both = False
        csbs = cloud._csbs

        def page(path: Any, query: Any, body: Any, context: Any) -> Any:
            if path[0] == 'restores' and body is not None:
                context.status_code = status
                return '<html>'
            return csbs(path, query, body, context)

        cloud._csbs = page  # type: ignore[method-assign]
        change: Any = cloud.server_restore(ITEM)
        targets = change.targets()
        change.targets = lambda: targets
        cloud.item(ITEM)['status'] = 'restoring'
        [outcome] = cloud.carry_out(change)
        assert outcome.state is State.UNKNOWN
        assert 'and yet the backup is being restored' in str(outcome.error)

    def test_one_volume_of_two_is_not_the_end(self) -> None:
        """The other one begins later, and the backup shows nothing."""
        cloud = there()
        cloud.script, cloud.shows_both = (), False
        cloud.volumes[ROOT]['status'] = 'in-use'
        seen = ['restoring-backup', *['in-use'] * 9, 'error_restoring']
        cinder = cloud._cinder

        def answer(path: Any, query: Any, body: Any, context: Any) -> Any:
            if cloud.restores and path[-1] == ROOT and seen:
                status = seen.pop(0)
                id = DATA if status == 'error_restoring' else ROOT
                cloud.volumes[id]['status'] = status
            return cinder(path, query, body, context)

        cloud._cinder = answer  # type: ignore[method-assign]
        assert restored(cloud).state is State.FAILED

    @pytest.mark.parametrize('fault', [403, 404, 500])
    def test_what_cannot_be_read_is_no_success(self, fault: int) -> None:
        cloud = there()
        change: Any = cloud.server_restore(ITEM)
        targets = change.targets()
        change.targets = lambda: targets
        cloud.faults.append((f'GET .*/volumes/{DATA}', fault))
        [outcome] = cloud.carry_out(
            change, wait=True, patience=Patience(timeout=300.0)
        )
        assert outcome.state is State.ACCEPTED

    def test_a_server_that_does_not_come_back(self) -> None:
        cloud = there()
        change: Any = cloud.server_restore(ITEM)
        targets = change.targets()
        change.targets = lambda: targets
        cloud.servers[SERVER]['status'] = 'ERROR'
        [outcome] = cloud.carry_out(
            change, wait=True, patience=Patience(timeout=300.0)
        )
        assert outcome.state is State.FAILED
        assert 'the status of the server is ERROR' in str(outcome.error)

    @pytest.mark.parametrize(
        ('karbor', 'state'),
        [
            (None, State.DONE),
            ('success', State.DONE),
            ('in_progress', State.DONE),
            ('fail', State.FAILED),
        ],
    )
    def test_what_karbor_says(self, karbor: str | None, state: State) -> None:
        cloud = there()
        cloud.karbor = karbor
        outcome = restored(cloud)
        assert outcome.state is state
        asked = len(cloud.sent('GET .*/restores/'))
        assert asked == 1 or karbor in ('in_progress', 'success')

    @pytest.mark.parametrize('body', ['<html>', '[]', ''])
    def test_a_page_in_place_of_a_restore_is_forgotten(
        self, body: str
    ) -> None:
        cloud = there()
        csbs = cloud._csbs

        def odd(path: Any, query: Any, sent: Any, context: Any) -> Any:
            if path[0] == 'restores' and sent is None:
                return body
            return csbs(path, query, sent, context)

        cloud._csbs = odd  # type: ignore[method-assign]
        assert restored(cloud).state is State.DONE

    def test_progress_is_life(self) -> None:
        cloud = there()
        cloud.script = [
            *({'status': 'restoring', 'progress': n} for n in range(100)),
            AVAILABLE,
        ]
        outcome = restored(cloud, patience=Patience(idle=60.0))
        assert outcome.state is State.DONE

    def test_what_stands_still_is_not_waited_for(self) -> None:
        cloud = there()
        cloud.script = (RESTORING,)
        outcome = restored(cloud, patience=Patience(idle=60.0))
        assert outcome.state is State.ACCEPTED
        assert 3600 < cloud.clock.now < 4000


class TestLostAnswer:
    @pytest.mark.parametrize('answer', ['lost', 'reset', '503', '<html>'])
    def test_what_goes_on(self, answer: str) -> None:
        cloud = there()
        cloud.fates[SERVER] = Fate(answer=answer)
        outcome = restored(cloud)
        assert outcome.state is State.DONE
        assert outcome.result is not None
        assert outcome.result.remark == (
            'its answer was not the documented one'
            if answer == '<html>'
            else 'its answer was lost'
        )
        assert cloud.posts == {SERVER: 1}

    @pytest.mark.parametrize('wait', [False, True])
    def test_its_backup_alone_goes_on(self, wait: bool) -> None:
        """Somebody else may restore the same backup to another server."""
        cloud = there()
        cloud.shows_both = False
        cloud.fates[SERVER] = Fate(answer='lost')
        outcome = restored(cloud, wait=wait)
        if wait:
            assert outcome.state is State.UNKNOWN
            assert 'nothing tells whether' in str(outcome.error)
        else:
            assert outcome.state is State.ACCEPTED
            assert outcome.result is not None
            assert 'or by somebody else' in outcome.result.remark

    @pytest.mark.parametrize('wait', [False, True])
    def test_a_refusal_of_what_goes_on(self, wait: bool) -> None:
        cloud = there()
        cloud.fates[SERVER] = Fate(answer='409')
        change: Any = cloud.server_restore(ITEM)
        targets = change.targets()
        change.targets = lambda: targets
        cloud.volumes[ROOT]['status'] = 'restoring-backup'
        [outcome] = cloud.carry_out(
            change, wait=wait, patience=Patience(timeout=60.0)
        )
        assert outcome.state is (State.ACCEPTED if wait else State.UNKNOWN)
        assert cloud.posts == {SERVER: 1}

    @pytest.mark.parametrize('wait', [False, True])
    def test_nothing_is_seen(self, wait: bool) -> None:
        cloud = there()
        cloud.fates[SERVER] = Fate(answer='lost', acts=False)
        outcome = restored(cloud, wait=wait)
        assert outcome.state is State.UNKNOWN
        assert cloud.clock.pauses[: len(LOOKS)] == list(LOOKS)
        assert cloud.posts == {SERVER: 1}

    @pytest.mark.parametrize(
        'fault', [403, 500, requests.exceptions.ReadTimeout()]
    )
    def test_nothing_can_be_read(self, fault: Any) -> None:
        cloud = there()
        cloud.fates[SERVER] = Fate(answer='lost')
        change: Any = cloud.server_restore(ITEM)
        targets = change.targets()
        change.targets = lambda: targets
        cloud.faults.append(('GET', fault))
        [outcome] = cloud.carry_out(change)
        assert outcome.state is State.UNKNOWN

    @pytest.mark.parametrize('later', [1, 2, 3])
    def test_an_interruption(self, later: int) -> None:
        cloud = there()
        cloud.script = ()
        cloud.fates[SERVER] = Fate(answer='lost')
        outcome = restored(cloud, wait=False, stop_at=later)
        assert outcome.state is State.UNKNOWN
        assert cloud.posts == {SERVER: 1}


def test_a_recorder_notes_what_is_restored() -> None:
    cloud = there()
    noted: list[tuple[str, str]] = []

    class Notes(Recorder):
        def record(self, target: Target, action: str, send: Any) -> Any:
            noted.append((target.verified_id, action))
            return super().record(target, action, send)

    cloud.carry_out(cloud.server_restore(ITEM), recorder=Notes())
    assert noted == [(SERVER, f'restore from {ITEM}')]
