# SPDX-License-Identifier: Apache-2.0
"""Policies of both services that answer as badly as a test says.

What a run says is compared with the members that policies really have.
"""

import json
import re
import threading
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests_mock

from tests.unit.fakes import PROJECT, FakeCloud
from tests.unit.maker import CATALOG, REFUSALS, Clock, _fail, _fail_as
from tests.unit.world import uuid
from vbsclient.api.block_storage import BlockStorage
from vbsclient.api.compute import Compute
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.http import Limits
from vbsclient.api.vbs import VBSClient
from vbsclient.change.run import execute
from vbsclient.change.targets import Change, Outcome, Recorder

Row = dict[str, Any]


@dataclass
class Answer:
    """What becomes of one request that changes something.

    :ivar word: ``good``, a refusal or a doubtful one, as those of a maker.
    :ivar acts: whether it is carried out, if it is not refused.
    :ivar how: of a PUT: ``replaces``, ``merges``, ``ignores`` or ``loses``
        (also what nobody named).
    :ivar told: of each volume: in which list it is told.
    :ivar spares: how many of the last volumes nothing is done for.
    """

    word: str = 'good'
    acts: bool = True
    how: str = 'replaces'
    told: Sequence[str] = ()
    spares: int = 0

    @property
    def is_carried_out(self) -> bool:
        return self.word == 'good' or (self.word not in REFUSALS and self.acts)


class Keeper:
    """VBS, CSBS, block storage and compute.

    :ivar volumes: of each policy of VBS.
    :ivar tasks: of each policy of VBS.
    :ivar plans: the policies of CSBS.
    :ivar answers: to the requests that change something, one after another;
        the rest are good.
    :ivar sent: (policy, members, those it had) of each of these.
    :ivar stop_at: the stop event is set when this request comes.
    :ivar faults: (pattern of ``METHOD path``, status).
    """

    def __init__(self, members: int = 4, policies: int = 2) -> None:
        self.clock = Clock()
        self.limits = Limits(1, stop=self.clock)
        self.cloud = FakeCloud(CATALOG)
        self.cloud.on(
            requests_mock.ANY,
            re.compile(r'https://(vbs|csbs|cinder|nova)\.example'),
            text=self._answer,
        )
        self.vbs = VBSClient(
            self.cloud.session, version='2', limits=self.limits
        )
        self.csbs = CSBSClient(self.cloud.session, limits=self.limits)
        self.cinder = BlockStorage(self.cloud.session)
        self.nova = Compute(self.cloud.session)
        self.ids = [uuid(1000 + number) for number in range(members)]
        self.policy_ids = [uuid(2000 + number) for number in range(policies)]
        self.volumes: dict[str, list[str]] = {id: [] for id in self.policy_ids}
        self.tasks: dict[str, list[Row]] = {id: [] for id in self.policy_ids}
        self.plans: dict[str, Row] = {
            id: {
                'id': id,
                'name': f'policy-{number}',
                'project_id': PROJECT,
                'unknown': {'kept': number},
                'resources': [],
                'scheduled_operations': [
                    {
                        'id': uuid(3000 + number),
                        'enabled': number % 2 == 0,
                        'operation_definition': {'max_backups': 5},
                    }
                ],
            }
            for number, id in enumerate(self.policy_ids)
        }
        self.answers: list[Answer] = []
        self.sent: list[tuple[str, list[str], list[str]]] = []
        self.log: list[str] = []
        self.stop_at: int | None = None
        self.faults: list[tuple[str, int]] = []
        self._lock = threading.Lock()

    def servers_of(self, policy: str) -> list[str]:
        return [row['id'] for row in self.plans[policy]['resources']]

    def put(self, policy: str, *ids: str) -> None:
        """Let servers belong to a policy."""
        self.plans[policy]['resources'] += [
            {'id': id, 'type': 'OS::Nova::Server', 'name': id, 'extra': 1}
            for id in ids
        ]

    def add_task(self, policy: str, volume: str, at: str) -> None:
        number = sum(map(len, self.tasks.values()))
        self.tasks[policy].append(
            {
                'job_id': f'task-{number}',
                'resource_id': volume,
                'status': 'EXECUTE_SUCCESS',
                'created_at': at,
            }
        )

    def carry_out(
        self, change: Change, stop_at: int | None = None
    ) -> list[Outcome]:
        """The outcomes of a run, whose look-ups nothing has disturbed."""
        outcomes = [Outcome.of(target) for target in change.targets()]
        if stop_at is not None:
            self.stop_at = len(self.log) + stop_at
        self.stopped = execute(change, outcomes, Recorder(), self.limits)
        return outcomes

    # -- how it answers --------------------------------------------------

    def _answer(self, request: Any, context: Any) -> str:
        url = urlsplit(request.url)
        with self._lock:
            line = f'{request.method} {url.path}'
            self.log.append(line)
            if self.stop_at is not None and len(self.log) >= self.stop_at:
                self.clock.set()
            for pattern, status in self.faults:
                if re.search(pattern, line):
                    return _fail(context, status)
            host = str(url.hostname).partition('.')[0]
            path = url.path.strip('/').split('/')
            path = path[1:] if host == 'nova' else path[2:]
            query = {k: v[0] for k, v in parse_qs(url.query).items()}
            body = request.json() if request.body else None
            answer = getattr(self, f'_{host}')(path, query, body, context)
            return answer if isinstance(answer, str) else json.dumps(answer)

    def _cinder(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        rows = [{'id': id, 'name': id, 'status': 'in-use'} for id in self.ids]
        return self._one_of(path, query, rows, 'volume', context)

    def _nova(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        rows = [{'id': id, 'name': id, 'status': 'ACTIVE'} for id in self.ids]
        return self._one_of(path, query, rows, 'server', context)

    @staticmethod
    def _one_of(
        path: Any, query: Any, rows: list[Row], what: str, context: Any
    ) -> Any:
        if path[1] == 'detail':
            return {f'{what}s': [] if 'marker' in query else rows}
        for row in rows:
            if row['id'] == path[1]:
                return {what: row}
        return _fail(context, 404)

    def _vbs(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path == ['backuppolicy']:
            return {
                'backup_policies': [
                    {
                        'backup_policy_id': id,
                        'backup_policy_name': f'policy-{number}',
                        'policy_resource_count': len(self.volumes[id]),
                    }
                    for number, id in enumerate(self.policy_ids)
                ]
            }
        if path[-1] == 'backuptasks':
            start = int(query.get('offset', 0))
            return {'tasks': self.tasks[path[1]][start:]}
        return self._members(path, body, context)

    def _members(self, path: Any, body: Any, context: Any) -> Any:
        """V28 and V29."""
        ids = [row['resource_id'] for row in body['resources']]
        joins = path == ['backuppolicyresources']
        policy = body['backup_policy_id'] if joins else path[1]
        self.sent.append((policy, ids, list(self.volumes[policy])))
        answer = self._next()
        done = ids[: len(ids) - answer.spares]
        if answer.is_carried_out:
            for one, members in self.volumes.items():
                if joins or one == policy:
                    members[:] = [id for id in members if id not in done]
            if joins:
                self.volumes[policy] += done
        told = {id: 'success' if id in done else 'failed' for id in ids}
        told |= dict(zip(ids, answer.told, strict=False))
        lists: Row = {'success_resources': [], 'fail_resources': []}
        for id, where in told.items():
            row: Row = {'resource_id': id}
            if where != 'success':
                row |= {'code': 'AutoBackup.0009', 'message': 'no'}
            if where in ('success', 'coded'):
                lists['success_resources'].append(row)
            elif where == 'failed':
                lists['fail_resources'].append(row)
        return self._told(answer, context, lists)

    def _csbs(self, path: Any, query: Any, body: Any, context: Any) -> Any:
        if path == ['policies']:
            rows = [] if 'marker' in query else list(self.plans.values())
            return {'policies': rows}
        plan = self.plans[path[1]]
        if body is None:
            return {'policy': plan}
        wanted = body['policy']
        ids = [row['id'] for row in wanted['resources']]
        self.sent.append((plan['id'], ids, self.servers_of(plan['id'])))
        answer = self._next()
        asked = {**deepcopy(plan), 'resources': wanted['resources']}
        if answer.is_carried_out and answer.how != 'ignores':
            rows = wanted['resources']
            if answer.how == 'merges':
                rows = [
                    *(r for r in plan['resources'] if r['id'] not in ids),
                    *rows,
                ]
            plan['resources'] = rows
            [operation] = wanted['scheduled_operations']
            plan['scheduled_operations'][0] |= operation
            if answer.how == 'loses':
                plan.pop('unknown', None)
        return self._told(answer, context, {'policy': asked})

    def _next(self) -> Answer:
        return self.answers.pop(0) if self.answers else Answer()

    @staticmethod
    def _told(answer: Answer, context: Any, good: Row) -> Any:
        if answer.word == 'good':
            return good
        odd = {
            'no id': {},
            'a number': {'policy': 5},
            'a list': [good],
            '<html>': '<html>',
            'nothing': '',
            '../x': {'policy': {'id': '../x'}},
            'f' * 200: {'policy': {'id': 'f' * 200}},
        }
        if answer.word in odd:
            return odd[answer.word]
        word = answer.word.removesuffix(' always')
        return _fail_as(context, word, json.dumps(good))
