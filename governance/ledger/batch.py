"""Many decisions about consent in one request and one transaction, as an import sends them.

Rules, in order: a batch has at most so many events and bytes; it holds consents and withdrawals
only, whose admission depends on no other event of the batch, so that each can be judged by what was
committed before and nothing is replayed that a failed commit would take back; each is admitted or
refused by itself, in order, as if it had come alone: a row that is refused sinks no other.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Final, TypeVar

from pydantic import Field

from governance.canonical import Base64, Frozen
from governance.ledger.events import Event, EventType, WireEvent

BATCH_EVENTS: Final = 500  # at most
BATCH_MAX_BYTES: Final = 2 * 1024 * 1024  # of a request; the largest event there may be fits in
EVENTS_A_TOKEN: Final = 10
"""How many events of a batch count as one request of the rate that a caller is held to: that is
about what they cost the service."""
BATCHED: Final = frozenset({EventType.CONSENT_RECORDED, EventType.CONSENT_WITHDRAWN})
WORDS_MOST: Final = 500  # characters of a refusal's detail, and of its next step
_AROUND: Final = 64  # bytes around the three values of an event
_Item = TypeVar("_Item")


class WireBatch(Frozen):
    """What ``POST /v1/events/batch`` takes."""

    events: Annotated[tuple[WireEvent, ...], Field(min_length=1, max_length=BATCH_EVENTS)]


class PlacedInBatch(Frozen):
    """An event that is in the log: its index, and the inclusion proof in the answer's tree."""

    index: Annotated[int, Field(ge=0)]
    hashes: Annotated[tuple[Base64, ...], Field(max_length=64)]


class RefusedInBatch(Frozen):
    """An event that is not in the log, and why."""

    reason: Annotated[str, Field(max_length=100)]
    detail: Annotated[str, Field(max_length=WORDS_MOST)]
    next_step: Annotated[str, Field(max_length=WORDS_MOST)]


class BatchAnswer(Frozen):
    """What became of each event, in the order of the batch, and the tree that the proofs are of."""

    size: Annotated[int, Field(ge=1)]
    checkpoint: str
    events: Annotated[
        tuple[PlacedInBatch | RefusedInBatch, ...], Field(min_length=1, max_length=BATCH_EVENTS)
    ]


def in_batches(items: Iterable[_Item], event: Callable[[_Item], Event]) -> Iterator[list[_Item]]:
    """Items in order, in parts whose events fit into a batch each.

    Args:
        items: any number.
        event: of an item.
    """
    part: list[_Item] = []
    size = _AROUND
    for item in items:
        more = _wire_bytes(event(item))
        if part and (len(part) == BATCH_EVENTS or size + more > BATCH_MAX_BYTES):
            yield part
            part, size = [], _AROUND
        part.append(item)
        size += more
    if part:
        yield part


def _wire_bytes(event: Event) -> int:
    """What an event takes in a batch, at most."""
    parts = (event.leaf_bytes, event.salt or b"", event.payload or b"")
    return _AROUND + sum(4 * (len(part) // 3 + 1) for part in parts)
