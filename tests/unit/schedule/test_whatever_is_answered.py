# SPDX-License-Identifier: Apache-2.0
"""Whatever a service has in a policy: it is read, and not lost."""

import copy
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.schedule.policies import csbs_policy, vbs_policy, wanted
from vbsclient.api.errors import MalformedResponse
from vbsclient.schedule import InvalidSetting, csbs, vbs
from vbsclient.schedule.comparison import differences
from vbsclient.schedule.runs import next_runs
from vbsclient.schedule.values import Settings, WantedRetention

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)

Path = tuple[Any, ...]

TEXTS = (
    *('', ' ', 'x', '-1', '0', 'ON', 'y', 'UTC+99:00', '24:00', '01:00,'),
    *('RRULE:', 'RRULE:FREQ=DAILY', '\r\n ', 'RRULE:FREQ=WEEKLY;BYDAY=,'),
    'RRULE:FREQ=MONTHLY;BYDAY=9MO;BYHOUR=1;BYMINUTE=0',
    'RRULE:FREQ=DAILY;INTERVAL=0;BYHOUR=\u0661',
    '9' * 5000,
)

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.sampled_from(TEXTS)
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


def places(
    value: Any, path: tuple[Any, ...] = ()
) -> Iterator[tuple[Any, ...]]:
    """The path of everything inside."""
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in pairs:
        yield (*path, key)
        yield from places(inner, (*path, key))


@st.composite
def policies(draw: st.DrawFn, policy: dict[str, Any]) -> dict[str, Any]:
    """A policy with other things in some places, or without them."""
    found = copy.deepcopy(policy)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(list(places(found))))
        place: Any = found
        for key in path:
            place = place[key]
        if draw(st.booleans()) or isinstance(place, list):
            place[last] = draw(values)
        else:
            del place[last]
        if not found:
            break
    return found


def is_read(read: Settings) -> None:
    assert str(read.retention)
    assert read.retention.as_dict()
    if read.schedule is not None:
        assert str(read.schedule)
        assert read.schedule.as_dict()
        assert len(next_runs(read.schedule, NOW, 2)) <= 2


CHANGES = (
    wanted(WantedRetention(), False),
    wanted(WantedRetention(last=7)),
    wanted(WantedRetention(), at=['02:00'], every='1d'),
    wanted(WantedRetention(), on=['mon']),
)


@settings(max_examples=300, deadline=None)
@given(policies(vbs_policy(time_zone='UTC+02:00', week_frequency=['MON'])))
def test_vbs(policy: dict[str, Any]) -> None:
    before = copy.deepcopy(policy)
    is_read(vbs.settings_of(policy))
    for change in CHANGES:
        try:
            sent = vbs.changed_policy(policy, change, NOW)
        except (InvalidSetting, MalformedResponse):
            continue
        assert isinstance(differences(policy, sent, policy), list)
    assert repr(policy) == repr(before)


@settings(max_examples=300, deadline=None)
@given(policies(csbs_policy(day_backups=1, timezone='UTC+02:00')))
def test_csbs(policy: dict[str, Any]) -> None:
    before = copy.deepcopy(policy)
    is_read(csbs.settings_of(policy))
    for change in CHANGES:
        try:
            sent = csbs.changed_policy(policy, change, NOW)
        except (InvalidSetting, MalformedResponse):
            continue
        assert isinstance(differences(policy, sent, policy), list)
    assert repr(policy) == repr(before)
