"""The ledger over HTTP, as docs/architecture.md lists it.

Rules: what says nothing about anybody (checkpoints, proofs) is open, so that a witness from outside
needs no key; events are read, and anything is written, by parties and people of this ledger, who
sign each request (RFC 9421) and are held to a rate.
"""

import json
import logging
from collections.abc import Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import PlainTextResponse

from governance.canonical import Slug, b64, parse_json
from governance.errors import GovernanceError
from governance.exchange.http import RequestVerifier
from governance.identity.envelope import parse_model
from governance.ledger.batch import (
    BATCH_MAX_BYTES,
    EVENTS_A_TOKEN,
    WORDS_MOST,
    BatchAnswer,
    PlacedInBatch,
    RefusedInBatch,
    WireBatch,
)
from governance.ledger.errors import EventTooLargeError
from governance.ledger.events import LEAF_MAX_BYTES, PAYLOAD_MAX_BYTES, Event, WireEvent
from governance.ledger.limits import RateLimit
from governance.ledger.note import NOTE_MAX_BYTES, parse_note
from governance.ledger.service import ENTRIES_MAX, LedgerService
from governance.ledger.tables import StoredEntry
from governance.web.signed import read_body, verify_request

EVENT_MAX_BYTES: Final = 4 * (LEAF_MAX_BYTES + PAYLOAD_MAX_BYTES) // 3 + 1024  # base64 in JSON
_LOG: Final = logging.getLogger(__name__)
_QUERY_MOST: Final = 100  # characters
Position = Annotated[int, Query(ge=0, lt=2**62)]


def open_routes(service: LedgerService) -> APIRouter:
    """What anyone may read: how large the log is, its checkpoints, and proofs."""
    router = APIRouter(prefix="/v1")

    @router.get("/log")
    def log() -> dict[str, Any]:
        """Origin, verifier key, size."""
        return {
            "origin": service.log_key.name,
            "vkey": str(service.log_key),
            "size": service.size(),
        }

    @router.get("/checkpoint", response_class=PlainTextResponse)
    def checkpoint(
        size: Annotated[int | None, Query(ge=0, lt=2**62)] = None,
        witnesses: Annotated[int, Query(ge=0, le=100)] = 0,
        by: Annotated[list[Slug] | None, Query(max_length=100)] = None,
    ) -> str:
        """The newest checkpoint, that of a size, or the largest with so many cosignatures."""
        return str(service.checkpoint(size, witnesses, set(by or ())))

    @router.get("/proofs/inclusion")
    def inclusion(index: Position, size: Position) -> dict[str, Any]:
        """RFC 9162 inclusion proof."""
        return {"hashes": [b64(value) for value in service.inclusion_proof(index, size)]}

    @router.get("/proofs/consistency")
    def consistency(first: Position, second: Position) -> dict[str, Any]:
        """RFC 9162 consistency proof."""
        return {"hashes": [b64(value) for value in service.consistency_proof(first, second)]}

    return router


def entry_routes(service: LedgerService, reader: Callable[..., Any]) -> APIRouter:
    """The log's events, for whom the dependency ``reader`` lets pass."""
    router = APIRouter(dependencies=[Depends(reader)])

    @router.get("/entries", response_class=Response)
    def entries(start: Position, end: Position) -> Response:
        """Entries from ``start``; fewer than asked when the answer would be too large."""
        found = service.entries(start, min(end, start + ENTRIES_MAX))
        body = {"entries": [_entry(start + at, entry) for at, entry in enumerate(found)]}
        # written at once: models and the framework's encoder take ten times as long
        return Response(json.dumps(body, separators=(",", ":")), media_type="application/json")

    return router


def _read_batch(body: bytes) -> list[Event]:
    """The events of a batch.

    Raises:
        FormatError: not a batch, or one of its events is none: its sender writes something else
            than it means to, so nothing of it is taken.
    """
    return [wire.event() for wire in parse_model(parse_json(body), WireBatch).events]


def _outcome(outcome: tuple[int, list[bytes]] | GovernanceError) -> PlacedInBatch | RefusedInBatch:
    if isinstance(outcome, GovernanceError):
        return RefusedInBatch(
            reason=outcome.reason,
            detail=outcome.message[:WORDS_MOST],
            next_step=outcome.next_step[:WORDS_MOST],
        )
    index, proof = outcome
    return PlacedInBatch(index=index, hashes=tuple(b64(value) for value in proof))


def _entry(index: int, stored: StoredEntry) -> dict[str, Any]:
    """A ``WireEvent`` at its place."""
    leaf, salt, payload = (None if part is None else b64(part) for part in stored)
    return {"index": index, "leaf": leaf, "salt": salt, "payload": payload}


def signed_routes(
    service: LedgerService, verifier: RequestVerifier, limit: RateLimit, public_url: str | None
) -> APIRouter:
    """What parties and people of the ledger may read and send."""
    router = APIRouter(prefix="/v1")

    async def signed_body(request: Request, most: int) -> tuple[str, bytes]:
        body = await read_body(request, most, EventTooLargeError)
        caller = await verify_request(request, body, verifier, public_url)
        limit.take(caller)
        return caller, body

    async def reader(request: Request) -> None:
        caller, _ = await signed_body(request, 0)
        _LOG.info("read", extra={"asked": request.url.query[:_QUERY_MOST], "caller": caller})

    router.include_router(entry_routes(service, reader))

    @router.post("/events", status_code=201)
    async def append(request: Request) -> dict[str, Any]:
        """Append an event; the answer proves that it is in the log."""
        caller, body = await signed_body(request, EVENT_MAX_BYTES)
        event = parse_model(parse_json(body), WireEvent).event()
        done = await run_in_threadpool(service.append, event)
        _LOG.info(
            "appended",
            extra={
                "index": done.index,
                "type": event.leaf.type.value,
                "author": event.leaf.author,
                "caller": caller,
            },
        )
        return {
            "index": done.index,
            "size": done.size,
            "checkpoint": str(done.checkpoint),
            "hashes": [b64(value) for value in done.proof],
        }

    @router.post("/events/batch")
    async def append_batch(request: Request) -> dict[str, Any]:
        """Append consents and withdrawals; the answer has a receipt or a refusal for each."""
        caller, body = await signed_body(request, BATCH_MAX_BYTES)
        events = await run_in_threadpool(_read_batch, body)
        limit.take(caller, len(events) // EVENTS_A_TOKEN)
        done = await run_in_threadpool(service.append_batch, events)
        answer = [_outcome(each) for each in done.outcomes]
        placed = sum(isinstance(each, PlacedInBatch) for each in answer)
        _LOG.info(
            "appended batch",
            extra={"placed": placed, "refused": len(answer) - placed, "caller": caller},
        )
        return BatchAnswer(
            size=done.size, checkpoint=str(done.checkpoint), events=tuple(answer)
        ).model_dump()

    @router.post("/cosignatures", status_code=201)
    async def cosignatures(request: Request) -> dict[str, Any]:
        """Keep witnesses' lines on one of this log's checkpoints."""
        caller, body = await signed_body(request, NOTE_MAX_BYTES)
        names = await run_in_threadpool(service.keep_cosignatures, parse_note(body))
        _LOG.info("cosigned", extra={"witnesses": names, "caller": caller})
        return {"witnesses": names}

    return router
