"""What the ledger says of submissions."""

import pytest

from governance.canonical import sha256
from governance.ledger.events import EventType
from governance.ledger.payloads import SubmissionOutcome
from tests.governance.world import Party, World

MANIFEST = sha256(b"what the council sent")


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
