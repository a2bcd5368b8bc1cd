"""A party whose IG leads are all revoked gets one by those of its partners, and by nobody else."""

from typing import Any

import pytest

from governance.agreements.models import AGREEMENT, Agreement
from governance.canonical import canonical_bytes
from governance.errors import GovernanceError, SignatureError
from governance.identity.envelope import sign, sign_bytes
from governance.identity.models import PERSON_ENROLMENT, Role, publish_party_keys
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementSigned,
    AgreementStopped,
    PartyAdmitted,
    PersonEnrolled,
    PersonRevoked,
)
from governance.ledger.state import LedgerState
from tests.governance.world import Party, Staff, World, agreement_data


class Lost(World):
    """The council's only lead is revoked; police and nhs, its partners, have one each.

    So has a stranger, a party whom the operator admitted and with whom nobody has agreed anything.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stranger = Party("stranger")
        published = publish_party_keys(self.stranger.keys, self.stranger.signing)
        self.write(self.operator, EventType.PARTY_ADMITTED, PartyAdmitted(keys=published))
        self.leads = {
            party.name: self.first_lead(party, number)
            for number, party in enumerate([*self.partners[:2], self.stranger])
        }
        self.new = Staff("council", Role.IG_LEAD, "d" * 32)
        self.revoke(self.council, self.lead)

    def first_lead(self, party: Party, number: int) -> Staff:
        """A party's first lead."""
        staff = Staff(party.name, Role.IG_LEAD, f"{number:032x}")
        enrolment = sign(
            PERSON_ENROLMENT, self.enrolment(staff), party.signing, party.keys.thumbprint
        )
        payload = PersonEnrolled(keys=staff.published(), enrolment=enrolment)
        self.write(party, EventType.PERSON_ENROLLED, payload)
        return staff

    def revoke(self, party: Party, staff: Staff) -> None:
        """Revoke somebody's keys."""
        payload = PersonRevoked(keys=staff.keys.thumbprint, reason="lost_key")
        self.write(party, EventType.PERSON_REVOKED, payload)

    def agree(self, *parties: Party, signed: int | None = None, **changes: Any) -> Agreement:
        """An agreement that parties sign, all or the first so many."""
        data = agreement_data(list(parties)) | changes
        agreement = Agreement.model_validate(data)
        proposed = AgreementProposed(agreement=agreement)
        self.write(parties[0], EventType.AGREEMENT_PROPOSED, proposed)
        for party in parties[:signed]:
            signature = sign_bytes(
                AGREEMENT, canonical_bytes(agreement), party.signing, party.keys.thumbprint
            )
            payload = AgreementSigned(agreement=agreement.hash, signature=signature)
            self.write(party, EventType.AGREEMENT_SIGNED, payload)
        return agreement

    def vouched(
        self, *signers: Staff | Party, new: Staff | None = None, **changes: Any
    ) -> PersonEnrolled:
        """An enrolment that somebody has countersigned, as the ledger stands now."""
        new = new or self.new
        lead = new.keys.role is Role.IG_LEAD
        lost = self.state.identities.lost_lead(new.keys.party) if lead else None
        thumbprint = None if lost is None else lost.keys.thumbprint
        document = self.enrolment(new).model_copy(update={"in_place_of": thumbprint} | changes)
        signed = [
            sign(PERSON_ENROLMENT, document, one.signing, one.keys.thumbprint) for one in signers
        ]
        together = tuple(signature for each in signed for signature in each.signatures)
        envelope = signed[0].model_copy(update={"signatures": together})
        return PersonEnrolled(keys=new.published(), enrolment=envelope)

    def log(self, *signers: Staff | Party, new: Staff | None = None) -> None:
        """Log an enrolment as the council."""
        self.write(self.council, EventType.PERSON_ENROLLED, self.vouched(*signers, new=new))


@pytest.fixture
def world() -> Lost:
    """A council without a lead."""
    return Lost()


def test_a_partners_lead_brings_a_lead_back(world: Lost) -> None:
    """It is known as what it is, enrols colleagues, and nobody from elsewhere enrols another."""
    police = world.leads["police"]
    world.log(police)
    assert world.state.identities.people[world.new.keys.thumbprint].vouched_by == ("police",)
    second, manager = (
        Staff("council", role, letter * 32)
        for role, letter in ((Role.IG_LEAD, "e"), (Role.SERVICE_MANAGER, "f"))
    )
    with pytest.raises(NotAdmissible, match="of the same party"):
        world.log(police, new=second)
    with pytest.raises(NotAdmissible, match="else of nobody"):
        world.write(
            world.council,
            EventType.PERSON_ENROLLED,
            world.vouched(world.new, new=second, in_place_of=world.lead.keys.thumbprint),
        )
    for staff in (second, manager):
        world.log(world.new, new=staff)
        assert not world.state.identities.people[staff.keys.thumbprint].vouched_by
    again = LedgerState().replay(world.events)
    assert again.rejected == []
    assert again.identities.people == world.state.identities.people


@pytest.mark.invariant(7, "a lead of their own, by a thief of a party's key who revoked all others")
def test_nobody_else_brings_a_lead_back(world: Lost) -> None:
    """The party's own key, strangers, managers, revoked leads: none; nor anybody but a lead."""
    police, nhs = world.leads["police"], world.leads["nhs"]
    officer = Staff("police", Role.SERVICE_MANAGER, "5" * 32)
    enrolled = world.vouched(police, new=officer)
    world.write(world.partners[0], EventType.PERSON_ENROLLED, enrolled)
    world.revoke(world.partners[1], nhs)
    own, stranger = Staff("council", Role.IG_LEAD, "6" * 32), world.leads["stranger"]
    refused: list[tuple[Staff | Party, ...]] = [
        (world.council,), (world.partners[0],), (stranger,), (nhs,), (officer,), (own,),
        (world.lead,), (world.manager,), (police, world.manager), (police, world.council),
        (police, nhs), (police, officer),
    ]  # fmt: skip
    for signers in refused:
        with pytest.raises((NotAdmissible, SignatureError)):
            world.log(*signers)
    for role in (Role.SERVICE_MANAGER, Role.ANALYST):
        with pytest.raises(NotAdmissible, match="of the same party"):
            world.log(police, new=Staff("council", role, "7" * 32))
    with pytest.raises(NotAdmissible, match="employs"):
        world.write(world.partners[0], EventType.PERSON_ENROLLED, world.vouched(police))
    world.log(police)


@pytest.mark.invariant(7, "an agreement with a party of one's own, by a thief of a party's key")
def test_an_agreement_with_a_stranger_is_no_way_in(world: Lost) -> None:
    """Each agreement of the party needs one of its partners, whatever else the key can sign."""
    police, stranger = world.leads["police"], world.leads["stranger"]
    world.agree(world.council, world.stranger, id="drafted", signed=1)
    with pytest.raises(NotAdmissible, match="for each agreement"):
        world.log(stranger)
    world.write(
        world.council,
        EventType.AGREEMENT_SUSPENDED,
        AgreementStopped(agreement=world.agreement.hash, reason="misuse"),
    )
    signed = world.agree(world.council, world.stranger, id="signed")
    newer: dict[str, Any] = {"version": 2, "supersedes": world.agreement.hash}
    world.agree(world.council, world.stranger, **newer)  # without its other partners: ends nothing
    for signers in ((stranger,), (police,)):
        with pytest.raises(NotAdmissible, match="for each agreement"):
            world.log(*signers)
    world.agree(world.council, world.partners[0], world.stranger, id="signed", version=2,
                supersedes=signed.hash)  # fmt: skip
    with pytest.raises(NotAdmissible, match="for each agreement"):
        world.log(police)  # not of the one that claims to be the county's version 2
    world.log(police, stranger)
    person = world.state.identities.people[world.new.keys.thumbprint]
    assert person.vouched_by == ("police", "stranger")


def test_a_party_of_no_agreement_gets_none(world: Lost) -> None:
    """Nobody has agreed anything with it, so nobody knows whose lead would be brought back."""
    lead = world.leads["stranger"]
    world.revoke(world.stranger, lead)
    new = Staff("stranger", Role.IG_LEAD, "8" * 32)
    payload = world.vouched(world.leads["police"], new=new)
    with pytest.raises(NotAdmissible, match="for each agreement"):
        world.write(world.stranger, EventType.PERSON_ENROLLED, payload)


@pytest.mark.invariant(7, "a partner's word for somebody, kept until the next lead was lost too")
def test_a_vouching_ends_with_the_loss_that_it_was_for(world: Lost) -> None:
    """Unused, it brings nobody back after another loss, nor a loss that is told twice."""
    police, nhs = world.leads["police"], world.leads["nhs"]
    first, later = (Staff("council", Role.IG_LEAD, letter * 32) for letter in "ab")
    unused = world.vouched(police, new=first)
    for lost in (None, world.new.keys.thumbprint, world.manager.keys.thumbprint):
        with pytest.raises(NotAdmissible, match="lost last"):
            world.write(
                world.council,
                EventType.PERSON_ENROLLED,
                world.vouched(police, new=first, in_place_of=lost),
            )
    world.log(nhs)
    world.log(world.new, new=later)
    world.revoke(world.council, later)
    world.revoke(world.council, world.new)
    for again in (world.lead, later):  # whoever is revoked already is not lost anew
        world.revoke(world.council, again)
        with pytest.raises(NotAdmissible, match="lost last"):
            world.write(world.council, EventType.PERSON_ENROLLED, unused)
    assert world.state.identities.lost_lead("council") == world.state.identities.people[
        world.new.keys.thumbprint
    ]  # fmt: skip
    world.log(police, new=first)
    assert LedgerState().replay(world.events).rejected == []


@pytest.mark.invariant(
    7, "the revocation put after the enrolment by a partner's lead", double="reorders"
)
def test_the_order_in_the_log_decides(world: Lost) -> None:
    """Where a lead stands, or stands again, a partner's lead enrols nobody, also in replay."""
    event = world.council.author().write(
        EventType.PERSON_ENROLLED, world.vouched(world.leads["police"])
    )
    before = LedgerState().replay([*world.events[:-1], event, world.events[-1]])
    assert [each.index for each in before.rejected] == [len(world.events) - 1]
    assert world.new.keys.thumbprint not in before.identities.people
    world.log(world.leads["nhs"])
    late = world.council.author().write(
        EventType.PERSON_ENROLLED,
        world.vouched(
            world.leads["police"],
            new=Staff("council", Role.IG_LEAD, "9" * 32),
            in_place_of=world.new.keys.thumbprint,
        ),
    )
    with pytest.raises(GovernanceError):
        world.append(late)
    after = LedgerState().replay([*world.events, late])
    assert [each.index for each in after.rejected] == [len(world.events)]
    world.revoke(world.council, world.new)
    world.append(late)
