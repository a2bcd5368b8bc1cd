"""Routes by which partners' agents say which records do not exist."""

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from governance.exchange.hub_api import RevealList
from governance.exchange.sentinels import KEY_MOST
from linkage_hub.api.access import Gate
from linkage_hub.quality.desk import RevealDesk


def reveal_routes(gate: Gate, reveals: RevealDesk) -> APIRouter:
    """What an agent calls once a run's persons are fixed."""
    router = APIRouter(prefix="/v1")

    @router.get("/reveals")
    async def asked(request: Request) -> RevealList:
        """Submissions of the caller whose synthetic records a run waits to learn."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(reveals.tasks, caller.party)

    @router.post("/runs/{run}/reveals/{submission}", status_code=204)
    async def reveal(request: Request, run: str, submission: str) -> Response:
        """The key to a submission's synthetic records."""
        caller = await gate.admit(request, KEY_MOST)
        await run_in_threadpool(reveals.take, caller.party, run, submission, caller.body)
        return Response(status_code=204)

    return router
