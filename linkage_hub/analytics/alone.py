"""Records that a run joined to no other, and what stood in the way.

Rules: most records are alone because the person is in one source only, so a barrier is named only
where one is seen. In order, and the first that holds counts: several people are about equally
likely (``namesakes``: more likely than not the record is one of them, and no single one of them is
more likely than not); its encoding holds too little (``few_fields``; of profile ``hardened``, whose
encodings are half full whatever they hold, the hub cannot tell); its partner knows no date of birth
(``no_birth_date``: no age band); somebody resembles it, not enough (``in_doubt``).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray
from sqlalchemy import Connection, update

from governance.exchange.analysis_api import Barrier
from linkage_hub.analytics.evidence import NEAR, Weighed
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.linkage.threshold import MATCH
from linkage_hub.runs.inputs import SourceData
from linkage_hub.store.bulk import insert_rows
from linkage_hub.store.tables import runs, unlinked
from linkage_hub.submissions.content import BITS

BARRIERS: Final[tuple[Barrier, ...]] = ("namesakes", "few_fields", "no_birth_date", "in_doubt")
FEW_FILL: Final = 0.2
"""Share of bits below which an encoding of profile ``clk`` counts as one of few fields: records of
all fields fill .23 and more (``submissions.content``), agents send none below .15."""

Bools = NDArray[np.bool_]


def barriers_of(
    sources: Sequence[SourceData], linked: LinkResult, *, hardened: bool
) -> NDArray[np.int8]:
    """What stood in the way of each record over all sources, int8 (n,).

    -2: it is not alone; -1: nothing is seen; else a place in ``BARRIERS``.
    """
    person = np.concatenate([np.empty(0, dtype=np.int64), *linked.person_of])
    alone = np.bincount(person)[person] == 1 if len(person) else np.empty(0, dtype=np.bool_)
    best, together, rivals = _likeness(linked, len(person))
    holds = (
        (rivals > 1) & (together >= MATCH) & (best < MATCH),
        _few_fields(sources, hardened=hardened),
        _no_birth_date(sources),
        best >= NEAR,
    )
    found = np.full(len(person), -1, dtype=np.int8)
    for place in reversed(range(len(BARRIERS))):
        found[holds[place]] = place
    found[~alone] = -2
    return found


def write_unlinked(
    connection: Connection,
    run: str,
    sources: Sequence[SourceData],
    found: NDArray[np.int8],
) -> None:
    """Store a run's records that are alone, and how many there are.

    Args:
        connection: in a write transaction.
        run: a run's id.
        sources: in the order of the run's persons.
        found: what stood in the way, as ``barriers_of`` has it.
    """
    start = np.concatenate([[0], np.cumsum([len(source.handles) for source in sources])])
    figures = [
        {
            "party": source.party,
            "source": source.source,
            "manifest": source.manifest,
            "records": len(source.handles),
            "alone": int((found[start[at] : start[at + 1]] > -2).sum()),  # noqa: PLR2004
        }
        for at, source in enumerate(sources)
    ]
    insert_rows(
        connection,
        unlinked,
        ("run", "handle", "barrier"),
        (
            (run, handle, BARRIERS[place])
            for at, source in enumerate(sources)
            for handle, place in _named(source, found[start[at] : start[at + 1]])
        ),
    )
    connection.execute(update(runs).where(runs.c.id == run).values(unlinked=json.dumps(figures)))


def _named(source: SourceData, found: NDArray[np.int8]) -> Iterator[tuple[str, int]]:
    for row in np.flatnonzero(found >= 0).tolist():
        yield bytes(source.handles[row]).hex(), int(found[row])


def _likeness(
    linked: LinkResult, size: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Of each record the likeliest pair, the sum over pairs, and how many from ``NEAR`` on."""
    pairs = Weighed.of(linked)
    ends = np.concatenate([pairs.left, pairs.right])
    probability = np.tile(pairs.probability, 2)
    best = np.zeros(size)
    np.maximum.at(best, ends, probability)
    together = np.bincount(ends, probability, minlength=size).astype(np.float64)
    near = np.bincount(ends[probability >= NEAR], minlength=size).astype(np.int64)
    return best, together, near


def _few_fields(sources: Sequence[SourceData], *, hardened: bool) -> Bools:
    if hardened:
        return np.zeros(sum(len(source.handles) for source in sources), dtype=np.bool_)
    full = [np.bitwise_count(source.encodings[0]).sum(axis=1) for source in sources]
    return np.concatenate([np.empty(0, dtype=np.int64), *full]) < FEW_FILL * BITS


def _no_birth_date(sources: Sequence[SourceData]) -> Bools:
    columns = [
        pc.is_null(source.table.column("age_band")).to_numpy().astype(np.bool_)
        for source in sources
    ]
    return np.concatenate([np.empty(0, dtype=np.bool_), *columns])
