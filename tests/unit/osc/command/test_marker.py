# SPDX-License-Identifier: Apache-2.0
"""A marker that is not found is told in one way, whoever says so."""

from collections.abc import Iterator

import pytest

from vbsclient.api import errors
from vbsclient.lookup.refusals import MissingError, RefusedError
from vbsclient.osc.command.marker import finding, rows_after
from vbsclient.osc.output.text import sentence


@pytest.mark.parametrize(
    ('error', 'told'),
    [
        (MissingError('No backup found'), "Marker 'x' not found."),
        (MissingError('None', 'Did you?'), "Marker 'x' not found. Did you?"),
        (errors.NotFound('gone', status=404), "Marker 'x' not found."),
        (errors.BadRequest("no 'x'", status=400), "Marker 'x' not found."),
    ],
)
def test_it_is_not_found(error: errors.ClientError, told: str) -> None:
    with pytest.raises(MissingError) as found, finding('x'):
        raise error
    assert sentence(found.value) == told


@pytest.mark.parametrize(
    'error',
    [
        RefusedError('More than one'),
        errors.BadRequest('bad sort', status=400),
        errors.Forbidden('no', status=403),
    ],
)
def test_other_errors_are_their_own(error: errors.ClientError) -> None:
    with pytest.raises(type(error)) as found, finding('x'):
        raise error
    assert found.value is error


def test_without_a_marker_nothing_is_said_of_one() -> None:
    error = errors.NotFound('gone', status=404)
    with pytest.raises(errors.NotFound), finding(None):
        raise error


def test_rows_that_are_read_later() -> None:
    def rows() -> Iterator[int]:
        yield 1
        raise errors.NotFound('gone', status=404)

    read = rows_after('x', rows())
    assert next(read) == 1
    with pytest.raises(MissingError):
        next(read)
