"""From the evidence of candidate pairs to weights that can be clustered.

The weight of a pair is ``2 p - 1``: 1 is certainly one person, -1 certainly two, 0 unknown. Between
sources p is the model's, within a source its agent's.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numba
import numpy as np
from numpy.typing import NDArray

from linkage_hub.linkage.answered import LOST_YES, PutRight, heard, share_of_yes, with_answer
from linkage_hub.linkage.answers import PairAnswers, places
from linkage_hub.linkage.candidates import Encodings, Floats, Indices, PairBlock, Progress, silent
from linkage_hub.linkage.clustering import Graph, clusters, parted
from linkage_hub.linkage.cores import on_all_cores
from linkage_hub.linkage.duplicates import MOST_LOSS, Duplicates
from linkage_hub.linkage.fitting import PairModel, Problem, cautious, fit_problems
from linkage_hub.linkage.scoring import Evidence, Filters, block_evidence
from linkage_hub.linkage.threshold import MATCH

KEPT_PER_RECORD = 6  # likeliest candidates of a record in one other dataset that are weighed


@dataclass(frozen=True, slots=True)
class Weighed:
    """A block with the weight of every pair.

    Attributes:
        block: between two sources; within one (``inside``) the similarity is the agent's
            probability, and there are no views.
        weight: in [-1, 1], float64 (m,); above zero for a match.
        probability: of a match where the pair competes to be one, else zero, float64 (m,).
        loss: how much an absent pair speaks against one person, 0 to 1.
        likely: probability by the evidence alone, or the competition's where higher, (m,).
        believed: of every pair, those that lost a competition too: likely only as far as what they
            lost to is none, float64 (m,).
    """

    block: PairBlock
    weight: Floats
    probability: Floats
    loss: float
    likely: Floats
    believed: Floats

    @property
    def inside(self) -> bool:
        """Whether the pairs are of one source."""
        return self.block.first == self.block.second


@dataclass(frozen=True, slots=True)
class _Part:
    block: PairBlock
    evidence: Evidence
    sizes: tuple[int, int]

    def where(self, wanted: NDArray[np.bool_]) -> "_Part":
        """The pairs that a mask picks."""
        return _Part(self.block.where(wanted), self.evidence.where(wanted), self.sizes)


def weigh(
    blocks: Sequence[PairBlock],
    offsets: Indices,
    encodings: Sequence[Encodings] | None,
    duplicates: Sequence[Duplicates],
    decisions: PairAnswers,
    progress: Progress,
) -> list[Weighed]:
    """Weights of the pairs of all blocks, chosen without truth, and of those within sources.

    Args:
        blocks: candidate pairs, one block for each pair of datasets.
        offsets: number of each dataset's first record over all, int64 (sources + 1,).
        encodings: of each dataset, or None.
        duplicates: of each dataset.
        decisions: refinement's answers.
        progress: told the share done, 0 to 1.
    """
    unasked = not len(decisions)  # nothing but the model says what six kinds of evidence are worth
    parts = _parts(blocks, offsets, encodings, progress, ratio_alone=unasked)
    held = weigh_within(duplicates)
    entry = entries(held, offsets, PairAnswers.none())
    progress(0.6, "fitting")
    chosen = list(on_all_cores(lambda part: _choose(part, entry, offsets), parts))
    problems = [each.problem for each in chosen]
    fitted = cautious(problems, fit_problems(problems))
    progress(0.9, "choosing thresholds")
    offset = np.zeros(len(parts)) if fitted.model is None else fitted.model.offset
    stages = list(
        on_all_cores(
            lambda part, choice, probability, own: _stage(
                part, choice, probability, fitted.model, own
            ),
            parts,
            chosen,
            fitted.probability,
            offset.tolist(),
        )
    )
    found = on_all_cores(_weighed, _with_answers(stages, decisions, offsets))
    return [*found, *held]


def first_stage(
    blocks: Sequence[PairBlock],
    sizes: Sequence[int],
    encodings: Sequence[Encodings] | None,
    duplicates: Sequence[Duplicates],
) -> list[Weighed]:
    """What is held of every pair before anybody was asked: ``weigh`` without answers."""
    offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    return weigh(blocks, offsets, encodings, duplicates, PairAnswers.none(), silent)


def weigh_within(duplicates: Sequence[Duplicates]) -> list[Weighed]:
    """Weights of the pairs that each agent holds for one person, one block for each source.

    Beside other sources an absent pair speaks fully against one person: a source holds nearly
    everybody once, and two of its records that are like one record elsewhere are relatives. In a
    source alone it speaks as far as the agent names such pairs elsewhere.
    """
    alone = len(duplicates) == 1
    found = []
    for number, each in enumerate(duplicates):
        likely = each.probability
        none = np.empty((len(likely), 0), dtype=np.float32)
        block = PairBlock(number, number, likely, each.left, each.right, MATCH, none)
        loss = each.absence() if alone else MOST_LOSS
        found.append(Weighed(block, 2.0 * likely - 1.0, likely, loss, likely, likely))
    return found


def _parts(
    blocks: Sequence[PairBlock],
    offsets: Indices,
    encodings: Sequence[Encodings] | None,
    progress: Progress,
    *,
    ratio_alone: bool,
) -> list[_Part]:
    """The evidence of every block."""
    several = any(block.views.shape[1] > 1 for block in blocks)
    known = None if encodings is None or several else list(on_all_cores(Filters.of, encodings))
    parts = []
    for part in on_all_cores(
        lambda block: _part(block, offsets, known, ratio_alone=ratio_alone), blocks
    ):
        parts.append(part)
        progress(0.5 * len(parts) / len(blocks), "weighing pairs")
    return parts


def _part(
    block: PairBlock, offsets: Indices, known: Sequence[Filters] | None, *, ratio_alone: bool
) -> _Part:
    """The block's likeliest pairs with their evidence."""
    first = None if known is None else known[block.first]
    second = None if known is None else known[block.second]
    evidence = block_evidence(block, first, second, ratio_alone=ratio_alone)
    sizes = (
        int(offsets[block.first + 1] - offsets[block.first]),
        int(offsets[block.second + 1] - offsets[block.second]),
    )
    order = np.argsort(-evidence.start, kind="stable")
    kept = _likeliest(order, block.left, block.right, sizes[0], sizes[1], KEPT_PER_RECORD)
    return _Part(block, evidence, sizes).where(kept)


@numba.njit(cache=True, nogil=True)
def _likeliest(
    order: Indices, left: Indices, right: Indices, left_size: int, right_size: int, most: int
) -> NDArray[np.bool_]:  # pragma: no cover - compiled
    """Pairs among the first ``most`` of either of their records, in the order given."""
    seen_left, seen_right = np.zeros(left_size, np.int32), np.zeros(right_size, np.int32)
    kept = np.zeros(len(order), np.bool_)
    for pair in order:
        a, b = left[pair], right[pair]
        kept[pair] = seen_left[a] < most or seen_right[b] < most
        seen_left[a] += 1
        seen_right[b] += 1
    return kept


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The likeliest pair of every two entries, as a problem; ``kept`` are their numbers."""

    problem: Problem
    kept: Indices
    key: Indices  # of the two entries, for every pair of the block


def _choose(part: _Part, entry: Indices, offsets: Indices) -> _Chosen:
    left = entry[part.block.left + offsets[part.block.first]] - offsets[part.block.first]
    right = entry[part.block.right + offsets[part.block.second]] - offsets[part.block.second]
    key = left * np.int64(part.sizes[1]) + right
    order = np.argsort(-part.evidence.start, kind="stable")
    _, first = np.unique(key[order], return_index=True)
    kept = np.sort(order[first])
    evidence = part.evidence.where(kept)
    return _Chosen(Problem(evidence, left[kept], right[kept], part.sizes), kept, key)


def entries(inside: Sequence[Weighed], offsets: Indices, ruled: PairAnswers) -> Indices:
    """For each record the first record of its duplicates within the source, int64 (n,).

    Args:
        inside: pairs within sources.
        offsets: number of each dataset's first record over all, int64 (sources + 1,).
        ruled: people's rulings: they bind.
    """
    sources = len(offsets) - 1
    none = np.empty(0, dtype=np.int64)
    absent = np.full((sources, sources), -1.0)
    ends = [(none, none)]
    for each in inside:
        absent[each.block.first, each.block.first] = -each.loss
        start = offsets[each.block.first]
        ends.append((each.block.left + start, each.block.right + start))
    told = np.column_stack(ruled.joined(offsets))
    same = ruled.first == ruled.second
    kept_apart = parted(told[ruled.yes], told[~ruled.yes])  # two of one source by way of another
    found = clusters(
        Graph(
            np.repeat(np.arange(sources), np.diff(offsets)),
            np.concatenate([left for left, _ in ends]),
            np.concatenate([right for _, right in ends]),
            np.concatenate([np.empty(0), *(each.weight for each in inside)]),
            absent,
            told[same & ruled.yes],
            kept_apart,
        )
    )
    _, first, inverse = np.unique(found.label, return_index=True, return_inverse=True)
    return np.asarray(first[inverse], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class _Stage:
    """A block between two sources, and what is known of its pairs.

    Attributes:
        competing: probability of a match where the pair competes to be one, else 0, (m,).
        alone: probability by the evidence alone, (m,).
        said: positions of pairs that lost the competition and were answered yes.
        key: of the two entries of each pair, (m,).
    """

    block: PairBlock
    competing: Floats
    alone: Floats
    said: Indices
    key: Indices


def _stage(
    part: _Part, chosen: _Chosen, probability: Floats, model: PairModel | None, offset: float
) -> _Stage:
    size = len(part.block.left)
    full = np.zeros(size)
    full[chosen.kept] = probability
    alone = np.zeros(size) if model is None else model.chance(part.evidence, offset)
    return _Stage(part.block, full, alone, np.empty(0, dtype=np.int64), chosen.key)


def _weighed(stage: _Stage) -> Weighed:
    full, alone = stage.competing, stage.alone
    recall_and_precision = _trust(full)
    # A pair that lost its competition, however similar, says nothing for one person; unless it
    # is a duplicate's share in a match, or the agents say so.
    matched = np.isin(stage.key, stage.key[full >= MATCH])
    weight = 2.0 * alone - 1.0
    weight = np.where(matched, weight, np.minimum(weight, 0.0))
    weight[stage.said] = np.maximum(weight[stage.said], 2.0 * LOST_YES - 1.0)
    weight = np.where(full > 0, 2.0 * full - 1.0, weight)
    weight = np.clip(weight, -recall_and_precision, 1.0)
    believed = np.where(full > 0, full, alone * np.where(matched, 1.0, _unrivalled(stage)))
    likely = np.maximum(full, alone)
    return Weighed(stage.block, weight, full, recall_and_precision, likely, believed)


def _unrivalled(stage: _Stage) -> Floats:
    """Probability that neither record of a pair has its match in a pair that competes, (m,)."""
    found = np.ones(len(stage.block.left))
    competing = np.flatnonzero(stage.competing > 0)
    for end in (stage.block.left, stage.block.right):
        taken = np.zeros(int(end.max(initial=-1)) + 1)
        taken[end[competing]] = stage.competing[competing]
        found *= 1.0 - taken[end]
    return found


def _trust(probability: Floats) -> float:
    """How much an absent pair of two sources speaks against one person.

    Where two sources share too few fields to be linked, its absence says nothing.
    """
    accepted = probability[probability >= MATCH]
    if not len(accepted):
        return 0.0
    recall = float(accepted.sum() / probability.sum())
    return min(MOST_LOSS, recall * float(accepted.mean()))


def _with_answers(
    stages: Sequence[_Stage], decisions: PairAnswers, offsets: Indices
) -> Sequence[_Stage]:
    """The first stage put right by the answers, over all pairs of sources together.

    Where two sources share few records, their answers alone would show little. Where they hold too
    little in common for a yes, a no means nothing, and their pairs count as not asked. Pairs that
    nobody was asked about stay as they were: those that are asked were chosen because they are in
    doubt, so that what they show does not hold for the others.
    """
    if not len(decisions):
        return stages
    asked = [
        heard(stage.competing, *each)
        for stage, each in zip(
            stages, places([stage.block for stage in stages], decisions, offsets), strict=True
        )
    ]
    if not any(len(at) for at, _ in asked):
        return stages
    competed = [stage.competing[at] > 0.0 for stage, (at, _) in zip(stages, asked, strict=True)]
    prior = np.concatenate(
        [s.competing[at[c]] for s, (at, _), c in zip(stages, asked, competed, strict=True)]
    )
    answers = np.concatenate([yes[c] for (_, yes), c in zip(asked, competed, strict=True)])
    of_match = share_of_yes(prior, answers)
    right = PutRight(prior, answers, of_match)
    found = []
    for stage, (at, yes), own in zip(stages, asked, competed, strict=True):
        first, alone = stage.competing, stage.alone.copy()
        full = first.copy()
        full[at[own]] = right.after(first[at[own]], yes[own])
        lost, said = at[~own], yes[~own]
        alone[lost] = with_answer(alone[lost], said, of_match)
        found.append(replace(stage, competing=full, alone=alone, said=lost[said]))
    return found
