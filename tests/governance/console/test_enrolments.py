"""From a colleague's keys, made in a browser, to the ledger: with a real ledger and agent."""

import json
import os
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from governance.canonical import b64, canonical_bytes, utc_now, write_time
from governance.console.console import Console
from governance.console.enrolments import Enrolments as Laid
from governance.console.errors import NoEnrolments, NotEnrolled
from governance.identity.envelope import challenge_of, sign
from governance.identity.keys import SealingKey
from governance.identity.models import (
    PERSON_ENROLMENT,
    PERSON_KEYS,
    PersonEnrolment,
    PersonKeys,
    Role,
    publish_person_keys,
)
from governance.ledger.events import EventType
from governance.ledger.payloads import PersonEnrolled
from partner_agent.enrolments import Enrolments
from tests.browsing import check_page, screenshot
from tests.chromium import VirtualAuthenticator, browser_page
from tests.console_world import ConsoleWorld, console_world
from tests.governance.world import Staff
from tests.hub_world import HubWorld
from tests.soft_authenticator import SoftAuthenticator


def make_keys(page: Page, world: ConsoleWorld) -> None:
    """Make the keys of whoever is signed in."""
    page.goto(f"{world.origin}/keys/new")
    page.get_by_role("button", name="Make my keys").click()
    page.get_by_role("heading", name="Sign your new keys").wait_for()
    page.get_by_role("button", name="Sign with your passkey").click()
    page.wait_for_url("**/keys")


def test_a_lead_confirms_and_the_agent_logs(  # noqa: PLR0915 - one story
    hub_world: HubWorld, tmp_path: Path
) -> None:
    """The first lead by the party's own key; a manager by the lead's passkey; then hub and all."""
    with (
        console_world(
            tmp_path,
            ledger_url=hub_world.ledger_url,
            ledger_key=str(hub_world.hub.ledger.log_key),
            hub_url=hub_world.hub_url,
            party="police",  # whose first lead is not in the ledger yet
        ) as world,
        browser_page() as page,
    ):
        police = hub_world.agents["police"]
        desk = Enrolments(tmp_path / "enrolments", police.ledger, "police")
        lead = world.account(Role.IG_LEAD, "Alex Lead")
        manager = world.account(Role.SERVICE_MANAGER, "Sam Manager")
        VirtualAuthenticator(page, ctap2Version="ctap2_1", hasPrf=True)
        world.sign_in(page, lead)
        make_keys(page, world)
        page.goto(f"{world.origin}/enrolments")
        assert "knows no information-governance lead" in page.inner_text("main")
        assert page.locator("main table a").count() == 0
        check_page(page)
        (own,) = world.console.keys.documents(lead)
        keys = police.secrets
        enrolment = PersonEnrolment(
            keys=own.keys.thumbprint, role=lead.role, party="police", created=write_time(utc_now())
        )
        by_party = sign(PERSON_ENROLMENT, enrolment, keys.signing_key, keys.keys.thumbprint)
        payload = PersonEnrolled(keys=own.envelope, enrolment=by_party)
        police.ledger.write(EventType.PERSON_ENROLLED, payload)

        world.sign_in(page, manager)
        make_keys(page, world)
        world.sign_in(page, lead)
        page.goto(f"{world.origin}/enrolments")
        assert "Waiting for you" in page.inner_text("main")
        check_page(page)
        known = world.console.outside.ledger.state.identities.people[own.keys.thumbprint]
        known.vouched_by = ("council", "nhs")  # as if each lead before this one had been revoked
        page.reload()
        assert "council, nhs" in page.inner_text("main")
        check_page(page)
        screenshot(page, "console-enrolments-outside")
        known.vouched_by = ()
        page.reload()
        screenshot(page, "console-enrolments")
        page.click("main table a")
        page.get_by_role("button", name="Sign with your passkey").wait_for()
        (made,) = world.console.keys.documents(manager)
        assert made.keys.thumbprint in page.inner_text("main")
        assert page.text_content("main .app-groups") == made.keys.thumbprint
        check_page(page)
        screenshot(page, "console-enrolment-confirm")
        page.get_by_role("button", name="Sign with your passkey").click()
        page.wait_for_url("**/enrolments")
        assert "waiting for the agent" in page.inner_text("main")
        with pytest.raises(NotEnrolled):
            world.console.outside.enrolled(manager)
        assert desk.log_all() == 1
        page.reload()
        assert "No keys are waiting" in page.inner_text("main")
        world.console.outside.refresh(lead)
        assert world.console.outside.enrolled(manager).keys == made.keys


@pytest.fixture
def lead(hub_world: HubWorld) -> Staff:
    """The council's lead, whose keys hold a passkey."""
    staff = Staff("council", Role.IG_LEAD, "f" * 32)
    staff.authenticator = SoftAuthenticator()
    enrolment = PersonEnrolment(
        keys=staff.keys.thumbprint, role=staff.role, party="council", created=write_time(utc_now())
    )
    signed = hub_world.staff["ig_lead"].sign(PERSON_ENROLMENT, enrolment)
    payload = PersonEnrolled(keys=staff.published(), enrolment=signed)
    hub_world.agents["council"].ledger.write(EventType.PERSON_ENROLLED, payload)
    return staff


def waiting_keys(console: Console, own: str) -> PersonKeys:
    """Keys of an account that nobody has confirmed."""
    account = console.accounts.account(own)
    signing, passkey = console.outside.key_for_new(account), SoftAuthenticator()
    keys = PersonKeys(
        person=own,
        party="council",
        role=account.role,
        signing=b64(signing.public),
        sealing=b64(SealingKey.generate().public),
        created=account.created,
        passkey=passkey.passkey,
    )
    challenge = challenge_of(PERSON_KEYS, canonical_bytes(keys))
    assertion = passkey.assertion(keys.thumbprint, challenge)
    console.keys.add(account, publish_person_keys(keys, signing, assertion), None)
    return keys


@pytest.mark.invariant(20, "forms that confirm other keys, another role, or by another's passkey")
def test_only_what_the_lead_signed_is_laid_down(
    hub_world: HubWorld, lead: Staff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other keys, role, party or time, another signature, revoked: nothing is laid down."""
    with console_world(
        tmp_path,
        ledger_url=hub_world.ledger_url,
        ledger_key=str(hub_world.hub.ledger.log_key),
    ) as world:
        own = world.account(Role.IG_LEAD, staff=lead)
        sam = waiting_keys(world.console, world.account(Role.SERVICE_MANAGER, "Sam").id)
        kim = waiting_keys(world.console, world.account(Role.ANALYST, "Kim").id)
        session = world.session(own)
        good = PersonEnrolment(
            keys=sam.thumbprint, role=sam.role, party="council", created=write_time(utc_now())
        )
        with world.client() as client:
            client.cookies.set("__Host-console", session.token)

            def post(signed: PersonEnrolment, by: SoftAuthenticator) -> httpx.Response:
                data = canonical_bytes(signed)
                answer = by.answer(challenge_of(PERSON_ENROLMENT, data))
                form = {
                    "csrf": session.csrf,
                    "document": b64(data),
                    "signature": json.dumps(answer),
                }
                return client.post(f"/enrolments/{sam.thumbprint}", data=form)

            assert lead.authenticator is not None
            wrong: list[dict[str, object]] = [
                {"keys": kim.thumbprint},
                {"role": Role.IG_LEAD},
                {"party": "police"},
                {"created": "2026-01-01T00:00:00Z"},
                {"in_place_of": kim.thumbprint},
            ]
            for change in wrong:
                refused = post(good.model_copy(update=change), lead.authenticator)
                assert refused.status_code == 403, change
            assert post(good, SoftAuthenticator()).status_code == 403
            with monkeypatch.context() as patch:  # revoked, which the copy does not say yet
                patch.setattr(world.console.outside, "refresh", lambda *_: False)
                refused = post(good, lead.authenticator)
                assert (refused.status_code, "or no longer" in refused.text) == (409, True)
            assert not list((tmp_path / "enrolments").iterdir())
            by_file = world.account(Role.IG_LEAD, staff=hub_world.staff["ig_lead"])
            with world.client(by_file) as other:
                told = other.get(f"/enrolments/{sam.thumbprint}")
            assert (told.status_code, "governance person countersign" in told.text) == (403, True)
            assert client.get("/enrolments/sha256:..%2f..%2fx").status_code == 404
            assert post(good, lead.authenticator).status_code == 303
            assert post(good, lead.authenticator).status_code == 409
        desk = Enrolments(tmp_path / "enrolments", hub_world.agents["council"].ledger, "council")
        assert desk.log_all() == 1
        with world.client(own) as client:
            for each in world.console.outside.ledger.state.identities.people.values():
                each.revoked_at = 0 if each.keys.party == "council" else each.revoked_at
            said = client.get("/enrolments").text
        assert "have been revoked" in said  # and nothing of a first lead, whom there was
        assert "download their public half" in said
        assert "vouches for them" not in said


def test_the_agents_user_may_read_what_is_laid_down(lead: Staff, tmp_path: Path) -> None:
    """In an operator's folder, whatever the umask: the group reads; the console makes no folder."""
    shared, keys = tmp_path / "shared", lead.keys.thumbprint
    enrolment = PersonEnrolment(
        keys=keys, role=lead.role, party="council", created=write_time(utc_now())
    )
    payload = PersonEnrolled(
        keys=lead.published(), enrolment=lead.sign(PERSON_ENROLMENT, enrolment)
    )
    laid, mask = Laid(tmp_path, shared), os.umask(0o077)
    try:
        with pytest.raises(NoEnrolments):
            laid.lay(keys, payload)
        shared.mkdir()
        laid.lay(keys, payload)
    finally:
        os.umask(mask)
    (path,) = shared.iterdir()
    assert path.stat().st_mode & 0o777 == 0o640
    assert laid.stage(keys) == "confirmed"
    assert not (tmp_path / "enrolments").exists()
