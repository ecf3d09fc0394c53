# SPDX-License-Identifier: Apache-2.0
"""Images, as version 2 of the Image API has them."""

import pytest

from tests.unit.sandbox.conftest import UNKNOWN, Api, Cloud

IMAGES = '/image/v2/images'


@pytest.fixture
def api(cloud: Cloud) -> Api:
    """A cloud with images a, b and c, and one of another project."""
    api = cloud()
    for name in 'abc':
        api.sandbox.state.add_image(name)
    api.sandbox.state.add_image('d', project_id='another')
    return api


def names(api: Api, query: str = '') -> list[str]:
    body = api.get(f'{IMAGES}?{query}').json()
    return [row['name'] for row in body['images']]


def test_the_versions_are_multiple_choices(api: Api) -> None:
    for path in ('/image', '/image/'):
        answer = api.get(path)
        assert answer.status_code == 300
        (version,) = answer.json()['versions']
        assert version['id'].startswith('v2.')
        (link,) = version['links']
        assert link['href'].endswith('/image/v2/')


def test_a_list_shows_the_images_of_the_project(api: Api) -> None:
    assert names(api) == ['a', 'b', 'c']
    assert names(api, 'sort=name:desc') == ['c', 'b', 'a']
    assert names(api, 'sort_key=name&sort_dir=asc') == ['a', 'b', 'c']
    assert names(api, 'name=b') == ['b']
    assert names(api, 'name=in:a,c&sort=name:asc') == ['a', 'c']
    assert names(api, 'status=queued') == []
    assert names(api, 'os_hidden=True') == []


def test_a_list_has_pages(api: Api) -> None:
    first = api.get(f'{IMAGES}?sort=name:asc&limit=2').json()
    assert [row['name'] for row in first['images']] == ['a', 'b']
    rest = api.get(f'/image{first["next"]}').json()
    assert [row['name'] for row in rest['images']] == ['c']
    assert 'next' not in rest


@pytest.mark.parametrize(
    'query',
    [
        f'marker={UNKNOWN}',
        'limit=many',
        'sort=colour:asc',
        'sort=name:up',
        'sort=name&sort_key=name',
        'os_hidden=perhaps',
    ],
)
def test_a_query_that_is_refused(api: Api, query: str) -> None:
    assert api.get(f'{IMAGES}?{query}').status_code == 400


def test_an_image_is_shown_and_deleted_by_its_id(api: Api) -> None:
    image = next(iter(api.sandbox.state.images.values()))
    shown = api.get(f'{IMAGES}/{image.id}').json()
    assert (shown['name'], shown['status']) == ('a', 'active')
    gone = api.delete(f'{IMAGES}/{image.id}')
    assert (gone.status_code, gone.content) == (204, b'')
    assert api.get(f'{IMAGES}/{image.id}').status_code == 404
    assert api.delete(f'{IMAGES}/{image.id}').status_code == 404
    assert names(api, 'sort=name:asc') == ['b', 'c']


def test_unknown_images_and_those_of_another_project(api: Api) -> None:
    theirs = list(api.sandbox.state.images.values())[-1]
    for id in (UNKNOWN, 'a', theirs.id):
        assert api.get(f'{IMAGES}/{id}').status_code == 404
        assert api.delete(f'{IMAGES}/{id}').status_code == 404
    assert theirs.id in api.sandbox.state.images
    assert api.delete(IMAGES).status_code == 405


def test_a_role_that_may_not_delete(cloud: Cloud) -> None:
    api = cloud(read_only_role=True)
    image = api.sandbox.state.add_image('a')
    assert api.delete(f'{IMAGES}/{image.id}').status_code == 403
    api.session.headers.pop('X-Auth-Token')
    assert api.get(IMAGES).status_code == 401


def test_an_image_protects_its_backup(
    cloud: Cloud,
) -> None:
    api = cloud()
    (item,) = api.sandbox.state.add_checkpoint(1, image=True).items
    path = (
        '/csbs/v1/{P}/providers/fc4d5750-22e7-4798-8a46-f48f62c4c1da'
        f'/checkpoints/{item.checkpoint_id}'
    )
    assert api.delete(path).json()['error_code'] == 'CSBS.8007'
    assert api.delete(f'{IMAGES}/{item.images[0]}').status_code == 204
    assert api.delete(path).status_code == 200
