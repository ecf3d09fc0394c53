# SPDX-License-Identifier: Apache-2.0
"""Names and ids in compute, block storage and identity."""

import re
import unicodedata
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.fakes import PROJECT, FakeCloud
from tests.unit.values import JSON
from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Snapshot, Volume
from vbsclient.api.client import LookupClient
from vbsclient.api.compute import _SPECIAL, Compute
from vbsclient.api.identity import Identity

ONE = 'aaaaaaaa-0000-4000-8000-000000000001'
TWO = 'AAAAAAAA-0000-4000-8000-000000000002'
NOVA = 'https://nova.example/v2.1'
CINDER = f'https://cinder.example/v3/{PROJECT}'
KEYSTONE = 'https://keystone.example/v3'
CATALOG = {'compute': NOVA, 'volumev3': CINDER, 'identity': KEYSTONE}


def query_of(address: str) -> dict[str, list[str]]:
    return parse_qs(urlsplit(address).query)


# -- where they go ---------------------------------------------------------


@pytest.mark.parametrize(
    ('kind', 'service_type', 'url', 'expected'),
    [
        (Compute, 'compute', 'https://n/v2.1', 'https://n/v2.1'),
        (Compute, 'compute', 'https://n/v2.1/', 'https://n/v2.1'),
        (Compute, 'compute', 'https://n/v2/P', 'https://n/v2/P'),
        (Compute, 'compute', 'https://n/compute', 'https://n/compute/v2.1'),
        (Compute, 'compute', ' https://n/P ', 'https://n/v2.1'),
        (BlockStorage, 'volumev3', 'https://c/v3/P', 'https://c/v3/P'),
        (BlockStorage, 'block-storage', 'https://c/', 'https://c/v3/P'),
        (BlockStorage, 'volumev2', 'https://c/v2/P', 'https://c/v2/P'),
        (BlockStorage, 'volume', 'https://c/x/v3/', 'https://c/x/v3/P'),
        (Identity, 'identity', 'https://k', 'https://k/v3'),
        (Identity, 'identity', 'https://k/identity/v3', None),
        (Identity, 'identity', 'https://k/v2.0', 'https://k/v3'),
    ],
)
def test_the_address_of_the_catalog_gets_a_version(
    kind: type[LookupClient],
    service_type: str,
    url: str,
    expected: str | None,
) -> None:
    url = url.replace('/P', f'/{PROJECT}')
    cloud = FakeCloud({service_type: url})
    expected = (expected or url).replace('/P', f'/{PROJECT}')
    assert kind(cloud.session).url == expected
    # As little as the login asks for.
    assert cloud.sent() == []


def test_an_override_takes_precedence_over_the_catalog() -> None:
    cloud = FakeCloud(CATALOG)
    client = BlockStorage(
        cloud.session, endpoint_override='https://b/v3/%(project_id)s'
    )
    assert client.url == f'https://b/v3/{PROJECT}'


def test_region_and_interface_choose() -> None:
    endpoints = [
        ('https://one/v3', 'RegionOne', 'public'),
        ('https://two/v3', 'RegionTwo', 'public'),
        ('https://inside/v3', 'RegionTwo', 'internal'),
    ]
    cloud = FakeCloud({'identity': endpoints})
    two = Identity(cloud.session, region_name='RegionTwo')
    inside = Identity(
        cloud.session, region_name='RegionTwo', interface='internal'
    )
    assert (two.url, inside.url) == ('https://two/v3', 'https://inside/v3')
    for keywords in ({}, {'region_name': '*'}, {'interface': 'admin'}):
        with pytest.raises(errors.EndpointError):
            _ = Identity(cloud.session, **keywords).url


# -- compute ---------------------------------------------------------------


def server(id: str, name: Any = 'web01', **keys: Any) -> dict[str, Any]:
    return {
        'id': id,
        'name': name,
        'os-extended-volumes:volumes_attached': [],
        **keys,
    }


def test_servers_are_compared_again_on_every_page() -> None:
    cloud = FakeCloud(CATALOG)
    link = {'rel': 'next', 'href': 'http://internal.invalid/?marker=m'}
    first = [server(ONE, 'web011'), server(TWO)]
    cloud.on(
        'GET',
        f'{NOVA}/servers/detail',
        {'json': {'servers': first, 'servers_links': [link]}},
        {'json': {'servers': [server(ONE.replace('a', 'b'))]}},
    )
    found = Compute(cloud.session).servers('web01')
    assert [one.id for one in found] == [TWO.lower(), ONE.replace('a', 'b')]
    asked = [query_of(address) for address in cloud.sent()]
    assert [query['name'] for query in asked] == [['web01'], ['web01']]
    assert asked[1]['marker'] == ['m']


@given(st.text(st.characters(codec='utf-8'), min_size=1, max_size=20))
def test_a_pattern_finds_its_own_name(name: str) -> None:
    pattern = _SPECIAL.sub(r'\\\g<0>', name)
    assert re.search(pattern, f'x{name}y')


@pytest.mark.parametrize('name', ['Müller', 'plain'])
def test_a_name_is_found_in_whichever_form_it_is_kept(name: str) -> None:
    kept = unicodedata.normalize('NFD', name)
    cloud = FakeCloud(CATALOG)

    def answer(request: Any, context: Any) -> Any:
        wanted = query_of(request.url)['name'] == [kept]
        return {'volumes': [{'id': ONE, 'name': kept}] if wanted else []}

    cloud.on('GET', f'{CINDER}/volumes/detail', json=answer)
    found = BlockStorage(cloud.session).volumes(name)
    assert [volume.id for volume in found] == [ONE]
    assert len(cloud.sent()) == (1 if name.isascii() else 2)


@pytest.mark.parametrize(
    ('attached', 'ids'),
    [
        ([{'id': TWO}], {TWO.lower()}),
        ([], set()),
        (None, None),
        ('x', None),
        ([{'id': 1}], None),
        ([TWO], None),
    ],
)
def test_volumes_that_cannot_be_read_are_not_known(
    attached: Any, ids: set[str] | None
) -> None:
    cloud = FakeCloud(CATALOG)
    key = 'os-extended-volumes:volumes_attached'
    body = {'server': server(ONE) | {key: attached}}
    cloud.on('GET', f'{NOVA}/servers/{ONE}', json=body)
    assert Compute(cloud.session).server(ONE).volume_ids == ids


def test_an_id_of_another_case_is_the_same() -> None:
    cloud = FakeCloud(CATALOG)
    cloud.on('GET', f'{NOVA}/servers/{TWO}', json={'server': server(TWO)})
    assert Compute(cloud.session).server(TWO).id == TWO.lower()


@pytest.mark.parametrize(
    'body',
    [
        {'server': server(TWO)},
        {'server': {}},
        {'server': None},
        {},
        {'server': {'id': None}},
    ],
)
def test_an_answer_about_another_server_is_none(body: Any) -> None:
    cloud = FakeCloud(CATALOG)
    cloud.on('GET', f'{NOVA}/servers/{ONE}', json=body)
    with pytest.raises(errors.MalformedResponse):
        Compute(cloud.session).server(ONE)


@pytest.mark.parametrize('id', ['web01', 'detail', '..', '', f'{ONE}/x'])
def test_only_an_id_enters_a_path(id: str) -> None:
    cloud = FakeCloud(CATALOG)
    with pytest.raises(errors.InvalidId):
        Compute(cloud.session).server(id)
    assert cloud.sent() == []


def test_addresses_of_any_shape() -> None:
    networks = {'net': [{'addr': '10.0.0.1'}, 'x'], 'odd': 'x'}
    cloud = FakeCloud(CATALOG)
    body = {'server': server(ONE, addresses=networks)}
    cloud.on('GET', f'{NOVA}/servers/{ONE}', json=body)
    assert Compute(cloud.session).server(ONE).addresses == ('10.0.0.1',)


# -- block storage ---------------------------------------------------------


@pytest.mark.parametrize('name', ['detail', '..', 'a/b', 'x?y', '%2e'])
def test_a_name_is_a_query_and_compared_again(name: str) -> None:
    cloud = FakeCloud(CATALOG)
    rows = [{'id': ONE, 'name': name}, {'id': TWO, 'name': 'other'}]
    cloud.on('GET', f'{CINDER}/volumes/detail', json={'volumes': rows})
    found = BlockStorage(cloud.session).volumes(name)
    assert [volume.id for volume in found] == [ONE]
    (sent,) = cloud.requests
    assert urlsplit(sent.url).path == f'/v3/{PROJECT}/volumes/detail'
    assert query_of(sent.url)['name'] == [name]


@pytest.mark.parametrize('body', [{}, {'volumes': {}}, {'volumes': [1]}])
def test_what_is_no_list_is_no_answer(body: Any) -> None:
    cloud = FakeCloud(CATALOG)
    cloud.on('GET', f'{CINDER}/volumes/detail', json=body)
    with pytest.raises(errors.MalformedResponse):
        BlockStorage(cloud.session).volumes('data')


# -- identity --------------------------------------------------------------


def project(id: str, name: str = 'partner', domain: str = 'd') -> Any:
    return {'id': id, 'name': name, 'domain_id': domain}


def test_projects_on_every_page_and_in_the_domain_alone() -> None:
    cloud = FakeCloud(CATALOG)
    link = 'http://internal.invalid/v3/projects?limit=2&marker=m&name=x'
    first = [project('1'), project('2', 'Partner'), project('3', domain='e')]
    cloud.on(
        'GET',
        f'{KEYSTONE}/projects',
        {'json': {'projects': first, 'links': {'next': link}}},
        {'json': {'projects': [project('4')], 'links': {'next': None}}},
    )
    identity = Identity(cloud.session)
    assert identity.project_ids('partner', domain_id='d') == ['1', '4']
    assert [query_of(address) for address in cloud.sent()] == [
        {'name': ['partner'], 'domain_id': ['d']},
        {
            'name': ['partner'],
            'domain_id': ['d'],
            'limit': ['2'],
            'marker': ['m'],
        },
    ]


@pytest.mark.parametrize(
    'more',
    [
        {'truncated': True},
        {'links': {'next': 'http://internal.invalid/?page=2'}},
        {'links': {'next': 5}},
        {'links': {'next': 'http://[/?marker=m'}},
        {'links': {'next': 'http://k/?marker=m'}},
    ],
)
def test_an_incomplete_list_decides_nothing(more: dict[str, Any]) -> None:
    cloud = FakeCloud(CATALOG)
    body = {'projects': [project('1')], **more}
    cloud.on('GET', f'{KEYSTONE}/projects', json=body)
    with pytest.raises(errors.AmbiguousListing):
        Identity(cloud.session).project_ids('partner')


@pytest.mark.parametrize(
    ('domain', 'ids', 'requests'),
    [
        ('Default', ['default'], 1),
        ('default', ['default'], 2),
        ('acme', ['1', '2'], 1),
        ('none', [], 2),
    ],
)
def test_a_domain_by_name_or_id(
    domain: str, ids: list[str], requests: int
) -> None:
    cloud = FakeCloud(CATALOG)
    rows = [
        {'id': 'default', 'name': 'Default'},
        {'id': '1', 'name': 'acme'},
        {'id': '2', 'name': 'acme'},
    ]

    def answer(request: Any, context: Any) -> Any:
        name = query_of(request.url).get('name')
        return {
            'domains': [row for row in rows if name in (None, [row['name']])]
        }

    cloud.on('GET', f'{KEYSTONE}/domains', json=answer)
    assert Identity(cloud.session).domain_ids(domain) == ids
    assert len(cloud.sent()) == requests


# -- how they leave --------------------------------------------------------


def test_a_redirect_is_never_followed() -> None:
    cloud = FakeCloud(CATALOG)
    elsewhere = {'Location': 'https://elsewhere.example/'}
    cloud.on(
        'GET',
        f'{CINDER}/volumes/detail',
        status_code=302,
        headers=elsewhere,
    )
    with pytest.raises(errors.RedirectRefused, match=r'elsewhere\.example'):
        BlockStorage(cloud.session).volumes('data')
    assert len(cloud.sent()) == 1


# -- what is told of a volume and a snapshot --------------------------------


@pytest.mark.parametrize(
    ('body', 'facts'),
    [
        ({}, {'name': None, 'status': '', 'size': None, 'server_ids': ()}),
        ({'status': 'in-use', 'size': 20}, {'status': 'in-use', 'size': 20}),
        ({'size': '20', 'name': 5}, {'size': None, 'name': None}),
        (
            {'attachments': [{'server_id': TWO}, {'server_id': None}, 5]},
            {'server_ids': (TWO.lower(),)},
        ),
        ({'attachments': {'server_id': ONE}}, {'server_ids': ()}),
        ({'attachments': None}, {'server_ids': ()}),
    ],
)
def test_a_volume_is_read_leniently(
    body: dict[str, Any], facts: dict[str, Any]
) -> None:
    volume = Volume.from_body({'id': TWO, **body})
    assert volume.id == TWO.lower()
    assert {name: getattr(volume, name) for name in facts} == facts


@pytest.mark.parametrize(
    ('body', 'facts'),
    [
        ({}, {'name': None, 'status': '', 'volume_id': None}),
        ({'volume_id': TWO}, {'volume_id': TWO.lower()}),
        ({'volume_id': 5, 'status': None}, {'volume_id': None, 'status': ''}),
    ],
)
def test_a_snapshot_is_read_leniently(
    body: dict[str, Any], facts: dict[str, Any]
) -> None:
    snapshot = Snapshot.from_body({'id': TWO, **body})
    assert snapshot.id == TWO.lower()
    assert {name: getattr(snapshot, name) for name in facts} == facts


@given(
    st.dictionaries(
        st.sampled_from(
            ['name', 'status', 'size', 'attachments', 'volume_id']
        ),
        JSON,
    )
)
def test_any_body_with_an_id_is_one(body: dict[str, Any]) -> None:
    assert Volume.from_body({'id': ONE, **body}).id == ONE
    assert Snapshot.from_body({'id': ONE, **body}).id == ONE


@pytest.mark.parametrize('call', ['volume', 'snapshot'])
def test_another_one_than_was_asked_for(call: str) -> None:
    cloud = FakeCloud(CATALOG)
    cloud.on('GET', f'{CINDER}/{call}s/{ONE}', json={call: {'id': TWO}})
    with pytest.raises(errors.MalformedResponse):
        getattr(BlockStorage(cloud.session), call)(ONE)
    with pytest.raises(errors.InvalidId):
        getattr(BlockStorage(cloud.session), call)('../x')
    assert len(cloud.sent()) == 1
