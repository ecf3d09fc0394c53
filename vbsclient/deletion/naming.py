# SPDX-License-Identifier: Apache-2.0
"""What the user typed: what can name something, and what it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from vbsclient.api import errors
from vbsclient.api.http import is_uuid
from vbsclient.api.names import composed
from vbsclient.api.values import canonical_id
from vbsclient.deletion.judgement import (
    Existence,
    Findings,
    is_gone,
    missing_if_gone,
)
from vbsclient.deletion.targets import (
    FEW,
    Limits,
    Missing,
    Refused,
    ResourceT,
    Target,
)
from vbsclient.deletion.wording import brief, counted, quote

#: No service keeps longer names; a longer argument names nothing.
LONGEST_NAME = 255


class Named(Protocol):
    """What a user may name."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str | None: ...

    @property
    def status(self) -> str: ...


NamedT = TypeVar('NamedT', bound=Named)


def unique(arguments: Sequence[str]) -> list[str]:
    """The arguments in their one form, without repetitions, in order.

    Names are composed (NFC), and ids in lower case.
    """
    return list(dict.fromkeys(canonical_id(composed(a)) for a in arguments))


def check_name(argument: str, what: str) -> None:
    """Refuse an argument that cannot be a name of anything.

    :raises Refused: if it is empty or blank.
    :raises Missing: if it is too long, or holds what no URL can carry.
    """
    if not argument.strip():
        raise Refused(f'an empty text names no {what}')
    if len(argument) > LONGEST_NAME:
        raise Missing(
            f'No {what} found for {quote(argument)}: names have at most '
            f'{LONGEST_NAME} characters'
        )
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise Missing(f'No {what} found: the name is not valid text') from None


def sift_names(
    arguments: Sequence[str], what: str
) -> tuple[list[str], dict[str, errors.ClientError]]:
    """(what can name something, the refusals of the rest)."""
    asked: list[str] = []
    refusals: dict[str, errors.ClientError] = {}
    for argument in arguments:
        try:
            check_name(argument, what)
            asked.append(argument)
        except errors.ClientError as refusal:
            refusals[argument] = refusal
    return asked, refusals


def find_named(
    arguments: Sequence[str],
    what: str,
    existence: Existence[NamedT],
    listed: Callable[[str | None], Iterable[NamedT]],
    choose: Callable[[Sequence[NamedT], str], NamedT | errors.ClientError],
    limits: Limits,
) -> Findings[NamedT]:
    """What each name or id stands for, or why for nothing.

    A few are asked for one by one; for many the list is read once.

    :param listed: the rows of the list with a name, or all (None).
    :param choose: the only one of those with a name, or the refusal.
    """
    found: Findings[NamedT] = {}
    asked, refusals = sift_names(arguments, what)
    many = len(asked) > FEW
    wanted = set(asked) if many else set()
    by_id: dict[str, NamedT] = {}
    by_name: dict[str | None, list[NamedT]] = {}
    for row in listed(None) if many else ():
        if is_gone(row.status):
            continue
        if row.id in wanted and is_uuid(row.id):
            by_id[row.id] = row
        if row.name in wanted:
            by_name.setdefault(row.name, []).append(row)
    # An offset walk skips rows while others vanish: ask for the absent.
    absent = [a for a in asked if is_uuid(a) and a not in by_id]
    answers = existence.of(absent, limits, unlisted=many)
    found |= refusals | by_id | missing_if_gone(answers, what)
    for name in (a for a in asked if not is_uuid(a)):
        rows = by_name.get(name, ()) if many else listed(name)
        found[name] = choose([row for row in rows if row.name == name], name)
    return found


def choose_by_name(
    found: Sequence[ResourceT],
    argument: str,
    what: str,
    describe: Callable[[ResourceT], str],
    *,
    several: str | None = None,
) -> ResourceT:
    """The only one of several that bear a name.

    :param several: the plural of ``what``, where an s does not make it.
    :raises Missing: if none does.
    :raises Refused: if more than one does, with their ids.
    """
    if not found:
        raise Missing(f'No {what} found for {quote(argument)}')
    if len(found) > 1:
        shown = '; '.join(describe(one) for one in found[:10])
        more = f'; and {len(found) - 10} more' if len(found) > 10 else ''
        raise Refused(
            f'{counted(len(found), what, several)} have the name '
            f'{quote(argument)}: {shown}{more}',
            'Name the one you mean by its id.',
        )
    return found[0]


def demand_id(id: str) -> None:
    """Refuse what a list calls an id and no request could name.

    :raises InvalidId: if it has not the shape of a UUID.
    """
    if not is_uuid(id):
        raise errors.InvalidId(
            f'the service lists it with an id that is no UUID ({quote(id)})'
        )


def foreign(owner: str | None, label: str = 'it') -> Refused:
    """The refusal of what another project owns: nothing forces it.

    :param label: how the message speaks of it.
    """
    return Refused(
        f'{label} belongs to another project ({brief(owner)})',
        'Log in to that project to delete it.',
    )


def merge(
    targets: Sequence[Target[ResourceT]],
) -> list[Target[ResourceT]]:
    """Drop targets that a former one names already by the same id."""
    seen: set[str] = set()
    kept = []
    for target in targets:
        if target.id is not None and target.refusal is None:
            if target.id in seen:
                continue
            seen.add(target.id)
        kept.append(target)
    return kept


def recognise(
    targets: Sequence[Target[ResourceT]],
    other_kind: Callable[[str], str | None],
) -> None:
    """Name the right command where an id is one of another kind.

    Only for a few: each costs requests, and a long list of wrong ids has
    one cause.

    :param other_kind: the advice for an id, or None.
    """
    asked = 0
    for target in targets:
        if (
            isinstance(target.refusal, Missing)
            and target.refusal.hint is None
            and is_uuid(target.argument)
            and asked < FEW
        ):
            asked += 1
            target.refusal.hint = other_kind(target.argument)
