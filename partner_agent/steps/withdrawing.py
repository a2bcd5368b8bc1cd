"""A withdrawal, in two steps: on this machine at once, then in the ledger.

Rules, in order: what this machine's own copy of the ledger knows is withdrawn on its disk, without
the network; only then is the ledger asked whether there is more, and told.
"""

from collections.abc import Callable
from dataclasses import dataclass

from governance.errors import ReasonedError
from governance.ledger.state import LedgerState
from partner_agent.app import Agent
from partner_agent.consents import ConsentInputError, Withdrawn, consent_number


@dataclass(frozen=True)
class Whose:
    """Whose consents: those of a receipt's number, or of a source and the party's own record id.

    A number stands for every consent of its kind about the same record, older and newer.
    """

    number: str | None = None
    source: str | None = None
    record_id: str | None = None


def withdrawable(agent: Agent, state: LedgerState, whose: Whose) -> list[str]:
    """Ids of what can be withdrawn, or was.

    Raises:
        ConsentInputError: neither a number nor a record was given.
    """
    party = agent.settings.party
    if whose.source is not None and whose.record_id is not None:
        return agent.consents.withdrawable_of(state, party, whose.source, whose.record_id)
    if whose.number is None:
        raise ConsentInputError(
            "expected a number, or a source and your own record id",
            next_step="partner-agent consent withdraw NUMBER",
        )
    return agent.consents.withdrawable_with(state, party, consent_number(whose.number))


def withdraw_here(agent: Agent, whose: Whose) -> list[str]:
    """Withdraw what is known here, without the network: it counts from now on. Their ids."""
    known = withdrawable(agent, agent.ledger.state, whose)
    if known:
        agent.consents.accept_withdrawals(known, agent.now())
    return known


def newly_known(
    agent: Agent, whose: Whose, known: list[str], say: Callable[[str], None]
) -> list[str]:
    """What can be withdrawn, once the ledger was asked for what this machine does not know yet.

    Args:
        agent: whose desk it is.
        whose: consents.
        known: what ``withdraw_here`` found.
        say: told where the ledger is away.

    Raises:
        ConsentInputError: nothing is, or the record of the number was erased.
    """
    try:
        state = agent.ledger.sync()
    except ReasonedError as error:
        state = agent.ledger.state
        say(f"the ledger is away and is told later: {error.message}")
    found = sorted({*known, *withdrawable(agent, state, whose)})
    number = None if whose.number is None else consent_number(whose.number)
    if number is not None and (gone := state.consents.erased.get(number)):
        raise ConsentInputError(
            f"the record of this consent was erased on {gone.since[:10]}: it permits nothing "
            "any more, as if it had been withdrawn",
            next_step="tell the person so; partner-agent consent withdraw --source SOURCE "
            "--record-id ID takes back what was recorded since",
        )
    if not found:
        raise _nothing(whose)
    return found


def _nothing(whose: Whose) -> ConsentInputError:
    """A record is found by its own id while its row is kept; a receipt's number outlives that."""
    if whose.number is None:
        return ConsentInputError(
            "no row of this record is kept here, or no consent was recorded about one that is",
            next_step="a row may be gone (retention, a right): the number on the receipt works "
            "still, and so does that in partner-agent consent list",
        )
    return ConsentInputError(
        "this party recorded no consent that this would withdraw",
        next_step="partner-agent consent list",
    )


def withdraw_everywhere(
    agent: Agent, grants: list[str], say: Callable[[str], None]
) -> list[Withdrawn]:
    """Withdraw here and hand it to the ledger; what it does not take now waits on this disk."""
    done = agent.consents.withdraw(grants, agent.now())
    cosign(agent, say)
    return done


def cosign(agent: Agent, say: Callable[[str], None]) -> None:
    """Cosign; what was recorded stands where that fails, and the loop of ``run`` tries again."""
    try:
        agent.ledger.sync()
        agent.ledger.witness()
    except ReasonedError as error:
        say(f"not cosigned: {error.message}")
