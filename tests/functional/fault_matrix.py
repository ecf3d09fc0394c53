# SPDX-License-Identifier: Apache-2.0
"""What each command does in each trouble: for the tests and for the page.

``test_fault_matrix.py`` holds the commands against these rows, and
``python -m tests.functional.fault_matrix`` writes them into the page of the
documentation, which a test compares as well.

Which consequence a trouble has is decided by code that all commands share
(``vbsclient.api.http`` and ``vbsclient.change.verify``): the first command of
each table meets every trouble.  What a command makes of a consequence may be
code of its own: each other command meets one trouble of each consequence (for
a GET there are two: it succeeds in the end or it does not), and those of
:attr:`Trouble.own`.  A cell of the page is one of those tests, or
follows from the two that share its row and its consequence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / 'doc/source/user/faults.rst'
BEGIN = '.. Written by "python -m tests.functional.fault_matrix": begin\n'
END = '.. Written by "python -m tests.functional.fault_matrix": end\n'

DELETES = (
    'vbs backup delete',
    'vbs share delete',
    'csbs checkpoint delete',
    'csbs checkpoint delete --item',
    'csbs backup delete',
)
CREATES = ('vbs backup create', 'csbs backup create', 'vbs share create')
RESTORES = ('vbs backup restore', 'csbs backup restore')
CHANGES = (*DELETES, *CREATES)
#: One for each verb that changes a policy.
POLICY_CHANGES = {
    'vbs backup policy create': 'POST',
    'csbs policy set': 'PUT',
    'vbs backup policy delete': 'DELETE',
}
WAITS = (
    'vbs backup delete',
    'csbs checkpoint delete',
    'csbs backup delete',
    'vbs backup create',
    'csbs backup create',
)
LISTS = ('vbs backup list', 'vbs share list', 'csbs checkpoint list')
READS = ('before a change', 'in a wait', 'in a list')

#: These delete one alone first, and look at what must stay.
CAREFUL = ('csbs checkpoint delete --item', 'csbs backup delete')

#: These are done when they are answered, and what their report says then.
AT_ONCE = {
    'vbs share delete': 'deleted',
    'vbs share create': 'shared',
    'vbs backup policy create': 'created',
    'csbs policy set': 'changed',
    'vbs backup policy delete': 'deleted',
}


@dataclass(frozen=True)
class Deleted:
    """What becomes of two targets if the DELETE of the first one is hit.

    :ivar said: the word of the report for the first one.
    :ivar code: the exit code.
    :ivar sent: how often its DELETE arrives.
    :ivar acted: whether it is deleted in fact.
    :ivar other: the word for the second one.
    :ivar doubtful: whether the first one may have been deleted after all.
    """

    said: str
    code: int
    sent: int
    acted: bool
    other: str = 'accepted'
    doubtful: bool = False

    def of(self, command: str) -> Deleted:
        """The same in the words of a command."""
        other = self.other
        doubtful = self.doubtful or self.said == 'unknown'
        if doubtful and command in CAREFUL:
            # The only one so far, and nobody saw what came of it.
            other = 'not sent'
        done = AT_ONCE.get(command, 'accepted')
        words = [w.replace('accepted', done) for w in (self.said, other)]
        return Deleted(words[0], self.code, self.sent, self.acted, words[1])

    def __str__(self) -> str:
        times = f'sent {self.sent} times, ' if self.sent > 1 else ''
        rest = '; the rest is not sent' if self.other == 'not sent' else ''
        return f'{times}{self.said}, {self.code}{rest}'


#: What the report says of an answer that reading has settled.
LOST = 'its answer was lost'
ODD = 'its answer was not the documented one'


@dataclass(frozen=True)
class Created:
    """What becomes of two targets if the POST for the first one is hit.

    The second one is created in any case. A restore has no second one.

    :ivar said: the word of the report for the first one.
    :ivar code: the exit code.
    :ivar sent: how often its POST arrives.
    :ivar acted: whether it is created, or overwritten, in fact: once.
    :ivar remark: what the report says of the answer, if anything.
    """

    said: str
    code: int
    sent: int
    acted: bool
    remark: str = ''

    def of(self, command: str) -> Created:
        """The same in the words of a command."""
        done = AT_ONCE.get(command, 'accepted')
        return replace(self, said=self.said.replace('accepted', done))

    def __str__(self) -> str:
        times = f'sent {self.sent} times, ' if self.sent > 1 else ''
        return f'{times}{self.said}, {self.code}'


@dataclass(frozen=True)
class Trouble:
    """One row: faults of the sandbox that have the same consequences.

    :ivar faults: keywords of a fault, for one run of each command each.
    :ivar deletion: if a DELETE is hit.
    :ivar creation: if a POST is hit that creates something.
    :ivar restore: if a POST is hit that overwrites something; None if that
        has the consequences of a creation.
    :ivar reads: whether reads succeed in the end.
    :ivar own: whether each command answers to it with code of its own.
    :ivar pauses: the first pause before a repetition: (shortest, longest).
    """

    title: str
    faults: Sequence[Mapping[str, Any]]
    deletion: Deleted
    creation: Created
    reads: bool
    pauses: tuple[float, float] | None = None
    own: bool = False
    restore: Created | None = None

    @property
    def overwriting(self) -> Created:
        """If a POST is hit that overwrites something."""
        return self.restore or self.creation

    def of_policy(self, command: str) -> Deleted | Created:
        """If the only change of a policy is hit."""
        method = POLICY_CHANGES[command]
        if method == 'DELETE':
            return replace(self.deletion.of(command), other='')
        # What was read for a PUT may be another thing after a pause.
        found = self.overwriting if method == 'PUT' else self.creation
        return found.of(command)


@dataclass(frozen=True)
class Crowd:
    """One row with many targets.

    :ivar knobs: of the sandbox.
    :ivar number: of targets.
    :ivar enough: refusals after which the run stops, if it does.
    :ivar logins: how often the run logs in.
    """

    title: str
    knobs: Mapping[str, Any]
    number: int
    enough: int | None = None
    logins: int = 1

    def of(self, command: str) -> str:
        """What becomes of all, in the words of a command."""
        if self.enough is not None:
            return f'{self.enough} failed, 1; the rest is not sent'
        done = AT_ONCE.get(command, 'accepted')
        return f'{self.number} {done}, 0'


def answer(*numbers: int, **more: Any) -> list[dict[str, Any]]:
    """The service answers with a status and does nothing."""
    return [
        {'action': 'status', 'status': number, **more} for number in numbers
    ]


def always(action: str, **more: Any) -> list[dict[str, Any]]:
    """It happens to each attempt."""
    return [{'action': action, 'times': None, **more}]


FINE = Deleted('accepted', 0, 1, acted=True)
AGAIN = Deleted('accepted', 0, 2, acted=True)
REFUSED = Deleted('failed', 1, 1, acted=False)
GIVEN_UP = Deleted('failed', 1, 5, acted=False)
UNKNOWN = Deleted('unknown', 1, 5, acted=False)

MADE = Created('accepted', 0, 1, acted=True)
MADE_AGAIN = Created('accepted', 0, 2, acted=True)
MADE_UNHEARD = Created('accepted', 0, 1, acted=True, remark=LOST)
MADE_ODDLY = Created('accepted', 0, 1, acted=True, remark=ODD)
NOT_MADE = Created('failed', 1, 1, acted=False)
NOBODY_KNOWS = Created('unknown', 1, 1, acted=False)

LARGE = 50_000_000
PORTAL = '<!doctype html><html><title>Please log in</title></html>'
OVER_LIMIT = '{"overLimitFault": {"code": 413, "message": "slowly"}}'
HTML = '<html><head><title>502 Bad Gateway</title></head></html>'

TROUBLES = (
    Trouble('nothing', answer(500, times=0), FINE, MADE, reads=True),
    Trouble(
        'the connection is reset before the service acts, once',
        [{'action': 'reset-before'}],
        AGAIN,
        NOBODY_KNOWS,
        reads=True,
    ),
    Trouble(
        'the same each time',
        always('reset-before'),
        UNKNOWN,
        NOBODY_KNOWS,
        reads=False,
    ),
    Trouble(
        'the connection is reset after the service has acted, once',
        [{'action': 'reset-after'}],
        AGAIN,
        MADE_UNHEARD,
        reads=True,
    ),
    Trouble(
        'the same each time',
        always('reset-after'),
        Deleted('accepted', 0, 5, acted=True),
        MADE_UNHEARD,
        reads=False,
    ),
    Trouble(
        'the answer breaks off, once',
        [{'action': 'break-off'}],
        AGAIN,
        MADE_UNHEARD,
        reads=True,
    ),
    Trouble(
        'the same each time',
        always('break-off'),
        Deleted('accepted', 0, 5, acted=True),
        MADE_UNHEARD,
        reads=False,
    ),
    Trouble(
        'no answer in time, once',
        [{'action': 'hang'}],
        AGAIN,
        NOBODY_KNOWS,
        reads=True,
    ),
    Trouble(
        'the same each time',
        always('hang'),
        UNKNOWN,
        NOBODY_KNOWS,
        reads=False,
    ),
    Trouble(
        '401, once',
        answer(401),
        AGAIN,
        MADE_AGAIN,
        reads=True,
        restore=NOT_MADE,
    ),
    Trouble(
        '401 to each token',
        answer(401, times=None),
        Deleted('failed', 1, 2, acted=False),
        Created('failed', 1, 2, acted=False),
        reads=False,
        restore=NOT_MADE,
    ),
    Trouble(
        '400, 403, 405, 406, 407, 409',
        answer(400, 403, 405, 406, 407, 409, times=None),
        REFUSED,
        NOT_MADE,
        reads=False,
    ),
    Trouble(
        '500, 501',
        answer(500, 501, times=None),
        REFUSED,
        NOBODY_KNOWS,
        reads=False,
    ),
    Trouble(
        '404, although it is there',
        answer(404, times=None),
        REFUSED,
        NOT_MADE,
        reads=False,
        own=True,
    ),
    Trouble(
        '408, 502, 503, 504',
        answer(408, 502, 503, 504, times=None),
        GIVEN_UP,
        NOBODY_KNOWS,
        reads=False,
    ),
    Trouble(
        '502 with an HTML page',
        answer(502, times=None, body=HTML),
        GIVEN_UP,
        NOBODY_KNOWS,
        reads=False,
    ),
    Trouble(
        '503, four times',
        answer(503, times=4),
        Deleted('accepted', 0, 5, acted=True),
        NOBODY_KNOWS,
        reads=True,
    ),
    Trouble(
        '503, but the service has acted',
        answer(503, acts=True),
        AGAIN,
        MADE_UNHEARD,
        reads=True,
        own=True,
    ),
    Trouble(
        '429 without Retry-After, three times',
        answer(429, times=3),
        Deleted('accepted', 0, 4, acted=True),
        Created('accepted', 0, 4, acted=True),
        reads=True,
        restore=NOT_MADE,
        pauses=(0.0, 0.5),
    ),
    Trouble(
        '429 with Retry-After in seconds',
        answer(429, headers={'Retry-After': '7'}),
        AGAIN,
        MADE_AGAIN,
        reads=True,
        restore=NOT_MADE,
        pauses=(7.0, 7.0),
    ),
    Trouble(
        '429 with Retry-After as a date',
        answer(429, headers={'Retry-After': 'Fri, 31 Dec 2100 23:59:59 GMT'}),
        AGAIN,
        MADE_AGAIN,
        reads=True,
        restore=NOT_MADE,
        pauses=(60.0, 60.0),
    ),
    Trouble(
        '429 each time',
        answer(429, times=None),
        Deleted('failed', 1, 12, acted=False),
        Created('failed', 1, 12, acted=False),
        reads=False,
        restore=NOT_MADE,
    ),
    Trouble(
        '413 with Retry-After, twice',
        answer(413, headers={'Retry-After': '7'}, times=2),
        Deleted('accepted', 0, 3, acted=True),
        Created('accepted', 0, 3, acted=True),
        reads=True,
        restore=NOT_MADE,
        pauses=(7.0, 7.0),
    ),
    Trouble(
        '413 with the fault of a rate limiter, twice',
        answer(413, body=OVER_LIMIT, times=2),
        Deleted('accepted', 0, 3, acted=True),
        Created('accepted', 0, 3, acted=True),
        reads=True,
        restore=NOT_MADE,
        pauses=(0.0, 0.5),
    ),
    Trouble(
        '503 with Retry-After each time',
        answer(503, headers={'Retry-After': '7'}, times=None),
        Deleted('failed', 1, 12, acted=False),
        NOBODY_KNOWS,
        reads=False,
        pauses=(7.0, 7.0),
    ),
    Trouble(
        '499, 520, 524',
        answer(499, 520, 524, times=None),
        REFUSED,
        NOBODY_KNOWS,
        reads=False,
    ),
    Trouble(
        '200 with an HTML page, and nothing is done',
        answer(200, body=PORTAL, times=None),
        Deleted('failed', 1, 1, acted=False, doubtful=True),
        NOBODY_KNOWS,
        reads=False,
    ),
    Trouble(
        'a success with an HTML page',
        always('body', body=PORTAL),
        FINE,
        MADE_ODDLY,
        reads=False,
        own=True,
    ),
    Trouble(
        'a success with half of the JSON, with none, or with another type',
        [
            *always('truncate'),
            *always('body', body=''),
            *always('body', body='[1, 2]'),
            *always('body', body='null'),
        ],
        FINE,
        MADE_ODDLY,
        reads=False,
    ),
    Trouble(
        'a success with 50 MB of nonsense',
        always('body', body=b'{"backups": [' + b'x' * LARGE),
        FINE,
        MADE_UNHEARD,
        reads=False,
    ),
    Trouble(
        '500 with a message of 5 MB',
        answer(500, times=None, body=b'x' * (LARGE // 10)),
        REFUSED,
        NOBODY_KNOWS,
        reads=False,
    ),
    Trouble(
        '300, 301, 302, 307, 308 to another host',
        answer(
            *(300, 301, 302, 307, 308),
            times=None,
            headers={'Location': '{elsewhere}/vbs/v2/x/backups/y'},
        ),
        REFUSED,
        NOT_MADE,
        reads=False,
    ),
    Trouble(
        '303 to another host',
        answer(
            303,
            times=None,
            headers={'Location': '{elsewhere}/vbs/v2/x/backups/y'},
        ),
        REFUSED,
        NOBODY_KNOWS,
        reads=False,
    ),
)


def sample(consequence: str) -> list[Trouble]:
    """The first trouble of each consequence, and those of ``own``.

    :param consequence: the attribute that has it.
    """
    found: dict[Any, Trouble] = {}
    for row in TROUBLES:
        found.setdefault(getattr(row, consequence), row)
    return [row for row in TROUBLES if row.own or row in found.values()]


CROWDS = (
    Crowd(
        '401 in the middle of 200, ten at a time: one new login',
        {'token_uses': 150},
        200,
        logins=2,
    ),
    Crowd(
        '429 to more than two at a time',
        {'max_concurrent': 2, 'latency': 0.002},
        30,
    ),
    Crowd(
        'the same 403 to all of 20, ten at a time',
        {'read_only_role': True},
        20,
        enough=3,
    ),
)

#: Nobody listens any more when the first DELETE comes.
GONE = {
    command: Deleted(
        'failed',
        1,
        0,
        acted=False,
        # The second one is of a checkpoint that cannot be read any more.
        other='not sent' if command == 'csbs backup delete' else 'failed',
    )
    for command in DELETES
}

#: Nobody listens any more when the first POST comes that changes something.
NEVER_MADE = Created('failed', 1, 0, acted=False)

#: What keeps a command from saying anything to the service.
UNREACHABLE = (
    'the connection is refused',
    'nobody answers the attempt to connect',
    'the certificate does not verify',
    'the URL in the catalog is none',
)


# -- the page --------------------------------------------------------------


def deletion_rows() -> list[tuple[str, ...]]:
    """The title of each row and a cell for each command."""
    rows = [
        (row.title, *(str(row.deletion.of(c)) for c in DELETES))
        for row in TROUBLES
    ]
    rows.insert(1, (UNREACHABLE[0], *(str(GONE[c]) for c in DELETES)))
    rows += [
        (crowd.title, *(crowd.of(c) for c in DELETES)) for crowd in CROWDS
    ]
    return rows


def creation_rows() -> list[tuple[str, ...]]:
    """The title of each row and a cell for each command."""
    rows = [
        (row.title, *(str(row.creation.of(c)) for c in CREATES))
        for row in TROUBLES
    ]
    rows.insert(1, (UNREACHABLE[0], *(str(NEVER_MADE) for _ in CREATES)))
    rows += [
        (crowd.title, *(crowd.of(c) for c in CREATES)) for crowd in CROWDS
    ]
    return rows


def restore_rows() -> list[tuple[str, ...]]:
    """The title of each row and a cell for each command."""
    rows = [
        (row.title, *(str(row.overwriting.of(c)) for c in RESTORES))
        for row in TROUBLES
    ]
    rows.insert(1, (UNREACHABLE[0], *(str(NEVER_MADE) for _ in RESTORES)))
    return rows


def policy_rows() -> list[tuple[str, ...]]:
    """The title of each row and a cell for each command."""
    return [
        (row.title, *(str(row.of_policy(c)) for c in POLICY_CHANGES))
        for row in TROUBLES
    ]


def read_rows() -> Sequence[tuple[str, ...]]:
    """The title of each row and a cell for each of :data:`READS`."""
    rows = [
        (title, 'nothing sent, 1', look, 'no list, 1')
        for title, look in zip(
            UNREACHABLE, ('goes on', '', '', ''), strict=True
        )
    ]
    return rows + [_reads(row) for row in TROUBLES]


def tables() -> str:
    """All tables, as the page has them."""
    return '\n'.join(
        [
            'While deleting',
            '==============',
            '',
            *_image('faults-deleting'),
            *_table(('The DELETE meets', *DELETES), deletion_rows(), (25, 15)),
            '',
            'While creating',
            '==============',
            '',
            *_table(('The POST meets', *CREATES), creation_rows(), (40, 20)),
            '',
            'While restoring',
            '===============',
            '',
            *_table(('The POST meets', *RESTORES), restore_rows(), (40, 20)),
            '',
            'While changing policies',
            '=======================',
            '',
            *_table(
                ('The request meets', *POLICY_CHANGES),
                policy_rows(),
                (40, 20),
            ),
            '',
            'While reading',
            '=============',
            '',
            *_image('faults-reading'),
            *_table(('A GET meets', *READS), read_rows(), (40, 20)),
            '',
        ]
    )


def _reads(row: Trouble) -> tuple[str, str, str, str]:
    if row.reads:
        return row.title, 'goes on', 'goes on', 'complete, 0'
    return row.title, 'nothing sent, 1', 'goes on', 'no list, 1'


def _image(name: str) -> Iterator[str]:
    yield f'.. image:: ../pictures/{name}.svg'
    yield '   :alt: The table below as a matrix, with a symbol for each cell.'
    yield ''


def _table(
    titles: Sequence[str],
    rows: Sequence[Sequence[str]],
    widths: tuple[int, int],
) -> Iterator[str]:
    yield '.. list-table::'
    yield '   :header-rows: 1'
    shares = [widths[0]] + [widths[1]] * (len(titles) - 1)
    yield f'   :widths: {" ".join(map(str, shares))}'
    yield ''
    for row in (titles, *rows):
        for place, cell in enumerate(row):
            yield f'   {"-" if place else "*"} - {cell}'.replace(
                '   - -', '     -'
            ).rstrip()


def page(text: str) -> str:
    """The page with the tables of today."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f'{before}{BEGIN}\n{tables()}\n{END}{after}'


if __name__ == '__main__':
    PAGE.write_text(page(PAGE.read_text()))
