# SPDX-License-Identifier: Apache-2.0
"""Names are a help: what cannot be read is left out, and in time."""

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest

from vbsclient.api import errors
from vbsclient.api.block_storage import BlockStorage, Volume
from vbsclient.api.client import LookupClient
from vbsclient.api.compute import Compute
from vbsclient.api.paging import Style
from vbsclient.lookup.labels import Labels

VOLUME, SERVER = 'v', 's'


class Services:
    """What block storage and compute list; an error for what they do not."""

    def __init__(self, volumes: Any, servers: Any) -> None:
        self.answers = {BlockStorage: volumes, Compute: servers}
        self.asked: list[str] = []

    def __call__(self, kind: Any, service_type: str) -> Any:
        self.asked.append(service_type)
        return self

    def all_volumes(self, seconds: float) -> Iterator[Volume]:
        return self._answer(BlockStorage)

    def names(self, seconds: float) -> Iterator[tuple[str, str | None]]:
        return self._answer(Compute)

    def _answer(self, kind: Any) -> Iterator[Any]:
        answer = self.answers[kind]
        if isinstance(answer, Exception):
            raise answer
        return iter(answer)


def volume(name: str | None, *server_ids: str) -> Volume:
    return Volume(VOLUME, name, 'in-use', 1, None, server_ids)


REFUSED = errors.Forbidden('no', status=403)


@pytest.mark.parametrize(
    ('volumes', 'servers', 'label'),
    [
        ([volume('data', SERVER)], [(SERVER, 'db01')], 'data of db01'),
        ([volume('data')], [(SERVER, 'db01')], 'data'),
        ([volume('data', 'other')], [(SERVER, 'db01')], 'data'),
        ([volume('', SERVER)], [(SERVER, 'db01')], None),
        ([], [(SERVER, 'db01')], None),
        ([volume('data', SERVER)], REFUSED, 'data'),
        (REFUSED, [(SERVER, 'db01')], None),
        (REFUSED, errors.EndpointError('none'), None),
    ],
)
def test_a_volume_as_people_call_it(
    volumes: Any, servers: Any, label: str | None
) -> None:
    services: Any = Services(volumes, servers)
    labels = Labels(services)
    assert labels.of_volume(VOLUME) == label
    assert labels.of_volume(None) is None
    # Each list is read once, and only if a name is needed.
    assert sorted(services.asked) == ['block-storage', 'compute']


def test_nothing_is_read_before_a_name_is_needed() -> None:
    services: Any = Services([], [])
    Labels(services)
    assert services.asked == []


def test_a_list_without_an_end_is_given_up() -> None:
    numbers = itertools.count()

    class Endless(LookupClient):
        types = ('x',)

        def __init__(self) -> None: ...

        def versioned(self, address: str, project_id: str) -> str:
            return address

        def fetch(self, *args: Any, **options: Any) -> dict[str, Any]:
            id = str(next(numbers))
            link = {'rel': 'next', 'href': f'x?marker={id}'}
            return {'rows': [{'id': id}], 'links': [link]}

    started = time.monotonic()
    style = Style('rows', 'marker', links='links', links_tell=True)
    with pytest.raises(errors.AmbiguousListing):
        list(Endless().all_rows('rows', style, 0.05))
    assert time.monotonic() - started < 60
