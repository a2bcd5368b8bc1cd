"""Filling a log with so many leaves, made by several processes, in large transactions."""

import multiprocessing
import os
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import count
from typing import Final

from benchmarks.ledger.county import ORIGIN, County
from benchmarks.ledger.mix import Mix
from governance.ledger.database import Database
from governance.ledger.events import Event, read_event
from governance.ledger.store import LedgerStore

BATCH: Final = 5_000  # events in one transaction
_AHEAD: Final = 4  # batches made before they are wanted
_Raw = list[tuple[bytes, bytes | None, bytes | None]]
_county: list[County] = []  # of a process that makes events


def fill(url: str, county: County, leaves: int) -> None:
    """Append stories until the log has so many leaves; the last stories may be cut short."""
    store = LedgerStore(Database(url, "log"), ORIGIN)
    with ProcessPoolExecutor(
        os.cpu_count(), multiprocessing.get_context("spawn"), _remember, (county,)
    ) as pool:
        seeds, waiting = count(), deque[Future[_Raw]]()
        while (missing := leaves - store.head().size) > 0:
            while len(waiting) < _AHEAD:
                waiting.append(pool.submit(_make, next(seeds)))
            _append(store, [read_event(*raw) for raw in waiting.popleft().result()[:missing]])
        pool.shutdown(cancel_futures=True)
    store.close()


def copy(source: str, target: str) -> None:
    """Bring the very same leaves into another database, which may hold the first of them."""
    theirs = LedgerStore(Database(source, "log"), ORIGIN)
    ours = LedgerStore(Database(target, "log"), ORIGIN)
    end = theirs.head().size
    while (start := ours.head().size) < end:
        _append(ours, theirs.entries(start, min(end, start + BATCH)))
    if ours.head() != theirs.head():
        raise SystemExit("the two databases hold different trees")
    theirs.close()
    ours.close()


def _append(store: LedgerStore, events: list[Event]) -> None:
    with store.writing() as writer:
        for event in events:
            writer.append(event)


def _remember(county: County) -> None:
    _county[:] = [county]


def _make(seed: int) -> _Raw:
    events = Mix(_county[0], seed).events(BATCH)
    return [(event.leaf_bytes, event.salt, event.payload) for event in events]
