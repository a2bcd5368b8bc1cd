"""Which people of one home are one family, with a weight and a reason for each bond.

Weights are prior beliefs, not fitted; docs/adr/0004-threshold-without-truth.md says what they
rest on. In order of strength: a recognised mention; the same surname at the same address; a child
with the only adult family of the home; two adults of like age alone with each other or with
children. Institutional homes give no bond but mentions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance.exchange.submission import AGE_BANDS
from linkage_hub.families.evidence import PersonEvidence
from linkage_hub.families.mentions import Link
from linkage_hub.families.residence import Stay

MENTIONED = 0.97
SAME_SURNAME = 0.9
CHILD_OF_HOME = 0.8
COUPLE = 0.65
COUPLE_BANDS = 1  # a couple's age bands are the same or next to each other


@dataclass(frozen=True, slots=True)
class Bond:
    """Evidence that two people belong to one family."""

    left: int
    right: int
    weight: float
    reason: str


class Groups:
    """Disjoint sets of the people of one home."""

    def __init__(self, people: Sequence[int]) -> None:
        self._parent = {person: person for person in people}

    def find(self, person: int) -> int:
        """The representative of a person's group: its smallest number."""
        while self._parent[person] != person:
            person = self._parent[person]
        return person

    def join(self, bond: Bond) -> None:
        """Make one group of two."""
        low, high = sorted((self.find(bond.left), self.find(bond.right)))
        self._parent[high] = low

    def all(self) -> list[list[int]]:
        """Groups by smallest member, members ascending."""
        found: dict[int, list[int]] = {}
        for person in sorted(self._parent):
            found.setdefault(self.find(person), []).append(person)
        return list(found.values())


def bonds_of_home(
    home: bytes,
    residents: Sequence[int],
    people: Sequence[PersonEvidence],
    stays: Sequence[Sequence[Stay]],
    links: Mapping[int, Sequence[Link]],
    *,
    institutional: bool,
) -> list[Bond]:
    """Bonds among the people who live at one household now.

    Args:
        home: token of the household.
        residents: person numbers, ascending.
        people: evidence of all persons.
        stays: of all persons.
        links: recognised mentions by person, either end.
        institutional: whether the address is above the size limit.
    """
    inside = set(residents)
    bonds = [
        Bond(asker, named, MENTIONED, f"mention_{relation}")
        for person in residents
        for asker, named, relation in links.get(person, ())
        if asker == person and named in inside
    ]
    if institutional:
        return bonds
    bonds += _surname_bonds(home, residents, stays)
    groups = Groups(residents)
    for bond in bonds:
        groups.join(bond)
    for bond in (*_couple_bonds(groups, people), *_child_bonds(groups, people)):
        groups.join(bond)
        bonds.append(bond)
    return bonds


def _surname_bonds(
    home: bytes, residents: Sequence[int], stays: Sequence[Sequence[Stay]]
) -> list[Bond]:
    first: dict[bytes, int] = {}
    bonds = []
    for person in residents:
        for stay in stays[person]:
            if stay.household != home:
                continue
            for token in sorted(stay.families):
                known = first.setdefault(token, person)
                if known != person:
                    bonds.append(Bond(known, person, SAME_SURNAME, "same_surname_and_address"))
    return bonds


def _couple_bonds(groups: Groups, people: Sequence[PersonEvidence]) -> list[Bond]:
    """Two adults of different surnames who are the only adults of a home."""
    adults = [person for group in groups.all() for person in group if not people[person].is_child]
    if len(adults) != 2 or groups.find(adults[0]) == groups.find(adults[1]):  # noqa: PLR2004
        return []
    bands = [people[adult].age_band for adult in adults]
    places = [AGE_BANDS.index(band) for band in bands if band is not None]
    if len(places) != 2 or abs(places[0] - places[1]) > COUPLE_BANDS:  # noqa: PLR2004 a couple
        return []
    return [Bond(adults[0], adults[1], COUPLE, "only_two_adults")]


def _child_bonds(groups: Groups, people: Sequence[PersonEvidence]) -> list[Bond]:
    """Children of another surname, where the home holds one family with adults."""
    parts = groups.all()
    with_adults = [part for part in parts if not all(people[p].is_child for p in part)]
    if len(with_adults) != 1:
        return []
    anchor = next(p for p in with_adults[0] if not people[p].is_child)
    return [
        Bond(anchor, part[0], CHILD_OF_HOME, "child_with_only_family")
        for part in parts
        if part is not with_adults[0]
    ]
