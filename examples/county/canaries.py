"""Distinctive families who are planted in every extract and searched for everywhere else.

If one of these strings is found in a file of the hub or the ledger, a name has leaked. Their
rows carry no errors, so that the demo can follow them from the extract to the release.
"""

from dataclasses import dataclass

import numpy as np

from examples.county.addresses import rename
from examples.county.households import CANARY_UNITS
from examples.county.model import NEED_INDEX, Names, Population, day


@dataclass(frozen=True)
class Canary:
    """One invented person."""

    given: str
    sex: str
    born: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class CanaryFamily:
    """One invented family at an address of its own.

    ``consents`` says what the partners' consents.csv holds about it: ``given``, ``refused`` by
    the second adult, ``withdrawn`` later by the first, or ``none``: nobody was asked.
    """

    surname: str
    number: str
    street: str
    town: str
    postcode: str
    consents: str
    people: tuple[Canary, ...]
    hidden: bool = False  # protected address, and opted out of the NHS's sharing


FAMILIES = (
    CanaryFamily(
        "Quillamore", "7", "Vexillary Row", "Eastmere", "ZE99 1QA", "given",
        (
            Canary("Zephyrantha", "f", day(1986, 3, 14), ("out_of_work", "debt_or_eviction")),
            Canary("Obadrian", "m", day(1984, 11, 2), ("offence",)),
            Canary("Thessalinde", "f", day(2009, 5, 23), ("neet",)),
            Canary("Cormandel", "m", day(2016, 8, 9), ("school_absence",)),
            Canary("Ysoldwyn", "f", day(2023, 4, 17), ("health_visitor_concern",)),
        ),
    ),
    CanaryFamily(
        "Thistlewrack", "19", "Pumicestone Rise", "Marlsham", "ZE99 2QB", "withdrawn",
        (
            Canary("Marigrace", "f", day(1989, 7, 6), ("mental_health", "out_of_work")),
            Canary("Fennimar", "m", day(1987, 1, 28), ("substance_misuse",)),
            Canary("Brackwell", "m", day(2009, 9, 30), ("neet", "offence")),
            Canary("Liorette", "f", day(2015, 2, 11), ("school_absence",)),
            Canary("Peverick", "m", day(2022, 12, 3), ("health_visitor_concern",)),
        ),
    ),
    CanaryFamily(
        "Ombreville", "31", "Larkspindle Yard", "Thornbeck", "ZE99 3QD", "refused",
        (
            Canary("Saffrony", "f", day(1991, 10, 19), ("debt_or_eviction", "domestic_abuse")),
            Canary("Eustorg", "m", day(1990, 6, 25), ("out_of_work",)),
            Canary("Wilhemar", "m", day(2008, 12, 8), ("neet",)),
            Canary("Candrelle", "f", day(2014, 3, 21), ("school_absence",)),
            Canary("Tansyl", "f", day(2023, 9, 15), ("health_visitor_concern",)),
        ),
    ),
    CanaryFamily(
        "Wraxenholt", "43", "Gossamergate", "Saltergate", "ZE99 4QE", "none",
        (
            Canary("Isaberry", "f", day(1988, 5, 4), ("domestic_abuse", "mental_health")),
            Canary("Dunstaver", "m", day(1985, 8, 16), ("out_of_work",)),
            Canary("Rosmerthe", "f", day(2009, 2, 27), ("neet",)),
            Canary("Jorvald", "m", day(2015, 11, 13), ("school_absence",)),
            Canary("Amberlune", "f", day(2022, 6, 30), ("health_visitor_concern",)),
        ),
        hidden=True,
    ),
)  # fmt: skip


def plant_names(names: Names, persons: int) -> None:
    """Overwrite the names of the last units' people, in place."""
    for row, family, person in _rows(persons):
        names.given[row] = person.given
        names.surname[row] = family.surname
        for column in (names.middle, names.former, names.native_given, names.native_surname):
            column[row] = ""
        names.changed[row] = 0
        names.origin[row] = "british"


def births(persons: int) -> dict[int, tuple[bool, int]]:
    """Whether each canary is female, and her or his day of birth, by row."""
    return {row: (person.sex == "f", person.born) for row, _, person in _rows(persons)}


def plant(population: Population) -> None:
    """Overwrite what else makes a canary, in place."""
    last = len(population.dwellings) - CANARY_UNITS
    for index, family in enumerate(FAMILIES):
        rename(
            population.dwellings,
            last + index,
            number=family.number,
            street=family.street,
            town=family.town,
            postcode=family.postcode,
        )
    for row, family, person in _rows(len(population)):
        population.email[row] = f"{person.given}.{family.surname}@example.org".lower()
        population.needs[row] = False
        for need in person.needs:
            population.needs[row, NEED_INDEX[need]] = True
        population.opted_out[row] = population.protected[row] = family.hidden


def _rows(persons: int) -> list[tuple[int, CanaryFamily, Canary]]:
    pairs = [(family, person) for family in FAMILIES for person in family.people]
    start = persons - len(pairs)
    return [(start + i, family, person) for i, (family, person) in enumerate(pairs)]


def canary_rows(persons: int) -> np.ndarray:
    """Rows of the canaries, family by family."""
    return np.array([row for row, _, _ in _rows(persons)], dtype=np.int64)


def needles(population: Population) -> list[str]:
    """Strings to search for, without regard to case, that occur nowhere but in the extracts."""
    found = [family.surname for family in FAMILIES]
    found += [family.street for family in FAMILIES]
    found += [family.postcode for family in FAMILIES]
    for row, _, person in _rows(len(population)):
        found.append(person.given)
        found += [population.email[row], population.nhs[row]]
        found += [population.nino[row], population.upn[row]]
    return [needle for needle in dict.fromkeys(found) if needle]
