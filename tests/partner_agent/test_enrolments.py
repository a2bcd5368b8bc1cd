"""Enrolments out of a folder: logged once, or refused, and never a first lead."""

import json
import os
from hashlib import sha256
from itertools import count
from pathlib import Path
from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from governance.canonical import canonical_bytes, utc_now, write_time
from governance.errors import FormatError, SignatureError
from governance.identity.envelope import Envelope, sign
from governance.identity.models import PERSON_ENROLMENT, PersonEnrolment, Role
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.events import EventType
from governance.ledger.payloads import PersonEnrolled, PersonRevoked
from partner_agent.cli.main import app
from partner_agent.enrolments import Enrolments, EnrolmentsFolder
from tests.governance.world import Staff
from tests.hub_world import HubWorld
from tests.soft_authenticator import SoftAuthenticator


def enrolment(staff: Staff, role: Role | None = None) -> PersonEnrolment:
    """What is countersigned."""
    return PersonEnrolment(
        keys=staff.keys.thumbprint,
        role=role or staff.role,
        party=staff.party,
        created=write_time(utc_now()),
    )


def manager(number: int, party: str = "council") -> Staff:
    """Somebody new, with a passkey."""
    staff = Staff(party, Role.SERVICE_MANAGER, f"{number:032x}")
    staff.authenticator = SoftAuthenticator()
    return staff


def named(word: str) -> str:
    """A file's name as a console makes them."""
    return f"{sha256(word.encode()).hexdigest()}.json"


def lay(folder: Path, name: str, keys: Envelope, signed: Envelope) -> None:
    """Lay an enrolment into the folder."""
    content = canonical_bytes(PersonEnrolled(keys=keys, enrolment=signed))
    (folder / named(name)).write_bytes(content)


@pytest.mark.invariant(20, "enrolments that a corrupt console lays into the folder")
def test_only_what_a_lead_has_countersigned_is_logged(hub_world: HubWorld, tmp_path: Path) -> None:
    """One is logged, once; what no lead of this party signed moves away for good."""
    council, lead = hub_world.agents["council"], hub_world.staff["ig_lead"]
    new, own = manager(77), council.secrets
    lay(tmp_path, "good", new.published(), lead.sign(PERSON_ENROLMENT, enrolment(new)))
    first = Staff("council", Role.IG_LEAD, f"{78:032x}")
    by_party = sign(PERSON_ENROLMENT, enrolment(first), own.signing_key, own.keys.thumbprint)
    lay(tmp_path, "first-lead", first.published(), by_party)
    other, police = manager(79), manager(80, "police")
    by_manager = hub_world.staff["service_manager"].sign(PERSON_ENROLMENT, enrolment(other))
    lay(tmp_path, "by-manager", other.published(), by_manager)
    lay(tmp_path, "police", police.published(), lead.sign(PERSON_ENROLMENT, enrolment(police)))
    wrong = lead.sign(PERSON_ENROLMENT, enrolment(other, Role.ANALYST))
    lay(tmp_path, "other-role", other.published(), wrong)
    (tmp_path / named("half")).write_bytes(b"{")
    (tmp_path / named("large")).write_bytes(b" " * 70_000)
    (tmp_path / "agent.json").write_bytes(b"not ours")
    desk = Enrolments(tmp_path, council.ledger, "council")
    size = council.ledger.sync().size
    assert desk.log_all() == 1
    state = council.ledger.sync()
    assert state.size == size + 1
    assert state.identities.person(new.keys.thumbprint) == new.keys
    for staff in (first, other, police):
        with pytest.raises(SignatureError):
            state.identities.person(staff.keys.thumbprint)
    assert [path.name for path in (tmp_path / "logged").iterdir()] == [named("good")]
    refused = {path.name for path in (tmp_path / "refused").iterdir()}
    wrong_ones = ("first-lead", "by-manager", "police", "other-role", "half", "large")
    assert refused == set(map(named, wrong_ones))
    assert (tmp_path / "agent.json").exists()
    (tmp_path / "logged" / named("good")).rename(tmp_path / named("good"))  # as if it had crashed
    assert desk.log_all() == 1
    assert council.ledger.sync().size == size + 1


def test_what_waits_outlives_an_absent_ledger(
    hub_world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing moves while the ledger is away."""
    council, lead, new = hub_world.agents["council"], hub_world.staff["ig_lead"], manager(90)
    lay(tmp_path, "good", new.published(), lead.sign(PERSON_ENROLMENT, enrolment(new)))
    desk = Enrolments(tmp_path, council.ledger, "council")

    def badly_signed(*_: object) -> None:
        raise FormatError("the ledger's answer")

    def away(*_: object) -> None:
        raise LedgerUnavailableError("away")

    with monkeypatch.context() as patch:
        patch.setattr(council.ledger, "append", away)
        with pytest.raises(LedgerUnavailableError):
            desk.log_all()
        patch.setattr(council.ledger, "append", badly_signed)
        with pytest.raises(FormatError):
            desk.log_all()
    assert (tmp_path / named("good")).exists()
    assert desk.log_all() == 1


@pytest.mark.invariant(20, "links and names that a corrupt console lays for the agent's files")
def test_the_agents_files_are_out_of_reach(
    hub_world: HubWorld, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Links of files and folders are not followed, a chosen name is in no log, none stops the rest.

    The name of a file beside the folder, whose ``refused`` leads there, would be overwritten.
    """
    council, lead, new = hub_world.agents["council"], hub_world.staff["ig_lead"], manager(81)
    home, folder = tmp_path / "agent", tmp_path / "enrolments"
    home.mkdir()
    folder.mkdir()
    for name in ("agent.json", named("chosen")):
        (home / name).write_bytes(b"the agent's")
        (folder / name).write_bytes(b"an attacker's")
    (folder / "refused").symlink_to(home)
    (folder / named("linked")).symlink_to(home / "agent.json")
    os.mkfifo(folder / named("pipe"))
    (folder / named("folder")).mkdir()
    (folder / "Jane Doe.json").write_bytes(b"{")
    lay(folder, "good", new.published(), lead.sign(PERSON_ENROLMENT, enrolment(new)))
    desk = Enrolments(folder, council.ledger, "council")
    assert desk.log_all() == 1
    assert {path.read_bytes() for path in home.iterdir()} == {b"the agent's"}
    said = " ".join(str(vars(record)) for record in caplog.records)
    assert "enrolment not moved" in said
    assert "Jane" not in said
    assert named("chosen")[:64] not in said
    (folder / "refused").unlink()
    (folder / "refused").mkdir()
    assert desk.log_all() == 0
    refused = {path.name for path in (folder / "refused").iterdir()}
    assert refused == {named(word) for word in ("chosen", "linked", "pipe", "folder")}
    assert (folder / "logged").stat().st_mode & 0o777 == 0o750
    (tmp_path / "link").symlink_to(folder)
    for wrong in (tmp_path / "link", tmp_path / "missing", home / "agent.json"):
        with pytest.raises(EnrolmentsFolder):
            Enrolments(wrong, council.ledger, "council").log_all()


@pytest.mark.invariant(20, "an enrolment of keys that were revoked, laid again")
def test_who_was_revoked_is_refused(
    hub_world: HubWorld, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who was revoked is not said to be enrolled."""
    council, lead = hub_world.agents["council"], hub_world.staff["ig_lead"]
    gone = manager(86)
    signed = lead.sign(PERSON_ENROLMENT, enrolment(gone))
    council.ledger.write(
        EventType.PERSON_ENROLLED, PersonEnrolled(keys=gone.published(), enrolment=signed)
    )
    revoked = PersonRevoked(keys=gone.keys.thumbprint, reason="lost_key")
    council.ledger.write(EventType.PERSON_REVOKED, revoked)
    lay(tmp_path, "gone", gone.published(), signed)
    assert Enrolments(tmp_path, council.ledger, "council").log_all() == 0
    assert [path.name for path in (tmp_path / "refused").iterdir()] == [named("gone")]
    assert "enrolled" not in {record.message for record in caplog.records}


def test_a_full_folder_is_looked_at_bit_by_bit(
    hub_world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a corrupt console lays there fills no memory, and asks the ledger for nothing."""
    council, lead = hub_world.agents["council"], hub_world.staff["ig_lead"]
    monkeypatch.setattr("partner_agent.enrolments.AT_ONCE", 3)
    asked = Mock(side_effect=council.ledger.sync)
    monkeypatch.setattr(council.ledger, "sync", asked)
    desk = Enrolments(tmp_path, council.ledger, "council")
    for word in range(4):
        (tmp_path / named(f"bad {word}")).write_bytes(b"{")
    assert desk.log_all() == 0
    assert len(list((tmp_path / "refused").iterdir())) == 3
    assert not asked.called
    for number in range(88, 90):
        other = manager(number)
        by_manager = hub_world.staff["service_manager"].sign(PERSON_ENROLMENT, enrolment(other))
        lay(tmp_path, str(number), other.published(), by_manager)
    assert desk.log_all() == 0
    assert asked.call_count == 1
    new = manager(90)
    lay(tmp_path, "good", new.published(), lead.sign(PERSON_ENROLMENT, enrolment(new)))
    assert desk.log_all() == 1


@pytest.mark.parametrize("at_once", [500, 1])
def test_they_are_logged_as_the_authenticator_counted(
    hub_world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Three that one passkey signed, whatever their names: each is logged, in a round or three."""
    monkeypatch.setattr("partner_agent.enrolments.AT_ONCE", at_once)
    council = hub_world.agents["council"]
    lead = Staff("council", Role.IG_LEAD, f"{at_once + 820:032x}")
    lead.authenticator = SoftAuthenticator(counts=True)
    signed = hub_world.staff["ig_lead"].sign(PERSON_ENROLMENT, enrolment(lead))
    payload = PersonEnrolled(keys=lead.published(), enrolment=signed)
    council.ledger.write(EventType.PERSON_ENROLLED, payload)
    clock = count(1)
    for name in sorted(map(str, range(3)), key=named, reverse=True):
        new = manager(at_once + 830 + int(name))
        lay(tmp_path, name, new.published(), lead.sign(PERSON_ENROLMENT, enrolment(new)))
        os.utime(tmp_path / named(name), ns=(laid := next(clock), laid))
    desk = Enrolments(tmp_path, council.ledger, "council")
    assert [desk.log_all() for _ in range(3)] == ([3, 0, 0] if at_once > 3 else [1, 1, 1])


@pytest.mark.invariant(7, "a lead by another party's, that a corrupt console lays into the folder")
def test_a_lead_by_others_is_enrolled_by_hand_alone(hub_world: HubWorld, tmp_path: Path) -> None:
    """Where each of this party's leads is revoked, a partner's vouches, and the officer logs it."""
    police, council_lead = hub_world.agents["police"], hub_world.staff["ig_lead"]
    gone, new = (Staff("police", Role.IG_LEAD, f"{number:032x}") for number in (83, 84))
    own = police.secrets
    by_party = sign(PERSON_ENROLMENT, enrolment(gone), own.signing_key, own.keys.thumbprint)
    first = PersonEnrolled(keys=gone.published(), enrolment=by_party)
    police.ledger.write(EventType.PERSON_ENROLLED, first)
    revoked = PersonRevoked(keys=gone.keys.thumbprint, reason="lost_key")
    police.ledger.write(EventType.PERSON_REVOKED, revoked)
    said = CliRunner().invoke(
        app, ["--home", str(police.home), "--json", "person", "leads", "police"]
    )
    (line,) = json.loads(said.stdout)["leads"]
    assert (line["thumbprint"], line["lost_last"]) == (gone.keys.thumbprint, True)
    document = enrolment(new).model_copy(update={"in_place_of": gone.keys.thumbprint})
    signed = council_lead.sign(PERSON_ENROLMENT, document)
    lay(tmp_path, "by-council", new.published(), signed)
    assert Enrolments(tmp_path, police.ledger, "police").log_all() == 0
    assert [path.name for path in (tmp_path / "refused").iterdir()] == [named("by-council")]
    vouched = PersonEnrolled(keys=new.published(), enrolment=signed)
    police.ledger.write(EventType.PERSON_ENROLLED, vouched)
    people = police.ledger.sync().identities.people
    assert people[new.keys.thumbprint].vouched_by == ("council",)
    lay(tmp_path, "not-ours", new.published(), signed)  # in the ledger, and of another party
    assert Enrolments(tmp_path, hub_world.agents["council"].ledger, "council").log_all() == 0
    assert (tmp_path / "refused" / named("not-ours")).exists()
