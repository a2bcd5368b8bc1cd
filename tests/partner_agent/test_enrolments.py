"""Enrolments out of a folder: logged once, or refused, and never a first lead."""

from pathlib import Path

import pytest

from governance.canonical import canonical_bytes, utc_now, write_time
from governance.errors import SignatureError
from governance.identity.envelope import Envelope, sign
from governance.identity.models import PERSON_ENROLMENT, PersonEnrolment, Role
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.payloads import PersonEnrolled
from partner_agent.enrolments import Enrolments
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


def lay(folder: Path, name: str, keys: Envelope, signed: Envelope) -> None:
    """Lay an enrolment into the folder."""
    content = canonical_bytes(PersonEnrolled(keys=keys, enrolment=signed))
    (folder / f"{name}.json").write_bytes(content)


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
    (tmp_path / "half.json").write_bytes(b"{")
    (tmp_path / "large.json").write_bytes(b" " * 70_000)
    (tmp_path / "note.txt").write_bytes(b"not ours")
    desk = Enrolments(tmp_path, council.ledger, "council")
    size = council.ledger.sync().size
    assert desk.log_all() == 1
    state = council.ledger.sync()
    assert state.size == size + 1
    assert state.identities.person(new.keys.thumbprint) == new.keys
    for staff in (first, other, police):
        with pytest.raises(SignatureError):
            state.identities.person(staff.keys.thumbprint)
    assert [path.name for path in (tmp_path / "logged").iterdir()] == ["good.json"]
    refused = {path.stem for path in (tmp_path / "refused").iterdir()}
    assert refused == {"first-lead", "by-manager", "police", "other-role", "half", "large"}
    (tmp_path / "logged/good.json").rename(tmp_path / "good.json")  # as if it had crashed between
    assert desk.log_all() == 1
    assert council.ledger.sync().size == size + 1


def test_what_waits_outlives_an_absent_ledger(
    hub_world: HubWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing moves while the ledger is away."""
    council, lead, new = hub_world.agents["council"], hub_world.staff["ig_lead"], manager(90)
    lay(tmp_path, "good", new.published(), lead.sign(PERSON_ENROLMENT, enrolment(new)))
    desk = Enrolments(tmp_path, council.ledger, "council")

    def away(*_: object) -> None:
        raise LedgerUnavailableError("away")

    with monkeypatch.context() as patch:
        patch.setattr(council.ledger, "append", away)
        with pytest.raises(LedgerUnavailableError):
            desk.log_all()
    assert (tmp_path / "good.json").exists()
    assert desk.log_all() == 1
