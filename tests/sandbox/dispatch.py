# SPDX-License-Identifier: Apache-2.0
"""From the first path segment to the service."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from tests.sandbox import compute, csbs, image, keystone, vbs, volume
from tests.sandbox.cloud import Cloud
from tests.sandbox.wire import (
    Answer,
    RefusalError,
    Request,
    html_answer,
    no_route,
)

LOG = logging.getLogger(__name__)

Service = Callable[[Cloud, Request], Answer]

SERVICES: dict[str, Service] = {
    'identity': keystone.answer,
    'vbs': vbs.answer,
    'csbs': csbs.answer,
    'volume': volume.answer,
    'compute': compute.answer,
    'image': image.answer,
}


@dataclass
class Place:
    """Where a path leads: taken apart, but not decoded."""

    service: str  # '' where there is none
    prefix: str  # '/region/NAME' or ''
    segments: tuple[str, ...]


def locate(path: str) -> Place:
    segments = path.split('/')[1:]
    prefix = ''
    if segments[:1] == ['region'] and len(segments) > 1:
        prefix = f'/region/{segments[1]}'
        segments = segments[2:]
    service = segments[0] if segments else ''
    if service not in SERVICES:
        return Place('', prefix, ())
    return Place(service, prefix, tuple(segments[1:]))


def serve(cloud: Cloud, request: Request, place: Place) -> Answer:
    """Carry a request out.  The state's lock makes it one step."""
    if not place.service:
        return no_route()
    request.base += place.prefix
    request.segments = place.segments
    with cloud.state.lock:
        cloud.advance()
        try:
            return SERVICES[place.service](cloud, request)
        except RefusalError as refusal:
            return refusal.answer
        except Exception:
            # A mistake of the sandbox itself: say so where a test sees it.
            LOG.exception('%s %s', request.method, request.target)
            return html_answer(500, 'Sandbox Error')
