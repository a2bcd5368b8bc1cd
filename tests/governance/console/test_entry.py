"""The way in, attacked over HTTP with a software authenticator."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from webauthn.helpers import base64url_to_bytes

from governance.canonical import sha256
from governance.console.sessions import COOKIE
from governance.identity.models import Role
from tests.console_world import ConsoleWorld, console_world
from tests.soft_authenticator import PRESENT, SoftAuthenticator


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsoleWorld]:
    """A console."""
    with console_world(tmp_path_factory.mktemp("console"), attempts_at_once=10_000) as found:
        yield found


@pytest.fixture
def browser(world: ConsoleWorld) -> Iterator[httpx.Client]:
    """Nobody's browser."""
    with world.client() as client:
        yield client


def options(answer: httpx.Response) -> Any:
    """What a page asks a passkey for."""
    return json.loads(re.findall(r"application/json[^>]*>(.*?)</script>", answer.text)[0])


def challenge(answer: httpx.Response) -> bytes:
    """The challenge of a page."""
    return base64url_to_bytes(options(answer)["challenge"])


def authenticator(world: ConsoleWorld, **changes: Any) -> SoftAuthenticator:
    """One that is asked by this console's pages."""
    return SoftAuthenticator(**{"site": "localhost", "origin": world.origin} | changes)


def token_of(answer: httpx.Response) -> str | None:
    """The session that an answer hands out."""
    found = re.findall(rf"{COOKIE}=([^;]*)", answer.headers.get("set-cookie", ""))
    return found[0] if found else None


def take_up(
    browser: httpx.Client, token: str, passkey: SoftAuthenticator, **changes: Any
) -> httpx.Response:
    """Follow a link to its end."""
    asked = browser.post("/invitation", data={"code": token})
    if asked.status_code != 200:
        return asked
    made = passkey.registration(challenge(asked), **changes)
    return browser.post("/invitation/passkey", data={"code": token, "answer": json.dumps(made)})


def sign_in(
    browser: httpx.Client, passkey: SoftAuthenticator, page: str = "/sign-in", **fields: str
) -> httpx.Response:
    """Sign in with a passkey."""
    answer = passkey.answer(challenge(browser.get(page)))
    return browser.post("/sign-in", data={"answer": json.dumps(answer)} | fields)


def enrolled(
    world: ConsoleWorld, browser: httpx.Client, role: Role = Role.ANALYST, **changes: Any
) -> SoftAuthenticator:
    """A passkey that signs in."""
    _, token = world.console.accounts.invite(role, "Kim")
    passkey = authenticator(world, **changes)
    assert take_up(browser, token, passkey).status_code == 303
    browser.cookies.clear()
    return passkey


@pytest.mark.invariant(20, "a link that was used, withdrawn, replaced, or never given out")
def test_a_link_works_once(world: ConsoleWorld, browser: httpx.Client) -> None:
    """Used, replaced, revoked or invented, a link opens nothing and says one thing."""
    accounts = world.console.accounts
    account, token = accounts.invite(Role.ANALYST, "Kim")
    assert take_up(browser, token, authenticator(world)).status_code == 303
    _, revoked = accounts.invite(Role.ANALYST, "Lee")
    link = next(each.link for each in accounts.colleagues() if each.account.label == "Lee")
    assert link is not None
    accounts.revoke_link(link)
    replaced = accounts.new_link(account.id)
    accounts.new_link(account.id)
    said = set()
    for dead in (token, revoked, replaced, "x" * 43):
        answer = take_up(browser, dead, authenticator(world))
        assert answer.status_code == 403
        assert token_of(answer) is None
        said.add(re.sub(r"nonce[^\s>]+", "", answer.text))
    assert len(said) == 1


def test_two_browsers_cannot_use_one_link(world: ConsoleWorld, browser: httpx.Client) -> None:
    """Both ask for the passkey, one gets the account."""
    _, token = world.console.accounts.invite(Role.ANALYST, "Kim")
    asked = [browser.post("/invitation", data={"code": token}) for _ in range(2)]
    answers = [authenticator(world).registration(challenge(each)) for each in asked]
    statuses = [
        browser.post(
            "/invitation/passkey", data={"code": token, "answer": json.dumps(each)}
        ).status_code
        for each in answers
    ]
    assert statuses == [303, 403]


def test_a_passkey_is_made_for_its_own_link(world: ConsoleWorld, browser: httpx.Client) -> None:
    """A challenge of another account's link, of signing in, or of another site makes no passkey."""
    _, first = world.console.accounts.invite(Role.ANALYST, "Kim")
    _, second = world.console.accounts.invite(Role.IG_LEAD, "Lee")
    theirs = challenge(browser.post("/invitation", data={"code": first}))
    entry = challenge(browser.get("/sign-in"))
    wrong = [
        authenticator(world).registration(theirs),
        authenticator(world).registration(entry),
        authenticator(world).registration(bytes(56)),
        authenticator(world, origin="https://evil.example").registration(theirs),
        authenticator(world, flags=PRESENT).registration(theirs),
        {"response": {}}, [], {"id": 1, "response": {"clientDataJSON": 7}},
    ]  # fmt: skip
    for answer in wrong:
        sent = {"code": second, "answer": json.dumps(answer)}
        refused = browser.post("/invitation/passkey", data=sent)
        assert refused.status_code == 403
        assert token_of(refused) is None
    assert world.console.accounts.invited(second).label == "Lee"


def test_a_passkey_of_another_account_takes_no_link(
    world: ConsoleWorld, browser: httpx.Client
) -> None:
    """A credential id belongs to one account, whoever presents it again."""
    passkey = enrolled(world, browser)
    _, token = world.console.accounts.invite(Role.IG_LEAD, "Lee")
    assert take_up(browser, token, passkey).status_code == 403


@pytest.mark.invariant(20, "answers of passkeys that do not sign in")
def test_only_a_fresh_answer_of_a_known_passkey_signs_in(
    world: ConsoleWorld, browser: httpx.Client
) -> None:
    """Replayed, of another key, site or challenge, without its owner, or of a closed account."""
    passkey = enrolled(world, browser)
    good = json.dumps(passkey.answer(challenge(browser.get("/sign-in"))))
    assert token_of(browser.post("/sign-in", data={"answer": good}))
    browser.cookies.clear()
    stranger = authenticator(world, credential=passkey.credential)
    elsewhere = authenticator(world, credential=passkey.credential, key=passkey.key,
                              origin="http://localhost")  # fmt: skip
    absent = authenticator(world, credential=passkey.credential, key=passkey.key, flags=PRESENT)
    fresh = challenge(browser.get("/sign-in"))
    wrong = [
        good,
        json.dumps(authenticator(world).answer(fresh)),
        json.dumps(stranger.answer(fresh)),
        json.dumps(elsewhere.answer(fresh)),
        json.dumps(absent.answer(fresh)),
        json.dumps(passkey.answer(bytes(56))),
        json.dumps(passkey.answer(b"short")),
        "{", "[]", "null", json.dumps({"id": "\ud800", "response": {}}),
    ]  # fmt: skip
    for answer in wrong:
        refused = browser.post("/sign-in", data={"answer": answer})
        assert refused.status_code == 403
        assert token_of(refused) is None
    kim = next(each for each in world.console.accounts.colleagues() if each.last_signed_in)
    world.console.accounts.close(kim.account.id)
    assert sign_in(browser, passkey).status_code == 403


def test_a_session_is_made_at_sign_in(world: ConsoleWorld, browser: httpx.Client) -> None:
    """A token that an attacker put into the browser is never a session (fixation)."""
    passkey = enrolled(world, browser)
    browser.cookies.set(COOKIE, "planted")
    assert browser.get("/").status_code == 303
    first = token_of(sign_in(browser, passkey))
    assert first not in {None, "planted"}
    browser.cookies.clear()  # httpx keeps a Secure cookie from plain HTTP, and does not send it
    browser.cookies.set(COOKIE, str(first))
    assert browser.get("/account").status_code == 200
    second = token_of(sign_in(browser, passkey))
    assert second not in {None, first}
    with world.client() as other:
        other.cookies.set(COOKIE, str(first))
        assert other.get("/account").status_code == 303  # the earlier session of this browser ended


def test_each_attempt_is_in_the_audit_log(world: ConsoleWorld, browser: httpx.Client) -> None:
    """A link used, a sign-in, a refused one: who, where somebody is known, and in this order."""
    passkey = enrolled(world, browser)
    sign_in(browser, passkey)
    assert browser.post("/sign-in", data={"answer": "{}"}).status_code == 403
    entries, _ = world.console.audit.entries(0, 3)
    refused, signed_in, used = entries
    assert (refused.route, refused.account, refused.refused) == ("POST /sign-in", None, True)
    assert (signed_in.route, signed_in.label, signed_in.refused) == ("POST /sign-in", "Kim", False)
    assert (used.route, used.account) == ("POST /invitation", signed_in.account)


def test_the_cookie_is_this_hosts_alone(world: ConsoleWorld, browser: httpx.Client) -> None:
    """Not for scripts, not for other sites, not for another path or domain, not over plain HTTP."""
    _, token = world.console.accounts.invite(Role.ANALYST, "Kim")
    cookie = take_up(browser, token, authenticator(world)).headers["set-cookie"]
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert cookie.startswith("__Host-")
    assert parts == {"httponly", "path=/", "samesite=strict", "secure"}


def test_signing_out_ends_the_session(world: ConsoleWorld) -> None:
    """The token opens nothing afterwards, and other sessions stay."""
    account = world.account(Role.ANALYST)
    with world.client(account) as one, world.client(account) as two:
        csrf = re.findall(r'name="csrf" value="([^"]+)"', one.get("/account").text)[0]
        token = one.cookies[COOKIE]
        gone = one.post("/sign-out", data={"csrf": csrf})
        assert gone.status_code == 200
        assert "storage" in gone.headers["clear-site-data"]
        one.cookies.set(COOKIE, token)
        assert one.get("/account").status_code == 303
        assert two.get("/account").status_code == 200


def test_sessions_are_ended_by_their_person_and_by_leads(world: ConsoleWorld) -> None:
    """One, all others, a colleague's; another person's by no form; each is in the audit log."""
    kim, lead = world.account(Role.ANALYST, "Kim"), world.account(Role.IG_LEAD, "Alex")
    mine, second, third = (world.session(kim) for _ in range(3))
    theirs = world.session(lead)
    sessions = world.console.sessions
    form = {"csrf": mine.csrf}
    with world.client() as browser:
        browser.cookies.set(COOKIE, mine.token)
        page = browser.get("/account").text
        ends = set(re.findall(r'action="(/account/sessions/[0-9a-f]{32}/end)"', page))
        assert len(ends) == 2
        assert not [each for each in (mine, second, third) if sha256(each.token.encode()) in page]
        (foreign,) = (each.id for each in sessions.open(theirs))
        (ended,) = (each.id for each in sessions.open(second) if each.this)
        for id_ in (foreign, ended):
            assert browser.post(f"/account/sessions/{id_}/end", data=form).status_code == 303
        assert [sessions.find(each.token) is None for each in (theirs, second, third)] == [
            False, True, False,
        ]  # fmt: skip
        assert browser.post("/account/sessions/end", data=form).status_code == 303
        assert sessions.find(third.token) is None
        assert "nowhere else" in browser.get("/account").text
    with world.client() as browser:
        browser.cookies.set(COOKIE, theirs.token)
        path = f"/people/{kim.id}/sessions/end"
        assert path in browser.get("/people").text
        assert browser.post(path, data={"csrf": theirs.csrf}).status_code == 303
        assert sessions.find(mine.token) is None
        assert path not in browser.get("/people").text
        unknown = browser.post(f"/people/{'0' * 32}/sessions/end", data={"csrf": theirs.csrf})
        assert unknown.status_code == 404
    entries, _ = world.console.audit.entries(0, 20)
    assert (kim.id, "POST /account/sessions/{session}/end", ended) in {
        (each.account, each.route, each.object) for each in entries
    }
    assert (lead.id, "POST /people/{account}/sessions/end", kim.id) in {
        (each.account, each.route, each.object) for each in entries
    }


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/\t/evil.example",
     "javascript:alert(1)", "/x\r\nSet-Cookie: a=b", "evil", "", "/" + "x" * 2_000],
)  # fmt: skip
def test_signing_in_leads_nowhere_else(
    world: ConsoleWorld, browser: httpx.Client, target: str
) -> None:
    """No address of another site, no second header, none too long, by way of ``next``."""
    passkey = enrolled(world, browser)
    page = browser.get("/sign-in", params={"next": target})
    shown = html.unescape(re.findall(r'name="next" value="([^"]*)"', page.text)[0])
    assert shown == "/"
    answer = sign_in(browser, passkey, next=target)
    assert answer.headers["location"] == "/"
    assert "a=b" not in str(answer.headers)


def test_whoever_signs_in_comes_to_the_page_they_wanted(
    world: ConsoleWorld, browser: httpx.Client
) -> None:
    """A page of this console is kept through signing in."""
    passkey = enrolled(world, browser)
    page = browser.get("/account").headers["location"]
    assert page == "/sign-in?next=%2Faccount"
    assert sign_in(browser, passkey, page, next="/account").headers["location"] == "/account"


def test_guessing_is_slow(tmp_path: Path) -> None:
    """After some attempts at once an address has to wait."""
    with console_world(tmp_path, attempts_at_once=3) as world, world.client() as guesser:
        statuses = [
            guesser.post("/invitation", data={"code": f"{number:043}"}).status_code
            for number in range(5)
        ]
    assert statuses[:3] == [403] * 3
    assert statuses[-1] == 429
