# SPDX-License-Identifier: Apache-2.0
"""Images, as version 2 of the Image API has them: list, show and delete."""

from typing import Any
from urllib.parse import quote

from tests.sandbox.cloud import Cloud
from tests.sandbox.gate import authenticate
from tests.sandbox.model import Image
from tests.sandbox.query import Query
from tests.sandbox.routing import Call, Router
from tests.sandbox.wire import (
    Answer,
    Request,
    html_answer,
    json_answer,
    no_route,
    refuse,
)

# The largest page, whatever is asked for; and the usual one.
MAX_PAGE = 1000
PAGE = 25

# Those of the filters that compare a value; the others are not here.
EXACT = ('name', 'status', 'visibility', 'owner', 'id')
SORT_KEYS = (
    'name',
    'status',
    'container_format',
    'disk_format',
    'size',
    'id',
    'created_at',
    'updated_at',
)
KEYS = (
    *EXACT,
    'os_hidden',
    'limit',
    'marker',
    'sort',
    'sort_key',
    'sort_dir',
)

routes = Router()


def answer(cloud: Cloud, request: Request) -> Answer:
    segments = request.segments
    if segments[:1] != ('v2',):
        return _versions(request)
    if len(segments) < 2:
        return no_route()
    token = authenticate(cloud, request)
    call = Call(cloud, request, token.project_id or '', 'v2')
    return routes.dispatch(call, segments[1:])


def _versions(request: Request) -> Answer:
    """What each other path than one of v2 is answered with."""
    link = {'rel': 'self', 'href': f'{request.base}/image/v2/'}
    entry = {'id': 'v2.9', 'status': 'CURRENT', 'links': [link]}
    return json_answer({'versions': [entry]}, 300)


def _bad(message: str) -> Answer:
    """Errors are pages here, not JSON."""
    return html_answer(400, message)


def _image(image: Image) -> dict[str, Any]:
    path = f'/v2/images/{image.id}'
    return {
        'id': image.id,
        'name': image.name,
        'status': image.status,
        'visibility': image.visibility,
        'owner': image.project_id,
        'size': image.size,
        'virtual_size': None,
        'disk_format': 'raw',
        'container_format': 'bare',
        'checksum': None,
        'os_hash_algo': None,
        'os_hash_value': None,
        'os_hidden': False,
        'protected': False,
        'min_disk': 0,
        'min_ram': 0,
        'tags': [],
        'created_at': image.created_at,
        'updated_at': image.created_at,
        'self': path,
        'file': f'{path}/file',
        'schema': '/v2/schemas/image',
    }


def _sorted(rows: list[dict[str, Any]], query: Query) -> list[dict[str, Any]]:
    """As `sort` says, or its older form: by the youngest first."""
    text = query.text('sort')
    if text and query.present(('sort_key', 'sort_dir')):
        refuse(_bad('Old and new sorting syntax cannot be combined'))
    if text is None:
        key = query.choice('sort_key', SORT_KEYS, 'created_at')
        way = query.choice('sort_dir', ('asc', 'desc'), 'desc')
        text = f'{key}:{way}'
    for part in reversed(text.split(',')):
        key, _, way = part.partition(':')
        if key not in SORT_KEYS or way not in ('', 'asc', 'desc'):
            refuse(_bad(f'Invalid sort: {part}'))
        rows.sort(key=lambda row: row[key] or '', reverse=way != 'asc')
    return rows


@routes.route('GET', 'images')
def list_images(call: Call) -> Answer:
    query = Query(call.request.query, KEYS, _bad)
    asked = query.present(EXACT)
    hidden = query.flag('os_hidden') or False
    rows = [
        row
        for row in map(_image, _mine(call))
        if row['os_hidden'] is hidden
        and all(_fits(row[key], value) for key, value in asked.items())
    ]
    rows = _sorted(rows, query)
    ids = [row['id'] for row in rows]
    marker = query.text('marker')
    if marker is not None:
        if marker not in ids:
            return _bad(f'Invalid marker {marker}')
        rows = rows[ids.index(marker) + 1 :]
    limit = query.integer('limit')
    limit = min(PAGE if limit is None else limit, MAX_PAGE)
    body: dict[str, Any] = {
        'images': rows[:limit],
        'first': '/v2/images',
        'schema': '/v2/schemas/images',
    }
    if limit and len(rows) > limit:
        body['next'] = _next(query, limit, rows[limit - 1]['id'])
    return json_answer(body)


def _fits(value: str, asked: str) -> bool:
    """Whether it is the value, or among those of `in:a,b`."""
    if asked.startswith('in:'):
        return value in asked.removeprefix('in:').split(',')
    return value == asked


def _next(query: Query, limit: int, marker: str) -> str:
    asked = query.present(KEYS) | {'limit': str(limit), 'marker': marker}
    text = '&'.join(f'{key}={quote(value)}' for key, value in asked.items())
    return f'/v2/images?{text}'


def _mine(call: Call) -> list[Image]:
    return [
        image
        for image in call.cloud.state.images.values()
        if image.project_id == call.project
    ]


def _find(call: Call, image_id: str) -> Image:
    image = call.cloud.state.images.get(image_id)
    if image is None or image.project_id != call.project:
        refuse(html_answer(404, f'No image found with ID {image_id}'))
    return image


@routes.route('GET', 'images/{image_id}')
def show_image(call: Call, image_id: str) -> Answer:
    return json_answer(_image(_find(call, image_id)))


@routes.route('DELETE', 'images/{image_id}')
def delete_image(call: Call, image_id: str) -> Answer:
    image = _find(call, image_id)
    if call.cloud.knobs.read_only_role:
        return html_answer(403, 'You are not authorized to delete_image')
    call.cloud.state.remove_image(image)
    return Answer(204)
