"""Who gets nothing from the console: other names, other ports, other users, other forms."""

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute

from partner_agent.app import init_agent
from partner_agent.console import app as application
from partner_agent.console.cookie import COOKIE
from partner_agent.console.door import Door
from partner_agent.console.drafts import Draft, Drafts
from partner_agent.console.pages import entry
from partner_agent.console.server import ConsoleRunning, listen, only_one
from partner_agent.console.state import Console
from tests.partner_agent.console.console_world import WORD, Officer, logged, serving

SECRET_COOKIE = "x" * 43


@pytest.fixture(scope="module")
def officer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Officer]:
    """Somebody with an agent and no network."""
    home = tmp_path_factory.mktemp("agent") / "home"
    init_agent(home, "council", "Council", "file", None)
    with serving(home) as found:
        found.enter()
        yield found


def routes(method: str) -> list[str]:
    """Every path of a method that needs a session, with something in the place of each name."""
    return sorted(
        re.sub(r"{[^}]+}", "0" * 32, route.path)
        for router in application.PAGES
        for route in router.routes
        if isinstance(route, APIRoute) and method in (route.methods or ())
    )


def test_the_lists_of_routes_are_not_empty() -> None:
    """What the next tests walk is all there is."""
    assert len(routes("GET")) >= 10
    assert len(routes("POST")) >= 8
    assert {route.path for route in entry.entry.routes} == {"/open"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "host",
    ["localhost", "evil.example", "127.0.0.1", "127.0.0.1:1", "[::1]", "", "127.0.0.1.nip.io"],
)
def test_a_name_that_points_here_is_not_served(officer: Officer, host: str) -> None:
    """DNS rebinding: a page of elsewhere whose name was pointed at 127.0.0.1 reads nothing."""
    answer = officer.http.get("/", headers={"host": host})
    assert answer.status_code in {400, 421}
    assert "csrf" not in answer.text


@pytest.mark.parametrize("path", routes("GET"))
def test_nobody_reads_without_a_session(officer: Officer, path: str) -> None:
    """Another user of the computer who knows even the random word gets no page."""
    for cookies in ({}, {COOKIE: SECRET_COOKIE}):
        answer = httpx.get(officer.base + path, cookies=cookies)
        assert answer.status_code == 403, path
        assert "csrf" not in answer.text


def test_without_the_random_word_there_is_nothing(officer: Officer) -> None:
    """Who knows the port alone learns not even what this is."""
    for path in ("/", "/open", f"/{'0' * 32}/", f"/{WORD}"):
        answer = httpx.get(officer.origin + path, cookies=dict(officer.http.cookies))
        assert answer.status_code in {307, 404}
        assert "hearthlink" not in answer.text
        assert WORD not in answer.text


@pytest.mark.parametrize("path", routes("POST"))
def test_no_form_counts_without_its_token(officer: Officer, path: str) -> None:
    """A form of another page is refused by each route, with a session and without."""
    headers = {"origin": officer.origin}
    with_file = path.startswith("/extracts/new/") or path.endswith("/notice-file")
    if with_file:
        form = {"files": {"file": ("a.csv", b"a,b\n1,2\n")}}
    else:
        form = {"data": {"csrf": "0" * 43}}  # type: ignore[dict-item]
    answer = officer.http.post(path, headers=headers, **form)  # type: ignore[arg-type]
    # forms with files: here is no source and no person; other tests send them with a wrong token
    assert answer.status_code in ({400, 404} if with_file else {403}), path
    assert httpx.post(officer.base + path, headers=headers, **form).status_code == 403  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "http://evil.example"},
        {"sec-fetch-site": "same-site", "origin": "http://127.0.0.1:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_a_page_of_another_port_sends_no_form(officer: Officer, headers: dict[str, str]) -> None:
    """A page of another local program is same-site, and its forms carry the cookie: refused."""
    token = officer.token()
    answer = officer.http.post("/sign-out", data={"csrf": token}, headers=headers)
    assert answer.status_code == 403
    assert officer.http.get("/").status_code == 200  # still signed in


def test_a_page_of_another_port_embeds_nothing(officer: Officer) -> None:
    """Neither as a picture, a script, a frame nor by fetch."""
    for mode, target in (("no-cors", "image"), ("cors", "empty"), ("navigate", "iframe")):
        answer = officer.http.get(
            "/",
            headers={
                "sec-fetch-site": "same-site", "sec-fetch-mode": mode, "sec-fetch-dest": target,
            },
        )  # fmt: skip
        assert answer.status_code == 403, target


def test_every_answer_is_kept_by_no_cache_and_shown_in_no_frame(officer: Officer) -> None:
    """Errors too."""
    for path in ("/", "/nothing", "/tasks/0"):
        headers = officer.http.get(path).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "same-origin"
        assert "server" not in headers


def test_the_cookie_goes_to_no_other_port_and_no_script(officer: Officer) -> None:
    """Its path is the random word: a server on another port is asked for it by nobody."""
    cookie = officer.enter().headers["set-cookie"]
    assert f"Path=/{WORD}/;" in cookie
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Domain" not in cookie


def test_opening_the_link_changes_nothing_until_the_button(officer: Officer) -> None:
    """A scanner that fetches the address does not use the link up."""
    link = officer.running.new_link()
    page = httpx.get(link)
    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert officer.http.get("/").status_code == 200  # the session goes on
    key = link.partition("key=")[2]
    opened = httpx.post(
        f"{officer.base}/open", data={"key": key}, headers={"origin": officer.origin}
    )
    assert opened.status_code == 303
    assert officer.http.get("/").status_code == 403  # and now it has ended
    officer.enter()


def test_no_log_has_the_secret_word_nor_an_address(
    officer: Officer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refusals and failures are told by their route, in the record's own fields too."""
    caplog.set_level("DEBUG")

    def fails(_drafts: Drafts) -> list[Draft]:
        raise ValueError(SECRET_COOKIE)

    assert officer.http.get(f"/extracts/{'0' * 32}").status_code == 404
    monkeypatch.setattr(Drafts, "all", fails)
    assert officer.http.get("/").status_code == 500
    said = logged(caplog)
    assert '"route": "/extracts/{draft}"' in said
    assert '"route": "/"' in said
    for secret in (WORD, "0" * 32, SECRET_COOKIE):
        assert secret not in said


def test_signing_out_ends_the_session(officer: Officer) -> None:
    """The cookie is worth nothing afterwards."""
    cookie = dict(officer.http.cookies)
    officer.post("/sign-out")
    assert httpx.get(f"{officer.base}/", cookies=cookie).status_code == 403
    officer.enter()


def test_it_listens_on_this_computer_alone(officer: Officer) -> None:
    """No other address of the machine has the port."""
    with listen(0) as opened:
        assert opened.getsockname()[0] == "127.0.0.1"
    others = {
        str(found[4][0]) for found in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
    } - {"127.0.0.1"}
    for address in others:
        with socket.socket() as tried:
            tried.settimeout(1)
            assert tried.connect_ex((address, officer.running.port)) != 0


def test_one_console_a_home(tmp_path: Path) -> None:
    """A second one is told so, and the first goes on."""
    with only_one(tmp_path), pytest.raises(ConsoleRunning), only_one(tmp_path):
        pass  # pragma: no cover - never reached
    with only_one(tmp_path):
        pass


def test_a_home_is_needed(tmp_path: Path) -> None:
    """A folder that is no agent's home has no console."""
    from partner_agent.settings import NotSetUpError  # noqa: PLC0415

    with pytest.raises(NotSetUpError):
        Console(tmp_path, Door())
