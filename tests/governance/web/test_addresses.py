"""Hub and ledger are spoken to where nobody can read along, and known by their certificates."""

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

import governance.web.deadline as module
from governance.exchange.hub_client import HubClient
from governance.identity.keys import SigningKey
from governance.web.addresses import UnsafeAddress, safe_address
from governance.web.deadline import AuthoritiesNotRead, bounded_client


@pytest.mark.parametrize(
    "url",
    [
        "https://hub.example.gov.uk/",
        "http://localhost:8200",
        "http://127.0.0.1:1",
        "http://[::1]:1",
    ],
)
def test_https_and_this_computer_are_spoken_to(url: str) -> None:
    """A slash at the end says nothing."""
    assert safe_address(url) == url.rstrip("/")


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example.gov.uk", "http://192.0.2.1", "http://localhost.example.org", "ftp://localhost",
        "hub.example.gov.uk", "", "http://", "http://[::1", "http://127.0.0.1.example.org", "HTTP://0.0.0.0",
    ],
)  # fmt: skip
def test_nothing_else_is(url: str) -> None:
    """The refusal says what is expected, and not what was given."""
    with pytest.raises(UnsafeAddress, match="https://") as caught:
        safe_address(url)
    assert "localhost" not in str(caught.value)
    assert "example" not in str(caught.value)


@pytest.mark.invariant(16, "an address at which others could read along")
def test_clients_refuse_before_they_connect() -> None:
    """Of the hub; the ledger's and a witness's go by the same function."""
    with pytest.raises(UnsafeAddress):
        HubClient("http://hub.example.gov.uk", "sha256:" + "0" * 64, SigningKey(bytes(32)))


class _Says(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def council(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A server whose certificate the council's own authority signed; its address, the authority."""
    folder = tmp_path_factory.mktemp("authority")
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Council authority")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False
        )
        .sign(key, hashes.SHA256())
    )
    authority, private = folder / "authority.pem", folder / "server.key"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, private)
    server = HTTPServer(("127.0.0.1", 0), _Says)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", authority
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def anew() -> Iterator[None]:
    """Certificates are read once a process; here, and after, once more."""
    module._tls.cache_clear()
    yield
    module._tls.cache_clear()


@pytest.mark.usefixtures("anew")
def test_the_councils_own_authority_is_believed_where_it_is_named(
    council: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the setting its servers are strangers."""
    url, authority = council
    with bounded_client(5.0) as client, pytest.raises(httpx.ConnectError):
        client.get(url)
    module._tls.cache_clear()
    monkeypatch.setenv("HEARTHLINK_CA_FILE", str(authority))
    with bounded_client(5.0) as client:
        assert client.get(url).text == "ok"


@pytest.mark.usefixtures("anew")
def test_a_file_that_holds_no_certificate_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than going on without it."""
    file = tmp_path / "ca.pem"
    for text in (None, "no certificate"):
        if text is not None:
            file.write_text(text)
        monkeypatch.setenv("HEARTHLINK_CA_FILE", str(file))
        with pytest.raises(AuthoritiesNotRead, match="HEARTHLINK_CA_FILE"):
            bounded_client(1.0)
