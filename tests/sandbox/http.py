# SPDX-License-Identifier: Apache-2.0
"""The HTTP side: one event loop in one daemon thread.

Delays are sleeps of the loop, so that many slow requests cost no threads.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.sandbox.wire import Answer, Request

# None: the connection is to be aborted.
Respond = Callable[[Request], Awaitable[Answer | None]]


class HttpServer:
    """Serves on 127.0.0.1 until it is stopped."""

    def __init__(self, respond: Respond, port: int = 0) -> None:
        self._respond = respond
        self._wanted_port = port
        self._runner: web.ServerRunner | None = None
        self._busy: set[asyncio.BaseTransport | None] = set()
        self.port = 0

    def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name='sandbox', daemon=True
        )
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(self._open(), self._loop)
        try:
            starting.result()
        except BaseException:
            self._end_loop()
            raise

    async def _open(self) -> None:
        self._server = web.Server(self._handle, access_log=None)
        self._runner = web.ServerRunner(self._server, shutdown_timeout=0.1)
        await self._runner.setup()
        self._site = web.TCPSite(
            self._runner, '127.0.0.1', self._wanted_port, backlog=1024
        )
        await self._site.start()
        self.port = self._runner.addresses[0][1]

    def stop(self) -> None:
        closing = asyncio.run_coroutine_threadsafe(self._close(), self._loop)
        closing.result()
        self._end_loop()

    async def _close(self) -> None:
        # Requests that still hang must not hold up the end.
        current = asyncio.current_task()
        if self._runner is not None:
            await self._runner.cleanup()
        rest = [task for task in asyncio.all_tasks() if task is not current]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _end_loop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _leave(self) -> None:
        """Listen no more, and end each connection that is kept."""
        await self._site.stop()
        for connection in self._server.connections:
            if connection.transport in self._busy:
                connection.close()
            elif connection.transport is not None:
                connection.transport.close()
        # They are closed in the next round of the loop.
        await asyncio.sleep(0)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        transport = request.transport
        self._busy.add(transport)
        try:
            return await self._answer(request)
        finally:
            self._busy.discard(transport)

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        # `raw_path` is what came on the wire: dot segments, escapes and all.
        wanted = Request(
            request.method,
            request.raw_path,
            request.headers,
            await request.read(),
        )
        answer = await self._respond(wanted)
        if answer is None:
            abort(request)
            return web.Response(status=500)
        headers = dict(answer.headers)
        if answer.content_type:
            headers['Content-Type'] = answer.content_type
        if answer.breaks_off:
            return await break_off(request, answer, headers)
        response = web.Response(
            status=answer.status, body=answer.body, headers=headers
        )
        if answer.is_last:
            await self._leave()
            response.force_close()
        return response


async def break_off(
    request: web.BaseRequest, answer: Answer, headers: dict[str, str]
) -> web.StreamResponse:
    """Promise a body, send half of it, and hang up."""
    response = web.StreamResponse(status=answer.status, headers=headers)
    response.content_length = len(answer.body) + 1
    await response.prepare(request)
    await response.write(answer.body[: len(answer.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


def abort(request: web.BaseRequest) -> None:
    """Reset the connection: no answer, not even an orderly end."""
    transport = request.transport
    if transport is None:
        return
    connection = transport.get_extra_info('socket')
    if connection is not None:
        linger = struct.pack('ii', 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()
