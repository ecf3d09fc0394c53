# SPDX-License-Identifier: Apache-2.0
"""Old lists, rows of other projects, late siblings and another clock."""

from email.utils import parsedate_to_datetime

from tests.unit.sandbox.conftest import PROVIDER, Clock, Cloud


def test_a_list_still_shows_what_was_deleted(
    cloud: Cloud, clock: Clock
) -> None:
    api = cloud(list_lag=10, clock=clock)
    state = api.sandbox.state
    backup, item = state.add_backup(), state.add_checkpoint().items[0]
    state.remove_backup(backup)
    state.remove_item(item)

    def listed(path: str, key: str) -> list[str]:
        return [row['id'] for row in api.get(path).json()[key]]

    lists = (
        (backup.id, '/vbs/v3/{P}/backups/detail', 'backups'),
        (backup.id, '/vbs/v2/{P}/backups', 'backups'),
        (item.id, '/csbs/v1/{P}/checkpoint_items', 'checkpoint_items'),
    )
    for id, path, key in lists:
        assert id in listed(path, key)
    assert api.get(f'/vbs/v3/{{P}}/backups/{backup.id}').status_code == 404
    assert (
        api.get(f'/csbs/v1/{{P}}/checkpoint_items/{item.id}').status_code
        == 404
    )
    clock.advance(10)
    for id, path, key in lists:
        assert id not in listed(path, key)


def test_a_list_with_the_rows_of_all_projects(cloud: Cloud) -> None:
    api = cloud(foreign_rows=True)
    other = api.sandbox.state.add_project('other', member=False)
    own = api.sandbox.state.add_backup()
    foreign = api.sandbox.state.add_backup(project_id=other.id)
    rows = api.get('/vbs/v3/{P}/backups/detail').json()['backups']
    assert {r['id']: r['os-backup-project-attr:project_id'] for r in rows} == {
        own.id: api.sandbox.project_id,
        foreign.id: other.id,
    }
    assert api.get(f'/vbs/v3/{{P}}/backups/{foreign.id}').ok


def test_siblings_that_are_deleted_later(cloud: Cloud, clock: Clock) -> None:
    api = cloud(
        ignore_item_query=True,
        sibling_delay=2,
        deletion_time=60,
        clock=clock,
    )
    run = api.sandbox.state.add_checkpoint(2)
    named, sibling = run.items
    path = f'/csbs/v1/{{P}}/providers/{PROVIDER}/checkpoints/{run.id}'
    assert api.delete(f'{path}?checkpoint_items={named.id}').ok
    assert named.status == 'deleting'
    assert sibling.status == 'available'
    clock.advance(2)
    assert api.sandbox.state.items[sibling.id].status == 'deleting'


def test_a_clock_that_is_ahead(cloud: Cloud) -> None:
    dates = []
    for offset in (0.0, 7200.0):
        api = cloud(clock_offset=offset)
        answer = api.get('/vbs/v3/{P}/backups/detail')
        dates.append(parsedate_to_datetime(answer.headers['Date']))
    assert 7190 < (dates[1] - dates[0]).total_seconds() < 7210
