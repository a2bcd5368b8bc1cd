"""Routes of clerical review."""

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool

from governance.canonical import parse_json
from governance.exchange.analysis_api import PAGE
from governance.exchange.hub_api import ReviewList, RulingList, RulingPost
from governance.identity.envelope import parse_model
from linkage_hub.api.access import Gate
from linkage_hub.api.analysis import Limit, Offset
from linkage_hub.api.partners import DOCUMENT_MOST
from linkage_hub.review.service import Reviews


def review_routes(gate: Gate, reviews: Reviews) -> APIRouter:
    """What an analyst calls."""
    router = APIRouter(prefix="/v1")

    @router.get("/review/{agreement}")
    async def pairs(
        request: Request, agreement: str, offset: Offset = 0, limit: Limit = PAGE
    ) -> ReviewList:
        """Pairs to rule on."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(reviews.pairs, caller.party, agreement, offset, limit)

    @router.get("/review/{agreement}/rulings")
    async def rulings(request: Request, agreement: str) -> RulingList:
        """Rulings that count."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(reviews.rulings, caller.party, agreement)

    @router.post("/review/{agreement}/rulings", status_code=201)
    async def decide(request: Request, agreement: str) -> RulingList:
        """Rule on a pair."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), RulingPost)
        return await run_in_threadpool(
            reviews.decide, caller.staff.thumbprint, caller.party, agreement, post
        )

    return router
