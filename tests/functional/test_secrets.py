# SPDX-License-Identifier: Apache-2.0
"""No token and no password in anything that is printed or written."""

import json
from pathlib import Path

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack, Result
from tests.sandbox import Fault, Sandbox, keystone
from tests.sandbox.model import Token
from vbsclient.deletion import server_backups

PASSWORD = 'correct-horse-battery-staple'

SERVICES = '/(vbs|csbs)/'


class Vault:
    """A cloud whose user has a password that is easy to find."""

    def __init__(self, sandbox: Sandbox, openstack: Openstack) -> None:
        self.sandbox = sandbox
        self.openstack = openstack
        state = sandbox.state
        state.user.password = PASSWORD
        self.backup = state.add_backup('nightly')
        shared = state.add_backup('shared')
        self.share = state.add_share(
            shared, state.add_project('partner', member=False)
        )
        self.checkpoint = state.add_checkpoint(2, 'run')
        self.job = state.add_job('bksCreateBackup', self.backup)
        self.golden = state.add_backup('golden')
        self.volume = state.add_volume('data')
        self.server = state.add_server('web01')

    @property
    def commands(self) -> list[list[str]]:
        return [*self.reads, *self.creations, *self.deletions]

    @property
    def reads(self) -> list[list[str]]:
        item = self.checkpoint.items[0].id
        return [
            ['vbs', 'backup', 'list', '--long'],
            ['vbs', 'backup', 'show', 'nightly'],
            ['vbs', 'share', 'list', '--long'],
            ['vbs', 'share', 'show', self.share.id],
            ['vbs', 'job', 'show', '--wait', self.job.id],
            ['vbs', 'quota', 'show'],
            ['csbs', 'backup', 'list', '--long'],
            ['csbs', 'backup', 'show', item],
            ['csbs', 'checkpoint', 'list', '--long'],
            ['csbs', 'checkpoint', 'show', self.checkpoint.id],
            ['csbs', 'quota', 'show'],
        ]

    @property
    def creations(self) -> list[list[str]]:
        return [
            [*words, f'--journal={self.journal}']
            for words in (
                ['vbs', 'backup', 'create', '--wait', self.volume.id],
                ['vbs', 'backup', 'create', self.volume.id, '--snapshot=x'],
                ['csbs', 'backup', 'create', self.server.id],
                ['vbs', 'backup', 'restore', '--yes', 'nightly', 'data'],
                [
                    *('csbs', 'backup', 'restore', '--yes'),
                    self.checkpoint.items[1].id,
                ],
                [
                    *('vbs', 'share', 'create', self.golden.id),
                    f'--target-project={"a" * 32}',
                ],
            )
        ]

    @property
    def deletions(self) -> list[list[str]]:
        run = self.checkpoint
        return [
            [*words, '--report', f'--journal={self.journal}']
            for words in (
                ['vbs', 'backup', 'delete', 'nightly'],
                ['vbs', 'share', 'delete', self.share.id],
                ['vbs', 'share', 'delete', '--backup', 'shared'],
                ['csbs', 'backup', 'delete', run.items[0].id],
                ['csbs', 'checkpoint', 'delete', '--yes', run.id],
            )
        ]

    def met_by(self, method: str) -> list[list[str]]:
        """The commands that send such a request."""
        by_method = {'DELETE': self.deletions, 'POST': self.creations}
        return by_method.get(method, self.commands)

    @property
    def journal(self) -> Path:
        return self.openstack.home / 'journal'

    def run(self, *words: str, **config: object) -> Result:
        """A run with the right password in clouds.yaml."""
        return self.openstack.run(
            *words,
            audited=False,
            config={'auth': self.login(password=PASSWORD), **config},
        )

    def login(self, **keys: str) -> dict[str, str]:
        return {
            'auth_url': f'{self.sandbox.url}/identity/v3',
            'username': 'demo',
            'project_name': 'demo',
            'user_domain_name': 'Default',
            'project_domain_name': 'Default',
            **keys,
        }

    def check(self, result: Result) -> None:
        """Look for what nobody may see in all that is there now."""
        said = result.stdout + result.stderr
        if self.journal.exists():
            said += self.journal.read_text()
        assert self.sandbox.state.tokens
        for token in self.sandbox.state.tokens:
            assert token not in said
        assert PASSWORD not in said


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_backups, 'PROOF_TIMEOUT', 0.0)


@pytest.fixture
def vault(cloud: CloudFactory, openstack: Openstack) -> Vault:
    return Vault(cloud(catalog='vbs+volumev3'), openstack)


def test_debug_shows_no_secret(vault: Vault) -> None:
    for words in vault.commands:
        result = vault.run('--debug', *words)
        vault.check(result)
        # keystoneauth shows the requests, or nothing would be tested.
        assert 'REQ: curl' in result.stderr
    assert vault.journal.read_text().count('"accepted"') >= 7


@pytest.mark.parametrize(
    'fault',
    [
        Fault('status', 'GET', SERVICES, status=401, times=None),
        Fault('status', 'DELETE', SERVICES, status=401, times=None),
        Fault('status', '*', SERVICES, status=403, times=None),
        Fault('status', 'DELETE', SERVICES, status=500, times=None),
        Fault(
            'status',
            '*',
            SERVICES,
            status=307,
            headers={'Location': 'http://127.0.0.1:9/elsewhere'},
            times=None,
        ),
        Fault('reset-before', 'DELETE', SERVICES, times=None),
        Fault('status', 'POST', SERVICES, status=500, times=None),
    ],
    ids=['401', '401 to DELETE', '403', '500', 'redirect', 'reset', 'POST'],
)
def test_failures_show_no_secret(vault: Vault, fault: Fault) -> None:
    vault.sandbox.knobs.faults.append(fault)
    for words in vault.met_by(fault.method):
        vault.check(vault.run('--debug', *words))


def test_an_unreachable_service_shows_no_secret(vault: Vault) -> None:
    dead = Sandbox().start()
    dead.stop()
    for words in vault.commands:
        vault.check(
            vault.run(
                '--debug',
                *words,
                vbs_endpoint_override=dead.url,
                csbs_endpoint_override=dead.url,
            )
        )


@pytest.mark.parametrize('where', ['environment', 'option'])
@pytest.mark.parametrize('right', [True, False], ids=['right', 'wrong'])
def test_a_password_from_elsewhere_is_not_shown(
    vault: Vault, where: str, right: bool
) -> None:
    password = PASSWORD if right else f'not-{PASSWORD}'
    options = [f'--os-password={password}'] if where == 'option' else []
    result = vault.openstack.run(
        '-v',
        *options,
        'vbs',
        'backup',
        'delete',
        'nightly',
        f'--journal={vault.journal}',
        env={'OS_PASSWORD': password} if where == 'environment' else {},
        config={'auth': vault.login()},
    )
    assert result.code == (0 if right else 1)
    assert PASSWORD not in result.stdout + result.stderr
    assert not right or PASSWORD not in vault.journal.read_text()


def give_out(monkeypatch: pytest.MonkeyPatch) -> str:
    """The only token that there is from now on."""
    token = 'a1b2' * 8
    monkeypatch.setattr(
        keystone, 'Token', lambda id, *facts: Token(token, *facts)
    )
    return token


@pytest.mark.parametrize('status', [307, 401, 409])
@pytest.mark.parametrize('method', ['GET', 'DELETE', 'POST'])
def test_what_a_service_repeats_of_the_token_is_not_shown(
    vault: Vault, monkeypatch: pytest.MonkeyPatch, method: str, status: int
) -> None:
    token = give_out(monkeypatch)
    error = {'code': token, 'message': f'the token {token} is bad'}
    vault.sandbox.knobs.faults.append(
        Fault(
            'status',
            method,
            SERVICES,
            status=status,
            body=json.dumps({'error': error}),
            headers={
                'x-compute-request-id': f'req-{token}',
                'Location': f'http://{token}.example/{token}',
            },
            times=None,
        )
    )
    for words in vault.met_by(method):
        vault.check(vault.run('-v', *words))
    assert list(vault.sandbox.state.tokens) == [token]


def test_a_request_id_that_is_the_token_is_not_shown(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = give_out(monkeypatch)
    monkeypatch.setattr('uuid.uuid4', lambda: token)
    for words in vault.commands:
        vault.check(vault.run(*words))
    assert 'req-***' in vault.journal.read_text()
