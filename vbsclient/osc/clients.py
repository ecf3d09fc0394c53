# SPDX-License-Identifier: Apache-2.0
"""The library's clients, made of what OSC knows of the cloud."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from osc_lib import exceptions

from vbsclient.api.csbs import CSBSClient
from vbsclient.api.endpoint import parse_pin
from vbsclient.api.http import DEFAULT_TIMEOUT
from vbsclient.api.vbs import VBSClient
from vbsclient.deletion.targets import Limits

LOG = logging.getLogger(__name__)


def make_vbs_client(instance: Any, limits: Limits | None = None) -> VBSClient:
    """A client of VBS for OSC's client manager.

    :raises EndpointError: if the configured version is none.
    """
    limits = limits or Limits()
    return VBSClient(
        _session(instance),
        version=parse_pin(_setting(instance, 'vbsclient_api_version') or ''),
        region_name=instance.region_name or None,
        interface=instance.interface,
        endpoint_override=_setting(instance, 'vbs_endpoint_override'),
        timeout=_timeout(instance),
        concurrency=limits.concurrency,
        stop=limits.stop,
        deadline=limits.deadline,
    )


def make_csbs_client(
    instance: Any, limits: Limits | None = None
) -> CSBSClient:
    """A client of CSBS for OSC's client manager."""
    limits = limits or Limits()
    return CSBSClient(
        _session(instance),
        region_name=instance.region_name or None,
        interface=instance.interface,
        endpoint_override=_setting(instance, 'csbs_endpoint_override'),
        timeout=_timeout(instance),
        concurrency=limits.concurrency,
        stop=limits.stop,
        deadline=limits.deadline,
    )


@dataclass(frozen=True)
class ServiceSettings:
    """What clouds.yaml says of one service, as the SDK reads it.

    :ivar override: the endpoint to use in place of the catalog's.
    """

    region_name: str | None
    interface: str | Sequence[str] | None
    override: str | None


def service_settings(instance: Any, service_type: str) -> ServiceSettings:
    """The settings of a service: its own, else those of the cloud.

    :param service_type: as the catalog names it; its aliases count, too
        (``volume_endpoint_override`` is one for ``block-storage``).
    """
    cloud = instance._cli_options
    return ServiceSettings(
        cloud.get_region_name(service_type) or None,
        cloud.get_interface(service_type) or instance.interface,
        cloud.get_endpoint(service_type),
    )


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


def warn_if_login_ends(instance: Any) -> bool:
    """Say before a long wait that the login cannot be renewed in it.

    :returns: whether that is so.
    """
    kind = str(_config(instance).get('auth_type') or '')
    if 'token' not in kind:
        return False
    expires = getattr(instance.auth_ref, 'expires', None)
    until = f' at {expires:%Y-%m-%d %H:%M} UTC' if expires else ''
    LOG.warning(
        'This login is a token (auth_type %s), which cannot be renewed: the '
        'wait ends when it expires%s.',
        kind,
        until,
    )
    return True


def project_id_of(
    instance: Any, project: str, domain: str | None = None
) -> str:
    """The id of a project, by id or name.

    32 hex digits are an id: a project that is not ours may not be readable.

    :raises CommandError: if there is none, or it may not be looked up.
    """
    from openstack import exceptions as sdk_exceptions

    if re.fullmatch(r'[0-9a-fA-F]{32}', project, re.ASCII):
        return project
    identity = instance.sdk_connection.identity
    try:
        query = {}
        if domain is not None:
            found_domain = identity.find_domain(domain, ignore_missing=True)
            if found_domain is None:
                raise exceptions.CommandError(
                    f'No domain found for {domain!r}.'
                )
            query['domain_id'] = found_domain.id
        found = identity.find_project(project, ignore_missing=True, **query)
    except sdk_exceptions.DuplicateResource as error:
        raise exceptions.CommandError(
            f'Several projects have the name {project!r}: give the id, or '
            f'--target-project-domain.'
        ) from error
    except sdk_exceptions.HttpException as error:
        raise exceptions.CommandError(
            f'The project {project!r} could not be looked up (HTTP '
            f'{error.status_code}): give its id instead of its name.'
        ) from error
    if found is None:
        raise exceptions.CommandError(f'No project found for {project!r}.')
    return str(found.id)


def _session(instance: Any) -> Any:
    _hush_urllib3()
    session = instance.session
    if session.timeout is None:
        # A login that hangs in the middle of a run would hang for ever.
        session.timeout = DEFAULT_TIMEOUT[1]
    return session


def _hush_urllib3() -> None:
    """Let it say no more than OSC wants to hear of requests.

    OSC sets that for requests alone, from the time when one was a part of
    the other; a header that is none would be shown with a traceback.
    """
    level = logging.getLogger('requests').level
    for name in ('urllib3.connection', 'urllib3.connectionpool'):
        logging.getLogger(name).setLevel(level)


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
