"""Where a family lived: addresses that at least half of its members share, oldest first."""

import numpy as np

from linkage_hub.families.columns import Ints
from linkage_hub.families.residence import Stays
from linkage_hub.families.result import Addresses


def address_history(stays: Stays, family_of: Ints) -> Addresses:
    """Addresses of all families.

    Args:
        stays: of all persons.
        family_of: family of each person, int64 (n,).
    """
    family = family_of[stays.person]
    order = np.lexsort((stays.household, family))
    family, household = family[order], stays.household[order]
    if not len(order):
        return Addresses(family, household, family, family)
    fresh = np.append(True, (family[1:] != family[:-1]) | (household[1:] != household[:-1]))
    begins = np.flatnonzero(fresh)
    members = np.diff(np.append(begins, len(order)))
    first = np.minimum.reduceat(stays.first[order], begins)
    last = np.maximum.reduceat(stays.last[order], begins)
    size = np.bincount(family_of)[family[begins]]
    kept = np.flatnonzero(2 * members >= size)
    kept = kept[np.lexsort((household[begins][kept], first[kept], family[begins][kept]))]
    at = begins[kept]
    return Addresses(family[at], household[at], first[kept], last[kept])


def homes_of(stays: Stays, family_of: Ints) -> Ints:
    """Each person's home, int64 (n,); -1 where no address is known.

    Current addresses before past ones; of several, where most of the family are, then where most
    people are (an address with a mistake in it has no neighbours), then what most records say,
    then the one begun last.
    """
    current = stays.last == stays.last.max(initial=0)
    family = family_of[stays.person]
    people = np.diff(stays.start)[stays.household]
    key = family * (int(stays.household.max(initial=0)) + 1) + stays.household
    _, group, count = np.unique(key, return_inverse=True, return_counts=True)
    relatives = count[group]
    order = np.lexsort(
        (
            stays.household, -stays.first, -stays.records, -people, -relatives,
            -stays.last, ~current, stays.person,
        )
    )  # fmt: skip
    homes = np.full(len(family_of), -1, dtype=np.int64)
    person = stays.person[order]
    head = np.append(True, person[1:] != person[:-1])[: len(person)]
    homes[person[head]] = stays.household[order[head]]
    return homes
