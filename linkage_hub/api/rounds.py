"""Routes for rounds of refinement, called by partners' agents."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from governance.canonical import parse_json
from governance.exchange.refinement import ANSWERS_MOST, ProfilesPost, RoundList, RoundRefusal
from governance.identity.envelope import parse_model
from linkage_hub.api.access import Gate
from linkage_hub.api.partners import DOCUMENT_MOST
from linkage_hub.refinement.desk import RoundDesk

Batch = Annotated[int, Path(ge=0, lt=2**31)]


def round_routes(gate: Gate, desk: RoundDesk) -> APIRouter:
    """What an agent calls to answer questions about pairs."""
    router = APIRouter(prefix="/v1/rounds")

    @router.get("")
    async def open_rounds(request: Request) -> RoundList:
        """Open rounds in which the caller has questions left."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.open_rounds, caller.party)

    @router.get("/{round_hash}/questions/{batch}")
    async def questions(request: Request, round_hash: str, batch: Batch) -> Response:
        """One batch of the caller's questions."""
        caller = await gate.admit(request, 0)
        body = await run_in_threadpool(desk.questions, caller.party, round_hash, batch)
        return Response(body, media_type="application/octet-stream")

    @router.post("/{round_hash}/answers/{batch}", status_code=204)
    async def answers(request: Request, round_hash: str, batch: Batch) -> Response:
        """The caller's answers to one batch."""
        caller = await gate.admit(request, ANSWERS_MOST)
        await run_in_threadpool(desk.answer, caller.party, round_hash, batch, caller.body)
        return Response(status_code=204)

    @router.post("/{round_hash}/profiles", status_code=204)
    async def profiles(request: Request, round_hash: str) -> Response:
        """What the caller's submissions say about themselves."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), ProfilesPost)
        await run_in_threadpool(desk.profiles, caller.party, round_hash, post)
        return Response(status_code=204)

    @router.post("/{round_hash}/refusal", status_code=204)
    async def refusal(request: Request, round_hash: str) -> Response:
        """The caller answers nothing of a round."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), RoundRefusal)
        await run_in_threadpool(desk.refuse, caller.party, round_hash, post.reason)
        return Response(status_code=204)

    return router
