"""Addresses with a slip of the pen, taken for the home that was meant.

Each statement also carries the surname with the address less its number, street or postcode. An
address that one single record gives may be a slip; one that several give is not. Where a lone
address shares such a token with another address, it is taken for it if that is likely enough
(``LIKELY``). How likely is learnt from the data alone: addresses that several records confirm are
different homes, so the share of them that meet another home by a kind of token is how often that
happens by chance (one surname twice in a street); a lone address meets one that much, and more
where it is a slip. A record that knows a surname and an area only is taken for the home there of
that surname: the person's own, else the only one.
"""

from typing import NamedTuple

import numpy as np

from linkage_hub.families.columns import Bools, Ints, Statements
from linkage_hub.linkage.clustering import connected_components

LIKELY = 0.7  # a wrong household is worse than none
CONFIRMED = 2  # statements that confirm an address
AREA = 3  # column of ``Statements.near``


class _Meeting(NamedTuple):
    """Another address that shares one kind of token with each statement's; -1 where none does."""

    other: Ints
    single: Bools  # it is the only one, or the only confirmed one


def put_right(statements: Statements, households: int) -> Ints:
    """The household of each statement with slips put right, int64 (s,); -1 where none is known.

    Args:
        statements: of all persons.
        households: how many household tokens there are.
    """
    placed = statements.household >= 0
    found = np.full(len(placed), -1, dtype=np.int64)
    found[placed] = _corrected(_where(statements, placed), households)
    return _settled(statements, found)


def _where(statements: Statements, rows: Bools) -> Statements:
    """A subset without its kin tokens, which are not needed here."""
    none = np.zeros(0, dtype=np.int64)
    return Statements(
        statements.person[rows],
        statements.household[rows],
        statements.near[rows],
        statements.first[rows],
        statements.last[rows],
        statements.source[rows],
        none,
        none,
    )


def _settled(statements: Statements, household: Ints) -> Ints:
    """Statements of an area alone: at the person's own home there, else the only one there."""
    area = statements.near[:, AREA]
    known = np.flatnonzero((household >= 0) & (area >= 0))
    vague = np.flatnonzero((household < 0) & (area >= 0))
    if not len(known) or not len(vague):
        return household
    persons = int(statements.person.max()) + 1
    settled = household.copy()
    for group, wanted in (
        (area[known], area[vague]),
        (area[known] * persons + statements.person[known],
         area[vague] * persons + statements.person[vague]),
    ):  # fmt: skip
        pairs = np.unique(np.stack([group, household[known]], axis=1), axis=0)
        start = np.searchsorted(pairs[:, 0], wanted)
        single = np.searchsorted(pairs[:, 0], wanted, side="right") - start == 1
        settled[vague[single]] = pairs[start[single], 1]
    return settled


def _corrected(statements: Statements, households: int) -> Ints:
    """The household of each statement that has one, with slips put right."""
    count = np.bincount(statements.household, minlength=households)
    confirmed = count[statements.household] >= CONFIRMED
    doubt = np.ones(len(confirmed))
    target = np.full(len(confirmed), -1, dtype=np.int64)
    best = np.zeros(len(confirmed))
    for kind in range(AREA):
        meeting = _meetings(statements, statements.near[:, kind], count)
        met = (meeting.other >= 0) & (count[meeting.other] >= CONFIRMED)
        likely = _likely(met, confirmed, statements.near[:, kind] >= 0)
        lone = ~confirmed & meeting.single
        better = lone & (likely > best)
        same = lone & (meeting.other == target)
        doubt[better & ~same] = 1.0 - likely
        doubt[same] *= 1.0 - likely
        target[better] = meeting.other[better]
        best[better] = likely
    moved = (target >= 0) & (1.0 - doubt > LIKELY)
    home = connected_components(statements.household[moved], target[moved], households)
    return _representatives(home, count)[statements.household]


def _meetings(statements: Statements, token: Ints, count: Ints) -> _Meeting:
    """For each statement the most confirmed other address with the same token."""
    known = np.flatnonzero(token >= 0)
    pairs = np.unique(
        np.stack([token[known], statements.household[known]], axis=1).reshape(-1, 2), axis=0
    )
    order = np.lexsort((pairs[:, 1], -count[pairs[:, 1]], pairs[:, 0]))
    group, home = pairs[order, 0], pairs[order, 1]
    start = np.searchsorted(group, token[known])
    size = np.searchsorted(group, token[known], side="right") - start
    own = home[start] == statements.household[known]
    at = np.where(own & (size > 1), start + 1, start)
    following = np.minimum(at + 1, len(home) - 1)
    more = (at + 1 < start + size) & (home[following] != statements.household[known])
    rival = more & (count[home[following]] == count[home[at]])
    found = size > 1
    other = np.full(len(token), -1, dtype=np.int64)
    single = np.zeros(len(token), dtype=np.bool_)
    other[known[found]] = home[at[found]]
    single[known] = found & ~rival
    return _Meeting(other, single)


def _likely(met: Bools, confirmed: Bools, known: Bools) -> float:
    """Probability that a lone address that meets a confirmed one by a kind of token is a slip."""
    lone, sure = known & ~confirmed, known & confirmed
    if not lone.any() or not sure.any():
        return 0.0
    seen, chance = float(met[lone].mean()), float(met[sure].mean())
    return max(0.0, 1.0 - chance / seen) if seen else 0.0


def _representatives(component: Ints, count: Ints) -> Ints:
    """For each household the most confirmed one of its component, of equals the first."""
    order = np.lexsort((np.arange(len(component)), -count, component))
    heads = np.append(True, np.diff(component[order]) > 0)[: len(order)]
    head_of = np.empty(int(component.max(initial=-1)) + 1, dtype=np.int64)
    head_of[component[order[heads]]] = order[heads]
    return head_of[component]
