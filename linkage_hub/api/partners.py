"""Routes for partners' agents."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from governance.canonical import parse_json
from governance.exchange.hub_api import SecretPost, SubmissionList, SubmissionPost, SubmissionView
from governance.exchange.release_api import AnswerPost, OrderList
from governance.identity.envelope import parse_model
from linkage_hub.api.access import Gate
from linkage_hub.releases.orders import Orders
from linkage_hub.secrets import SecretRelay
from linkage_hub.submissions.files import PIECE_MOST
from linkage_hub.submissions.service import Submissions

DOCUMENT_MOST: Final = 8 * 1024 * 1024  # bytes of a JSON body
Epoch = Annotated[int, Path(ge=1, lt=2**31)]


def partner_routes(
    gate: Gate, submissions: Submissions, secrets: SecretRelay, desk: Orders, key_of: Any
) -> APIRouter:
    """What an agent calls."""
    router = APIRouter(prefix="/v1")

    @router.post("/secrets", status_code=204)
    async def post_secrets(request: Request) -> Response:
        """Keep sealed linkage secrets for their recipients."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), SecretPost)
        await run_in_threadpool(secrets.post, caller.party, post.secrets)
        return Response(status_code=204)

    @router.get("/secrets/{agreement}/{epoch}")
    async def get_secret(request: Request, agreement: str, epoch: Epoch) -> Any:
        """The linkage secret that was sealed to the caller."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(secrets.get, key_of(caller.party), agreement, epoch)

    @router.post("/submissions", status_code=201)
    async def announce(request: Request) -> SubmissionView:
        """Announce a submission."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), SubmissionPost)
        return await run_in_threadpool(submissions.announce, caller.party, post.manifest)

    @router.get("/submissions")
    async def all_submissions(request: Request) -> SubmissionList:
        """The caller's submissions."""
        caller = await gate.admit(request, 0)
        found = await run_in_threadpool(submissions.of, caller.party)
        return SubmissionList(submissions=tuple(found))

    @router.get("/submissions/{id_}")
    async def one_submission(request: Request, id_: str) -> SubmissionView:
        """Where one of the caller's submissions stands."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(submissions.view, caller.party, id_)

    @router.patch("/submissions/{id_}")
    async def append(
        request: Request, id_: str, upload_offset: Annotated[int, Header(ge=0, lt=2**62)]
    ) -> SubmissionView:
        """The next bytes of a submission's file."""
        caller = await gate.admit(request, PIECE_MOST)
        return await run_in_threadpool(
            submissions.append, caller.party, id_, upload_offset, caller.body
        )

    @router.get("/orders")
    async def orders(request: Request) -> OrderList:
        """Orders that the caller has to answer."""
        caller = await gate.admit(request, 0)
        return await run_in_threadpool(desk.orders, caller.party)

    @router.post("/orders/{request_hash}/answer", status_code=204)
    async def answer(request: Request, request_hash: str) -> Response:
        """A partner's answer to an order."""
        caller = await gate.admit(request, DOCUMENT_MOST)
        post = parse_model(parse_json(caller.body), AnswerPost)
        await run_in_threadpool(desk.answer, caller.party, request_hash, post)
        return Response(status_code=204)

    return router
