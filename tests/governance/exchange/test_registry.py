"""What the ledger says of submissions."""

import pytest
from pydantic import BaseModel

from governance.agreements.models import Agreement
from governance.canonical import sha256
from governance.identity.models import Role
from governance.ledger.admission import NotAdmissible
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    AgreementProposed,
    Decided,
    RefinementOpened,
    Requested,
    ReviewRuled,
    RoundKind,
    Sealed,
    SentinelsOpened,
    SubmissionOutcome,
)
from governance.release.errors import NotApproved
from tests.governance.world import Party, Staff, World, agreement_data

MANIFEST = sha256(b"what the council sent")
QUALITY = {
    "sentinels": 20, "decoy_percent": 0, "groups": [], "outcodes": [], "reveal_hours": 1,
}  # fmt: skip


def says(
    world: World, party: Party, kind: EventType = EventType.SUBMISSION_ACCEPTED, records: int = 3
) -> None:
    """A party's verdict on the council's submission."""
    refused = kind is EventType.SUBMISSION_REFUSED
    outcome = SubmissionOutcome(
        submission="1" * 32,
        manifest=MANIFEST,
        agreement=world.agreement_hash,
        party="council",
        source="council_records",
        records=records,
        reason="submission.incomplete" if refused else None,
    )
    world.write(party, kind, outcome)


def test_what_was_said_first_of_a_submission_stands() -> None:
    """Another that owns no source says something else of it later: nothing changes."""
    world = World()
    says(world, world.hub)
    says(world, world.operator, records=300)
    accepted = world.state.submissions
    assert accepted.accepted[MANIFEST].records == 3
    assert accepted.accepted_by[MANIFEST] == world.hub.keys.thumbprint


@pytest.mark.invariant(1, "a party that accepts what the hub has refused", double="lies")
def test_what_its_judge_has_refused_nobody_else_accepts() -> None:
    """A refusal shows the hash to all; the hub that refused may still accept what is repeated."""
    world = World()
    says(world, world.hub, EventType.SUBMISSION_REFUSED)
    says(world, world.operator)
    accepted = world.state.submissions
    assert not accepted.accepted
    assert not accepted.accepted_by
    says(world, world.hub)
    assert accepted.accepted_by == {MANIFEST: world.hub.keys.thumbprint}


@pytest.fixture
def named() -> World:
    """A world whose newest agreement names the hub."""
    world = World()
    data = agreement_data([*world.partners, world.hub])
    data["sources"] = [each for each in data["sources"] if each["party"] != "hub"]
    data["parties"][-1]["role"] = "processor"
    data |= {"id": "named-hub", "recipients": ["council"], "quality": QUALITY}
    data["actions"].append("refine")
    data["limits"] |= {
        "refinement_pairs_per_record": 6, "refinement_pairs_per_run": 9, "calibration_share": 0.05,
        "refinement_answer_hours": 2,
    }  # fmt: skip
    world.agreement = Agreement.model_validate(data)
    proposed = AgreementProposed(agreement=world.agreement)
    world.write(world.council, EventType.AGREEMENT_PROPOSED, proposed)
    return world


@pytest.mark.invariant(1, "an operator that gives the hub's verdict first", double="lies")
@pytest.mark.parametrize("kind", [EventType.SUBMISSION_ACCEPTED, EventType.SUBMISSION_REFUSED])
def test_where_the_hub_is_named_nobody_gives_its_verdict_first(
    named: World, kind: EventType
) -> None:
    """The ledger's operator sees the verdict on its way, and the manifest's hash in it."""
    for other in (named.operator, named.council):
        with pytest.raises(NotAdmissible):
            says(named, other, kind)
    says(named, named.hub)
    assert named.state.submissions.accepted_by == {MANIFEST: named.hub.keys.thumbprint}


@pytest.mark.invariant(7, "a named hub with a lead of its own", double="lies")
@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_a_named_hub_decides_nothing(named: World, decision: str) -> None:
    """It is a party of the agreement, and a processor: its leads neither approve nor decline."""
    lead = Staff("hub", Role.IG_LEAD, "d" * 32)
    named.enrol(lead, named.hub.signing, named.hub.keys.thumbprint)
    request = named.request(named.members(("1", True, [(named.council, "1" * 32)])))
    named.write(named.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
    approves = decision == "approve"
    kind = EventType.RELEASE_APPROVED if approves else EventType.RELEASE_DECLINED
    with pytest.raises(NotApproved, match="no partner"):
        named.write(
            named.hub, kind, Decided(approval=named.approval(request, lead, decision=decision))
        )
    honest = Decided(approval=named.approval(request))
    named.write(named.hub, EventType.RELEASE_APPROVED, honest)
    receipt = Sealed(
        request=request.payload_hash, order=MANIFEST, party="hub", records=1,
        ciphertext_sha256=MANIFEST,
    )  # fmt: skip
    with pytest.raises(NotAdmissible, match="partner of the agreement"):
        named.write(named.hub, EventType.RELEASE_SEALED, receipt)


def test_partners_end_an_agreement_without_its_hub(named: World) -> None:
    """A hub that will not sign the next version, in which another takes its place, ends with it."""
    for party in (*named.partners, named.hub):
        named.sign_agreement(party)
    older = named.agreement.hash
    data = named.agreement.model_dump(mode="json")
    data["parties"] = [each for each in data["parties"] if each["party"] != "hub"]
    named.agreement = Agreement.model_validate(data | {"version": 2, "supersedes": older})
    proposed = AgreementProposed(agreement=named.agreement)
    named.write(named.council, EventType.AGREEMENT_PROPOSED, proposed)
    for party in named.partners:
        assert not named.state.agreements.standing(older).superseded
        named.sign_agreement(party)
    assert named.state.agreements.standing(older).superseded


def test_where_the_hub_is_named_nobody_else_asks_or_rules(named: World) -> None:
    """Rounds, reveals and rulings are the hub's."""
    agreement, hash_ = named.agreement.hash, sha256(b"anything")
    analyst = Staff("council", Role.ANALYST, "c" * 32)
    named.vouch(analyst)
    told: dict[EventType, BaseModel] = {
        EventType.REFINEMENT_OPENED: RefinementOpened(
            round=hash_, run="1" * 32, agreement=agreement, kind=RoundKind.DECIDE,
            questions={"council": 3},
        ),
        EventType.SENTINELS_OPENED: SentinelsOpened(
            run="1" * 32, agreement=agreement, submissions=(hash_,), persons_sha256=hash_
        ),
        EventType.REVIEW_RULED: ReviewRuled(
            agreement=agreement, run="1" * 32, party="council", person=analyst.keys.thumbprint,
            same=True, pair_sha256=hash_,
        ),
    }  # fmt: skip
    for kind, payload in told.items():
        with pytest.raises(NotAdmissible, match="names its processors"):
            named.write(named.operator, kind, payload)
        named.write(named.hub, kind, payload)
