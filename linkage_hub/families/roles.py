"""Roles within a family, from declared relations first and ages second.

A child is under 18 beside an adult. Grandparents are declared parents of parents, or the oldest
of three generations. Parents are declared, or the remaining adults who are a generation above a
child, most likely the children's own. Two adults without children who were joined as a couple are
partners. Everyone else is another adult.
"""

from collections.abc import Collection, Sequence

from governance.exchange.submission import AGE_BANDS
from linkage_hub.families.evidence import PersonEvidence, Role
from linkage_hub.families.mentions import Link

GRANDPARENT_BAND = AGE_BANDS.index("45_64")
OLDEST_BAND = AGE_BANDS.index("65_plus")
PARENT_BANDS = frozenset(AGE_BANDS.index(band) for band in ("18_24", "25_44", "45_64"))
_UPWARD = frozenset({"parent", "guardian"})


def roles_of(
    members: Sequence[int],
    people: Sequence[PersonEvidence],
    links: Collection[Link],
    couples: Collection[frozenset[int]],
) -> dict[int, Role]:
    """The role of each member.

    Args:
        members: person numbers of one family.
        people: evidence of all persons.
        links: recognised mentions between members.
        couples: pairs of members joined as a couple.
    """
    parents_of = _declared_parents(links)
    adults = [person for person in members if not people[person].is_child]
    children = [person for person in members if people[person].is_child] if adults else []
    declared = {parent for child in children for parent in parents_of.get(child, ())}
    grand = {
        elder for parent in declared for elder in parents_of.get(parent, ()) if elder in members
    }
    paired = {person for pair in couples for person in pair}
    paired |= {person for link in links if link[2] == "partner" for person in link[:2]}
    if children:
        grand |= _older_generation(adults, declared, people)
    roles: dict[int, Role] = {}
    for person in members:
        if person in children:
            roles[person] = "child"
        elif person in grand:
            roles[person] = "grandparent"
        elif person in declared or (children and _can_be_parent(person, declared, paired, people)):
            roles[person] = "parent"
        elif person in paired:
            roles[person] = "partner"
        else:
            roles[person] = "other_adult"
    return roles


def _declared_parents(links: Collection[Link]) -> dict[int, set[int]]:
    parents: dict[int, set[int]] = {}
    for asker, named, relation in links:
        if relation in _UPWARD:
            parents.setdefault(asker, set()).add(named)
        elif relation == "child":
            parents.setdefault(named, set()).add(asker)
    return parents


def _band(person: PersonEvidence) -> int | None:
    return None if person.age_band is None else AGE_BANDS.index(person.age_band)


def _older_generation(
    adults: Sequence[int], declared: Collection[int], people: Sequence[PersonEvidence]
) -> set[int]:
    """Adults who are old enough, and not declared parents, beside adults of parents' age."""
    bands = {adult: _band(people[adult]) for adult in adults}
    young = [band for band in bands.values() if band is not None and band < GRANDPARENT_BAND]
    if not young and not declared:
        return set()
    return {
        adult
        for adult, band in bands.items()
        if band is not None and band >= OLDEST_BAND and adult not in declared
    }


def _can_be_parent(
    person: int,
    declared: Collection[int],
    paired: Collection[int],
    people: Sequence[PersonEvidence],
) -> bool:
    band = _band(people[person])
    if declared and person not in paired:
        return False
    return band is None or band in PARENT_BANDS
