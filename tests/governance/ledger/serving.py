"""Real HTTP servers on loopback for the ledger's tests, an honest one and a lying one."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI

from governance.ledger.problems import STATUS
from governance.ledger.routes import entry_routes, open_routes
from governance.ledger.service import LedgerService
from governance.web.problems import add_problem_handlers
from tests.http_server import running

Message = dict[str, Any]
Twist = Callable[[str, int, bytes], tuple[int, bytes]]
"""From path, status and body of the honest answer to what is sent instead."""


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an ASGI application on a free loopback port; its base URL."""
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=0,
        log_config=None,
        ws="none",
        lifespan="on" if isinstance(app, FastAPI) else "off",
    )
    with running(config) as port:
        yield f"http://127.0.0.1:{port}"


def reading_app(service: LedgerService) -> FastAPI:
    """What a ledger lets be read, to anyone."""
    app = FastAPI(openapi_url=None)
    add_problem_handlers(app, STATUS, None)
    app.include_router(open_routes(service))
    app.include_router(entry_routes(service, lambda: None), prefix="/v1")
    return app


def honest(_path: str, status: int, body: bytes) -> tuple[int, bytes]:
    """No twist."""
    return status, body


class Front:
    """A server between a ledger and its readers that can lie."""

    def __init__(self, behind: LedgerService | FastAPI) -> None:
        self.app: Any = behind if isinstance(behind, FastAPI) else reading_app(behind)
        self.twist: Twist = honest
        self.headers: list[tuple[bytes, bytes]] = []
        self.pause = 0.0  # seconds before each byte
        self.endless = False
        self.asked: list[str] = []

    def show(self, service: LedgerService) -> None:
        """Show another tree from now on."""
        self.app = reading_app(service)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        """Answer one request."""
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self.app(scope, receive, keep)
        self.asked.append(scope["path"])
        body = b"".join(message.get("body", b"") for message in messages[1:])
        status, body = self.twist(scope["path"], messages[0]["status"], body)
        start = {"type": "http.response.start", "status": status, "headers": self.headers}
        await send(start)
        await self._send_body(send, body)

    async def _send_body(self, send: Any, body: bytes) -> None:
        while self.endless:
            await send({"type": "http.response.body", "body": b" " * 65_536, "more_body": True})
        if self.pause:
            for byte in body:
                await asyncio.sleep(self.pause)
                await send({"type": "http.response.body", "body": bytes([byte]), "more_body": True})
            body = b""
        await send({"type": "http.response.body", "body": body})
