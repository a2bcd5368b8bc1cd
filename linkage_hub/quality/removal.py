"""Persons without the records that do not exist.

Rules: a synthetic record leaves its person; a person of synthetic records only is gone; real
records that were one person only by way of a synthetic one are parted again, by what holds the
real ones together without it: the model, partners' answers, rulings. Persons are only ever parted
here, so what a ruling keeps apart stays apart.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from linkage_hub.linkage.clustering import connected_components
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.quality.pairs import Indices, Mask


def without_synthetic(linked: LinkResult, real: Sequence[Mask]) -> LinkResult:
    """Persons over the real records only.

    Args:
        linked: persons over all records.
        real: which records exist, by source, bool (n,).

    Returns:
        Persons anew from 0 in order of first appearance; each source's records without the
        synthetic ones, pairs and bonds likewise.
    """
    labels = np.concatenate(linked.person_of) if linked.person_of else np.empty(0, dtype=np.int64)
    keep = np.concatenate(list(real)) if real else np.empty(0, dtype=bool)
    if keep.all():
        return linked
    parted = _parted(linked, labels, keep)
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
        bonds=(np.cumsum(keep) - 1)[linked.bonds[keep[linked.bonds].all(axis=1)]],
    )


def _parted(linked: LinkResult, labels: Indices, keep: Mask) -> Indices:
    """Labels in which real records that only a synthetic one held together are parted."""
    size = int(labels.max()) + 1
    mixed = np.bincount(labels, ~keep, minlength=size) > 0
    mixed &= np.bincount(labels, keep, minlength=size) > 1
    members = keep & mixed[labels]
    among = np.flatnonzero(members)
    if not len(among):
        return labels
    place = np.full(len(labels), -1, dtype=np.int64)
    place[among] = np.arange(len(among))
    left, right = place[linked.bonds[members[linked.bonds].all(axis=1)]].T
    found = labels.copy()
    found[among] = size + connected_components(left, right, len(among))
    return found
