"""Headers of every answer of hub and ledger, which no browser has any business with.

Rules (OWASP ASVS 5.0, V3.4 and V14.3): an answer is what its type says, is kept by no cache, runs
nothing and is framed nowhere, should somebody open one in a browser.
"""

from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
HSTS: Final = "max-age=31536000; includeSubDomains"


def headers_of(public_url: str | None) -> dict[str, str]:
    """The headers of a service.

    Args:
        public_url: how callers address it; where that is HTTPS, browsers are held to it.
    """
    if public_url is None or not public_url.startswith("https:"):
        return dict(HEADERS)
    return {**HEADERS, "Strict-Transport-Security": HSTS}


class ServiceHeaders:
    """Adds them.

    Args:
        app: the service.
        public_url: how callers address it.
    """

    def __init__(self, app: ASGIApp, public_url: str | None) -> None:
        self._app = app
        self._headers = headers_of(public_url)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
            await send(message)

        await self._app(scope, receive, send_with_headers)
