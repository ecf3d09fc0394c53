# SPDX-License-Identifier: Apache-2.0
"""What the clients of all services have in common."""

import pytest

from tests.unit.api.listening import NoWait
from tests.unit.fakes import FakeCloud
from vbsclient.api import errors
from vbsclient.api.compute import Compute
from vbsclient.api.http import Limits

NOVA = 'https://nova.example/v2.1'


@pytest.mark.parametrize(
    ('interface', 'words'),
    [
        (None, 'no public endpoint'),
        ('internal', 'no internal endpoint'),
        (['internal', 'public'], 'no internal or public endpoint'),
    ],
)
def test_a_service_that_is_not_in_the_catalog(
    interface: str | list[str] | None, words: str
) -> None:
    client = Compute(FakeCloud().session, interface=interface)
    with pytest.raises(errors.EndpointError) as raised:
        _ = client.url
    assert f'{words} of type compute' in raised.value.message


def test_the_endpoint_is_chosen_once_and_only_where_it_is_needed() -> None:
    cloud = FakeCloud({'compute': NOVA})
    client = Compute(cloud.session)
    assert not client.is_located
    assert cloud.logins == 0
    assert [client.url, client.url] == [NOVA, NOVA]
    assert client.is_located
    assert cloud.logins == 1


def test_a_look_up_takes_no_longer_than_one_request_may() -> None:
    cloud = FakeCloud({'compute': NOVA})
    cloud.on('GET', f'{NOVA}/servers', status_code=503)
    client = Compute(
        cloud.session, timeout=(0.0, 0.0), limits=Limits(stop=NoWait())
    )
    with pytest.raises(errors.ServiceUnavailable):
        client.fetch('servers')
    assert cloud.sent() == [f'GET {NOVA}/servers']
    client = Compute(cloud.session, limits=Limits(stop=NoWait()))
    with pytest.raises(errors.ServiceUnavailable):
        client.fetch('servers')
    assert len(cloud.sent()) == 1 + 5
