# SPDX-License-Identifier: Apache-2.0
"""Faults on purpose: which request is hit, and how."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.sandbox.wire import Answer

ACTIONS = (
    'status',
    'reset-before',
    'reset-after',
    'hang',
    'truncate',
    'break-off',
    'body',
    'leave',
)


@dataclass
class Fault:
    """One rule; a path that fits everything hits Keystone as well.

    status        answer `status` with `body`; carried out only if `acts`
    reset-before  the connection is aborted, nothing is carried out
    reset-after   carried out, then the connection is aborted
    hang          nothing is carried out, aborted after `seconds`
    truncate      carried out, half of the body is sent
    break-off     carried out, more is promised than is sent
    body          carried out, `body` is sent in place of the answer's
    leave         carried out and answered, then nobody listens any more
    """

    action: str
    method: str = '*'
    path: str = '.*'  # searched in the raw path with its query
    status: int = 500
    body: str | bytes = ''
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 60.0
    skip: int = 0
    times: int | None = 1
    probability: float = 1.0
    seed: int = 0
    acts: bool = False

    # How often the rule has matched and hit so far.
    seen: int = field(default=0, init=False)
    hits: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ValueError(f'{self.action!r} is none of {ACTIONS}')
        self._random = random.Random(self.seed)

    @property
    def carried_out(self) -> bool:
        """Whether the request takes effect all the same."""
        if self.action == 'status':
            return self.acts
        return self.action not in ('reset-before', 'hang')

    def strikes(self, method: str, target: str) -> bool:
        """Count a request and say whether it is hit."""
        if self.method not in ('*', method):
            return False
        if not re.search(self.path, target):
            return False
        self.seen += 1
        if self.seen <= self.skip:
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        if self.probability < 1 and self._random.random() >= self.probability:
            return False
        self.hits += 1
        return True


def failures(share: float, seed: int = 0) -> list[Fault]:
    """So many requests to the services fail, by chance, each time the same.

    A third of them is answered with 503, the connections of the others are
    reset, before they act or behind it.
    """
    actions = ('status', 'reset-before', 'reset-after')
    return [
        Fault(
            action,
            path='backups|sharing|checkpoint|resources|restores',
            status=503,
            times=None,
            # Each sees only what the ones before it have left.
            probability=share / 3 / (1 - share / 3 * number),
            seed=seed + number,
        )
        for number, action in enumerate(actions)
    ]


def pick(faults: Iterable[Fault], method: str, target: str) -> Fault | None:
    """The first rule that hits; later rules do not see the request."""
    for fault in faults:
        if fault.strikes(method, target):
            return fault
    return None


def spoil(fault: Fault, answer: Answer | None) -> Answer | None:
    """What goes out in place of the answer; None is an abort."""
    if fault.action.startswith('reset'):
        return None
    body = fault.body
    raw = body.encode() if isinstance(body, str) else body
    headers = dict(fault.headers)
    if fault.action == 'status' or answer is None:
        kind = 'application/json' if raw[:1] in b'{[' else 'text/plain'
        answer = Answer(fault.status, raw, kind if raw else '')
    elif fault.action == 'truncate':
        answer.body = answer.body[: len(answer.body) // 2]
    elif fault.action == 'break-off':
        answer.breaks_off = True
    elif fault.action == 'leave':
        answer.is_last = True
    else:
        answer.body = raw
    for name, value in headers.items():
        if name.lower() == 'content-type':
            answer.content_type = value
        else:
            answer.headers[name] = value
    return answer
