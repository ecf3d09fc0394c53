# SPDX-License-Identifier: Apache-2.0
"""Names of what is created, and whether there is room for it."""

import re
import string
from datetime import datetime, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vbsclient.api.quotas import Quota
from vbsclient.creation import server_backups, volume_backups
from vbsclient.creation.base import Wanted, room_of

NOW = datetime(2026, 11, 14, 2, 0, 7, tzinfo=timezone.utc)
STAMP = '-20261114T020007Z'
LONGEST = (volume_backups.LONGEST_NAME, server_backups.LONGEST_NAME)

#: What something may be called: anything, above all what is reserved.
NAMES = st.one_of(
    st.text(),
    st.text(string.printable, max_size=300),
    st.builds(
        lambda before, name, after: f'{before}{name}{after}',
        st.text('- _./ä', max_size=3),
        st.sampled_from(['auto', 'autobk_1', 'Auto', 'manualbk', 'default']),
        st.text(max_size=90),
    ),
)


@given(NAMES, st.sampled_from(LONGEST), st.datetimes())
@example('', 64, NOW)
@example('日本', 64, NOW)
@example('-auto', 64, NOW)
@example('a' * 255, 64, NOW)
def test_a_name_is_one_that_the_service_takes(
    saved: str, longest: int, now: datetime
) -> None:
    name = Wanted().name_for(saved, now, longest)
    # A first "-" would be an option to the command that shows it.
    assert re.fullmatch('[0-9A-Za-z_][0-9A-Za-z_-]*', name)
    assert len(name) <= longest
    assert not name.startswith('auto')
    assert name.endswith('Z')


@pytest.mark.parametrize(
    ('saved', 'name'),
    [
        ('db01-data', 'db01-data'),
        ('web 01 (root)', 'web-01-root'),
        ('autobk_1', 'of-autobk_1'),
        ('automatic', 'of-automatic'),
        ('x' * 80, 'x' * 47),
        ('auto' + 'x' * 80, 'of-auto' + 'x' * 40),
    ],
)
def test_it_tells_what_was_saved_and_when(saved: str, name: str) -> None:
    assert Wanted().name_for(saved, NOW, 64) == name + STAMP


@pytest.mark.parametrize('saved', ['db01', 'auto', ''])
def test_a_name_that_was_given_is_taken(saved: str) -> None:
    assert Wanted('before').name_for(saved, NOW, 64) == 'before'


@pytest.mark.parametrize(
    ('quotas', 'room'),
    [
        ([], None),
        ([Quota('backup_gigabytes', 5, 0, 5)], None),
        ([Quota('backups', 5, 0, -1)], None),
        ([Quota('backups', 5, 0, None)], None),
        ([Quota('backups', 5, 0, 20)], 15),
        ([Quota('backups', 5, 3, 20)], 12),
        ([Quota('backups', 5, None, 20)], 15),
        ([Quota('backups', None, None, 20)], 20),
        ([Quota('backups', 20, 3, 20)], 0),
        ([Quota('backups', 0, 0, 0)], 0),
        ([Quota('backup_gigabytes', 5, 0, 5), Quota('backups', 1, 0, 2)], 1),
    ],
)
def test_how_much_room_a_quota_leaves(
    quotas: list[Quota], room: int | None
) -> None:
    assert room_of(quotas) == room
