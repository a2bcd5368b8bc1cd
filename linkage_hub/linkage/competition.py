"""Who is matched to whom, and what each matched record would have had instead.

1. Greedy one-to-one: the likeliest pair of two free records first.
2. A *decoy* of a matched record is the pair that it would have got had its own match not been
   there: its best candidate that prefers it to the partner it has. Where the match is true, the
   decoy is known to be wrong, and is drawn in the very competition that a record without a
   match goes through.
"""

from dataclasses import dataclass

import numba
import numpy as np

from linkage_hub.linkage.candidates import Floats, Indices

NOBODY = -1


@dataclass(frozen=True, slots=True)
class Competition:
    """Pairs by their number in the block.

    Attributes:
        targets: greedy pairs, int64 (t,).
        target_margins: score over the second choice of each side, smaller first, float64 (t, 2).
        decoys: int64 (k,).
        decoy_margins: float64 (k, 2).
        owner: the target whose match was set aside, as a position in ``targets``, int64 (k,).
        side: 0 where the decoy is the left record's, 1 where the right one's, int64 (k,).
    """

    targets: Indices
    target_margins: Floats
    decoys: Indices
    decoy_margins: Floats
    owner: Indices
    side: Indices


_NONE = np.empty(0, dtype=np.int64)
NO_CONTEST = Competition(_NONE, np.empty((0, 2)), _NONE, np.empty((0, 2)), _NONE, _NONE)


def compete(score: Floats, left: Indices, right: Indices, sizes: tuple[int, int]) -> Competition:
    """Let every record look for its partner.

    Args:
        score: of candidate pairs, (m,), in any order; of equal ones the first prevails.
        left: record numbers of the one side, int64 (m,).
        right: of the other, int64 (m,).
        sizes: numbers of records of the two sides.
    """
    order = np.argsort(-score, kind="stable")
    floor = float(score.min()) if len(score) else 0.0
    own_left, own_right, second_left, second_right, third_left, third_right = _choose(
        order, left, right, sizes[0], sizes[1]
    )

    def worth(pair: Indices) -> Floats:
        found = np.full(len(pair), floor)
        found[pair >= 0] = score[pair[pair >= 0]]
        return found

    targets = np.sort(own_left[own_left >= 0])
    position = np.full(len(score), NOBODY, dtype=np.int64)
    position[targets] = np.arange(len(targets))
    target_margins = _margins(
        score[targets], worth(second_left[left[targets]]), worth(second_right[right[targets]])
    )
    parts = []
    for side, own, second, third, here, there, other_own, other_second in (
        (0, own_left, second_left, third_left, left, right, own_right, second_right),
        (1, own_right, second_right, third_right, right, left, own_left, second_left),
    ):
        has = np.flatnonzero((own >= 0) & (second >= 0))
        decoy = second[has]
        rival_there = other_own[there[decoy]]
        rival_there = np.where(
            rival_there >= 0,
            rival_there,
            np.where(other_second[there[decoy]] == decoy, NOBODY, other_second[there[decoy]]),
        )
        margins = _margins(score[decoy], worth(third[here[decoy]]), worth(rival_there))
        parts.append((decoy, margins, position[own[has]], np.full(len(decoy), side)))
    return Competition(
        targets,
        target_margins,
        np.concatenate([part[0] for part in parts]),
        np.concatenate([part[1] for part in parts]),
        np.concatenate([part[2] for part in parts]),
        np.concatenate([part[3] for part in parts]),
    )


def _margins(score: Floats, one: Floats, other: Floats) -> Floats:
    both = score[:, None] - np.column_stack([one, other])
    return np.maximum(np.sort(both, axis=1), 0.0)


@numba.njit(cache=True, nogil=True)
def _choose(  # noqa: C901 - one pass; calls would not be inlined
    order: Indices, left: Indices, right: Indices, left_size: int, right_size: int
) -> tuple[Indices, Indices, Indices, Indices, Indices, Indices]:  # pragma: no cover - compiled
    """First, second and third choice of every record among those that would take it."""
    own_l, own_r = np.full(left_size, -1), np.full(right_size, -1)
    for pair in order:
        if own_l[left[pair]] < 0 and own_r[right[pair]] < 0:
            own_l[left[pair]] = pair
            own_r[right[pair]] = pair
    second_l, second_r = np.full(left_size, -1), np.full(right_size, -1)
    third_l, third_r = np.full(left_size, -1), np.full(right_size, -1)
    passed_l, passed_r = np.zeros(left_size, np.bool_), np.zeros(right_size, np.bool_)
    for pair in order:
        a, b = left[pair], right[pair]
        if own_l[a] == pair:
            passed_l[a] = True
            passed_r[b] = True
            continue
        if not passed_r[b]:  # b's own partner is not better: b would take a
            if second_l[a] < 0:
                second_l[a] = pair
            elif third_l[a] < 0:
                third_l[a] = pair
        if not passed_l[a]:
            if second_r[b] < 0:
                second_r[b] = pair
            elif third_r[b] < 0:
                third_r[b] = pair
    return own_l, own_r, second_l, second_r, third_l, third_r
