"""What a lead sees before deciding a request: judged as agents judge it, and nothing left out."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from governance.agreements.models import SignatureKind
from governance.canonical import write_time
from governance.consent.models import ConsentState
from governance.identity.models import Role
from governance.ledger.errors import AlteredEntryError
from governance.ledger.events import EventType
from governance.ledger.mirror_tables import TREE
from governance.ledger.payloads import (
    Decided,
    Outcome,
    PersonRevoked,
    ReleaseRefused,
    Requested,
)
from governance.oversight.judging import RuleName
from governance.oversight.requests import Dossier, dossier, waiting
from governance.release.errors import MembersChanged, RequestNotLogged
from governance.release.models import Members
from tests.governance.oversight.copied import Copied
from tests.governance.world import NOON, Staff, World

LATER = NOON + timedelta(hours=1)


def family(world: World) -> Members:
    """Two adults, known to police, NHS and council."""
    police, nhs, council = world.partners
    return world.members(
        ("1", True, [(police, "1" * 32), (council, "2" * 32)]), ("2", True, [(nhs, "3" * 32)])
    )


def ask(world: World, members: Members, letter: str = "7") -> str:
    """The manager asks; the request's hash."""
    request = world.request(members, id=letter * 32)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    return request.payload_hash


def look(world: World, folder: Path, request: str, members: Members | None = None) -> Dossier:
    """What the world's lead sees an hour later."""
    copied = Copied(world, folder)
    try:
        lead = world.lead.keys
        return dossier(copied.state, copied.mirror, request, members, lead, LATER)
    finally:
        copied.mirror.close()


def reasons(found: Dossier) -> dict[RuleName, str]:
    """Why rules do not hold."""
    return {rule.rule: rule.reason for rule in found.rules}


def test_a_family_that_has_agreed(tmp_path: Path) -> None:
    """Every rule holds; each record stands with its partner's word; nobody refused before."""
    world = World()
    members = family(world)
    world.consent(world.partners[0], "1" * 32)
    world.consent(world.partners[1], "3" * 32)
    found = look(world, tmp_path, ask(world, members), members)
    assert found.holds
    assert set(reasons(found)) == set(RuleName)
    assert found.members is not None
    assert [
        (record.party, record.state, record.covers)
        for member in found.members
        for record in member.records
    ] == [
        ("police", ConsentState.GIVEN, True), ("council", None, False),
        ("nhs", ConsentState.GIVEN, True),
    ]  # fmt: skip
    assert [(partner.party, partner.refusal, partner.asked) for partner in found.partners] == [
        ("council", "", False), ("nhs", "", True), ("police", "", True),
    ]  # fmt: skip
    assert found.partners[0].opt_outs == {"council_records": "either"}
    assert (found.earlier, found.purpose_words) == ((), "Offer early help")


@pytest.mark.invariant(2, "what a lead is shown of a withdrawn permission")
def test_a_withdrawal_and_an_erasure_are_seen_before_deciding(tmp_path: Path) -> None:
    """The rule is that of the agents, so the lead sees what they will refuse."""
    world = World()
    members, (police, nhs, _) = family(world), world.partners
    gone = world.consent(police, "1" * 32)
    world.withdraw(nhs, world.consent(nhs, "3" * 32))
    request = ask(world, members)
    found = look(world, tmp_path, request, members)
    assert reasons(found)[RuleName.CONSENT] == "consent.withdrawn"
    assert not found.holds
    world.erase(police, "1" * 32, gone)
    (tmp_path / "2").mkdir()
    again = look(world, tmp_path / "2", request, members)
    assert again.members is not None
    assert [(each.erased, each.state) for each in again.members[0].records] == [
        (True, None), (False, None),
    ]  # fmt: skip


@pytest.mark.invariant(7, "a lead who asked, and one of no partner, about to decide")
def test_who_may_not_decide_is_told(tmp_path: Path) -> None:
    """The asker, who may be a lead too; a manager; a lead of another party; one who has gone."""
    world = World()
    request, hub = ask(world, family(world)), world.hub
    both = Staff("council", Role.IG_LEAD, world.manager.id)
    stranger, gone = Staff("hub", Role.IG_LEAD, "c" * 32), Staff("council", Role.IG_LEAD, "d" * 32)
    world.enrol(stranger, hub.signing, hub.keys.thumbprint)
    world.vouch(both)
    world.vouch(gone)
    left = PersonRevoked(keys=gone.keys.thumbprint, reason="left")
    world.write(world.council, EventType.PERSON_REVOKED, left)
    copied = Copied(world, tmp_path)
    for keys, reason in [
        (both.keys, "release.same_person"),
        (world.manager.keys, "release.not_approved"),
        (stranger.keys, "release.not_approved"),
        (gone.keys, "signature.invalid"),
        (world.lead.keys, ""),
    ]:
        found = dossier(copied.state, copied.mirror, request, None, keys, LATER)
        assert reasons(found)[RuleName.SECOND] == reason
    assert RuleName.CONSENT not in reasons(found)
    assert not found.holds  # what was not judged is not said to hold


@pytest.mark.invariant(8, "a request by keys that were revoked since, shown to a lead")
def test_a_request_is_verified_again(tmp_path: Path) -> None:
    """The agents will refuse it, so the lead sees that it is signed by nobody now."""
    world = World()
    members = family(world)
    world.consent(world.partners[0], "1" * 32)
    world.consent(world.partners[1], "3" * 32)
    request = ask(world, members)
    lost = PersonRevoked(keys=world.manager.keys.thumbprint, reason="lost_key")
    world.write(world.council, EventType.PERSON_REVOKED, lost)
    found = look(world, tmp_path, request, members)
    assert {rule for rule, reason in reasons(found).items() if reason} == {RuleName.SIGNED}
    assert not found.holds


@pytest.mark.invariant(5, "another entry in the place of the request in a copy's file")
def test_the_request_is_read_from_the_entry_that_was_replayed(tmp_path: Path) -> None:
    """Who can write to the copy's file shows a lead no other request."""
    world = World()
    request = ask(world, family(world))
    copied = Copied(world, tmp_path)
    other = world.hub.author().write(
        EventType.RELEASE_REQUESTED, Requested(request=world.request(family(world), id="8" * 32))
    )
    leaf = TREE.leaf
    with copied.mirror._database.writing() as connection:
        connection.execute(
            update(leaf)
            .where(leaf.c.position == len(world.events) - 1)
            .values(leaf=other.leaf_bytes, salt=other.salt, payload=other.payload)
        )
    with pytest.raises(AlteredEntryError):
        dossier(copied.state, copied.mirror, request, None, world.lead.keys, LATER)


def test_a_lead_signs_with_what_the_agreement_accepts(tmp_path: Path) -> None:
    """A lead with a key file, where only passkeys are taken, is told before signing."""
    world = World(passkeys=True)
    request = ask(world, family(world))
    held, clerk = world.agreement, Staff("council", Role.IG_LEAD, "c" * 32)
    world.vouch(clerk)
    copied = Copied(world, tmp_path)
    only = held.model_copy(update={"staff_signatures": (SignatureKind.PASSKEY,)})
    standing = copied.state.agreements.standing(held.hash)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            copied.state.agreements, "standing", lambda _hash: replace(standing, agreement=only)
        )
        for keys, reason in [(clerk.keys, "release.signature_kind"), (world.lead.keys, "")]:
            found = dossier(copied.state, copied.mirror, request, None, keys, LATER)
            assert reasons(found)[RuleName.KIND] == reason


def test_what_happened_before_to_the_family_is_shown(tmp_path: Path) -> None:
    """Earlier requests with decision, answers and outcome; each partner's newest refusal."""
    world = World()
    members, (police, nhs, _) = family(world), world.partners
    first = world.request(members, id="5" * 32)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=first))
    approval = Decided(approval=world.approval(first))
    world.write(world.hub, EventType.RELEASE_APPROVED, approval)
    about = first.payload_hash
    refusal = ReleaseRefused(request=about, party="police", reason="release.local")
    world.write(police, EventType.RELEASE_REFUSED, refusal)
    world.write(world.hub, EventType.RELEASE_OUTCOME, Outcome(request=about, outcome="not_needed"))
    elsewhere = world.request(members, id="6" * 32, family="f-" + "9" * 32)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=elsewhere))
    other = ReleaseRefused(request=elsewhere.payload_hash, party="nhs", reason="ledger.quorum")
    world.write(nhs, EventType.RELEASE_REFUSED, other)
    found = look(world, tmp_path, ask(world, members), members)
    (earlier,) = found.earlier
    assert (earlier.request, earlier.decision, earlier.outcome) == (about, "approve", "not_needed")
    assert (earlier.released, earlier.refused) == ((), {"police": "release.local"})
    assert [(each.party, each.refusal, each.refusal_here) for each in found.partners] == [
        ("council", "", False), ("nhs", "ledger.quorum", False), ("police", "release.local", True),
    ]  # fmt: skip


def test_what_waits_is_listed_by_the_time_that_is_left(tmp_path: Path) -> None:
    """Decided ones are gone, expired ones come last, and other partners' leads see none."""
    world = World()
    members = family(world)
    urgent = world.request(members, id="2" * 32, expires=write_time(NOON + timedelta(hours=2)))
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=urgent))
    calm = ask(world, members)
    decided = world.request(members, id="3" * 32)
    world.write(world.hub, EventType.RELEASE_REQUESTED, Requested(request=decided))
    approval = Decided(approval=world.approval(decided))
    world.write(world.hub, EventType.RELEASE_APPROVED, approval)
    state = Copied(world, tmp_path).state
    hashes = [each.request for each in waiting(state, LATER)]
    assert hashes == [urgent.payload_hash, calm]
    late = waiting(state, NOON + timedelta(hours=3))
    assert [(each.request, each.expired) for each in late] == [
        (calm, False), (urgent.payload_hash, True),
    ]  # fmt: skip
    assert waiting(state, LATER, "nhs") == waiting(state, LATER)
    assert waiting(state, LATER, "hub") == []


def test_members_are_held_to_the_digest(tmp_path: Path) -> None:
    """A hub that gives another family shows nothing; nor is anything shown of no request."""
    world = World()
    members = family(world)
    request = ask(world, members)
    others = world.members(("1", True, [(world.partners[0], "9" * 32)]))
    with pytest.raises(MembersChanged):
        look(world, tmp_path, request, others)
    (tmp_path / "2").mkdir()
    with pytest.raises(RequestNotLogged):
        look(world, tmp_path / "2", "sha256:" + "0" * 64, members)
