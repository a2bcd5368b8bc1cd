"""Roles within a family, from declared relations first and ages second.

A child is under 18 beside an adult. Grandparents are declared parents of parents, or the oldest
of three generations. Parents are declared, or the remaining adults who are a generation above a
child, most likely the children's own. A declared couple, or the only two adults of a family, of
like age, are partners where there are no children. Everyone else is another adult.
"""

from typing import Final

import numpy as np

from governance.exchange.submission import AGE_BANDS
from linkage_hub.families.columns import CHILD, GUARDIAN, PARENT, PARTNER, Bools, Ints
from linkage_hub.families.mentions import Links
from linkage_hub.families.result import (
    IS_CHILD,
    IS_GRANDPARENT,
    IS_OTHER,
    IS_PARENT,
    IS_PARTNER,
)

MIDDLE_BAND: Final = AGE_BANDS.index("45_64")
OLDEST_BAND: Final = AGE_BANDS.index("65_plus")
COUPLE: Final = 2
COUPLE_BANDS: Final = 1  # a couple's age bands are the same or next to each other


def roles_of(family: Ints, person: Ints, band: Ints, is_child: Bools, links: Links) -> Ints:
    """The role of each membership, index in ``ROLES``, int64 (m,).

    Args:
        family: of each membership, ascending, int64 (m,).
        person: of each membership, ascending within a family, int64 (m,).
        band: of all persons, int64 (n,).
        is_child: of all persons, bool (n,).
        links: recognised mentions of all persons.
    """
    families = int(family.max(initial=-1)) + 1
    age, young = band[person], is_child[person]
    has_adult = _any(family, ~young, families)
    child = young & has_adult
    has_child = _any(family, child, families)
    parent, elder, paired = _declared(family, person, child, links)
    has_declared = _any(family, parent, families)
    adult = ~young
    middle = _any(family, adult & (age >= 0) & (age < MIDDLE_BAND), families)
    oldest = adult & (age >= OLDEST_BAND) & ~parent & has_child & (middle | has_declared)
    grandparent = adult & has_child & (elder | oldest)
    fit = (age < 0) | (age < OLDEST_BAND)
    likely = adult & has_child & fit & (~has_declared | paired)
    couple = _couples(family, age, adult, families) | paired
    return np.select(
        [child, grandparent, adult & (parent | likely), adult & couple & ~has_child],
        [IS_CHILD, IS_GRANDPARENT, IS_PARENT, IS_PARTNER],
        IS_OTHER,
    ).astype(np.int64)


def _any(family: Ints, flag: Bools, families: int) -> Bools:
    """For each membership whether any of its family has the flag."""
    return np.asarray(np.bincount(family, weights=flag, minlength=families)[family] > 0)


def _declared(family: Ints, person: Ints, child: Bools, links: Links) -> tuple[Bools, Bools, Bools]:
    """Declared parents of the family's children, their parents, and partners, by membership."""
    persons = int(person.max(initial=0))
    key = family * (persons + 1) + person
    upward = (links.relation == PARENT) | (links.relation == GUARDIAN)
    downward = links.relation == CHILD
    partner = links.relation == PARTNER
    low = np.concatenate([links.asker[upward], links.named[downward]])
    high = np.concatenate([links.named[upward], links.asker[downward]])
    parent = np.zeros(len(person), dtype=np.bool_)
    elder, paired = parent.copy(), parent.copy()
    for row_low, row_high in _inside(family, person, key, persons, low, high):
        parent[row_high[child[row_low]]] = True
    for row_low, row_high in _inside(family, person, key, persons, low, high):
        elder[row_high[parent[row_low]]] = True
    for one, other in _inside(
        family, person, key, persons, links.asker[partner], links.named[partner]
    ):
        paired[one] = paired[other] = True
    return parent, elder, paired


def _inside(
    family: Ints, person: Ints, key: Ints, persons: int, left: Ints, right: Ints
) -> list[tuple[Ints, Ints]]:
    """Rows of the memberships of two people in one family; a person may be in several."""
    order = np.argsort(person, kind="stable")
    start = np.searchsorted(person[order], left)
    end = np.searchsorted(person[order], left, side="right")
    found = []
    for step in range(int((end - start).max(initial=0))):
        at = start + step
        held = at < end
        row = order[at[held]]
        wanted = family[row] * (persons + 1) + right[held]
        other = np.minimum(np.searchsorted(key, wanted), max(0, len(key) - 1))
        both = key[other] == wanted
        found.append((row[both], other[both]))
    return found


def _couples(family: Ints, age: Ints, adult: Bools, families: int) -> Bools:
    """The only two adults of a family, of like age."""
    count = np.bincount(family, weights=adult, minlength=families)
    low = np.full(families, len(AGE_BANDS), dtype=np.int64)
    high = np.full(families, -1, dtype=np.int64)
    np.minimum.at(low, family[adult], age[adult])
    np.maximum.at(high, family[adult], age[adult])
    like = (count == COUPLE) & (low >= 0) & (high - low <= COUPLE_BANDS)
    return np.asarray(adult & like[family])
