"""A hub or ledger that answers slowly, or without end, holds nobody up."""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import httpcore
import httpx
import pytest

from governance.exchange.http import RequestSigner
from governance.exchange.hub_client import HubAnswerError, HubClient, HubRefused, HubUnavailable
from governance.identity.keys import SigningKey
from governance.ledger.client import LedgerClient
from governance.ledger.errors import AnswerError, LedgerRefusedError, LedgerUnavailableError
from governance.ledger.note import KeyKind, VerifierKey
from governance.web import deadline as module
from governance.web.deadline import bounded_client, deadline

Talk = Callable[[socket.socket, threading.Event], None]
"""What a server does with one connection, until the event."""
ClientKind = Callable[[str, float], HubClient | LedgerClient]
"""Makes a client of an address that waits so many seconds for a whole answer."""

PATIENCE = 0.4  # seconds that the callers have
HELD = 8.0  # seconds: whoever takes so long was held up, also on a busy machine
PAUSE = 0.02
THUMBPRINT = "sha256:" + "0" * 64
KEY = SigningKey.generate()
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n"


@contextmanager
def talking(talk: Talk) -> Iterator[str]:
    """A server that does as it likes with each connection; its address."""
    over = threading.Event()

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            talk(connection, over)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)


def again(connection: socket.socket, over: threading.Event, data: bytes) -> None:
    """Send the same now and then, for ever."""
    while not over.wait(PAUSE):
        connection.sendall(data)


def silent(_connection: socket.socket, over: threading.Event) -> None:
    """Take everything and say nothing."""
    over.wait(60)


def dripping_status(connection: socket.socket, over: threading.Event) -> None:
    """One byte of a first line at a time."""
    again(connection, over, b"H")


def dripping_headers(connection: socket.socket, over: threading.Event) -> None:
    """A header that does not end."""
    connection.sendall(OK + b"X: ")
    again(connection, over, b"x")


def always_early_hints(connection: socket.socket, over: threading.Event) -> None:
    """Interim answers, and never the answer."""
    again(connection, over, b"HTTP/1.1 103 Early Hints\r\n\r\n")


def dripping_body(connection: socket.socket, over: threading.Event) -> None:
    """One byte of a body at a time."""
    connection.recv(65_536)
    connection.sendall(OK + b"\r\n")
    again(connection, over, b" ")


def busy(connection: socket.socket, over: threading.Event) -> None:
    """Ask to come again later, each time."""
    connection.recv(65_536)
    over.wait(PATIENCE / 2)
    connection.sendall(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")


SLOW = [silent, dripping_status, dripping_headers, always_early_hints, dripping_body, busy]


def hub_client(url: str, within: float = PATIENCE) -> HubClient:
    """A partner's client that does not wait between attempts."""
    return HubClient(url, THUMBPRINT, KEY, wait=lambda _seconds: None, within=within)


def ledger_client(url: str, within: float = PATIENCE) -> LedgerClient:
    """Likewise, of the ledger."""
    key = VerifierKey("ledger.example.org/county", KeyKind.LOG, KEY.public)
    auth = RequestSigner(THUMBPRINT, KEY)
    return LedgerClient(url, key, auth, wait=lambda _seconds: None, within=within)


def ask(client: HubClient | LedgerClient) -> None:
    """Any question."""
    if isinstance(client, HubClient):
        client.orders()
    else:
        client.log()


@pytest.mark.parametrize("talk", SLOW)
@pytest.mark.invariant(3, "a hub that answers slowly", double="slow")
def test_a_slow_hub_is_given_up(talk: Talk) -> None:
    """Whatever it sends in time byte by byte, the whole has a deadline."""
    began = time.monotonic()
    with talking(talk) as url, hub_client(url) as hub, pytest.raises(HubUnavailable):
        hub.orders()
    assert time.monotonic() - began < HELD


@pytest.mark.parametrize("talk", SLOW)
@pytest.mark.invariant(3, "a ledger that answers slowly", double="slow")
@pytest.mark.invariant(6, "a ledger that answers slowly", double="slow")
def test_a_slow_ledger_is_given_up(talk: Talk) -> None:
    """Likewise, so that a partner's other work goes on."""
    began = time.monotonic()
    with talking(talk) as url, ledger_client(url) as ledger, pytest.raises(LedgerUnavailableError):
        ledger.log()
    assert time.monotonic() - began < HELD


@pytest.mark.invariant(3, "a hub that takes slowly", double="slow")
def test_a_hub_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A submission's bytes that nobody takes hold the agent no longer than an answer would."""
    monkeypatch.setattr(module, "RATE", 10**9)  # the kernel's buffers take some megabytes
    began = time.monotonic()
    with talking(silent) as url, hub_client(url) as hub, pytest.raises(HubUnavailable):
        hub.append_bytes("0" * 32, 0, bytes(64 * 1024 * 1024))
    assert time.monotonic() - began < HELD


@pytest.mark.parametrize("pace", [2.0, 0.5])
def test_what_moves_earns_time(monkeypatch: pytest.MonkeyPatch, pace: float) -> None:
    """An answer may take longer than its deadline while it moves fast enough, and no slower."""
    clock = [0.0]

    class Timed(module._Left):
        def moved(self, count: int) -> None:
            clock[0] += count / (pace * module.RATE)
            super().moved(count)

    monkeypatch.setattr(module, "RATE", 5_000)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(module, "_Left", Timed)
    answer = saying(OK + b"\r\n" + bytes(100_000))
    with talking(answer) as url, bounded_client(HELD) as client, deadline(HELD):
        if pace < 1:
            with pytest.raises(httpx.TimeoutException):
                client.get(url)
        else:
            assert len(client.get(url).content) == 100_000
            assert clock[0] > HELD


def test_a_client_outside_a_deadline_has_its_timeout() -> None:
    """No deadline, no bound but that of each step."""
    with talking(silent) as url, bounded_client(0.1) as client, pytest.raises(httpx.ReadTimeout):
        client.get(url)


KINDS = [
    kind
    for name in httpcore.__all__
    if isinstance(kind := getattr(httpcore, name), type)
    and issubclass(kind, Exception)
    and hasattr(httpx, name)
]


@pytest.mark.parametrize("kind", KINDS)
def test_callers_see_errors_of_the_library_that_they_use(kind: type[Exception]) -> None:
    """Each kind of error that httpcore and httpx both know is told as httpx's, and caught so."""
    told: type[httpx.TransportError] = getattr(httpx, kind.__name__)
    with pytest.raises(httpx.TransportError) as caught, module._as_httpx():
        raise kind("as it was said")
    assert (type(caught.value), str(caught.value)) == (told, "as it was said")


def test_all_kinds_of_errors_are_looked_at() -> None:
    """The list above is not empty, whatever the libraries call things later."""
    assert {httpcore.ReadTimeout, httpcore.ConnectError, httpcore.ProtocolError} <= set(KINDS)


def test_an_answer_that_is_cut_short_or_none_is_an_error_of_httpx() -> None:
    """In the head, in the body, and where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def cut(connection: socket.socket, _over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(OK + b"\r\nshort")

    def noise(connection: socket.socket, _over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(b"SSH-2.0-hello\r\n\r\n")

    with bounded_client(5.0) as client:
        with pytest.raises(httpx.ConnectError):
            client.get(nobody)
        for talk in (cut, noise):
            with talking(talk) as url, pytest.raises(httpx.RemoteProtocolError):
                client.get(url)


def saying(answer: bytes) -> Talk:
    """A server that says one thing."""

    def talk(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65_536)
        connection.sendall(answer)
        over.wait(60)

    return talk


@pytest.mark.parametrize("kind", [hub_client, ledger_client])
def test_a_compressed_answer_is_not_unpacked(
    kind: ClientKind,
) -> None:
    """A small answer cannot become a large one here."""
    answer = saying(OK + b"Content-Encoding: gzip\r\n\r\n")
    expected = pytest.raises((HubAnswerError, AnswerError), match="compressed")
    with talking(answer) as url, kind(url, HELD) as client, expected:
        ask(client)


@pytest.mark.parametrize("kind", [hub_client, ledger_client])
@pytest.mark.invariant(16, "a server whose words steer terminals", double="lies")
def test_a_refusal_is_printed_as_words(kind: ClientKind) -> None:
    """What a server says may end no line of a log and steer no terminal."""
    body = b'{"reason": "hub.no\\nlevel", "detail": "\\u001b[2Jno", "next_step": "\\u202eno"}'
    head = f"HTTP/1.1 403 Forbidden\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    expected = pytest.raises((HubRefused, LedgerRefusedError))
    with talking(saying(head + body)) as url, kind(url, HELD) as client, expected as caught:
        ask(client)
    assert f"{caught.value} {caught.value.next_step}".isprintable()
    assert "hub.nolevel" in str(caught.value)


@pytest.mark.parametrize("kind", [hub_client, ledger_client])
def test_a_redirection_is_not_followed(kind: ClientKind) -> None:
    """A server cannot send its callers elsewhere."""
    answer = saying(
        b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"
    )
    expected = pytest.raises((HubRefused, LedgerRefusedError))
    with talking(answer) as url, kind(url, HELD) as client, expected:
        ask(client)


def test_servers_are_known_by_their_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    """TLS 1.2 or newer, a certificate of the name that was called, and no list of others'."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    module._tls.cache_clear()
    found = module._tls()
    assert found.verify_mode is ssl.CERT_REQUIRED
    assert found.check_hostname
    assert found.minimum_version >= ssl.TLSVersion.TLSv1_2
    with bounded_client(1.0) as client:
        assert isinstance(client._transport, module._Transport)
        assert client._transport._pool._ssl_context is found


def test_a_client_for_several_people_tells_the_next_nothing_of_the_last() -> None:
    """One connection serves both; what the server set for the first stays behind."""
    asked: list[bytes] = []
    connections: list[socket.socket] = []

    def talk(connection: socket.socket, _over: threading.Event) -> None:
        connections.append(connection)
        while question := connection.recv(65_536):
            asked.append(question)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nSet-Cookie: who=first; Path=/\r\nContent-Length: 2\r\n\r\n{}"
            )

    with talking(talk) as url, bounded_client(HELD) as http:
        for thumbprint in ("sha256:" + digit * 64 for digit in "12"):
            with HubClient(url, thumbprint, SigningKey.generate(), http=http) as client:
                client.questions("1" * 64, 0)
    assert len(connections) == 1
    first, second = asked
    assert b"sha256:11" in first
    assert b"sha256:11" not in second
    assert b"cookie" not in second.lower()
