"""Real HTTP servers for tests: uvicorn in a thread of the test's process, which ends at once."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Final

import uvicorn

START_SECONDS: Final = 120.0
_LOOK: Final = 0.005  # seconds
_GRACE: Final = 1.0  # seconds; who is made to wait for an answer would wait for ever


@contextlib.contextmanager
def running(config: uvicorn.Config, sockets: list[socket.socket] | None = None) -> Iterator[int]:
    """Serve until the block ends; the port.

    Args:
        config: with the application; signals are not handled.
        sockets: that listen already; else those that the configuration names.
    """
    server = _Prompt(config)
    thread = threading.Thread(target=server.run, args=(sockets,), daemon=True)
    thread.start()
    deadline = time.monotonic() + START_SECONDS
    while not server.started:
        assert thread.is_alive() and time.monotonic() < deadline, "the server did not start"  # noqa: PT018
        time.sleep(_LOOK)
    try:
        port: int = server.servers[0].sockets[0].getsockname()[1]
        yield port
    finally:
        server.end()
        thread.join(START_SECONDS)


class _Prompt(uvicorn.Server):
    """Ends when it is told to; uvicorn looks ten times a second, and waits as long once more."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; from then on it can be ended."""
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        await super().startup(sockets)

    def end(self) -> None:
        """From another thread."""
        self._loop.call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        """Serve."""
        await self.on_tick(0)
        await self._ending.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nobody in, let answers be finished for a while, close."""
        for server in self.servers:
            server.close()
        for each in sockets or ():
            each.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        deadline = time.monotonic() + _GRACE
        state = self.server_state
        while (state.connections or state.tasks) and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(_LOOK)
        for task in state.tasks:
            task.cancel()
        await self.lifespan.shutdown()
