# SPDX-License-Identifier: Apache-2.0
"""What a login offers: its project, and the endpoints of its catalog."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from keystoneauth1.access.service_catalog import ServiceCatalog
from keystoneauth1.session import Session

from vbsclient.api import errors
from vbsclient.api.errors import Hint
from vbsclient.api.login import login_of
from vbsclient.api.urls import without_userinfo

# What to do where no endpoint can be taken.
SET_REGION = 'Choose a region.'
CORRECT_REGION = 'Correct the region.'
CORRECT_INTERFACE = 'Correct the interface.'
SET_OVERRIDE = 'Override the endpoint with the one that is meant.'
SET_OVERRIDES = 'Override the endpoints of VBS and of CSBS.'
SET_PROJECT = 'Log in to a project.'
NAME_PROJECT = (
    'Override the endpoint with a URL that ends in version and project, or '
    'log in to a project.'
)

_VERSION_SEGMENT = re.compile(r'v([0-9]+)(?:\.[0-9]+)?', re.ASCII)

_PROJECT_ID = re.compile(
    '[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
)

#: The order of preference where no interface is configured.
_ANY_INTERFACE = ('public', 'internal', 'admin')


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
    """What a login offers, in every region and interface.

    :ivar project_id: the project of the login.
    :ivar names: types and names of the services, in lower case, also of
        those without an endpoint.  Empty if there is no catalog: then it is
        unknown what the cloud offers.
    :ivar endpoint: the one endpoint of a login that has no catalog.
    """

    project_id: str
    entries: Sequence[CatalogEntry] = ()
    names: frozenset[str] = frozenset()
    endpoint: str | None = None


@dataclass(frozen=True)
class Base:
    """A URL without version and project, and the version that it named."""

    url: str
    version: str | None

    def at(self, version: str, project_id: str) -> str:
        """The URL below which the calls of one version are."""
        return f'{self.url}/{version}/{project_id}'


def split_base(url: str, project_id: str) -> Base:
    """Take project and version off a URL, segment by segment.

    :raises EndpointError: if it is no http(s) URL.
    """
    # A login in it would never be used, and be shown in messages.
    url = without_userinfo(url.strip())
    parts = _http_url(url)
    if parts is None:
        raise errors.EndpointError(
            f'the endpoint {url!r} is not an http(s) URL',
            'Correct the catalog, or set an endpoint override.',
        )
    segments = _segments(parts)
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
        # An invalid port is found only when it is read.
        return parts if usable and parts.port != 0 else None
    except ValueError:
        return None


def _segments(parts: SplitResult) -> list[str]:
    return [segment for segment in parts.path.split('/') if segment]


def fill_override(template: str, project_id: str) -> str:
    """Put the project into an override, as text and never as a format."""
    for name in ('%(project_id)s', '%(tenant_id)s'):
        template = template.replace(name, project_id)
    return template


def project_in(url: str | None) -> str | None:
    """The project that a URL names after its version, or None."""
    parts = _http_url(url.strip()) if url else None
    segments = _segments(parts) if parts else []
    if len(segments) < 2 or not _VERSION_SEGMENT.fullmatch(segments[-2]):
        return None
    project_id = segments[-1].removeprefix('AUTH_')
    return project_id if _PROJECT_ID.fullmatch(project_id) else None


def find_endpoint(
    catalog: Catalog,
    types: Sequence[str],
    settings: ServiceSettings,
    override_type: str = 'override',
) -> CatalogEntry | None:
    """The override, else the endpoint of the catalog; None without either.

    :param types: the types of the service, best first.
    :param override_type: the type of an override.
    :raises EndpointError: as :func:`pick` does.
    """
    if settings.override:
        url = fill_override(settings.override, catalog.project_id)
        return CatalogEntry(override_type, url)
    return pick(catalog.entries, types, settings)


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
            SET_REGION,
        )
    best = min(types.index(e.service_type) for e in here)
    found = [e for e in here if e.service_type == types[best]]
    usable = [e for e in found if e.url] or found
    urls = _names(e.url.rstrip('/') for e in usable)
    if ', ' in urls:
        raise errors.EndpointError(
            f'the catalog offers {types[best]} more than once in '
            f'{regions}: {urls}',
            SET_OVERRIDE,
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
            CORRECT_REGION,
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
            CORRECT_INTERFACE,
        )
    return found


def _plain_interface(name: str | None) -> str | None:
    """``public`` for what a catalog of version 2 calls ``publicURL``."""
    return name.removesuffix('URL') if isinstance(name, str) else None


def _names(found: Iterable[str]) -> str:
    return ', '.join(sorted(set(found)))


def read_catalog(
    session: Session, override_key: str, *overrides: str | None
) -> Catalog:
    """Log in, and read the project and the catalog.

    A login without a token of its own (``none``, ``admin_token``) has
    neither, but an endpoint; that, or an override, may name the project.

    :param override_key: the setting that overrides the endpoint.
    :raises EndpointError: if there is no project, or if the catalog cannot
        be read.
    :raises ServiceError: if the login fails.
    """
    access = login_of(session).access(session)
    if access is None:
        endpoint = session.auth.get_endpoint(session) if session.auth else None
        for project_id in map(project_in, (*overrides, endpoint)):
            if project_id:
                return Catalog(project_id, endpoint=endpoint)
        raise errors.EndpointError(
            'the login is of a kind that has neither a project nor a catalog '
            '(auth_type none or admin_token), and no endpoint names the '
            'project',
            Hint(NAME_PROJECT, key=override_key),
        )
    if not access.project_id:
        raise errors.EndpointError(
            'the login is not for a project', SET_PROJECT
        )
    if not access.has_service_catalog():
        return Catalog(access.project_id)
    return _parse_catalog(access.project_id, access.service_catalog)


def _parse_catalog(
    project_id: str, service_catalog: ServiceCatalog
) -> Catalog:
    """Every endpoint, whatever its region and interface.

    Entries of a wrong shape have no URL: those of other services must not
    make ours unusable, and those of ours must be noticed.
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
            SET_OVERRIDES,
        ) from error
    # Empty for tokens that were requested without a catalog.
    names = {
        str(name).strip().lower()
        for service in services
        for name in (service['type'], service.get('name'))
    }
    return Catalog(project_id, entries, frozenset(names))
