"""A month's extracts: records that are kept as they are, refreshed, new, or gone.

A record is written anew only where its source hears that something about its person changed; all
others keep every letter, errors too, and every record keeps its id. Sources are refreshed at
different rates (``EVERY``).
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from examples.county.cycle.people import DAYS, Month
from examples.county.model import (
    DAYS_A_YEAR,
    NEED_INDEX,
    NEEDS,
    Bools,
    Ints,
    Population,
    Role,
    Texts,
    stream,
)
from examples.county.sources.base import Sheet, Source, met
from examples.county.sources.render import Extract, render
from examples.county.sources.selection import Pick

HEARD_RATE: Final = 0.85  # of changes, by a source in the month
EVERY: Final = {  # months between extracts; the others send one each month
    "school_census": 4,
    "council_tax": 3,
    "libraries": 3,
    "adults_social_care": 3,
    "neet_tracking": 2,
    "legacy_benefits": 0,  # never again
}


def is_due(source: str, month: int) -> bool:
    """Whether a source sends an extract in a month; all do in month 0."""
    every = EVERY.get(source, 1)
    return month == 0 or (every > 0 and month % every == 0)


def states(extract: Extract) -> Iterator[tuple[int, Bools, Bools]]:
    """(need, met, known) by record, for each need that the source speaks of."""
    for need, rule in extract.source.indicators.items():
        cells = extract.columns[rule.column]
        yield NEED_INDEX[need], met(rule, cells), cells != ""


def by_family(population: Population, extracts: dict[str, Extract]) -> tuple[Bools, Bools]:
    """What the extracts show of families: needs met, and known, units x needs each."""
    shape = (len(population.units), len(NEEDS))
    is_met, known = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=bool)
    for extract in extracts.values():
        usable = np.ones(len(extract.person), dtype=bool)
        if extract.source.opt_out:
            usable = ~population.opted_out[extract.person]
        unit = population.unit[extract.person]
        for need, has, said in states(extract):
            is_met[unit[has & usable], need] = True
            known[unit[said & usable], need] = True
    return is_met, known


def next_extract(old: Extract, month: Month, day: int, seed: int) -> Extract:
    """A source's extract a month later.

    Args:
        old: the source's last one.
        month: what became of people since then.
        day: of the new one.
        seed: of the month.
    """
    source, people = old.source, month.population
    rng = stream(seed, f"month {day} {source.name}")
    place = np.full(int(month.came_from.max()) + 1, -1, dtype=np.int64)
    there = np.flatnonzero(month.came_from >= 0)
    place[month.came_from[there]] = there
    kept = replace(old, person=place[old.person], columns=dict(old.columns))
    if any(column.target == "record_id" for column in source.columns):
        kept = _rows(kept, ~month.died[kept.person])
    heard = rng.random(len(kept.person)) < HEARD_RATE
    newest = _newest(kept)
    other_self = (month.moved | month.renamed)[kept.person] & newest & heard
    speaks = [NEED_INDEX[need] for need in source.indicators]
    other_need = month.needs_changed[kept.person][:, speaks].any(axis=1) & heard
    kept = _refreshed(kept, people, other_self, other_need, day, seed)
    added = _new_people(source, month, kept, rng, day)
    if not len(added):
        return kept
    days = np.full(len(added), day) - rng.integers(0, DAYS // 2, len(added))
    fresh = render(people, source, Pick(added, days), seed + day)
    return _joined(kept, _with_ids(fresh, kept, people, rng))


def _rows(extract: Extract, chosen: Bools) -> Extract:
    return replace(
        extract,
        columns={name: cells[chosen] for name, cells in extract.columns.items()},
        record_id=extract.record_id[chosen],
        person=extract.person[chosen],
        as_of=extract.as_of[chosen],
        uprn=extract.uprn[chosen],
        met=extract.met[chosen],
    )


def _newest(extract: Extract) -> Bools:
    """Each person's newest record in the source: the others are past addresses."""
    order = np.lexsort((np.arange(len(extract.person)), extract.as_of, extract.person))
    found = np.zeros(len(order), dtype=bool)
    if len(order):
        found[order[np.append(np.diff(extract.person[order]) != 0, True)]] = True
    return found


def _refreshed(
    kept: Extract, people: Population, self_: Bools, need: Bools, day: int, seed: int
) -> Extract:
    """Records of changed people written anew; of changed needs only the cells that speak of it."""
    rows = np.flatnonzero(self_ | need)
    if not len(rows):
        return kept
    fresh = render(
        people, kept.source, Pick(kept.person[rows], np.full(len(rows), day)), seed + day
    )
    speaking = {rule.column for rule in kept.source.indicators.values()}
    ids = {column.name for column in kept.source.columns if column.target == "record_id"}
    columns = {name: cells.copy() for name, cells in kept.columns.items()}
    for name, cells in columns.items():
        chosen = need[rows] if name in speaking else self_[rows]
        if name not in ids:
            cells[rows[chosen]] = fresh.columns[name][chosen]
    as_of, uprn = kept.as_of.copy(), kept.uprn.copy()
    as_of[rows] = day
    uprn[rows[self_[rows]]] = fresh.uprn[self_[rows]]
    return replace(kept, columns=columns, as_of=as_of, uprn=uprn)


def _new_people(
    source: Source, month: Month, kept: Extract, rng: np.random.Generator, day: int
) -> Ints:
    """Who comes to a source: the newborn, those who moved, those with a need that it deals with."""
    people, rule = month.population, source.selection
    age = (day - people.born) / DAYS_A_YEAR
    fit = (age >= rule.age[0]) & (age < rule.age[1]) & ~month.died
    if rule.adults_of_unit:
        fit &= people.role <= Role.PARTNER
    fit[kept.person] = False
    chance = np.where(month.newborn | month.moved, rule.base, 0.0)
    for need, rate in rule.by_need.items():
        column = NEED_INDEX[need]
        came = people.needs[:, column] & (month.needs_changed[:, column] | month.newborn)
        chance = 1 - (1 - chance) * np.where(came, 1 - rate, 1.0)
    if source.takes_rest == "all" and source.name == "gp_registrations":
        chance = np.where(month.newborn, 1.0, chance)
    return np.flatnonzero(fit & (rng.random(len(people)) < chance))


def _with_ids(
    fresh: Extract, kept: Extract, people: Population, rng: np.random.Generator
) -> Extract:
    """New records under ids of the source that no record has."""
    columns = dict(fresh.columns)
    ids = next((c for c in fresh.source.columns if c.target == "record_id"), None)
    if ids is None:
        numbers = np.arange(1, len(fresh.person) + 1) + len(kept.person)
        return replace(fresh, record_id=numbers.astype(str).astype(object))
    many = np.zeros(2 * (len(kept.person) + len(fresh.person)), dtype=np.int64)
    blank = np.zeros(len(many), dtype=bool)
    drawn = ids.make(Sheet(people, many, many, many, many, None, rng, "utf-8", blank))  # type: ignore[arg-type]
    taken = set(kept.columns[ids.name].tolist())
    free = [each for each in drawn.tolist() if each not in taken][: len(fresh.person)]
    found: Texts = np.array(free, dtype=object)
    columns[ids.name] = found
    return replace(fresh, columns=columns, record_id=found)


def _joined(first: Extract, second: Extract) -> Extract:
    return replace(
        first,
        columns={
            name: np.concatenate([cells, second.columns[name]])
            for name, cells in first.columns.items()
        },
        record_id=np.concatenate([first.record_id, second.record_id]),
        person=np.concatenate([first.person, second.person]),
        as_of=np.concatenate([first.as_of, second.as_of]),
        uprn=np.concatenate([first.uprn, second.uprn]),
        met=np.concatenate([first.met, second.met]),
    )


def with_new_people(kept: Extract, people: Population, rows: Ints, day: int, seed: int) -> Extract:
    """An extract with a record of each of these people who had none in it."""
    added = np.setdiff1d(rows, kept.person)
    if not len(added):
        return kept
    rng = stream(seed, f"added {day} {kept.source.name}")
    fresh = render(people, kept.source, Pick(added, np.full(len(added), day)), seed + day)
    return _joined(kept, _with_ids(fresh, kept, people, rng))


def carried(old: Extract, month: Month) -> Extract:
    """An extract that its source does not send anew, about the same people in their new rows."""
    place = np.full(int(month.came_from.max()) + 1, -1, dtype=np.int64)
    there = np.flatnonzero(month.came_from >= 0)
    place[month.came_from[there]] = there
    return replace(old, person=place[old.person])
