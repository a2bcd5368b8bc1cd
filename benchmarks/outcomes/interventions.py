"""Helped families beside families like them: bias, coverage, and what the placebo tests find."""

from typing import Any, Final

import numpy as np

from benchmarks.outcomes.helped import Setting, draw
from linkage_hub.analytics.interventions import placebo
from linkage_hub.analytics.interventions.balance import MOST, balance
from linkage_hub.analytics.interventions.cases import NOT_KNOWN, YES, Cases
from linkage_hub.analytics.interventions.matching import clusters, match
from linkage_hub.analytics.interventions.paired import difference
from linkage_hub.analytics.interventions.strength import e_value_of_limit

SETTINGS: Final = {
    "nothing, measured confounding": Setting(),
    "something, measured confounding": Setting(effect=0.5),
    "nothing, some of it hidden": Setting(hidden=0.25),
    "nothing, much of it hidden": Setting(hidden=0.5),
}


def measured(families: int, setting: Setting, repeats: int) -> dict[str, Any]:
    """Over draws; the truth of a draw is that of its own helped families, its mean of all."""
    rows = [_one(families, setting, seed) for seed in range(repeats)]
    truth = float(np.mean([row["truth"] for row in rows]))
    value, low, high, naive = (
        np.array([row[key] for row in rows]) for key in ("value", "low", "high", "naive")
    )
    alike = np.array([row["worst"] <= MOST for row in rows])
    alarm = np.array([row["alarm"] for row in rows], dtype=bool)
    given = alike & ~alarm
    holds = (low <= truth) & (truth <= high)
    return {
        "families": families,
        "repeats": repeats,
        "helped": float(np.mean([row["helped"] for row in rows])),
        "truth": truth,
        "naive_bias": float(naive.mean() - truth),
        "bias": float(value.mean() - truth),
        "bias_se": float(value.std(ddof=1) / repeats**0.5),
        "holds": float(holds.mean()),
        "width": float((high - low).mean()),
        "worst": float(np.mean([row["worst"] for row in rows])),
        "before": float(np.mean([row["before"] for row in rows])),
        "not_alike": float((~alike).mean()),
        "alarm": float(alarm.mean()),
        "given": float(given.mean()),
        "wrong_where_given": float((~holds)[given].mean()) if given.any() else None,
        "limit": float(np.median([row["limit"] for row in rows])),
    }


def _one(families: int, setting: Setting, seed: int) -> dict[str, float]:
    drawn = draw(families, setting, seed)
    cases = drawn.cases
    known = cases.outcome != NOT_KNOWN
    pairs = match(cases, known)
    one, other = (cases.outcome[at] == YES for at in (pairs.helped, pairs.other))
    found = difference(one, other, clusters(cases, pairs), seed)
    tried = placebo.before(cases, pairs, seed)
    low, high = found.ratio_low or 0.0, found.ratio_high or 0.0
    return {
        "truth": drawn.truth,
        "helped": float(cases.helped.sum()),
        "naive": _naive(cases),
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "worst": max(abs(row.after) for row in balance(cases, pairs)),
        "before": np.nan if tried is None else tried.value,
        "alarm": float(tried is not None and not tried.is_nothing),
        "limit": e_value_of_limit(low, high) if low and high else 1.0,
    }


def _naive(cases: Cases) -> float:
    known = cases.outcome != NOT_KNOWN
    came = cases.outcome == YES
    return float(came[known & cases.helped].mean() - came[known & ~cases.helped].mean())


def pretended(families: int, worlds: int) -> dict[str, Any]:
    """How often pretended help finds something, over worlds with measured confounding."""
    found = [placebo.pretended(draw(families, Setting(), seed).cases, seed, placebo.TRIES)
             for seed in range(worlds)]  # fmt: skip
    tries = sum(each.tries for each in found)
    return {
        "families": families,
        "tries": tries,
        "found": sum(each.found for each in found) / tries,
        "refused": float(np.mean([not each.holds for each in found])),
        "most": found[0].most,
    }
