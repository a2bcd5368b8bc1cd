"""Ids that persist: each cluster keeps the id that most of its members had before.

Overlaps are settled largest first; ties by id, then by the cluster's smallest member, so the
same input gives the same ids whatever its order. A released id is never given to strangers.
Members and ids are arrays of bytes of one length: a million of them are carried in seconds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Texts = NDArray[np.bytes_]  # of one length
Indices = NDArray[np.int64]
NewIds = Callable[[int], list[str]]
"""Makes that many random ids that were never used."""


@dataclass(frozen=True, slots=True)
class IdEvent:
    """What happened to an id between two runs.

    Attributes:
        kind: ``new``: members not known before; ``merge``: ``id`` took over members of
            ``others``; ``split``: members of ``id`` went to ``others``.
        id: the id that the event is about.
        others: ids involved, sorted.
    """

    kind: Literal["new", "merge", "split"]
    id: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownIds:
    """Ids of the run before.

    Attributes:
        members: ascending, no member twice, bytes (n,).
        ids: the id of each, bytes (n,).
    """

    members: Texts
    ids: Texts

    @classmethod
    def of(cls, members: Texts, ids: Texts) -> "KnownIds":
        """From members in any order."""
        order = np.argsort(members)
        return cls(members[order], ids[order])

    @classmethod
    def none(cls) -> "KnownIds":
        """Before the first run."""
        return cls(np.zeros(0, dtype="S1"), np.zeros(0, dtype="S1"))


@dataclass(frozen=True, slots=True)
class CarriedIds:
    """Ids of this run.

    Attributes:
        ids: of each cluster, in order.
        changes: merges by id, then splits by id.
        new: ids of clusters none of whose members was known, sorted.
    """

    ids: list[str]
    changes: list[IdEvent]
    new: list[str]


@dataclass(frozen=True, slots=True)
class _Overlaps:
    """How many members of a cluster had an old id, by cluster, then by id."""

    cluster: Indices
    old: Indices
    count: Indices


def carry(
    previous: KnownIds, members: Texts, cluster: Indices, count: int, new_ids: NewIds
) -> CarriedIds:
    """Ids for the clusters of this run, and what changed.

    Args:
        previous: id of each member in the last run.
        members: of all clusters, none twice, bytes (m,) of the length of the previous ones.
        cluster: the cluster of each, int64 (m,).
        count: how many clusters there are; one may be empty.
        new_ids: makes ids for clusters that keep none.
    """
    names, code = np.unique(previous.ids, return_inverse=True)
    old_names = [name.decode("ascii") for name in names.tolist()]
    overlaps = _overlaps(previous, code.astype(np.int64), members, cluster)
    smallest = _smallest(members, cluster, count)
    kept = _settled(overlaps, smallest, count)
    fresh = np.flatnonzero(kept < 0)
    fresh = fresh[np.argsort(smallest[fresh], kind="stable")]
    ids = [old_names[at] if at >= 0 else "" for at in kept.tolist()]
    for at, name in zip(fresh.tolist(), new_ids(len(fresh)), strict=True):
        ids[at] = name
    known = np.zeros(count, dtype=np.bool_)
    known[overlaps.cluster] = True
    return CarriedIds(
        ids,
        [*_merges(overlaps, kept, ids, old_names), *_splits(overlaps, ids, old_names)],
        sorted(ids[at] for at in np.flatnonzero(~known).tolist()),
    )


def _overlaps(previous: KnownIds, code: Indices, members: Texts, cluster: Indices) -> _Overlaps:
    if not len(previous.members) or not len(members):
        nothing = np.zeros(0, dtype=np.int64)
        return _Overlaps(nothing, nothing, nothing)
    at = np.minimum(np.searchsorted(previous.members, members), len(previous.members) - 1)
    hit = previous.members[at] == members
    olds = int(code.max()) + 1
    pairs, counts = np.unique(cluster[hit] * olds + code[at[hit]], return_counts=True)
    return _Overlaps(pairs // olds, pairs % olds, counts.astype(np.int64))


def _smallest(members: Texts, cluster: Indices, count: int) -> Indices:
    """Rank of each cluster's smallest member; behind all members for an empty one."""
    rank = np.empty(len(members), dtype=np.int64)
    rank[np.argsort(members)] = np.arange(len(members))
    smallest = np.full(count, len(members), dtype=np.int64)
    np.minimum.at(smallest, cluster, rank)
    return smallest


def _settled(overlaps: _Overlaps, smallest: Indices, count: int) -> Indices:
    """The old id that each cluster keeps, -1 for none."""
    order = np.lexsort(
        (overlaps.cluster, smallest[overlaps.cluster], overlaps.old, -overlaps.count)
    )
    kept = [-1] * count
    taken: set[int] = set()
    for at, old in zip(overlaps.cluster[order].tolist(), overlaps.old[order].tolist(), strict=True):
        if kept[at] < 0 and old not in taken:
            kept[at] = old
            taken.add(old)
    return np.array(kept, dtype=np.int64)


def _merges(
    overlaps: _Overlaps, kept: Indices, ids: list[str], old_names: list[str]
) -> list[IdEvent]:
    lost = overlaps.old != kept[overlaps.cluster]
    events = [
        IdEvent("merge", ids[at], tuple(old_names[old] for old in others))
        for at, others in _grouped(overlaps.cluster[lost], overlaps.old[lost])
    ]
    return sorted(events, key=lambda event: event.id)


def _splits(overlaps: _Overlaps, ids: list[str], old_names: list[str]) -> list[IdEvent]:
    order = np.lexsort((overlaps.cluster, overlaps.old))
    events = []
    for old, heirs in _grouped(overlaps.old[order], overlaps.cluster[order]):
        if len(heirs) > 1:
            name = old_names[old]
            others = sorted({ids[at] for at in heirs} - {name})
            events.append(IdEvent("split", name, tuple(others)))
    return sorted(events, key=lambda event: event.id)


def _grouped(keys: Indices, values: Indices) -> list[tuple[int, list[int]]]:
    """Values by key; keys are ascending."""
    bounds = np.flatnonzero(np.diff(keys, prepend=-1, append=-1)).tolist()
    every = values.tolist()
    return [(int(keys[low]), every[low:high]) for low, high in pairwise(bounds)]
