# SPDX-License-Identifier: Apache-2.0
"""Version documents."""

from typing import Any

from tests.sandbox.cloud import Cloud
from tests.sandbox.gate import authenticate
from tests.sandbox.wire import (
    Answer,
    Request,
    html_answer,
    identity_error,
    json_answer,
    native_error,
    no_route,
    unmapped,
)

UPDATED = '2020-01-01T00:00:00Z'

# Which versions of VBS each mode shows, with their status.
LISTED = {
    'both': {'v2': 'SUPPORTED', 'v3': 'CURRENT'},
    'both-300': {'v2': 'SUPPORTED', 'v3': 'CURRENT'},
    'v2': {'v2': 'CURRENT'},
    'v3': {'v3': 'CURRENT'},
    'v3-experimental': {'v2': 'CURRENT', 'v3': 'EXPERIMENTAL'},
}
# What the reference of VBS documents; it names no highest one.
VBS_MICROVERSION = '3.45'


def version(
    number: str, status: str, href: str, highest: str = ''
) -> dict[str, Any]:
    """One entry of a version document."""
    lowest = f'{number[1:].partition(".")[0]}.0' if highest else ''
    return {
        'id': number if '.' in number else f'{number}.0',
        'status': status,
        'version': highest,
        'min_version': lowest,
        'updated': UPDATED,
        'links': [{'rel': 'self', 'href': href}],
        'media-types': [],
    }


def vbs_document(cloud: Cloud, request: Request) -> Answer:
    """The answer to a GET of the root, of a version or of a project."""
    mode = cloud.knobs.discovery
    if mode not in LISTED:
        return _without_documents(mode)
    segments = request.segments
    listed = LISTED[mode]
    entries = {
        number: version(
            number,
            status,
            f'{request.base}/vbs/{number}/',
            VBS_MICROVERSION if number == 'v3' else '',
        )
        for number, status in listed.items()
    }
    if segments in ((), ('',)):
        status = 300 if mode == 'both-300' else 200
        return json_answer({'versions': list(entries.values())}, status)
    number = segments[0]
    if number not in entries or segments[2:]:
        return no_route()
    return versioned(cloud, request, entries[number])


def versioned(cloud: Cloud, request: Request, entry: dict[str, Any]) -> Answer:
    """`/v3/` shows its entry, `/v3` leads there; both want a token."""
    authenticate(cloud, request)
    href = entry['links'][0]['href']
    if request.segments[1:] == ():
        return Answer(302, headers={'Location': href})
    if request.segments[1:] != ('',):
        return unmapped(request)
    return json_answer({'versions': [entry]})


def _without_documents(mode: str) -> Answer:
    if mode == 'refused-401':
        return identity_error(401, 'Unauthorized', 'No version documents.')
    if mode == 'refused-403':
        return native_error(403, 'No version documents for you.')
    if mode == 'malformed':
        return Answer(200, b'<versions', 'application/json')
    if mode == 'malformed-json':
        return json_answer({'versions': [{'id': None}]})
    if mode == 'malformed-list':
        return json_answer([['v2', 'v3'], None, 3])
    if mode == 'error-500':
        return html_answer(500, 'Internal Server Error')
    if mode == 'none-html':
        return no_route()
    return native_error(404, 'The resource could not be found.')
