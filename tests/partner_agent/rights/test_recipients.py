"""Who is told which records a request is about: whoever holds them, and nobody who says so."""

import pytest

from governance.agreements.models import Agreement
from governance.canonical import sha256
from governance.ledger.events import EventType
from governance.ledger.payloads import SubmissionOutcome
from partner_agent.rights.recipients import recipients
from tests.governance.world import Party, World

SENT, MADE_UP = sha256(b"what the council sent"), sha256(b"what nobody sent")


class Held:
    """A ledger in which hub and operator say what they have accepted of the council's."""

    def __init__(self) -> None:
        self.world = World()

    def accepts(self, party: Party, manifest: str) -> None:
        """A party says that it has accepted a submission."""
        outcome = SubmissionOutcome(
            submission="1" * 32,
            manifest=manifest,
            agreement=self.world.agreement_hash,
            party="council",
            source="council_records",
            records=3,
            reason=None,
        )
        self.world.write(party, EventType.SUBMISSION_ACCEPTED, outcome)

    def told(self, *made: str, processors: tuple[Party, ...] = ()) -> list[str]:
        """Who is told, where the agreement names processors."""
        agreement = self.world.agreement.model_dump(mode="json")
        pattern = agreement["parties"][0]
        agreement["parties"] += [
            pattern | {"party": each.name, "keys": each.keys.thumbprint, "role": "processor"}
            for each in processors
        ]
        submissions = self.world.state.submissions
        return recipients(Agreement.model_validate(agreement), "council", submissions, made)

    @property
    def hub(self) -> str:
        """The hub's key."""
        return self.world.hub.keys.thumbprint


@pytest.fixture
def held() -> Held:
    """Nothing accepted yet."""
    return Held()


def test_who_accepted_what_was_sent_is_told(held: Held) -> None:
    """The hub; before it has accepted anything, nobody."""
    assert held.told(SENT) == []
    held.accepts(held.world.hub, SENT)
    assert held.told(SENT) == [held.hub]


@pytest.mark.invariant(1, "a party that says it accepted a submission", double="lies")
@pytest.mark.parametrize("manifest", [SENT, MADE_UP])
def test_who_only_says_so_is_not_told(held: Held, manifest: str) -> None:
    """Neither with the manifest that the hub's verdict shows, nor with one of its own."""
    held.accepts(held.world.hub, SENT)
    held.accepts(held.world.operator, manifest)
    assert held.world.operator.keys.thumbprint in held.world.state.submissions.hubs["council"]
    assert held.told(SENT) == [held.hub]


def test_a_processor_of_the_agreement_is_told_by_its_keys(held: Held) -> None:
    """Also by an agent that has lost its own books; not before it has accepted anything."""
    processors = (held.world.hub,)
    assert held.told(SENT, processors=processors) == []
    held.accepts(held.world.hub, SENT)
    held.accepts(held.world.operator, MADE_UP)
    assert held.told(processors=processors) == [held.hub]


def test_a_named_processor_does_not_hide_who_holds_the_records(held: Held) -> None:
    """A processor that says it accepted something is told beside the hub, not instead of it."""
    held.accepts(held.world.hub, SENT)
    held.accepts(held.world.operator, MADE_UP)
    both = sorted({held.hub, held.world.operator.keys.thumbprint})
    assert held.told(SENT, processors=(held.world.operator,)) == both
