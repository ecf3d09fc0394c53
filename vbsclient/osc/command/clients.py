# SPDX-License-Identifier: Apache-2.0
"""The clients of the library, with the settings and the login of OSC."""

from __future__ import annotations

import logging
import os
from functools import partial
from typing import Any, TypeVar

from keystoneauth1.identity.base import BaseIdentityPlugin
from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.catalog import ServiceSettings
from vbsclient.api.client import ServiceClient
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.endpoint import CSBS, VBS, Service, is_csbs_name, parse_pin
from vbsclient.api.http import DEFAULT_TIMEOUT, Limits
from vbsclient.api.login import can_be_renewed, login_of
from vbsclient.api.session import OwnSession
from vbsclient.api.urls import host_of
from vbsclient.api.values import Known
from vbsclient.api.vbs import VBSClient
from vbsclient.lookup.labels import Labels
from vbsclient.lookup.resources import LookupT, Resources
from vbsclient.osc.output.text import capital, sentence, shortened

LOG = logging.getLogger(__name__)

ClientT = TypeVar('ClientT', bound=ServiceClient)

#: The key for a project that has no CSBS.
_HAS_CSBS = 'vbsclient_csbs'


def make_vbs_client(instance: Any, limits: Limits | None = None) -> VBSClient:
    """A client of VBS for OSC's client manager.

    :raises EndpointError: if the configured version is none.
    """
    return _make_client(
        VBSClient,
        instance,
        _own_settings(instance, VBS),
        limits=limits,
        version=parse_pin(_setting(instance, 'vbsclient_api_version') or ''),
        block_storage=_sdk_settings(instance, 'block-storage'),
    )


def make_csbs_client(
    instance: Any, limits: Limits | None = None
) -> CSBSClient:
    """A client of CSBS for OSC's client manager.

    :raises EndpointError: if ``vbsclient_csbs`` is neither true nor false.
    """
    settings = _own_settings(instance, CSBS)
    csbs = _make_client(CSBSClient, instance, settings, limits=limits)
    csbs.is_absent = not _has_csbs(instance)
    csbs.named_by = _name_of_csbs(instance)
    if csbs.is_absent and settings.override:
        raise errors.EndpointError(
            f'clouds.yaml says that the project has no CSBS ({_HAS_CSBS}), '
            f'and where it is',
            f'Take either {_HAS_CSBS} or the endpoint override out of it.',
        )
    return csbs


class OwnLogin:
    """A command whose login, too, ends in time and says what was wrong.

    OSC's own session has no timeout.
    """

    app: Any

    @property
    def required_scope(self) -> bool:
        """What OSC asks between making ready for a login and the login.

        :raises CommandError: if the login fails.
        """
        _log_in(self.app.client_manager)
        return False


def _log_in(instance: Any) -> None:
    """Do the login that OSC would do next."""
    auth = instance.auth
    if instance._auth_ref or not isinstance(auth, BaseIdentityPlugin):
        return
    session = OwnSession(
        instance.session, connections=1, timeout=lambda: _timeout(instance)
    )
    try:
        instance._auth_ref = login_of(session).access(session)
    except errors.ClientError as error:
        raise exceptions.CommandError(capital(sentence(error))) from error


def resources_of(instance: Any) -> Resources:
    """Looks names up in the other services of OSC's client manager."""
    return Resources(partial(make_lookup_client, instance))


def labels_of(instance: Any) -> Labels:
    """Reads how volumes and servers are called."""
    return Labels(partial(make_lookup_client, instance))


def make_lookup_client(
    instance: Any, kind: type[LookupT], service_type: str
) -> LookupT:
    """A client of another service for OSC's client manager.

    :param service_type: its type in the catalog.
    """
    settings = _sdk_settings(instance, service_type)
    return _make_client(kind, instance, settings)


def _make_client(
    kind: type[ClientT],
    instance: Any,
    settings: ServiceSettings,
    **options: Any,
) -> ClientT:
    return kind(
        instance.session,
        region_name=settings.region_name,
        interface=settings.interface,
        endpoint_override=settings.override,
        timeout=_timeout(instance),
        **options,
    )


def _sdk_settings(instance: Any, service_type: str) -> ServiceSettings:
    """The settings of a service that the SDK knows.

    :param service_type: as the catalog names it; its aliases count, too
        (``volume_endpoint_override`` is one for ``block-storage``).
    """
    cloud = instance._cli_options
    return ServiceSettings(
        cloud.get_region_name(service_type) or None,
        cloud.get_interface(service_type) or instance.interface,
        cloud.get_endpoint(service_type),
    )


def _own_settings(instance: Any, service: Service) -> ServiceSettings:
    """The settings of a service that the SDK does not know.

    If they are set for several of its types, the first in alphabetical
    order is used, which is the shortest.
    """
    config = _config(instance)
    names = [name.replace('-', '_') for name in sorted(service.types)]

    def own(setting: str) -> Any:
        keys = (f'{name}_{setting}' for name in names)
        return next((config[k] for k in keys if config.get(k)), None)

    override = own('endpoint_override') or own('endpoint')
    return ServiceSettings(
        own('region_name') or instance.region_name or None,
        own('interface') or instance.interface,
        None if override is None else str(override),
    )


def _name_of_csbs(instance: Any) -> str | None:
    """A setting whose name is that of a CSBS, whether it is used or not."""
    for key in _config(instance):
        if is_csbs_name(str(key)):
            return f'{key} in clouds.yaml'
    for name in os.environ:
        if name.startswith('OS_') and is_csbs_name(name[3:]):
            return f'{name} in the environment'
    return None


def _has_csbs(instance: Any) -> bool:
    value = _config(instance).get(_HAS_CSBS)
    has_csbs = True if value is None else flag_of(value)
    if has_csbs is not None:
        return has_csbs
    raise errors.EndpointError(
        f'{_HAS_CSBS} in clouds.yaml is {value!r}, which is neither true nor '
        f'false',
        'Set it to false if the project has no CSBS, or take it out.',
    )


def flag_of(value: Any) -> bool | None:
    """Yes or no as people write it; None for anything else."""
    text = str(value).strip().lower()
    if text in ('true', 'yes', 'on', '1'):
        return True
    return False if text in ('false', 'no', 'off', '0') else None


#: What the SDK calls a cloud of which the environment alone speaks.
_UNNAMED = 'envvars'


def identity_of(instance: Any) -> dict[str, str | None]:
    """Who acts where, for the journal."""
    access = instance.auth_ref
    return {
        'cloud': getattr(instance._cli_options, 'name', None),
        'region': instance.region_name or None,
        'project_id': getattr(access, 'project_id', None),
        'project': getattr(access, 'project_name', None),
        'user': getattr(access, 'username', None),
    }


def place_of(instance: Any) -> str:
    """Where something is changed: `` in project backups of cloud prod``."""
    who = identity_of(instance)
    cloud = ('of cloud', who['cloud'])
    if cloud[1] in (None, _UNNAMED):
        auth = getattr(instance.session, 'auth', None)
        cloud = ('at', host_of(getattr(auth, 'auth_url', None) or ''))
    parts = [('in project', who['project'] or who['project_id']), cloud]
    return ''.join(
        f' {word} {shortened(name, 80)}' for word, name in parts if name
    )


def warn_if_login_ends(instance: Any) -> None:
    """Say before a long wait that the login cannot be renewed in it."""
    if can_be_renewed(instance.session.auth) is not Known.NO:
        return
    expires = getattr(instance.auth_ref, 'expires', None)
    until = f' at {expires:%Y-%m-%d %H:%M} UTC' if expires else ''
    LOG.warning(
        'This login is a token (auth_type %s), which cannot be renewed: the '
        'wait ends when it expires%s.',
        _config(instance).get('auth_type'),
        until,
    )


def _timeout(instance: Any) -> tuple[float, float]:
    """(connect, read) in seconds."""
    configured = _setting(instance, 'api_timeout')
    if configured is None:
        return DEFAULT_TIMEOUT
    seconds = float(configured)
    return seconds, seconds


def _config(instance: Any) -> Any:
    return instance._cli_options.config


def _setting(instance: Any, key: str) -> str | None:
    value = _config(instance).get(key)
    return str(value) if value not in (None, '') else None
