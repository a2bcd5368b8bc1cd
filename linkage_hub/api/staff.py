"""Routes for analysts, service managers and IG leads."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from governance.agreements.models import Action
from governance.canonical import parse_json
from governance.exchange.analysis_api import PAGE
from governance.exchange.hub_api import QualityTable, RunList, RunPost, RunView
from governance.exchange.release_api import (
    ApprovalPost,
    FamilyList,
    FamilyQuery,
    FamilyView,
    OutcomePost,
    ReleaseView,
    RequestList,
    RequestPost,
    RequestView,
)
from governance.identity.envelope import parse_model
from governance.ledger.party import PartyLedger
from linkage_hub.analytics.exports import ANALYSED, FIGURES, export, quality_of
from linkage_hub.analytics.permission import Permission
from linkage_hub.api.access import Caller, Gate
from linkage_hub.api.analysis import Limit, Offset
from linkage_hub.api.partners import DOCUMENT_MOST
from linkage_hub.releases.families import ApproachFor, Families
from linkage_hub.releases.service import Releases
from linkage_hub.runs.service import Runs
from linkage_hub.store.database import HubDatabase


def run_routes(  # noqa: C901 - a list of routes
    gate: Gate, runs: Runs, permission: Permission, database: HubDatabase
) -> APIRouter:
    """What an analyst calls."""
    router = APIRouter(prefix="/v1")

    @router.post("/runs", status_code=202)
    async def start(request: Request) -> RunView:
        """Start a link run."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), RunPost)

        def work() -> RunView:
            permission.agreement(caller.party, post.agreement)
            return runs.start(
                post.agreement,
                post.mode,
                questions=post.questions,
                solver=post.solver,
                id_=post.id,
            )

        return await run_in_threadpool(work)

    @router.get("/runs")
    async def all_runs(request: Request, offset: Offset = 0, limit: Limit = PAGE) -> RunList:
        """Runs of the caller's agreements, newest first."""
        caller = await gate.admit(request, 0)

        def work() -> RunList:
            found = runs.page(lambda each: permission.sees(caller.party, each), offset, limit)
            return found.model_copy(update={"runs": tuple(map(permission.shown, found.runs))})

        return await run_in_threadpool(work)

    @router.get("/runs/{run}")
    async def one_run(request: Request, run: str) -> RunView:
        """A run: progress, or figures."""
        caller = await gate.admit(request, 0)

        def work() -> RunView:
            permission.figures_of(caller.party, run)
            return permission.shown(runs.view(run))

        return await run_in_threadpool(work)

    @router.get("/runs/{run}/quality")
    async def quality(request: Request, run: str) -> QualityTable:
        """How good a run's links are, as far as can be told without truth."""
        caller = await gate.admit(request, 0)

        def work() -> QualityTable:
            permission.figures_of(caller.party, run)
            return quality_of(database, run)

        return await run_in_threadpool(work)

    @router.get("/runs/{run}/exports/{name}")
    async def exported(request: Request, run: str, name: str) -> StreamingResponse:
        """One file of a run's exports; of records only while the agreement is in force."""
        caller = await gate.admit(request, 0)

        def work() -> Iterable[bytes]:
            if name in FIGURES:
                row = permission.figures_of(caller.party, run)
            else:
                action = Action.ANALYSE if name in ANALYSED else Action.LINK
                row, _ = permission.records_of(caller.party, run, action)
            return export(database, run, name, told=permission.analysed(row.agreement))

        parts = await run_in_threadpool(work)
        kind = "application/json" if name.endswith(".json") else "text/csv; charset=utf-8"
        return StreamingResponse(iter(parts), media_type=kind)

    return router


def release_routes(  # noqa: C901 - a list of routes
    gate: Gate,
    families: Families,
    releases: Releases,
    ledger: PartyLedger,
    now: Callable[[], datetime],
) -> APIRouter:
    """What a service manager and an IG lead call."""
    router = APIRouter(prefix="/v1")

    def approach(caller: Caller) -> ApproachFor:
        return ApproachFor(caller.party, now())

    @router.get("/families")
    async def page(
        request: Request,
        query: Annotated[FamilyQuery, Query()],
    ) -> FamilyList:
        """Families for professional consideration."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(
            lambda: families.page(ledger.sync(), approach(caller), query)
        )

    @router.get("/families/{family}")
    async def family_page(request: Request, family: str) -> FamilyView:
        """One family."""
        caller = await gate.admit(request, 0)

        def work() -> FamilyView:
            found = families.view(family, ledger.sync(), approach(caller))
            earlier = releases.earlier(caller.staff, family)
            return found.model_copy(update={"earlier": earlier})

        return await run_in_threadpool(work)

    @router.post("/requests", status_code=201)
    async def ask(request: Request) -> RequestView:
        """Ask to re-identify a family."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), RequestPost)
        return await run_in_threadpool(releases.ask, caller.staff, post.request)

    @router.get("/requests")
    async def all_requests(request: Request) -> RequestList:
        """Requests that the caller may see."""
        caller = await gate.admit(request, 0)
        return RequestList(requests=tuple(await run_in_threadpool(releases.all, caller.staff)))

    @router.get("/requests/{request_hash}")
    async def one_request(request: Request, request_hash: str) -> RequestView:
        """A request and what became of it."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(releases.view, caller.staff, request_hash)

    @router.post("/requests/{request_hash}/approval")
    async def decide(request: Request, request_hash: str) -> RequestView:
        """An IG lead's decision."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), ApprovalPost)
        return await run_in_threadpool(releases.decide, caller.staff, request_hash, post.approval)

    @router.get("/requests/{request_hash}/release")
    async def release(request: Request, request_hash: str) -> ReleaseView:
        """Every partner's sealed items, for the requester."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(releases.release, caller.staff, request_hash)

    @router.post("/requests/{request_hash}/outcome")
    async def conclude(request: Request, request_hash: str) -> RequestView:
        """What came of an approach."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), OutcomePost)
        return await run_in_threadpool(releases.conclude, caller.staff, request_hash, post.outcome)

    return router
