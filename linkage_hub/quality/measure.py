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

from linkage_hub.quality.curve import Fitted, Known, fit, worth
from linkage_hub.quality.frame import REAL, Records
from linkage_hub.quality.intervals import Logit, Observed, clustered
from linkage_hub.quality.pairs import Floats, Indices, Mask, RecordPairs

_PLAIN, _HARD, _DECOY = 0, 1, 2
_HALF: Final = 0.5  # an observation, added on both sides where a share may be 0 or 1


@dataclass(frozen=True, slots=True)
class Expected:
    """The model's expectation, on the log-odds scale.

    Attributes:
        joined: pairs that it is about.
    """

    precision: Logit
    recall: Logit
    joined: float


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


def fitted(linkage: Linkage) -> Fitted:
    """Learn from the synthetic records what the model's probabilities are worth."""
    records = linkage.records
    plain = np.flatnonzero(records.kind == _PLAIN)
    people = int(records.person.max(initial=REAL)) + 1
    held = np.bincount(records.person[plain], minlength=people).astype(np.float64)
    joined, parted = _pairs(linkage, synthetic=True)
    return fit(_known(records, joined), _known(records, parted), held * (held - 1.0) / 2.0)


def _known(records: Records, pairs: RecordPairs) -> Known:
    """Pairs with their answer; half an observation for each synthetic end."""
    one, other = records.person[pairs.left], records.person[pairs.right]
    weight = 0.5 * (one != REAL) + 0.5 * (other != REAL)
    right = ((one == other) & (one != REAL)).astype(np.float64)
    return Known(pairs, right, weight, np.where(one != REAL, one, other))


def expected(linkage: Linkage, members: Mask, worth_of: Fitted, *, synthetic: bool) -> Expected:
    """What the model expects of the records of a group, its probabilities put right.

    The variance has two parts: that of a parametric bootstrap over pairs, in closed form, times how
    much more the pairs of a person err together than apart (McCullagh and Nelder's overdispersion,
    from the synthetic records); and that of the curves, over resampled synthetic people.

    Args:
        linkage: as found.
        members: which records belong to the group, bool (n,).
        worth_of: what probabilities are worth.
        synthetic: of synthetic records, or of real ones among each other.
    """
    joined, parted = _pairs(linkage, synthetic=synthetic)
    weight, doubt = _weight(joined, members), _weight(parted, members)
    chance = worth(joined.probability, worth_of.central.joined)
    missing = worth(parted.probability, worth_of.central.parted)
    times = 1.0 + worth_of.central.unseen
    right, total = float((weight * chance).sum()), float(weight.sum())
    missed = float((doubt * missing).sum()) * times
    variance = float((weight**2 * chance * (1.0 - chance)).sum()) * worth_of.joined_excess
    other = float((doubt**2 * missing * (1.0 - missing)).sum()) * worth_of.parted_excess * times**2
    wrong = max(0.0, total - right)
    for_, against, without = right + _HALF, wrong + _HALF, missed + _HALF
    precision, recall = worth_of.spread(joined, weight, parted, doubt)
    surely = variance * (1 / for_ + 1 / against) ** 2 + precision
    fully = variance / for_**2 + other / without**2 + recall
    return Expected(
        Logit(float(np.log(for_ / against)), surely, wrong / worth_of.joined_excess),
        Logit(float(np.log(for_ / without)), fully, missed / worth_of.parted_excess),
        total,
    )


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
