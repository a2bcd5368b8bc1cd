"""Signing in by the organisation's OpenID provider over real HTTP, honest or lying."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey, OctKey

from governance.canonical import utc_now
from governance.console import openid
from governance.console.errors import OpenIdUnavailable
from governance.console.sessions import COOKIE
from governance.identity.models import Role
from tests.browsing import check_page, screenshot, served
from tests.chromium import browser_page
from tests.console_world import ConsoleWorld, console_world
from tests.openid_provider import Provider

AGAIN = "/sign-in?next=/people&again=true"
ELSEWHERE = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


@contextmanager
def offices(home: Path) -> Iterator[tuple[Provider, ConsoleWorld]]:
    """A provider and a console that uses it."""
    found: list[Provider] = []

    def make(origin: str) -> Any:
        found.append(Provider(origin))
        return found[0].app()

    with served(make) as issuer:
        secret = home / "openid.secret"
        secret.write_text(found[0].secret)
        with console_world(
            home / "console",
            openid_issuer=issuer,
            openid_client="console",
            openid_secret_file=secret,
            attempts_at_once=10_000,
        ) as world:
            yield found[0], world


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Provider, ConsoleWorld]]:
    """One of both for the module."""
    with offices(tmp_path_factory.mktemp("openid")) as found:
        yield found


def begin(client: httpx.Client, link: str = "", page: str = "/sign-in") -> tuple[str, str]:
    """Load the page that leads to the provider: its address, and what the browser keeps."""
    found = client.post("/invitation", data={"code": link}) if link else client.get(page)
    assert found.status_code == 200
    address = re.findall(r'href="(http[^"]+/authorize[^"]+)"', found.text)[0].replace("&amp;", "&")
    kept = re.findall(rf"{openid.COOKIE}=\"?([^;\"]+)", found.headers["set-cookie"])[0]
    assert "samesite=lax" in found.headers["set-cookie"].lower()
    return address, kept


def come_back(client: httpx.Client, address: str, kept: str, **changes: str) -> httpx.Response:
    """Be sent back by the provider."""
    location = httpx.get(address).headers["location"]
    back = httpx.URL(location)
    back = back.copy_merge_params(changes)
    headers = ELSEWHERE | {"Cookie": f"{openid.COOKIE}={kept}"}
    return client.get(back.raw_path.decode(), headers=headers)


def session(answer: httpx.Response) -> bool:
    """Whether an answer begins one."""
    return any(f"{COOKIE}=" in each for each in answer.headers.get_list("set-cookie"))


def token_of(answer: httpx.Response) -> str:
    """The token of the session that an answer begins."""
    kept = ", ".join(answer.headers.get_list("set-cookie"))
    return str(re.findall(rf"{COOKIE}=([^;]+)", kept)[0])


def bound(world: ConsoleWorld, provider: Provider, subject: str) -> None:
    """An account for a subject."""
    _, link = world.console.accounts.invite(Role.ANALYST, "Kim")
    provider.subject = subject
    with world.client() as client:
        answer = come_back(client, *begin(client, link))
    assert answer.status_code == 200, answer.text
    assert session(answer)


@pytest.mark.invariant(20, "what an OpenID provider or its network may say wrongly")
def test_only_what_the_provider_signed_for_this_browser_signs_in(
    office: tuple[Provider, ConsoleWorld],
) -> None:
    """Each claim, the key, the algorithm, state, issuer, cookie and code, wrong one at a time."""
    provider, world = office
    bound(world, provider, "staff-1")
    with world.client() as client:
        lies: list[dict[str, Any]] = [
            {"aud": "other"}, {"aud": ["console", "other"]}, {"aud": None},
            {"iss": "https://evil.example"}, {"iss": None}, {"nonce": "other"}, {"nonce": None},
            {"exp": 1}, {"exp": None}, {"sub": None}, {"sub": ""}, {"sub": 7}, {"sub": "x" * 256},
            {"sub": "nobody"}, {"iat": 32_503_680_000}, {"azp": "other"},
        ]  # fmt: skip
        for lie in lies:
            provider.lies = lie
            answer = come_back(client, *begin(client))
            assert answer.status_code == 403, lie
            assert not session(answer)
        provider.lies = {}
        provider.published = ECKey.generate_key("P-256", {"kid": "one"})
        assert come_back(client, *begin(client)).status_code == 403
        provider.published = None
        honest = provider.key
        provider.key, provider.published = OctKey.import_key(provider.secret * 2), honest
        provider.algorithm = "HS256"
        assert come_back(client, *begin(client)).status_code == 403
        provider.key, provider.published, provider.algorithm = honest, None, "ES256"
        address, kept = begin(client)
        other = begin(client)[1]
        assert come_back(client, address, other).status_code == 403
        assert come_back(client, address, "garbage").status_code == 403
        assert come_back(client, address, kept, state="other").status_code == 403
        assert come_back(client, address, kept, iss="https://evil.example").status_code == 403
        assert come_back(client, address, kept, code="other").status_code == 403
        assert come_back(client, address, kept, code="").status_code == 403
        answer = come_back(client, address, kept)
        assert session(answer)


def test_a_code_is_redeemed_with_the_browsers_own_proof(
    office: tuple[Provider, ConsoleWorld],
) -> None:
    """A code that was given to another browser is worth nothing in this one, nor is it twice."""
    provider, world = office
    bound(world, provider, "staff-2")
    with world.client() as client:
        address, kept = begin(client)
        victim = httpx.URL(httpx.get(begin(client)[0]).headers["location"]).params["code"]
        assert come_back(client, address, kept, code=victim).status_code == 403
        assert provider.asked[-1]["code_challenge_method"] == "S256"


def test_a_subject_has_one_account(office: tuple[Provider, ConsoleWorld]) -> None:
    """A link binds once; who is bound takes no second account; closed and re-invited follow."""
    provider, world = office
    accounts = world.console.accounts
    bound(world, provider, "staff-3")
    _, second = accounts.invite(Role.IG_LEAD, "Alex")
    with world.client() as client:
        assert come_back(client, *begin(client, second)).status_code == 403
        provider.subject = "staff-4"
        assert session(come_back(client, *begin(client, second)))
        assert client.post("/invitation", data={"code": second}).status_code == 403
        alex = next(each.account for each in accounts.colleagues() if each.account.label == "Alex")
        renewed = accounts.new_link(alex.id)
        provider.subject = "staff-5"
        assert session(come_back(client, *begin(client, renewed)))
        provider.subject = "staff-4"
        assert come_back(client, *begin(client)).status_code == 403


@pytest.mark.invariant(20, "signing in anew by an old session of the OpenID provider")
def test_signing_in_again_is_believed_by_when_the_provider_asked(
    office: tuple[Provider, ConsoleWorld],
) -> None:
    """Too long ago, in the future, not told, no number; a browser that leaves the asking out."""
    provider, world = office
    bound(world, provider, "staff-6")
    now = int(utc_now().timestamp())
    with world.client() as client:
        assert "prompt=select_account" in client.get("/sign-in").text
        assert "Sign in once more" in client.get(AGAIN).text
        refused = {
            now - 601: "ask you to sign in anew",
            None: "auth_time",
            now + 600: "confirm",
            True: "confirm", "now": "confirm", -1: "confirm", 1e300: "confirm",
        }  # fmt: skip
        for told, said in refused.items():
            provider.lies = {"auth_time": told}
            answer = come_back(client, *begin(client, page=AGAIN))
            assert answer.status_code == 403, told
            assert said in answer.text, told
            assert not session(answer)
        provider.lies = {}
        address, kept = begin(client, page=AGAIN)
        assert {"prompt=login", "max_age=600"} < set(re.split("[?&]", address))
        answer = come_back(client, address.replace("&max_age=600", ""), kept)
        assert "auth_time" in answer.text
        for told, recent in ((now - 540, True), (now - 601, False), (None, False)):
            provider.lies = {"auth_time": told}
            page = AGAIN if recent else "/sign-in"
            answer = come_back(client, *begin(client, page=page))
            found = world.console.sessions.find(token_of(answer))
            assert found is not None
            assert found.recent is recent, told
        provider.lies = {}


def test_a_sign_in_of_another_context_is_refused(office: tuple[Provider, ConsoleWorld]) -> None:
    """Where settings name what a provider must vouch for, one factor alone is not enough."""
    provider, world = office
    bound(world, provider, "staff-7")
    known = world.console.openid
    assert known is not None
    known._contexts = ("two", "three")
    with world.client() as client:
        for told, status in (("one", 403), (None, 403), (["two"], 403), ("three", 200)):
            provider.lies = {"acr": told}
            address, kept = begin(client)
            assert "acr_values=two+three" in address
            answer = come_back(client, address, kept)
            assert answer.status_code == status, told
            assert ("second factor" in answer.text) is (status == 403)
    known._contexts, provider.lies = (), {}


def test_passkeys_do_not_sign_in_beside_a_provider(office: tuple[Provider, ConsoleWorld]) -> None:
    """Who is shut out at the provider is shut out here."""
    _, world = office
    _, link = world.console.accounts.invite(Role.ANALYST, "Lee")
    with world.client() as client:
        assert client.post("/sign-in", data={"answer": "{}"}).status_code in {200, 403}
        made = client.post("/invitation/passkey", data={"code": link, "answer": "{}"})
        assert made.status_code == 403
        assert "own sign-in is used here" in made.text


def test_a_provider_that_is_away_or_another_is_told(tmp_path: Path) -> None:
    """Another issuer, an address without TLS, a 404: the page says which, and does not ask anew."""
    with offices(tmp_path) as (provider, world), world.client() as client:
        known = world.console.openid
        assert known is not None
        wrong = {
            "issuer": ("https://evil.example", "another issuer"),
            "authorization_endpoint": ("http://evil.example/authorize", "no HTTPS address"),
            "token_endpoint": (None, "no HTTPS address as token_endpoint"),
        }
        for name, (value, said) in wrong.items():
            known._failed = None
            provider.described = {name: value}
            answer = client.get("/sign-in")
            assert answer.status_code == 503
            assert "console.openid" in answer.text
            assert said in answer.text
        provider.described = {}
        assert "token_endpoint" in client.get("/sign-in").text  # remembered
        known._failed = None
        bound(world, provider, "staff-1")
        for name in ("token_endpoint", "jwks_uri"):
            provider.described = {name: f"{provider.issuer}/nowhere"}
            known._known = None
            answer = come_back(client, *begin(client))
            assert answer.status_code == 503
            assert "HTTP status 404" in answer.text


def test_one_visitor_at_a_time_waits_for_the_provider(
    office: tuple[Provider, ConsoleWorld],
) -> None:
    """While its description is asked for, others are told at once, or sent on by the last one."""
    _, world = office
    provider = world.console.openid
    assert provider is not None
    before, provider._known = provider._known, None
    with provider._asking:
        with pytest.raises(OpenIdUnavailable, match="at this moment"):
            provider.begin("/")
        provider._known = -openid._KNOWN_FOR, {"authorization_endpoint": "https://a.example"}
        assert provider.begin("/")[0].startswith("https://a.example?")
    provider._known = before


def test_few_at_a_time_wait_for_their_code(office: tuple[Provider, ConsoleWorld]) -> None:
    """Others are told when to come back, and their code is good still."""
    provider, world = office
    bound(world, provider, "staff-8")
    known = world.console.openid
    assert known is not None
    with world.client() as client:
        address, kept = begin(client)
        with ExitStack() as stack:
            for number in range(openid._AT_ONCE):
                stack.enter_context(known._one_of_few(f"192.0.2.{number}"))
            location = httpx.URL(httpx.get(address).headers["location"]).raw_path.decode()
            headers = ELSEWHERE | {"Cookie": f"{openid.COOKIE}={kept}"}
            answer = client.get(location, headers=headers)
            assert answer.status_code == 503
            assert answer.headers["retry-after"] == "10"
            assert "too many are waiting" in answer.text
        assert session(client.get(location, headers=headers))


def test_one_address_takes_half_of_the_places(office: tuple[Provider, ConsoleWorld]) -> None:
    """Whoever keeps as many waiting as one may leaves places to others, and gets theirs back."""
    _, world = office
    known = world.console.openid
    assert known is not None
    with ExitStack() as stack:
        for _ in range(openid._AT_ONCE // 2):
            stack.enter_context(known._one_of_few("192.0.2.1"))
        with pytest.raises(OpenIdUnavailable, match="too many"), known._one_of_few("192.0.2.1"):
            pass
        for number in range(2, 2 + openid._AT_ONCE // 2):
            stack.enter_context(known._one_of_few(f"192.0.2.{number}"))
        with pytest.raises(OpenIdUnavailable, match="too many"), known._one_of_few("192.0.2.99"):
            pass
    with known._one_of_few("192.0.2.1"):
        assert known._redeeming.total() == 1
    assert not known._redeeming


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://localhost:9/token", "no answer"),
        ("https://localhost:port/token", "one of its addresses is none"),
    ],
)
@pytest.mark.parametrize("away", [False, True])
@pytest.mark.invariant(20, "a code about which the provider is silent, to keep others out")
def test_nobody_waits_for_a_provider_that_is_silent_about_itself(
    office: tuple[Provider, ConsoleWorld], address: str, said: str, *, away: bool
) -> None:
    """Silent about one code, it is asked for its description, and others sign in, or are told."""
    _, world = office
    known = world.console.openid
    assert known is not None
    issuer = known.issuer
    silent = said == "no answer"
    with world.client() as client:
        coming = [begin(client) for _ in range(3)]
        assert known._known is not None
        known._known = known._known[0], known._known[1] | {"token_endpoint": address}
        answer = come_back(client, *coming[0])
        assert (answer.status_code, said in answer.text) == (503, True)
        assert known._failed is None
        if not silent:
            known._known = None
        if away:
            known.issuer = "http://localhost:9"
            assert "no answer" in come_back(client, *coming[1], iss=known.issuer).text
            assert known._failed is not None
            assert client.get("/sign-in").status_code == 503
        else:
            assert session(come_back(client, *coming[1]))
    known.issuer, known._failed = issuer, None


def test_signing_in_works_without_scripts(office: tuple[Provider, ConsoleWorld]) -> None:
    """The whole way in a browser that has them off: a link first, then sign out and in."""
    provider, world = office
    provider.subject = "staff-9"
    _, link = world.console.accounts.invite(Role.IG_LEAD, "Robin Lead")
    with browser_page() as page:
        browser = page.context.browser
        assert browser is not None
        plain = browser.new_context(java_script_enabled=False).new_page()
        plain.goto(f"{world.origin}/invitation")
        plain.fill("#code", link)
        plain.click("text=Continue")
        assert "Robin Lead" in plain.inner_text("main")
        plain.click("main >> text=Continue >> nth=-1")
        plain.wait_for_url("**/account")
        assert "Robin Lead" in plain.inner_text("main")
        plain.click("header >> text=Sign out")
        page.goto(f"{world.origin}/people")
        check_page(page)
        screenshot(page, "console-sign-in-openid")
        plain.goto(f"{world.origin}/people")
        plain.click("text=Sign in with your organisation")
        plain.wait_for_url("**/people")
        assert "Robin Lead (you)" in plain.inner_text("main")
