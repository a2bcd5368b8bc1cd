"""What sentinels show, and what the model expects: of everybody, of a group, of two sources.

Rules: a pair of records counts half for each of its ends that belongs to the group looked at, so
that groups add up. Sentinels' figures leave out hard people, who are rarer in life, and their
pairs. Precision is the share of right ones among joined pairs, recall the share of joined ones
among true pairs; the model's recall counts the pairs that it saw and left, the sentinels' every
true pair.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from linkage_hub.quality.frame import REAL, Records
from linkage_hub.quality.intervals import Logit, Observed, clustered
from linkage_hub.quality.pairs import Floats, Indices, Mask, RecordPairs

_PLAIN, _HARD, _DECOY = 0, 1, 2
_HALF: Final = 0.5  # an observation, added on both sides where a share may be 0 or 1


@dataclass(frozen=True, slots=True)
class Expected:
    """The model's expectation, on the log-odds scale."""

    precision: Logit
    recall: Logit
    joined: float  # pairs


@dataclass(frozen=True, slots=True)
class Seen:
    """What synthetic records show.

    Attributes:
        pairs: of records of one synthetic person.
        recall, precision: observed.
    """

    pairs: int
    recall: Observed
    precision: Observed


@dataclass(frozen=True, slots=True)
class Linkage:
    """A finished linkage, ready to be measured.

    Attributes:
        records: all, synthetic ones included.
        labels: person of each record, int64 (n,).
        joined, parted: pairs of records, with the model's probabilities.
    """

    records: Records
    labels: Indices
    joined: RecordPairs
    parted: RecordPairs


def expected(linkage: Linkage, members: Mask, *, synthetic: bool) -> Expected:
    """What the model expects of the records of a group.

    The variance is that of a parametric bootstrap over pairs in which the pairs of one person
    stand or fall together, in closed form.

    Args:
        linkage: as found.
        members: which records belong to the group, bool (n,).
        synthetic: of synthetic records, or of real ones among each other.
    """
    joined, parted = _pairs(linkage, synthetic=synthetic)
    weight = _weight(joined, members)
    chance = joined.probability
    right = float((weight * chance).sum())
    total = float(weight.sum())
    spread = np.bincount(joined.cluster, weight * np.sqrt(chance * (1.0 - chance)))
    variance = float((spread**2).sum())
    doubt = _weight(parted, members)
    missed = float((doubt * parted.probability).sum())
    missed_variance = float((doubt**2 * parted.probability * (1.0 - parted.probability)).sum())
    return Expected(_odds(right, total - right, variance, variance),
                    _odds(right, missed, variance, missed_variance), total)  # fmt: skip


def _odds(for_: float, against: float, variance: float, other: float) -> Logit:
    """Log odds of two sums; where both come from one total their errors are opposite."""
    for_, against = for_ + _HALF, against + _HALF
    return Logit(float(np.log(for_ / against)), variance / for_**2 + other / against**2)


def _pairs(linkage: Linkage, *, synthetic: bool) -> tuple[RecordPairs, RecordPairs]:
    real = linkage.records.real
    hard = linkage.records.kind == _HARD
    found = []
    for pairs in (linkage.joined, linkage.parted):
        if synthetic:
            kept = ~(real[pairs.left] & real[pairs.right]) & ~(hard[pairs.left] | hard[pairs.right])
        else:
            kept = real[pairs.left] & real[pairs.right]
        found.append(pairs.where(kept))
    return found[0], found[1]


def _weight(pairs: RecordPairs, members: Mask) -> Floats:
    found: Floats = 0.5 * members[pairs.left] + 0.5 * members[pairs.right]
    return found


def seen(linkage: Linkage, members: Mask, *, sources: tuple[int, int] | None = None) -> Seen:
    """What the synthetic records of a group show, hard people left out.

    Args:
        linkage: as found; with ``sources``, its joined pairs are only those between the two.
        members: which records belong to the group, bool (n,).
        sources: true pairs are only those between these two sources.
    """
    records = linkage.records
    kind = records.kind
    members = members & ((kind == _PLAIN) | (kind == _DECOY))
    joined, _ = _pairs(linkage, synthetic=True)
    weight = _weight(joined, members)
    same = (records.person[joined.left] == records.person[joined.right]) & (
        records.person[joined.left] != REAL
    )
    whose = np.where(
        members[joined.left], records.person[joined.left], records.person[joined.right]
    )
    used = weight > 0
    precision = clustered((weight * same)[used], weight[used], whose[used])
    left, right = _true_pairs(records.person, members & (kind == _PLAIN))
    if sources is not None:
        low = np.minimum(records.source[left], records.source[right])
        high = np.maximum(records.source[left], records.source[right])
        between = (low == sources[0]) & (high == sources[1])
        left, right = left[between], right[between]
    together = (linkage.labels[left] == linkage.labels[right]).astype(np.float64)
    recall = clustered(together, np.ones(len(left)), records.person[left])
    return Seen(len(left), recall, precision)


def _true_pairs(person: Indices, members: Mask) -> tuple[Indices, Indices]:
    """Every two records of one synthetic person."""
    at = np.flatnonzero(members)
    order = at[np.argsort(person[at], kind="stable")]
    found_left, found_right = [], []
    distance = 1
    while distance < len(order):
        same = person[order[:-distance]] == person[order[distance:]]
        if not same.any():
            break
        found_left.append(order[:-distance][same])
        found_right.append(order[distance:][same])
        distance += 1
    if not found_left:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(found_left), np.concatenate(found_right)


def hard_pairs(linkage: Linkage) -> tuple[int, int]:
    """Pairs of joined records in which one is of a hard person, and how many of them are wrong."""
    records, joined = linkage.records, linkage.joined
    hard = records.kind == _HARD
    either = hard[joined.left] | hard[joined.right]
    wrong = records.person[joined.left[either]] != records.person[joined.right[either]]
    return int(either.sum()), int(wrong.sum())
