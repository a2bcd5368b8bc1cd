"""A task while it works: how far it is, by its own count; then on to its result, or why it ended.

No page reloads itself: one that did would take the reader's place away. A look waits a few seconds
for the end, so that short work shows its result at once.
"""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from partner_agent.console.pages.entry import go
from partner_agent.console.state import Console, console_of
from partner_agent.console.tasks import Task

LOOK_SECONDS: Final = 8.0
router = APIRouter(include_in_schema=False)


@router.get("/tasks/{task}")
def look(request: Request, console: Annotated[Console, Depends(console_of)], task: str) -> Response:
    """Wait a little, then say how far it is."""
    found = console.tasks.get(task)
    if found is None:
        return console.pages.page(request, "console/work_gone.html", status=404)
    if not found.ended.wait(LOOK_SECONDS):
        return console.pages.page(request, "console/work.html", task=found)
    if found.fault is not None:
        return console.pages.page(request, "console/work_failed.html", task=found)
    return go(request, found.then)


def to_work(request: Request, task: Task) -> Response:
    """On to the page of a task."""
    return go(request, f"/tasks/{task.id}")
