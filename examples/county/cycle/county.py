"""The county month by month: its people, its extracts, its cases, and the truth about each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from examples.county.cycle.cases import (
    SOURCE,
    Cases,
    first_case_extract,
    first_cases,
    next_cases,
    people_of_cases,
    told,
)
from examples.county.cycle.extracts import (
    by_family,
    carried,
    is_due,
    next_extract,
    with_new_people,
)
from examples.county.cycle.people import DAYS, living, next_month
from examples.county.model import REFERENCE, Population, Texts
from examples.county.outcomes import decide, need_names
from examples.county.population import make_population, unit_needs
from examples.county.records import Records
from examples.county.sources.catalogue import SOURCES
from examples.county.sources.render import Extract, render
from examples.county.sources.selection import select
from examples.county.truth import family_id, person_id, record_rows
from examples.county.writers import write_csv, write_extract

RECORDS = ("partner", "source", "record_id", "row", "person_id", "uprn", "as_of")
PERSONS = ("person_id", "family_id", "living", "needs")
FAMILY_NEEDS = ("family_id", "members", "current", "needs", "recorded_needs", "in_programme")


@dataclass
class County:
    """One month of it.

    Attributes:
        number: of the month, 0 for the county as it was generated.
        ids: of persons, the same in every month.
        extracts: every source's newest, without what is told beside needs.
        due: names of the sources that send one this month.
    """

    number: int
    seed: int
    people: Population
    ids: Texts
    extracts: dict[str, Extract]
    cases: Cases
    due: list[str]

    @property
    def day(self) -> int:
        """Of the month's extracts, since 1970."""
        return REFERENCE + DAYS * self.number


def first_county(persons: int, seed: int) -> County:
    """Month 0: the county of ``examples.county.generate``, letter for letter, and its cases."""
    people = make_population(persons, seed)
    picks = select(people, SOURCES, seed)
    extracts, records = {}, Records()
    for source in SOURCES:
        extracts[source.name] = render(people, source, picks[source.name], seed)
        records.add(people, extracts[source.name])
    joined = decide(people, records, seed).in_programme
    cases = first_cases(people, extracts, joined, seed)
    extracts[SOURCE] = first_case_extract(people, cases, seed)
    ids = np.array([person_id(row) for row in range(persons)], dtype=object)
    return County(0, seed, people, ids, extracts, cases, list(extracts))


def next_county(before: County) -> County:
    """The month after."""
    number, seed = before.number + 1, before.seed + before.number + 1
    day = before.day + DAYS
    month = next_month(before.people, before.cases.inside, day, seed)
    newborn = np.cumsum(month.newborn) - 1
    ids = np.array(
        [
            before.ids[old] if old >= 0 else person_id(len(before.ids) + int(newborn[row]))
            for row, old in enumerate(month.came_from.tolist())
        ],
        dtype=object,
    )
    due = [name for name in before.extracts if is_due(name, number)]
    extracts = {
        name: next_extract(old, month, day, seed) if name in due else carried(old, month)
        for name, old in before.extracts.items()
    }
    cases = next_cases(before.cases, month, (before.people, before.extracts), extracts, day, seed)
    extracts[SOURCE] = with_new_people(
        extracts[SOURCE], month.population, people_of_cases(month.population, cases), day, seed
    )
    return County(number, before.seed, month.population, ids, extracts, cases, due)


def write_month(county: County, partners: Path, truth: Path, today: date) -> list[Path]:
    """The extracts that are due, with mappings, and the truth about all; paths of the extracts."""
    people = county.people
    paths = [
        write_extract(
            partners, told(county.extracts[name], people, county.cases, county.day, today)
        )
        for name in county.due
    ]
    rows = (row for extract in county.extracts.values() for row in record_rows(extract, county.ids))
    write_csv(truth / "records.csv", RECORDS, rows)
    write_csv(truth / "persons.csv", PERSONS, _persons(county))
    write_csv(truth / "family_needs.csv", FAMILY_NEEDS, _families(county))
    return paths


def _yes(value: bool) -> str:
    return "y" if value else "n"


def _persons(county: County) -> Iterator[tuple[str, ...]]:
    people, here = county.people, living(county.people)
    for row in range(len(people)):
        family = family_id(int(people.unit[row]))
        needs = need_names(people.needs[row])
        yield str(county.ids[row]), family, _yes(bool(here[row])), needs


def _families(county: County) -> Iterator[tuple[str, ...]]:
    people = county.people
    here = np.zeros(len(people.units), dtype=bool)
    here[people.unit[living(people)]] = True
    needs = unit_needs(people, people.needs)
    recorded, _ = by_family(people, county.extracts)
    for unit in range(len(people.units)):
        yield (
            family_id(unit),
            str(people.units.size[unit]),
            _yes(bool(here[unit])),
            need_names(needs[unit]),
            need_names(recorded[unit]),
            _yes(bool(county.cases.inside[unit])),
        )
