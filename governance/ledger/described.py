"""What each route of the ledger takes, gives and refuses: its OpenAPI document.

``python -m scripts.openapi`` writes it to docs/openapi/ledger.json; a test says when it is stale.
"""

from typing import Annotated, Any, Final

from fastapi import FastAPI
from pydantic import Field

from governance.canonical import Base64, Frozen, Slug
from governance.errors import ReasonedError, SignatureError
from governance.identity.passkeys import CounterNotRisen
from governance.ledger.admission import NotAdmissible
from governance.ledger.batch import BatchAnswer, WireBatch
from governance.ledger.errors import (
    ClockSkewError,
    DuplicateEventError,
    EventFormatError,
    EventTooLargeError,
    ForeignCheckpointError,
    NoteFormatError,
    NoteSignatureError,
    OutOfRangeError,
    RateLimitError,
    StoreError,
    UnknownAuthorError,
    UnknownWitnessError,
)
from governance.ledger.events import WireEvent
from governance.ledger.problems import STATUS
from governance.web.openapi import TEXT, Described, document
from governance.web.signed import RequestSignatureError, RequestTimeError

SIGNED: Final = (
    "Checkpoints and proofs are open; events are read and written by parties and people of the "
    "ledger, who sign each request (RFC 9421): docs/architecture.md. Refusals are problem details "
    "(RFC 9457) with a stable reason."
)
VERSION: Final = "1"
_Place = Annotated[int, Field(ge=0)]


class LogView(Frozen):
    """``GET /v1/log``."""

    origin: str
    vkey: str
    size: _Place


class ProofView(Frozen):
    """``GET /v1/proofs/inclusion`` and ``consistency``."""

    hashes: tuple[Base64, ...]


class EntryView(WireEvent):
    """An event at its place; salt and payload are null once erased."""

    index: _Place


class EntriesView(Frozen):
    """``GET /v1/entries``."""

    entries: tuple[EntryView, ...]


class ReceiptView(Frozen):
    """``POST /v1/events``: where the event is, and the proof that it is there."""

    index: _Place
    size: _Place
    checkpoint: str
    hashes: tuple[Base64, ...]


class CosignedView(Frozen):
    """``POST /v1/cosignatures``: whose lines were kept."""

    witnesses: tuple[Slug, ...]


def _signed(*refusals: type[ReasonedError], body: Any = None, answer: Any = None) -> Described:
    everywhere = (
        RequestSignatureError,
        RequestTimeError,
        RateLimitError,
        EventTooLargeError,
        StoreError,
    )
    return Described((*everywhere, *refusals), body, answer)


_WRITTEN: Final = (
    SignatureError, CounterNotRisen, UnknownAuthorError, EventFormatError, DuplicateEventError,
    NotAdmissible, ClockSkewError,
)  # fmt: skip
ROUTES: Final[dict[str, Described]] = {
    "GET /healthz": Described((StoreError,)),
    "GET /v1/log": Described((StoreError,), answer=LogView),
    "GET /v1/checkpoint": Described((StoreError, OutOfRangeError), media=(TEXT,)),
    "GET /v1/proofs/inclusion": Described((StoreError, OutOfRangeError), answer=ProofView),
    "GET /v1/proofs/consistency": Described((StoreError, OutOfRangeError), answer=ProofView),
    "GET /v1/entries": _signed(OutOfRangeError, answer=EntriesView),
    "POST /v1/events": _signed(*_WRITTEN, body=WireEvent, answer=ReceiptView),
    "POST /v1/events/batch": _signed(*_WRITTEN, body=WireBatch, answer=BatchAnswer),
    "POST /v1/cosignatures": _signed(
        SignatureError,
        NoteFormatError,
        NoteSignatureError,
        UnknownWitnessError,
        ForeignCheckpointError,
        OutOfRangeError,
        body=TEXT,
        answer=CosignedView,
    ),
}
"""Every route of the ledger."""


def openapi(app: FastAPI) -> dict[str, Any]:
    """The ledger's OpenAPI document."""
    return document(app, ROUTES, STATUS, version=VERSION, signed=SIGNED)
