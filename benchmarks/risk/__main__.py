"""``make bench-risk``: the rule, logistic regression, trees and private models side by side.

Each model learns from one cohort and is measured on a later one (benchmarks/risk/families.py).
Small cohorts are drawn several times, and what is shown is the mean with its standard error: one
draw of 2,600 families has some 80 to 210 outcomes. Goals are issue E's.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from benchmarks.risk.families import NEEDS, cohorts
from benchmarks.risk.membership import attacks
from benchmarks.risk.models import Measured, measured

LIST_SIZE: Final = 600
REPEATS: Final = {2_600: 8, 10_000: 4, 100_000: 2}
RATES: Final = (0.03, 0.05, 0.08)
_COLUMNS: Final = ("auc", "precision", "recall", "oe", "slope", "benefit", "overlap", "train_s",
                   "score_s")  # fmt: skip


def main() -> int:
    """Run and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--families", type=int, action="append", help="sizes of cohorts")
    parser.add_argument("--rate", type=float, action="append", help="shares with the outcome")
    parser.add_argument("--repeats", type=int, help="draws of each size")
    parser.add_argument("--no-attack", action="store_true", help="leave membership out")
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    results: list[dict[str, Any]] = []
    for families in chosen.families or REPEATS:
        for rate in chosen.rate or RATES:
            repeats = chosen.repeats or REPEATS.get(families, 3)
            drawn = [
                measured(*cohorts(families, rate, seed), rate, LIST_SIZE, seed)
                for seed in range(repeats)
            ]
            results += _shown(families, rate, drawn)
            if chosen.json:
                chosen.json.write_text(json.dumps(results, indent=1), "utf-8")
    if not chosen.no_attack:
        results += attacks(chosen.families or list(REPEATS))
    if chosen.json:
        chosen.json.write_text(json.dumps(results, indent=1), "utf-8")
    return 0


def _shown(families: int, rate: float, drawn: list[dict[str, Measured]]) -> list[dict[str, Any]]:
    print(
        f"\n{families:,} families, outcome {rate:.0%}, {len(drawn)} draws, {len(NEEDS)} needs; "
        f"means, in brackets the standard error of the difference to logistic regression"
    )
    print(f"{'model':22}" + "".join(f"{name:>16}" for name in _COLUMNS))
    rows = []
    for model in drawn[0]:
        row: dict[str, Any] = {"families": families, "rate": rate, "model": model}
        cells = []
        for name in _COLUMNS:
            found = np.array([getattr(each[model], name) for each in drawn], dtype=float)
            beside = np.array([getattr(each["logistic"], name) for each in drawn], dtype=float)
            row[name] = float(found.mean())
            row[f"{name}_less_logistic"] = float((found - beside).mean())
            error = (found - beside).std(ddof=1) / len(found) ** 0.5 if len(found) > 1 else np.nan
            row[f"{name}_se"] = float(error)
            cells.append(f"{found.mean():.4f} ({error:.4f})")
        row["groups"] = _groups([each[model] for each in drawn])
        row["intervals"] = [each[model].interval for each in drawn]
        print(f"{model:22}" + "".join(f"{cell:>16}" for cell in cells), flush=True)
        rows.append(row)
    print(f"{'by group':22}" + "".join(f"{name:>16}" for name in rows[0]["groups"]))
    for row in rows:
        shares = "".join(f"{value:>16.4f}" for value in row["groups"].values())
        print(f"{row['model']:22}{shares}", flush=True)
    return rows


def _groups(drawn: list[Measured]) -> dict[str, float]:
    """Means over draws."""
    return {name: float(np.mean([each.groups[name] for each in drawn])) for name in drawn[0].groups}


if __name__ == "__main__":
    sys.exit(main())
