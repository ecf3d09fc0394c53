# SPDX-License-Identifier: Apache-2.0
"""Whether a cloud may be changed."""

from types import SimpleNamespace
from typing import Any

import pytest
from osc_lib import exceptions

from vbsclient.osc.command.read_only import KEYS, refuse_if_read_only

VARIABLE = 'OS_VBSCLIENT_READ_ONLY'


def check(config: dict[str, Any]) -> None:
    cloud = SimpleNamespace(config=config)
    refuse_if_read_only(SimpleNamespace(_cli_options=cloud))


def refused(config: dict[str, Any]) -> str:
    with pytest.raises(exceptions.CommandError) as refusal:
        check(config)
    assert 'nothing was changed' in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize('mark', ['true', 'yes', 'ON', '1'])
@pytest.mark.parametrize('key', [None, 'false', 'true'])
def test_either_place_guards(
    monkeypatch: pytest.MonkeyPatch, mark: str, key: str | None
) -> None:
    monkeypatch.setenv(VARIABLE, mark)
    config = {} if key is None else {'vbsclient_read_only': key}
    assert 'is read-only' in refused(config)
    monkeypatch.setenv(VARIABLE, 'false')
    assert 'is read-only' in refused({'vbsclient_read_only': mark})


@pytest.mark.parametrize(
    'value', ['', None, 'maybe', ' ', [], {}, ['true'], 'ja', '2', 2]
)
def test_what_cannot_be_read_refuses(
    monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    assert 'neither true nor' in refused({'vbsclient_read_only': value})
    if isinstance(value, str):
        monkeypatch.setenv(VARIABLE, value)
        assert VARIABLE in refused({})


def test_a_mark_need_not_be_a_text() -> None:
    for value in (True, 1):
        assert 'is read-only' in refused({'vbsclient_read_only': value})
    for value in (False, 'No', 'off', 0, '0'):
        check({'vbsclient_read_only': value})


@pytest.mark.parametrize('value', ['', None])
def test_an_empty_mark_is_called_empty(value: str | None) -> None:
    assert 'in clouds.yaml is empty,' in refused(
        {'vbsclient_read_only': value}
    )


@pytest.mark.parametrize(
    'key',
    [
        'vbsclient_readonly',
        'vbsclient_read_ony',
        'vbsclient-read-only',
        'vbs_client_read_only',
        'vbsclient_ro',
        'VBSCLIENT_READ_ONLY',
        'vbclient_read_only',
        'vsbclient_read_only',
        'vbs_read_only',
        'csbs_readonly',
        'read_only',
        'readonly',
        'csbsclient_read_only',
        'vbsclient_version',
        'vbs_endpoint_overide',
        'csbs_endpoint_overrride',
        'vbs_regionname',
    ],
)
@pytest.mark.parametrize('below', [False, True])
def test_a_key_that_is_nearly_ours_is_named(key: str, below: bool) -> None:
    config = {key: 'true'}
    told = refused({'auth': config} if below else config)
    assert repr(key) in told
    assert any(f'mean {ours}?' in told for ours in KEYS)


def test_a_key_that_is_ours_is_nothing_below_auth() -> None:
    refused({'auth': {'vbsclient_read_only': 'true'}})


@pytest.mark.parametrize(
    'name',
    [
        'OS_VBSCLIENT_READONLY',
        'OS_VBSCLIENT_READ_ONY',
        'VBSCLIENT_READ_ONLY',
        'os_vbsclient_read_only',
        'OS_VBS_READ_ONLY',
    ],
)
def test_so_is_a_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, 'true')
    told = refused({})
    assert repr(name) in told
    assert VARIABLE in told


def test_settings_of_others_are_none_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ('OS_VBS_API_VERSION', 'OS_CLOUD', 'VBS_READ_ONLY_TEST'):
        monkeypatch.setenv(name, '1')
    check(
        dict.fromkeys(
            [
                *KEYS[1:],
                'vbs_api_version',
                'csbs_api_version',
                'vbs_service_name',
                'vbs_default_microversion',
                'css_endpoint_override',
                'cbs_endpoint_override',
                'dcs_interface',
                'region_name',
                'interface',
            ]
        )
        | {'vbsclient_read_only': 'no', 'auth': {'username': 'a'}}
    )
