"""Persons without the records that do not exist.

Rules: a synthetic record leaves its person; a person of synthetic records only is gone; real
records that were one person only by way of a synthetic one are parted again, by what the model
says of the real pairs alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from linkage_hub.linkage.persons import LinkResult
from linkage_hub.quality.pairs import Indices, Mask

_LIKELY: Final = 0.5  # probability from which a pair holds two records together


def without_synthetic(linked: LinkResult, real: Sequence[Mask]) -> LinkResult:
    """Persons over the real records only.

    Args:
        linked: persons over all records.
        real: which records exist, by source, bool (n,).

    Returns:
        Persons anew from 0 in order of first appearance; each source's records without the
        synthetic ones, pairs likewise.
    """
    labels = np.concatenate(linked.person_of) if linked.person_of else np.empty(0, dtype=np.int64)
    keep = np.concatenate(list(real)) if real else np.empty(0, dtype=bool)
    if keep.all():
        return linked
    offsets = np.concatenate([[0], np.cumsum([len(each) for each in real])]).astype(np.int64)
    parted = _parted(linked, labels, keep, offsets)
    _, first, inverse = np.unique(parted[keep], return_index=True, return_inverse=True)
    person = np.argsort(np.argsort(first))[inverse].astype(np.int64)
    new = [np.cumsum(mask) - 1 for mask in real]
    ends = np.concatenate([[0], np.cumsum([int(mask.sum()) for mask in real])])
    pairs = []
    for pair in linked.pairs:
        kept = real[pair.first][pair.left] & real[pair.second][pair.right]
        pairs.append(
            replace(
                pair,
                left=new[pair.first][pair.left[kept]],
                right=new[pair.second][pair.right[kept]],
                probability=pair.probability[kept],
            )
        )
    return replace(
        linked,
        person_of=[person[ends[at] : ends[at + 1]] for at in range(len(real))],
        persons=int(person.max()) + 1 if len(person) else 0,
        pairs=pairs,
    )


def _parted(linked: LinkResult, labels: Indices, keep: Mask, offsets: Indices) -> Indices:
    """Labels in which real records that only a synthetic one held together are parted."""
    size = int(labels.max()) + 1
    mixed = np.bincount(labels, ~keep, minlength=size) > 0
    mixed &= np.bincount(labels, keep, minlength=size) > 1
    if not mixed.any() or not any(len(pair.left) for pair in linked.pairs):
        return labels
    left, right = _held(linked, labels, keep & mixed[labels], offsets)
    among = np.flatnonzero(keep & mixed[labels])
    place = np.full(len(labels), -1, dtype=np.int64)
    place[among] = np.arange(len(among))
    graph = coo_array(
        (np.ones(len(left)), (place[left], place[right])), shape=(len(among), len(among))
    )
    _, component = connected_components(graph, directed=False)
    found = labels.copy()
    found[among] = size + component.astype(np.int64)
    return found


def _held(
    linked: LinkResult, labels: Indices, members: Mask, offsets: Indices
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of members of one person that the model takes for one."""
    lefts, rights = [], []
    for pair in linked.pairs:
        left, right = pair.left + offsets[pair.first], pair.right + offsets[pair.second]
        same = (labels[left] == labels[right]) & members[left] & members[right]
        same &= pair.probability >= _LIKELY
        lefts.append(left[same])
        rights.append(right[same])
    return np.concatenate(lefts), np.concatenate(rights)
