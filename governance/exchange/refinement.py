"""Refinement on the wire: rounds of questions about pairs of records, and the answers.

A round is one document signed by the hub. Its hash enters every key of its answers, so that two
agents that were shown different rounds (other parameters, submissions or questions) give no common
token. A question names the caller's own record first. Which side of a pair a record is on follows
from the handles and is not sent.

Bodies of questions and answers are in ``refinement_bodies``.

Signed format ``refinement-round/v1``: fields are never reordered, renamed or removed.
"""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from governance.canonical import Frozen, Hash, Hex128, Slug, Time
from governance.identity.envelope import Envelope
from governance.ledger.payloads import Reason, RoundKind

ROUND: Final = "refinement-round/v1"
BATCH_QUESTIONS: Final = 5_000
"""Questions in each batch of a round but its last."""
BUDGET_TIME: Final = timedelta(hours=24)
"""So long a question counts in the budget of every run under its agreement."""
ANSWER_BYTES_MOST: Final = 8_192  # bytes of one answer
ANSWERS_MOST: Final = BATCH_QUESTIONS * (1 + ANSWER_BYTES_MOST)  # bytes of one batch of answers
Count = Annotated[int, Field(ge=0, le=1_000_000_000)]


class PartyQuestions(Frozen):
    """What one party is asked: how many questions, and the hash of each batch's bytes.

    In a round that calibrates, owners of a source that are asked nothing have an entry too: their
    sources' profiles are wanted.
    """

    party: Slug
    questions: Count
    batches: tuple[Hash, ...]


class RefinementRound(Frozen):
    """One round of questions (payload type ``refinement-round/v1``).

    ``parameters`` belongs to the kind of the round: what the hub proposes as evidence and
    threshold, which agents hold against their own bounds.
    """

    format: Literal["refinement-round/v1"] = "refinement-round/v1"
    run: Hex128
    agreement: Hash
    epoch: Annotated[int, Field(ge=1)]
    kind: RoundKind
    submissions: Annotated[tuple[Hash, ...], Field(min_length=1, max_length=10_000)]
    parameters: dict[str, Any]
    answer_bytes: Annotated[int, Field(ge=1, le=ANSWER_BYTES_MOST)]
    parties: Annotated[tuple[PartyQuestions, ...], Field(min_length=1, max_length=64)]
    opened: Time
    closes: Time

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({each.party for each in self.parties}) != len(self.parties):
            raise ValueError("parties: the same one twice")
        if len(set(self.submissions)) != len(self.submissions):
            raise ValueError("submissions: the same one twice")
        return self

    def asked(self, party: str) -> PartyQuestions | None:
        """What a party is asked, if anything."""
        return next((found for found in self.parties if found.party == party), None)


class RoundItem(Frozen):
    """An open round as the calling party sees it, with the batches that it has not answered."""

    round: Envelope
    missing: tuple[Count, ...]
    profiles_wanted: bool


class RoundList(Frozen):
    """``GET /v1/rounds``: open rounds in which the caller has questions left, oldest first."""

    rounds: tuple[RoundItem, ...]


class SubmissionProfile(Frozen):
    """What one of the caller's submissions says about itself; its form is the core's."""

    submission: Count
    profile: dict[str, Any]


class ProfilesPost(Frozen):
    """``POST /v1/rounds/{round_hash}/profiles``: one for each of the caller's submissions."""

    profiles: Annotated[tuple[SubmissionProfile, ...], Field(max_length=1_000)]


class RoundRefusal(Frozen):
    """``POST /v1/rounds/{round_hash}/refusal``: a party answers nothing of this round."""

    reason: Reason


def questions_in(asked: int, batch: int) -> int:
    """How many of a party's questions a batch holds, by number of the batch."""
    return max(0, min(BATCH_QUESTIONS, asked - batch * BATCH_QUESTIONS))
