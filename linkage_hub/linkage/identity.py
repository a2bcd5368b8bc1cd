"""Ids that persist: each cluster keeps the id that most of its members had before.

Overlaps are settled largest first; ties by id, then by the cluster's smallest member, so the
same input gives the same ids whatever its order. A released id is never given to strangers.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

Handle = TypeVar("Handle", bytes, str, int)


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


def carry_ids(
    previous: Mapping[Handle, str],
    clusters: Sequence[Sequence[Handle]],
    new_id: Callable[[], str],
) -> tuple[list[str], list[IdEvent]]:
    """Ids for the clusters of this run, and what changed.

    Args:
        previous: id of each member in the last run.
        clusters: members of each cluster; no member in two.
        new_id: makes a random id that was never used.

    Returns:
        The id of each cluster in order, and events: merges and splits by id, then new ids.
    """
    overlaps = [
        Counter(previous[member] for member in cluster if member in previous)
        for cluster in clusters
    ]
    claims = sorted(
        (-count, old, min(clusters[at]), at)
        for at, overlap in enumerate(overlaps)
        for old, count in overlap.items()
    )
    ids: dict[int, str] = {}
    taken: set[str] = set()
    for _, old, _, at in claims:
        if at not in ids and old not in taken:
            ids[at] = old
            taken.add(old)
    fresh = sorted(
        (at for at in range(len(clusters)) if at not in ids and clusters[at]),
        key=lambda at: min(clusters[at]),
    )
    for at in fresh:
        ids[at] = new_id()
    named = [ids[at] if at in ids else new_id() for at in range(len(clusters))]
    return named, _events(overlaps, named)


def _events(overlaps: Sequence[Counter[str]], named: Sequence[str]) -> list[IdEvent]:
    merges, news = [], []
    heirs: dict[str, set[str]] = {}
    for overlap, name in zip(overlaps, named, strict=True):
        for old in overlap:
            heirs.setdefault(old, set()).add(name)
        if not overlap:
            news.append(IdEvent("new", name))
        elif absorbed := sorted(set(overlap) - {name}):
            merges.append(IdEvent("merge", name, tuple(absorbed)))
    splits = [
        IdEvent("split", old, tuple(sorted(names - {old})))
        for old, names in heirs.items()
        if len(names) > 1
    ]
    return [
        *sorted(merges, key=lambda event: event.id),
        *sorted(splits, key=lambda event: event.id),
        *sorted(news, key=lambda event: event.id),
    ]
