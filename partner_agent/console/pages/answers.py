"""Requests for releases: what was asked of this partner, what its agent decided, and why.

Rules: reasons are shown as they are known here, since this page is at home; hub and ledger are told
``release.local`` for each that this partner's own records alone can say. Whom a release was about
is shown by this partner's own rows, for as long as the answer is kept.
"""

from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response

from governance.agreements.errors import AgreementUnknown
from governance.ui.show import Slice
from partner_agent.app import Agent
from partner_agent.console.pages.extracts import Fields, Here, SourceUnknown
from partner_agent.console.pages.people import shown
from partner_agent.console.pages.work import to_work
from partner_agent.console.state import Console
from partner_agent.console.tasks import Task
from partner_agent.releases.answers import Answer
from partner_agent.releases.errors import LocalRefusal
from partner_agent.vault.store import StoredRow

A_PAGE: Final = 20
router = APIRouter(prefix="/answers", include_in_schema=False)


@dataclass(frozen=True)
class Asked:
    """What a request asks, by this computer's copy of the ledger."""

    purpose: str
    items: list[str]
    party: str
    expires: str
    why: str
    """The reason of the approval, or ``""``."""
    outcome: str


@router.get("")
def answers(request: Request, console: Here, page: int = 1) -> Response:
    """Every answer, the newest first."""
    with console.agent() as agent:
        found = list(reversed(agent.desk.answers()))
    part = Slice(max(1, page), A_PAGE, len(found))
    rows = found[part.offset : part.offset + A_PAGE]
    return console.pages.page(
        request, "console/answers.html", answers=rows, part=part, words=reason_words(console)
    )


def reason_words(console: Console) -> dict[str, str]:
    """Reasons of this partner's own that have words."""
    words = console.pages.words
    kinds: set[str] = {LocalRefusal.reason} | {k.reason for k in LocalRefusal.__subclasses__()}
    prefix = "agent.refusal."
    keys = {reason: prefix + reason.replace(".", "_") for reason in kinds}
    return {reason: words(key) for reason, key in keys.items() if key in words}


@router.post("/now")
def answer_now(request: Request, console: Here, _fields: Fields) -> Response:
    """What ``releases answer`` does: look at what the hub has, and answer it."""

    def work(agent: Agent, _task: Task) -> int:
        agent.ledger.sync()
        agent.ledger.witness()
        return len(agent.desk.answer_all(agent.hub)[0])

    task = console.tasks.start("answer", work, then="/answers", back="/answers", quick=True)
    return to_work(request, task)


@router.get("/{number}")
def answer(request: Request, console: Here, number: str) -> Response:
    """One answer: what was asked, what was decided, and whom it was about.

    Raises:
        SourceUnknown: there is no such answer.
    """
    with console.agent() as agent:
        found = next(
            (each for each in agent.desk.answers() if each.request.endswith(f":{number}")), None
        )
        if found is None:
            raise SourceUnknown("there is no such answer", next_step="look at the list")
        asked = _asked(agent, found)
        rows = [shown(row) for row in _rows(agent, found)]
    words = reason_words(console)
    return console.pages.page(
        request,
        "console/answer.html",
        answer=found,
        asked=asked,
        rows=rows,
        words=words,
        local=found.reason in words,
    )


def _asked(agent: Agent, found: Answer) -> Asked | None:
    state = agent.ledger.state
    record = state.releases.requests.get(found.request)
    if record is None:
        return None
    asks = record.request
    purpose, items = asks.purpose, list(asks.items)
    try:
        agreement = state.agreements.standing(asks.agreement).agreement
    except AgreementUnknown:
        pass
    else:
        purpose = next((p.description for p in agreement.purposes if p.id == purpose), purpose)
        named = {item.id: item.description for item in agreement.items}
        items = [named.get(item, item) for item in items]
    why = "" if record.decision is None else record.decision.reason
    return Asked(purpose, items, record.requester.party, asks.expires, why, record.outcome or "")


def _rows(agent: Agent, found: Answer) -> list[StoredRow]:
    party = agent.settings.party
    handles = {
        bytes.fromhex(record.handle)
        for order, _ in agent.desk.released()
        if order.request.payload_hash == found.request
        for member in order.members.members
        for record in member.records
        if record.party == party
    }
    return list(agent.vault.get_many(handles).values())
