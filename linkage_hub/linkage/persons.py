"""Candidate pairs to persons, across many sources and within each.

In order (docs/adr/0011-persons.md):
1. The evidence of every pair (``scoring``); each record keeps its likeliest few in each source.
2. One model of all pairs of sources, fitted without truth (``fitting``).
   Records of one source that its agent holds for one person (``duplicates``) are one entry of it:
   a record and its duplicate would otherwise pass for rivals.
3. The agents' answers put the model's probabilities right, and are weighed with them
   (``answered``); rulings bind.
4. Clusters of entries by the pairs' weights (``clustering``, or ``anonlink_solver`` where a run
   asks for anonlink's): a source that holds somebody twice speaks once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from governance.exchange.hub_api import Solver
from linkage_hub.linkage.anonlink_solver import anonlink_clusters
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.candidates import (
    Encodings,
    Floats,
    Indices,
    PairBlock,
    Progress,
    find_candidates,
    silent,
)
from linkage_hub.linkage.clustering import Clusters, Graph, clusters, first_seen
from linkage_hub.linkage.duplicates import Duplicates
from linkage_hub.linkage.errors import LinkageError
from linkage_hub.linkage.threshold import MATCH, Estimate, estimate_of, expected_threshold
from linkage_hub.linkage.weighing import Weighed, entries, weigh

SOLVERS: Mapping[Solver, Callable[[Graph], Clusters]] = {
    "average": clusters,
    "anonlink": anonlink_clusters,
}
COMPARING_SHARE = 0.7  # of the progress bar
TAIL = 0.02  # of Dice: width of the two steps above a floor that show what is below it
MOST_TAIL = 0.5  # of a step's matches that the step below it holds; beyond it they are noise


@dataclass(frozen=True, slots=True)
class SourcePair:
    """What was found between two sources, or within one (``first == second``).

    Attributes:
        threshold: Dice similarity that maximises expected F1; within a source, whose pairs the
            agent tells, the probability from which two records are one person.
        estimate: of the pairs that are matches.
        left, right: records of the pairs that compete to be a match, int64 (k,).
        probability: that each is one, decisions included, float64 (k,).
    """

    first: int
    second: int
    threshold: float
    estimate: Estimate
    left: Indices = field(repr=False, default_factory=lambda: np.empty(0, dtype=np.int64))
    right: Indices = field(repr=False, default_factory=lambda: np.empty(0, dtype=np.int64))
    probability: Floats = field(repr=False, default_factory=lambda: np.empty(0))


@dataclass(frozen=True, slots=True)
class LinkResult:
    """Persons and what to expect of them.

    Attributes:
        person_of: for each dataset the person of each record, int64 (n,); persons are numbered
            from 0 in order of first appearance.
        persons: how many there are.
        threshold: Dice similarity, the median over pairs of sources weighted by their matches; 1
            where nothing matches.
        estimate: expected precision of direct pairs, pooled over pairs of sources, and recall of
            pairs of records within a person.
        pairs: threshold and estimate of each pair of sources.
        conflicts: rulings that were not followed, as row numbers of ``ruled``: to follow them
            would have brought together two records that another ruling keeps apart.
        bonds: pairs of records of one person that hold it together (weights above zero, rulings),
            numbered over all datasets, int64 (k, 2).
    """

    person_of: list[Indices]
    persons: int
    threshold: float
    estimate: Estimate
    pairs: list[SourcePair] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)
    bonds: Indices = field(repr=False, default_factory=lambda: np.empty((0, 2), dtype=np.int64))


def link(
    datasets: Sequence[Encodings],
    *,
    duplicates: Sequence[Duplicates] | None = None,
    progress: Progress = silent,
) -> LinkResult:
    """Link the records of all sources into persons.

    Args:
        datasets: encodings of each source, uint8 (v, n, width).
        duplicates: of each source, as its agent found them; none when None.
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
        encodings=datasets,
        duplicates=duplicates,
        progress=lambda share, message: progress(
            COMPARING_SHARE + share * (1 - COMPARING_SHARE), message
        ),
    )


def link_candidates(
    blocks: Sequence[PairBlock],
    sizes: Sequence[int],
    *,
    encodings: Sequence[Encodings] | None = None,
    duplicates: Sequence[Duplicates] | None = None,
    decisions: PairAnswers | None = None,
    ruled: PairAnswers | None = None,
    solver: Solver = "average",
    progress: Progress = silent,
) -> LinkResult:
    """Link from candidate pairs that were found before; see ``link``.

    Args:
        blocks: candidate pairs, one block for each pair of datasets.
        sizes: number of records of each dataset.
        encodings: of each dataset; without them a pair's evidence is the Dice of its views.
        duplicates: of each dataset, as its agent found them; none when None.
        decisions: refinement's answers about candidate pairs between two datasets: evidence, as
            far as they show themselves to be (``answered``).
        ruled: people's rulings, the oldest first: they bind.
        solver: what makes clusters of weighed pairs: average linkage, or anonlink's.
        progress: told the share done, 0 to 1.

    Raises:
        LinkageError: an answer or a duplicate names a record that is not there.
    """
    decisions = PairAnswers.none() if decisions is None else decisions
    ruled = PairAnswers.none() if ruled is None else ruled
    for each in (decisions, ruled):
        each.check(sizes)
    if encodings is not None and len(encodings) != len(sizes):
        raise LinkageError(f"expected encodings of {len(sizes)} datasets, got {len(encodings)}")
    held = [Duplicates.none() for _ in sizes] if duplicates is None else duplicates
    for own, size in zip(held, sizes, strict=True):
        own.check(size)
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    weighed = weigh(blocks, offsets, encodings, held, decisions, progress)
    _, entry = np.unique(
        entries([each for each in weighed if each.inside], offsets, ruled), return_inverse=True
    )
    found = SOLVERS[solver](_graph(weighed, entry, offsets, ruled))
    label = first_seen(found.label[entry])
    progress(1.0, "persons")
    pairs = [_source_pair(each) for each in weighed]
    together = np.flatnonzero(ruled.yes)
    return LinkResult(
        [label[offsets[at] : offsets[at + 1]] for at in range(len(sizes))],
        int(label.max(initial=-1)) + 1,
        _typical_threshold(pairs),
        replace(
            pooled_estimate([pair.estimate for pair in pairs]),
            recall=expected_recall(weighed, label, offsets),
        ),
        pairs,
        together[found.conflicts].tolist(),
        _bonds(weighed, label, offsets, ruled),
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


def expected_recall(weighed: Sequence[Weighed], label: Indices, offsets: Indices) -> float:
    """Of the pairs of records that are one person, the share that is in one cluster, expected.

    Over all pairs that were weighed, by what is believed of each, also of those that lost a
    competition; clusters may have taken them apart. Below the floors matches between sources go on
    falling off as they do just above (a geometric tail). Of those within a source that its agent
    did not tell, nothing is known here.

    Args:
        weighed: all blocks.
        label: cluster of each record over all datasets, int64 (n,).
        offsets: number of each dataset's first record, int64 (datasets + 1,).
    """
    gained, missed, steps = 0.0, 0.0, np.zeros(2)
    for each in weighed:
        block = each.block
        same = (
            label[block.left + offsets[block.first]] == label[block.right + offsets[block.second]]
        )
        gained += float(each.believed[same].sum())
        missed += float(each.believed[~same].sum())
        if each.inside:
            continue
        step = ((block.similarity - block.floor) / TAIL).astype(np.int64)
        steps += [float(each.believed[step == number].sum()) for number in range(2)]
    share = min(MOST_TAIL, float(steps[0] / steps[1])) if steps[1] else 0.0
    below = float(steps[0]) * share / (1.0 - share)
    return gained / (gained + missed + below) if gained else 1.0


def _graph(
    weighed: Sequence[Weighed], entry: Indices, offsets: Indices, ruled: PairAnswers
) -> Graph:
    """Entries, by number from 0 of each record (``entry``), and their likeliest pairs."""
    sources = len(offsets) - 1
    absent = np.zeros((sources, sources))
    none = np.empty(0, dtype=np.int64)
    for each in weighed:
        absent[each.block.first, each.block.second] = -each.loss
        absent[each.block.second, each.block.first] = -each.loss
    one, other = ruled.joined(offsets)
    ends = np.column_stack([entry[one], entry[other]])
    group = np.empty(int(entry.max(initial=-1)) + 1, dtype=np.int64)
    group[entry] = np.repeat(np.arange(sources), np.diff(offsets))
    between = [each for each in weighed if not each.inside]
    weight = np.concatenate([np.empty(0), *(each.weight for each in between)])
    order = np.argsort(weight, kind="stable")  # of two pairs of the same entries the last counts
    left = [none, *(entry[each.block.left + offsets[each.block.first]] for each in between)]
    right = [none, *(entry[each.block.right + offsets[each.block.second]] for each in between)]
    return Graph(
        group,
        np.concatenate(left)[order],
        np.concatenate(right)[order],
        weight[order],
        absent,
        ends[ruled.yes],
        ends[~ruled.yes],
    )


def _bonds(
    weighed: Sequence[Weighed], label: Indices, offsets: Indices, ruled: PairAnswers
) -> Indices:
    """What holds persons together, record by record: agents' answers and rulings are in it."""
    found = [np.column_stack(ruled.joined(offsets))[ruled.yes]]
    for each in weighed:
        held = each.weight > 0
        left = each.block.left[held] + offsets[each.block.first]
        found.append(np.column_stack([left, each.block.right[held] + offsets[each.block.second]]))
    pairs = np.concatenate(found)
    return np.asarray(pairs[label[pairs[:, 0]] == label[pairs[:, 1]]], dtype=np.int64)


def _source_pair(each: Weighed) -> SourcePair:
    competing: NDArray[np.bool_] = each.probability > 0
    similarity, probability = each.block.similarity[competing], each.probability[competing]
    return SourcePair(
        each.block.first,
        each.block.second,
        MATCH if each.inside else expected_threshold(similarity, probability),
        estimate_of(probability),
        each.block.left[competing],
        each.block.right[competing],
        probability,
    )


def _typical_threshold(pairs: Sequence[SourcePair]) -> float:
    counted = sorted(
        (pair.threshold, pair.estimate.matches) for pair in pairs if pair.first != pair.second
    )
    half = sum(matches for _, matches in counted) / 2.0
    seen = 0
    for threshold, matches in counted:
        seen += matches
        if seen >= half and matches:
            return threshold
    return 1.0
