"""Who in a family is called what: marriage, divorce, fathers and sons, sisters and brothers."""

from dataclasses import dataclass

import numpy as np

from examples.county.model import (
    HISTORY_START,
    REFERENCE,
    Bools,
    Ints,
    Kind,
    Names,
    Role,
    Texts,
    Units,
)
from examples.county.names import (
    ORIGINS,
    Surnames,
    draw_given,
    draw_origins,
    draw_surnames,
    write_surnames,
)

SAME_ORIGIN_RATE = 0.88  # couples
MARRIED_RATE = 0.62  # couples whose woman took the man's surname
JOINED_RATE = 0.03  # couples' children with both surnames
FATHERS_NAME_RATE = 0.45  # lone mothers' children who bear their father's surname
EARLIER_NAME_RATE = 0.7  # children of the woman of a blended family: their father's surname
DIVORCED_RATE = 0.30  # lone mothers who went back to their own surname
SHARED_NAME_RATE = 0.04  # sons called as their father
MIDDLE_RATE = 0.55
RECENT_CHANGE_RATE = 0.35  # marriages and divorces inside the period of the records
LONG_AGO = HISTORY_START - 4000


@dataclass
class _People:
    """Working columns, one row a person."""

    unit: Ints
    role: Ints
    female: Bools
    born_year: Ints
    origin: Ints
    surname: Surnames
    former: Surnames
    changed: Ints  # LONG_AGO where the name never changed
    joined: Ints  # person whose surname is hyphened on, else -1


def name_people(seed: int, rng: np.random.Generator, units: Units, people: _People) -> Names:
    """Names of everyone. ``people`` comes from :func:`prepare`."""
    text, native = write_surnames(people.surname, people.female)
    former, _ = write_surnames(people.former, people.female)
    has_former = people.changed > LONG_AGO
    has_former &= former != text
    two = np.flatnonzero(people.joined >= 0)
    text[two] = text[two] + "-" + text[people.joined[two]]
    native[two] = ""
    former[~has_former] = ""
    given, native_given = draw_given(rng, people.origin, people.female, people.born_year, seed=seed)
    _distinct_siblings(seed, rng, people, given, native_given)
    _fathers_and_sons(rng, units, people, given, native_given)
    middle, _ = draw_given(rng, people.origin, people.female, people.born_year, seed=seed)
    middle[rng.random(len(middle)) > MIDDLE_RATE] = ""
    middle[middle == given] = ""
    both = native != ""
    native[~both] = ""
    native_given[~both] = ""
    labels = np.array([origin.name for origin in ORIGINS], dtype=object)
    changed = np.where(has_former, people.changed, LONG_AGO)
    return Names(given, middle, text, former, changed, native_given, native, labels[people.origin])


def prepare(
    seed: int, rng: np.random.Generator, units: Units, *, role: Ints, female: Bools, born: Ints
) -> _People:
    """Origins and surnames by family, before they are written out."""
    count = len(role)
    unit = np.repeat(np.arange(len(units)), units.size)
    origin = draw_origins(rng, len(units))[unit]
    mixed = (role == Role.PARTNER) & (rng.random(count) > SAME_ORIGIN_RATE)
    origin[mixed] = draw_origins(rng, int(mixed.sum()))
    ranks = np.random.Generator(np.random.PCG64([seed, 77]))
    surname = draw_surnames(rng, origin, ranks)
    former = surname.take(np.arange(count))
    people = _People(
        unit=unit,
        role=role,
        female=female,
        born_year=1970 + np.floor(born / 365.25).astype(np.int64),
        origin=origin,
        surname=surname,
        former=former,
        changed=np.full(count, LONG_AGO, dtype=np.int64),
        joined=np.full(count, -1, dtype=np.int64),
    )
    _marry(rng, units, people, born)
    _divorce(rng, units, people, born)
    _children(rng, units, people)
    _grandparents(units, people)
    return people


def _change_days(rng: np.random.Generator, born: Ints) -> Ints:
    """Days on which names changed: some inside the period of the records, most before."""
    recent = rng.random(len(born)) < RECENT_CHANGE_RATE
    inside = rng.integers(HISTORY_START + 1000, REFERENCE - 60, len(born))
    grown = born + 18 * 365
    return np.where(recent & (inside > grown), inside, LONG_AGO)


def _marry(rng: np.random.Generator, units: Units, people: _People, born: Ints) -> None:
    partner = np.flatnonzero(people.role == Role.PARTNER)
    head = units.first[people.unit[partner]]
    wed = (rng.random(len(partner)) < MARRIED_RATE) & (
        people.female[partner] != people.female[head]
    )
    partner, head = partner[wed], head[wed]
    wife = np.where(people.female[partner], partner, head)
    husband = np.where(people.female[partner], head, partner)
    people.surname.put(wife, people.surname.take(husband))
    people.changed[wife] = _change_days(rng, born[wife])


def _divorce(rng: np.random.Generator, units: Units, people: _People, born: Ints) -> None:
    """Lone mothers who bore another surname before."""
    lone = units.first[np.flatnonzero(units.kind == Kind.LONE_PARENT)]
    chosen = lone[people.female[lone] & (rng.random(len(lone)) < DIVORCED_RATE)]
    other = units.other_parent[people.unit[chosen]]
    source = np.where(
        other >= 0, units.first[other], rng.integers(0, len(people.unit), len(chosen))
    )
    people.former.put(chosen, people.surname.take(source))
    inside = rng.integers(HISTORY_START + 1500, REFERENCE - 60, len(chosen))
    people.changed[chosen] = np.where(inside > born[chosen] + 18 * 365, inside, LONG_AGO)


def _children(rng: np.random.Generator, units: Units, people: _People) -> None:
    child = np.flatnonzero(people.role >= Role.CHILD)
    unit = people.unit[child]
    head = units.first[unit]
    step = people.role[child] == Role.STEPCHILD
    has_partner = (units.size[unit] > 1) & (people.role[np.minimum(head + 1, _last(people))] == 1)
    partner = np.where(has_partner, head + 1, head)
    man = np.where(people.female[head], partner, head)
    family = rng.random(len(units))[unit]  # one decision for all children of a unit
    blended = units.kind[unit] == Kind.BLENDED
    source = np.where(blended, np.where(step, partner, head), man)
    people.surname.put(child, people.surname.take(source))
    people.origin[child] = people.origin[source]
    self_raised = (units.kind[unit] == Kind.LONE_PARENT) & people.female[head]
    mothers_own = blended & people.female[np.where(step, partner, head)]
    absent = self_raised & (family < FATHERS_NAME_RATE)
    absent |= mothers_own & (family < EARLIER_NAME_RATE)
    _absent_fathers(rng, units, people, child[absent])
    joined = ~blended & has_partner & (family < JOINED_RATE)
    joined &= people.surname.second[source] < 0
    joined &= people.surname.index[head] != people.surname.index[partner]
    people.joined[child[joined]] = np.where(man == head, partner, head)[joined]


def _last(people: _People) -> int:
    return len(people.unit) - 1


def _absent_fathers(rng: np.random.Generator, units: Units, people: _People, child: Ints) -> None:
    """Children's surnames from a father outside the unit: the known one, or a stranger."""
    lead = rng.integers(0, len(people.unit), len(units))[people.unit[child]]
    other = units.other_parent[people.unit[child]]
    former = units.first[people.unit[child]]
    divorced = people.changed[former] > LONG_AGO
    known = np.where(other >= 0, units.first[other], lead)
    taken = people.surname.take(known)
    people.surname.put(child, taken)
    before = people.former.take(former[divorced])
    people.surname.put(child[divorced], before)


def _grandparents(units: Units, people: _People) -> None:
    """The head's parents: of his surname, or of the one that she was born with."""
    grand = np.flatnonzero(people.role == Role.GRANDPARENT)
    head = units.first[people.unit[grand]]
    own = people.surname.take(head)
    maiden = people.former.take(head)
    people.surname.put(grand, own)
    married = people.female[head]
    people.surname.put(grand[married], maiden.take(np.flatnonzero(married)))
    people.origin[grand] = people.origin[head]


def _distinct_siblings(
    seed: int, rng: np.random.Generator, people: _People, given: Texts, native: Texts
) -> None:
    """Draw again where two of one family born in one generation share a given name."""
    for _ in range(4):
        seen: set[tuple[int, str]] = set()
        again = []
        for row, key in enumerate(zip(people.unit.tolist(), given.tolist(), strict=True)):
            if key in seen:
                again.append(row)
            seen.add(key)
        rows = np.array(again, dtype=np.int64)
        if not len(rows):
            return
        given[rows], native[rows] = draw_given(
            rng, people.origin[rows], people.female[rows], people.born_year[rows], seed=seed
        )


def _fathers_and_sons(
    rng: np.random.Generator, units: Units, people: _People, given: Texts, native: Texts
) -> None:
    """Name one son in some families as his father."""
    son = np.flatnonzero((people.role == Role.CHILD) & ~people.female)
    first = np.append(True, people.unit[son][1:] != people.unit[son][:-1])
    son = son[first & (rng.random(len(son)) < SHARED_NAME_RATE)]
    head = units.first[people.unit[son]]
    second = np.minimum(head + 1, _last(people))
    partner = np.where(people.role[second] == Role.PARTNER, second, head)
    father = np.where(people.female[head], partner, head)
    man = ~people.female[father]
    given[son[man]], native[son[man]] = given[father[man]], native[father[man]]
