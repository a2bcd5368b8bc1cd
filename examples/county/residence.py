"""Who lives where and when.

Ordinary dwellings change hands at random times. A household that leaves either goes to the next
home that falls free or leaves the county; a new one comes in. Care homes, hostels and student
houses hold many units at a time, and some ordinary addresses hold two families.
"""

from dataclasses import dataclass

import numpy as np

from examples.county.addresses import Use
from examples.county.households import CANARY_UNITS
from examples.county.model import (
    HISTORY_START,
    OPEN,
    REFERENCE,
    Bools,
    Ints,
    Kind,
    Role,
    SpellKind,
    Spells,
    Units,
)

PERSONS_A_DWELLING = 6.2  # East Sussex: 600,000 persons at 97,000 addresses, past ones included
MOVES_A_UNIT = 0.30  # within the county
SHARED_ADDRESS_RATE = 0.04  # ordinary units that live at another family's address
EMPTY_SHARE = 0.05  # dwellings in the reference file where nobody lived
RESIDENTS = {Use.CARE_HOME: 30, Use.HOSTEL: 18, Use.STUDENT_HOUSE: 12}  # over the whole history
STUDENT_WITH_HOME_RATE = 0.5  # grown children at home who have a term-time address too
CANARY_SINCE = HISTORY_START + 3000
_FLAT_SHARE = 0.17
_COMMUNAL = {
    Kind.CARE_HOME_RESIDENT: Use.CARE_HOME,
    Kind.HOSTEL_RESIDENT: Use.HOSTEL,
    Kind.HOSTEL_FAMILY: Use.HOSTEL,
    Kind.STUDENT: Use.STUDENT_HOUSE,
}


@dataclass
class Tenure:
    """Spells of units: parallel arrays, any number a unit."""

    unit: Ints
    dwelling: Ints
    start: Ints
    end: Ints


@dataclass
class Plan:
    """Dwellings' uses and units' spells, before anybody has an age."""

    uses: Ints
    tenure: Tenure
    shared: Bools  # units at another family's address


def plan(rng: np.random.Generator, units: Units) -> Plan:
    """Give every unit its spells; the canaries' dwellings come last."""
    count = len(units)
    kind = units.kind
    communal = np.isin(kind, list(_COMMUNAL))
    canary = np.arange(count) >= count - CANARY_UNITS
    ordinary = np.flatnonzero(~communal & ~canary)
    guest = ordinary[rng.random(len(ordinary)) < SHARED_ADDRESS_RATE]
    guest = guest[units.other_parent[guest] < 0]
    holders = np.setdiff1d(ordinary, guest)
    homes = max(1, round(int(units.size.sum()) / PERSONS_A_DWELLING))
    held = _turnover(rng, holders, homes)
    parts = [held, _guests(rng, guest, held)]
    uses = [np.where(rng.random(homes) < _FLAT_SHARE, Use.FLAT, Use.HOUSE)]
    total = homes
    for use, capacity in RESIDENTS.items():
        of_use = [k for k, u in _COMMUNAL.items() if u is use]
        residents = np.flatnonzero(np.isin(kind, of_use))
        places = max(1, len(residents) // capacity)
        parts.append(_communal(rng, residents, np.arange(total, total + places), use))
        uses.append(np.full(places, use))
        total += places
    empty = max(3, round(homes * EMPTY_SHARE))
    uses.append(np.where(rng.random(empty) < 0.5, Use.SHOP, Use.HOUSE))  # noqa: PLR2004 - even odds
    total += empty
    planted = np.flatnonzero(canary)
    since = np.full(CANARY_UNITS, CANARY_SINCE)
    at = np.arange(total, total + CANARY_UNITS)
    parts.append(Tenure(planted, at, since, np.full(CANARY_UNITS, OPEN)))
    uses.append(np.full(CANARY_UNITS, Use.HOUSE))
    shared = np.zeros(count, dtype=bool)
    shared[guest] = True
    return Plan(np.concatenate(uses).astype(np.int64), _join(parts), shared)


def _join(parts: list[Tenure]) -> Tenure:
    fields = [
        np.concatenate([getattr(part, name) for part in parts])
        for name in ("unit", "dwelling", "start", "end")
    ]
    order = np.lexsort((fields[2], fields[0]))
    return Tenure(*(field[order] for field in fields))


def _turnover(rng: np.random.Generator, holders: Ints, homes: int) -> Tenure:
    """Cut the history of each home into tenancies and chain them into moves."""
    links = round(MOVES_A_UNIT * len(holders))
    slots = max(len(holders) + links, homes)
    extra = slots - homes
    dwelling = np.concatenate([np.arange(homes), rng.integers(0, homes, extra)])
    start = np.concatenate(
        [np.full(homes, HISTORY_START), rng.integers(HISTORY_START + 90, REFERENCE - 30, extra)]
    )
    order = np.lexsort((start, dwelling))
    dwelling, start = dwelling[order], start[order]
    last = np.append(dwelling[1:] != dwelling[:-1], True)
    end = np.where(last, OPEN, np.append(start[1:], 0))
    into = np.flatnonzero(np.append(False, ~last[:-1]))
    into = into[np.argsort(start[into], kind="stable")]
    wanted = slots - len(holders)
    moved = np.sort(rng.choice(len(into), size=min(wanted + 1, len(into)), replace=False))
    before = np.full(slots, -1, dtype=np.int64)
    before[into[moved[1:]]] = into[moved[:-1]] - 1  # the one before is the slot that was left
    root = _roots(before)
    chains, unit = np.unique(root, return_inverse=True)
    who = rng.permutation(holders)
    if len(chains) > len(who):  # fewer households than homes: the rest stand empty
        kept = unit < len(who)
        unit, dwelling, start, end = unit[kept], dwelling[kept], start[kept], end[kept]
    end = np.where(end == OPEN, OPEN, np.maximum(end, start + 1))
    return Tenure(who[unit], dwelling, start, end)


def _roots(before: Ints) -> Ints:
    """The first slot of each chain, by pointer doubling."""
    root = np.where(before >= 0, before, np.arange(len(before)))
    while True:
        further = root[root]
        if np.array_equal(further, root):
            return root
        root = further


def _guests(rng: np.random.Generator, guests: Ints, held: Tenure) -> Tenure:
    """A second family at an address, for a part of the first one's stay."""
    host = rng.choice(len(held.unit), size=len(guests), replace=False)
    start, end = held.start[host], held.end[host]
    stay = np.minimum(end, REFERENCE) - start
    late = (rng.random(len(guests)) * 0.5 * np.maximum(stay, 0)).astype(np.int64)
    return Tenure(guests, held.dwelling[host], start + late, end)


def _communal(rng: np.random.Generator, residents: Ints, places: Ints, use: Use) -> Tenure:
    """Overlapping stays in care homes, hostels and student houses."""
    stay = {Use.CARE_HOME: 900, Use.HOSTEL: 240, Use.STUDENT_HOUSE: 330}[use]  # days, mean
    count = len(residents)
    start = rng.integers(HISTORY_START, REFERENCE - 30, count)
    length = np.maximum(30, rng.gamma(3.0, stay / 3.0, count)).astype(np.int64)
    end = np.where(start + length > REFERENCE, OPEN, start + length)
    return Tenure(residents, rng.choice(places, count), start, end)


def last_days(tenure: Tenure, units: int) -> Ints:
    """Each unit's last day in the county, the reference day at most: (units,)."""
    last = np.zeros(units, dtype=np.int64)
    np.maximum.at(last, tenure.unit, np.minimum(tenure.end - 1, REFERENCE))
    return last


def person_spells(
    rng: np.random.Generator, units: Units, role: Ints, born: Ints, made: Plan
) -> Spells:
    """Spells of persons: those of their units, second homes, term time, before a separation."""
    tenure = made.tenure
    size = units.size[tenure.unit]
    row = np.repeat(np.arange(len(size)), size)
    within = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    person = units.first[tenure.unit[row]] + within
    start = np.maximum(tenure.start[row], born[person])
    end = tenure.end[row]
    kept = end > start  # born after the family had moved on
    parts = [
        np.stack(
            [person, tenure.dwelling[row], start, end, np.full(len(row), SpellKind.HOME)], axis=1
        )[kept],
        _second_homes(units, role, born, tenure),
        _term_time(rng, units, role, born, made),
        _before_separation(units, tenure),
    ]
    table = np.concatenate(parts)
    table = table[np.lexsort((table[:, 4], table[:, 2], table[:, 0]))]
    return Spells(*(np.ascontiguousarray(table[:, i]) for i in range(5)))


def _rows_of(tenure: Tenure, unit: int) -> range:
    low, high = np.searchsorted(tenure.unit, [unit, unit + 1])
    return range(int(low), int(high))


def _table(rows: list[tuple[int, int, int, int, int]]) -> Ints:
    return np.array(rows, dtype=np.int64).reshape(-1, 5)


def _second_homes(units: Units, role: Ints, born: Ints, tenure: Tenure) -> Ints:
    """Children's stays with the parent who lives elsewhere."""
    rows = []
    for lone in np.flatnonzero(units.other_parent >= 0).tolist():
        people = range(int(units.first[lone]), int(units.first[lone] + units.size[lone]))
        for spell in _rows_of(tenure, int(units.other_parent[lone])):
            end = int(tenure.end[spell])
            for child in people:
                start = max(int(tenure.start[spell]), int(born[child]))
                if role[child] == Role.CHILD and end > start:
                    place = int(tenure.dwelling[spell])
                    rows.append((child, place, start, end, int(SpellKind.SECOND_HOME)))
    return _table(rows)


def _term_time(rng: np.random.Generator, units: Units, role: Ints, born: Ints, made: Plan) -> Ints:
    """Term-time addresses of grown children who also live with their parents."""
    unit = np.repeat(np.arange(len(units)), units.size)
    grown = REFERENCE - born
    student = (role == Role.CHILD) & (grown > 18.2 * 365.25) & (grown < 22 * 365.25)
    current = np.zeros(len(units), dtype=bool)
    current[made.tenure.unit[made.tenure.end == OPEN]] = True
    chosen = np.flatnonzero(student & current[unit])
    chosen = chosen[rng.random(len(chosen)) < STUDENT_WITH_HOME_RATE]
    houses = np.flatnonzero(made.uses == Use.STUDENT_HOUSE)
    since = born[chosen] + 6700  # the autumn after eighteen, roughly
    full = np.full(len(chosen), OPEN)
    kind = np.full(len(chosen), SpellKind.TERM_TIME)
    since = np.minimum(since, REFERENCE - 30)
    return np.stack([chosen, rng.choice(houses, len(chosen)), since, full, kind], axis=1)


def _before_separation(units: Units, tenure: Tenure) -> Ints:
    """The former partner's time at the family's home, up to his or her own first home."""
    rows = []
    for lone in np.flatnonzero(units.other_parent >= 0).tolist():
        other = int(units.other_parent[lone])
        left = int(tenure.start[_rows_of(tenure, other)[0]])
        for spell in _rows_of(tenure, lone):
            end = min(left, int(tenure.end[spell]))
            if end > int(tenure.start[spell]):
                who, place = int(units.first[other]), int(tenure.dwelling[spell])
                row = (who, place, int(tenure.start[spell]), end)
                rows.append((*row, int(SpellKind.BEFORE_SEPARATION)))
    return _table(rows)
