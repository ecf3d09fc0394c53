# SPDX-License-Identifier: Apache-2.0
"""The library's clients, made of what OSC knows of the cloud."""

from __future__ import annotations

import logging
import re
from typing import Any

from osc_lib import exceptions

from vbsclient.api import errors
from vbsclient.api.csbs import CSBSClient
from vbsclient.api.endpoint import ServiceSettings, parse_pin
from vbsclient.api.http import DEFAULT_TIMEOUT
from vbsclient.api.vbs import VBSClient
from vbsclient.deletion.targets import Limits

LOG = logging.getLogger(__name__)

#: The names of services under which clouds.yaml may have settings of ours.
_VBS_KEYS = ('vbs', 'vbsv2', 'vbsv3')
_CSBS_KEYS = (
    'csbs',
    'data-protect',
    'data-protection',
    'data-protection-orchestration',
)

#: Says of a project that it has no CSBS.
_HAS_CSBS = 'vbsclient_csbs'

_READ_ONLY = 'vbsclient_read_only'


def make_vbs_client(instance: Any, limits: Limits | None = None) -> VBSClient:
    """A client of VBS for OSC's client manager.

    :raises EndpointError: if the configured version is none.
    """
    limits = limits or Limits()
    settings = _own_settings(instance, *_VBS_KEYS)
    return VBSClient(
        _session(instance),
        version=parse_pin(_setting(instance, 'vbsclient_api_version') or ''),
        region_name=settings.region_name,
        interface=settings.interface,
        endpoint_override=settings.override,
        block_storage=service_settings(instance, 'block-storage'),
        timeout=_timeout(instance),
        concurrency=limits.concurrency,
        stop=limits.stop,
        deadline=limits.deadline,
    )


def make_csbs_client(
    instance: Any, limits: Limits | None = None
) -> CSBSClient:
    """A client of CSBS for OSC's client manager.

    :raises EndpointError: if ``vbsclient_csbs`` is neither true nor false.
    """
    limits = limits or Limits()
    settings = _own_settings(instance, *_CSBS_KEYS)
    csbs = CSBSClient(
        _session(instance),
        region_name=settings.region_name,
        interface=settings.interface,
        endpoint_override=settings.override,
        timeout=_timeout(instance),
        concurrency=limits.concurrency,
        stop=limits.stop,
        deadline=limits.deadline,
    )
    csbs.is_absent = not _has_csbs(instance)
    if csbs.is_absent and settings.override:
        raise errors.EndpointError(
            f'clouds.yaml says that the project has no CSBS ({_HAS_CSBS}), '
            f'and where it is',
            f'Take either {_HAS_CSBS} or the endpoint override out of it.',
        )
    return csbs


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


def _own_settings(instance: Any, *service_types: str) -> ServiceSettings:
    """The settings of a service that the SDK does not know.

    :param service_types: the names it goes by, the first that is set wins.
    """
    config = _config(instance)

    def own(setting: str) -> Any:
        keys = (f'{t.replace("-", "_")}_{setting}' for t in service_types)
        return next((config[k] for k in keys if config.get(k)), None)

    override = own('endpoint_override') or own('endpoint')
    return ServiceSettings(
        own('region_name') or instance.region_name or None,
        own('interface') or instance.interface,
        None if override is None else str(override),
    )


def _has_csbs(instance: Any) -> bool:
    value = _config(instance).get(_HAS_CSBS)
    text = str(value).strip().lower()
    if value is None or text in ('true', 'yes', 'on', '1'):
        return True
    if text in ('false', 'no', 'off', '0'):
        return False
    raise errors.EndpointError(
        f'{_HAS_CSBS} in clouds.yaml is {value!r}, which is neither true nor '
        f'false',
        'Set it to false if the project has no CSBS, or take it out.',
    )


def refuse_if_read_only(instance: Any) -> None:
    """Keep a cloud that is marked as read-only from being changed.

    :raises CommandError: if it is, or if the mark cannot be read.
    """
    value = _config(instance).get(_READ_ONLY)
    if value is None or value is False:
        return
    text = str(value).strip().lower()
    if text in ('false', 'no', 'off', '0'):
        return
    if value is True or text in ('true', 'yes', 'on', '1'):
        raise exceptions.CommandError(
            f'This cloud is read-only for this plugin ({_READ_ONLY} in '
            f'clouds.yaml): nothing was changed.'
        )
    raise exceptions.CommandError(
        f'{_READ_ONLY} in clouds.yaml is {value!r}, which is neither true '
        f'nor false: nothing was changed.'
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
