"""Persons to families: homes, mentions, bonds, second homes, roles, address history.

In order:
1. Each person's stays; homes of more than ``size_limit`` people are institutional.
2. Mentions are recognised, at home first, then everywhere.
3. Within each home, bonds make families; several may share an address.
4. Someone without an address joins the family of a recognised parent, child or partner.
5. A child with a second current home joins the family there too, not as a primary member.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from linkage_hub.families.evidence import (
    Family,
    FamilyResult,
    Member,
    PersonEvidence,
)
from linkage_hub.families.history import address_history
from linkage_hub.families.joining import MENTIONED, Bond, Groups, bonds_of_home
from linkage_hub.families.mentions import Link, resolve_mentions
from linkage_hub.families.residence import Stay, institutional_households, settle_ties, stays_of
from linkage_hub.families.roles import roles_of
from linkage_hub.families.second_home import second_homes

SIZE_LIMIT = 12  # people at one address; more are a care home, a hostel or flats
ALONE = 1.0  # nobody doubts that a person is of its own family
SECOND_HOME = 0.8
Progress = Callable[[float, str], None]


def build_families(
    people: Sequence[PersonEvidence],
    *,
    size_limit: int = SIZE_LIMIT,
    progress: Progress = lambda _fraction, _message: None,
) -> FamilyResult:
    """Families of all persons, deterministic in the order of the evidence.

    Args:
        people: evidence of each person.
        size_limit: an address with more current residents joins nobody by itself.
        progress: told the share done, 0 to 1.
    """
    stays = [stays_of(person) for person in people]
    settle_ties(stays, size_limit)
    institutional = institutional_households(stays, size_limit)
    residents, homes = _residents(stays)
    progress(0.1, "recognising people whom records name")
    links = resolve_mentions(people, _neighbours(stays, institutional))
    by_person = _links_by_person(links)
    progress(0.7, "joining families")
    groups = Groups(range(len(people)))
    bonds: dict[int, list[Bond]] = defaultdict(list)
    for home, inside in residents.items():
        found = bonds_of_home(
            home, inside, people, stays, by_person, institutional=home in institutional
        )
        _join(found, groups, bonds)
    _join(_homeless_bonds(links, stays), groups, bonds)
    parts = groups.all()
    family_of = np.zeros(len(people), dtype=np.int64)
    for number, part in enumerate(parts):
        family_of[part] = number
    guests = second_homes(people, stays, links, institutional, family_of)
    families = [
        _family(part, guests.get(number, {}), people, stays, bonds, by_person)
        for number, part in enumerate(parts)
    ]
    progress(1.0, "families")
    return FamilyResult(families, family_of, homes, institutional, links)


def _residents(
    stays: Sequence[Sequence[Stay]],
) -> tuple[dict[bytes, list[int]], "np.ndarray[tuple[int], np.dtype[np.int64]]"]:
    """People by the home they live in now, and the number of each person's home."""
    residents: dict[bytes, list[int]] = {}
    homes = np.full(len(stays), -1, dtype=np.int64)
    numbers: dict[bytes, int] = {}
    for person, own in enumerate(stays):
        if own and own[0].current:
            residents.setdefault(own[0].household, []).append(person)
            homes[person] = numbers.setdefault(own[0].household, len(numbers))
    return residents, homes


def _neighbours(
    stays: Sequence[Sequence[Stay]], institutional: frozenset[bytes]
) -> dict[int, list[int]]:
    at: dict[bytes, list[int]] = {}
    for person, own in enumerate(stays):
        for stay in own:
            if stay.household not in institutional:
                at.setdefault(stay.household, []).append(person)
    near: dict[int, set[int]] = {}
    for group in at.values():
        for person in group:
            near.setdefault(person, set()).update(group)
    return {person: sorted(others - {person}) for person, others in near.items()}


def _links_by_person(links: Sequence[Link]) -> dict[int, list[Link]]:
    by_person: dict[int, list[Link]] = {}
    for link in links:
        by_person.setdefault(link[0], []).append(link)
        by_person.setdefault(link[1], []).append(link)
    return by_person


def _join(found: Sequence[Bond], groups: Groups, bonds: dict[int, list[Bond]]) -> None:
    for bond in found:
        groups.join(bond)
        bonds[bond.left].append(bond)
        bonds[bond.right].append(bond)


def _homeless_bonds(links: Sequence[Link], stays: Sequence[Sequence[Stay]]) -> list[Bond]:
    """At most one bond for each person without any address, so that it joins no two families."""
    used: set[int] = set()
    bonds = []
    for asker, named, relation in links:
        for person in (asker, named):
            if not stays[person] and person not in used:
                used.add(person)
                bonds.append(Bond(asker, named, MENTIONED, f"mention_{relation}_no_address"))
                break
    return bonds


def _family(
    part: Sequence[int],
    guests: dict[int, str],
    people: Sequence[PersonEvidence],
    stays: Sequence[Sequence[Stay]],
    bonds: dict[int, list[Bond]],
    by_person: dict[int, list[Link]],
) -> Family:
    everyone = sorted({*part, *guests})
    inside = set(everyone)
    links = {
        link for person in everyone for link in by_person.get(person, ()) if inside >= set(link[:2])
    }
    couples = {
        frozenset((bond.left, bond.right))
        for person in part
        for bond in bonds.get(person, ())
        if bond.reason == "only_two_adults"
    }
    roles = roles_of(everyone, people, links, couples)
    members = []
    for person in everyone:
        if person in guests:
            members.append(
                Member(person, roles[person], SECOND_HOME, (guests[person],), primary=False)
            )
            continue
        own = bonds.get(person, [])
        doubt = 1.0
        for bond in own:
            doubt *= 1.0 - bond.weight
        reasons = tuple(sorted({bond.reason for bond in own})) or ("alone",)
        members.append(Member(person, roles[person], 1.0 - doubt if own else ALONE, reasons))
    return Family(
        tuple(members),
        address_history([stays[person] for person in part]),
        float(np.mean([member.confidence for member in members])),
        tuple(sorted({reason for member in members for reason in member.reasons})),
    )
