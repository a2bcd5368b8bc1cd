"""Where everything stands, as ``status`` and the console's page have it: counts and states."""

from datetime import date, timedelta
from typing import Any, Final

from governance.agreements.policy import in_force
from governance.canonical import write_time
from governance.errors import ReasonedError
from governance.ledger.errors import LedgerError
from governance.ledger.state import LedgerState
from partner_agent.app import Agent

SOON_DAYS: Final = 30


def status_now(agent: Agent) -> dict[str, Any]:
    """After asking the ledger; ``ledger.away`` says why it could not be asked."""
    try:
        state, away = agent.ledger.sync(), None
    except LedgerError as error:
        state, away = agent.ledger.state, error.reason
    return status_of(agent, state, away)


def status_of(agent: Agent, state: LedgerState, away: str | None = None) -> dict[str, Any]:
    """By a replay of the ledger; no network."""
    agreement: dict[str, Any] = {"hash": agent.settings.agreement, "in_force": False}
    try:
        standing = agent.standing(state)
        agreement["signed_by"] = sorted(standing.signed_by)
        in_force(standing, agent.now())
        agreement["in_force"] = True
        ends = date.fromisoformat(standing.agreement.review_by)
        agreement["days_to_review"] = (ends - agent.now().date()).days
    except ReasonedError as error:
        agreement["reason"] = error.reason
        agreement["next"] = error.next_step
    submissions = [
        {
            "source": item.source,
            "state": item.state,
            "reason": item.reason,
            "records": item.records,
            "prepared": item.created,
        }
        for item in agent.outbox.newest()
    ]
    waiting = len(agent.consents.withdrawn_here(logged=False))
    return {
        "party": agent.settings.party,
        "ledger": {"entries": state.size, "away": away, "inadmissible": len(state.rejected)},
        "agreement": agreement,
        "vault": agent.vault.counts(),
        "submissions": submissions,
        **_consents(agent, state),
        "withdrawals_waiting": waiting,
        "answers": len(agent.desk.answers()),
        "rights": agent.rights.counts(),
        "opt_outs": [
            {"source": found.source, "days_left": found.days_left(agent.now().date())}
            for found in agent.opt_outs.lists()
        ],
        "next": _next(agreement, submissions, waiting),
    }


def _consents(agent: Agent, state: LedgerState) -> dict[str, int]:
    own = agent.consents.own(state, agent.settings.party)
    here, now = agent.consents.withdrawn_here(), agent.now()
    soon = write_time(now + timedelta(days=SOON_DAYS))
    live = (grant for grant in own if grant.id not in here and grant.permits(now))
    return {
        "grants": len(own),
        "grants_ending_soon": sum(grant.record.expires <= soon for grant in live),
        "decisions_waiting": agent.imports.waiting(),
    }


def _next(agreement: dict[str, Any], submissions: list[dict[str, Any]], waiting: int) -> str:
    if not agreement["in_force"]:
        return str(agreement.get("next") or "partner-agent agreement show")
    if waiting:
        return "partner-agent run  (hands waiting withdrawals to the ledger)"
    if any(item["state"] in {"prepared", "sent"} for item in submissions):
        return "partner-agent submit --all"
    if any(item["state"] == "refused" for item in submissions):
        return "look at the reason, then partner-agent prepare FILE --mapping FILE.yaml"
    return "" if submissions else "partner-agent profile FILE"
