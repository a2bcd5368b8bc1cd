"""Time to progress: number of needs, hazard models with and without privacy, and the truth."""

import itertools
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from benchmarks.outcomes.engaged import FIRST, NEEDS, World, world
from linkage_hub.analytics.engagement.chances import HORIZONS, NeedsTable, calibration
from linkage_hub.analytics.engagement.concordance import concordance
from linkage_hub.analytics.engagement.hazard import HazardModel, ProgressRule, exposure, fit
from linkage_hub.analytics.engagement.spells import Spells
from linkage_hub.analytics.engagement.survival import groups_by_count, kaplan_meier
from linkage_hub.analytics.risk.attack import Attack, attacked
from linkage_hub.analytics.risk.features import Floats
from linkage_hub.analytics.risk.models import logistic
from linkage_hub.analytics.risk.private.hazard import train_hazard
from linkage_hub.analytics.risk.private.randomness import SeededRandomness
from linkage_hub.analytics.risk.private.training import Guarantee

SPLIT: Final = FIRST + 32
RULE: Final = ProgressRule(needs=NEEDS, chance_in_a_year=0.5, mean_needs=2.8, mean_unknown=1.8)
"""What a county might declare: a round chance in a year, mean numbers of needs met and unknown."""
DELTA: Final = 1e-6
_TRUTH: Final = 400_000
_LEAST: Final = 1e-6
_ATTACKED: Final = 5_000
"""Families among which the private model is attacked too: among more it is a promise still."""

Scorer = Callable[[Spells, int], Floats]


def makers(seed: int) -> dict[str, Callable[[Spells], Scorer]]:
    """Ways of giving a chance of progress, by name."""

    def by_count(early: Spells) -> Scorer:
        table = NeedsTable(early)
        return lambda late, month: table.by(late.state, month, np.zeros(len(late), np.int64))

    def by_model(model: HazardModel) -> Scorer:
        return lambda late, month: model.chance(late.features, month)

    def private(epsilon: float) -> Callable[[Spells], Scorer]:
        def made(early: Spells) -> Scorer:
            noise = SeededRandomness(1_000_003 * seed + int(10 * epsilon))
            return by_model(train_hazard(early, RULE, Guarantee(epsilon, DELTA), noise)[0])

        return made

    return {
        "rule": lambda _: by_model(RULE.as_model()),
        "number of needs": by_count,
        "hazard": lambda early: by_model(fit(early)),
        "private 1": private(1.0),
        "private 3": private(3.0),
    }


def measured(families: int, repeats: int) -> list[dict[str, Any]]:
    """Learnt from what was known at a month, measured on who joined later; means over draws."""
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in range(repeats):
        drawn = world(families, seed)
        later = drawn.spells.joined > SPLIT
        late, true = drawn.spells.rows(later), drawn.chance[later]
        early = drawn.spells.as_known(SPLIT)
        for name, make in makers(seed).items():
            scorer = make(early)
            rows.setdefault(name, []).append(_one(late, true, partial(scorer, late)))
        rows.setdefault("the truth", []).append(_one(late, true, partial(_true, true)))
    return [
        {"families": families, "by": name}
        | {key: float(np.nanmean([each[key] for each in found])) for key in found[0]}
        | {f"{key}_se": _error([each[key] for each in found]) for key in ("uno",)}
        for name, found in rows.items()
    ]


def _true(chance: Floats, month: int) -> Floats:
    return np.asarray(chance[:, month - 1])


def _error(values: list[float]) -> float:
    return float(np.nanstd(values, ddof=1) / len(values) ** 0.5)


def _one(late: Spells, true: Floats, at: Callable[[int], Floats]) -> dict[str, float]:
    times, found = late.times, {}
    figures = {month: at(month) for month in HORIZONS}
    longest = next(f for f in reversed(list(figures.values())) if not np.isnan(f).all())
    told = ~np.isnan(longest)
    for kind in ("harrell", "uno"):
        c = concordance(times.rows(told), longest[told], kind, 18)
        found[kind] = np.nan if c is None else c
    for month, figure in figures.items():
        here = ~np.isnan(figure)
        found[f"oe_{month}"] = found[f"off_{month}"] = np.nan
        if here.any():
            found[f"oe_{month}"] = float(true[here, month - 1].mean() / figure[here].mean())
            parts = calibration(times.rows(here), figure[here], month)[1:]
            apart = [abs(row.expected - row.seen.value) for row in parts if row.seen is not None]
            found[f"off_{month}"] = float(np.mean(apart)) if apart else np.nan
    return found


def coverage(families: int, repeats: int) -> dict[str, Any]:
    """How often intervals of curves by number of needs hold the truth of many families."""
    population = world(_TRUTH, 10_000)
    held = tried = 0
    width = []
    for seed in range(repeats):
        spells = world(families, 20_000 + seed).spells
        met = spells.met
        for name, here in groups_by_count(met, 30):
            curve = kaplan_meier(spells.times.rows(here))
            low, high = int(met[here].min()), int(met[here].max())
            inside = _group(population, low, high, last=high == int(met.max()))
            for month in HORIZONS:
                found = curve.by(month)
                if found is not None:
                    true = float(inside[:, month - 1].mean())
                    held += found.low <= true <= found.high
                    tried += 1
                    width.append(found.high - found.low)
            del name
    return {"families": families, "intervals": tried, "held": held / tried,
            "width": float(np.mean(width))}  # fmt: skip


def _group(population: World, low: int, high: int, *, last: bool) -> Floats:
    met = population.spells.met
    inside = (met >= low) & ((met <= high) | last)
    return np.asarray(population.chance[inside])


def attacks(families: int) -> list[dict[str, Any]]:
    """The membership attack on families that made progress, by what is likely of each."""
    spells = world(families, 1).spells
    rows = []
    for name, tell in _tellers(spells).items():
        found = attacked(
            spells.times.event, tell, np.random.default_rng(families), shadows=64, fresh=32
        )
        rows.append({"families": families, "by": name} | _told(found))
    return rows


def _told(found: Attack) -> dict[str, Any]:
    hit = found.true_positives
    return {
        "auc": found.auc, "found": hit.value, "low": hit.low, "high": hit.high,
        "word": "passes" if found.holds else "does not pass",
    }  # fmt: skip


def _tellers(spells: Spells) -> dict[str, Callable[[Any], Floats]]:
    """How likely what became of each target is, by what is learnt from a half."""
    targets = spells.rows(spells.times.event)
    months, events = exposure(targets.times)
    last = targets.times.last
    seeds = itertools.count(1)

    def by_model(model: HazardModel) -> Floats:
        odds = model.added(targets.features)[:, None] + np.array(model.levels)
        hazard = np.clip(logistic(odds), _LEAST, 1 - _LEAST)
        return np.asarray(
            ((months - events) * np.log(1 - hazard) + events * np.log(hazard)).sum(axis=1)
        )

    def by_count(half: Any) -> Floats:
        table = NeedsTable(spells.rows(half))
        group, found = table.group(targets.state), np.zeros(len(targets))
        for number, each in enumerate(table.groups):
            still = np.append(1.0, each.curve.still)
            padded = np.pad(still, (0, 80), mode="edge")
            here = group == number
            found[here] = np.log(np.maximum(padded[last[here] - 1] - padded[last[here]], _LEAST))
        return found

    def by_horizon(half: Any) -> Floats:
        table = NeedsTable(spells.rows(half))
        group, found = table.group(targets.state), np.zeros(len(targets))
        cell = np.searchsorted(HORIZONS, last)
        for number, each in enumerate(table.groups):
            still = [1.0]
            for month in HORIZONS:
                chance = each.curve.by(month)
                still.append(still[-1] if chance is None else 1 - chance.value)
            parts = np.maximum(-np.diff([*still, 0.0]), _LEAST)
            here = group == number
            found[here] = np.log(parts)[cell[here]]
        return found

    def private(half: Any) -> Floats:
        noise = SeededRandomness(next(seeds))
        return by_model(train_hazard(spells.rows(half), RULE, Guarantee(1, DELTA), noise)[0])

    ways = {
        "number of needs, month by month": by_count,
        "number of needs, 6, 12 and 18 months": by_horizon,
        "hazard": lambda half: by_model(fit(spells.rows(half))),
    }
    return ways | ({"private 1": private} if len(spells) <= _ATTACKED else {})
