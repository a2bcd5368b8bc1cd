"""What must hold before any question of a round is answered.

Rules, in order: the round is in this party's own mirror of the ledger; it is signed by the very
party that logged it, and says what was logged; the agreement is in force, witnessed, and allows
refinement; the epoch is the agreement's; the ledger says of every submission that it was accepted
under the agreement; the round lies in its time and lasts no longer than agreed; all questions of
the run together, and of all runs under the agreement within a day, stay within the budget; the
parameters are ones that agents accept, and give answers of the size that the round says; decisions
are asked for under no more different parameters than ``PARAMETER_SETS_MOST`` for as long as the
agreement lasts.
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from governance.agreements.models import Action, Agreement
from governance.agreements.policy import permits
from governance.canonical import hash_of, parse_time
from governance.errors import SignatureError
from governance.exchange.parameters import PARAMETER_SETS_MOST
from governance.exchange.refinement import (
    BATCH_QUESTIONS,
    ROUND,
    PartyQuestions,
    RefinementRound,
)
from governance.identity.envelope import Envelope, open_envelope
from governance.ledger.payloads import RoundKind
from governance.ledger.state import LedgerState
from governance.refinement.errors import (
    BudgetExceeded,
    ParametersRefused,
    RoundAltered,
    RoundClosed,
    RoundNotLogged,
    TooManyParameters,
)
from partner_agent.ledger import AgentLedger
from partner_agent.refinement.core import Core
from partner_agent.submissions.prepare import FIND_PURPOSE

CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True)
class VerifiedRound:
    """A round that may be answered."""

    hash: str
    document: RefinementRound
    own: PartyQuestions
    agreement: Agreement
    parameters: str | None
    """What names parameters and sources of a round that decides."""


def read_round(
    envelope: Envelope, party: str, state: LedgerState
) -> tuple[RefinementRound, PartyQuestions]:
    """The round as the ledger has it.

    Raises:
        RoundNotLogged: not in this party's mirror, perhaps not yet.
        RoundAltered: not by the party that logged it, not what was logged, or not asking us.
    """
    logged = state.refinement.rounds.get(envelope.payload_hash)
    if logged is None:
        raise RoundNotLogged("the round is not in the ledger as this agent mirrors it")
    try:
        document, signers = open_envelope(
            envelope, ROUND, RefinementRound, lambda key: state.identities.party_key(key)[1]
        )
    except SignatureError as error:
        raise RoundAltered(error.message) from error
    opened = logged.opened
    if signers != (logged.author,):
        raise RoundAltered("the round is not signed by the party that logged it")
    said = {each.party: each.questions for each in document.parties}
    same = (document.run, document.agreement, document.kind, said)
    if same != (opened.run, opened.agreement, opened.kind, opened.questions):
        raise RoundAltered("the round is not what the ledger says of it")
    own = document.asked(party)
    if own is None:
        raise RoundAltered("the round asks nothing of this party")
    if len(own.batches) != -(-own.questions // BATCH_QUESTIONS):
        raise RoundAltered("the round has another number of batches than its questions need")
    return document, own


def verify_round(
    envelope: Envelope,
    *,
    party: str,
    ledger: AgentLedger,
    core: Core,
    asked_before: int,
    answered_under: AbstractSet[str],
    now: datetime,
) -> VerifiedRound:
    """Check everything that can be checked without a question.

    Args:
        envelope: the signed round.
        party: who is asked.
        ledger: its own mirror, brought up to date by the caller.
        core: the arithmetic, for its bounds.
        asked_before: questions to this party in other rounds that share the budget.
        answered_under: parameters that were answered under before, of the agreement.
        now: aware time.

    Raises:
        RefinementRefusal, AgreementRefusal: by the first rule that fails.
        LedgerError: the ledger cannot say whether the agreement is witnessed.
    """
    state = ledger.state
    document, own = read_round(envelope, party, state)
    standing = state.agreements.standing(document.agreement)
    agreement = permits(standing, party=party, action=Action.REFINE, purpose=FIND_PURPOSE, now=now)
    ledger.require_witnessed(standing)
    if document.epoch != agreement.encoding.epoch:
        raise RoundAltered("the round is for another epoch than the agreement's")
    accepted = [state.submissions.accepted.get(each) for each in document.submissions]
    if any(each is None or each.agreement != document.agreement for each in accepted):
        raise RoundAltered("the round names a submission that the ledger does not show as accepted")
    opened, closes = parse_time(document.opened), parse_time(document.closes)
    if now >= closes:
        raise RoundClosed("the round has closed")
    lasts = timedelta(hours=agreement.limits.refinement_answer_hours)
    if opened > now + CLOCKS_DIFFER or closes - opened > lasts:
        raise RoundAltered("the round begins later or lasts longer than agreed")
    most = agreement.limits.refinement_pairs_per_run
    if own.questions + asked_before > most:
        raise BudgetExceeded(
            f"{own.questions + asked_before} questions in one run, or in all runs within 24 hours; "
            f"agreed: {most}",
            next_step="the hub may ask the rest in a run tomorrow; where you expected no run, tell "
            "the other partners; where you did, agree on a larger refinement_pairs_per_run",
        )
    if core.check(document.kind, document.parameters) != document.answer_bytes:
        raise ParametersRefused("the parameters give answers of another size than the round says")
    parameters = None
    if document.kind is RoundKind.DECIDE:
        sources = [[each.party, each.source] for each in accepted if each is not None]
        parameters = hash_of({"parameters": document.parameters, "sources": sources})
        if parameters not in answered_under and len(answered_under) >= PARAMETER_SETS_MOST:
            raise TooManyParameters(
                f"decisions were asked for under {PARAMETER_SETS_MOST} different parameters before",
                next_step="agree on a new version of the agreement if sources have changed",
            )
    return VerifiedRound(envelope.payload_hash, document, own, agreement, parameters)
