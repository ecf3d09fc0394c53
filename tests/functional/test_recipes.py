# SPDX-License-Identifier: Apache-2.0
"""Playbooks, pipelines, cron entries and units of the how-tos do their work.

What would run them is not here: a test takes the commands out of them and
judges the result as Ansible, GitLab, GitHub, cron and systemd do.
"""

import configparser
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.functional.pages import Walk, blocks_of
from tests.functional.shell import Result

HOWTO = Path(__file__).parents[2] / 'doc/source/user/howto'

CHANGED, OK, FAILED = 'changed', 'ok', 'failed'


@pytest.fixture
def walk(tmp_path: Path) -> Iterator[Walk]:
    with Walk(tmp_path) as walk:
        yield walk


def recipes(page: str, language: str) -> dict[str, str]:
    """{file: text} of the blocks that say which file they are."""
    found = {}
    for block in blocks_of(HOWTO / f'{page}.rst'):
        if block.language == language:
            first, _, rest = block.text.partition('\n')
            found[Path(first.removeprefix('# ')).name] = rest
    return found


def shorter(text: str) -> str:
    """The rules keep less, so that some of a week of backups are deleted."""
    for rules in (
        '--keep-daily 7 --keep-weekly 5',
        "'--keep-daily', '7', '--keep-weekly', '5'",
    ):
        less = rules.replace('7', '5').replace('weekly', 'last')
        text = text.replace(rules, less)
    return text


# -- Ansible ---------------------------------------------------------------


def play(
    walk: Walk, playbook: str, *, check: bool = False, cloud: str = 'sandbox'
) -> str:
    """What Ansible says of the only task of a playbook."""
    native = pytest.importorskip('jinja2.nativetypes')
    environment = native.NativeEnvironment()
    environment.filters['from_json'] = json.loads

    def render(template: Any) -> Any:
        if not isinstance(template, str):
            return template
        return environment.from_string(template).render(names)

    (found,) = yaml.safe_load(playbook)
    (task,) = found['tasks']
    names: dict[str, Any] = {'ansible_check_mode': check, 'cloud': cloud}
    names |= found.get('vars', {}) | task.get('vars', {})
    # Without it, the task would be skipped in check mode.
    assert task['check_mode'] is False
    variables = {k: render(v) for k, v in found['environment'].items()}
    argv = render(task['ansible.builtin.command']['argv'])
    done = walk.script(shlex.join(argv), **variables)
    names[task['register']] = {
        'rc': done.code,
        'stdout': done.stdout.strip(),
        'stderr': done.stderr.strip(),
    }
    if render('{{ ' + str(task['failed_when']) + ' }}'):
        return FAILED
    changed = task['changed_when']
    if changed is not False:
        changed = render('{{ ' + changed + ' }}')
    assert isinstance(changed, bool)
    return CHANGED if changed else OK


@pytest.mark.parametrize(
    ('name', 'outcomes'),
    [
        ('delete-backups.yml', [CHANGED, CHANGED, OK, OK]),
        ('prune-backups.yml', [CHANGED, CHANGED, OK, OK]),
        ('stuck-backups.yml', [OK, OK, OK, OK]),
    ],
)
def test_a_playbook_says_what_changes(
    walk: Walk, name: str, outcomes: list[str]
) -> None:
    playbook = shorter(recipes('use-ansible', 'yaml')[name])
    assert [
        play(walk, playbook, check=check)
        for check in (True, False, True, False)
    ] == outcomes


def test_a_playbook_fails_where_a_deletion_does(walk: Walk) -> None:
    playbook = recipes('use-ansible', 'yaml')['delete-backups.yml']
    # It is shared.
    playbook = playbook.replace('db01-log-failed', 'web01-golden')
    assert play(walk, playbook, check=True) == FAILED
    assert play(walk, playbook) == FAILED


def test_a_playbook_fails_without_a_login(walk: Walk) -> None:
    playbook = recipes('use-ansible', 'yaml')['delete-backups.yml']
    assert play(walk, playbook, cloud='x') == FAILED


def test_a_playbook_reports_what_is_stuck(walk: Walk) -> None:
    walk.start(['--trouble'])
    playbook = recipes('use-ansible', 'yaml')['stuck-backups.yml']
    assert play(walk, playbook) == FAILED


# -- pipelines -------------------------------------------------------------


def test_the_pipeline_of_gitlab(walk: Walk, tmp_path: Path) -> None:
    pipeline = yaml.safe_load(
        shorter(recipes('use-ci-pipelines', 'yaml')['.gitlab-ci.yml'])
    )
    for name in ('check-backups', 'prune-backups'):
        job = pipeline[name]
        variables = pipeline['variables'] | job.get('variables', {})
        variables['OS_CLOUD'] = 'sandbox'

        done = walk.script('\n'.join(job['script']), **variables)

        assert (done.code, done.stdout) == (0, ''), done
        for path in job['artifacts']['paths']:
            assert (tmp_path / path).exists(), path
    assert json.loads((tmp_path / 'plan.json').read_text())
    assert (tmp_path / 'deleted.jsonl').read_text()


def github(walk: Walk, home: Path, workflow: str) -> list[Result]:
    """Run the steps of a job until one fails."""
    clouds = walk.script('cat "$OS_CLIENT_CONFIG_FILE"').stdout
    (job,) = yaml.safe_load(shorter(workflow))['jobs'].values()
    settings = home / 'github-env'
    settings.touch()
    variables = {'RUNNER_TEMP': str(home), 'GITHUB_ENV': str(settings)}
    variables |= job['env'] | {'OS_CLOUD': 'sandbox'}
    results = []
    for step in job['steps']:
        if 'run' in step:
            own = {
                key: value.replace('${{ secrets.CLOUDS_YAML }}', clouds)
                for key, value in step.get('env', {}).items()
            }
            results.append(walk.script(step['run'], **(variables | own)))
            if results[-1].code:
                break
            lines = settings.read_text().splitlines()
            variables |= dict(line.split('=', 1) for line in lines)
    assert variables['OS_CLIENT_CONFIG_FILE'] == f'{home}/clouds.yaml'
    return results


def test_the_workflow_of_github(walk: Walk, tmp_path: Path) -> None:
    workflow = recipes('use-ci-pipelines', 'yaml')['backups.yml']
    assert github(walk, tmp_path, workflow) == [Result(0, '', '')] * 3
    assert (tmp_path / 'clouds.yaml').stat().st_mode & 0o077 == 0
    assert (tmp_path / 'stuck.csv').exists()
    assert (tmp_path / 'deleted.jsonl').read_text()


def test_the_workflow_of_github_warns_of_what_is_not_finished(
    walk: Walk, tmp_path: Path
) -> None:
    walk.start(['--deletion-time', '300'])
    workflow = recipes('use-ci-pipelines', 'yaml')['backups.yml']
    workflow = workflow.replace('--timeout 3h', '--timeout 1s')
    last = github(walk, tmp_path, workflow)[-1]
    assert last.code == 0
    assert last.stdout.startswith('::warning::')
    assert 'not deleted yet' in last.stderr


def test_the_workflow_of_github_fails_where_a_deletion_does(
    walk: Walk, tmp_path: Path
) -> None:
    workflow = recipes('use-ci-pipelines', 'yaml')['backups.yml']
    # A directory.
    workflow = workflow.replace('--journal deleted.jsonl', '--journal .')
    last = github(walk, tmp_path, workflow)[-1]
    assert last.code == 1
    assert 'journal' in last.stderr


# -- before an upgrade ------------------------------------------------------


@pytest.mark.parametrize(
    ('options', 'timeout', 'code', 'printed'),
    [
        ([], '2h', 0, 'upgraded\n'),
        (['--creation-time', '4'], '1s', 0, 'SUCCESS\n' * 3 + 'upgraded\n'),
        (['--creation', 'fails'], '2h', 1, ''),
    ],
    ids=['created', 'created after the wait', 'failed'],
)
def test_the_script_upgrades_with_a_backup_only(
    walk: Walk, options: list[str], timeout: str, code: int, printed: str
) -> None:
    walk.start(options)
    script = recipes('back-up-before-an-upgrade', 'sh')['upgrade-db01.sh']
    script = script.replace('mycloud', 'sandbox').replace('2h', timeout)
    done = walk.script(script.replace('./upgrade', 'echo upgraded'))
    assert (done.code, done.stdout) == (code, printed), done
    created = walk.script('openstack vbs backup list --name-contains db01-')
    assert created.stdout.count('db01-data-') == 1


# -- every night -----------------------------------------------------------


def at_home(text: str, home: Path) -> str:
    """With the directories and the cloud of the test."""
    for folder in ('/var/log/prune', '/var/log', '/run/lock'):
        text = text.replace(folder, str(home))
    return text.replace('mycloud', 'sandbox')


def test_the_entries_of_cron(walk: Walk, tmp_path: Path) -> None:
    lines = recipes('run-every-night', 'sh')['prune-backups'].splitlines()
    entries = [line for line in lines if line[:1].isdigit()]
    assert len(entries) == 2
    for entry in entries:
        *_, user, command = entry.split(None, 6)
        assert user == 'backup'
        assert '%' not in command  # cron makes a line break of it
        done = walk.script(at_home(shorter(command), tmp_path))
        assert (done.code, done.stderr) == (0, ''), done
        # The first entry has nothing to delete.
        assert ('Deleted: ' in done.stdout) == ('--all-volumes' in command)
    assert (tmp_path / 'deleted.jsonl').read_text()


def test_the_unit_of_systemd(walk: Walk, tmp_path: Path) -> None:
    units = {}
    for name, text in recipes('run-every-night', 'ini').items():
        units[name] = configparser.RawConfigParser()
        units[name].read_string(text)
    service = units['prune-backups.service']['Service']
    assert service['Environment'] == 'OS_CLOUD=mycloud'
    assert service['SuccessExitStatus'] == '3'
    assert 'OnCalendar' in units['prune-backups.timer']['Timer']
    done = walk.script(at_home(shorter(service['ExecStart']), tmp_path))
    assert done == Result(0, '', '')
    assert (tmp_path / 'deleted.jsonl').read_text()


def test_the_script_for_other_selections(walk: Walk, tmp_path: Path) -> None:
    script = recipes('run-every-night', 'sh')['sh']
    # Two copies are as old as that.
    script = at_home(script, tmp_path).replace('30d', '5d')
    count = 'openstack vbs backup list --name-contains copy --count'
    assert walk.script(count).stdout == '2\n'
    assert walk.script(script) == Result(0, '', '')
    assert walk.script(count).stdout == '0\n'
    assert len((tmp_path / 'old-copies.jsonl').read_text().splitlines()) == 4
