# SPDX-License-Identifier: Apache-2.0
"""From method and path segments to a handler."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from tests.sandbox.wire import Answer, Request, native_error, no_route

if TYPE_CHECKING:
    from tests.sandbox.cloud import Cloud


@dataclass
class Call:
    """An admitted request on its way to a handler."""

    cloud: 'Cloud'
    request: Request
    project: str
    version: str


Handler = Callable[..., Answer]


class Router:
    """Routes such as `backups/{backup_id}`, literal ones first.

    :param unmapped: answers a path, and where there is no 405 a method, that
        no route fits.
    """

    def __init__(
        self, unmapped: Callable[[Request], Answer] | None = None
    ) -> None:
        self._unmapped = unmapped
        self._routes: list[tuple[str, tuple[str, ...], Handler]] = []

    def route(self, method: str, pattern: str) -> Callable[[Handler], Handler]:
        def register(handler: Handler) -> Handler:
            self._routes.append((method, tuple(pattern.split('/')), handler))
            # Literal routes must be tried before those that capture.
            self._routes.sort(key=lambda route: '{' in ''.join(route[1]))
            return handler

        return register

    def dispatch(self, call: Call, segments: tuple[str, ...]) -> Answer:
        known = False
        for method, pattern, handler in self._routes:
            captures = match(pattern, segments)
            if captures is None:
                continue
            if method == call.request.method:
                return handler(call, **captures)
            known = True
        if self._unmapped is not None:
            return self._unmapped(call.request)
        if known:
            return native_error(405, 'The method is not allowed here.')
        return no_route()


def match(
    pattern: tuple[str, ...], segments: tuple[str, ...]
) -> dict[str, str] | None:
    """The captured segments, or None.

    An empty segment, or one with an encoded slash, is captured by nothing.
    """
    if len(pattern) != len(segments):
        return None
    captures: dict[str, str] = {}
    for want, raw in zip(pattern, segments, strict=True):
        got = unquote(raw)
        if want.startswith('{'):
            if not got or '/' in got:
                return None
            captures[want[1:-1]] = got
        elif want != got:
            return None
    return captures
