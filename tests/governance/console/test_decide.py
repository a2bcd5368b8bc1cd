"""An IG lead decides requests in a real browser, against a real hub, ledger and agent."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from governance.canonical import b64, canonical_bytes, unb64, utc_now, write_time
from governance.consent.models import ConsentKind
from governance.console.pages.decide import views
from governance.console.sessions import COOKIE
from governance.identity.envelope import challenge_of
from governance.identity.models import Role
from governance.oversight.requests import Dossier, dossier
from governance.oversight.state import Overseen
from governance.release.models import APPROVAL, Approval
from linkage_hub.store.tables import requests
from tests.chromium import VirtualAuthenticator, browser_page
from tests.console_world import console_world
from tests.governance.console.test_manager import Office, answer_of, plain
from tests.hub_world import hub_world_in
from tests.partner_agent.releases.test_desk import ask, both_agree, submit_and_link
from tests.soft_authenticator import SoftAuthenticator


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A family that agreed; a second lead of the council, who is signed in and has a passkey."""
    root: Path = tmp_path_factory.mktemp("decide")
    (root / "county").mkdir()
    with hub_world_in(root / "county", plain) as county:
        submit_and_link(county)
        both_agree(county)
        key = county.agents["council"].settings.ledger_key
        with (
            console_world(
                root / "console",
                ledger_url=county.ledger_url,
                ledger_key=key,
                hub_url=county.hub_url,
            ) as console,
            browser_page() as page,
        ):
            VirtualAuthenticator(page, ctap2Version="ctap2_1", hasPrf=True)
            lead = console.account(Role.IG_LEAD, "Alex Lead")
            console.sign_in(page, lead)
            found = Office(county, console, page, lead)
            found.make_keys()
            yield found


def asked(office: Office) -> str:
    """The manager asks about the family; the request's hash, once this console sees it."""
    answer = ask(office.county)
    request: str = answer.json().get("id") or pytest.fail(answer.text)
    office.console.console.outside.refresh(office.manager)
    return request


def choose(office: Office, text: str) -> None:
    """Choose a decision and go on to the page that signs it."""
    office.page.get_by_label(text).check()
    office.press("Continue")
    office.page.get_by_role("button", name="Sign with your passkey").wait_for()


def withdraw(office: Office) -> None:
    """The mother takes her agreement back, at the council."""
    council = office.county.agents["council"]
    handle = council.vault.find("council_records", "A1")[0].hex()
    grant = council.ledger.sync().consents.current("council", handle, ConsentKind.APPROACH)
    assert grant is not None
    council.consents.withdraw([grant.id], utc_now())
    office.console.console.outside.refresh(office.manager)


@pytest.mark.invariant(2, "a request after a withdrawal, on the page of who would approve it")
def test_a_lead_approves_and_refuses(office: Office) -> None:
    """List, everything about one, no choice, a look at a refusal, approval; then a withdrawal."""
    request = asked(office)
    office.go("/decide")
    office.look("decide")
    office.page.locator("main").get_by_role("table").get_by_role("link").click()
    said = office.look("decide-request")
    assert "Every rule that the ledger can show holds now" in said
    assert "whose keys still hold" in said
    assert "Given" in said
    assert "Nobody has asked about this family before" in said
    office.press("Continue")
    assert "Choose what you decide" in office.look("decide-error")
    choose(office, "Refuse: more is asked for than is needed")
    assert "Too much" not in office.look("decide-refusal")  # the reason in words
    office.go(f"/decide/{request}")
    choose(office, "Approve")
    office.look("decide-sign")
    office.press("Sign with your passkey")
    office.page.wait_for_url(f"**/decide/{request}")
    assert "This request was approved" in office.look("decide-approved")
    assert office.county.call("ig_lead", "GET", f"/v1/requests/{request}").json()["state"] == (
        "approved"
    )
    second = asked(office)
    withdraw(office)
    said = office.go(f"/decide/{second}")
    assert "This cannot be approved now" in said
    assert "Withdrawn" in office.look("decide-broken")
    assert office.page.get_by_label("Approve").count() == 0
    said = office.go(f"/decide/{second}/sign?decision=approve.proportionate")
    assert "release.not_approved" in said
    office.go(f"/decide/{second}")
    choose(office, "Refuse: an approach may do harm")
    office.press("Sign with your passkey")
    office.page.wait_for_url(f"**/decide/{second}")
    assert "This request was refused" in office.go(f"/decide/{second}")
    assert second[7:15] not in office.go("/decide")
    both_agree(office.county)  # for the tests beside this one


@pytest.mark.invariant(11, "other members than the request's, shown to a lead", double="lies")
def test_a_lead_is_shown_the_members_that_the_request_names(office: Office) -> None:
    """A hub that shows others shows nothing."""
    request = asked(office)
    view = office.county.call("ig_lead", "GET", f"/v1/requests/{request}").json()
    members = canonical_bytes(view["document"]).replace(b'"adult":true', b'"adult":false')
    with office.corrupted(requests, requests.c.id == request, document=members):
        said = office.go(f"/decide/{request}")
    assert "not those that the request names" in said
    assert office.page.locator("dl").count() == 0


@pytest.mark.invariant(7, "a decision that came back signed by another, or about another request")
def test_a_form_brings_only_what_the_lead_signed_for_it(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's passkey, no form, and a decision about another request change nothing."""
    request, console = asked(office), office.console
    keys = console.console.outside.enrolled(office.manager).keys
    approval = canonical_bytes(decision(request))
    stranger = SoftAuthenticator(site="localhost", origin=console.origin)
    signed = stranger.assertion(keys.thumbprint, challenge_of(APPROVAL, approval))
    session = console.session(office.manager)
    forms: list[dict[str, str]] = [
        {"document": b64(approval), "signature": answer_of(signed)},
        {"document": b64(approval), "signature": json.dumps({})},
        {"document": b64(approval)},
        {},
    ]
    with console.client() as client:
        client.cookies[COOKIE] = session.token
        with monkeypatch.context() as patch:  # revoked, which neither copy nor hub say yet
            patch.setattr(console.console.outside, "refresh", lambda *_: False)
            answer = client.post(f"/decide/{request}", data={"csrf": session.csrf, **forms[0]})
            assert (answer.status_code, "or no longer" in answer.text) == (409, True)
        for form in forms:
            answer = client.post(f"/decide/{request}", data={"csrf": session.csrf, **form})
            assert answer.status_code in (400, 403, 422), answer.text
        assert client.post(f"/decide/{request}", data=forms[0]).status_code == 403  # no token
        assert client.get("/decide/sha256:12").status_code in (400, 404, 422)
    view = office.county.call("ig_lead", "GET", f"/v1/requests/{request}").json()
    assert view["state"] == "waiting_for_approval"


@pytest.mark.invariant(7, "a ledger that grows between the judgement and the signature")
def test_a_decision_names_the_ledger_in_which_it_was_judged(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An agreement that is taken back while the page is made is not in what the page has signed."""
    request, judged = asked(office), []
    choices = views._choices

    def noted(state: Overseen, *args: Any) -> Dossier:
        judged.append(state.size)
        return dossier(state, *args)

    def late(found: Dossier) -> list[views.Choice]:
        withdraw(office)
        return choices(found)

    monkeypatch.setattr(views, "dossier", noted)
    monkeypatch.setattr(views, "_choices", late)
    with office.console.client(office.manager) as client:
        page = client.get(f"/decide/{request}/sign?decision=approve.proportionate").text
    data = json.loads(re.findall(r"application/json[^>]*>(.*?)</script>", page)[0])
    approval = Approval.model_validate_json(unb64(data["payload"]))
    assert [approval.checkpoint.size] == judged
    assert office.console.console.outside.ledger.state.size > judged[0]
    both_agree(office.county)


def decision(request: str) -> Approval:
    """An approval of a request."""
    data: dict[str, Any] = {
        "request": request,
        "decision": "approve",
        "reason": "proportionate",
        "checkpoint": {"size": 1, "root": b64(bytes(32))},
        "created": write_time(utc_now()),
    }
    return Approval.model_validate(data)
