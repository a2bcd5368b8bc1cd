"""What the ledger says of submissions."""

from governance.canonical import sha256
from governance.ledger.events import EventType
from governance.ledger.payloads import SubmissionOutcome
from tests.governance.world import Party, World

MANIFEST = sha256(b"what the council sent")


def accepts(world: World, party: Party, records: int) -> None:
    """A party says that it has accepted the council's submission."""
    outcome = SubmissionOutcome(
        submission="1" * 32,
        manifest=MANIFEST,
        agreement=world.agreement_hash,
        party="council",
        source="council_records",
        records=records,
        reason=None,
    )
    world.write(party, EventType.SUBMISSION_ACCEPTED, outcome)


def test_what_was_said_first_of_a_submission_stands() -> None:
    """Another that owns no source says something else of it later: nothing changes."""
    world = World()
    accepts(world, world.hub, 3)
    accepts(world, world.operator, 300)
    accepted = world.state.submissions
    assert accepted.accepted[MANIFEST].records == 3
    assert accepted.first_accepted_by[MANIFEST] == world.hub.keys.thumbprint
