# SPDX-License-Identifier: Apache-2.0
"""A cloud that restores, and answers as badly as a test says.

It knows what is on each volume: what is said of a run is compared with that.
"""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.unit.maker import Fate, Maker, Row, _fail
from tests.unit.world import uuid
from vbsclient.api.csbs import CSBS_PROVIDER
from vbsclient.lookup.labels import Labels
from vbsclient.restoring.servers import ServerRestore
from vbsclient.restoring.volumes import VolumeRestore

#: What a restore is posted to.
RESTORES = r'POST .*/(backups|cloudbackups)/[^/]+/restore$|POST .*/restores$'

#: What C7 shows, one look after another, of a good restore.
GOOD = ({'status': 'restoring'}, {'status': 'available'})


class Restorer(Maker):
    """A cloud with a volume, a server, and backups of both.

    :ivar data: what is on each volume: ``old``, or the id of a backup.
    :ivar restores: the ids of the backups that were restored.
    :ivar script: what is shown of the volume, or of the server backup, once
        a restore was begun: each look takes one, and the last one stays.
    :ivar answer: what C3 says; None for no row.
    :ivar asked: the requests that C3 got.
    :ivar karbor: the status of its restores; None on CSBS.
    :ivar shows_both: whether backup and volumes tell of a restore alike; else
        the volume of VBS alone, and the server backup of CSBS alone.
    :ivar saves_nothing: whether new backups hold nothing.
    :ivar saved_status: of each volume in a new server backup.
    """

    def __init__(self, *, vbs: bool = True, **options: Any) -> None:
        self.script: Sequence[Row] = ()
        self.answer: Row | None = {'result': True}
        self.asked: list[Row] = []
        self.karbor: str | None = None
        self.shows_both = True
        self.saves_nothing = False
        self.saved_status = 'available'
        self.restores: list[str] = []
        self.data: dict[str, str] = {}
        self.look_ups: list[str] = []
        self._looks: dict[str, list[Row]] = {}
        self._number = 0
        super().__init__(vbs=vbs, **options)

    # -- what there is ---------------------------------------------------

    def add_volume(self, number: int, **changes: Any) -> str:
        id = super().add_volume(
            number,
            **{
                'status': 'available',
                'bootable': 'false',
                'encrypted': False,
                'multiattach': False,
                'availability_zone': 'eu-de-01',
                **changes,
            },
        )
        self.data[id] = 'old'
        return id

    def add_backup(self, number: int, **changes: Any) -> str:
        return super().add_backup(
            number,
            **{'size': 10, 'availability_zone': 'eu-de-01', **changes},
        )

    def add_server_of(self, number: int, volumes: Sequence[str]) -> str:
        """A server with these volumes."""
        id = self.add_server(number)
        self.servers[id]['os-extended-volumes:volumes_attached'] = [
            {'id': volume} for volume in volumes
        ]
        for volume in volumes:
            self.volumes[volume].update(
                status='in-use', attachments=[{'server_id': id}]
            )
        return id

    def add_item_of(self, number: int, server: str, **changes: Any) -> str:
        """A backup of a server, and of each of its volumes."""
        attached = self.servers[server]['os-extended-volumes:volumes_attached']
        extend = {
            'fail_op': '',
            'fail_reason': '',
            'taskid': 'task-0',
            'supported_restore_mode': 'backup',
            'volume_backups': [
                {
                    'id': uuid(8000 + 10 * number + n),
                    'source_volume_id': one['id'],
                    'source_volume_name': self.volumes[one['id']]['name'],
                    'source_volume_size': self.volumes[one['id']]['size'],
                    'bootable': False,
                }
                for n, one in enumerate(attached)
            ],
            **changes.pop('extend_info', {}),
        }
        return self.add_item(
            number,
            resource_id=server,
            created_at='2026-11-01T02:00:00.000000',
            updated_at='2026-11-01T02:30:00.000000',
            extend_info=extend,
            **changes,
        )

    def _make_backup(self, wanted: Any, *, with_job: bool) -> str:
        made = super()._make_backup(wanted, with_job=with_job)
        if self.saves_nothing:
            self.backups[-1]['size'] = 0
        return made

    def _make_item(self, server: str, body: Any) -> str:
        made = super()._make_item(server, body)
        saved = () if self.saves_nothing else self.data
        self.items[-1]['extend_info'] = {
            'volume_backups': [
                {
                    'id': uuid(8900 + n),
                    'status': self.saved_status,
                    'source_volume_id': id,
                    'source_volume_size': 10,
                }
                for n, id in enumerate(saved)
            ]
        }
        return made

    def item(self, id: str) -> Row:
        [row] = [row for row in self.items if row['id'] == id]
        return row

    # -- what is asked of it ---------------------------------------------

    def volume_restore(
        self, backup: str, volume: str, **options: Any
    ) -> VolumeRestore:
        clients: dict[str, Any] = {
            'block-storage': self.cinder,
            'compute': self.nova,
        }
        return VolumeRestore(
            self.vbs,
            self.cinder,
            backup,
            volume,
            labels=Labels(lambda kind, name: clients[name]),
            limits=self.limits,
            **options,
        )

    def server_restore(self, backup: str, **options: Any) -> ServerRestore:
        return ServerRestore(
            self.csbs,
            self.nova,
            self.cinder,
            backup,
            limits=self.limits,
            clock=self.clock.read,
            **options,
        )

    @property
    def restoring_posts(self) -> list[Any]:
        """The requests that restore."""
        return [
            request
            for request in self.cloud.requests
            if re.search(
                RESTORES, f'{request.method} {urlsplit(request.url).path}'
            )
        ]

    @property
    def overwritten(self) -> dict[str, str]:
        """What is on the volumes whose data are not the old ones."""
        return {id: data for id, data in self.data.items() if data != 'old'}

    # -- how it answers --------------------------------------------------

    def _answer(self, request: Any, context: Any) -> str:
        query = parse_qs(urlsplit(request.url).query)
        self.look_ups += [*query.get('name', ()), *query.get('backup_id', ())]
        return super()._answer(request, context)

    def _vbs(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path[0] == 'cloudbackups' and path[-1] == 'restore':
            return self._restore_volume(path[1], body, context, native=False)
        return super()._vbs(path, query, body, context)

    def _cinder(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path[0] == 'volumes':
            for id in self.volumes:
                if path[1] == id:
                    self._change_volume(id, self._look(id))
        return super()._cinder(path, query, body, context)

    def _nova(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path == ['servers']:
            return {'servers': list(self.servers.values())}
        return super()._nova(path, query, body, context)

    def _backups(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path[-1] == 'restore':
            return self._restore_volume(path[1], body, context, native=True)
        return super()._backups(path, query, body, context)

    def _csbs(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path[0] == 'checkpoint_items' and len(path) > 1:
            for row in self.items:
                if row['id'] == path[1]:
                    self._change_item(row, self._look(row['id']))
                    return {'checkpoint_item': row}
            return _fail(context, 404)
        if path[0] == 'restores' and body is None:
            if self.karbor is None:
                return _fail(context, 404)
            return {'restore': {'id': path[1], 'status': self.karbor}}
        if path[0] == 'restores':
            return self._restore_server(body, context)
        if body and 'check_restorable' in body:
            self.asked += body['check_restorable']
            answer = self.answer
            return {'restorable': [] if answer is None else [answer]}
        return super()._csbs(path, query, body, context)

    def _restore_volume(
        self, backup: str, body: Any, context: Any, *, native: bool
    ) -> Any:
        volume = body['restore']['volume_id']

        def restore() -> str:
            self.restores.append(backup)
            self.data[volume] = backup
            self._looks[volume] = [*self.script]
            job = f'{len(self.jobs):032x}'
            fate = self.fates.get(volume, Fate())
            self.jobs[job] = {'backup': backup, 'script': list(fate.job)}
            return volume if native else job

        return self._post(
            volume,
            body,
            context,
            restore,
            (lambda id: {'restore': {'volume_id': id, 'backup_id': backup}})
            if native
            else (lambda id: {'job_id': id}),
            good=202 if native else 200,
        )

    def _restore_server(self, body: Any, context: Any) -> Any:
        parameters = body['restore']['parameters']
        assert body['restore']['provider_id'] == CSBS_PROVIDER
        item = self.item(parameters['checkpoint_item_id'])

        def restore() -> str:
            self.restores.append(item['id'])
            for one in parameters['targets']['volumes']:
                self.data[one['volume_id']] = one['backup_id']
            self._looks[item['id']] = [*self.script]
            return uuid(9000)

        return self._post(
            parameters['targets']['server_id'],
            body,
            context,
            restore,
            lambda id: {'restore': {'id': id, 'status': 'in_progress'}},
        )

    def _look(self, id: str) -> Row:
        """What is new at this look."""
        looks = self._looks.get(id)
        return looks.pop(0) if looks else {}

    def _job(self, id: str, context: Any) -> Any:
        if self.jobs[id]['script'][0] == 'SUCCESS of another':
            entities = {'volume_id': uuid(4712)}
            return {'job_id': id, 'status': 'SUCCESS', 'entities': entities}
        return super()._job(id, context)

    def _change_volume(self, id: str, change: Row) -> None:
        change = {**change}
        backup_time = change.pop('backup', None)
        for row in self.backups:
            if backup_time and row['id'] == self.data[id]:
                row['updated_at'] = backup_time
        self.volumes[id].update(change)
        if not self.shows_both or 'status' not in change:
            return
        is_busy = change['status'] == 'restoring-backup'
        for row in self.backups:
            if row['id'] == self.data[id]:
                row['status'] = 'restoring' if is_busy else 'available'

    def _change_item(self, row: Row, change: Row) -> None:
        if change:
            self._number += 1
        if self.shows_both and 'status' in change:
            is_busy = change['status'] in ('restoring', 'waiting_restore')
            for one in row['extend_info']['volume_backups']:
                for id, data in self.data.items():
                    if data == one['id']:
                        status = 'restoring-backup' if is_busy else 'in-use'
                        self.volumes[id]['status'] = status
        for key, value in change.items():
            if key in ('status', 'updated_at'):
                row[key] = value
            else:
                row['extend_info'] = {**row['extend_info'], key: value}
        if change and 'updated_at' not in change:
            row['updated_at'] = f'2026-11-26T02:{self._number:02}:00.000000'
