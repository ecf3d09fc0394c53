# SPDX-License-Identifier: Apache-2.0
"""``openstack vbs share delete``."""

import re
from collections.abc import Sequence
from typing import Any

import pytest

from tests.functional.conftest import CloudFactory
from tests.functional.shell import Openstack, Somebody, Terminal
from tests.functional.wire import (
    UNKNOWN,
    deletes,
    requests,
    share_delete,
)
from tests.sandbox import Fault, Sandbox
from tests.sandbox.model import Backup, Share

DELETE = ('vbs', 'share', 'delete')


def golden(sandbox: Sandbox, partners: int = 2, name: str = 'golden') -> Any:
    """A backup that is shared with so many projects: (backup, shares)."""
    state = sandbox.state
    backup = state.add_backup(name)
    shares = [
        state.add_share(backup, state.add_project(f'{name}-partner-{n}'))
        for n in range(partners)
    ]
    return backup, shares


# -- by the ids of shares --------------------------------------------------


def test_a_share_goes_by_its_id_and_the_flag_is_always_sent(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup, (wanted, other) = golden(c)
    assert openstack(*DELETE, wanted.id).stdout == ''
    assert deletes(c) == [share_delete(wanted.id, is_backup_id=False)]
    assert list(c.state.shares) == [other.id]
    assert backup.id in c.state.backups


def test_many_are_verified_by_list_pages(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud(max_page=6)
    _, shares = golden(c, 12)
    openstack(*DELETE, *(share.id for share in shares))
    assert sorted(deletes(c)) == sorted(
        share_delete(share.id, is_backup_id=False) for share in shares
    )
    reads = [text for text in requests(c)[1:] if 'DELETE' not in text]
    assert not [text for text in reads if '/detail?' not in text]


def test_ids_come_from_standard_input_too(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    _, shares = golden(c)
    text = '\n\n'.join(share.id for share in shares)
    openstack(*DELETE, '-', stdin=text)
    assert not c.state.shares
    openstack(*DELETE, '-', stdin='')


def test_a_share_has_no_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    golden(c)
    openstack(
        *DELETE,
        'golden',
        complains=[
            re.compile("'golden' is not the ID of a share.*--backup"),
            '1 of 1 shares failed to delete.',
        ],
    )
    assert deletes(c) == []


def test_an_unknown_share_fails_unless_it_is_ignored(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *DELETE,
        UNKNOWN,
        complains=[f"No share found for '{UNKNOWN}'.", '1 of 1 shares'],
    )
    openstack(*DELETE, UNKNOWN, '--ignore-missing')
    assert deletes(c) == []


def test_a_report_says_that_a_share_is_gone_and_with_whom_it_was(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    _, (share, _) = golden(c)
    (row,) = openstack(*DELETE, share.id, '-f', 'json').json()
    assert row['Type'] == 'share'
    assert row['ID'] == share.id
    assert row['Name'] == 'golden'
    assert row['Source'] == 'VBS'
    assert row['Result'] == 'deleted'
    assert share.to_project_id in row['Detail']
    assert row['Requested At'] <= row['Finished At']


def test_there_is_nothing_to_wait_for(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    openstack(
        *DELETE,
        UNKNOWN,
        '--wait',
        complains=[..., 'unrecognized arguments: --wait'],
        code=2,
    )
    assert requests(c) == []


def test_a_share_that_another_project_has_given_stays(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    partner = c.state.add_project('partner', member=False)
    theirs = c.state.add_backup(project_id=partner.id)
    share = c.state.add_share(theirs, c.state.project)
    openstack(
        *DELETE,
        share.id,
        complains=['belongs to another project', '1 of 1 shares'],
    )
    assert list(c.state.shares) == [share.id]


def test_a_404_of_a_share_that_stays_is_no_success(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    _, (share, _) = golden(c)
    c.knobs.faults.append(Fault('status', 'DELETE', status=404))
    openstack(*DELETE, share.id, complains=[share.id, '1 of 1 shares'])
    c.knobs.faults.append(Fault('status', 'DELETE', status=404, acts=True))
    openstack(*DELETE, share.id)
    assert share.id not in c.state.shares


# -- by backups ------------------------------------------------------------


@pytest.mark.parametrize('by', ['id', 'name'])
def test_all_shares_of_a_backup_go_by_one_delete_after_they_were_listed(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    c = cloud()
    backup, _ = golden(c, 3)
    _, (other,) = golden(c, 1, 'other')
    named = ('--backup', getattr(backup, by), '--yes')
    assert openstack(*DELETE, *named).stdout == ''
    assert deletes(c) == [share_delete(backup.id, is_backup_id=True)]
    assert list(c.state.shares) == [other.id]
    assert set(c.state.backups) == {backup.id, other.backup_id}
    listed = [
        n
        for n, text in enumerate(requests(c))
        if f'/detail?limit=1000&backup_id={backup.id}' in text
    ]
    assert listed
    assert listed[0] < requests(c).index(deletes(c)[0])


@pytest.mark.parametrize('count', [2, 6])
def test_several_backups_are_named_by_several_options(
    cloud: CloudFactory, openstack: Openstack, count: int
) -> None:
    c = cloud()
    backups = [golden(c, 2, f'golden-{n}')[0] for n in range(count)]
    openstack(*DELETE, *(f'--backup={b.name}' for b in backups), '--yes')
    assert sorted(deletes(c)) == sorted(
        share_delete(b.id, is_backup_id=True) for b in backups
    )
    assert not c.state.shares


def test_a_backup_that_is_named_twice_is_asked_once(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup, _ = golden(c)
    openstack(*DELETE, '--backup', 'golden', '--backup', backup.id, '--yes')
    assert deletes(c) == [share_delete(backup.id, is_backup_id=True)]


def listed(backup: Backup, shares: Sequence[Share]) -> list[str]:
    """How the question tells what goes."""
    return [
        f'Backup golden ({backup.id}) has:',
        *(
            f'  share {share.id} with project {share.to_project_id}'
            for share in reversed(shares)
        ),
    ]


@pytest.mark.parametrize(('answer', 'goes'), [('y', True), ('', False)])
def test_several_shares_of_a_backup_are_listed_and_asked_for(
    cloud: CloudFactory, openstack: Openstack, answer: str, goes: bool
) -> None:
    c = cloud()
    backup, shares = golden(c)
    question = (
        'Delete 2 shares of 1 backup in project demo of cloud sandbox? [y/N] '
    )
    openstack(
        *(*DELETE, '--backup=golden'),
        stdin=Terminal(f'{answer}\n'),
        complains=[
            *listed(backup, shares),
            re.compile(f'^{re.escape(question)}{"$" if goes else "Nothing "}'),
        ],
        code=0 if goes else 1,
    )
    expected = [share_delete(backup.id, is_backup_id=True)]
    assert deletes(c) == (expected if goes else [])


def test_what_is_shared_while_the_question_is_open_stops_it(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup, shares = golden(c)
    late = c.state.add_project('late')
    openstack(
        *(*DELETE, '--backup=golden'),
        stdin=Somebody('y', lambda: c.state.add_share(backup, late)),
        complains=[
            *listed(backup, shares),
            re.compile(
                f'has changed while the question was open .*{late.id}.*'
                f'Nothing was deleted'
            ),
        ],
    )
    assert deletes(c) == []


def test_the_question_is_about_each_backup_that_is_named(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup, shares = golden(c)
    single = c.state.add_backup('single')
    p, q = (c.state.add_project(name) for name in 'pq')
    share = c.state.add_share(single, p)

    def swap() -> None:
        c.state.remove_share(share)
        c.state.add_share(single, q)

    openstack(
        *(*DELETE, '--backup=golden', '--backup=single'),
        stdin=Somebody('y', swap),
        complains=[
            *listed(backup, shares),
            f'Backup single ({single.id}) has:',
            f'share {share.id} with project {p.id}',
            re.compile(
                'Delete 3 shares of 2 backups.*has changed while the question'
            ),
        ],
    )
    assert deletes(c) == []


def test_several_shares_without_a_terminal_are_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup, shares = golden(c)
    openstack(
        *(*DELETE, '--backup=golden'),
        complains=[*listed(backup, shares), 'as listed above: add --yes.'],
    )
    assert deletes(c) == []
    assert len(c.state.shares) == 2


@pytest.mark.parametrize('shares', [1, 2])
def test_what_is_named_one_by_one_is_not_asked_for(
    cloud: CloudFactory, openstack: Openstack, shares: int
) -> None:
    c = cloud()
    _, made = golden(c, shares)
    named = [s.id for s in made] if shares > 1 else ['--backup=golden']
    openstack(*DELETE, *named)
    assert not c.state.shares


@pytest.mark.parametrize('more', [0, 5])
def test_a_backup_that_is_not_shared_is_a_failure(
    cloud: CloudFactory, openstack: Openstack, more: int
) -> None:
    c = cloud()
    backup = c.state.add_backup('private')
    shared = [golden(c, 1, f'golden-{n}')[0].name for n in range(more)]
    openstack(
        *DELETE,
        '--backup=private',
        *(f'--backup={name}' for name in shared),
        complains=[
            f'Backup private ({backup.id}) is not shared.',
            f'1 of {1 + more} shares failed to delete.',
        ],
    )
    assert len(deletes(c)) == more
    openstack(*DELETE, '--backup=private', '--ignore-missing')


def test_an_unknown_backup_is_a_failure(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    for name in (UNKNOWN, 'absent'):
        openstack(
            *DELETE,
            '--backup',
            name,
            complains=[f'No backup found for {name!r}', '1 of 1 shares'],
        )
    assert deletes(c) == []


def test_an_ambiguous_name_is_refused(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    golden(c)
    golden(c)
    openstack(
        *DELETE,
        '--backup=golden',
        complains=[
            "More than one backup exists with the name 'golden'",
            '1 of 1 shares',
        ],
    )
    assert deletes(c) == []


def test_a_dry_run_shows_every_share_that_would_go(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    _, shares = golden(c)
    (row,) = openstack(
        *DELETE, '--backup=golden', '--dry-run', '-f', 'json'
    ).json()
    for share in shares:
        assert share.id in row['Detail']
        assert share.to_project_id in row['Detail']
    assert deletes(c) == []


# -- with one project ------------------------------------------------------


@pytest.mark.parametrize('by', ['id', 'name'])
def test_only_the_share_with_the_project_goes_by_its_own_id(
    cloud: CloudFactory, openstack: Openstack, by: str
) -> None:
    c = cloud(max_page=2)
    _, shares = golden(c, 5)
    wanted = shares[2]
    project = c.state.projects[wanted.to_project_id]
    openstack(
        *DELETE, '--backup=golden', '--target-project', getattr(project, by)
    )
    assert deletes(c) == [share_delete(wanted.id, is_backup_id=False)]
    assert set(c.state.shares) == {s.id for s in shares if s is not wanted}


def test_a_domain_distinguishes_projects_of_one_name(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup('golden')
    domains = [c.state.add_domain(name) for name in ('north', 'south')]
    shares = [
        c.state.add_share(backup, c.state.add_project('partner', domain.id))
        for domain in domains
    ]
    command = (*DELETE, '--backup=golden', '--target-project=partner')
    openstack(
        *command,
        complains=["More than one project exists with the name 'partner'"],
    )
    assert deletes(c) == []
    openstack(*command, '--target-project-domain=south')
    openstack(*command, f'--target-project-domain={domains[0].id}')
    assert deletes(c) == [
        share_delete(shares[1].id, is_backup_id=False),
        share_delete(shares[0].id, is_backup_id=False),
    ]


def test_32_hex_digits_are_a_project_without_asking_keystone(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup = c.state.add_backup('golden')
    project = c.state.add_project('foreign', member=False)
    share = c.state.add_share(backup, project)
    openstack(*DELETE, '--backup=golden', '--target-project', project.id)
    assert deletes(c) == [share_delete(share.id, is_backup_id=False)]
    assert not [r for r in c.requests if 'projects' in r.path]


def test_the_project_narrows_several_backups_too(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    partners = [c.state.add_project(f'partner-{n}') for n in range(2)]
    backups = [c.state.add_backup(f'golden-{n}') for n in range(5)]
    shares = [[c.state.add_share(b, p) for p in partners] for b in backups]
    openstack(
        *DELETE,
        *(f'--backup={b.id}' for b in backups),
        '--target-project=partner-1',
    )
    assert sorted(deletes(c)) == sorted(
        share_delete(two[1].id, is_backup_id=False) for two in shares
    )


def test_a_backup_that_is_not_shared_with_the_project_is_a_failure(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    golden(c)
    other = c.state.add_project('other')
    openstack(
        *DELETE,
        '--backup=golden',
        '--target-project=other',
        complains=[
            f'is not shared with project {other.id}',
            '1 of 1 shares',
        ],
    )
    assert deletes(c) == []


@pytest.mark.parametrize(
    ('options', 'reason'),
    [
        (['--target-project=absent'], "No project found for 'absent'."),
        (
            ['--target-project=partner', '--target-project-domain=absent'],
            "No domain found for 'absent'.",
        ),
    ],
)
def test_an_unknown_project_or_domain_stops_at_once(
    cloud: CloudFactory,
    openstack: Openstack,
    options: list[str],
    reason: str,
) -> None:
    c = cloud()
    golden(c)
    openstack(*DELETE, '--backup=golden', *options, complains=[reason])
    assert deletes(c) == []


def test_a_project_that_may_not_be_looked_up_asks_for_its_id(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    golden(c)
    c.knobs.faults.append(
        Fault('status', 'GET', 'v3/projects', status=403, times=None)
    )
    openstack(
        *DELETE,
        '--backup=golden',
        '--target-project=partner',
        complains=[re.compile("'partner' could not be looked up.*its ID")],
    )
    assert deletes(c) == []


# -- usage -----------------------------------------------------------------


@pytest.mark.parametrize(
    ('arguments', 'reason'),
    [
        ([], 'give either <share> or --backup <backup>'),
        ([UNKNOWN, '--backup=b'], 'give either <share> or --backup <backup>'),
        ([UNKNOWN, '--target-project=p'], 'goes with --backup'),
        (['--target-project=p'], 'give either'),
        (['--backup=b', '--target-project-domain=d'], 'goes with --target-pr'),
        (['--backup'], 'expected one argument'),
    ],
)
def test_a_wrong_command_line_asks_nothing(
    cloud: CloudFactory,
    openstack: Openstack,
    arguments: list[str],
    reason: str,
) -> None:
    c = cloud()
    openstack(*DELETE, *arguments, complains=[..., reason], code=2)
    assert requests(c) == []


# -- the wrong kind of id, the wrong kind of cloud -------------------------


def test_the_id_of_a_backup_is_answered_with_the_right_option(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    backup, _ = golden(c)
    openstack(
        *DELETE,
        backup.id,
        complains=[
            re.compile(f'openstack vbs share delete --backup {backup.id}'),
            '1 of 1',
        ],
    )
    assert deletes(c) == []


def test_the_id_of_a_share_is_answered_with_the_right_command(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    c = cloud()
    _, (share, _) = golden(c)
    told = [re.compile(f'openstack vbs share delete {share.id}'), '1 of 1']
    openstack(*DELETE, '--backup', share.id, complains=told)
    openstack('vbs', 'backup', 'delete', share.id, complains=told)
    assert deletes(c) == []


@pytest.mark.parametrize('catalog', ['volumev3', 'block-storage'])
@pytest.mark.parametrize('arguments', [[UNKNOWN], ['--backup=golden']])
def test_a_cloud_that_has_block_storage_alone_is_reported(
    cloud: CloudFactory,
    openstack: Openstack,
    catalog: str,
    arguments: list[str],
) -> None:
    c = cloud(catalog=catalog)
    c.state.add_backup('golden')
    openstack(
        *DELETE,
        *arguments,
        complains=[
            re.compile('no VBS, only block storage.*vbs_endpoint_override')
        ],
    )
    assert deletes(c) == []


@pytest.mark.parametrize(
    ('sharing', 'reason'),
    [
        ('absent', 'This cloud does not share backups'),
        ('forbidden', 'HTTP 403'),
    ],
)
def test_a_cloud_without_sharing_refuses(
    cloud: CloudFactory, openstack: Openstack, sharing: str, reason: str
) -> None:
    c = cloud(sharing=sharing)
    c.state.add_backup('golden')
    openstack(*DELETE, '--backup=golden', complains=[reason])
    assert deletes(c) == []


def test_a_cloud_without_sharing_is_not_what_ignore_missing_means(
    cloud: CloudFactory, openstack: Openstack
) -> None:
    cloud(sharing='absent')
    openstack(*DELETE, UNKNOWN, '--ignore-missing', complains=[...], code=1)
