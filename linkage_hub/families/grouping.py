"""Bonds between two people to families: strongest first, unless others speak against it.

In order:
1. Each two people get the strongest evidence of all their addresses, and mentions.
2. Bonds that are likelier than not are taken from the strongest down; of equally strong ones that
   of the address that more of both people's records name (a child's first home). One is refused
   when more pairs of the two groups are strangers than are bound (a lodger may share a surname),
   and when both groups have adults of whom no two were ever seen together (a child's two homes).
"""

# ruff: noqa: PLR2004 - compiled functions take numbers by position

from dataclasses import dataclass
from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from linkage_hub.families.columns import Bools, Floats, Ints
from linkage_hub.linkage.clustering import connected_components

BOND: Final = 0.5
STRANGERS: Final = 0.03  # less likely than this speaks against one family
ALIKE_PLACES: Final = 2  # decimal places past which bonds count as equally strong
LARGEST: Final = 400  # people; in a larger component strangers are not counted


@dataclass(frozen=True, slots=True)
class Bonds:
    """Two people and what is known of them, each two once, sorted.

    Attributes:
        left, right: person numbers, left below right, int64 (b,).
        probability: that they are one family, float64 (b,).
        support: share of their statements that name an address that they share, float64 (b,).
        reason: bit mask of ``reasons.py``, int64 (b,).
    """

    left: Ints
    right: Ints
    probability: Floats
    support: Floats
    reason: Ints


def strongest(left: Ints, right: Ints, probability: Floats, support: Floats, reason: Ints) -> Bonds:
    """One bond for each two people: the strongest; support and reasons of all together."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((reason, -probability, high, low))
    low, high, probability = low[order], high[order], probability[order]
    reason = np.where(probability >= BOND, reason[order], 0)
    fresh = np.append(True, (low[1:] != low[:-1]) | (high[1:] != high[:-1]))[: len(low)]
    begins = np.flatnonzero(fresh)
    if not len(begins):
        return Bonds(low, high, probability, support, reason)
    joined = np.bitwise_or.reduceat(reason, begins)
    summed = np.add.reduceat(support[order], begins)
    return Bonds(low[begins], high[begins], probability[begins], summed, joined)


def families_of(bonds: Bonds, is_child: Bools) -> Ints:
    """Family number of each person, in order of its first member, int64 (persons,).

    Args:
        bonds: of all persons; those below ``BOND`` speak for or against others.
        is_child: bool (persons,).
    """
    persons = len(is_child)
    likely = bonds.probability >= BOND
    component = connected_components(bonds.left[likely], bonds.right[likely], persons)
    size = np.bincount(component, minlength=1)
    rows = np.flatnonzero(component[bonds.left] == component[bonds.right])
    rows = rows[
        np.lexsort(
            (
                bonds.right[rows],
                bonds.left[rows],
                -bonds.support[rows],
                -bonds.probability[rows].round(ALIKE_PLACES),
                component[bonds.left[rows]],
            )
        )
    ]
    people = np.argsort(component, kind="stable")
    start = np.searchsorted(component[people], np.arange(len(size) + 1))
    position = np.empty(persons, dtype=np.int64)
    position[people] = np.arange(persons) - start[component[people]]
    edge_start = np.searchsorted(component[bonds.left[rows]], np.arange(len(size) + 1))
    label = np.empty(persons, dtype=np.int64)
    _join_all(
        start, people, edge_start, position[bonds.left[rows]], position[bonds.right[rows]],
        bonds.probability[rows], ~is_child[people], label,
    )  # fmt: skip
    return _first_seen(label)


def _first_seen(label: Ints) -> Ints:
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return np.asarray(rank[inverse], dtype=np.int64)


@njit(cache=True, nogil=True)
def _join_all(
    start: Ints,
    people: Ints,
    edge_start: Ints,
    left: Ints,
    right: Ints,
    probability: Floats,
    adult: Bools,
    label: Ints,
) -> None:
    """Label of each person: the first person of its family."""
    for component in range(start.size - 1):
        base, size = start[component], start[component + 1] - start[component]
        if size == 1:
            label[people[base]] = people[base]
            continue
        low, high = edge_start[component], edge_start[component + 1]
        adults = adult[base : base + size]
        group = _join(left[low:high], right[low:high], probability[low:high], adults)
        for at in range(size):
            label[people[base + at]] = people[base + group[at]]


@njit(cache=True, nogil=True)
def _join(left: Ints, right: Ints, probability: Floats, adult: Bools) -> NDArray[np.int64]:
    """Group of each person, by its first; rows are in order of probability."""
    size = adult.size
    group = np.arange(size)
    weighed = size <= 400
    balance, meeting = _crossings(left, right, probability, adult, size if weighed else 0)
    grown = adult.astype(np.int64)  # adults by group
    for row in range(left.size):
        a, b = group[left[row]], group[right[row]]
        if probability[row] < 0.5 or a == b:
            continue
        if weighed and (balance[a, b] < 0 or (grown[a] and grown[b] and not meeting[a, b])):
            continue
        a, b = min(a, b), max(a, b)
        grown[a] += grown[b]
        for at in range(size):
            if group[at] == b:
                group[at] = a
        if weighed:
            for at in range(size):
                balance[a, at] += balance[b, at]
                balance[at, a] += balance[at, b]
                meeting[a, at] += meeting[b, at]
                meeting[at, a] += meeting[at, b]
    return group


@njit(cache=True, nogil=True)
def _crossings(
    left: Ints, right: Ints, probability: Floats, adult: Bools, side: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Bound pairs less strangers, and adults who are no strangers, of each two people."""
    balance = np.zeros((side, side), dtype=np.int64)
    meeting = np.zeros((side, side), dtype=np.int64)
    if side:
        for row in range(left.size):
            i, j = left[row], right[row]
            sign = 1 if probability[row] >= 0.5 else -1 if probability[row] < 0.03 else 0
            balance[i, j] += sign
            balance[j, i] += sign
            if sign >= 0 and adult[i] and adult[j]:
                meeting[i, j] += 1
                meeting[j, i] += 1
    return balance, meeting
