# SPDX-License-Identifier: Apache-2.0
"""A cloud that makes backups and shares, and answers as badly as a test says.

It keeps count of what it has made, and of the POSTs that should not have come:
what is said of a run is compared with that, never with what it says itself.
"""

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import requests
import requests_mock

from tests.unit.fakes import PROJECT, FakeCloud
from tests.unit.world import uuid
from vbsclient import waiting
from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage
from vbsclient.api.compute import Compute
from vbsclient.api.csbs import CSBS_PROVIDER, CSBSClient
from vbsclient.api.http import Limits
from vbsclient.api.vbs import VBSClient
from vbsclient.change.follow import Follower
from vbsclient.change.run import execute
from vbsclient.change.targets import Change, Outcome, Recorder
from vbsclient.waiting import Patience

Row = dict[str, Any]

CATALOG = {
    'vbs': f'https://vbs.example/v2/{PROJECT}',
    'data-protect': f'https://csbs.example/v1/{PROJECT}',
    'volumev3': f'https://cinder.example/v3/{PROJECT}',
    'compute': 'https://nova.example/v2.1',
}

#: What leaves nothing done, and may be repeated.
UNDONE = ('429', '401', 'never left')
#: What refuses for good.
REFUSALS = (
    *('400', '403', '404', '405', '409', '413', '422', '302'),
    *('429 always', '401 always', 'never left always'),
)
#: What says nothing, whether it was carried out or not.
DOUBTFUL = (
    *('lost', 'reset', '408', '499', '303'),
    *('500', '501', '502', '503', '504'),
    *('503 and a pause', 'no id', '../x', 'f' * 200, 'a number', 'a list'),
    *('<html>', 'nothing', '201', '203', '204'),
)


@dataclass
class Fate:
    """What becomes of the POST of one target.

    :ivar before: the answers to its first attempts, which do nothing.
    :ivar answer: ``good``, a refusal, or a doubtful one.
    :ivar acts: whether it is carried out; what is refused never is.
    :ivar hidden: in how many lists and GETs it is not shown yet.
    :ivar job: the statuses of its job; the last one stays.
    :ivar life: the statuses of what is made; the last one stays.
    :ivar left_out: projects that a backup is not shared with.
    :ivar untold: projects whose shares the answer does not have.
    """

    before: Sequence[str] = ()
    answer: str = 'good'
    acts: bool = True
    hidden: int = 0
    job: Sequence[str] = ('RUNNING', 'SUCCESS')
    life: Sequence[str] = ('creating', 'available')
    left_out: Sequence[str] = ()
    untold: Sequence[str] = ()

    @property
    def is_carried_out(self) -> bool:
        return self.answer == 'good' or (
            self.answer not in REFUSALS and self.acts
        )


class Clock(threading.Event):
    """A stop event whose waits take no time, and the clock that they move."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.pauses: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.now += timeout or 0.0
        self.pauses.append(timeout or 0.0)
        return self.is_set()

    def read(self) -> float:
        return self.now


class Maker:
    """VBS, CSBS, block storage and compute.

    :param vbs: whether there is a VBS, or block storage alone.
    :ivar fates: by the id of a volume, a server or a backup.
    :ivar made: how often something was made: by the id of a volume or a
        server, or by (backup, project).
    :ivar posts: how often a POST came, by the same ids of fates.
    :ivar doubtful: the ids of what a POST may have been carried out for.
    :ivar broken: those of them for which another POST came.
    :ivar stop_at: the stop event is set when this request comes.
    :ivar faults: (pattern of ``METHOD path?query``, status or exception).
    :ivar log: ``METHOD path`` of every request.
    :ivar providers: those of CSBS.
    :ivar checks: what C2 answers, by the id of a server; None leaves it out.
    """

    def __init__(
        self,
        *,
        vbs: bool = True,
        concurrency: int = 1,
        volumes: int = 0,
        servers: int = 0,
        stop_at: int | None = None,
    ) -> None:
        self.clock = Clock()
        self.limits = Limits(concurrency, stop=self.clock)
        catalog = {k: v for k, v in CATALOG.items() if vbs or k != 'vbs'}
        self.cloud = FakeCloud(catalog)
        self.cloud.on(
            requests_mock.ANY,
            re.compile(r'https://(vbs|csbs|cinder|nova)\.example'),
            text=self._answer,
        )
        self.vbs = VBSClient(
            self.cloud.session, version='2' if vbs else '3', limits=self.limits
        )
        self.csbs = CSBSClient(self.cloud.session, limits=self.limits)
        self.cinder = BlockStorage(self.cloud.session)
        self.nova = Compute(self.cloud.session)
        self.volumes: dict[str, Row] = {}
        self.snapshots: dict[str, Row] = {}
        self.servers: dict[str, Row] = {}
        self.backups: list[Row] = []
        self.items: list[Row] = []
        self.shares: list[Row] = []
        self.jobs: dict[str, Row] = {}
        self.quota: Row = {'type': 'backups', 'quota': -1, 'used': 0}
        self.providers = [{'id': CSBS_PROVIDER, 'name': 'CSBS'}]
        self.checks: dict[str, Row | None] = {}
        self.fates: dict[str, Fate] = {}
        self.made: Counter[Any] = Counter()
        self.posts: Counter[str] = Counter()
        self.bodies: list[Any] = []
        self.broken: list[str] = []
        self.stop_at = stop_at
        self.faults: list[tuple[str, int | Exception]] = []
        self.log: list[str] = []
        self.doubtful: set[str] = set()
        self._lock = threading.Lock()
        for number in range(volumes):
            self.add_volume(number)
        for number in range(servers):
            self.add_server(number)

    # -- what there is ---------------------------------------------------

    def add_volume(self, number: int, **changes: Any) -> str:
        id = uuid(1000 + number)
        self.volumes[id] = {
            'id': id,
            'name': f'volume-{number}',
            'status': 'in-use',
            'size': 10,
            'attachments': [],
            **changes,
        }
        return id

    def add_snapshot(self, number: int, volume: str, **changes: Any) -> str:
        id = uuid(2000 + number)
        self.snapshots[id] = {
            'id': id,
            'name': f'snapshot-{number}',
            'status': 'available',
            'volume_id': volume,
            **changes,
        }
        return id

    def add_server(self, number: int, **changes: Any) -> str:
        id = uuid(3000 + number)
        self.servers[id] = {
            'id': id,
            'name': f'server-{number}',
            'status': 'ACTIVE',
            **changes,
        }
        return id

    def add_backup(self, number: int, **changes: Any) -> str:
        id = uuid(4000 + number)
        self.backups.append(
            {
                'id': id,
                'name': f'backup-{number}',
                'status': 'available',
                'volume_id': uuid(1000),
                'created_at': '2026-11-01T02:00:00.000000',
                **changes,
            }
        )
        return id

    def add_item(self, number: int, **changes: Any) -> str:
        id = uuid(5000 + number)
        self.items.append(
            {
                'id': id,
                'checkpoint_id': uuid(6000 + number),
                'name': f'item-{number}',
                'status': 'available',
                'resource_id': uuid(3000),
                'extend_info': {},
                **changes,
            }
        )
        return id

    def add_share(self, number: int, backup: str, project: str) -> str:
        id = uuid(7000 + number)
        self.shares.append(
            {'id': id, 'backup_id': backup, 'to_project_id': project}
        )
        return id

    # -- what is asked of it ---------------------------------------------

    def carry_out(
        self,
        change: Change,
        *,
        wait: bool = False,
        patience: Patience | None = None,
        recorder: Recorder | None = None,
    ) -> list[Outcome]:
        """The outcomes of a run."""
        recorder = recorder or Recorder()
        outcomes = [Outcome.of(target) for target in change.targets()]
        stopped = execute(change, outcomes, recorder, self.limits)
        if wait and stopped is None:
            self.follow(change, outcomes, recorder, patience)
        return outcomes

    def follow(
        self,
        change: Change,
        outcomes: Sequence[Outcome],
        recorder: Recorder,
        patience: Patience | None = None,
    ) -> list[Outcome]:
        """Wait for them on the clock; returns what is unfinished."""
        with self.ticking():
            follower = Follower(
                change,
                outcomes,
                recorder,
                self.limits,
                wants_all=True,
                patience=patience or Patience(timeout=30.0, shortest=3.0),
            )
            try:
                return follower.run()
            except errors.Cancelled:
                return [o for o in outcomes if o.is_unfinished]

    @contextmanager
    def ticking(self) -> Iterator[None]:
        """Let waits go by the clock."""
        wait = partial(waiting.wait, clock=self.clock.read)
        time = SimpleNamespace(monotonic=self.clock.read)
        with (
            mock.patch('vbsclient.change.follow.wait', wait),
            mock.patch('vbsclient.change.follow.time', time),
        ):
            yield

    def sent(self, pattern: str) -> list[str]:
        """The requests that match."""
        return [line for line in self.log if re.search(pattern, line)]

    # -- how it answers --------------------------------------------------

    def _answer(self, request: Any, context: Any) -> str:
        url = urlsplit(request.url)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        with self._lock:
            self.log.append(f'{request.method} {url.path}')
            if self.stop_at is not None and len(self.log) >= self.stop_at:
                self.clock.set()
            body = request.json() if request.method == 'POST' else None
            line = f'{request.method} {url.path}?{url.query}'
            for pattern, fault in self.faults:
                if re.search(pattern, line):
                    return _fail(context, fault)
            host = str(url.hostname).partition('.')[0]
            path = url.path.strip('/').split('/')
            path = path[1:] if host == 'nova' else path[2:]
            answer = getattr(self, f'_{host}')(path, query, body, context)
            return answer if isinstance(answer, str) else json.dumps(answer)

    def _vbs(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path[0] == 'jobs':
            return self._job(path[1], context)
        if path == ['cloudbackups', 'quota']:
            return {'quotas': {'resources': [self.quota]}}
        if path == ['cloudbackups']:
            backup = body['backup']
            return self._post(
                backup['volume_id'],
                body,
                context,
                partial(self._make_backup, backup, with_job=True),
                lambda id: {'job_id': id},
            )
        if path[0] == 'os-vendor-backup-sharing':
            return self._sharing(path, query, body, context)
        return self._backups(path, query, body, context)

    def _cinder(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path[0] == 'backups':
            return self._backups(path, query, body, context)
        rows = getattr(self, path[0])
        if path[1] == 'detail':
            return {path[0]: _page(list(rows.values()), query)}
        if path[1] not in rows:
            return _fail(context, 404)
        return {path[0][:-1]: rows[path[1]]}

    def _nova(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path[1] == 'detail':
            return {'servers': _page(list(self.servers.values()), query)}
        if path[1] not in self.servers:
            return _fail(context, 404)
        return {'server': self.servers[path[1]]}

    def _csbs(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path == ['quotas']:
            return {'quotas': {'resources': [self.quota]}}
        if path[0] == 'checkpoint_items':
            return {'checkpoint_items': _page(self._shown(self.items), query)}
        if body and 'check_protectable' in body:
            return {'protectable': list(self._checked(body))}
        if path == ['providers']:
            return {'providers': self.providers}
        if body is None:
            return _fail(context, 404)
        return self._post(
            path[3],
            body,
            context,
            partial(self._make_item, path[3], body),
            lambda id: {'checkpoint': {'id': id}},
        )

    def _checked(self, body: Any) -> Iterator[Row]:
        for row in body['check_protectable']:
            id = row['resource_id']
            answer = self.checks.get(id, {'result': True})
            if answer is not None:
                yield {'resource_id': id, **answer}

    def _backups(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if body is not None:
            backup = body['backup']
            return self._post(
                backup['volume_id'],
                body,
                context,
                partial(self._make_backup, backup, with_job=False),
                lambda id: {'backup': {'id': id}},
                good=202,
            )
        if path[1] == 'detail':
            return {'backups': _page(self._shown(self.backups), query)}
        named = [row for row in self.backups if row['id'] == path[1]]
        for row in self._shown(named):
            return {'backup': row}
        return _fail(context, 404)

    def _sharing(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if body is None:
            return {'shared': _page(self._shown(self.shares), query)}
        shared = body['shared']
        backup = shared['backup_id']
        fate = self.fates.get(backup, Fate())
        told: list[Row] = []

        def share() -> str:
            for project in shared['to_project_ids']:
                if project in fate.left_out:
                    continue
                self.made[backup, project] += 1
                self.add_share(len(self.shares), backup, project)
                self.shares[-1]['hidden'] = fate.hidden
                if project not in fate.untold:
                    told.append(dict(self.shares[-1]))
            return ''

        return self._post(
            backup,
            body,
            context,
            share,
            lambda id: {'shared': told if id == '' else id},
        )

    def _post(
        self,
        id: str,
        body: Any,
        context: Any,
        act: Any,
        answer_of: Any,
        *,
        good: int = 200,
    ) -> Any:
        fate = self.fates.get(id, Fate())
        self.posts[id] += 1
        self.bodies.append(body)
        if id in self.doubtful:
            self.broken.append(id)
        attempt = self.posts[id] - 1
        if attempt < len(fate.before):
            return _fail_as(context, fate.before[attempt])
        if fate.answer in REFUSALS:
            return _fail_as(context, fate.answer.removesuffix(' always'))
        self.doubtful.add(id)
        made = act() if fate.is_carried_out else uuid(9999)
        context.status_code = good
        if fate.answer == 'good':
            return answer_of(made)
        odd = {
            'no id': {},
            'a number': answer_of(5),
            'a list': [made],
            '<html>': '<html>',
            'nothing': '',
            '../x': answer_of('../x'),
            'f' * 200: answer_of('f' * 200),
        }
        if fate.answer in odd:
            return odd[fate.answer]
        return _fail_as(context, fate.answer, answer_of(made))

    def _make_backup(self, wanted: Any, *, with_job: bool) -> str:
        volume = wanted['volume_id']
        fate = self.fates.get(volume, Fate())
        self.made[volume] += 1
        id = self.add_backup(
            900 + len(self.backups),
            name=wanted['name'],
            volume_id=volume,
            life=list(fate.life),
            hidden=fate.hidden,
        )
        if not with_job:
            return id
        job = f'{len(self.jobs):032x}'
        self.jobs[job] = {'backup': id, 'script': list(fate.job)}
        return job

    def _make_item(self, server: str, body: Any) -> str:
        fate = self.fates.get(server, Fate())
        self.made[server] += 1
        number = 900 + len(self.items)
        self.add_item(
            number,
            name=body['protect']['backup_name'],
            resource_id=server,
            life=list(fate.life),
            hidden=fate.hidden,
        )
        return uuid(6000 + number)

    def _job(self, id: str, context: Any) -> Any:
        job = self.jobs[id]
        status = job['script'][0]
        if len(job['script']) > 1:
            job['script'].pop(0)
        if status.isdigit():
            return _fail(context, int(status))
        if status == 'odd':
            return {'job_id': 'another'}
        done = status == 'SUCCESS'
        return {
            'job_id': id,
            'status': status,
            'entities': {'backup_id': job['backup']} if done else {},
            'error_code': 'VolumeBackup.0064' if status == 'FAIL' else None,
            'fail_reason': 'the disk is full' if status == 'FAIL' else None,
        }

    @staticmethod
    def _shown(rows: Sequence[Row]) -> list[Row]:
        """The rows that are shown by now; each look lets them live on."""
        shown = []
        for row in rows:
            if row.get('hidden', 0) > 0:
                row['hidden'] -= 1
                continue
            life = row.get('life')
            if life:
                row['status'] = life[0]
                del life[: len(life) > 1]
            shown.append(
                {k: v for k, v in row.items() if k not in ('life', 'hidden')}
            )
        return shown


def _page(rows: Sequence[Row], query: Row) -> list[Row]:
    """One page; filters are exact."""
    names = ('name', 'volume_id', 'backup_id', 'resource_id', 'checkpoint_id')
    found = [
        row
        for row in rows
        if all(query.get(k) in (None, row.get(k)) for k in names)
    ]
    start = int(query.get('offset', 0))
    if 'marker' in query:
        start = [row['id'] for row in found].index(query['marker']) + 1
    return found[start : start + int(query.get('limit', 1000))]


def _fail(context: Any, fault: int | Exception, body: Any = None) -> str:
    if isinstance(fault, Exception):
        raise fault
    context.status_code = fault
    message = {'fault': {'code': fault, 'message': f'that was {fault}'}}
    return json.dumps(message if body is None else body)


def _fail_as(context: Any, answer: str, good: Any = None) -> str:
    """What one of the names of answers stands for.

    :param good: the body, where the status alone is odd.
    """
    lost: dict[str, Exception] = {
        'lost': requests.exceptions.ReadTimeout(),
        'reset': requests.exceptions.ConnectionError(),
        'never left': requests.exceptions.ConnectTimeout(),
    }
    if answer in lost:
        raise lost[answer]
    if answer == '503 and a pause':
        context.headers['Retry-After'] = '0'
    if answer in ('302', '303'):
        context.headers['Location'] = 'https://evil.example/'
    status = int(answer.partition(' ')[0])
    return _fail(context, status, good if 200 <= status < 300 else None)
