# SPDX-License-Identifier: Apache-2.0
"""Which URL and version are chosen, and with how many requests."""

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import requests_mock
from hypothesis import given
from hypothesis import strategies as st
from keystoneauth1 import token_endpoint
from keystoneauth1.session import Session
from urllib3.exceptions import NewConnectionError

from tests.unit.fakes import PROJECT, Catalog, FakeCloud
from vbsclient.api import errors
from vbsclient.api.catalog import ServiceSettings, fill_override, split_base
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.endpoint import parse_pin
from vbsclient.api.http import Limits
from vbsclient.api.vbs import VBSClient

P = PROJECT
VBS = 'https://vbs.example'
VBS3 = 'https://vbs3.example'
EVS = 'https://evs.example'
CSBS = 'https://csbs.example'

Document = Mapping[str, Any]


def versions(*offered: str, status: int = 200) -> Document:
    """A version document: ``v3`` or ``v3 EXPERIMENTAL``."""
    found = []
    for text in offered:
        name, _, state = text.partition(' ')
        link = {'rel': 'self', 'href': f'http://10.0.0.1:8776/{name}/'}
        found.append(
            {
                'id': f'{name}.0',
                'status': state or 'CURRENT',
                'links': [link],
            }
        )
    return {'status_code': status, 'json': {'versions': found}}


NO_DOCUMENT: Document = {
    'status_code': 404,
    'json': {'itemNotFound': {'code': 404, 'message': 'no route'}},
}
HTML_404: Document = {'status_code': 404, 'text': '<html>nginx</html>'}
BOTH = versions('v2', 'v3')


@dataclass(frozen=True)
class Row:
    """A cloud, what is asked of it, and what must come of it."""

    name: str
    catalog: Catalog = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    document: Document = field(default_factory=lambda: NO_DOCUMENT)
    native: str | None = None
    vendor: str | None = None
    error: str | None = None
    gets: int = 1
    project: bool = True


def here(url: str, *regions: str) -> list[tuple[str, str, str]]:
    return [(url, region, 'public') for region in regions]


ROWS = [
    # Types of the catalog, without a document.
    Row(
        'vbs as it is in the catalog',
        {'vbs': f'{VBS}/v2/'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'vbs without version',
        {'vbs': f'{VBS}/'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'vbsv2',
        {'vbsv2': f'{VBS}/v2/{P}'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'vbsv2 whose URL names no version',
        {'vbsv2': VBS},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'vbsv3',
        {'vbsv3': f'{VBS}/v3/{P}'},
        native=f'{VBS}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'vbsv3 whose URL names no version',
        {'vbsv3': VBS},
        native=f'{VBS}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'vbs and vbsv3 on two hosts',
        {'vbs': f'{VBS}/v2/', 'vbsv3': f'{VBS3}/v3/{P}'},
        native=f'{VBS3}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'vbsv2 and vbsv3 on two hosts',
        {'vbsv3': f'{VBS3}/v3/{P}', 'vbsv2': f'{VBS}/v2/{P}'},
        native=f'{VBS3}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'vbsv2 and vbsv3, pinned 2',
        {'vbsv3': f'{VBS3}/v3/{P}', 'vbsv2': f'{VBS}/v2/{P}'},
        {'version': '2'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
        gets=0,
    ),
    Row(
        'vbs before block storage',
        {'volumev3': f'{EVS}/v3/{P}', 'vbs': f'{VBS}/v2/'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'only volumev3',
        {'volumev3': f'{EVS}/v3/{P}'},
        native=f'{EVS}/v3/{P}',
        vendor=None,
    ),
    Row(
        'only volumev3, which offers both',
        {'volumev3': f'{EVS}/v3/{P}'},
        document=BOTH,
        native=f'{EVS}/v3/{P}',
    ),
    Row(
        'only block-storage',
        {'block-storage': f'{EVS}/v3/{P}'},
        native=f'{EVS}/v3/{P}',
    ),
    *(
        Row(
            f'only {kind}, document: {name}',
            {kind: f'{EVS}/v2/{P}'},
            document=document,
            native=f'{EVS}/{version}/{P}',
        )
        for kind in ('volumev2', 'volume')
        for name, document, version in (
            ('none', NO_DOCUMENT, 'v2'),
            ('both', BOTH, 'v2'),
            ('only v3', versions('v3'), 'v3'),
        )
    ),
    Row(
        'volume whose URL names 3',
        {'volume': f'{EVS}/v3/{P}'},
        native=f'{EVS}/v3/{P}',
    ),
    Row(
        'version 3 of block storage before version 2',
        {'volume': VBS, 'volumev2': VBS, 'volumev3': f'{EVS}/v3/{P}'},
        native=f'{EVS}/v3/{P}',
    ),
    Row(
        'neither VBS nor block storage',
        {'compute': 'https://ecs.example/v2.1'},
        error='this cloud has no VBS',
        gets=0,
    ),
    Row(
        'vbs and vbsv2 on two hosts are two services',
        {'vbs': f'{VBS}/v2/', 'vbsv2': f'{VBS3}/v2/{P}'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'one type twice in a region',
        {'vbs': here(f'{VBS}/v2', 'de') + here(f'{VBS3}/v2', 'de')},
        error=f'offers vbs more than once in de: {VBS}/v2, {VBS3}/v2',
        gets=0,
    ),
    Row(
        'one type twice with the same URL',
        {'vbs': here(f'{VBS}/v2', 'de') + here(f'{VBS}/v2/', 'de')},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'block storage of its own settings',
        {'volumev3': [*here(VBS3, 'nl'), (EVS, 'de', 'internal')]},
        {
            'region_name': 'nl',
            'block_storage': ServiceSettings('de', 'internal'),
        },
        native=f'{EVS}/v3/{P}',
    ),
    Row(
        'block storage overridden',
        {'volumev3': VBS3},
        {'block_storage': ServiceSettings('de', override=f'{EVS}/v3')},
        native=f'{EVS}/v3/{P}',
        gets=0,
    ),
    Row(
        'block storage overridden beside VBS',
        {'vbs': f'{VBS}/v2'},
        {'block_storage': ServiceSettings('de', override=f'{EVS}/v3')},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'no interface configured',
        {'vbs': [(VBS3, 'de', 'internal'), (f'{VBS}/v2', 'de', 'public')]},
        {'interface': None},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row('empty catalog', error='this cloud has no VBS', gets=0),
    # Shapes of the URL.
    Row(
        'without version, with project',
        {'vbs': f'{VBS}/{P}'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'with AUTH_ project',
        {'vbs': f'{VBS}/v2/AUTH_{P}'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'with a minor version',
        {'vbs': f'{VBS}/v2.0/{P}'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'several trailing slashes',
        {'vbs': f'{VBS}/v2/{P}///'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'a prefix that looks like a version and a host that does',
        {'vbs': f'https://v2.example:8443/v2/backup/v2/{P}/'},
        document=BOTH,
        native=f'https://v2.example:8443/v2/backup/v3/{P}',
        vendor=f'https://v2.example:8443/v2/backup/v2/{P}',
    ),
    Row(
        'a query in the URL is dropped',
        {'vbs': f'{VBS}/v2/{P}?x=1#y'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    # Pins.
    Row(
        'pinned 3 without a document',
        {'vbs': f'{VBS}/v2/{P}'},
        {'version': '3'},
        native=f'{VBS}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
        gets=0,
    ),
    Row(
        'pinned 3 although only v2 is offered',
        {'vbsv2': f'{VBS}/v2/{P}'},
        {'version': '3'},
        document=versions('v2'),
        native=f'{VBS}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
        gets=0,
    ),
    Row(
        'pinned 2 although v3 is offered',
        {'vbs': f'{VBS}/v3/'},
        {'version': '2'},
        document=BOTH,
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
        gets=0,
    ),
    Row(
        'pinned 2 on block storage',
        {'volumev3': f'{EVS}/v3/{P}'},
        {'version': '2'},
        native=f'{EVS}/v2/{P}',
        gets=0,
    ),
    # Version documents.
    *(
        Row(
            f'document: {name}',
            {'vbs': f'{VBS}/v2/{P}'},
            document=document,
            native=f'{VBS}/{version}/{P}',
            vendor=f'{VBS}/v2/{P}',
        )
        for name, document, version in (
            ('both, 200', BOTH, 'v3'),
            ('both, 300', versions('v2', 'v3', status=300), 'v3'),
            ('v3 before v2', versions('v3', 'v2'), 'v3'),
            ('only v2', versions('v2'), 'v2'),
            ('only v3', versions('v3'), 'v3'),
            ('v2 is deprecated', versions('v2 DEPRECATED'), 'v2'),
            ('v3 is supported', versions('v2', 'v3 SUPPORTED'), 'v3'),
            ('v3 is experimental', versions('v2', 'v3 EXPERIMENTAL'), 'v2'),
            (
                'a later v3 is experimental',
                versions('v2', 'v3', 'v3.1 EXPERIMENTAL'),
                'v3',
            ),
            ('v4 too', versions('v2', 'v3', 'v4'), 'v3'),
            ('404 in JSON', NO_DOCUMENT, 'v2'),
            ('404 in HTML', HTML_404, 'v2'),
            ('403', {'status_code': 403, 'json': {}}, 'v2'),
            ('500', {'status_code': 500, 'text': 'oops'}, 'v2'),
            ('503', {'status_code': 503, 'text': 'later'}, 'v2'),
            ('204', {'status_code': 204, 'text': ''}, 'v2'),
            ('HTML', {'text': '<html>welcome</html>'}, 'v2'),
            ('empty', {'text': ''}, 'v2'),
            ('truncated', {'text': '{"versions": [{"id": "v3'}, 'v2'),
            ('a JSON list', {'json': []}, 'v2'),
            ('a JSON string', {'json': 'v3'}, 'v2'),
            ('a JSON number', {'json': 3}, 'v2'),
            ('JSON null', {'json': None}, 'v2'),
            ('no versions', {'json': {'hello': 'world'}}, 'v2'),
            ('versions: null', {'json': {'versions': None}}, 'v2'),
            ('versions: []', {'json': {'versions': []}}, 'v2'),
            ('versions: text', {'json': {'versions': 'v3'}}, 'v2'),
            ('versions: strings', {'json': {'versions': ['v3']}}, 'v2'),
            ('versions: numbers', {'json': {'versions': [2, 3]}}, 'v2'),
            (
                'an id of null',
                {'json': {'versions': [{'id': None}]}},
                'v2',
            ),
            (
                'an id of null with links',
                {
                    'json': {
                        'versions': [
                            {
                                'id': None,
                                'status': 'CURRENT',
                                'links': [{'rel': 'self', 'href': '/'}],
                            }
                        ]
                    }
                },
                'v2',
            ),
            (
                'no links',
                {'json': {'versions': [{'id': 'v3.0', 'status': 'CURRENT'}]}},
                'v2',
            ),
            (
                'links: null',
                {
                    'json': {
                        'versions': [
                            {'id': 'v3', 'status': 'CURRENT', 'links': None}
                        ]
                    }
                },
                'v2',
            ),
        )
    ),
    Row(
        'document: nested too deeply',
        {'vbs': f'{VBS}/v2/{P}'},
        document={'text': '[' * 200_000},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'document: 401 is no reason to log in again',
        {'vbs': f'{VBS}/v2/{P}'},
        document={'status_code': 401, 'json': {}},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'document: neither v2 nor v3',
        {'vbs': f'{VBS}/v2/{P}'},
        document=versions('v1', 'v4'),
        error='offers v1, v4, and neither v2 nor v3',
    ),
    Row(
        'document: only an experimental v3',
        {'vbs': f'{VBS}/v2/{P}'},
        document=versions('v3 EXPERIMENTAL'),
        error='offers v3 (experimental), and neither',
    ),
    # Overrides.
    Row(
        'override without version',
        {},
        {'endpoint_override': f'{VBS}/'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'override without version, both offered',
        {'vbs': f'{VBS3}/v2/'},
        {'endpoint_override': VBS},
        document=BOTH,
        native=f'{VBS}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'override with version',
        {'vbs': f'{VBS3}/v2/'},
        {'endpoint_override': f'{VBS}/v3'},
        native=f'{VBS}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
        gets=0,
    ),
    Row(
        'override with version 2, pinned 3',
        {},
        {'endpoint_override': f'{VBS}/v2/{P}', 'version': '3'},
        native=f'{VBS}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
        gets=0,
    ),
    Row(
        'override with %(project_id)s',
        {},
        {'endpoint_override': f'{VBS}/v2/%(project_id)s'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
        gets=0,
    ),
    Row(
        'override with %(tenant_id)s',
        {},
        {'endpoint_override': f'{VBS}/v3/%(tenant_id)s/'},
        native=f'{VBS}/v3/{P}',
        vendor=f'{VBS}/v2/{P}',
        gets=0,
    ),
    Row(
        'override with stray per cent signs',
        {},
        {'endpoint_override': f'{VBS}/a%20b/100%/%s/v3/%(project_id)s'},
        native=f'{VBS}/a%20b/100%/%s/v3/{P}',
        vendor=f'{VBS}/a%20b/100%/%s/v2/{P}',
        gets=0,
    ),
    Row(
        'override that is no URL',
        {},
        {'endpoint_override': 'vbs.example/v2'},
        error="the endpoint 'vbs.example/v2' is not an http(s) URL",
        gets=0,
    ),
    Row(
        'override with a port that is none',
        {},
        {'endpoint_override': 'https://vbs.example:port/'},
        error='is not an http(s) URL',
        gets=0,
    ),
    # Regions and interfaces.
    Row(
        'the configured region',
        {'vbs': [*here(f'{VBS3}/v2/', 'nl'), *here(f'{VBS}/v2/', 'de')]},
        {'region_name': 'de'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'several regions and none configured',
        {'vbs': [*here(f'{VBS3}/v2/', 'nl'), *here(f'{VBS}/v2/', 'de')]},
        error='several regions (de, nl) and none is configured',
        gets=0,
    ),
    Row(
        'types in different regions and none configured',
        {'vbs': here(f'{VBS}/v2/', 'de'), 'vbsv2': here(VBS3, 'nl')},
        error='several regions (de, nl) and none is configured',
        gets=0,
    ),
    Row(
        'one region and none configured',
        {'vbs': here(f'{VBS}/v2/', 'de')},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'a region that the catalog has not',
        {'vbs': here(f'{VBS}/v2/', 'de')},
        {'region_name': 'nl'},
        error='offers vbs in de, not in the region nl',
        gets=0,
    ),
    Row(
        'the region decides between types',
        {'vbsv3': here(f'{VBS3}/v3/', 'nl'), 'vbs': here(f'{VBS}/v2/', 'de')},
        {'region_name': 'de'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'the configured interface',
        {
            'vbs': [
                (f'{VBS3}/v2/', 'de', 'public'),
                (f'{VBS}/v2/', 'de', 'internal'),
            ]
        },
        {'interface': 'internal'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'interfaces in the order of preference',
        {
            'vbs': [
                (f'{VBS3}/v2/', 'de', 'public'),
                (f'{VBS}/v2/', 'de', 'internal'),
            ]
        },
        {'interface': ('admin', 'internal', 'public')},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
    Row(
        'an interface that the catalog has not',
        {'vbs': f'{VBS}/v2/'},
        {'interface': 'admin'},
        error='offers vbs for the interface public, not for admin',
        gets=0,
    ),
    Row(
        'block storage is not taken for VBS of another interface',
        {
            'vbs': f'{VBS}/v2/',
            'volumev3': [(EVS, 'de', 'admin')],
        },
        {'interface': 'admin'},
        error='offers vbs for the interface public, not for admin',
        gets=0,
    ),
    # Nothing that works.
    Row(
        'a login without a project',
        {'vbs': f'{VBS}/v2/'},
        error='the login is not for a project',
        gets=0,
        project=False,
    ),
    *(
        Row(
            f'nonsense in the catalog: {url}',
            {'vbs': url},
            error='is not an http(s) URL',
            gets=0,
        )
        for url in (
            'nonsense',
            'ftp://vbs.example/v2',
            'https:///v2',
            'https://vbs.example:99999/v2',
        )
    ),
    Row(
        'a URL in the catalog that cannot even be split',
        {'vbs': 'https://[vbs/v2'},
        error='is not an http(s) URL',
        gets=0,
    ),
    Row(
        'a URL of another service that cannot be split',
        {'image': 'https://[ims/v2', 'vbs': f'{VBS}/v2/'},
        native=f'{VBS}/v2/{P}',
        vendor=f'{VBS}/v2/{P}',
    ),
]


class TestVBS:
    @pytest.mark.parametrize('row', ROWS, ids=lambda row: row.name)
    def test_each_cloud_has_one_answer(
        self, fake_cloud: Callable[..., FakeCloud], row: Row
    ) -> None:
        cloud = fake_cloud(row.catalog, project=row.project)
        cloud.on('GET', requests_mock.ANY, **row.document)
        client = VBSClient(cloud.session, **row.options)

        if row.error is not None:
            with pytest.raises(errors.EndpointError) as raised:
                _ = client.endpoint
            assert row.error in raised.value.message
            assert raised.value.hint
        else:
            endpoint = client.endpoint
            assert (endpoint.native, endpoint.vendor) == (
                row.native,
                row.vendor,
            )
            base = endpoint.native.rsplit('/', 2)[0]
            assert set(cloud.sent()) <= {f'GET {base}/'}
        assert len(cloud.sent()) == row.gets
        assert cloud.logins == 1

    def test_it_is_resolved_once(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud({'vbs': f'{VBS}/v2/'})
        cloud.on('GET', f'{VBS}/', **BOTH)
        client = VBSClient(cloud.session)

        assert client.endpoint is client.endpoint
        assert client.backups.version == 'v3'
        assert client.backups_v2 is not None
        assert client.shares is client.shares
        assert cloud.sent() == [f'GET {VBS}/']

    def test_a_missing_document_is_not_asked_for_again(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud({'vbs': f'{VBS}/v2/'})
        cloud.on('GET', f'{VBS}/', **NO_DOCUMENT)
        cloud.on('GET', f'{VBS}/v2/{P}/backups/detail', json={'backups': []})
        client = VBSClient(cloud.session)

        assert list(client.backups.list()) == []
        assert list(client.backups.list()) == []
        assert cloud.sent().count(f'GET {VBS}/') == 1

    @pytest.mark.parametrize(
        'document', [NO_DOCUMENT, versions('v2')], ids=['none', 'only v2']
    )
    def test_a_pinned_3_never_becomes_2(
        self, fake_cloud: Callable[..., FakeCloud], document: Document
    ) -> None:
        cloud = fake_cloud({'vbsv2': f'{VBS}/v2/{P}'})
        cloud.on('GET', requests_mock.ANY, **document)
        backup = '00000000-0000-4000-8000-000000000001'
        cloud.on('GET', f'{VBS}/v3/{P}/backups/{backup}', **NO_DOCUMENT)

        with pytest.raises(errors.NotFound):
            VBSClient(cloud.session, version='3').backups.get(backup)
        assert cloud.sent() == [f'GET {VBS}/v3/{P}/backups/{backup}']

    @pytest.mark.parametrize('status', [301, 302, 303, 307, 308])
    def test_discovery_follows_no_redirect(
        self, fake_cloud: Callable[..., FakeCloud], status: int
    ) -> None:
        cloud = fake_cloud({'vbs': f'{VBS}/v2/'})
        cloud.on(
            'GET',
            f'{VBS}/',
            status_code=status,
            headers={'Location': 'https://evil.example/'},
        )
        cloud.on('GET', 'https://evil.example/', **BOTH)

        assert VBSClient(cloud.session).endpoint.version == 'v2'
        assert cloud.sent() == [f'GET {VBS}/']

    def test_discovery_never_logs_in_again(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud({'vbs': f'{VBS}/v2/'})
        cloud.on('GET', f'{VBS}/', status_code=401, json={})

        assert VBSClient(cloud.session).endpoint.version == 'v2'
        assert (cloud.logins, len(cloud.sent())) == (1, 1)

    @pytest.mark.parametrize('redirect', [True, False, 7])
    def test_the_session_keeps_its_redirects(
        self, fake_cloud: Callable[..., FakeCloud], redirect: object
    ) -> None:
        cloud = fake_cloud({'vbs': f'{VBS}/v2/'})
        cloud.session.redirect = redirect
        cloud.on('GET', f'{VBS}/', **BOTH)

        _ = VBSClient(cloud.session).endpoint
        assert cloud.session.redirect == redirect

    def test_a_host_that_cannot_be_reached_is_no_missing_document(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud({'vbs': f'{VBS}/v2/'})
        nobody: Any = NewConnectionError(None, 'refused')  # type: ignore[arg-type]
        error = requests.exceptions.ConnectionError(nobody)
        cloud.on('GET', f'{VBS}/', exc=error)

        with pytest.raises(errors.ConnectionFailed):
            _ = VBSClient(cloud.session).endpoint
        assert cloud.sent() == [f'GET {VBS}/'] * 5

    @pytest.mark.parametrize('lost', [1, 5])
    def test_a_lost_answer_is_asked_for_again_and_then_no_document(
        self, fake_cloud: Callable[..., FakeCloud], lost: int
    ) -> None:
        cloud = fake_cloud({'vbs': f'{VBS}/{P}'})
        gone = requests.exceptions.ConnectionError('Connection aborted.')
        cloud.on('GET', f'{VBS}/', *[{'exc': gone}] * lost, BOTH)

        endpoint = VBSClient(cloud.session).endpoint
        assert endpoint.version == ('v3' if lost < 5 else 'v2')
        assert len(cloud.sent()) == min(lost + 1, 5)

    def test_block_storage_alone_has_no_shares(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud({'volumev3': f'{EVS}/v3/{P}'})
        cloud.on('GET', f'{EVS}/', **NO_DOCUMENT)

        with pytest.raises(errors.EndpointError, match='has no VBS, only'):
            _ = VBSClient(cloud.session).shares

    def test_nothing_is_sent_once_the_run_was_stopped(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud({'vbs': f'{VBS}/v2/'})
        stop = threading.Event()
        stop.set()

        with pytest.raises(errors.Cancelled):
            _ = VBSClient(cloud.session, limits=Limits(stop=stop)).endpoint
        assert cloud.sent() == []


CSBS_ROWS = [
    *(
        Row(
            service_type,
            {service_type: f'{CSBS}/v1/{P}'},
            native=f'{CSBS}/v1/{P}',
        )
        for service_type in (
            'data-protect',
            'csbs',
            'data-protection',
            'data-protection-orchestration',
        )
    ),
    Row(
        'data-protect before csbs',
        {'csbs': 'https://other.example/', 'data-protect': CSBS},
        native=f'{CSBS}/v1/{P}',
    ),
    Row(
        'csbs before data-protection',
        {'data-protection': 'https://other.example/', 'csbs': CSBS},
        native=f'{CSBS}/v1/{P}',
    ),
    Row(
        'data-protection before its long name',
        {
            'data-protection-orchestration': 'https://other.example/',
            'data-protection': CSBS,
        },
        native=f'{CSBS}/v1/{P}',
    ),
    Row(
        'version without project',
        {'data-protect': f'{CSBS}/v1/'},
        native=f'{CSBS}/v1/{P}',
    ),
    Row(
        'another version is not asked for',
        {'data-protect': f'{CSBS}/v2/{P}'},
        native=f'{CSBS}/v1/{P}',
    ),
    Row(
        'a double slash before the version',
        {'data-protect': f'{CSBS}//v1/{P}'},
        native=f'{CSBS}/v1/{P}',
    ),
    Row(
        'override before the catalog',
        {'data-protect': 'https://other.example/v1'},
        {'endpoint_override': f'{CSBS}/v1/%(project_id)s'},
        native=f'{CSBS}/v1/{P}',
    ),
    Row(
        'override without version and with stray per cent signs',
        {},
        {'endpoint_override': f'{CSBS}/50%'},
        native=f'{CSBS}/50%/v1/{P}',
    ),
    Row(
        'override that is no URL',
        {},
        {'endpoint_override': 'csbs'},
        error='is not an http(s) URL',
    ),
    Row('none', {'vbs': f'{VBS}/v2/'}, error='this cloud has no CSBS'),
    Row(
        'several regions and none configured',
        {'data-protect': here(CSBS, 'nl', 'de')},
        error='several regions (de, nl)',
    ),
    Row(
        'a region that the catalog has not',
        {'data-protect': here(CSBS, 'de')},
        {'region_name': 'nl'},
        error='in de, not in the region nl',
    ),
    Row(
        'a login without a project',
        {'data-protect': CSBS},
        error='the login is not for a project',
        project=False,
    ),
]


class TestCSBS:
    @pytest.mark.parametrize('row', CSBS_ROWS, ids=lambda row: row.name)
    def test_each_cloud_has_one_answer_without_a_request(
        self, fake_cloud: Callable[..., FakeCloud], row: Row
    ) -> None:
        cloud = fake_cloud(row.catalog, project=row.project)
        client = CSBSClient(cloud.session, **row.options)

        if row.error is not None:
            with pytest.raises(errors.EndpointError) as raised:
                _ = client.endpoint
            assert row.error in raised.value.message
            assert raised.value.hint
        else:
            assert client.endpoint.url == row.native
        assert cloud.sent() == []


class TestWhetherThereIsACSBS:
    """None is known only where nothing names one (rule 6)."""

    def test_a_catalog_that_names_none(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        client = CSBSClient(fake_cloud({'vbs': VBS}).session)
        with pytest.raises(errors.NoService):
            _ = client.endpoint

    def test_a_project_configured_without_csbs(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        client = CSBSClient(fake_cloud({'csbs': CSBS}).session)
        client.is_absent = True
        with pytest.raises(errors.NoService):
            _ = client.endpoint

    def test_a_setting_that_names_one(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        client = CSBSClient(fake_cloud({'vbs': VBS}).session)
        client.named_by = 'csbs_region_name in clouds.yaml'
        with pytest.raises(errors.EndpointError, match='csbs_region') as told:
            _ = client.endpoint
        assert not isinstance(told.value, errors.NoService)

    @pytest.mark.parametrize(
        ('catalog', 'options'),
        [
            ({'data-protect': [(CSBS, 'nl', 'public')]}, {}),
            ({'data-protect': [(CSBS, 'de', 'admin')]}, {}),
            ({'data-protect': 'nonsense'}, {}),
            ({'data-protect': [(None, 'de', 'public')]}, {}),
            ({'data-protect': []}, {}),
            ({'Data-Protect': CSBS}, {}),
            ({'vbs': VBS, 'csbsv1': CSBS}, {}),
            ({'vbs': VBS, 'cloud-server-backup': CSBS}, {}),
            ({'csbs': here(CSBS, 'de') + here(VBS, 'de')}, {}),
            ({'vbs': VBS}, {'endpoint_override': 'csbs.example.com/v1'}),
            ({}, {}),
        ],
        ids=str,
    )
    def test_anything_else_is_no_answer(
        self, fake_cloud: Callable[..., FakeCloud], catalog: Any, options: Any
    ) -> None:
        client = CSBSClient(
            fake_cloud(catalog).session, region_name='de', **options
        )
        with pytest.raises(errors.EndpointError) as raised:
            _ = client.endpoint
        assert not isinstance(raised.value, errors.NoService)


class TestFixedLogin:
    """A login of auth_type none or admin_token has no token to be read."""

    def client(self, endpoint: str, **options: Any) -> VBSClient:
        session = Session(auth=token_endpoint.Token(endpoint, 'secret'))
        return VBSClient(session, **options)

    def test_its_endpoint_is_that_of_block_storage(self) -> None:
        client = self.client(f'{EVS}/v3/{P}')
        assert client.endpoint.native == f'{EVS}/v3/{P}'
        assert client.endpoint.vendor is None

    @pytest.mark.parametrize('project', [P, f'AUTH_{P}', uuid.uuid4()])
    def test_an_override_names_the_project(self, project: str) -> None:
        client = self.client(
            EVS,
            block_storage=ServiceSettings(override=f'{VBS}/v3/{project}/'),
        )
        named = str(project).removeprefix('AUTH_')
        assert client.endpoint.native == f'{VBS}/v3/{named}'

    @pytest.mark.parametrize(
        'url', [None, EVS, f'{EVS}/v3', f'{EVS}/{P}', f'{EVS}/v3/demo']
    )
    def test_without_a_project_the_message_says_what_is_missing(
        self, url: str | None
    ) -> None:
        client = self.client(EVS, endpoint_override=url)
        with pytest.raises(errors.EndpointError, match='none or admin_token'):
            _ = client.endpoint


class TestLogin:
    def test_a_refused_login_is_no_endpoint_error(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud({'vbs': f'{VBS}/v2/'})
        cloud.on(
            'POST', 'https://identity.example/v3/auth/tokens', status_code=401
        )
        with pytest.raises(errors.Unauthorized):
            _ = VBSClient(cloud.session).endpoint

    def test_an_identity_service_that_is_down_was_sent_nothing(
        self, fake_cloud: Callable[..., FakeCloud]
    ) -> None:
        cloud = fake_cloud({'data-protect': CSBS})
        cloud.on(
            'POST', 'https://identity.example/v3/auth/tokens', status_code=503
        )
        with pytest.raises(errors.ConnectionFailed) as raised:
            _ = CSBSClient(cloud.session).endpoint
        assert not raised.value.sent


class TestPin:
    @pytest.mark.parametrize(
        ('text', 'pin'),
        [
            ('auto', 'auto'),
            ('', 'auto'),
            (' AUTO ', 'auto'),
            ('2', '2'),
            ('v2', '2'),
            (3, '3'),
            (3.0, '3'),
            ('V3', '3'),
            ('v3.45', '3'),
        ],
    )
    def test_what_a_user_may_write(self, text: object, pin: str) -> None:
        assert parse_pin(text) == pin

    @pytest.mark.parametrize(
        'text', ['1', '4', '23', 'v', 'latest', '3.', '2,3', '\uff13', None]
    )
    def test_anything_else_is_refused(self, text: object) -> None:
        with pytest.raises(errors.EndpointError) as raised:
            parse_pin(text)
        assert 'auto, 2 or 3' in str(raised.value.hint)


class TestURLs:
    @given(st.text(max_size=60))
    def test_any_text_is_a_url_or_refused(self, text: str) -> None:
        try:
            base = split_base(text, PROJECT)
        except errors.EndpointError:
            return
        assert base.url.startswith(('http://', 'https://'))
        assert not base.url.endswith('/')

    @given(
        prefix=st.lists(st.sampled_from(['a', 'v2', 'v3', 'backup'])),
        version=st.sampled_from(['v1', 'v2', 'v3']),
        slashes=st.integers(0, 3),
        project=st.booleans(),
    )
    def test_only_the_last_version_and_project_are_taken_off(
        self, prefix: list[str], version: str, slashes: int, project: bool
    ) -> None:
        path = [*prefix, version, *([PROJECT] if project else [])]
        base = split_base(f'{VBS}/{"/".join(path)}' + '/' * slashes, PROJECT)
        assert base.url == '/'.join([VBS, *prefix])
        assert base.version == version

    @given(st.text(alphabet='%()sd project_tenant_id'))
    def test_an_override_is_never_a_format(self, template: str) -> None:
        filled = fill_override(template, PROJECT)
        assert filled == template.replace('%(project_id)s', PROJECT).replace(
            '%(tenant_id)s', PROJECT
        )
