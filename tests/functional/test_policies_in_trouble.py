# SPDX-License-Identifier: Apache-2.0
"""Hostile arguments and answers change no policy that is not meant."""

import re

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.policy_wire import policy_requests
from tests.functional.shell import Openstack
from tests.functional.test_hostile_arguments import HOSTILE, SOME, hostile
from tests.functional.wire import UNKNOWN
from tests.sandbox import Fault, Sandbox

#: The words, and the options, of each command.
COMMANDS = {
    'vbs backup policy set': ['--disable'],
    'vbs backup policy delete': ['--yes'],
    'csbs policy set': ['--disable'],
    'csbs policy delete': ['--yes'],
}


def add(c: Sandbox, command: str, name: str = 'nightly') -> str:
    """A policy; returns its id."""
    if command.startswith('csbs'):
        return c.state.add_plan(name).id
    return c.state.volume_policies.add(c.project_id, name).id


@pytest.mark.parametrize('text', HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize('command', COMMANDS)
def test_a_hostile_argument_changes_nothing(
    cloud: CloudFactory, openstack: Openstack, command: str, text: str
) -> None:
    c = cloud()
    id = add(c, command)
    words = [*command.split(), *COMMANDS[command], '--', hostile(text, id)]
    result = openstack.run(*words)
    assert result.code == 1, result
    assert 'Traceback' not in result.stderr
    assert not re.search('[\x00-\x09\x0b-\x1f\x7f]', result.stderr)
    assert policy_requests(c) == []


#: Where else a text may name a policy, or what it has: `{text}`, beside the
#: ids of a policy and of a volume or server.
PLACES = (
    'vbs backup policy add volume -- {text} {member}',
    'vbs backup policy add volume -- {policy} {text}',
    'vbs backup policy remove volume -- {text} {member}',
    'vbs backup policy remove volume -- {policy} {text}',
    'vbs backup policy execute -- {text}',
    'vbs backup policy create --at=2:00 --every=1d --keep-last=2 '
    '--volume={text} new',
    'vbs backup prune --keep-last=1 --yes --policy={text}',
    'csbs policy add server -- {text} {member}',
    'csbs policy add server -- {policy} {text}',
    'csbs policy remove server -- {text} {member}',
    'csbs policy remove server -- {policy} {text}',
    'csbs policy execute -- {text}',
    'csbs policy execute --server={text} {policy}',
    'csbs policy create --at=2:00 --every=1d --keep-last=2 '
    '--server={text} new',
)


@pytest.mark.parametrize('text', SOME.values(), ids=SOME)
@pytest.mark.parametrize('words', PLACES)
def test_nor_does_one_in_another_place(
    cloud: CloudFactory, openstack: Openstack, words: str, text: str
) -> None:
    c = cloud(catalog='vbs+volumev3')
    policy = add(c, words)
    member = (
        c.state.add_server('one', 1)
        if words.startswith('csbs')
        else c.state.add_volume('one')
    )
    # The place decides of what the text has an id in it.
    id = member.id if '{policy}' in words or ' new' in words else policy
    values = {
        'text': hostile(text, id),
        'policy': policy,
        'member': member.id,
    }
    result = openstack.run(*(word.format(**values) for word in words.split()))
    assert result.code in (1, 2), result
    assert 'Traceback' not in result.stderr
    assert not re.search('[\x00-\x09\x0b-\x1f\x7f]', result.stderr)
    assert policy_requests(c) == []


@pytest.mark.parametrize('command', COMMANDS)
def test_a_name_that_two_policies_have_is_refused(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    one, two = add(c, command), add(c, command)
    result = openstack(
        *(*command.split(), *COMMANDS[command], 'nightly'),
        complains=['More than one policy exists', '1 of 1 policies failed'],
    )
    assert one in result.stderr
    assert two in result.stderr
    # By its ID it can be named.
    openstack(*command.split(), *COMMANDS[command], one)
    [(changed, _)] = policy_requests(c)
    assert changed.endswith(one)


@pytest.mark.parametrize('command', COMMANDS)
def test_an_id_that_is_none_is_not_found(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    openstack(
        *(*command.split(), *COMMANDS[command], UNKNOWN),
        complains=[f"No policy found for '{UNKNOWN}'.", '1 of 1 policies'],
    )
    assert policy_requests(c) == []


def test_another_projects_policy_is_not_changed(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    other = c.state.add_project('other', member=False)
    plan = c.state.add_plan('theirs', project_id=other.id)
    for command in ('csbs policy set', 'csbs policy delete'):
        result = openstack.run(*command.split(), plan.id)
        assert result.code == 1
    assert policy_requests(c) == []


def test_what_a_service_sends_is_made_visible(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    plan = c.state.add_plan('x\x1b[2J', description='y\x07')
    words = ('csbs', 'policy', 'set', '--disable', '--dry-run')
    result = openstack(*words, plan.id)
    assert '\x1b' not in result.stdout + result.stderr
    assert '\x07' not in result.stdout + result.stderr


@pytest.mark.parametrize('command', COMMANDS)
def test_a_list_that_cannot_be_read_ends_it(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud()
    add(c, command)
    c.knobs.faults.append(Fault('body', 'GET', 'polic', body='{}', times=None))
    result = openstack.run(*command.split(), *COMMANDS[command], 'nightly')
    assert result.code == 1
    assert policy_requests(c) == []
