"""Routes by which analysts look into finished runs."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool

from governance.exchange.analysis_api import (
    PAGE,
    PAGE_MOST,
    FreshnessList,
    LinkageEffects,
    PersonList,
    PersonView,
    RunComparison,
    ThresholdTable,
    UnlinkedList,
)
from linkage_hub.analytics.desk import AnalysisDesk
from linkage_hub.api.access import Gate

Offset = Annotated[int, Query(ge=0, lt=2**31)]
Limit = Annotated[int, Query(ge=1, le=PAGE_MOST)]


def analysis_routes(gate: Gate, desk: AnalysisDesk) -> APIRouter:
    """What an analyst calls to understand a run."""
    router = APIRouter(prefix="/v1")

    @router.get("/runs/{run}/effects")
    async def effects(request: Request, run: str) -> LinkageEffects:
        """What errors of linkage do to the run's figures."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.effects, caller.party, run)

    @router.get("/runs/{run}/thresholds")
    async def thresholds(request: Request, run: str) -> ThresholdTable:
        """What the run would have found at other thresholds."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.thresholds, caller.party, run)

    @router.get("/runs/{run}/comparison/{other}")
    async def comparison(
        request: Request, run: str, other: str, offset: Offset = 0, limit: Limit = PAGE
    ) -> RunComparison:
        """Two runs of an agreement side by side."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(
            desk.comparisons.compare, caller.party, run, other, offset, limit
        )

    @router.get("/runs/{run}/persons")
    async def persons(
        request: Request, run: str, offset: Offset = 0, limit: Limit = PAGE
    ) -> PersonList:
        """Persons of the run, those with most records first."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.persons.page, caller.party, run, offset, limit)

    @router.get("/runs/{run}/persons/{person}")
    async def person(request: Request, run: str, person: str) -> PersonView:
        """One person's records, and why they are one person."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.persons.view, caller.party, run, person)

    @router.get("/runs/{run}/unlinked")
    async def unlinked(
        request: Request, run: str, offset: Offset = 0, limit: Limit = PAGE
    ) -> UnlinkedList:
        """Records that were not linked, by source and by what stood in the way."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.sources.unlinked, caller.party, run, offset, limit)

    @router.get("/agreements/{agreement}/sources")
    async def sources(request: Request, agreement: str) -> FreshnessList:
        """How fresh each source of an agreement is."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.sources.freshness, caller.party, agreement)

    return router
