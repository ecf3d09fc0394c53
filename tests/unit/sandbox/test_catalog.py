# SPDX-License-Identifier: Apache-2.0
"""The catalog by its knobs."""

from typing import Any

import pytest

from tests.sandbox import Knobs
from tests.sandbox.catalog import catalog
from tests.sandbox.state import CloudState
from tests.unit.sandbox.conftest import Cloud

STORAGE = {'vbs', 'vbsv2', 'vbsv3', 'volumev3', 'block-storage'}


def urls(**knobs: Any) -> dict[str, list[str]]:
    """type -> public URLs."""
    state = CloudState(lambda: 0.0)
    return {
        entry['type']: [
            endpoint['url']
            for endpoint in entry['endpoints']
            if endpoint['interface'] == 'public'
        ]
        for entry in catalog(state, Knobs(**knobs), 'http://x', 'PP')
    }


@pytest.mark.parametrize(
    ('knobs', 'expected'),
    [
        ({}, {'vbs': '/vbs/PP'}),
        ({'catalog_version': 'v2'}, {'vbs': '/vbs/v2/PP'}),
        (
            {'catalog_version': 'v2', 'catalog_project': False},
            {'vbs': '/vbs/v2/'},
        ),
        ({'catalog_project': False}, {'vbs': '/vbs/'}),
        ({'catalog': 'vbsv2'}, {'vbsv2': '/vbs/v2/PP'}),
        ({'catalog': 'vbsv3'}, {'vbsv3': '/vbs/v3/PP'}),
        (
            {'catalog': 'vbsv2', 'catalog_version': 'none'},
            {'vbsv2': '/vbs/PP'},
        ),
        (
            {'catalog': 'vbs+vbsv3'},
            {'vbs': '/vbs/PP', 'vbsv3': '/vbs/v3/PP'},
        ),
        (
            {'catalog': 'vbsv2+vbsv3'},
            {'vbsv2': '/vbs/v2/PP', 'vbsv3': '/vbs/v3/PP'},
        ),
        ({'catalog': 'volumev3'}, {'volumev3': '/volume/v3/PP'}),
        ({'catalog': 'block-storage'}, {'block-storage': '/volume/v3/PP'}),
        (
            {'catalog': 'vbs+volumev3'},
            {'vbs': '/vbs/PP', 'volumev3': '/volume/v3/PP'},
        ),
        ({'catalog': 'none'}, {}),
    ],
)
def test_storage(knobs: dict[str, Any], expected: dict[str, str]) -> None:
    found = urls(**knobs)
    assert {kind: found[kind] for kind in STORAGE & set(found)} == {
        kind: ['http://x' + path] for kind, path in expected.items()
    }


def test_csbs() -> None:
    assert urls()['data-protect'] == ['http://x/csbs/v1/PP']
    assert 'csbs' in urls(csbs_catalog='csbs')
    styled = urls(csbs_catalog_url_style='versioned')
    assert styled['data-protect'] == ['http://x/csbs/v1']
    styled = urls(csbs_catalog_url_style='bare')
    assert styled['data-protect'] == ['http://x/csbs']
    assert 'data-protect' not in urls(csbs_catalog=None)


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match='vbsv9'):
        Knobs(catalog='vbsv9')


def test_every_region_has_its_own_address(cloud: Cloud) -> None:
    api = cloud(regions=('one', 'two'))
    assert urls(regions=('one', 'two'))['vbs'] == [
        'http://x/vbs/PP',
        'http://x/region/two/vbs/PP',
    ]
    api.sandbox.state.add_backup('nightly')
    answer = api.get('/region/two/vbs/v2/{P}/backups')
    assert answer.json()['backups'][0]['name'] == 'nightly'
    assert api.sandbox.requests[-1].service == 'vbs'
    assert '/region/two/' in api.sandbox.requests[-1].path


def test_the_token_carries_it(cloud: Cloud) -> None:
    api = cloud(catalog='vbsv2')
    entries = api.log_in().json()['token']['catalog']
    (entry,) = [row for row in entries if row['type'] == 'vbsv2']
    assert entry['endpoints'][0]['url'] == (
        f'{api.sandbox.url}/vbs/v2/{api.sandbox.project_id}'
    )


def test_any_text_can_be_the_address_of_both_services() -> None:
    found = urls(catalog='vbs', catalog_url='nonsense')
    assert found['vbs'] == found['data-protect'] == ['nonsense']
    assert found['identity'] == ['http://x/identity/v3']


def test_an_endpoint_for_each_interface_but_those_that_are_left_out() -> None:
    knobs = Knobs(interfaces=('public',), csbs_interfaces=('admin',))
    found = {
        entry['type']: {e['interface'] for e in entry['endpoints']}
        for entry in catalog(CloudState(lambda: 0.0), knobs, 'http://x', 'PP')
    }
    assert found['vbs'] == {'public'}
    assert found['data-protect'] == {'admin'}
    assert found['identity'] == {'public', 'internal', 'admin'}


def test_a_url_for_one_type_alone() -> None:
    found = urls(
        catalog='vbsv2+vbsv3', catalog_urls={'vbsv2': 'http://elsewhere'}
    )
    assert found['vbsv2'] == ['http://elsewhere']
    assert found['vbsv3'] == ['http://x/vbs/v3/PP']
