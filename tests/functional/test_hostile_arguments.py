# SPDX-License-Identifier: Apache-2.0
"""Arguments that try to delete more than they name.

Every run is audited (see :mod:`tests.functional.wire`): nothing but a UUID
ever is the id in a path.

One rule holds for all commands, because one function makes a path out of an
id: ``vbs backup delete`` meets every text, alone and among others.  Each other
place for an id meets a few alone, and all of them in one run.
"""

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack
from tests.functional.wire import (
    UNKNOWN,
    checkpoint_delete,
    creations,
    deletes,
    vbs_delete,
)
from tests.sandbox import Sandbox
from vbsclient.api.paths import is_uuid

CREATES = {
    'vbs backup create': [],
    'vbs share create': [f'--target-project={"a" * 32}'],
    'csbs backup create': [],
}

COMMANDS = {
    'vbs backup delete': [],
    'vbs share delete': [],
    'vbs share delete --backup': [],
    'csbs backup delete': [],
    'csbs checkpoint delete': ['--yes'],
}

#: Written into the place of `{id}`: the id of something that must stay.
HOSTILE = {
    'empty': '',
    'blank': ' ',
    'blanks around an id': ' {id} ',
    'a dot': '.',
    'parent': '..',
    'a path': '../../x',
    'a path to an id': '../backups/{id}',
    'a slash': 'a/b',
    'an id and a slash': '{id}/',
    'a slash and an id': '/{id}',
    'a query': 'a?b=c',
    'an id and a query': '{id}?is_backup_id=true',
    'a fragment': '{id}#',
    'an encoded parent': '%2e%2e',
    'an id and an encoded slash': '{id}%2f',
    'an encoded null': '{id}%00',
    'a route': 'detail',
    'another route': 'count',
    'a newline': '\n',
    'an id and a newline': '{id}\n',
    'a header': '{id}\r\nX-Auth-Token: x',
    'two ids': '{id} {id}',
    'ids with a comma': '{id},{id}',
    'very long': 'x' * 10_000,
    'a very long id': '{id}' * 300,
    'no dashes': '{hex}',
    'braces': '{{{id}}}',
    'a urn': 'urn:uuid:{id}',
    'a digit of another script': '{arabic}',
    'fullwidth hyphens': '{wide}',
    'a zero-width blank': '{id}\u200b',
    'a byte order mark': '\ufeff{id}',
    'a lone surrogate': '\udce4',
    'an id and a surrogate': '{id}\udc80',
    'a pattern': '*',
    'another pattern': '%',
    'a format': '%(project_id)s%s{{0}}',
    'an option': '--yes',
    'null': 'null',
    'None': 'None',
    'a share filter': 'x&is_backup_id=true',
    'control characters': '\x1b[2J\x07',
}

#: One of each sort.
SOME = {
    name: HOSTILE[name]
    for name in (
        *('empty', 'parent', 'a path to an id', 'an id and a query'),
        *('an encoded parent', 'a route', 'an id and a newline', 'no dashes'),
        *('fullwidth hyphens', 'a lone surrogate'),
    )
}

some = pytest.mark.parametrize('text', SOME.values(), ids=SOME)


def hostile(text: str, id: str) -> str:
    digits = str.maketrans('0123456789', '٠١٢٣٤٥٦٧٨٩')
    return text.format(
        id=id,
        hex=id.replace('-', ''),
        arabic=id.translate(digits),
        wide=id.replace('-', '\uff0d'),
    )


def world(sandbox: Sandbox) -> dict[str, list[str]]:
    """For each command the id of what is named and of what must stay."""
    state = sandbox.state
    partner = state.add_project('partner', member=False)
    plain = [state.add_backup(f'plain-{n}') for n in range(2)]
    shared = [state.add_backup(f'shared-{n}') for n in range(2)]
    shares = [state.add_share(backup, partner) for backup in shared]
    runs = [state.add_checkpoint(2, f'run-{n}') for n in range(2)]
    return {
        'vbs backup create': [state.add_volume().id for _ in range(2)],
        'vbs share create': [b.id for b in plain],
        'csbs backup create': [state.add_server('s').id for _ in range(2)],
        'vbs backup delete': [b.id for b in plain],
        'vbs share delete': [s.id for s in shares],
        'vbs share delete --backup': [b.id for b in shared],
        'csbs backup delete': [run.items[0].id for run in runs],
        'csbs checkpoint delete': [run.id for run in runs],
    }


def everything(sandbox: Sandbox) -> set[str]:
    """The ids of all that could be lost."""
    state = sandbox.state
    return {*state.backups, *state.shares, *state.items}


def changes(sandbox: Sandbox) -> list[str]:
    """All that was sent to change something."""
    return [*deletes(sandbox), *map(str, creations(sandbox))]


#: More than a few are looked up in another way.
MANY = (UNKNOWN, *(f'{n}-{UNKNOWN[2:]}' for n in range(5)))


@pytest.mark.parametrize('text', HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize('others', [(), MANY], ids=['alone', 'among others'])
def test_a_hostile_argument_deletes_nothing(
    cloud: CloudFactory,
    openstack: Openstack,
    text: str,
    others: tuple[str, ...],
) -> None:
    check(cloud(), openstack, 'vbs backup delete', text, *others)


@some
@pytest.mark.parametrize('command', [*list(COMMANDS)[1:], *CREATES])
def test_nor_does_one_of_another_command(
    cloud: CloudFactory, openstack: Openstack, command: str, text: str
) -> None:
    check(cloud(catalog='vbs+volumev3'), openstack, command, text)


def check(
    c: Sandbox, openstack: Openstack, command: str, text: str, *others: str
) -> None:
    _, stays = world(c)[command]
    before = everything(c)
    arguments = [hostile(text, stays), *others]
    result = openstack.run(*_words(command, arguments))
    assert result.code == 1, result
    assert 'Traceback' not in result.stderr
    assert not re.search('[\x00-\x09\x0b-\x1f\x7f]', result.stderr)
    assert len(result.stderr) < 2000 * len(arguments)
    assert changes(c) == []
    assert everything(c) == before


@pytest.mark.parametrize('command', [*COMMANDS, *CREATES])
def test_hostile_arguments_do_not_keep_a_named_target_from_being_changed(
    cloud: CloudFactory, openstack: Openstack, command: str
) -> None:
    c = cloud(catalog='vbs+volumev3')
    goes, stays = world(c)[command]
    arguments = [hostile(text, stays) for text in HOSTILE.values()]
    arguments.insert(len(arguments) // 2, goes)
    result = openstack.run(*_words(command, arguments))
    assert result.code == 1, result
    assert len(changes(c)) == 1
    assert goes in changes(c)[0]
    assert not [text for text in changes(c) if stays in text]


def _words(command: str, arguments: list[str]) -> list[str]:
    options = [*COMMANDS.get(command, ()), *CREATES.get(command, ())]
    if command.endswith('--backup'):
        noun = command.removesuffix(' --backup').split()
        return [*noun, *options, *(f'--backup={a}' for a in arguments)]
    return [*command.split(), *options, '--', *arguments]


@some
def test_a_hostile_item_never_becomes_its_whole_checkpoint(
    cloud: CloudFactory, openstack: Openstack, text: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, 'run')
    item = hostile(text, run.items[0].id)
    result = openstack.run(
        'csbs', 'checkpoint', 'delete', f'--item={item}', '--yes', run.id
    )
    assert result.code == 1, result
    assert deletes(c) == []


def test_hostile_items_do_not_keep_a_named_one_from_going(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(3, 'run')
    goes, stays = run.items[0].id, run.items[1].id
    items = [hostile(text, stays) for text in HOSTILE.values()]
    items.insert(len(items) // 2, goes)
    result = openstack.run(
        *('csbs', 'checkpoint', 'delete', '--yes', run.id),
        *(f'--item={item}' for item in items),
    )
    assert result.code == 1, result
    assert deletes(c) == [checkpoint_delete(run.id, goes)]


@some
def test_a_hostile_checkpoint_of_an_item_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack, text: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint(2, 'run')
    item = run.items[0].id
    for extra in ([], [item]):
        result = openstack.run(
            'csbs',
            'checkpoint',
            'delete',
            f'--item={item}',
            '--',
            hostile(text, run.id),
            *extra,
        )
        assert result.code == (2 if extra else 1), result
    assert deletes(c) == []


@some
def test_a_hostile_provider_deletes_nothing(
    cloud: CloudFactory, openstack: Openstack, text: str
) -> None:
    c = cloud()
    run = c.state.add_checkpoint()
    result = openstack.run(
        'csbs',
        'checkpoint',
        'delete',
        run.id,
        f'--provider={hostile(text, run.id)}',
    )
    assert result.code in (1, 2), result
    assert deletes(c) == []


# Without dashes an id is that of a project, which is not asked for.
@pytest.mark.parametrize(
    'text', [text for text in SOME.values() if text != '{hex}']
)
def test_a_hostile_target_project_cancels_nothing(
    cloud: CloudFactory, openstack: Openstack, text: str
) -> None:
    c = cloud()
    backup = c.state.add_backup('golden')
    share = c.state.add_share(backup, c.state.add_project('partner'))
    for option in ('--target-project', '--target-project-domain'):
        result = openstack.run(
            'vbs',
            'share',
            'delete',
            '--backup=golden',
            *(['--target-project=partner'] if 'domain' in option else []),
            f'{option}={hostile(text, share.id)}',
        )
        assert result.code == 1, result
        assert 'Traceback' not in result.stderr
    assert deletes(c) == []


@pytest.mark.parametrize('by', ['id', 'name'])
def test_a_name_that_is_another_backups_id_deletes_that_other_one_only(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    c = cloud()
    victim = c.state.add_backup('victim')
    impostor = c.state.add_backup(name=victim.id)
    openstack('vbs', 'backup', 'delete', getattr(victim, by))
    assert deletes(c) == vbs_delete(victim.id)
    assert list(c.state.backups) == [impostor.id]


@pytest.mark.parametrize(
    'text',
    [
        *('..', 'detail', 'a/b', 'a?b=c', '%2e%2e', '&limit=1', 'a+b', 'a b'),
        *('#', 'ü', 'e\u0301', '\U0001f389', "it's", '"', '-', '--yes', '\n'),
    ],
)
def test_a_hostile_text_that_is_a_name_works_as_a_name(
    cloud: CloudFactory, openstack: Openstack, text: str
) -> None:
    c = cloud()
    named = c.state.add_backup(name=text)
    other = c.state.add_backup()
    result = openstack.run('vbs', 'backup', 'delete', '--', text)
    if text in ('-', '\n'):
        # Standard input, and what is blank, are never a name.
        assert deletes(c) == []
        return
    assert result.code == 0, result
    assert deletes(c) == vbs_delete(named.id)
    assert list(c.state.backups) == [other.id]


# -- arbitrary arguments ---------------------------------------------------

NAMES = ('nightly', 'twin', 'detail', '..', 'a/b', '*', 'ü', '٣')


def fill(sandbox: Sandbox) -> None:
    state = sandbox.state
    partner = state.add_project('partner', member=False)
    backups = [state.add_backup(name) for name in (*NAMES, 'twin')]
    backups.append(state.add_backup(name=backups[0].id))
    for backup in backups[:3]:
        state.add_share(backup, partner)
    for servers, name in ((1, 'one'), (3, 'three'), (2, 'twin')):
        state.add_checkpoint(servers, name)


def known_texts() -> list[str]:
    """Ids are the same in every sandbox."""
    sandbox = Sandbox()
    fill(sandbox)
    ids = [*everything(sandbox), *sandbox.state.checkpoints]
    return sorted([*ids, *NAMES, 'one', 'three'])


KNOWN = known_texts()

any_text = st.text(st.characters(exclude_categories=()), max_size=40)
uuid_like = st.from_regex(
    r'\s?[0-9a-fA-F]{8}-([0-9a-fA-F]{4}[-\u2010]){3}[0-9a-f]{11,13}\n?',
    fullmatch=True,
)
mangled = st.builds(
    lambda known, at, text: known[:at] + text + known[at:],
    st.sampled_from(KNOWN),
    st.integers(0, 40),
    st.text(st.characters(exclude_categories=()), max_size=3),
)
argument = st.one_of(
    st.sampled_from(KNOWN),
    st.sampled_from(KNOWN),
    any_text,
    uuid_like,
    mangled,
    st.sampled_from(KNOWN).map(str.upper),
)


def named_backups(sandbox: Sandbox, arguments: list[str]) -> set[str]:
    state = sandbox.state
    return _named(list(state.backups.values()), arguments)


def _named(things: list[Any], arguments: list[str]) -> set[str]:
    """What the arguments name: ids, and unambiguous names."""
    ids = {thing.id for thing in things}
    named = ids & set(arguments)
    for text in set(arguments) - ids:
        matches = [thing.id for thing in things if thing.name == text]
        if len(matches) == 1:
            named |= set(matches)
    return named


def allowed(
    sandbox: Sandbox, command: str, arguments: list[str], force: bool
) -> tuple[set[str], set[str]]:
    """(what may be lost, the ids that a DELETE may carry)."""
    state = sandbox.state
    if command == 'vbs backup delete':
        ids = named_backups(sandbox, arguments)
        # A backup takes its shares along.
        shares = {share.id for id in ids for share in state.shares_of(id)}
        return ids | (shares if force else set()), ids
    if command == 'vbs share delete':
        ids = set(state.shares) & set(arguments)
        return ids, ids
    if command == 'vbs share delete --backup':
        ids = named_backups(sandbox, arguments)
        lost = {share.id for id in ids for share in state.shares_of(id)}
        return lost, ids
    if command == 'csbs backup delete':
        ids = _named(list(state.items.values()), arguments)
        items = [state.items[id] for id in ids]
        runs = {item.checkpoint_id for item in items}
    else:
        runs = set(state.checkpoints) & set(arguments)
        items = [i for run in runs for i in state.checkpoints[run].items]
        ids = set()
    disks = {part.backup_id for item in items for part in item.parts}
    return {item.id for item in items} | disks, ids | runs


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    command=st.sampled_from(sorted(COMMANDS)),
    arguments=st.lists(argument, min_size=1, max_size=7),
    force=st.booleans(),
)
def test_only_what_is_named_is_ever_lost(
    command: str, arguments: list[str], force: bool
) -> None:
    with tempfile.TemporaryDirectory() as home, Sandbox() as sandbox:
        fill(sandbox)
        openstack = Openstack(Path(home))
        openstack.cloud = sandbox
        words = _words(command, arguments)
        if force and command == 'vbs backup delete':
            words.insert(3, '--force')
        before = everything(sandbox)
        meant = [a.lower() if is_uuid(a) else a for a in arguments]
        may_go, may_be_sent = allowed(sandbox, command, meant, force)
        result = openstack.run(*words)
        lost = before - everything(sandbox)
        assert lost <= may_go
        for text in deletes(sandbox):
            address, _, query = text.partition('?')
            assert address.rpartition('/')[2] in may_be_sent
            if query.startswith('checkpoint_items='):
                assert query.partition('=')[2] in may_be_sent
        assert len(set(deletes(sandbox))) == len(deletes(sandbox))
        assert result.code in (0, 1), result
        assert 'Traceback' not in result.stderr
        if result.code == 0:
            assert lost == may_go
