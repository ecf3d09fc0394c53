# SPDX-License-Identifier: Apache-2.0
"""Which URL and which version serve the calls of a service.

The decision is a function of values (:func:`choose_vbs`,
:func:`choose_csbs`); what feeds it, the catalog and one version document, is
read by :func:`resolve_vbs` and :func:`resolve_csbs`.  Nothing here ever
sends more than GETs, and the result is meant to be kept for the life of the
process: a DELETE is never tried on several hosts or versions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import SplitResult, urlsplit, urlunsplit

from keystoneauth1 import discover
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.access.service_catalog import ServiceCatalog
from keystoneauth1.session import Session

from vbsclient.api import errors
from vbsclient.api.http import Transport
from vbsclient.api.login import login_of
from vbsclient.api.urls import without_userinfo

Version = Literal['v2', 'v3']
#: What a user may ask for.
Pin = Literal['auto', '2', '3']

_VERSION_SEGMENT = re.compile(r'v([0-9]+)(?:\.[0-9]+)?', re.ASCII)

_VBS_TYPES = ('vbsv3', 'vbs', 'vbsv2')
#: For a pinned 2 the entries that do not name 3 come first.
_VBS_TYPES_FOR_2 = ('vbsv2', 'vbs', 'vbsv3')
_BLOCK_STORAGE_TYPES = ('volumev3', 'block-storage')
_CSBS_TYPES = (
    'data-protect',
    'csbs',
    'data-protection',
    'data-protection-orchestration',
)


@dataclass(frozen=True)
class CatalogEntry:
    """One endpoint of the catalog, of the wanted interface."""

    service_type: str
    url: str
    region: str | None = None


@dataclass(frozen=True)
class Base:
    """A URL without version and project, which both are put back later."""

    url: str
    version: str | None

    def at(self, version: str, project_id: str) -> str:
        """The URL below which the calls of one version are."""
        return f'{self.url}/{version}/{project_id}'


@dataclass(frozen=True)
class VBSEndpoint:
    """Where the calls of the Volume Backup Service go.

    :ivar service_type: the catalog type that was chosen, or ``override``.
    :ivar version: the version of the native backup calls.
    :ivar native: URL of the native backup calls.
    :ivar vendor: URL of v2, for the calls that exist there only (shares),
        or None where the cloud has block storage alone.
    :ivar prefix: the part of the URLs that all of them share.
    """

    service_type: str
    version: Version
    native: str
    vendor: str | None
    prefix: str


@dataclass(frozen=True)
class CSBSEndpoint:
    """Where the calls of the Cloud Server Backup Service go (v1 only)."""

    service_type: str
    url: str
    prefix: str


def parse_pin(value: object) -> Pin:
    """The wanted version: ``auto``, ``2`` or ``3`` (``v2``, ``3.0`` too).

    :raises EndpointError: for anything else.
    """
    text = str(value).strip().lower()
    match = re.fullmatch(r'v?([23])(?:\.[0-9]+)?', text, re.ASCII)
    if match:
        return cast(Pin, match.group(1))
    if text in ('auto', ''):
        return 'auto'
    raise errors.EndpointError(
        f'the VBS version {str(value)!r} is not known',
        'Set vbsclient_api_version (OS_VBSCLIENT_API_VERSION, '
        '--os-vbs-api-version) to auto, 2 or 3.',
    )


def split_base(url: str, project_id: str) -> Base:
    """Take project and version off a URL, segment by segment.

    :raises EndpointError: if it is no http(s) URL.
    """
    # A login in it would be sent to nobody, and be shown in messages.
    url = without_userinfo(url.strip())
    parts = _http_url(url)
    if parts is None:
        raise errors.EndpointError(
            f'the endpoint {url!r} is not an http(s) URL',
            'Correct the catalog, or set an endpoint override.',
        )
    segments = [part for part in parts.path.split('/') if part]
    if segments and segments[-1] in (project_id, f'AUTH_{project_id}'):
        segments.pop()
    version = None
    if segments and (match := _VERSION_SEGMENT.fullmatch(segments[-1])):
        version = f'v{int(match.group(1))}'
        segments.pop()
    path = ''.join(f'/{segment}' for segment in segments)
    return Base(
        urlunsplit((parts.scheme, parts.netloc, path, '', '')), version
    )


def _http_url(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ('http', 'https') and bool(parts.hostname)
        # Reading the port is what finds out that it is none.
        return parts if usable and parts.port != 0 else None
    except ValueError:
        return None


def fill_override(template: str, project_id: str) -> str:
    """Put the project into an override, as text and never as a format."""
    for name in ('%(project_id)s', '%(tenant_id)s'):
        template = template.replace(name, project_id)
    return template


def pick(
    entries: Sequence[CatalogEntry], types: Sequence[str], region: str | None
) -> CatalogEntry | None:
    """The endpoint of the first of these types that the catalog has.

    :param region: the configured region, or None.
    :raises EndpointError: if a type is there but not in the region, or in
        several regions and none is configured: taking the first would be
        a guess.
    """
    offered = [e for e in entries if e.service_type in types]
    here = [e for e in offered if not region or e.region == region]
    names = ', '.join(sorted({e.region or 'no region' for e in offered}))
    kinds = ', '.join(t for t in types if t in {e.service_type for e in here})
    if len({e.region for e in here}) > 1:
        raise errors.EndpointError(
            f'the catalog offers {kinds} in several regions ({names}) and '
            f'none is configured',
            'Set region_name in clouds.yaml (OS_REGION_NAME).',
        )
    for service_type in types:
        for entry in here:
            if entry.service_type == service_type:
                return entry
    if offered:
        raise errors.EndpointError(
            f'the catalog offers {offered[0].service_type} in {names}, not '
            f'in the region {region}',
            'Correct region_name in clouds.yaml (OS_REGION_NAME).',
        )
    return None


@dataclass(frozen=True)
class VBSChoice:
    """What the catalog alone decides, before any version document.

    :ivar version: the decided version, or None if discovery is to be asked.
    :ivar assumed: the version to take if discovery has nothing to say.
    """

    service_type: str
    base: Base
    vendor_base: Base | None
    version: Version | None
    assumed: Version


def choose_vbs(
    entries: Sequence[CatalogEntry],
    *,
    project_id: str,
    pin: Pin,
    region: str | None = None,
    override: str | None = None,
) -> VBSChoice:
    """Choose the VBS endpoint from the override or the catalog.

    :raises EndpointError: if there is none, or no unambiguous one.
    """
    pinned = cast(Version, f'v{pin}') if pin != 'auto' else None
    if override:
        base = split_base(fill_override(override, project_id), project_id)
        named = _as_version(base.version)
        return VBSChoice(
            'override', base, base, pinned or named, named or 'v2'
        )
    types = _VBS_TYPES_FOR_2 if pin == '2' else _VBS_TYPES
    entry = pick(entries, types, region)
    vendor: Base | None = None
    if entry is not None:
        vendor_entry = pick(entries, _VBS_TYPES_FOR_2, region) or entry
        vendor = split_base(vendor_entry.url, project_id)
    else:
        entry = pick(entries, _BLOCK_STORAGE_TYPES, region)
    if entry is None:
        raise errors.EndpointError(
            'this cloud has no VBS: its catalog has no endpoint of type '
            'vbs, vbsv2 or vbsv3, nor of volumev3 or block-storage',
            'If it has one all the same, set vbs_endpoint_override in '
            'clouds.yaml.',
        )
    base = split_base(entry.url, project_id)
    named = _as_version(base.version) or _as_version(entry.service_type[-2:])
    return VBSChoice(entry.service_type, base, vendor, pinned, named or 'v2')


def choose_csbs(
    entries: Sequence[CatalogEntry],
    *,
    project_id: str,
    region: str | None = None,
    override: str | None = None,
) -> tuple[str, Base]:
    """Choose the CSBS endpoint: (catalog type, base).

    :raises EndpointError: if there is none, or no unambiguous one.
    """
    if override:
        base = split_base(fill_override(override, project_id), project_id)
        return 'override', base
    entry = pick(entries, _CSBS_TYPES, region)
    if entry is None:
        raise errors.EndpointError(
            'this cloud has no CSBS: its catalog has no endpoint of type '
            'data-protect or csbs',
            'If it has one all the same, set csbs_endpoint_override in '
            'clouds.yaml.',
        )
    return entry.service_type, split_base(entry.url, project_id)


def read_catalog(
    session: Session, interface: str | Sequence[str] | None
) -> tuple[str, list[CatalogEntry]]:
    """(project id, entries) of the token's catalog.

    :raises EndpointError: if the token has no project.
    """
    access = login_of(session).access(session)
    project_id = access.project_id if access else session.get_project_id()
    if not project_id:
        raise errors.EndpointError(
            'the login is not for a project',
            'Set project_name or project_id in clouds.yaml '
            '(OS_PROJECT_NAME, OS_PROJECT_ID).',
        )
    if access is None or not access.has_service_catalog():
        return project_id, []
    return project_id, catalog_entries(access.service_catalog, interface)


def catalog_entries(
    catalog: ServiceCatalog, interface: str | Sequence[str] | None
) -> list[CatalogEntry]:
    """The endpoints of the wanted interface, the best one for each type.

    Entries of a wrong shape are left out: those of other services must not
    keep anybody from using ours.

    :raises EndpointError: if nothing in it can be read.
    """
    wanted = [interface] if isinstance(interface, str) else interface
    try:
        services = catalog.normalize_catalog()
        names: list[str | None] = [
            catalog.normalize_interface(i) for i in wanted or ()
        ]
    except (LookupError, TypeError, AttributeError) as error:
        raise errors.EndpointError(
            f'the catalog of this cloud cannot be read ({error!r})',
            'Set vbs_endpoint_override and csbs_endpoint_override in '
            'clouds.yaml.',
        ) from error
    entries: list[CatalogEntry] = []
    for service in services:
        endpoints = [
            e for e in service['endpoints'] if isinstance(e.get('url'), str)
        ]
        for name in names or [None]:
            best = [e for e in endpoints if name in (None, e.get('interface'))]
            entries += [
                CatalogEntry(service['type'], e['url'], e.get('region_name'))
                for e in best
            ]
            if best:
                break
    return entries


def resolve_vbs(
    transport: Transport,
    session: Session,
    *,
    pin: Pin = 'auto',
    region: str | None = None,
    interface: str | Sequence[str] | None = 'public',
    override: str | None = None,
) -> VBSEndpoint:
    """Choose endpoint and version of VBS, with at most one GET.

    :raises EndpointError: if there is no endpoint, or none of its versions
        can be used.
    :raises ServiceError: if the login fails.
    """
    project_id, entries = read_catalog(session, interface)
    choice = choose_vbs(
        entries,
        project_id=project_id,
        pin=pin,
        region=region,
        override=override,
    )
    base, vendor = choice.base, choice.vendor_base
    version = choice.version
    if version is None:
        offered = offered_versions(transport, base)
        version = highest(offered) or choice.assumed
    return VBSEndpoint(
        service_type=choice.service_type,
        version=version,
        native=base.at(version, project_id),
        vendor=vendor.at('v2', project_id) if vendor else None,
        prefix=base.url,
    )


def resolve_csbs(
    session: Session,
    *,
    region: str | None = None,
    interface: str | Sequence[str] | None = 'public',
    override: str | None = None,
) -> CSBSEndpoint:
    """Choose the endpoint of CSBS, without any request to it.

    :raises EndpointError: if there is none.
    :raises ServiceError: if the login fails.
    """
    project_id, entries = read_catalog(session, interface)
    service_type, base = choose_csbs(
        entries, project_id=project_id, region=region, override=override
    )
    return CSBSEndpoint(service_type, base.at('v1', project_id), base.url)


def offered_versions(
    transport: Transport, base: Base
) -> Mapping[int, bool] | None:
    """Major versions that the version document offers.

    The values tell whether a version may be chosen (an experimental one may
    not).  None: there is no document that can be read, which is the normal
    case in these clouds.
    """
    try:
        document = discover.Discover(
            cast(Session, _OneGet(transport)), f'{base.url}/'
        )
        every = document.version_data(
            allow_experimental=True, allow_unknown=True
        )
        stable = {v.version for v in document.version_data()}
    except errors.LoginRefused:
        raise
    except errors.ConnectionFailed as error:
        if not error.sent:
            # Nor will anything else reach it.
            raise
        return None
    except (
        ksa_exceptions.ClientException,
        errors.ServiceError,
        errors.MalformedResponse,
        # What keystoneauth lets through for documents of a wrong shape.
        TypeError,
        AttributeError,
        LookupError,
        ValueError,
        RecursionError,
    ):
        return None
    offered: dict[int, bool] = {}
    for found in every:
        if found.version:
            major = int(found.version[0])
            usable = found.version in stable
            offered[major] = offered.get(major, False) or usable
    return offered or None


def highest(offered: Mapping[int, bool] | None) -> Version | None:
    """The highest of 2 and 3 that is offered; None without a document.

    :raises EndpointError: if the document offers neither.
    """
    if offered is None:
        return None
    for major, version in ((3, 'v3'), (2, 'v2')):
        if offered.get(major):
            return cast(Version, version)
    found = ', '.join(
        f'v{major}' if usable else f'v{major} (experimental)'
        for major, usable in sorted(offered.items())
    )
    raise errors.EndpointError(
        f'the VBS endpoint offers {found}, and neither v2 nor v3 for use',
        'If it serves one of them all the same, set vbsclient_api_version '
        'in clouds.yaml to 2 or 3.',
    )


class _OneGet:
    """The part of a session that keystoneauth's discovery uses.

    A whole session would log in again after a 401 and follow redirects.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        authenticated: bool | None = None,
    ) -> Any:
        return self._transport.get_document(url, headers=headers)


def _as_version(name: str | None) -> Version | None:
    return cast(Version, name) if name in ('v2', 'v3') else None
