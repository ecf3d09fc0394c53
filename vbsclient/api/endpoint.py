# SPDX-License-Identifier: Apache-2.0
"""Which URL and which version serve the calls of a service.

The decision is a function of values (:func:`choose_vbs`,
:func:`choose_csbs`).  Its input, the catalog and at most one version
document, is read with GETs by :func:`resolve_vbs` and :func:`resolve_csbs`.
A client keeps the result: a DELETE is never tried on several hosts or
versions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from keystoneauth1 import discover
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.session import Session

from vbsclient.api import errors
from vbsclient.api.catalog import (
    Base,
    Catalog,
    ServiceSettings,
    find_endpoint,
    pick,
    read_catalog,
    split_base,
)
from vbsclient.api.http import Transport

Version = Literal['v2', 'v3']
#: The version of VBS that a user asks for.
Pin = Literal['auto', '2', '3']

# What to do where no endpoint or no version can be chosen.
USE_VERSION = 'Use auto, 2 or 3.'
SET_VERSION = 'If it serves one of them all the same, choose it.'
SET_VBS = 'If it has one all the same, override the endpoint of VBS.'
SET_CSBS = 'Override the endpoint of CSBS.'
SET_CSBS_OR_NONE = (
    'Override the endpoint of CSBS, or say that the project has none.'
)
HAS_CSBS = 'If it has one all the same, override the endpoint of CSBS.'


@dataclass(frozen=True)
class Service:
    """How a service is found, and in which versions it is used.

    :ivar types: its types in a catalog, best first, each with the version
        to assume if the URL names none.
    :ivar override_version: the version to assume if an override names none.
    :ivar override_type: what is shown as the type of an override.
    :ivar keeps_v2: whether an endpoint whose type and URL mean version 2 is
        used in version 2 although it offers 3.
    """

    types: Mapping[str, str]
    override_version: str
    override_type: str = 'override'
    keeps_v2: bool = False


VBS = Service({'vbsv3': 'v3', 'vbs': 'v2', 'vbsv2': 'v2'}, 'v2')
#: For a pinned 2 the types that do not name 3 come first.
_VBS_PINNED_2 = Service({'vbsv2': 'v2', 'vbs': 'v2', 'vbsv3': 'v3'}, 'v2')
#: Where the calls are that v3 does not have.
_VENDOR_TYPES = ('vbsv2', 'vbs')
BLOCK_STORAGE = Service(
    {
        'volumev3': 'v3',
        'block-storage': 'v3',
        'block-store': 'v3',
        'volumev2': 'v2',
        'volume': 'v2',
    },
    'v3',
    'block storage override',
    keeps_v2=True,
)
CSBS = Service(
    {
        'data-protect': 'v1',
        'csbs': 'v1',
        'data-protection': 'v1',
        'data-protection-orchestration': 'v1',
    },
    'v1',
)
#: A service or a setting whose name starts like this is that of a CSBS.
_CSBS_NAME = re.compile(
    'karbor|csbs|data[-_ ]?protect|cloud[-_ ]?server[-_ ]?backup'
)


@dataclass(frozen=True)
class VBSEndpoint:
    """Where the calls of the Volume Backup Service go.

    :ivar service_type: the catalog type that was chosen, or ``override``.
    :ivar version: the version of the native backup calls, ``v2`` or ``v3``.
    :ivar base: where these are.
    :ivar vendor_base: where the calls are that only VBS has; None where the
        cloud has block storage alone.
    """

    service_type: str
    version: Version
    project_id: str
    base: Base
    vendor_base: Base | None

    @property
    def native(self) -> str:
        """URL of the native backup calls."""
        return self.base.at(self.version, self.project_id)

    @property
    def vendor(self) -> str | None:
        """URL of v2, for the calls that exist there only (shares)."""
        return self._vendor_at('v2')

    @property
    def jobs(self) -> str | None:
        """URL of v1, for the calls that exist there only (jobs)."""
        return self._vendor_at('v1')

    @property
    def is_one_service(self) -> bool:
        """Whether both are the same; else one may not know these backups."""
        return self.vendor_base is None or (
            self.vendor_base.url == self.base.url
        )

    def _vendor_at(self, version: str) -> str | None:
        base = self.vendor_base
        return base.at(version, self.project_id) if base else None


@dataclass(frozen=True)
class CSBSEndpoint:
    """Where the calls of the Cloud Server Backup Service go (v1 only)."""

    service_type: str
    url: str


def parse_pin(value: object) -> Pin:
    """Read ``auto``, ``2`` or ``3`` (``v2``, ``3.0`` too).

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
        USE_VERSION,
    )


@dataclass(frozen=True)
class Choice:
    """What the override or the catalog decides about one service.

    :ivar version: the version to use if no document offers another one.
    :ivar preferred: the versions to look for in the version document, best
        first; if empty, no document is read.
    """

    service_type: str
    base: Base
    version: str
    preferred: Sequence[str] = ()


def choose(
    service: Service,
    catalog: Catalog,
    settings: ServiceSettings,
    pin: Pin = 'auto',
) -> Choice | None:
    """Choose the endpoint of a service; None if the cloud has none.

    :raises EndpointError: if it cannot be used, or is not the only one.
    """
    entry = find_endpoint(
        catalog, tuple(service.types), settings, service.override_type
    )
    if entry is None:
        return None
    service_type = entry.service_type
    base = split_base(entry.url, catalog.project_id)
    if pin != 'auto':
        return Choice(service_type, base, f'v{pin}')
    versions = sorted(set(service.types.values()), reverse=True)
    named = base.version if base.version in versions else None
    assumed = service.types.get(service_type, service.override_version)
    version = named or assumed
    # The version in an override is the choice of the user.
    if len(versions) == 1 or (settings.override and named):
        return Choice(service_type, base, version)
    if service.keeps_v2 and version == assumed == 'v2':
        versions.reverse()
    return Choice(service_type, base, version, versions)


def choose_vbs(
    catalog: Catalog,
    *,
    pin: Pin,
    settings: ServiceSettings,
    block_storage: ServiceSettings,
) -> tuple[Choice, Base | None]:
    """Choose where the native calls go, and those that only VBS has.

    :param settings: of VBS.
    :param block_storage: of the service to use in a cloud without VBS; it
        has the native calls only.
    :raises EndpointError: if there is no endpoint, or no unambiguous one.
    """
    service = _VBS_PINNED_2 if pin == '2' else VBS
    choice = choose(service, catalog, settings, pin)
    if choice is not None:
        other = None
        if choice.service_type == 'vbsv3':
            other = pick(catalog.entries, _VENDOR_TYPES, settings)
        if other is None:
            return choice, choice.base
        return choice, split_base(other.url, catalog.project_id)
    override = block_storage.override or catalog.endpoint
    block_storage = replace(block_storage, override=override)
    choice = choose(BLOCK_STORAGE, catalog, block_storage, pin)
    if choice is not None:
        return choice, None
    raise errors.EndpointError(
        'this cloud has no VBS: its catalog has no endpoint of type '
        'vbs, vbsv2 or vbsv3, nor of volumev3, block-storage, volumev2 '
        'or volume',
        SET_VBS,
    )


def is_csbs_name(name: str) -> bool:
    """Whether a service or a setting of this name is that of a CSBS."""
    return _CSBS_NAME.match(name.lower()) is not None


def choose_csbs(catalog: Catalog, settings: ServiceSettings) -> Choice:
    """Choose the CSBS endpoint.

    :raises NoService: if it is known that the cloud has none: its catalog
        names none in any region or interface.
    :raises EndpointError: if the choice is ambiguous, or if it is unknown
        whether there is one.
    """
    choice = choose(CSBS, catalog, settings)
    if choice is not None:
        return choice
    named = sorted(filter(is_csbs_name, catalog.names))
    if named:
        raise errors.EndpointError(
            f'the catalog names {", ".join(named)} and offers no endpoint of '
            f'it that can be used',
            SET_CSBS,
        )
    if not catalog.names:
        raise errors.EndpointError(
            'this login has no catalog, so it is unknown whether the cloud '
            'has CSBS',
            SET_CSBS_OR_NONE,
        )
    raise errors.NoService(
        'this cloud has no CSBS: its catalog has no endpoint of type '
        'data-protect or csbs',
        HAS_CSBS,
    )


def resolve_vbs(
    transport: Transport,
    session: Session,
    *,
    pin: Pin,
    settings: ServiceSettings,
    block_storage: ServiceSettings,
) -> VBSEndpoint:
    """Choose endpoint and version of VBS, with at most one GET.

    :param settings: of VBS.
    :param block_storage: of the service to use in a cloud without VBS.
    :raises EndpointError: if there is no endpoint, or none of its versions
        can be used.
    :raises ServiceError: if the login fails.
    """
    overrides = settings.override, block_storage.override
    catalog = read_catalog(session, 'vbs_endpoint_override', *overrides)
    choice, vendor_base = choose_vbs(
        catalog, pin=pin, settings=settings, block_storage=block_storage
    )
    version = choice.version
    if choice.preferred:
        offered = offered_versions(transport, choice.base)
        if offered:
            version = best_of(offered, choice.preferred)
    return VBSEndpoint(
        choice.service_type,
        cast(Version, version),
        catalog.project_id,
        choice.base,
        vendor_base,
    )


def resolve_csbs(
    session: Session, *, settings: ServiceSettings
) -> CSBSEndpoint:
    """Choose the endpoint of CSBS, without any request to it.

    :raises NoService: if it is known that the cloud has none.
    :raises EndpointError: if no endpoint can be chosen.
    :raises ServiceError: if the login fails.
    """
    catalog = read_catalog(
        session, 'csbs_endpoint_override', settings.override
    )
    choice = choose_csbs(catalog, settings)
    url = choice.base.at(choice.version, catalog.project_id)
    return CSBSEndpoint(choice.service_type, url)


def offered_versions(transport: Transport, base: Base) -> dict[int, bool]:
    """Major versions that the version document offers.

    The values tell whether a version may be chosen (an experimental one may
    not).  Empty if there is no document that can be read, which is the
    normal case in these clouds.

    :raises ClientError: if the host cannot be reached, or the login fails.
    """
    try:
        document = discover.Discover(
            cast(Session, _DiscoverySession(transport)), f'{base.url}/'
        )
        every = document.version_data(
            allow_experimental=True, allow_unknown=True
        )
        stable = {v.version for v in document.version_data()}
    except errors.LoginRefused:
        raise
    except errors.ConnectionFailed as error:
        if not error.sent:
            # No other request will reach it, either.
            raise
        return {}
    except (
        ksa_exceptions.ClientException,
        errors.ServiceError,
        errors.MalformedResponse,
        # keystoneauth raises these for documents of a wrong shape.
        TypeError,
        AttributeError,
        LookupError,
        ValueError,
        RecursionError,
    ):
        return {}
    offered: dict[int, bool] = {}
    for found in every:
        if found.version:
            major = int(found.version[0])
            usable = found.version in stable
            offered[major] = offered.get(major, False) or usable
    return offered


def best_of(offered: Mapping[int, bool], preferred: Sequence[str]) -> str:
    """The first of these versions that is offered.

    :raises EndpointError: if the document offers none of them.
    """
    for version in preferred:
        if offered.get(int(version[1:])):
            return version
    found = ', '.join(
        f'v{major}' if usable else f'v{major} (experimental)'
        for major, usable in sorted(offered.items())
    )
    raise errors.EndpointError(
        f'the VBS endpoint offers {found}, and neither v2 nor v3 for use',
        SET_VERSION,
    )


class _DiscoverySession:
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
