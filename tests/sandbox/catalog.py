# SPDX-License-Identifier: Apache-2.0
"""The service catalog, as the knobs have it."""

from typing import Any
from urllib.parse import quote

from tests.sandbox.knobs import Knobs
from tests.sandbox.state import CloudState

# service type -> (service name, version segment unless a knob says another)
VBS_TYPES = {
    'vbs': ('volume-backup', ''),
    'vbsv2': ('vbsv2', 'v2'),
    'vbsv3': ('vbsv3', 'v3'),
}
VOLUME_TYPES = {'volumev3': 'cinderv3', 'block-storage': 'cinder'}
# What stays where it is, whatever URL a knob gives to VBS and CSBS.
OTHERS = ('identity', 'compute', 'image')


def catalog(
    state: CloudState, knobs: Knobs, base: str, project: str
) -> list[dict[str, Any]]:
    """The catalog in a token of a project."""
    services = [
        ('identity', 'keystone', '/identity/v3'),
        ('compute', 'nova', '/compute/v2.1'),
        ('image', 'glance', '/image'),
    ]
    wanted = [] if knobs.catalog == 'none' else knobs.catalog.split('+')
    services += [_storage(kind, knobs, project) for kind in wanted]
    if knobs.csbs_catalog:
        path = _csbs_path(knobs.csbs_catalog_url_style, project)
        services.append((knobs.csbs_catalog, 'karbor', path))
    return [
        {
            'id': f'service-{kind}',
            'type': kind,
            'name': name,
            'endpoints': _endpoints(kind, knobs, base, path),
        }
        for kind, name, path in services
    ]


def _storage(kind: str, knobs: Knobs, project: str) -> tuple[str, str, str]:
    tail = project if knobs.catalog_project else ''
    if kind in VOLUME_TYPES:
        return kind, VOLUME_TYPES[kind], f'/volume/v3/{tail}'
    name, version = VBS_TYPES[kind]
    if knobs.catalog_version is not None:
        version = knobs.catalog_version
    if version in ('', 'none'):
        return kind, name, f'/vbs/{tail}'
    return kind, name, f'/vbs/{version}/{tail}'


def _csbs_path(style: str, project: str) -> str:
    return {
        'versioned+project': f'/csbs/v1/{project}',
        'versioned': '/csbs/v1',
        'bare': '/csbs',
    }[style]


def _endpoints(
    kind: str, knobs: Knobs, base: str, path: str
) -> list[dict[str, str]]:
    return [
        {
            'id': f'{kind}-{region}-{interface}',
            'interface': interface,
            'region': region,
            'region_id': region,
            'url': _url(kind, knobs, region_base(knobs, base, region) + path),
        }
        for region in knobs.regions
        for interface in _interfaces(kind, knobs)
    ]


def _interfaces(kind: str, knobs: Knobs) -> tuple[str, ...]:
    """Identity has them all, so that there is a login."""
    if kind in OTHERS:
        return ('public', 'internal', 'admin')
    if kind == knobs.csbs_catalog and knobs.csbs_interfaces is not None:
        return knobs.csbs_interfaces
    return knobs.interfaces


def _url(kind: str, knobs: Knobs, url: str) -> str:
    if kind in knobs.catalog_urls:
        return knobs.catalog_urls[kind]
    if knobs.catalog_url is None or kind in OTHERS:
        return url
    return knobs.catalog_url


def region_base(knobs: Knobs, base: str, region: str) -> str:
    """The first region lives at the root, each other under its name.

    All regions share one state; the prefix shows in the request log which
    of them a client chose.
    """
    if region == knobs.regions[0]:
        return base
    return f'{base}/region/{quote(region)}'
