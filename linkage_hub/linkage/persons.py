"""Candidate pairs to persons, across many sources and within each.

In order:
1. Duplicates within a source become one entry; they would otherwise pass for decoys in step 2.
2. Each pair of sources is fitted by itself, since sources hold different fields.
3. Connected components over matched pairs, then average linkage inside each, so that one wrong
   pair does not chain two persons together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from linkage_hub.linkage.candidates import (
    Encodings,
    Floats,
    Indices,
    PairBlock,
    Progress,
    find_candidates,
    silent,
)
from linkage_hub.linkage.clustering import Graph, clusters, first_seen
from linkage_hub.linkage.threshold import MATCH, Estimate, PairFit, Pairs, fit_pair, mutual_best
from linkage_hub.linkage.within import contradicted_threshold, within_threshold

COMPARING_SHARE = 0.7  # of the progress bar
CERTAIN_LOSS = 0.98  # a pair that should have been seen and was not never weighs more than this


@dataclass(frozen=True, slots=True)
class SourcePair:
    """What was found between two sources, or within one (``first == second``)."""

    first: int
    second: int
    threshold: float
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class LinkResult:
    """Persons and what to expect of them.

    Attributes:
        person_of: for each dataset the person of each record, int64 (n,); persons are numbered
            from 0 in order of first appearance.
        persons: how many there are.
        threshold: Dice similarity, the median over pairs of sources weighted by their matches.
        estimate: expected precision and recall, pooled over pairs of sources.
        pairs: threshold and estimate of each pair of sources.
    """

    person_of: list[Indices]
    persons: int
    threshold: float
    estimate: Estimate
    pairs: list[SourcePair] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Edges:
    """Weighted pairs of records in one numbering over all sources; weight > 0 for a match."""

    left: Indices
    right: Indices
    weight: Floats


def link(
    datasets: Sequence[Encodings],
    *,
    threshold: float | None = None,
    progress: Progress = silent,
) -> LinkResult:
    """Link the records of all sources into persons.

    Args:
        datasets: encodings of each source, uint8 (v, n, width).
        threshold: Dice similarity for every pair of sources; chosen without truth when None.
        progress: told the share done, 0 to 1, and what is being done.

    Raises:
        LinkageError: the encodings do not fit together.
    """
    blocks = find_candidates(
        datasets, progress=lambda share, message: progress(share * COMPARING_SHARE, message)
    )
    return link_candidates(
        blocks,
        [dataset.shape[1] for dataset in datasets],
        threshold=threshold,
        progress=lambda share, message: progress(
            COMPARING_SHARE + share * (1 - COMPARING_SHARE), message
        ),
    )


def link_candidates(
    blocks: Sequence[PairBlock],
    sizes: Sequence[int],
    *,
    threshold: float | None = None,
    progress: Progress = silent,
) -> LinkResult:
    """Link from candidate pairs that were found before; see ``link``.

    Args:
        blocks: candidate pairs, one block for each pair of datasets.
        sizes: number of records of each dataset.
        threshold: Dice similarity for every pair; chosen without truth when None.
        progress: told the share done, 0 to 1.
    """
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    total = int(offsets[-1])
    if threshold is not None:
        labels, pairs = _link_fixed(blocks, offsets, threshold)
    else:
        labels, pairs = _link_fitted(blocks, offsets, progress)
    person = first_seen(labels)
    progress(1.0, "persons")
    return LinkResult(
        [person[offsets[at] : offsets[at + 1]] for at in range(len(sizes))],
        int(person.max()) + 1 if total else 0,
        _typical_threshold(pairs),
        pooled_estimate([pair.estimate for pair in pairs]),
        pairs,
    )


def pooled_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """One expectation over pairs of sources, weighted by their matches."""
    matches = sum(each.matches for each in estimates)
    expected = sum(each.true_pairs for each in estimates)
    right = sum(each.matches * each.precision for each in estimates)
    return Estimate(
        matches,
        expected,
        right / matches if matches else 1.0,
        min(1.0, right / expected) if expected else 1.0,
    )


def _link_fixed(
    blocks: Sequence[PairBlock], offsets: Indices, threshold: float
) -> tuple[Indices, list[SourcePair]]:
    edges, pairs = [], []
    for block in blocks:
        spread = max(1.0 - threshold, 1e-9)
        weight = np.clip((block.similarity - threshold) / spread, -1.0, 1.0)
        weight[block.similarity >= threshold] += 1e-9  # the edge itself is a match
        edges.append(_edges(block, offsets, weight))
        count = int((block.similarity >= threshold).sum())
        pairs.append(
            SourcePair(block.first, block.second, threshold, Estimate(count, count, 1.0, 1.0))
        )
    loss = np.full((len(offsets) - 1, len(offsets) - 1), CERTAIN_LOSS)
    return _cluster(edges, offsets, loss), pairs


def _link_fitted(
    blocks: Sequence[PairBlock], offsets: Indices, progress: Progress
) -> tuple[Indices, list[SourcePair]]:
    between = [block for block in blocks if block.first != block.second]
    inside = [block for block in blocks if block.first == block.second]
    thresholds = _inside_thresholds(inside, between, offsets)
    entry = _entries(inside, offsets, thresholds)
    fits = []
    for at, block in enumerate(between):
        fits.append(_fit_entries(block, offsets, entry))
        progress((at + 1) / len(between), "choosing thresholds")
    edges, pairs = [], []
    loss = np.zeros((len(offsets) - 1, len(offsets) - 1))
    for block, fit in zip(between, fits, strict=True):
        loss[block.first, block.second] = loss[block.second, block.first] = _loss(
            block, fit, offsets
        )
        edges.append(_edges(block, offsets, _weights(block, fit)))
        pairs.append(SourcePair(block.first, block.second, fit.threshold, fit.estimate))
    for block in inside:
        limit = thresholds[block.first]
        loss[block.first, block.first] = CERTAIN_LOSS
        same = block.similarity >= limit
        edges.append(_edges(block, offsets, np.where(same, 1.0, -CERTAIN_LOSS)))
        count = int(same.sum())
        pairs.append(SourcePair(block.first, block.first, limit, Estimate(count, count, 1.0, 1.0)))
    return _cluster(edges, offsets, loss), pairs


def _fit_entries(block: PairBlock, offsets: Indices, entry: Indices) -> PairFit:
    """Fit the best candidate pair of each pair of entries; the others get probability zero."""
    left = entry[block.left + offsets[block.first]]
    right = entry[block.right + offsets[block.second]]
    key = left * np.int64(offsets[-1]) + right
    _, best = np.unique(key, return_index=True)
    best.sort()
    rows, left_number = np.unique(left[best], return_inverse=True)
    columns, right_number = np.unique(right[best], return_inverse=True)
    sizes = (
        len(np.unique(entry[offsets[block.first] : offsets[block.first + 1]])),
        len(np.unique(entry[offsets[block.second] : offsets[block.second + 1]])),
    )
    fit = fit_pair(
        block.similarity[best],
        left_number.astype(np.int64),
        right_number.astype(np.int64),
        sizes=(max(sizes[0], len(rows)), max(sizes[1], len(columns))),
        floor=block.floor,
    )
    probability = np.zeros(len(block.similarity))
    probability[best] = fit.probability
    return PairFit(probability, fit.threshold, fit.estimate)


def _inside_thresholds(
    inside: Sequence[PairBlock], between: Sequence[PairBlock], offsets: Indices
) -> dict[int, float]:
    """The Dice similarity from which two records of one source are duplicates, by source."""
    contradicted = [np.zeros(len(block.similarity), dtype=bool) for block in inside]
    for other in between:
        sizes = np.diff(offsets)[[other.first, other.second]]
        pairs = Pairs(
            other.similarity, other.left, other.right, int(sizes[0]), int(sizes[1]), other.floor
        )
        sure = mutual_best(pairs)
        for number, own, partner in (
            (other.first, other.left[sure], other.right[sure]),
            (other.second, other.right[sure], other.left[sure]),
        ):
            partners = np.full(int(offsets[number + 1] - offsets[number]), -1, dtype=np.int64)
            partners[own] = partner
            for at, block in enumerate(inside):
                if block.first == number:
                    left, right = partners[block.left], partners[block.right]
                    contradicted[at] |= (left >= 0) & (right >= 0) & (left != right)
    found = {}
    for block, seen in zip(inside, contradicted, strict=True):
        size = int(offsets[block.first + 1] - offsets[block.first])
        found[block.first] = (
            contradicted_threshold(block.similarity, seen.astype(np.float64))
            if between
            else within_threshold(block.similarity, block.left, block.right, size, block.floor)
        )
    return found


def _entries(
    inside: Sequence[PairBlock], offsets: Indices, thresholds: dict[int, float]
) -> Indices:
    """For each record the first record of its duplicates within the source."""
    edges = []
    for block in inside:
        same = block.similarity >= thresholds[block.first]
        edges.append(_edges(block, offsets, np.where(same, 1.0, -CERTAIN_LOSS)))
    loss = np.full((len(offsets) - 1, len(offsets) - 1), CERTAIN_LOSS)
    labels = _cluster(edges, offsets, loss)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], dtype=np.int64)


def _loss(block: PairBlock, fit: PairFit, offsets: Indices) -> float:
    """How much a missing pair between two sources speaks against one person.

    Where two sources share too few fields to be linked, its absence says nothing.
    """
    smaller = min(
        int(offsets[block.first + 1] - offsets[block.first]),
        int(offsets[block.second + 1] - offsets[block.second]),
    )
    if not smaller:
        return 0.0
    trust = fit.estimate.recall * fit.estimate.precision
    return min(CERTAIN_LOSS, trust)


def _weights(block: PairBlock, fit: PairFit) -> Floats:
    """Weight of each candidate pair, in [-1, 1].

    A pair that lost its competition, though similar enough to have won another, says nothing:
    it may be a duplicate that was not recognised.
    """
    trust = min(CERTAIN_LOSS, fit.estimate.recall * fit.estimate.precision)
    weight = np.where(block.similarity >= fit.threshold, 0.0, -trust)
    competing = fit.probability > 0
    weight[competing] = np.clip(2.0 * fit.probability[competing] - 1.0, -trust, 1.0)
    weight[fit.probability >= MATCH] += 1e-9
    return weight


def _edges(block: PairBlock, offsets: Indices, weight: Floats) -> _Edges:
    return _Edges(block.left + offsets[block.first], block.right + offsets[block.second], weight)


def _cluster(edges: Sequence[_Edges], offsets: Indices, loss: Floats) -> Indices:
    if not edges:
        return np.arange(int(offsets[-1]))
    source = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    return clusters(
        Graph(
            source,
            np.concatenate([each.left for each in edges]),
            np.concatenate([each.right for each in edges]),
            np.concatenate([each.weight for each in edges]),
            -loss,
        )
    )


def _typical_threshold(pairs: Sequence[SourcePair]) -> float:
    counted = sorted((pair.threshold, pair.estimate.matches) for pair in pairs)
    half = sum(matches for _, matches in counted) / 2.0
    seen = 0
    for threshold, matches in counted:
        seen += matches
        if seen >= half and matches:
            return threshold
    return 1.0
