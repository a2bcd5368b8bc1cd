"""The ground truth: who is who, who lives with whom, who is whose parent.

Ids: persons ``P0000001``, families ``F0000001``, households ``H0000001`` and, for care homes,
hostels and student houses, ``C`` and the address's number.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from examples.county.addresses import Use
from examples.county.model import OPEN, Ints, Kind, Population, Role, SpellKind, Texts
from examples.county.outcomes import Outcomes, iso, need_names, referral_rows
from examples.county.population import has_partner, unit_needs
from examples.county.records import Records
from examples.county.sources.render import Extract
from examples.county.writers import write_csv

RECORD_COLUMNS = ("partner", "source", "record_id", "row", "person_id", "uprn", "as_of")
PERSON_COLUMNS = (
    "person_id", "given", "middle", "surname", "former_surname", "surname_changed", "sex",
    "date_of_birth", "nhs_number", "nino", "upn", "phone", "email", "origin", "family_id",
    "household_id", "role", "present_from", "present_to", "needs", "recorded_needs", "opted_out",
    "protected", "twin", "canary",
)  # fmt: skip
FAMILY_COLUMNS = ("family_id", "kind", "person_id", "role", "main")
FAMILY_NEED_COLUMNS = (
    "family_id", "kind", "members", "current", "needs", "recorded_needs", "in_programme",
    "consents", "protected", "canary",
)  # fmt: skip
HOUSEHOLD_COLUMNS = ("household_id", "person_id", "uprn", "from", "to", "stay")
RELATION_COLUMNS = ("person_a", "person_b", "relation")
ADDRESS_COLUMNS = (
    "uprn", "flat", "building", "number", "street", "town", "postcode", "use", "deprivation",
    "families",
)  # fmt: skip
REFERRAL_COLUMNS = ("referral_id", "family_id", "person_id", "date", "service")
_COMMUNAL = (Use.CARE_HOME, Use.HOSTEL, Use.STUDENT_HOUSE)


def person_id(number: int) -> str:
    """Id of a person by row."""
    return f"P{number + 1:07d}"


def family_id(number: int) -> str:
    """Id of a family by row."""
    return f"F{number + 1:07d}"


def _yes(value: Any) -> str:
    return "y" if value else "n"


def _iso_or_empty(number: int) -> str:
    return "" if number >= OPEN else iso(number)


def record_rows(extract: Extract, ids: Texts) -> Iterator[tuple[str, ...]]:
    """Truth of one source's rows; row 1 is the first data row. ``ids`` are persons' ids."""
    source = extract.source
    rows = zip(extract.record_id, extract.person.tolist(), extract.uprn, extract.as_of, strict=True)
    dates = {day: iso(day) for day in np.unique(extract.as_of).tolist()}
    for row, (record, person, uprn, as_of) in enumerate(rows, 1):
        head = (source.partner, source.name, str(record), str(row))
        yield (*head, ids[person], uprn, dates[int(as_of)])


def write_truth(
    folder: Path, population: Population, records: Records, outcomes: Outcomes, seed: int
) -> dict[str, int]:
    """Every file but records.csv, which is written with the extracts; returns their row counts."""
    households = _households(population)
    tables = {
        "persons": (PERSON_COLUMNS, _persons(population, records, households)),
        "families": (FAMILY_COLUMNS, _families(population)),
        "family_needs": (FAMILY_NEED_COLUMNS, _family_needs(population, records, outcomes)),
        "households": (HOUSEHOLD_COLUMNS, _household_rows(population, households)),
        "relations": (RELATION_COLUMNS, _relations(population)),
        "addresses": (ADDRESS_COLUMNS, _addresses(population)),
        "referrals": (
            REFERRAL_COLUMNS,
            (
                (number, family_id(unit), person_id(person), date, service)
                for number, unit, person, date, service in referral_rows(population, outcomes, seed)
            ),
        ),
    }
    counts = {}
    for name, (header, rows) in tables.items():
        counter = _Counter(rows)
        write_csv(folder / f"{name}.csv", header, counter)
        counts[name] = counter.count
    return counts


class _Counter:
    """Counts what passes."""

    def __init__(self, rows: Iterator[tuple[str, ...]]) -> None:
        self._rows = rows
        self.count = 0

    def __iter__(self) -> Iterator[tuple[str, ...]]:
        for row in self._rows:
            self.count += 1
            yield row


def _households(population: Population) -> Texts:
    """Household id of every spell."""
    spells, units = population.spells, population.units
    unit = population.unit[spells.person].copy()
    second = spells.kind == SpellKind.SECOND_HOME
    unit[second] = units.other_parent[unit[second]]
    left_by = np.full(len(units), -1, dtype=np.int64)
    lone = np.flatnonzero(units.other_parent >= 0)
    left_by[units.other_parent[lone]] = lone
    before = spells.kind == SpellKind.BEFORE_SEPARATION
    unit[before] = left_by[unit[before]]
    communal = np.isin(population.dwellings.use[spells.dwelling], list(map(int, _COMMUNAL)))
    return np.array(
        [
            f"C{d:07d}" if c else f"H{u + 1:07d}"
            for u, d, c in zip(
                unit.tolist(), spells.dwelling.tolist(), communal.tolist(), strict=True
            )
        ],
        dtype=object,
    )


def _household_rows(population: Population, households: Texts) -> Iterator[tuple[str, ...]]:
    spells = population.spells
    uprn = population.dwellings.uprn
    for i in range(len(spells.person)):
        yield (
            households[i],
            person_id(int(spells.person[i])),
            uprn[spells.dwelling[i]],
            iso(spells.start[i]),
            _iso_or_empty(int(spells.end[i])),
            SpellKind(int(spells.kind[i])).name.lower(),
        )


def _last_home(population: Population) -> Ints:
    """Row of each person's newest spell at home."""
    spells = population.spells
    found = np.zeros(len(population), dtype=np.int64)
    found[spells.person] = np.arange(len(spells.person))
    home = np.flatnonzero(spells.kind == SpellKind.HOME)
    found[spells.person[home]] = home
    return found


def role_name(population: Population, person: int, *, paired: bool) -> str:
    """A person's role in his or her own family."""
    unit = int(population.unit[person])
    role = Role(int(population.role[person]))
    if role >= Role.CHILD:
        return "child"
    if role == Role.GRANDPARENT:
        return "grandparent"
    last = int(population.units.first[unit] + population.units.size[unit] - 1)
    if population.role[last] >= Role.CHILD:
        return "parent"
    return "partner" if paired else "other_adult"


def _persons(
    population: Population, records: Records, households: Texts
) -> Iterator[tuple[str, ...]]:
    p, names = population, population.names
    paired, last = has_partner(population), _last_home(population)
    planted = np.zeros(len(p), dtype=bool)
    planted[p.canaries] = True
    for i in range(len(p)):
        unit = int(p.unit[i])
        yield (
            person_id(i), names.given[i], names.middle[i], names.surname[i], names.former[i],
            iso(names.changed[i]) if names.former[i] else "", p.sex[i], iso(p.born[i]), p.nhs[i],
            p.nino[i], p.upn[i], p.phone[i], p.email[i], names.origin[i], family_id(unit),
            households[last[i]], role_name(p, i, paired=bool(paired[unit])),
            iso(p.present_from[i]), iso(p.present_to[i]), need_names(p.needs[i]),
            need_names(records.met[i]), _yes(p.opted_out[i]), _yes(p.protected[i]),
            _yes(p.twin[i]), _yes(planted[i]),
        )  # fmt: skip


def _families(population: Population) -> Iterator[tuple[str, ...]]:
    p = population
    paired = has_partner(population)
    for i in range(len(p)):
        unit = int(p.unit[i])
        kind = Kind(int(p.units.kind[unit])).name.lower()
        role = role_name(p, i, paired=bool(paired[unit]))
        yield family_id(unit), kind, person_id(i), role, "y"
        other = int(p.units.other_parent[unit])
        if other >= 0 and p.role[i] == Role.CHILD:
            kind = Kind(int(p.units.kind[other])).name.lower()
            yield family_id(other), kind, person_id(i), "child", "n"


def _family_needs(
    population: Population, records: Records, outcomes: Outcomes
) -> Iterator[tuple[str, ...]]:
    p = population
    true, recorded = unit_needs(p, p.needs), unit_needs(p, records.met)
    planted = set(p.unit[p.canaries].tolist())
    hidden = set(p.unit[p.protected].tolist())
    for unit in range(len(p.units)):
        yield (
            family_id(unit),
            Kind(int(p.units.kind[unit])).name.lower(),
            str(p.units.size[unit]),
            _yes(outcomes.current[unit]),
            need_names(true[unit]),
            need_names(recorded[unit]),
            _yes(outcomes.in_programme[unit]),
            outcomes.asked.get(unit, ""),
            _yes(unit in hidden),
            _yes(unit in planted),
        )


def _relations(population: Population) -> Iterator[tuple[str, ...]]:
    """``parent`` reads: a is a parent of b. ``couple`` and ``former_couple`` are given once."""
    p = population
    paired = has_partner(p)
    for i in range(len(p)):
        role, unit = Role(int(p.role[i])), int(p.unit[i])
        head = int(p.units.first[unit])
        other = int(p.units.other_parent[unit])
        if role == Role.HEAD and other >= 0:
            yield person_id(i), person_id(int(p.units.first[other])), "former_couple"
        elif role == Role.PARTNER:
            yield person_id(head), person_id(i), "couple"
        elif role == Role.GRANDPARENT:
            yield person_id(i), person_id(head), "parent"
        elif role >= Role.CHILD:
            blended = p.units.kind[unit] == Kind.BLENDED
            adults = [(head, role == Role.CHILD)]
            if paired[unit]:
                adults.append((head + 1, role == Role.STEPCHILD or not blended))
            for adult, own in adults:
                yield person_id(adult), person_id(i), "parent" if own else "step_parent"
            if other >= 0:
                yield person_id(int(p.units.first[other])), person_id(i), "parent"


def _addresses(population: Population) -> Iterator[tuple[str, ...]]:
    homes, spells = population.dwellings, population.spells
    pairs = np.unique(np.stack([spells.dwelling, population.unit[spells.person]], axis=1), axis=0)
    families = np.bincount(pairs[:, 0], minlength=len(homes))
    for i in range(len(homes)):
        yield (
            homes.uprn[i], homes.flat[i], homes.building[i], homes.number[i], homes.street[i],
            homes.town[i], homes.postcode[i], Use(int(homes.use[i])).name.lower(),
            f"{homes.deprivation[i]:.3f}", str(families[i]),
        )  # fmt: skip
