"""What stands before every page, attacked over real HTTP."""

import logging
import re
import socket
from collections.abc import Iterator

import httpx
import pytest

from governance.web.logs import JsonFormatter
from tests.browsing import served
from tests.governance.ui.example import example

OWN = {"Sec-Fetch-Site": "same-origin"}
FORM = {"label": "Sam", "role": "analyst"}


@pytest.fixture(scope="module")
def site() -> Iterator[httpx.Client]:
    """The example console."""
    with served(example) as origin, httpx.Client(base_url=origin) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/nothing", "/refused", "/broken"])
def test_every_answer_carries_the_headers(site: httpx.Client, path: str) -> None:
    """Errors included: no script without the nonce, no frame, nothing kept, no server's name."""
    answer = site.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'nonce-")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "connect-src" not in policy  # so that default-src decides
    assert policy.endswith("; require-trusted-types-for 'script'; trusted-types 'none'")
    (nonce,) = re.findall(r"'nonce-([^']+)'", policy)
    assert answer.text.count("<script") == answer.text.count(f'nonce="{nonce}"') > 0
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert "server" not in answer.headers
    assert "Jane" not in answer.text


def test_a_nonce_is_used_once(site: httpx.Client) -> None:
    """No two answers share one."""
    policies = {site.get("/").headers["content-security-policy"] for _ in range(5)}
    assert len(policies) == 5


def test_a_method_that_somebody_made_up_is_in_no_log(
    site: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """A method may be any word, a name too."""
    with caplog.at_level(logging.INFO):
        assert site.request("JANEDOE", "/").status_code == 403
        assert site.post("/").status_code == 403
    methods = [vars(each)["method"] for each in caplog.records if "before any" in each.message]
    assert methods == ["another", "POST"]


def test_what_is_said_is_escaped(site: httpx.Client) -> None:
    """An error's words are text, whatever they hold."""
    answer = site.get("/refused")
    assert answer.status_code == 422
    assert "A &lt;script&gt; was expected." in answer.text
    assert "Look again." in answer.text


@pytest.mark.parametrize("host", ["evil.example", "localhost", "localhost:1", "127.0.0.1"])
def test_another_host_is_refused(site: httpx.Client, host: str) -> None:
    """A forged Host reaches no page, so no address is ever made of it (DNS rebinding too)."""
    assert site.get("/", headers={"Host": host}).status_code == 421


def test_two_hosts_are_refused(site: httpx.Client) -> None:
    """A second Host header, for a proxy that reads another one than we do."""
    with socket.create_connection(("127.0.0.1", site.base_url.port)) as raw:
        host = f"localhost:{site.base_url.port}"
        raw.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n\r\n".encode())
        assert raw.recv(12).split()[1] in {b"400", b"421"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OWN, 200),
        ({"Origin": "SELF"}, 200),
        (OWN | {"Origin": "SELF"}, 200),
        ({}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        (OWN | {"Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "SELF"}, 403),
        ({"Sec-Fetch-Site": "same-site", "Origin": "SELF"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
    ],
)
def test_forms_come_from_our_own_pages(
    site: httpx.Client, headers: dict[str, str], status: int
) -> None:
    """Another site, another port of this computer, and a program without a page change nothing."""
    own = str(site.base_url).rstrip("/")
    sent = {name: own if value == "SELF" else value for name, value in headers.items()}
    assert site.post("/ask", data=FORM, headers=sent).status_code == status


@pytest.mark.parametrize(
    ("mode", "dest", "status"),
    [("navigate", "document", 200), ("navigate", "iframe", 403), ("no-cors", "image", 403),
     ("cors", "empty", 403), ("no-cors", "script", 403)],
)  # fmt: skip
def test_other_sites_open_pages_and_read_nothing(
    site: httpx.Client, mode: str, dest: str, status: int
) -> None:
    """A link from elsewhere works; a frame, picture, script or fetch does not."""
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": dest}
    assert site.get("/", headers=headers).status_code == status


def test_a_body_has_a_largest_size(site: httpx.Client) -> None:
    """By what it says, and by what comes where it says nothing."""
    large = b"label=" + b"x" * 70_000
    kind = OWN | {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.post("/ask", content=large, headers=kind).status_code == 413
    pieces = iter([large[:30_000], large[30_000:60_000], large[60_000:]])
    assert site.post("/ask", content=pieces, headers=kind).status_code == 413


def test_too_many_fields_are_refused(site: httpx.Client) -> None:
    """A form of thousands of fields is not read."""
    many = "&".join(f"f{number}=1" for number in range(2_000))
    kind = OWN | {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.post("/ask", content=many, headers=kind).status_code == 400


def test_files_are_kept_and_nothing_else_is_served(site: httpx.Client) -> None:
    """A built file may be kept for a year; no path leads out of the folder."""
    address = re.findall(r'href="(/static/page[^"]+)"', site.get("/").text)[0]
    assert "immutable" in site.get(address).headers["cache-control"]
    for path in ("/static/page.css", "/static/build.json", "/static/..%2f..%2fpyproject.toml"):
        assert site.get(path).status_code == 404


def test_addresses_are_below_the_root_path() -> None:
    """A console that is mounted under a path links to itself there."""
    with served(lambda origin: example(origin, "/secret")) as origin:
        text = httpx.get(f"{origin}/secret/").text
    addresses = re.findall(r'(?:href|src|action)="([^"]+)"', text)
    assert len(addresses) > 8
    assert not [each for each in addresses if not each.startswith(("/secret/", "#"))]


def test_browsers_are_held_to_tls() -> None:
    """Where the console's address is HTTPS: for a year, names below it too."""
    with served(lambda _: example("https://console.example.org")) as at:
        for path in ("/", "/nothing"):
            answer = httpx.get(at + path, headers={"Host": "console.example.org"})
            policy = answer.headers["strict-transport-security"]
            assert policy == "max-age=31536000; includeSubDomains"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(site: httpx.Client, method: str) -> None:
    """Also from the console's own pages; nothing is repeated to who asks."""
    answer = site.request(method, "/ask", headers=OWN | {"X-Secret": "canary"})
    assert answer.status_code == 405
    assert "canary" not in answer.text


def test_a_refusal_before_any_page_is_logged(
    site: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    """By its status; the address that a stranger made up is in no log."""
    with caplog.at_level(logging.INFO, logger="governance.ui.security"):
        site.post("/canary", headers={"Sec-Fetch-Site": "cross-site"})
    (record,) = caplog.records
    assert (record.method, record.status) == ("POST", 403)  # type: ignore[attr-defined]
    assert "canary" not in JsonFormatter().format(record)


def pipelined(site: httpx.Client, lines: str) -> list[bytes]:
    """The statuses that a form with these lengths gets, and a request right behind it."""
    own = f"Host: localhost:{site.base_url.port}\r\nSec-Fetch-Site: same-origin\r\n"
    form = f"POST /ask HTTP/1.1\r\n{own}{lines}\r\n\r\n0\r\n\r\n"
    behind = f"GET /ask HTTP/1.1\r\n{own}Connection: close\r\n\r\n"
    said = b""
    with socket.create_connection(("127.0.0.1", site.base_url.port), timeout=60) as raw:
        raw.sendall((form + behind).encode())
        while part := raw.recv(65_536):
            said += part
    return re.findall(rb"HTTP/1\.1 (\d+) ", said)


@pytest.mark.parametrize(
    "lines",
    ["Content-Length: 4\r\nContent-Length: 5", "Content-Length: +4", "Content-Length: 4, 5",
     "Transfer-Encoding: chunked, identity", "Transfer-Encoding: xchunked"],
)  # fmt: skip
def test_a_length_that_is_in_doubt_is_refused(site: httpx.Client, lines: str) -> None:
    """And whatever stands behind it: nothing is smuggled in past a proxy."""
    statuses = pipelined(site, lines)
    assert len(statuses) == 1
    assert statuses[0] >= b"400"


def test_chunks_outweigh_a_length(site: httpx.Client) -> None:
    """RFC 9112, 6.3: the form ends where its chunks end, and the next request is one."""
    assert pipelined(site, "Content-Length: 4\r\nTransfer-Encoding: chunked") == [b"422", b"200"]
