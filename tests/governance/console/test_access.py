"""The table of who may open what is the console's whole interface."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from governance.console import access, sessions
from governance.console.access import ACCESS, ANYONE, place
from governance.console.app import serve
from governance.identity.models import Role
from tests.console_world import ConsoleWorld, console_world

TABLE = Path(__file__).resolve().parents[3] / "docs/consoles.md"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleWorld]:
    """A console, whose callers may be as fast as a test."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(access, "_PAGES_AT_ONCE", 10_000)
        with console_world(tmp_path_factory.mktemp("console")) as found:
            yield found


@pytest.fixture(scope="module")
def callers(world: ConsoleWorld) -> Iterator[dict[str, httpx.Client]]:
    """Somebody of each role, and nobody."""
    found: dict[str, httpx.Client] = {
        role.value: world.client(world.account(role)) for role in Role
    } | {ANYONE: world.client()}
    yield found
    for client in found.values():
        client.close()


def routes(world: ConsoleWorld) -> set[str]:
    """What the application answers, as the table spells it."""
    return {
        f"{method.upper()} {path}"
        for path, methods in world.app.openapi()["paths"].items()
        for method in methods
    }


def test_the_table_lists_every_route(world: ConsoleWorld) -> None:
    """No route is outside the table, and the table names no other."""
    assert routes(world) == set(ACCESS)


def test_the_documentation_prints_the_table() -> None:
    """docs/consoles.md has each route with exactly the roles that may open it."""
    lines = re.findall(
        r"^\| `([A-Z]+ /[^`]*)` \| ([^|]+) \|$", TABLE.read_text("utf-8"), re.MULTILINE
    )
    printed = {route: frozenset(who.strip().split(", ")) for route, who in lines}
    assert printed == {route: frozenset(map(str, who)) for route, who in ACCESS.items()}


@pytest.mark.invariant(20, "every page of the console as every caller")
def test_every_caller_is_refused_what_the_table_does_not_give(
    world: ConsoleWorld, callers: dict[str, httpx.Client]
) -> None:
    """Each route, each role and nobody: let in exactly where the table says so."""
    for route, allowed in ACCESS.items():
        method, path = route.split(" ")
        concrete = re.sub(r"\{[^}]+\}", "0" * 32, path)
        for who, client in callers.items():
            answer = client.request(method, concrete)
            case = (route, who, answer.status_code)
            if ANYONE in allowed:
                assert "console.role" not in answer.text, case
                assert not answer.headers.get("location", "").startswith("/sign-in?"), case
            elif who == ANYONE:
                assert answer.status_code == 303, case
                assert answer.headers["location"].startswith("/sign-in?next="), case
            else:
                refused = answer.status_code == 403 and "console.role" in answer.text
                assert refused == (who not in allowed), case
    refusals = [each for each in world.console.audit.entries(0, 1_000)[0] if each.refused]
    assert len(refusals) > 10


def refusals(world: ConsoleWorld) -> list[tuple[str | None, str]]:
    """Whose requests were refused, of which routes."""
    entries, _ = world.console.audit.entries(0, 1_000)
    return [(each.account, each.route) for each in entries if each.refused]


def test_refusals_are_counted_and_written_down(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page of another role, and a form of elsewhere, take from what an account may ask."""
    monkeypatch.setattr(access, "_PAGES_AT_ONCE", 3)
    monkeypatch.setattr(access, "_PAGES_PER_SECOND", 0.001)
    with console_world(tmp_path, attempts_at_once=2) as world:
        account = world.account(Role.ANALYST)
        with world.client(account) as client, world.client() as nobody:
            assert client.post("/account/sessions/end").status_code == 403
            statuses = [client.get("/people").status_code for _ in range(3)]
            assert statuses == [403, 403, 429]
            pages = [(account.id, "GET /people")] * 2
            assert refusals(world) == [*pages, (account.id, "POST /account/sessions/end")]
            code = {"code": "x" * 43}
            assert nobody.post("/invitation", data=code).status_code == 403
            assert nobody.post("/invitation", data=code).status_code == 403
            assert nobody.get("/openid/callback").status_code == 429
            assert refusals(world)[:2] == [(None, "POST /invitation")] * 2


def test_access_is_given_and_taken_by_who_has_just_signed_in(
    world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever finds a computer open invites, re-links, ends and closes nothing; pages are there."""
    lead, other = world.account(Role.IG_LEAD), world.account(Role.ANALYST, "Kim")
    session = world.session(other)
    with world.client(lead) as client:
        csrf = re.findall(r'name="csrf" value="([^"]+)"', client.get("/people/invite").text)[0]
        monkeypatch.setattr(sessions, "RECENT", timedelta(0))
        for route in access.RECENT:
            method, path = route.split(" ")
            path = path.replace("{account}", other.id).replace("{session}", "0" * 32)
            answer = client.request(
                method, path, data={"csrf": csrf, "label": "x", "role": "analyst"}
            )
            assert answer.status_code == 303, route
            back = path if method == "GET" else f"/{path.split('/')[1]}"
            assert answer.headers["location"] == f"/sign-in?{urlencode({'next': back})}&again=true"
        assert client.get("/people").status_code == 200
        assert "Sign in once more" in client.get(answer.headers["location"]).text
    (kim,) = [each for each in world.console.accounts.colleagues() if each.account == other]
    assert kim.account.closed is None
    assert world.console.sessions.find(session.token)
    assert not [each for each in world.console.accounts.colleagues() if each.account.label == "x"]


def test_addresses_hold_ids_and_nothing_else(callers: dict[str, httpx.Client]) -> None:
    """What is no id or hash is no page, and is not asked of anybody."""
    for route, allowed in ACCESS.items():
        method, path = route.split(" ")
        if method == "GET" and "{" in path:
            answer = callers[str(next(iter(allowed)))].get(re.sub(r"\{[^}]+\}", "Jane", path))
            assert answer.status_code == 404, route


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", ""),
        ("192.0.2.7, 192.0.2.8", ""),
        ("", ""),
    ],
)
def test_attempts_are_counted_by_place(host: str, counted: str) -> None:
    """Who has a whole subnet, or makes addresses up, has no more attempts than others."""
    assert place(host) == counted


def test_what_changes_something_needs_the_sessions_token(
    world: ConsoleWorld, callers: dict[str, httpx.Client]
) -> None:
    """Each form, sent by its own role without a token, or with that of another session."""
    other = world.session(world.account(Role.IG_LEAD)).csrf
    forms = [route for route, who in ACCESS.items() if route[:4] == "POST" and ANYONE not in who]
    assert len(forms) > 3
    for route in forms:
        path = re.sub(r"\{[^}]+\}", "0" * 32, route.removeprefix("POST "))
        who = next(iter(ACCESS[route]))
        for token in ({}, {"csrf": ""}, {"csrf": other}, {"csrf": "ü"}):
            answer = callers[str(who)].post(path, data=token)
            assert answer.status_code == 403, route
            assert "console.form" in answer.text, route


def test_nothing_is_served_beside_the_table(callers: dict[str, httpx.Client]) -> None:
    """No description of the interface for strangers, no folder, nothing of a repository."""
    for path in (
        "/docs",
        "/redoc",
        "/openapi.json",
        "/static",
        "/static/",
        "/.git/config",
        "/metrics",
    ):
        assert callers[ANYONE].get(path).status_code == 404, path


@pytest.mark.parametrize("proxies", [(), ("192.0.2.1",)])
def test_only_the_named_proxy_says_whose_request_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proxies: tuple[str, ...]
) -> None:
    """Without one nobody's ``X-Forwarded-For`` is read; the server's name is in no answer."""
    given: list[dict[str, Any]] = []

    def run(guard: Any, **options: Any) -> None:
        guard._app.state.console.close()
        given.append(options)

    monkeypatch.setattr("governance.console.app.uvicorn.run", run)
    monkeypatch.setattr("governance.console.app.log_to_stderr", lambda: None)
    with console_world(tmp_path, proxies=proxies):
        pass
    serve(tmp_path, None, None)
    (options,) = given
    assert options["proxy_headers"] is bool(proxies)
    assert options["forwarded_allow_ips"] == list(proxies)
    assert options["server_header"] is False


def test_every_page_signs_out(callers: dict[str, httpx.Client]) -> None:
    """Pages of each role, refusals among them, have the button where everybody looks."""
    for role in Role:
        for path in ("/", "/account", "/keys/new", "/people", "/nothing-of-this-name"):
            text = callers[role.value].get(path).text
            assert text.count('action="/sign-out"') == (path != "/nothing-of-this-name"), path
