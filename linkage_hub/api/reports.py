"""Routes by which staff make, share and read reports of an agreement."""

from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import Response

from governance.canonical import parse_json
from governance.exchange.analysis_api import PAGE
from governance.exchange.report_api import (
    SHARED_MOST,
    ReportChoices,
    ReportList,
    ReportPost,
    ReportSummary,
    ReportView,
    SharePost,
)
from governance.identity.envelope import parse_model
from linkage_hub.api.access import Gate
from linkage_hub.api.analysis import Limit, Offset
from linkage_hub.reports.desk import ReportDesk

_ASKED_MOST = 4_096  # bytes of a request to make one


def report_routes(gate: Gate, desk: ReportDesk) -> APIRouter:
    """What analysts, service managers and IG leads call."""
    router = APIRouter(prefix="/v1")
    making: Final = CapacityLimiter(1)  # who waits for it takes none of the threads of others

    @router.get("/agreements/{agreement}/reports")
    async def page(
        request: Request, agreement: str, offset: Offset = 0, limit: Limit = PAGE
    ) -> ReportList:
        """Reports of an agreement, newest first."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.page, caller.party, agreement, offset, limit)

    @router.get("/agreements/{agreement}/reports/choices")
    async def choices(request: Request, agreement: str) -> ReportChoices:
        """Which runs and criteria a report can be made of now."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.choices, caller.party, agreement)

    @router.post("/agreements/{agreement}/reports")
    async def make(request: Request, agreement: str) -> ReportSummary:
        """Make a report, or the one that there is of the same."""
        caller = await gate.admit(request, _ASKED_MOST)
        post = parse_model(parse_json(caller.body), ReportPost)
        return await to_thread.run_sync(desk.make, caller.staff, agreement, post, limiter=making)

    @router.post("/agreements/{agreement}/reports/shared")
    async def share(request: Request, agreement: str) -> ReportSummary:
        """Share figures that were made elsewhere; the same again are the report that there is."""
        caller = await gate.admit(request, SHARED_MOST)
        post = parse_model(parse_json(caller.body), SharePost)
        return await run_in_threadpool(desk.share, caller.staff, agreement, post)

    @router.get("/reports/{report}")
    async def view(request: Request, report: str) -> ReportView:
        """One report; for a lead without lists of families."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.view, caller.staff, report)

    @router.delete("/reports/{report}", status_code=204)
    async def withdraw(request: Request, report: str) -> Response:
        """Destroy a report."""
        caller = await gate.admit(request, 0)
        await run_in_threadpool(desk.withdraw, caller.staff, report)
        return Response(status_code=204)

    return router
