"""What stands before every page: whose request it is, how large, and what the browser may do.

Rules, in order (OWASP ASVS 5.0, V3.3 to V3.7, V4.1): a request names the console's own address as
its host; one that another site caused is refused unless it opens a page (Fetch Metadata); one that
changes something comes from the console's own pages, by ``Sec-Fetch-Site`` or, where a browser does
not send that, by ``Origin``; a body has a largest size, counted as it comes. Every answer, errors
included, carries the headers: nothing is loaded but from here, no script runs without the page's
nonce, connects or writes markup, no other site frames, opens or reads a page, and no cache keeps
one. A refusal is logged by its status, and not by an address or a method that a stranger
made up.
"""

import logging
import secrets
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from governance.web.headers import HSTS

FORM_BYTES: Final = 64 * 1024
"""The largest body of a request to which no other limit is given."""
_SAFE: Final = frozenset({"GET", "HEAD"})
_METHODS: Final = _SAFE | {"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"}
_OWN: Final = frozenset({"same-origin", "none"})  # none: typed, or from a bookmark
_FIXED: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # no-referrer would make a form's Origin null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=(), "
        "publickey-credentials-create=(self), publickey-credentials-get=(self)"
    ),
}
_LOG: Final = logging.getLogger(__name__)

Refuse = Callable[[Request, int], Response]


class Guard:
    """The outermost layer of a console.

    Args:
        app: what it protects.
        origin: the address by which browsers know the console, ``https://console.example.org``.
        refuse: the page that says why a request is refused, by its status.
        limits: bytes of a body by the beginning of the path; the longest that fits decides, and
            ``FORM_BYTES`` where none does.
    """

    def __init__(
        self, app: ASGIApp, origin: str, refuse: Refuse, limits: Mapping[str, int] | None = None
    ) -> None:
        self._app = app
        self._origin = origin
        parts = urlsplit(origin)
        self._host = parts.netloc
        self._secure = parts.scheme == "https"
        self._refuse = refuse
        self._limits = limits or {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a console speaks no WebSocket
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        limit = self._limit(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(MutableHeaders(scope=message), nonce)
            await send(message)

        if status := self._refusal(scope, limit):
            method = scope["method"] if scope["method"] in _METHODS else "another"
            _LOG.info("refused before any page", extra={"method": method, "status": status})
            answer = self._refuse(Request(scope, receive), status)
            await answer(scope, receive, send_with_headers)
            return
        await self._app(scope, _counted(receive, limit), send_with_headers)

    def _refusal(self, scope: Scope, limit: int) -> int | None:
        """The status of a request that goes no further."""
        headers = Headers(scope=scope)
        if headers.getlist("host") != [self._host]:
            return 421
        if not self._is_own(scope["method"], headers):
            return 403
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()):
            return 400
        return 413 if int(length) > limit else None

    def _is_own(self, method: str, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site")
        if method in _SAFE:
            opened = (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest"))
            return site is None or site in _OWN or opened == ("navigate", "document")
        origin = headers.get("origin")
        if site is not None:
            return site == "same-origin" and origin in (None, self._origin)
        return origin == self._origin

    def _limit(self, scope: Scope) -> int:
        path = scope["path"].removeprefix(scope.get("root_path", ""))
        longest = max((each for each in self._limits if path.startswith(each)), key=len, default="")
        return self._limits.get(longest, FORM_BYTES)

    def _add_headers(self, headers: MutableHeaders, nonce: str) -> None:
        headers["Content-Security-Policy"] = content_policy(nonce)
        for name, value in _FIXED.items():
            headers[name] = value
        if self._secure:
            headers["Strict-Transport-Security"] = HSTS
        headers.setdefault("Cache-Control", "no-store")


def content_policy(nonce: str) -> str:
    """What a page may load and run (Content Security Policy Level 3).

    Scripts connect to nobody, and no text of theirs becomes markup or a script (Trusted Types).
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _counted(receive: Receive, limit: int) -> Receive:
    """A body of at most ``limit`` bytes, whatever its header says."""
    came = 0

    async def receive_some() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > limit:
            raise HTTPException(413)
        return message

    return receive_some
