"""The first page: what can be done, and what waits to be done."""

from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from governance.agreements.policy import in_force
from governance.errors import ReasonedError
from partner_agent.app import Agent
from partner_agent.console.state import Console, console_of, standing_here
from partner_agent.settings import NotSetUpError
from partner_agent.steps.extracts import UNSENT

ACTIONS: Final = (
    ("extract", "/extracts/new"), ("person", "/people"), ("withdraw", "/withdraw"),
    ("rights", "/rights"), ("answers", "/answers"), ("protected", "/protected"),
    ("standing", "/standing"),
)  # fmt: skip
"""Words and address of what can be done, in the order of the page."""
router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Waiting:
    """What waits for the data officer."""

    not_in_force: str
    next_step: str
    unsent: list[str]
    refused: list[str]
    withdrawals: int
    overdue: int


@router.get("/")
def start(request: Request, console: Annotated[Console, Depends(console_of)]) -> Response:
    """Where everything begins."""
    with console.agent() as agent:
        waiting = _waiting(agent)
    return console.pages.page(
        request,
        "console/start.html",
        waiting=waiting,
        actions=ACTIONS,
        drafts=console.drafts.all(),
        tasks=console.tasks.busy(),
    )


def _waiting(agent: Agent) -> Waiting:
    not_in_force = next_step = ""
    try:
        in_force(standing_here(agent), agent.now())
    except NotSetUpError as error:
        return Waiting(error.message, error.next_step, [], [], 0, 0)
    except ReasonedError as error:
        not_in_force, next_step = error.message, error.next_step
    items = agent.outbox.newest()
    return Waiting(
        not_in_force,
        next_step,
        [item.source for item in items if item.state in UNSENT],
        [item.source for item in items if item.state == "refused"],
        len(agent.consents.withdrawn_here(logged=False)),
        agent.rights.counts()["overdue"],
    )
