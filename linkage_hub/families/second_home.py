"""Children in two homes: a child belongs to a family at a second current address, too.

Evidence is the surname at the other address, or a parent or guardian recognised by a mention who
lives with another family.
"""

from typing import NamedTuple

import numpy as np

from linkage_hub.families.columns import CHILD, GUARDIAN, OPEN, PARENT, Bools, Floats, Ints
from linkage_hub.families.grouping import BOND
from linkage_hub.families.mentions import Links
from linkage_hub.families.pairs import ALIKE, APART, Pairs
from linkage_hub.families.reasons import SECOND_MENTION, SECOND_SURNAME
from linkage_hub.families.residence import Stays


class Guests(NamedTuple):
    """Children in families that are not their primary ones, by family, then person.

    Attributes:
        family, person: int64 (g,).
        confidence: float64 (g,).
        reasons: bit mask, int64 (g,).
    """

    family: Ints
    person: Ints
    confidence: Floats
    reasons: Ints


def second_homes(
    stays: Stays, pairs: Pairs, probability: Floats, links: Links, family_of: Ints, is_child: Bools
) -> Guests:
    """Children who also belong to a family that is not their primary one.

    Args:
        stays: of all persons.
        pairs: people seen at one address.
        probability: that each pair is one family, float64 (m,).
        links: recognised mentions.
        family_of: primary family of each person, int64 (n,).
        is_child: bool (n,).
    """
    bound = (pairs.name == ALIKE) & (pairs.time != APART) & (probability >= BOND)
    child = np.concatenate([pairs.left[bound], pairs.right[bound]])
    adult = np.concatenate([pairs.right[bound], pairs.left[bound]])
    home = np.concatenate([pairs.household[bound]] * 2)
    live = _current(stays, child, home) & _current(stays, adult, home)
    upward = (links.relation == PARENT) | (links.relation == GUARDIAN)
    downward = links.relation == CHILD
    found = np.concatenate([child[live], links.asker[upward], links.named[downward]])
    other = np.concatenate([adult[live], links.named[upward], links.asker[downward]])
    sure = np.concatenate(
        [np.tile(probability[bound], 2)[live], links.trust[upward], links.trust[downward]]
    )
    reason = np.full(len(found), SECOND_MENTION, dtype=np.int64)
    reason[: int(live.sum())] = SECOND_SURNAME
    family = family_of[other]
    kept = is_child[found] & ~is_child[other] & (family != family_of[found])
    return _once(family[kept], found[kept], sure[kept], reason[kept])


def _current(stays: Stays, person: Ints, household: Ints) -> Bools:
    """Whether each person's stay at a household holds still."""
    persons = int(stays.person.max(initial=0)) + 1
    key = stays.household * persons + stays.person  # ascending, as stays are sorted
    at = np.searchsorted(key, household * persons + person)
    return np.asarray(stays.last[np.minimum(at, len(key) - 1)] == OPEN) if len(key) else person > 0


def _once(family: Ints, person: Ints, sure: Floats, reason: Ints) -> Guests:
    order = np.lexsort((-sure, person, family))
    family, person, sure, reason = family[order], person[order], sure[order], reason[order]
    fresh = np.append(True, (family[1:] != family[:-1]) | (person[1:] != person[:-1]))
    begins = np.flatnonzero(fresh[: len(order)])
    joined = np.bitwise_or.reduceat(reason, begins) if len(begins) else reason
    return Guests(family[begins], person[begins], sure[begins], joined)
