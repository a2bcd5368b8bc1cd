"""Where everything stands: agreement, ledger, sources, consents, opt-outs, and what is due."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from partner_agent.app import Agent
from partner_agent.console.pages.extracts import Fields, Here
from partner_agent.console.pages.work import to_work
from partner_agent.console.tasks import Task, unsaid
from partner_agent.steps.status import status_of
from partner_agent.steps.withdrawing import cosign

router = APIRouter(prefix="/standing", include_in_schema=False)


@router.get("")
def standing(request: Request, console: Here) -> Response:
    """As this computer's own copy of the ledger has it; no network."""
    with console.agent() as agent:
        found = status_of(agent, agent.ledger.state)
        witnessed = agent.ledger.witnessed_at()
    return console.pages.page(request, "console/standing.html", found=found, witnessed=witnessed)


@router.post("/ask")
def ask(request: Request, console: Here, _fields: Fields) -> Response:
    """Ask the ledger what is new, and hand in what waits."""

    def work(agent: Agent, _task: Task) -> int:
        state = agent.ledger.sync()
        agent.consents.log_withdrawals()
        agent.rights.tell()
        cosign(agent, unsaid)
        return state.size

    task = console.tasks.start("ask", work, then="/standing", back="/standing", quick=True)
    return to_work(request, task)
