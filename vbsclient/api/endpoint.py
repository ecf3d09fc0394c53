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

from keystoneauth1 import discover
from keystoneauth1 import exceptions as ksa_exceptions
from keystoneauth1.session import Session

from vbsclient.api import errors
from vbsclient.api.catalog import (
    Base,
    Catalog,
    ServiceSettings,
    fill_override,
    pick,
    read_catalog,
    split_base,
)
from vbsclient.api.http import Transport

Version = Literal['v2', 'v3']
#: What a user may ask for.
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
class VBSEndpoint:
    """Where the calls of the Volume Backup Service go.

    :ivar service_type: the catalog type that was chosen, or ``override``.
    :ivar version: the version of the native backup calls.
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
        return self.vendor_base in (None, self.base) or (
            self.vendor_base is not None
            and self.vendor_base.url == self.base.url
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
        USE_VERSION,
    )


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
            SET_VBS,
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
    :raises EndpointError: if it is not known which one is meant, or whether
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
            SET_CSBS,
        )
    if not catalog.is_known:
        raise errors.EndpointError(
            'this login has no catalog, so that nobody knows whether the '
            'cloud has CSBS',
            SET_CSBS_OR_NONE,
        )
    raise errors.NoService(
        'this cloud has no CSBS: its catalog has no endpoint of type '
        'data-protect or csbs',
        HAS_CSBS,
    )


def _override_base(override: str, project_id: str) -> Base:
    return split_base(fill_override(override, project_id), project_id)


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
    version = choice.version
    if version is None:
        offered = offered_versions(transport, choice.base)
        version = best_of(offered, choice.preferred) or choice.assumed
    return VBSEndpoint(
        choice.service_type,
        version,
        project_id,
        choice.base,
        choice.vendor_base,
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
    return CSBSEndpoint(service_type, base.at('v1', project_id))


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
        SET_VERSION,
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
