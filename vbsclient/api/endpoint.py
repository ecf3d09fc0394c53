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
from collections.abc import Iterable, Mapping, Sequence
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

_PROJECT_ID = re.compile(
    '[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
)

#: In which order interfaces are taken where none is configured.
_ANY_INTERFACE = ('public', 'internal', 'admin')

#: The types of services in a catalog, best first.
VBS_TYPES = ('vbsv3', 'vbs', 'vbsv2')
#: For a pinned 2 the entries that do not name 3 come first.
_VBS_TYPES_FOR_2 = ('vbsv2', 'vbs', 'vbsv3')
#: Where the calls are that v3 does not have.
_VENDOR_TYPES = ('vbsv2', 'vbs')
BLOCK_STORAGE_TYPES = (
    'volumev3',
    'block-storage',
    'block-store',
    'volumev2',
    'volume',
)
#: Those of them that mean version 2, unless their URL says otherwise.
_BLOCK_STORAGE_2 = ('volumev2', 'volume')
CSBS_TYPES = (
    'data-protect',
    'csbs',
    'data-protection',
    'data-protection-orchestration',
)
#: What begins so, in a catalog or in clouds.yaml, says that there is a CSBS
#: of some kind.
_CSBS_NAME = re.compile(
    'karbor|csbs|data[-_ ]?protect|cloud[-_ ]?server[-_ ]?backup'
)


@dataclass(frozen=True)
class ServiceSettings:
    """Which endpoint of one service is wanted.

    :ivar region_name: the region, or None if none is configured.
    :ivar interface: the interface (or interfaces, best first).
    :ivar override: the endpoint to use in place of the catalog's.
    """

    region_name: str | None = None
    interface: str | Sequence[str] | None = 'public'
    override: str | None = None


@dataclass(frozen=True)
class CatalogEntry:
    """One endpoint of the catalog; its URL is empty if it is no text."""

    service_type: str
    url: str
    region: str | None = None
    interface: str | None = None


@dataclass(frozen=True)
class Catalog:
    """What a token's catalog offers, in every region and interface.

    :ivar names: types and names of its services, in lower case, also of
        those that have no endpoint.
    :ivar is_known: whether there is a catalog at all: without one nobody
        knows what the cloud offers.
    :ivar endpoint: the one endpoint of a login that has no catalog.
    """

    entries: Sequence[CatalogEntry] = ()
    names: frozenset[str] = frozenset()
    is_known: bool = False
    endpoint: str | None = None


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
    :ivar prefix: the native URL without version and project.
    :ivar is_one_service: whether both URLs are of the same host and path,
        and so of one service; another one may not know these backups.
    """

    service_type: str
    version: Version
    native: str
    vendor: str | None
    prefix: str
    is_one_service: bool = True


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


def project_in(url: str | None) -> str | None:
    """The project that a URL names behind its version, if it does."""
    parts = _http_url(url.strip()) if url else None
    segments = (
        [part for part in parts.path.split('/') if part] if parts else []
    )
    if len(segments) < 2 or not _VERSION_SEGMENT.fullmatch(segments[-2]):
        return None
    project_id = segments[-1].removeprefix('AUTH_')
    return project_id if _PROJECT_ID.fullmatch(project_id) else None


def pick(
    entries: Sequence[CatalogEntry],
    types: Sequence[str],
    settings: ServiceSettings,
) -> CatalogEntry | None:
    """The endpoint of the first of these types that the catalog has.

    :raises EndpointError: if a type is there but not in the region or not
        for the interface, if it is in several regions and none is
        configured, or if it is there twice: taking the first would be a
        guess.
    """
    offered = [e for e in entries if e.service_type in types]
    if not offered:
        return None
    here = _for_interface(_in_region(offered, settings), settings)
    regions = _names(e.region or 'no region' for e in here)
    kinds = _names(e.service_type for e in here)
    if len({e.region for e in here}) > 1:
        raise errors.EndpointError(
            f'the catalog offers {kinds} in several regions ({regions}) and '
            f'none is configured',
            'Set region_name in clouds.yaml (OS_REGION_NAME).',
        )
    best = min(types.index(e.service_type) for e in here)
    found = [e for e in here if e.service_type == types[best]]
    usable = [e for e in found if e.url] or found
    urls = _names(e.url.rstrip('/') for e in usable)
    if ', ' in urls:
        raise errors.EndpointError(
            f'the catalog offers {types[best]} more than once in '
            f'{regions}: {urls}',
            'Set an endpoint override in clouds.yaml to the one that is '
            'meant.',
        )
    return usable[0]


def _in_region(
    offered: Sequence[CatalogEntry], settings: ServiceSettings
) -> list[CatalogEntry]:
    region = settings.region_name
    here = [e for e in offered if not region or e.region == region]
    if not here:
        regions = _names(e.region or 'no region' for e in offered)
        raise errors.EndpointError(
            f'the catalog offers {offered[0].service_type} in {regions}, not '
            f'in the region {region}',
            'Correct region_name in clouds.yaml (OS_REGION_NAME).',
        )
    return here


def _for_interface(
    here: Sequence[CatalogEntry], settings: ServiceSettings
) -> list[CatalogEntry]:
    """Of each type the entries of the best interface that it has."""
    wanted = settings.interface or _ANY_INTERFACE
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    found: list[CatalogEntry] = []
    for service_type in dict.fromkeys(e.service_type for e in here):
        for name in map(_plain_interface, names):
            best = [
                e
                for e in here
                if e.service_type == service_type and e.interface == name
            ]
            if best:
                found += best
                break
    if not found:
        offered = _names(e.interface or 'none' for e in here)
        raise errors.EndpointError(
            f'the catalog offers {here[0].service_type} for the interface '
            f'{offered}, not for {", ".join(names)}',
            'Correct interface in clouds.yaml (OS_INTERFACE, --os-interface).',
        )
    return found


def _plain_interface(name: str | None) -> str | None:
    """``public`` for what a catalog of version 2 calls ``publicURL``."""
    return name.removesuffix('URL') if isinstance(name, str) else None


def _names(found: Iterable[str]) -> str:
    return ', '.join(sorted(set(found)))


@dataclass(frozen=True)
class VBSChoice:
    """What the catalog alone decides, before any version document.

    :ivar version: the decided version, or None if discovery is to be asked.
    :ivar preferred: the versions to take if discovery offers them, best
        first.
    :ivar assumed: the version to take if discovery has nothing to say.
    """

    service_type: str
    base: Base
    vendor_base: Base | None
    version: Version | None
    assumed: Version
    preferred: Sequence[Version] = ('v3', 'v2')


def choose_vbs(
    catalog: Catalog,
    *,
    project_id: str,
    pin: Pin,
    settings: ServiceSettings,
    block_storage: ServiceSettings,
) -> VBSChoice:
    """Choose the VBS endpoint from the override or the catalog.

    :param settings: of VBS.
    :param block_storage: of the service that serves where VBS is not.
    :raises EndpointError: if there is none, or no unambiguous one.
    """
    pinned = cast(Version, f'v{pin}') if pin != 'auto' else None
    if settings.override:
        base = _override_base(settings.override, project_id)
        named = _as_version(base.version)
        return VBSChoice(
            'override', base, base, pinned or named, named or 'v2'
        )
    types = _VBS_TYPES_FOR_2 if pin == '2' else VBS_TYPES
    entry = pick(catalog.entries, types, settings)
    if entry is None:
        return _choose_block_storage(
            catalog, project_id, pinned, block_storage
        )
    base = split_base(entry.url, project_id)
    named = _as_version(base.version) or _as_version(entry.service_type[-2:])
    vendor = base
    if entry.service_type == 'vbsv3':
        other = pick(catalog.entries, _VENDOR_TYPES, settings)
        vendor = split_base(other.url, project_id) if other else base
    return VBSChoice(entry.service_type, base, vendor, pinned, named or 'v2')


def _choose_block_storage(
    catalog: Catalog,
    project_id: str,
    pinned: Version | None,
    settings: ServiceSettings,
) -> VBSChoice:
    """The service that ``openstack volume backup`` uses, too."""
    override = settings.override or catalog.endpoint
    if override:
        base = _override_base(override, project_id)
        named = _as_version(base.version)
        return VBSChoice(
            'block storage override',
            base,
            None,
            pinned or named,
            named or 'v3',
        )
    entry = pick(catalog.entries, BLOCK_STORAGE_TYPES, settings)
    if entry is None:
        raise errors.EndpointError(
            'this cloud has no VBS: its catalog has no endpoint of type '
            'vbs, vbsv2 or vbsv3, nor of volumev3, block-storage, volumev2 '
            'or volume',
            'If it has one all the same, set vbs_endpoint_override in '
            'clouds.yaml.',
        )
    base = split_base(entry.url, project_id)
    means_2 = entry.service_type in _BLOCK_STORAGE_2
    named = _as_version(base.version) or ('v2' if means_2 else 'v3')
    return VBSChoice(
        entry.service_type,
        base,
        None,
        pinned,
        named,
        ('v2', 'v3') if means_2 and named == 'v2' else ('v3', 'v2'),
    )


def names_csbs(word: str) -> bool:
    """Whether a word says that there is a CSBS of some kind."""
    return _CSBS_NAME.match(word.lower()) is not None


def choose_csbs(
    catalog: Catalog, *, project_id: str, settings: ServiceSettings
) -> tuple[str, Base]:
    """Choose the CSBS endpoint: (catalog type, base).

    :raises NoService: if it is known that the cloud has none: its catalog
        names none in any region or interface.
    :raises EndpointError: if nobody knows which one is meant, or whether
        there is one.
    """
    if settings.override:
        return 'override', _override_base(settings.override, project_id)
    entry = pick(catalog.entries, CSBS_TYPES, settings)
    if entry is not None:
        return entry.service_type, split_base(entry.url, project_id)
    named = sorted(filter(names_csbs, catalog.names))
    if named:
        raise errors.EndpointError(
            f'the catalog names {", ".join(named)} and offers no endpoint of '
            f'it that can be used',
            'Set csbs_endpoint_override in clouds.yaml.',
        )
    if not catalog.is_known:
        raise errors.EndpointError(
            'this login has no catalog, so that nobody knows whether the '
            'cloud has CSBS',
            'Set csbs_endpoint_override in clouds.yaml, or vbsclient_csbs: '
            'false if the project has no CSBS.',
        )
    raise errors.NoService(
        'this cloud has no CSBS: its catalog has no endpoint of type '
        'data-protect or csbs',
        'If it has one all the same, set csbs_endpoint_override in '
        'clouds.yaml.',
    )


def _override_base(override: str, project_id: str) -> Base:
    return split_base(fill_override(override, project_id), project_id)


def read_catalog(
    session: Session, key: str, *overrides: str | None
) -> tuple[str, Catalog]:
    """(project id, catalog) of the login.

    A login without a token of its own (``none``, ``admin_token``) has
    neither, but an endpoint; that, or an override, may name the project.

    :param key: the setting that overrides the endpoint.
    :raises EndpointError: if there is no project.
    """
    access = login_of(session).access(session)
    if access is None:
        auth = session.auth
        endpoint = auth.get_endpoint(session) if auth else None
        return _read_fixed(key, endpoint, *overrides)
    project_id = access.project_id
    if not project_id:
        raise errors.EndpointError(
            'the login is not for a project',
            'Set project_name or project_id in clouds.yaml '
            '(OS_PROJECT_NAME, OS_PROJECT_ID).',
        )
    if not access.has_service_catalog():
        return project_id, Catalog()
    return project_id, catalog_of(access.service_catalog)


def _read_fixed(
    key: str, endpoint: str | None, *overrides: str | None
) -> tuple[str, Catalog]:
    for url in (*overrides, endpoint):
        project_id = project_in(url)
        if project_id:
            return project_id, Catalog(endpoint=endpoint)
    raise errors.EndpointError(
        'the login is of a kind that has neither a project nor a catalog '
        '(auth_type none or admin_token), and no endpoint names the project',
        f'Set {key} in clouds.yaml to a URL that ends in version and '
        f'project, or log in for a project.',
    )


def catalog_of(service_catalog: ServiceCatalog) -> Catalog:
    """Every endpoint, whatever its region and interface.

    Entries of a wrong shape have no URL: those of other services must not
    keep anybody from using ours, and those of ours must be noticed.

    :raises EndpointError: if nothing in it can be read.
    """
    try:
        services = service_catalog.normalize_catalog()
        entries = [
            CatalogEntry(
                service['type'],
                e['url'] if isinstance(e.get('url'), str) else '',
                e.get('region_name'),
                _plain_interface(e.get('interface')),
            )
            for service in services
            for e in service['endpoints']
        ]
    except (LookupError, TypeError, AttributeError) as error:
        raise errors.EndpointError(
            f'the catalog of this cloud cannot be read ({error!r})',
            'Set vbs_endpoint_override and csbs_endpoint_override in '
            'clouds.yaml.',
        ) from error
    names = {
        str(word).strip().lower()
        for service in services
        for word in (service['type'], service.get('name'))
    }
    # An empty one comes with tokens that were asked for without it.
    return Catalog(entries, frozenset(names), is_known=bool(services))


def resolve_vbs(
    transport: Transport,
    session: Session,
    *,
    pin: Pin = 'auto',
    settings: ServiceSettings,
    block_storage: ServiceSettings,
) -> VBSEndpoint:
    """Choose endpoint and version of VBS, with at most one GET.

    :param settings: of VBS.
    :param block_storage: of the service that serves where VBS is not.
    :raises EndpointError: if there is no endpoint, or none of its versions
        can be used.
    :raises ServiceError: if the login fails.
    """
    project_id, catalog = read_catalog(
        session,
        'vbs_endpoint_override',
        settings.override,
        block_storage.override,
    )
    choice = choose_vbs(
        catalog,
        project_id=project_id,
        pin=pin,
        settings=settings,
        block_storage=block_storage,
    )
    base, vendor = choice.base, choice.vendor_base
    version = choice.version
    if version is None:
        offered = offered_versions(transport, base)
        version = best_of(offered, choice.preferred) or choice.assumed
    return VBSEndpoint(
        service_type=choice.service_type,
        version=version,
        native=base.at(version, project_id),
        vendor=vendor.at('v2', project_id) if vendor else None,
        prefix=base.url,
        is_one_service=vendor is None or vendor.url == base.url,
    )


def resolve_csbs(
    session: Session, *, settings: ServiceSettings
) -> CSBSEndpoint:
    """Choose the endpoint of CSBS, without any request to it.

    :raises NoService: if it is known that the cloud has none.
    :raises EndpointError: if no endpoint can be chosen.
    :raises ServiceError: if the login fails.
    """
    project_id, catalog = read_catalog(
        session, 'csbs_endpoint_override', settings.override
    )
    service_type, base = choose_csbs(
        catalog, project_id=project_id, settings=settings
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


def best_of(
    offered: Mapping[int, bool] | None, preferred: Sequence[Version]
) -> Version | None:
    """The first of these versions that is offered; None without a document.

    :raises EndpointError: if the document offers none of them.
    """
    if offered is None:
        return None
    for version in preferred:
        if offered.get(int(version[1:])):
            return version
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
