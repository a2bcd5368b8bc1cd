"""Leads with passkeys vouch for another organisation's lead: real ledger, browsers and agent."""

import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page
from pydantic import BaseModel
from typer.testing import CliRunner

from governance.agreements.models import AGREEMENT, Agreement
from governance.canonical import b64, canonical_bytes, parse_json, unb64, utc_now, write_time
from governance.console import signing
from governance.console.sessions import COOKIE
from governance.console.vouching import FOLDER, KEPT
from governance.identity.envelope import challenge_of, parse_model, sign, sign_bytes
from governance.identity.models import (
    PERSON_ENROLMENT,
    PersonEnrolment,
    Role,
    publish_party_keys,
)
from governance.identity.vouching import read_handed
from governance.ledger.events import Author, EventType
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementSigned,
    PartyAdmitted,
    PersonEnrolled,
    PersonRevoked,
)
from partner_agent.app import Agent
from partner_agent.cli.main import app as agent_app
from tests.browsing import check_page, screenshot
from tests.chromium import VirtualAuthenticator, browser_page
from tests.console_world import ConsoleWorld, console_world
from tests.governance.world import Party, Staff, agreement_data
from tests.hub_world import ORIGIN, HubWorld, as_party
from tests.soft_authenticator import SoftAuthenticator


def enrolment(staff: Staff, in_place_of: str | None = None) -> PersonEnrolment:
    """What is countersigned of somebody's keys now."""
    return PersonEnrolment(
        keys=staff.keys.thumbprint,
        role=staff.role,
        party=staff.party,
        created=write_time(utc_now()),
        in_place_of=in_place_of,
    )


def enrol_first(agent: Agent, staff: Staff) -> None:
    """A party's first lead."""
    own = agent.secrets
    signed = sign(PERSON_ENROLMENT, enrolment(staff), own.signing_key, own.keys.thumbprint)
    payload = PersonEnrolled(keys=staff.published(), enrolment=signed)
    agent.ledger.write(EventType.PERSON_ENROLLED, payload)


def revoke(agent: Agent, thumbprint: str, reason: str = "lost_key") -> None:
    """Revoke somebody's keys."""
    payload = PersonRevoked.model_validate({"keys": thumbprint, "reason": reason})
    agent.ledger.write(EventType.PERSON_REVOKED, payload)


def settings(hub_world: HubWorld, party: str) -> dict[str, Any]:
    """Of a party's console."""
    return {
        "party": party,
        "ledger_url": hub_world.ledger_url,
        "ledger_key": str(hub_world.hub.ledger.log_key),
        "hub_url": hub_world.hub_url,
    }


def make_keys(page: Page, world: ConsoleWorld) -> None:
    """Make the keys of whoever is signed in."""
    page.goto(f"{world.origin}/keys/new")
    page.get_by_role("button", name="Make my keys").click()
    page.get_by_role("button", name="Sign with your passkey").click()
    page.wait_for_url("**/keys")


def test_a_lead_is_brought_back_by_two_consoles_and_an_agent(  # noqa: PLR0915 - one story
    hub_world: HubWorld, tmp_path: Path
) -> None:
    """Keys made at one console, vouched for at another by passkey, logged by the command."""
    police, council = (hub_world.agents[name] for name in ("police", "council"))
    gone = Staff("police", Role.IG_LEAD, "0" * 31 + "9")
    enrol_first(police, gone)
    with (
        console_world(tmp_path / "police", **settings(hub_world, "police")) as theirs,
        console_world(tmp_path / "council", **settings(hub_world, "council")) as ours,
        browser_page() as away,
        browser_page() as page,
    ):
        VirtualAuthenticator(away, ctap2Version="ctap2_1", hasPrf=True)
        theirs.sign_in(away, theirs.account(Role.IG_LEAD, "Robin Lead"))
        make_keys(away, theirs)
        with away.expect_download() as download:
            away.click("text=Download the public half")
        keys = tmp_path / "person.keys.json"
        download.value.save_as(keys)

        VirtualAuthenticator(page, ctap2Version="ctap2_1", hasPrf=True)
        lead = ours.account(Role.IG_LEAD, "Alex Lead")
        ours.sign_in(page, lead)
        make_keys(page, ours)
        (own,) = ours.console.keys.documents(lead)
        document = PersonEnrolment(
            keys=own.keys.thumbprint, role=lead.role, party="council", created=write_time(utc_now())
        )
        signed = hub_world.staff["ig_lead"].sign(PERSON_ENROLMENT, document)
        payload = PersonEnrolled(keys=own.envelope, enrolment=signed)
        council.ledger.write(EventType.PERSON_ENROLLED, payload)

        page.goto(f"{ours.origin}/enrolments")
        page.click("text=Vouch for another organisation")
        assert "Nobody needs you to vouch" in page.inner_text("main")
        page.set_input_files("#file", keys)
        page.click("text=Continue")
        assert "has not lost its information-governance leads" in page.inner_text("main")
        assert page.title().startswith("Error: ")
        check_page(page)
        revoke(police, gone.keys.thumbprint)
        ours.console.outside.refresh(lead)
        page.goto(f"{ours.origin}/vouching")
        assert "revoked: Police (police)" in page.inner_text("main")
        screenshot(page, "console-vouching")
        page.set_input_files("#file", keys)
        page.click("text=Continue")
        page.get_by_role("button", name="Sign with your passkey").wait_for()
        said = page.inner_text("main")
        thumbprint = read_handed(keys.read_bytes()).published.payload_hash
        assert page.locator(".govuk-inset-text").inner_text() == thumbprint
        for text in (theirs.origin, "Lost the key", "A thief of", "Nobody yet"):
            assert text in said
        assert gone.keys.thumbprint in page.locator("form dl").inner_text()
        check_page(page)
        screenshot(page, "console-vouching-sign")
        page.get_by_role("button", name="Sign with your passkey").click()
        page.wait_for_url(f"**/vouching/{thumbprint}")
        assert "Signed by enough" in page.inner_text("main")
        check_page(page)
        with page.expect_download() as download:
            page.click("text=Download the file")
        file = tmp_path / "person.enrolment.json"
        download.value.save_as(file)
        assert not list((tmp_path / "council" / "enrolments").iterdir())
        home = ["--home", str(police.home)]
        done = CliRunner().invoke(agent_app, [*home, "person", "enrol", str(file)])
        assert done.exit_code == 0, done.output
        ours.console.outside.refresh(lead)
        page.reload()
        assert "nothing left to do" in page.inner_text("main")
        person = ours.console.outside.ledger.state.identities.people[thumbprint]
        assert person.vouched_by == ("council",)
        revoke(police, thumbprint)  # for the tests below, in which every lead is lost


class Lost:
    """The police have lost every lead, and have agreements with the council and with the NHS.

    Attributes:
        gone: thumbprint of the lead whom the police lost last.
        lead: of the council, whose keys hold a passkey, as do those of ``nhs_lead``.
        new: who is to be a lead of the police.
    """

    def __init__(self, hub_world: HubWorld) -> None:
        self.agents, self.parties = hub_world.agents, {}
        every = [hub_world.operator, *(agent.secrets for agent in self.agents.values())]
        self.parties = {each.keys.party: as_party(each) for each in every}
        self.parties["nhs"] = nhs = Party("nhs")
        published = publish_party_keys(nhs.keys, nhs.signing)
        self.write("ledger", EventType.PARTY_ADMITTED, PartyAdmitted(keys=published))
        self._agree()
        self.old, self.nhs_lead, self.lead = (
            staff(party, number) for number, party in enumerate(("police", "nhs", "council"), 50)
        )
        self.nhs_enrols(self.nhs_lead)
        self.by_file = hub_world.staff["ig_lead"]
        self.council_enrols(self.lead)
        if not self.agents["council"].ledger.sync().identities.leads("police"):
            enrol_first(self.agents["police"], self.old)
            revoke(self.agents["police"], self.old.keys.thumbprint)
        self.new = staff("police", 60)

    @property
    def gone(self) -> str:
        """As the ledger has it."""
        found = self.agents["council"].ledger.sync().identities.lost_lead("police")
        assert found is not None
        return found.keys.thumbprint

    def write(self, party: str, kind: EventType, payload: BaseModel) -> None:
        """Log something as a party."""
        own = self.parties[party]
        event = Author(own.keys.thumbprint, own.signing, utc_now, ORIGIN).write(kind, payload)
        self.agents["council"].ledger.append(event)

    def _agree(self) -> None:
        both = [self.parties["police"], self.parties["nhs"]]
        agreement = Agreement.model_validate(agreement_data(both) | {"id": "with-the-nhs"})
        self.write("police", EventType.AGREEMENT_PROPOSED, AgreementProposed(agreement=agreement))
        for each in both:
            signature = sign_bytes(
                AGREEMENT, canonical_bytes(agreement), each.signing, each.keys.thumbprint
            )
            payload = AgreementSigned(agreement=agreement.hash, signature=signature)
            self.write(each.name, EventType.AGREEMENT_SIGNED, payload)

    def nhs_enrols(self, lead: Staff) -> None:
        """The first lead of the NHS."""
        nhs = self.parties["nhs"]
        signed = sign(PERSON_ENROLMENT, enrolment(lead), nhs.signing, nhs.keys.thumbprint)
        payload = PersonEnrolled(keys=lead.published(), enrolment=signed)
        self.write("nhs", EventType.PERSON_ENROLLED, payload)

    def council_enrols(self, colleague: Staff) -> None:
        """A colleague of the council's first lead."""
        signed = self.by_file.sign(PERSON_ENROLMENT, enrolment(colleague))
        payload = PersonEnrolled(keys=colleague.published(), enrolment=signed)
        self.write("council", EventType.PERSON_ENROLLED, payload)

    def file(self, *by: Staff, new: Staff | None = None, **changes: Any) -> bytes:
        """A ``person.enrolment.json`` that some have signed; ``person.keys.json`` by nobody."""
        new = new or self.new
        if not by:
            return canonical_bytes(new.published())
        document = enrolment(new, self.gone).model_copy(update=changes)
        envelopes = [each.sign(PERSON_ENROLMENT, document) for each in by]
        together = tuple(signature for each in envelopes for signature in each.signatures)
        signed = envelopes[0].model_copy(update={"signatures": together})
        return canonical_bytes(PersonEnrolled(keys=new.published(), enrolment=signed))


def staff(party: str, number: int, role: Role = Role.IG_LEAD) -> Staff:
    """Somebody with a passkey."""
    return Staff(party, role, f"{number:032x}", authenticator=SoftAuthenticator())


@pytest.fixture(scope="module")
def lost(hub_world: HubWorld) -> Lost:
    """The police without a lead."""
    return Lost(hub_world)


class Desk:
    """A lead's session at the council's console."""

    def __init__(self, world: ConsoleWorld, lead: Staff) -> None:
        self.passkey = lead.authenticator or SoftAuthenticator()
        self.account = world.account(Role.IG_LEAD, staff=lead)
        session = world.session(self.account)
        self.csrf = {"csrf": session.csrf}
        self.client = world.client()
        self.client.cookies.set(COOKIE, session.token)

    def hand_in(self, data: bytes) -> httpx.Response:
        """Send a file."""
        return self.client.post("/vouching", data=self.csrf, files={"file": ("x.json", data)})

    def fields(self, data: bytes) -> dict[str, str]:
        """What the page that shows a file would send, unsigned."""
        shown = self.hand_in(data)
        assert shown.status_code == 200, shown.text
        return dict(re.findall(r'name="(document|handed)" value="([^"]*)"', shown.text))

    def send(
        self, keys: str, fields: dict[str, str], by: SoftAuthenticator | None = None
    ) -> httpx.Response:
        """Sign and send."""
        challenge = challenge_of(PERSON_ENROLMENT, unb64(fields["document"]))
        signed = {"signature": json.dumps((by or self.passkey).answer(challenge))}
        return self.client.post(f"/vouching/{keys}", data=self.csrf | fields | signed)


@pytest.fixture
def world(hub_world: HubWorld, tmp_path: Path) -> Iterator[ConsoleWorld]:
    """The council's console."""
    with console_world(tmp_path, **settings(hub_world, "council")) as found:
        yield found


Desks = Callable[[Staff], Desk]


@pytest.fixture
def desks(world: ConsoleWorld) -> Iterator[Desks]:
    """Sessions, which end with the test."""
    with ExitStack() as stack:

        def begin(lead: Staff) -> Desk:
            desk = Desk(world, lead)
            stack.enter_context(desk.client)
            return desk

        yield begin


@pytest.mark.invariant(7, "files for a lead to vouch for: used keys, another's, other losses")
def test_what_nobody_may_vouch_for_is_refused_at_once(
    lost: Lost, world: ConsoleWorld, desks: Desks
) -> None:
    """Each with its reason, and never a page that could be signed; nothing is kept."""
    desk = desks(lost.lead)
    nobody, officer = staff("police", 61), staff("police", 62, Role.SERVICE_MANAGER)
    stolen = staff("police", 63)
    stolen.signing = lost.nhs_lead.signing
    ours, manager = staff("council", 64), staff("council", 65, Role.SERVICE_MANAGER)
    lost.council_enrols(manager)
    tampered = json.loads(lost.file())
    tampered["signatures"] = tampered["signatures"][:1]
    swapped = json.loads(lost.file(lost.nhs_lead)) | {"keys": json.loads(lost.file(new=nobody))}
    police = lost.parties["police"]
    by_party = PersonEnrolled(
        keys=lost.new.published(),
        enrolment=sign(
            PERSON_ENROLMENT, enrolment(lost.new, lost.gone), police.signing, police.keys.thumbprint
        ),
    )
    cases: list[tuple[str, bytes]] = [
        ("not empty", b""),
        ("larger than 32 KB", b" " * 33_000),
        ("neither a", b"{"),
        ("neither a", b"[" * 30_000),
        ("neither a", b'{"enrolment": {}}'),
        ("neither a", canonical_bytes(lost.agents["police"].secrets.keys)),
        ("neither a", canonical_bytes(publish_party_keys(police.keys, police.signing))),
        ("each of its own keys", json.dumps(tampered).encode()),
        ("not the keys of an information", lost.file(new=ours)),
        ("not the keys of an information", lost.file(new=officer)),
        ("no party of that name", lost.file(new=staff("strangers", 66))),
        ("has not lost", lost.file(new=staff("nhs", 67))),
        ("has not lost", lost.file(new=staff("hub", 68))),
        ("another person", lost.file(new=stolen)),
        ("enrolled already", lost.file(new=lost.nhs_lead)),
        ("other keys", json.dumps(swapped).encode()),
        ("another role", lost.file(lost.nhs_lead, role=Role.SERVICE_MANAGER)),
        ("another role", lost.file(lost.nhs_lead, party="council")),
        ("after another loss", lost.file(lost.nhs_lead, in_place_of=lost.lead.keys.thumbprint)),
        ("after another loss", lost.file(lost.nhs_lead, in_place_of=None)),
        ("does not count", lost.file(lost.nhs_lead, nobody)),
        ("does not count", lost.file(lost.new)),
        ("does not count", canonical_bytes(by_party)),
    ]

    def refused(data: bytes, text: str) -> None:
        answer = desk.hand_in(data)
        assert answer.status_code == 422, text
        assert text in " ".join(unescape(answer.text).split()), text
        assert "data-hearthlink" not in answer.text

    for text, data in cases:
        refused(data, text)
    by_file = desks(lost.by_file).hand_in(lost.file())
    assert (by_file.status_code, "governance person countersign" in by_file.text) == (403, True)
    identities = world.console.outside.ledger.state.identities
    identities.people[lost.nhs_lead.keys.thumbprint].counter = 5  # as if it had signed since
    refused(lost.file(lost.nhs_lead), "does not count")
    ours_too = [hash_ for hash_, bond in identities.bonds.items() if "council" in bond.partners]
    identities.bonds = {key: bond for key, bond in identities.bonds.items() if key not in ours_too}
    refused(lost.file(), "under no agreement of theirs")
    assert desk.hand_in(b" " * 70_000).status_code == 413
    two = [("file", ("a", lost.file())), ("file", ("b", lost.file()))]
    assert desk.client.post("/vouching", data=desk.csrf, files=two).status_code == 400
    one = {"file": ("a", lost.file())}
    elsewhere = f"/enrolments/{lost.new.keys.thumbprint}"
    assert desk.client.post(elsewhere, data=desk.csrf, files=one).status_code == 400
    assert not list((world.home / "vouched").iterdir())


@pytest.mark.invariant(7, "forms that vouch for other keys, another loss, or by another's passkey")
def test_only_what_follows_from_the_file_is_kept(
    lost: Lost, world: ConsoleWorld, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other bytes, another file, another's passkey, an old page, odd addresses: nothing is kept."""
    desk, keys = desks(lost.lead), lost.new.keys.thumbprint
    other = staff("police", 70)
    good = desk.fields(lost.file())
    document = PersonEnrolment.model_validate_json(unb64(good["document"]))
    assert document.in_place_of == lost.gone
    wrong: list[dict[str, object]] = [
        {"keys": other.keys.thumbprint},
        {"role": Role.ANALYST},
        {"party": "nhs"},
        {"in_place_of": None},
        {"in_place_of": keys},
        {"created": "2026-01-01T00:00:00Z"},
    ]
    for change in wrong:
        changed = b64(canonical_bytes(document.model_copy(update=change)))
        assert desk.send(keys, good | {"document": changed}).status_code == 403, change
    assert desk.send(keys, good, SoftAuthenticator()).status_code == 403
    assert desk.send(other.keys.thumbprint, good).status_code == 403
    assert desk.send(keys, good | {"handed": b64(lost.file(new=other))}).status_code == 403
    joined = lost.file(lost.nhs_lead, created="2026-01-01T00:00:00Z")
    assert desk.send(keys, good | {"handed": b64(joined)}).status_code == 403
    for handed in ("", "!", b64(b"{"), b64(lost.file(other))):
        assert desk.send(keys, good | {"handed": handed}).status_code in (400, 409), handed
    for path in (f"{keys}%2f..%2f..", "..%2f..%2fconsole.secret", "sha256:" + "A" * 64, "x"):
        assert desk.client.get(f"/vouching/{path}").status_code == 404
        assert desk.client.get(f"/vouching/{path}/person.enrolment.json").status_code == 404
        assert desk.send(path, good).status_code in (404, 405)
    assert desk.client.get(f"/vouching/{keys}").status_code == 404
    with monkeypatch.context() as patch:
        patch.setattr(signing, "_WITHIN", timedelta(seconds=-1))
        assert desk.send(keys, good).status_code == 403
    assert not list((world.home / "vouched").iterdir())
    assert desk.send(keys, good).status_code == 303
    (kept,) = (world.home / "vouched").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert not list((world.home / "enrolments").iterdir())
    own = world.console.outside.ledger.state.identities.people[lost.lead.keys.thumbprint]
    own.counter = 5
    refused = desk.send(keys, good)
    assert (refused.status_code, "signature.counter" in refused.text) == (403, True)
    own.counter = 0
    kept.write_bytes(b"{")
    for path in ("", f"/{keys}"):
        assert desk.client.get(f"/vouching{path}").status_code == 503
    kept.unlink()
    kept.mkdir()  # where nothing can be written
    assert desk.send(keys, good).status_code == 503
    for role in (Role.SERVICE_MANAGER, Role.ANALYST):
        with world.client(world.account(role, "Kim")) as client:
            for path in ("", f"/{keys}", f"/{keys}/person.enrolment.json"):
                refused = client.get(f"/vouching{path}")
                assert (refused.status_code, "console.role" in refused.text) == (403, True)


@pytest.mark.invariant(7, "a partner's word kept on a page until the loss had ended")
def test_partners_sign_one_upon_the_other_until_the_loss_ends(  # noqa: PLR0915 - one story
    lost: Lost, world: ConsoleWorld, desks: Desks
) -> None:
    """NHS, council, its second lead; then the police have a lead, and no page counts."""
    keys, colleague = lost.new.keys.thumbprint, staff("council", 80)
    lost.council_enrols(colleague)
    first, second = desks(lost.lead), desks(colleague)
    assert first.send(keys, first.fields(lost.file())).status_code == 303
    assert "Vouch for a lead of police, which" in first.client.get("/oversight").text
    month_ago = time.time() - (KEPT + timedelta(days=1)).total_seconds()
    kept = world.home / FOLDER
    os.utime(kept / f"{keys[7:]}.json", (month_ago, month_ago))
    assert "Another partner has still to sign" in first.client.get("/vouching").text
    assert "Nobody yet" in first.client.get(f"/vouching/{keys}").text
    assert first.send(keys, first.fields(lost.file(lost.nhs_lead))).status_code == 303
    assert "Signed by enough" in second.client.get(f"/vouching/{keys}").text
    address = f"/vouching/{keys}/person.enrolment.json"
    by_first = second.client.get(address).content
    assert second.send(keys, second.fields(by_first)).status_code == 303
    by_second = first.client.get(address)
    assert "person.enrolment.json" in by_second.headers["content-disposition"]
    signed = read_handed(by_second.content).signed
    assert signed is not None
    signers = [each.key for each in signed.signatures]
    assert signers == [lost.nhs_lead.keys.thumbprint, colleague.keys.thumbprint]

    revoke(lost.agents["council"], colleague.keys.thumbprint)
    assert second.send(keys, first.fields(lost.file())).status_code == 409
    world.console.outside.refresh(first.account)
    assert "Counts no more" in first.client.get("/vouching").text
    opened = first.fields(by_second.content)  # without the signature of who left
    assert first.send(keys, opened).status_code == 303
    others = staff("police", 81)
    opened = first.fields(lost.file(lost.nhs_lead, new=others))
    assert first.send(others.keys.thumbprint, opened).status_code == 303
    enough = parse_model(parse_json(first.client.get(address).content), PersonEnrolled)
    lost.write("police", EventType.PERSON_ENROLLED, enough)
    refused = first.send(others.keys.thumbprint, opened)
    assert refused.status_code == 409
    assert "has not lost" in refused.text
    world.console.outside.refresh(first.account)
    assert "nothing left to do" in first.client.get(f"/vouching/{keys}").text
    revoke(lost.agents["police"], keys)
    again = first.send(others.keys.thumbprint, opened)
    assert (again.status_code, "after another loss" in again.text) == (400, True)
    assert "counts no more" in first.client.get(f"/vouching/{others.keys.thumbprint}").text
    over = kept / f"{others.keys.thumbprint[7:]}.json"
    first.client.get("/vouching")
    assert over.exists()  # for a month
    os.utime(over, (month_ago, month_ago))
    first.client.get("/vouching")
    assert not over.exists()
    for each in world.console.outside.ledger.state.identities.people.values():
        each.revoked_at = each.revoked_at or 1
    said = first.client.get("/vouching").text
    assert "Police (police)" in said
    assert "Council (council)" not in said
