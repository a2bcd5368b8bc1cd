"""A month of the county's people: births, deaths, moves, departures, returns, partings, new names.

Rows are laid out anew, a family's people next to each other as before; ``Month.came_from`` says
which row each had. Canaries live on unchanged.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from examples.county.addresses import Use
from examples.county.model import (
    DAYS_A_YEAR,
    NEEDS,
    OPEN,
    Bools,
    Ints,
    Kind,
    Names,
    Population,
    Role,
    SpellKind,
    Spells,
    Texts,
    Units,
    stream,
)
from examples.county.needs import ELIGIBLE

DAYS = 30  # of a month
MOVE_RATE = 0.010  # families that move within the county
LEAVE_RATE = 0.004
RETURN_RATE = 0.004  # of those that live there: as many who once left come back
BIRTH_RATE = 0.008  # couples and lone parents of an age to have children
PART_RATE = 0.004  # couples with children, of whom one moves out
RENAME_RATE = 0.002  # women of a couple who take the man's surname
DEATH_RATES = ((50, 0.0001), (75, 0.0008), (200, 0.008))  # below that age
GONE_RATE = 0.10  # needs that are not there any more after a month
GONE_IN_PROGRAMME_RATE = 0.25
COME_RATE = 0.035  # new needs, as a share of how common the need is, for those of its age


@dataclass
class Month:
    """What became of people. Arrays by person are by the new rows.

    Attributes:
        came_from: each person's row before, -1 for the newborn.
        unit_from: each family's row before; of a home that a parting made, its old family's.
        moved, renamed, died: bool (persons,).
        needs_changed: bool (persons, needs).
    """

    population: Population
    came_from: Ints
    unit_from: Ints
    moved: Bools
    renamed: Bools
    died: Bools
    needs_changed: Bools

    @property
    def newborn(self) -> Bools:
        """Who was not there before."""
        return self.came_from < 0


def living(population: Population) -> Bools:
    """Who lives in the county: somebody with a home that holds, bool (persons,)."""
    spells, found = population.spells, np.zeros(len(population), dtype=bool)
    found[spells.person[(spells.end == OPEN) & (spells.kind == SpellKind.HOME)]] = True
    return found


def next_month(before: Population, in_programme: Bools, today: int, seed: int) -> Month:
    """The people a month later.

    Args:
        before: the people.
        in_programme: families, bool (units,): their needs go sooner.
        today: day of the new month's extracts, since 1970.
        seed: another one, another month.
    """
    rng = stream(seed, f"month {today}")
    then = _copy(before)
    spared = np.zeros(len(then), dtype=bool)
    spared[then.canaries] = True
    here = living(then) & ~spared
    age = (today - then.born) / DAYS_A_YEAR
    died = here & (rng.random(len(then)) < _by_age(age))
    _end(then, died, today)
    renamed = _rename(rng, then, here & ~died, age, today)
    needs_changed = _needs(rng, then, here & ~died, age, in_programme)
    moved = _move(rng, then, here & ~died, today)
    parting = _part(rng, then, here & ~died, today)
    moved |= parting.moved
    mothers = _mothers(rng, then, here & ~died, age)
    grown, came_from = _born(rng, then, mothers, today)
    return _laid_out(
        grown,
        np.concatenate([parting.unit, parting.unit[mothers]]),
        parting,
        came_from,
        *(_with_newborn(each, len(mothers)) for each in (moved, renamed, died, needs_changed)),
    )


def _copy(population: Population) -> Population:
    return replace(
        population,
        needs=population.needs.copy(),
        present_to=population.present_to.copy(),
        names=replace(
            population.names,
            surname=population.names.surname.copy(),
            former=population.names.former.copy(),
            changed=population.names.changed.copy(),
        ),
        spells=replace(population.spells, end=population.spells.end.copy()),
    )


def _by_age(age: np.ndarray) -> np.ndarray:
    found = np.zeros(len(age))
    for limit, rate in reversed(DEATH_RATES):
        found[age < limit] = rate
    return found


def _end(people: Population, who: Bools, today: int) -> None:
    """Their spells end, in place."""
    spells = people.spells
    spells.end[who[spells.person] & (spells.end == OPEN)] = today - DAYS // 2
    people.present_to[who] = today - DAYS // 2


def _rename(
    rng: np.random.Generator, people: Population, here: Bools, age: np.ndarray, today: int
) -> Bools:
    head = people.units.first[people.unit]
    fit = here & (people.role == Role.PARTNER) & (age < 50)  # noqa: PLR2004 - years
    fit &= people.names.surname != people.names.surname[head]
    chosen = fit & (rng.random(len(people)) < 20 * RENAME_RATE)
    rows = np.flatnonzero(chosen)
    people.names.former[rows] = people.names.surname[rows]
    people.names.surname[rows] = people.names.surname[head[rows]]
    people.names.changed[rows] = today - DAYS // 2
    return np.asarray(chosen)


def _needs(
    rng: np.random.Generator,
    people: Population,
    here: Bools,
    age: np.ndarray,
    in_programme: Bools,
) -> Bools:
    before = people.needs.copy()
    rate = np.where(in_programme[people.unit], GONE_IN_PROGRAMME_RATE, GONE_RATE)
    for column, need in enumerate(NEEDS):
        least, most, share = ELIGIBLE[need]
        gone = before[:, column] & (rng.random(len(people)) < rate)
        come = ~before[:, column] & (age >= least) & (age < most)
        if need == "debt_or_eviction":
            come &= people.role <= Role.PARTNER
        come &= rng.random(len(people)) < COME_RATE * share * 4
        people.needs[here & gone, column] = False
        people.needs[here & come, column] = True
    return np.asarray(people.needs != before)


def _move(rng: np.random.Generator, people: Population, here: Bools, today: int) -> Bools:
    """Families move, leave and come back, in place; who has another home now."""
    units = len(people.units)
    held = np.zeros(units, dtype=bool)
    held[people.unit[here]] = True
    draw = rng.random(units)
    leaving = held & (draw < LEAVE_RATE)
    moving = held & ~leaving & (draw < LEAVE_RATE + MOVE_RATE)
    away = np.ones(units, dtype=bool)
    away[people.unit[living(people)]] = False
    alive = np.zeros(units, dtype=bool)
    alive[people.unit[(people.present_to > today - 5 * 365) & (people.born > 0)]] = True
    back = away & alive & (rng.random(units) < RETURN_RATE * held.sum() / max(1, away.sum()))
    _end(people, here & leaving[people.unit], today)
    _home(rng, people, here & moving[people.unit], today)
    returned = back[people.unit]
    _home(rng, people, returned, today)
    people.present_to[returned] = today
    return np.asarray((here & moving[people.unit]) | returned)


def _home(rng: np.random.Generator, people: Population, who: Bools, today: int) -> None:
    """A new home for each family of these people, in place; the old one ends."""
    rows = np.flatnonzero(who)
    spells = people.spells
    since = today - DAYS // 2
    ends = who[spells.person] & (spells.end == OPEN) & (spells.kind == SpellKind.HOME)
    spells.end[ends] = since
    vacant = _vacant(people)
    families, place = np.unique(people.unit[rows], return_inverse=True)
    chosen = rng.choice(vacant, len(families), replace=len(families) > len(vacant))
    new = np.stack(
        [
            rows,
            chosen[place],
            np.full(len(rows), since),
            np.full(len(rows), OPEN),
            np.full(len(rows), SpellKind.HOME),
        ],
        axis=1,
    )
    people.spells = _sorted(np.concatenate([_table(spells), new]))


def _vacant(people: Population) -> Ints:
    """Ordinary homes where nobody lives; in a county without one, all of them, to be shared."""
    ordinary = np.isin(people.dwellings.use, (Use.HOUSE, Use.FLAT))
    empty = ordinary.copy()
    empty[people.spells.dwelling[people.spells.end == OPEN]] = False
    return np.flatnonzero(empty if empty.any() else ordinary)


def _table(spells: Spells) -> Ints:
    return np.stack([getattr(spells, field.name) for field in fields(spells)], axis=1)


def _sorted(table: Ints) -> Spells:
    table = table[np.lexsort((table[:, 4], table[:, 2], table[:, 0]))]
    return Spells(*(np.ascontiguousarray(table[:, at]) for at in range(table.shape[1])))


@dataclass
class _Parting:
    """Families after partings: each person's; of each family its kind and its row before."""

    unit: Ints
    kind: Ints
    unit_from: Ints
    moved: Bools


def _part(rng: np.random.Generator, people: Population, here: Bools, today: int) -> _Parting:
    """One of some couples moves out, and is a family of one."""
    units = people.units
    unit, kind = people.unit.copy(), units.kind.copy()
    partner = here & (people.role == Role.PARTNER)
    partner &= np.isin(kind[unit], (Kind.COUPLE_CHILDREN, Kind.BLENDED))
    rows = np.flatnonzero(partner & (rng.random(len(people)) < PART_RATE))
    who = np.zeros(len(people), dtype=bool)
    who[rows] = True
    kind[unit[rows]] = Kind.LONE_PARENT
    unit_from = np.concatenate([np.arange(len(units)), unit[rows]])
    unit[rows] = len(units) + np.arange(len(rows))
    people.unit = unit
    _home(rng, people, who, today)
    kind = np.concatenate([kind, np.full(len(rows), Kind.SINGLE)])
    return _Parting(unit, kind, unit_from, who)


def _mothers(rng: np.random.Generator, people: Population, here: Bools, age: np.ndarray) -> Ints:
    kinds = (Kind.COUPLE, Kind.COUPLE_CHILDREN, Kind.LONE_PARENT, Kind.THREE_GENERATIONS)
    fit = here & (people.sex == "f") & (age > 19) & (age < 42)  # noqa: PLR2004 - years
    fit &= (people.role <= Role.PARTNER) & (people.unit < len(people.units))
    fit &= np.isin(people.units.kind[np.minimum(people.unit, len(people.units) - 1)], kinds)
    return np.flatnonzero(fit & (rng.random(len(people)) < BIRTH_RATE))


def _born(
    rng: np.random.Generator, people: Population, mothers: Ints, today: int
) -> tuple[Population, Ints]:
    """The people with the newborn behind them, and the row that each had before."""
    count = len(mothers)
    born = today - rng.integers(2, DAYS, count)
    boy = rng.random(count) < 0.5  # noqa: PLR2004 - even odds
    named = rng.integers(0, len(people), 20 * max(1, count))
    given = people.names.given[mothers].copy()
    for at in range(count):  # named after somebody of the child's sex, not of the family
        like = people.sex[named] == ("m" if boy[at] else "f")
        given[at] = people.names.given[named[np.flatnonzero(like)[at % max(1, like.sum())]]]
    blank = np.full(count, "", dtype=object)
    head = people.units.first[np.minimum(people.unit[mothers], len(people.units) - 1)]
    new: dict[str, Any] = {
        "role": np.full(count, Role.CHILD), "sex": np.where(boy, "m", "f").astype(object),
        "born": born, "present_from": born, "present_to": np.full(count, today),
        "nhs": _numbers(people.nhs, count), "nino": blank, "upn": blank, "phone": blank,
        "email": blank, "needs": np.zeros((count, len(NEEDS)), dtype=bool),
        "opted_out": people.opted_out[mothers], "protected": people.protected[mothers],
        "twin": np.zeros(count, dtype=bool), "unit": people.unit[mothers],
    }  # fmt: skip
    names = {
        "given": given, "surname": people.names.surname[head], "changed": np.zeros(count, int),
        "origin": people.names.origin[mothers],
    }  # fmt: skip
    longer: dict[str, Any] = {
        name: np.concatenate([getattr(people, name), value]) for name, value in new.items()
    }
    grown = replace(
        people,
        **longer,
        names=_names(people.names, lambda name, old: np.concatenate([old, names.get(name, blank)])),
    )
    spells = _table(people.spells)
    homes = {
        int(row[0]): int(row[1])
        for row in spells[(spells[:, 3] == OPEN) & (spells[:, 4] == SpellKind.HOME)]
    }
    added = np.array(
        [
            (len(people) + at, homes[int(mother)], int(born[at]), OPEN, int(SpellKind.HOME))
            for at, mother in enumerate(mothers.tolist())
        ],
        dtype=np.int64,
    ).reshape(-1, 5)
    grown.spells = _sorted(np.concatenate([spells, added]))
    return grown, np.concatenate([np.arange(len(people)), np.full(count, -1)])


def _numbers(held: Texts, count: int) -> Texts:
    """NHS numbers of the test range that nobody has, with their check digits."""
    taken: set[str] = set(held.tolist())
    found: list[str] = []
    body = 999_000_000
    while len(found) < count:
        digits = f"{body:09d}"
        check = (11 - sum(int(d) * (10 - at) for at, d in enumerate(digits)) % 11) % 11
        number = f"{digits}{check}"
        if check < 10 and number not in taken:  # noqa: PLR2004 - ten is no digit
            found.append(number)
        body += 1
    return np.array(found, dtype=object)


def _names(names: Names, change: Callable[[str, Any], Any]) -> Names:
    changed: dict[str, Any] = {
        f.name: change(f.name, getattr(names, f.name)) for f in fields(names)
    }
    return Names(**changed)


def _with_newborn(values: np.ndarray, count: int) -> np.ndarray:
    return np.concatenate([values, np.zeros((count, *values.shape[1:]), dtype=values.dtype)])


def _laid_out(
    people: Population,
    unit: Ints,
    parting: "_Parting",
    came_from: Ints,
    moved: Bools,
    renamed: Bools,
    died: Bools,
    needs_changed: Bools,
) -> Month:
    """Families' people next to each other, heads first."""
    old_units, kind = len(people.units), parting.kind
    role = people.role.copy()
    role[unit >= old_units] = Role.HEAD
    order = np.lexsort((np.arange(len(unit)), role, unit))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    size = np.bincount(unit, minlength=len(kind))
    spells = _table(people.spells)
    spells[:, 0] = place[spells[:, 0]]
    by_person = {
        field.name: getattr(people, field.name)[order]
        for field in fields(people)
        if field.name not in ("unit", "role", "names", "units", "dwellings", "spells", "canaries")
    }
    other = np.concatenate(
        [people.units.other_parent, np.full(len(kind) - old_units, -1, dtype=np.int64)]
    )
    population = Population(
        unit=unit[order],
        role=role[order],
        **by_person,
        names=_names(people.names, lambda _name, values: values[order]),
        units=Units(kind=kind, first=np.cumsum(size) - size, size=size, other_parent=other),
        dwellings=people.dwellings,
        spells=_sorted(spells),
        canaries=place[people.canaries],
    )
    return Month(
        population, came_from[order], parting.unit_from, moved[order], renamed[order], died[order],
        needs_changed[order],
    )  # fmt: skip
