"""What people decided: recorded, and where each decision stands, as a command or a page has it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from governance.canonical import parse_time, write_time
from governance.consent.models import ConsentKind, ConsentState
from governance.consent.registry import Grant
from partner_agent.app import Agent
from partner_agent.consents import consent_template
from partner_agent.steps.withdrawing import cosign


@dataclass(frozen=True)
class Decision:
    """One decision of a person, as it stands today; a withdrawal counts here before the ledger."""

    grant: str
    kind: ConsentKind
    state: ConsentState
    decided: str
    expires: str
    permits: bool
    waiting: bool
    """Whether its withdrawal is not in the ledger yet."""


def record(
    agent: Agent,
    record_id: str,
    notice: str,
    fields: dict[str, Any],
    say: Callable[[str], None],
) -> list[str]:
    """Record what a person decided, for every row of a record id.

    Args:
        agent: whose desk it is.
        record_id: the party's own.
        notice: hash of the privacy notice that the person was shown.
        fields: of ``ConsentRecord``, over the defaults of ``consent_template``; ``expires`` is an
            ISO date; without ``captured`` it is said now.
        say: told where the entry was not cosigned at once.

    Returns:
        Ids of the consents.

    Raises:
        ConsentInputError: no such row, or words that are not the agreement's.
        FormatError: a date or word of another form.
        LedgerError: not all was recorded; see ``Consents.record``.
    """
    agreement = agent.standing(agent.ledger.state).agreement
    given = {
        "captured": write_time(agent.now()),
        **fields,
        "expires": write_time(parse_time(f"{fields['expires']}T00:00:00Z")),
    }
    template = consent_template(agreement, agent.settings.party, notice, **given)
    grants = agent.consents.record(template, record_id)
    cosign(agent, say)
    return grants


def decisions(agent: Agent, source: str, record_id: str) -> list[Decision]:
    """What this party recorded of a record id's rows, oldest first; no network."""
    state, party = agent.ledger.state, agent.settings.party
    here = agent.consents.withdrawn_here()
    waiting = agent.consents.withdrawn_here(logged=False)
    found = {
        grant.id: grant
        for handle in agent.vault.find(source, record_id)
        for kind in ConsentKind
        for grant in state.consents.about(party, handle.hex(), kind)
    }
    return [
        _decision(agent, grant, here, waiting)
        for grant in sorted(found.values(), key=lambda grant: grant.index)
    ]


def _decision(agent: Agent, grant: Grant, here: set[str], waiting: set[str]) -> Decision:
    withdrawn = grant.id in here
    return Decision(
        grant.id,
        grant.record.kind,
        ConsentState.WITHDRAWN if withdrawn else grant.state(agent.now()),
        grant.record.captured,
        grant.record.expires,
        grant.permits(agent.now()) and not withdrawn,
        grant.id in waiting,
    )
