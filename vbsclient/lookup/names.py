# SPDX-License-Identifier: Apache-2.0
"""What the user typed: what can name something, and what it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from vbsclient.api import errors
from vbsclient.api.http import is_uuid
from vbsclient.api.names import composed
from vbsclient.api.values import canonical_id
from vbsclient.bulk import Limits
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    Existence,
    LookupResult,
    is_gone,
    missing_if_gone,
)
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.wording import brief, counted, quote

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


ResourceT = TypeVar('ResourceT')
NamedT = TypeVar('NamedT', bound=Named)


def unique(arguments: Sequence[str]) -> list[str]:
    """The arguments in their one form, without repetitions, in order.

    Names are composed (NFC), and ids in lower case.
    """
    return list(dict.fromkeys(canonical_id(composed(a)) for a in arguments))


def check_name(argument: str, what: str) -> None:
    """Refuse an argument that cannot be a name of anything.

    :raises RefusedError: if it is empty or blank.
    :raises MissingError: if it is too long, or holds what no URL can carry.
    """
    if not argument.strip():
        raise RefusedError(f'an empty text names no {what}')
    if len(argument) > LONGEST_NAME:
        raise MissingError(
            f'No {what} found for {quote(argument)}: names have at most '
            f'{LONGEST_NAME} characters'
        )
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise MissingError(
            f'No {what} found: the name is not valid text'
        ) from None


def validate_names(
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
) -> LookupResult[NamedT]:
    """What each name or id stands for, or why for nothing.

    A few are asked for one by one; for many the list is read once.

    :param listed: the rows of the list with a name, or all (None).
    :param choose: the only one of those with a name, or the refusal.
    """
    found: LookupResult[NamedT] = {}
    asked, refusals = validate_names(arguments, what)
    many = len(asked) > MAX_SINGLE_GETS
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
    :raises MissingError: if none does.
    :raises RefusedError: if more than one does, with their ids.
    """
    if not found:
        raise MissingError(f'No {what} found for {quote(argument)}')
    if len(found) > 1:
        shown = '; '.join(describe(one) for one in found[:10])
        more = f'; and {len(found) - 10} more' if len(found) > 10 else ''
        raise RefusedError(
            f'{counted(len(found), what, several)} have the name '
            f'{quote(argument)}: {shown}{more}',
            'Name the one you mean by its id.',
        )
    return found[0]


def require_uuid(id: str) -> None:
    """Refuse what a list calls an id and no request could name.

    :raises InvalidId: if it has not the shape of a UUID.
    """
    if not is_uuid(id):
        raise errors.InvalidId(
            f'the service lists it with an id that is no UUID ({quote(id)})'
        )


def foreign(owner: str | None, label: str = 'it') -> RefusedError:
    """The refusal of what another project owns: nothing forces it.

    :param label: how the message speaks of it.
    """
    return RefusedError(
        f'{label} belongs to another project ({brief(owner)})',
        'Log in to that project to delete it.',
    )
