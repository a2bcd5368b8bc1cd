"""An HTTP client whom no server can hold up.

httpx bounds each read by itself, so a server that sends a byte of its headers now and then would
hold a caller for days. Rules: everything inside ``deadline`` together, from connecting to the last
byte of the last attempt, has one deadline; bytes that move, either way, earn time at ``RATE``, so
that a large answer may take longer than a small one; no redirection is followed, and no proxy or
password is taken from the environment, nor any authority but those of ``HEARTHLINK_CA_FILE``, which
are then believed in place of the public ones.

httpx's own transport takes no network of ours, so there is one here, made of what both libraries
document: httpx's "custom transports" and httpcore's "network backends".
"""

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from ssl import SSLContext, create_default_context
from typing import Any, Final

import httpcore
import httpx

from governance.errors import GovernanceError

RATE: Final = 128 * 1024  # bytes that earn a second
_PIECE: Final = 64 * 1024  # bytes written at once
_WAITING: Final = 20  # connections that wait for the next request
_WAIT: Final = 4.0  # seconds; uvicorn closes a connection after five


class AuthoritiesNotRead(GovernanceError):
    """The certificates of the organisation's own authority cannot be read."""

    reason = "address.authorities"
    exit_code = 78  # EX_CONFIG


class _Left:
    """What is left of a deadline."""

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds

    def moved(self, count: int) -> None:
        self._ends += count / RATE

    def seconds(self) -> float:
        return self._ends - time.monotonic()


_LEFT: Final[ContextVar[_Left | None]] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound every exchange inside, of a client of ``bounded_client`` in this thread.

    Raises:
        httpx.TimeoutException: in the exchange that goes on for longer.
    """
    token = _LEFT.set(_Left(seconds))
    try:
        yield
    finally:
        _LEFT.reset(token)


def bounded_client(timeout: float) -> httpx.Client:
    """A client for use inside ``deadline``, from several threads, and for several people.

    It keeps no cookie: one that a server sets for one caller would go out with the next.

    Args:
        timeout: seconds for connecting, and for each part of a question or an answer.
    """
    return httpx.Client(
        transport=_Transport(),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


class _Transport(httpx.BaseTransport):
    """Connections over a network that knows the deadline."""

    def __init__(self) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(),
            max_connections=None,  # each thread has one at most
            max_keepalive_connections=_WAITING,
            keepalive_expiry=_WAIT,
            network_backend=_Network(),
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        with _as_httpx():
            answer = self._pool.handle_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(
                        scheme=url.raw_scheme,
                        host=url.raw_host,
                        port=url.port,
                        target=url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        return httpx.Response(
            answer.status,
            headers=answer.headers,
            stream=_Body(answer),
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    """An answer's bytes as they come."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        with _as_httpx():
            yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


_AS_HTTPX: Final[tuple[tuple[type[Exception], type[httpx.TransportError]], ...]] = (
    (httpcore.ConnectTimeout, httpx.ConnectTimeout),
    (httpcore.ReadTimeout, httpx.ReadTimeout),
    (httpcore.WriteTimeout, httpx.WriteTimeout),
    (httpcore.PoolTimeout, httpx.PoolTimeout),
    (httpcore.TimeoutException, httpx.TimeoutException),
    (httpcore.ConnectError, httpx.ConnectError),
    (httpcore.ReadError, httpx.ReadError),
    (httpcore.WriteError, httpx.WriteError),
    (httpcore.NetworkError, httpx.NetworkError),
    (httpcore.LocalProtocolError, httpx.LocalProtocolError),
    (httpcore.RemoteProtocolError, httpx.RemoteProtocolError),
    (httpcore.ProtocolError, httpx.ProtocolError),
    (httpcore.UnsupportedProtocol, httpx.UnsupportedProtocol),
    (httpcore.ProxyError, httpx.ProxyError),
)
"""What callers catch, for what the network raises: each kind before the one that it is of."""


@contextmanager
def _as_httpx() -> Iterator[None]:
    try:
        yield
    except tuple(kind for kind, _ in _AS_HTTPX) as error:
        told = next(theirs for kind, theirs in _AS_HTTPX if isinstance(error, kind))
        raise told(str(error)) from error


@cache
def _tls() -> SSLContext:
    """One for every client of the process: reading the certificates takes longer than a request."""
    authorities = os.environ.get("HEARTHLINK_CA_FILE")
    if not authorities:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return create_default_context(cafile=authorities)
    except (OSError, ValueError):
        raise AuthoritiesNotRead(
            "HEARTHLINK_CA_FILE names no readable file of certificates in PEM",
            next_step="name the certificates of the authorities that sign your servers'",
        ) from None


class _Network(httpcore.NetworkBackend):
    def __init__(self) -> None:
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        bounded = _bounded(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, bounded, local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        data = self._inner.read(max_bytes, _bounded(timeout, httpcore.ReadTimeout))
        _earn(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _PIECE):
            piece = buffer[start : start + _PIECE]
            self._inner.write(piece, _bounded(timeout, httpcore.WriteTimeout))
            _earn(len(piece))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        bounded = _bounded(timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, bounded))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _bounded(timeout: float | None, over: type[Exception]) -> float | None:
    """The seconds that the next step may take."""
    left = _LEFT.get()
    if left is None:
        return timeout
    seconds = left.seconds()
    if seconds <= 0:
        raise over("the deadline has passed")
    return seconds if timeout is None else min(seconds, timeout)


def _earn(count: int) -> None:
    if (left := _LEFT.get()) is not None:
        left.moved(count)
