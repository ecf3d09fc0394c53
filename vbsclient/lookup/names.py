# SPDX-License-Identifier: Apache-2.0
"""What the user typed: what can name something, and what it names."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from vbsclient.api import errors
from vbsclient.api.errors import Hint
from vbsclient.api.http import Limits
from vbsclient.api.names import composed
from vbsclient.api.paths import is_uuid
from vbsclient.api.values import canonical_id
from vbsclient.lookup.existence import (
    MAX_SINGLE_GETS,
    Existence,
    LookupResult,
    is_gone,
    missing_if_gone,
)
from vbsclient.lookup.kinds import suppress_errors
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.wording import brief, quote

#: No service keeps longer names; a longer argument names nothing.
LONGEST_NAME = 255

NEAREST = 'Did you mean {name}?'

#: How like a name must be, of 1, to be taken for a misspelled one; longer
#: ones are not compared.
_LIKENESS = 0.8
_LONGEST_NEAR = 80


class Named(Protocol):
    """What a user may name."""

    @property
    def id(self) -> str: ...

    @property
    def name(self) -> str | None: ...

    @property
    def status(self) -> str: ...


T = TypeVar('T')
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
) -> tuple[list[str], LookupResult[Any]]:
    """(what can name something, the refusals of the rest)."""
    valid: list[str] = []
    refusals: LookupResult[Any] = {}
    for argument in arguments:
        try:
            check_name(argument, what)
            valid.append(argument)
        except errors.ClientError as refusal:
            refusals[argument] = refusal
    return valid, refusals


@dataclass(frozen=True)
class Kind:
    """How one kind of resource is found, and told from others.

    :ivar what: how messages call one.
    :ivar describe: one of several of a name, for a person who has to choose.
    :ivar ids: what of one may become a part of a URL.
    """

    what: str
    describe: Callable[[Any], str]
    ids: Callable[[Any], Sequence[str]] = lambda row: [row.id]

    def choose(self, matches: Sequence[T], name: str) -> T:
        """The only one of several that have a name.

        :raises MissingError: if there is none.
        :raises RefusedError: if there are more, with their ids.
        :raises InvalidId: if the service calls an id what is none.
        """
        if not matches:
            raise MissingError(f'No {self.what} found for {quote(name)}')
        if len(matches) > 1:
            shown = '; '.join(self.describe(one) for one in matches[:10])
            rest = len(matches) - 10
            more = f'; and {rest} more' if rest > 0 else ''
            raise RefusedError(
                f'More than one {self.what} exists with the name '
                f'{quote(name)}: {shown}{more}',
                'Name the one you mean by its ID.',
            )
        for id in self.ids(matches[0]):
            require_uuid(id)
        return matches[0]

    def find(
        self,
        arguments: Sequence[str],
        existence: Existence[NamedT],
        listed: Callable[[str | None], Iterable[NamedT]],
        owns: Callable[[NamedT], bool],
        limits: Limits,
        *,
        first_page: Callable[[], Iterable[NamedT]],
    ) -> LookupResult[NamedT]:
        """What each name or id stands for, or why for nothing.

        A few are asked for one by one; for many the list is read once.

        :param listed: the rows of the list with a name, or all (None).
        :param owns: whether a row may be found by its name.
        :param first_page: the first rows of the list, with one request.
        """
        valid, found = validate_names(arguments, self.what)
        many = len(valid) > MAX_SINGLE_GETS
        wanted = set(valid)
        rows = [
            row
            for row in (listed(None) if many else ())
            if not is_gone(row.status)
            and (row.id in wanted or row.name in wanted)
        ]
        # A list that is read by offsets skips rows while others are deleted.
        answers = existence.of(
            [a for a in valid if is_uuid(a)], limits, rows=rows, unlisted=many
        )
        found |= missing_if_gone(answers, self.what)
        by_name: dict[str | None, list[NamedT]] = {}
        for row in rows:
            by_name.setdefault(row.name, []).append(row)
        names = [a for a in valid if not is_uuid(a)]
        for name in names:
            named = by_name.get(name, ()) if many else listed(name)
            matches = [row for row in named if row.name == name and owns(row)]
            try:
                found[name] = self.choose(matches, name)
            except errors.ClientError as refusal:
                found[name] = refusal
        suggest_names(
            found,
            names,
            lambda: [
                row.name
                for row in first_page()
                if row.name and owns(row) and not is_gone(row.status)
            ],
        )
        return found


def suggest_names(
    found: LookupResult[Any],
    names: Iterable[str],
    known: Callable[[], Collection[str]],
) -> None:
    """Add the nearest name to the errors of those that were not found.

    Only a hint, and only for a few: nothing is ever resolved by it.

    :param known: the names that there are; asked for once, if at all.
    """
    missing = [name for name in names if isinstance(found[name], MissingError)]
    if not missing or len(missing) > MAX_SINGLE_GETS:
        return
    by_folded = {
        name.casefold(): name
        for name in suppress_errors(known) or ()
        # The comparison of long names takes long.
        if len(name) <= _LONGEST_NEAR
    }
    for name in missing:
        for near in difflib.get_close_matches(
            name.casefold(), by_folded, n=1, cutoff=_LIKENESS
        ):
            hint = Hint(NEAREST, name=quote(by_folded[near]))
            found[name] = MissingError(str(found[name]), hint)


def only(found: LookupResult[T]) -> T:
    """The resource of a look-up for a single name or id.

    :raises ClientError: if there is none.
    """
    [answer] = found.values()
    if isinstance(answer, errors.ClientError):
        raise answer
    return answer


def require_uuid(id: str) -> None:
    """Refuse what a list calls an id and no request could name.

    :raises InvalidId: if it has not the shape of a UUID.
    """
    if not is_uuid(id):
        raise errors.InvalidId(
            f'the service lists it with an ID that is not a UUID ({quote(id)})'
        )


def foreign(
    owner: str | None, label: str = 'it', verb: str = 'delete'
) -> RefusedError:
    """The refusal of what another project owns: nothing forces it.

    :param label: how the message speaks of it.
    :param verb: what was to be done with it.
    """
    return RefusedError(
        f'{label} belongs to another project ({brief(owner)})',
        f'Log in to that project to {verb} it.',
    )
