"""Routes about models of risk that are shared, and families by area."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool

from governance.exchange.analysis_api import PAGE
from governance.exchange.risk_api import RANKED_MOST, AreaList, ModelList, RankedList
from linkage_hub.analytics.areas import AreaDesk
from linkage_hub.analytics.risk.desk import RiskDesk
from linkage_hub.api.access import Gate
from linkage_hub.api.analysis import Offset

Limit = Annotated[int, Query(ge=1, le=RANKED_MOST)]


def risk_routes(gate: Gate, desk: RiskDesk, areas: AreaDesk) -> APIRouter:
    """What staff call to see a model, its list, and where families live in what numbers."""
    router = APIRouter(prefix="/v1")

    @router.get("/risk")
    async def models(request: Request) -> ModelList:
        """Models that are shared with the caller."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.models, caller.party, caller.staff.role)

    @router.get("/risk/{model}/families")
    async def families(
        request: Request, model: str, offset: Offset = 0, limit: Limit = PAGE
    ) -> RankedList:
        """Families of the current run in a model's order, for professional consideration."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.families, caller.party, model, offset, limit)

    @router.get("/areas")
    async def counts(request: Request) -> AreaList:
        """Families put forward, by area and by how many of their needs are met."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(areas.counts, caller.party)

    return router
