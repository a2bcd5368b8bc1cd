"""What a run would have found, had a pair been a match from another probability on.

Rules: the comparison of encodings is never done again; all follows from the pairs that the run
weighed. At the run's own threshold the figures are the run's. Above it persons are only parted, by
average linkage inside each under weights for the other threshold; below it whole persons are only
joined, by the mean weight between them. Rulings bind, and what a partner's agent holds for one
person stays one: those are no matter of similarity. Precision is the mean probability of the
weighed pairs within persons, recall the share of all weighed probability that is within persons,
both moved by the log odds by which the run's own estimates differ from them at its own threshold,
so that what synthetic records put right holds along the table. Families are not made anew: the
table says how many have a member whose records would change.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.exchange.analysis_api import ThresholdRow
from linkage_hub.analytics.evidence import Weighed, offsets_of
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.clustering import Graph, clusters, first_seen
from linkage_hub.linkage.duplicates import MOST_LOSS
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.linkage.threshold import MATCH
from linkage_hub.quality.intervals import expit

THRESHOLDS: Final = (0.1, 0.2, 0.3, 0.4, MATCH, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
_LEAST: Final = 1e-4  # a share is not taken to be nearer to 0 or 1 than this
_ROWS: Final = 100_000  # pairs of persons whose sources are looked at together


@dataclass(frozen=True, slots=True)
class FamilyMembers:
    """Who is in which family: number of the family and of the person, and which are put forward."""

    family: Indices
    person: Indices
    flagged: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Found:
    """A run's persons, ready to be parted and joined.

    Attributes:
        person: of each record, int64 (n,).
        node: of each record; one person's records of one source are one node.
        node_person, node_source: of each node.
        pairs: that were weighed.
        absent: how much an absent pair of two sources speaks against one person, as a weight.
        ruled: pairs of records with a ruling.
    """

    person: Indices
    node: Indices
    node_person: Indices
    node_source: Indices
    pairs: Weighed
    absent: Floats
    ruled: tuple[Indices, Indices, NDArray[np.bool_]]


def threshold_rows(
    linked: LinkResult,
    ruled: PairAnswers,
    families: FamilyMembers,
    precision: float,
    recall: float,
) -> list[ThresholdRow]:
    """The table of one run, lowest threshold first.

    Args:
        linked: persons.
        ruled: the rulings that the run was given, by the numbers of ``linked``.
        families: of the run.
        precision: the run's own estimate.
        recall: likewise.
    """
    found = _found(linked, ruled)
    if not len(found.person):
        return []
    own, gained = _within(found.pairs, found.person)
    shift = _log_odds(precision) - _log_odds(own)
    times = recall / gained if gained else 1.0
    return [
        _row(threshold, found, _persons_at(threshold, found), families, (shift, times))
        for threshold in THRESHOLDS
    ]


def _found(linked: LinkResult, ruled: PairAnswers) -> _Found:
    person = np.concatenate([np.empty(0, dtype=np.int64), *linked.person_of]).astype(np.int64)
    sizes = [len(each) for each in linked.person_of]
    source = np.repeat(np.arange(len(sizes)), sizes)
    many = max(1, len(sizes))
    key, node = np.unique(person * many + source, return_inverse=True)
    one, other = ruled.joined(offsets_of(linked))
    return _Found(
        person,
        node.astype(np.int64),
        key // many,
        key % many,
        Weighed.of(linked),
        _absent(linked),
        (one, other, ruled.yes),
    )


def _absent(linked: LinkResult) -> Floats:
    """As the run took it: a pair that two sources should have shown speaks against one person."""
    sources = len(linked.person_of)
    absent = np.zeros((sources, sources))
    np.fill_diagonal(absent, -MOST_LOSS)  # a source holds nearly everybody once
    for pair in linked.pairs:
        accepted = pair.probability[pair.probability >= MATCH]
        if pair.first == pair.second or not len(accepted):
            continue
        loss = min(MOST_LOSS, float(accepted.sum() / pair.probability.sum() * accepted.mean()))
        absent[pair.first, pair.second] = absent[pair.second, pair.first] = -loss
    return absent


def _weights(probability: Floats, threshold: float) -> Floats:
    """In [-1, 1], zero at the threshold; at the run's own ``2 p - 1``."""
    above, below = (probability - threshold) / (1.0 - threshold), probability / threshold - 1.0
    return np.where(probability >= threshold, above, below)


def _persons_at(threshold: float, found: _Found) -> Indices:
    """Person of each record at another threshold, numbered from 0."""
    if threshold == MATCH:
        return found.person
    if threshold > MATCH:
        return first_seen(_parted(threshold, found)[found.node])
    return first_seen(_joined(threshold, found)[found.person])


def _parted(threshold: float, found: _Found) -> Indices:
    """Person of each node, parted inside the run's persons."""
    left, right = found.node[found.pairs.left], found.node[found.pairs.right]
    inside = (found.node_person[left] == found.node_person[right]) & (left != right)
    order = np.argsort(found.pairs.probability[inside], kind="stable")  # the likeliest counts
    one, other, yes = found.ruled
    bound = np.column_stack([found.node[one], found.node[other]])[yes]
    held = found.node_person[bound[:, 0]] == found.node_person[bound[:, 1]]
    return clusters(
        Graph(
            found.node_source,
            left[inside][order],
            right[inside][order],
            _weights(found.pairs.probability[inside][order], threshold),
            found.absent,
            bound[held],
        )
    ).label


def _joined(threshold: float, found: _Found) -> Indices:
    """Person of each of the run's persons, some of them one."""
    left, right, weight = _between(threshold, found)
    one, other, yes = found.ruled
    apart = np.column_stack([found.person[one], found.person[other]])[~yes]
    persons = int(found.person.max()) + 1
    apart = apart[apart[:, 0] != apart[:, 1]]
    usual = np.full((1, 1), float(found.absent.mean()))
    none = np.empty((0, 2), dtype=np.int64)
    group = np.zeros(persons, dtype=np.int64)
    return clusters(Graph(group, left, right, weight, usual, none, apart)).label


def _between(threshold: float, found: _Found) -> tuple[Indices, Indices, Floats]:
    """Two persons that any pair ties, and the mean weight over their nodes, absent pairs too."""
    nodes, persons = len(found.node_person), int(found.person.max()) + 1
    pairs = found.pairs
    ends = np.sort(np.column_stack([found.node[pairs.left], found.node[pairs.right]]), axis=1)
    apart = found.node_person[ends[:, 0]] != found.node_person[ends[:, 1]]
    key, place = np.unique(ends[apart, 0] * nodes + ends[apart, 1], return_inverse=True)
    likeliest = np.zeros(len(key))
    np.maximum.at(likeliest, place, pairs.probability[apart])
    one, other = key // nodes, key % nodes
    seen = (
        _weights(likeliest, threshold)
        - found.absent[found.node_source[one], found.node_source[other]]
    )
    two = np.sort(np.column_stack([found.node_person[one], found.node_person[other]]), axis=1)
    code, place = np.unique(two[:, 0] * persons + two[:, 1], return_inverse=True)
    total = np.bincount(place, seen, minlength=len(code)).astype(np.float64)
    left, right = code // persons, code % persons
    sources = np.zeros((persons, len(found.absent)), dtype=np.int8)
    sources[found.node_person, found.node_source] = 1
    for start in range(0, len(code), _ROWS):
        at = slice(start, start + _ROWS)
        mine, theirs = sources[left[at]].astype(np.float64), sources[right[at]]
        total[at] += ((mine @ found.absent) * theirs).sum(axis=1)
        total[at] /= mine.sum(axis=1) * theirs.sum(axis=1)
    return left, right, total


def _row(
    threshold: float,
    found: _Found,
    person: Indices,
    families: FamilyMembers,
    moved: tuple[float, float],
) -> ThresholdRow:
    run_persons, persons = int(found.person.max()) + 1, int(person.max()) + 1
    both = np.unique(found.person * persons + person)
    parted = np.bincount(both // persons, minlength=run_persons) > 1
    joined = (np.bincount(both % persons, minlength=persons) > 1)[person]
    together = np.zeros(run_persons, dtype=np.bool_)
    together[found.person[joined]] = True
    touched = np.unique(families.family[(parted | together)[families.person]])
    sizes = np.bincount(person)
    precision, gained = _within(found.pairs, person)
    return ThresholdRow(
        threshold=threshold,
        own=threshold == MATCH,
        persons=persons,
        links=int((sizes * (sizes - 1) // 2).sum()),
        joined=int(together.sum()),
        parted=int(parted.sum()),
        families_touched=len(touched),
        flagged_touched=int(families.flagged[touched].sum()),
        estimated_precision=round(expit(_log_odds(precision) + moved[0]), 4),
        estimated_recall=round(min(1.0, gained * moved[1]), 4),
    )


def _within(pairs: Weighed, person: Indices) -> tuple[float, float]:
    """Mean probability of the weighed pairs within persons, and their sum."""
    inside = person[pairs.left] == person[pairs.right]
    gained = float(pairs.probability[inside].sum())
    return (gained / int(inside.sum()) if inside.any() else 1.0), gained


def _log_odds(share: float) -> float:
    kept = min(max(share, _LEAST), 1.0 - _LEAST)
    return float(np.log(kept / (1.0 - kept)))
