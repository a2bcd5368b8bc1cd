"""Pairs of people who were seen at one address, and the kind of each pair.

The kind is what the hub can see without knowing anyone: how their times there agree, whether
they are adults or children, and how many people were ever seen there. Whether their surnames
sound alike is kept apart, since the rates of ``rates.py`` are learnt from it.
"""

# ruff: noqa: PLR2004 - compiled functions take numbers by position

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from linkage_hub.families.columns import Bools, Floats, Ints
from linkage_hub.families.residence import Stays

TIMES: Final = 6
TOGETHER, OVERLAP, HALF, NONE, APART, MOVED = range(TIMES)
"""Began together (within a month); stays overlap; one dated; none dated; one after the other;
seen together at several addresses."""
AGES: Final = 3
ADULTS, MIXED, CHILDREN = range(AGES)
SIZES: Final = 4
SIZE_STEPS: Final = (2, 4, 8)  # other people at the address who may have lived there with one
UNLIKE, ALIKE, UNKNOWN_NAME = 0, 1, 2
CROWD: Final = 200  # people ever seen at an address; of more, no pairs are made


@dataclass(frozen=True, slots=True)
class Pairs:
    """One row for each two people and address, sorted by left, right, then address.

    Attributes:
        left, right: person numbers, left below right, int64 (m,).
        household: int64 (m,).
        time: one of ``TOGETHER`` to ``MOVED``, int64 (m,).
        ages: int64 (m,).
        size: step of the people who may have lived there with either, int64 (m,).
        name: ``UNLIKE``, ``ALIKE`` or ``UNKNOWN_NAME``, int64 (m,).
        support: share of both people's statements that name the address, float64 (m,).
    """

    left: Ints
    right: Ints
    household: Ints
    time: Ints
    ages: Ints
    size: Ints
    name: Ints
    support: Floats

    @property
    def cell(self) -> Ints:
        """Number of the kind: time, ages and size, int64 (m,)."""
        return (self.time * AGES + self.ages) * SIZES + self.size


def pairs_of(stays: Stays, is_child: Bools, earliest: Ints, closed: Bools) -> Pairs:
    """All pairs at addresses that are not institutional.

    Args:
        stays: of all persons.
        is_child: bool (persons,).
        earliest: month before which a person was not born, int64 (persons,).
        closed: institutional addresses, bool (households,).
    """
    people = np.diff(stays.start)
    used = ~closed & (people > 1) & (people <= CROWD)
    many = int((people[used] * (people[used] - 1) // 2).sum())
    rows = np.empty((many, 5), dtype=np.int64)
    begin = np.where(stays.dated, stays.first, earliest[stays.person])
    _fill(
        stays.start, begin, stays.last, stays.dated, stays.kin_start, stays.kin, used, rows,
    )  # fmt: skip
    low = stays.person[rows[:, 0]]
    high = stays.person[rows[:, 1]]
    home = stays.household[rows[:, 0]]
    order = np.lexsort((home, high, low))
    low, high, home, time = low[order], high[order], home[order], rows[order, 2].copy()
    _mark_moves(low, high, time)
    children = is_child[low].astype(np.int64) + is_child[high]
    size = np.searchsorted(np.array(SIZE_STEPS), rows[order, 4], side="left").astype(np.int64)
    share = stays.records / np.bincount(stays.person, stays.records)[stays.person]
    support = (share[rows[:, 0]] * share[rows[:, 1]])[order]
    return Pairs(low, high, home, time, children, size, rows[order, 3].copy(), support)


@njit(cache=True, nogil=True)
def _fill(
    start: Ints,
    begin: Ints,
    last: Ints,
    dated: Bools,
    kin_start: Ints,
    kin: Ints,
    used: Bools,
    rows: NDArray[np.int64],
) -> None:
    """Rows of two stays (the lower person first), time, name and company."""
    at = 0
    company = np.zeros(begin.size, dtype=np.int64)  # others who may have lived there with each
    for home in range(used.size):
        if not used[home]:
            continue
        low = at
        for i in range(start[home], start[home + 1]):
            for j in range(i + 1, start[home + 1]):
                time = _time(begin[i], last[i], dated[i], begin[j], last[j], dated[j])
                company[i] += time != 4
                company[j] += time != 4
                rows[at, 0], rows[at, 1], rows[at, 2] = i, j, time
                rows[at, 3] = _alike(
                    kin, kin_start[i], kin_start[i + 1], kin_start[j], kin_start[j + 1]
                )
                at += 1
        for row in range(low, at):
            rows[row, 4] = max(company[rows[row, 0]], company[rows[row, 1]])


@njit(cache=True, nogil=True)
def _time(
    begin: int, last: int, dated: bool, other: int, other_last: int, other_dated: bool
) -> int:
    """How two stays at one address agree; a begin that is not dated is the earliest possible.

    Who leaves in the month in which another comes makes room, as a rule.
    """
    if begin > other_last or other > last:
        return 4
    if dated and other_dated and begin != other and max(begin, other) == min(last, other_last):
        return 4
    if not (dated and other_dated):
        return 2 if dated or other_dated else 3
    return 0 if abs(begin - other) <= 1 else 1


@njit(cache=True, nogil=True)
def _alike(kin: Ints, a: int, a_end: int, b: int, b_end: int) -> int:
    if a == a_end or b == b_end:
        return 2
    while a < a_end and b < b_end:
        if kin[a] == kin[b]:
            return 1
        if kin[a] < kin[b]:
            a += 1
        else:
            b += 1
    return 0


@njit(cache=True, nogil=True)
def _mark_moves(low: Ints, high: Ints, time: Ints) -> None:
    """Pairs at several addresses, not one after the other, moved together."""
    at = 0
    while at < low.size:
        end = at
        homes = 0
        while end < low.size and low[end] == low[at] and high[end] == high[at]:
            homes += time[end] != 4
            end += 1
        if homes > 1:
            for row in range(at, end):
                if time[row] != 4:
                    time[row] = 5
        at = end
