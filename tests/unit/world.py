# SPDX-License-Identifier: Apache-2.0
"""A VBS and a CSBS that answer out of lists, and remember what was sent.

The sandbox has one state, from which all of its answers follow, and refuses
what the references do not allow.  This one is for services that are wrong:
rows of any shape under ids that a test chooses, a list that shows others than
a GET does, a DELETE that is accepted and changes nothing or deletes more.
"""

import errno
import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
import requests_mock
from urllib3.exceptions import NewConnectionError

from tests.unit.fakes import PROJECT, FakeCloud
from vbsclient.api.csbs import CSBS_PROVIDER, CSBSClient
from vbsclient.api.http import Limits
from vbsclient.api.vbs import VBSClient
from vbsclient.change.run import execute
from vbsclient.change.targets import Change, Outcome, Recorder
from vbsclient.deletion.checkpoints import CheckpointDeletion
from vbsclient.deletion.server_backups import ServerBackupDeletion
from vbsclient.deletion.volume_backups import VolumeBackupDeletion

VBS = 'https://vbs.example'
CSBS = 'https://csbs.example'

Row = dict[str, Any]


def uuid(number: int) -> str:
    return f'00000000-0000-4000-8000-{number:012}'


class World:
    """The two services.

    :ivar backups: what VBS has; v2 shows ``service_metadata`` of it.
    :ivar versions: the versions that VBS serves.
    :ivar faults: (pattern of ``METHOD path?query``, status, body): the
        first that matches is the answer.
    :ivar deleted: what an accepted DELETE makes of a status.
    :ivar ignores_items: whether CSBS deletes whole checkpoints always.
    :ivar has_items: whether there is a CSBS; else it is a plain Karbor.
    :ivar provider: the one provider of that Karbor.
    :ivar answers: what a DELETE that was carried out is answered with.
    :ivar shown: what lists show of the rows that there are; a GET of one
        row shows what is so.
    :ivar busy: ids of items whose next DELETE is refused for the moment.
    :ivar then: what happens after each DELETE, before anybody looks again.
    """

    def __init__(
        self,
        *,
        pin: Any = '3',
        versions: Sequence[str] = ('v2', 'v3'),
        csbs: bool = True,
        concurrency: int = 1,
    ) -> None:
        self.backups: list[Row] = []
        self.items: list[Row] = []
        self.shares: list[Row] = []
        self.versions = versions
        self.faults: list[tuple[str, int, Any]] = []
        self.single_faults: list[tuple[str, int]] = []
        self.deleted = 'deleting'
        self.ignores_items = False
        self.answers: int | None = None
        self.busy: set[str] = set()
        self.then: Callable[[], object] = lambda: None
        self.shown: Callable[[list[Row]], list[Row]] = list
        self.has_items = True
        self.provider = CSBS_PROVIDER
        self.karbor: list[Row] = []
        catalog = {'vbs': f'{VBS}/v2/{PROJECT}'}
        if csbs:
            catalog['data-protect'] = f'{CSBS}/v1/{PROJECT}'
        self.cloud = FakeCloud(catalog)
        self.cloud.on(
            requests_mock.ANY, re.compile(VBS), json=self._after(self._vbs)
        )
        self.cloud.on(
            requests_mock.ANY, re.compile(CSBS), json=self._after(self._csbs)
        )
        self.limits = Limits(concurrency)
        keywords: dict[str, Any] = {
            'limits': self.limits,
        }
        self.vbs = VBSClient(self.cloud.session, version=pin, **keywords)
        self.csbs = CSBSClient(self.cloud.session, **keywords)

    # What there is.

    def add_backup(self, number: int, **changes: Any) -> str:
        row = {
            'id': uuid(number),
            'name': f'backup-{number}',
            'status': 'available',
            'volume_id': uuid(9000 + number),
            'created_at': f'2024-05-{number % 28 + 1:02}T10:00:00.000000',
            'service_metadata': '{"ST": 0}',
        } | changes
        self.backups.append(row)
        return str(row['id'])

    def add_item(
        self,
        number: int,
        checkpoint: int = 500,
        *,
        disks: Sequence[str] = (),
        image: bool = False,
        **changes: Any,
    ) -> str:
        row = {
            'id': uuid(number),
            'checkpoint_id': uuid(checkpoint),
            'name': f'item-{number}',
            'status': 'available',
            'resource_id': uuid(8000 + number),
            'extend_info': {
                'resource_name': f'server-{number}',
                'volume_backups': [{'id': disk} for disk in disks],
                'os_images_data': [{'image_id': 'x'}] if image else [],
            },
        } | changes
        self.items.append(row)
        return str(row['id'])

    def add_share(self, number: int, backup: str, project: str = 'p2') -> str:
        self.shares.append(
            {
                'id': uuid(number),
                'backup_id': backup,
                'to_project_id': project,
            }
        )
        return uuid(number)

    def fails(self, pattern: str, status: int, body: Any = None) -> None:
        """Answer ``METHOD path?query`` that matches with a failure."""
        self.faults.append((pattern, status, body or {}))

    def fails_once(self, pattern: str, status: int) -> None:
        """The same for the first that matches."""
        self.single_faults.append((pattern, status))

    def breaks(self, pattern: str, reason: str | None = None) -> None:
        """Give no answer at all to what matches.

        :param reason: why no connection is made; else the answer is lost.
        """
        error: Exception = requests.exceptions.ReadTimeout()
        if reason:
            nobody: Any = NewConnectionError(None, reason)  # type: ignore[arg-type]
            nobody.__cause__ = OSError(errno.ECONNREFUSED, reason)
            error = requests.exceptions.ConnectionError(nobody)
        self.faults.append((pattern, 0, error))

    # What is asked of it.

    def backup_deletion(
        self, *arguments: str, **options: Any
    ) -> VolumeBackupDeletion:
        return VolumeBackupDeletion(
            self.vbs, self.csbs, arguments, limits=self.limits, **options
        )

    def item_deletion(
        self, *arguments: str, **options: Any
    ) -> ServerBackupDeletion:
        return ServerBackupDeletion(
            self.csbs,
            arguments,
            provider_id=CSBS_PROVIDER,
            limits=self.limits,
            **options,
        )

    def checkpoint_deletion(self, *arguments: str) -> CheckpointDeletion:
        return CheckpointDeletion(
            self.csbs,
            arguments,
            provider_id=CSBS_PROVIDER,
            limits=self.limits,
        )

    def verified(self, deletion: Any) -> Any:
        """Verify its targets now: what is changed later comes after that."""
        targets = deletion.targets()
        deletion.targets = lambda: targets
        return deletion

    def carry_out(
        self, deletion: Change, recorder: Any = None
    ) -> tuple[list[Outcome], str | None]:
        """The outcomes, and why the run was stopped."""
        outcomes = [Outcome.of(target) for target in deletion.targets()]
        stopped = execute(
            deletion,
            outcomes,
            recorder or Recorder(),
            self.limits,
        )
        return outcomes, stopped.message if stopped else None

    def deletes(self) -> list[str]:
        """The last segment and the query of each DELETE, in order."""
        return [line.rsplit('/', 1)[1] for line in self.cloud.sent('DELETE')]

    # How it answers.

    def _after(self, answer: Callable[..., Any]) -> Callable[..., Any]:
        def answered(request: Any, context: Any) -> Any:
            try:
                return answer(request, context)
            finally:
                if request.method == 'DELETE':
                    self.then()

        return answered

    def _vbs(self, request: Any, context: Any) -> Any:
        fault = self._fault(request, context)
        if fault is not None:
            return fault
        version, _, *path = urlsplit(request.url).path.strip('/').split('/')
        if version not in self.versions:
            return _refuse(context, 404, 'no such version')
        query = dict(parse_qsl(urlsplit(request.url).query))
        if path[0] == 'backups':
            return self._native(
                request.method, version, path[1], query, context
            )
        return self._sharing(request.method, path[1], query, context)

    def _native(
        self,
        method: str,
        version: str,
        last: str,
        query: dict[str, str],
        context: Any,
    ) -> Any:
        rows = [
            {
                key: value
                for key, value in row.items()
                if version == 'v2' or key != 'service_metadata'
            }
            for row in self.backups
        ]
        if last == 'detail':
            return {'backups': _page(self.shown(rows), query)}
        found = [row for row in rows if row['id'] == last]
        if not found:
            return _refuse(context, 404, f'Backup {last} could not be found.')
        if method == 'DELETE':
            context.status_code = self.answers or 202
            self._mark(self.backups, {last})
            return None
        return {'backup': found[0]}

    def _sharing(
        self, method: str, last: str, query: dict[str, str], context: Any
    ) -> Any:
        if last == 'detail':
            return {'shared': _page(self.shares, query)}
        key = 'backup_id' if query.get('is_backup_id') == 'true' else 'id'
        found = [share for share in self.shares if share[key] == last]
        if not found:
            return _refuse(context, 404, 'no such share')
        if method == 'DELETE':
            self.shares = [s for s in self.shares if s not in found]
            return None
        return {'shared': found[0]}

    def _csbs(self, request: Any, context: Any) -> Any:
        fault = self._fault(request, context)
        if fault is not None:
            return fault
        query = dict(parse_qsl(urlsplit(request.url).query))
        path = urlsplit(request.url).path.strip('/').split('/')[2:]
        if path == ['providers'] and not self.has_items:
            return {'providers': [{'id': self.provider, 'name': 'one'}]}
        if path[0] == 'providers':
            if len(path) < 2 or path[1] != self.provider:
                return _refuse(context, 404, 'no such provider')
            if path[2:] == ['checkpoints']:
                return {'checkpoints': self.karbor}
            return self._checkpoint(request.method, path[3], query, context)
        if not self.has_items:
            return _refuse(context, 404, 'no such route')
        if len(path) == 1:
            return {'checkpoint_items': _page(self.shown(self.items), query)}
        for row in self.items:
            if row['id'] == path[1]:
                return {'checkpoint_item': row}
        return _refuse(context, 404, 'no such item')

    def _checkpoint(
        self, method: str, id: str, query: dict[str, str], context: Any
    ) -> Any:
        if method == 'GET':
            for row in self.karbor:
                if row['id'] == id:
                    return {'checkpoint': row}
            return _refuse(context, 404, 'no such checkpoint')
        named = query.get('checkpoint_items')
        if named in self.busy:
            self.busy.discard(named)
            context.status_code = 400
            return {'error_code': 'CSBS.2003', 'error_msg': 'busy'}
        whole = named is None or self.ignores_items
        self._mark(
            self.items,
            {
                row['id']
                for row in self.items
                if row['checkpoint_id'] == id and (whole or row['id'] == named)
            },
        )
        self._mark(self.karbor, {id})
        context.status_code = self.answers or 200
        return {}

    def _mark(self, rows: list[Row], ids: set[str]) -> None:
        for row in rows:
            if row['id'] in ids:
                row['status'] = self.deleted

    def _fault(self, request: Any, context: Any) -> Any:
        parts = urlsplit(request.url)
        line = f'{request.method} {parts.path}?{parts.query}'
        for fault in self.single_faults:
            if re.search(fault[0], line):
                self.single_faults.remove(fault)
                return _refuse(context, fault[1], 'a page of a gateway')
        for pattern, status, body in self.faults:
            if re.search(pattern, line):
                if isinstance(body, Exception):
                    raise body
                context.status_code = status
                return body
        return None


def _page(rows: Sequence[Row], query: dict[str, str]) -> list[Row]:
    """Filters are taken loosely, as some services take them."""
    found = [
        row
        for row in rows
        if query.get('name', '') in str(row.get('name', ''))
        and query.get('backup_id') in (None, row.get('backup_id'))
        and query.get('checkpoint_id') in (None, row.get('checkpoint_id'))
    ]
    start = int(query.get('offset', 0))
    if 'marker' in query:
        ids = [row['id'] for row in found]
        start = ids.index(query['marker']) + 1
    return found[start : start + int(query['limit'])]


def _refuse(context: Any, status: int, message: str) -> Row:
    context.status_code = status
    return {'fault': {'code': status, 'message': message}}
