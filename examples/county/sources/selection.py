"""Who is in which source, and on what day each record was made."""

from dataclasses import dataclass

import numpy as np

from examples.county.model import (
    DAYS_A_YEAR,
    NEED_INDEX,
    Ints,
    Population,
    Role,
    SpellKind,
    stream,
)
from examples.county.sources.base import Source

_SHIFT = 1 << 20  # days fit below it, so person * _SHIFT + day sorts by both
_HOME_WEIGHT = 2.0  # a child in two homes is recorded at the first one twice as often
_BACK = 4  # spells looked back through for one that holds on a day
STALE_DAYS = 900.0  # mean age of an address that was never brought up to date
_REST = {"council_tax": 0.35, "libraries": 0.15}  # the others go to the GP registrations


@dataclass
class Pick:
    """A source's records before they have values: parallel arrays."""

    person: Ints
    as_of: Ints


def select(population: Population, sources: tuple[Source, ...], seed: int) -> dict[str, Pick]:
    """Records of each source by name; every person is in one at least."""
    picks = {
        source.name: _choose(population, source, stream(seed, f"select {source.name}"))
        for source in sources
    }
    held = np.zeros(len(population), dtype=bool)
    for pick in picks.values():
        held[pick.person] = True
    _share_out(population, sources, np.flatnonzero(~held), picks, stream(seed, "rest"))
    for source in sources:
        rng = stream(seed, f"further {source.name}")
        picks[source.name] = _further(population, source, picks[source.name], rng)
    return picks


def _bounds(population: Population, source: Source) -> tuple[Ints, Ints]:
    """First and last day on which each person could have been recorded."""
    rule = source.selection
    least = np.ceil(population.born + rule.age[0] * DAYS_A_YEAR).astype(np.int64)
    most = np.floor(population.born + rule.age[1] * DAYS_A_YEAR).astype(np.int64)
    low = np.maximum(np.maximum(population.present_from, rule.window[0]), least)
    high = np.minimum(np.minimum(population.present_to, rule.window[1]), most)
    if rule.adults_of_unit:
        high = np.where(population.role <= Role.PARTNER, high, low - 1)
    return low, high


def _days(rng: np.random.Generator, low: Ints, high: Ints) -> Ints:
    """Days between two, the later ones likelier: extracts hold what is recent."""
    drawn: Ints = low + np.floor(np.sqrt(rng.random(len(low))) * (high - low + 1)).astype(np.int64)
    return drawn


def _choose(population: Population, source: Source, rng: np.random.Generator) -> Pick:
    low, high = _bounds(population, source)
    missed = np.full(len(population), 1.0 - source.selection.base)
    for need, chance in source.selection.by_need.items():
        missed *= 1.0 - chance * population.needs[:, NEED_INDEX[need]]
    chosen = rng.random(len(population)) >= missed
    chosen[population.canaries] = True
    person = np.flatnonzero(chosen & (low <= high))
    as_of = _days(rng, low[person], high[person])
    planted = np.isin(person, population.canaries)
    return Pick(person, np.where(planted, high[person], as_of))


def _share_out(
    population: Population,
    sources: tuple[Source, ...],
    rest: Ints,
    picks: dict[str, Pick],
    rng: np.random.Generator,
) -> None:
    """Give people whom no source holds to one that takes anybody."""
    takers = [source for source in sources if source.takes_rest]
    last = next(source for source in takers if source.name not in _REST)
    left = rest
    for source in [*(s for s in takers if s.name in _REST), last]:
        low, high = _bounds(population, source)
        fit = low[left] <= high[left]
        taken = fit & (rng.random(len(left)) < _REST.get(source.name, 1.0))
        if source is last:  # whoever left before the window has a record made at the end
            taken[:] = True
        person = left[taken]
        upper = np.maximum(high[person], population.present_to[person] * (source is last))
        as_of = _days(rng, np.minimum(low[person], upper), upper)
        old = picks[source.name]
        picks[source.name] = Pick(
            np.concatenate([old.person, person]), np.concatenate([old.as_of, as_of])
        )
        left = left[~taken]


def _further(population: Population, source: Source, pick: Pick, rng: np.random.Generator) -> Pick:
    """Add duplicates and past addresses, then put the records in no order."""
    rule = source.selection
    spared = np.isin(pick.person, population.canaries)
    again = (rng.random(len(pick.person)) < rule.duplicates) & ~spared
    since = np.minimum(population.present_from[pick.person], pick.as_of)
    recent = np.maximum(since, pick.as_of - 400)
    earlier = _days(rng, recent, pick.as_of)
    past = _days(rng, since, pick.as_of)
    old = (rng.random(len(pick.person)) < rule.history) & ~spared
    here = spell_at(population, pick.person, pick.as_of, None)
    there = spell_at(population, pick.person, past, None)
    old &= here != there
    person = np.concatenate([pick.person, pick.person[again], pick.person[old]])
    as_of = np.concatenate([pick.as_of, earlier[again], past[old]])
    order = rng.permutation(len(person))
    return Pick(person[order], as_of[order])


def spell_at(
    population: Population, person: Ints, as_of: Ints, rng: np.random.Generator | None
) -> Ints:
    """Row of the spell that holds each person on a day, the nearest where none does.

    With ``rng``, one of several homes is drawn; without, the first one is taken.
    """
    spells = population.spells
    keys = spells.person * _SHIFT + spells.start
    at = np.searchsorted(keys, person * _SHIFT + as_of, side="right") - 1
    first = np.searchsorted(spells.person, person, side="left")
    at = np.maximum(at, first)
    score = np.zeros((len(at), _BACK))
    for back in range(_BACK):
        row = np.maximum(at - back, 0)
        holds = (at - back >= first) & (spells.start[row] <= as_of) & (spells.end[row] > as_of)
        weight = np.where(spells.kind[row] == SpellKind.HOME, _HOME_WEIGHT, 1.0)
        draw = rng.random(len(at)) ** (1 / weight) if rng is not None else weight
        score[:, back] = np.where(holds, draw, 0.0)
    best = np.where(score.any(axis=1), score.argmax(axis=1), 0)
    found: Ints = at - best
    return found
