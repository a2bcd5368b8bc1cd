"""``make bench-risk-linked PERSONS=600000``: what linkage error does to figures of risk.

A synthetic county goes through the agents' code, the hub links it and builds families, and every
model of ``benchmarks.risk`` is trained and measured on those families, beside the same on the
county's true families (``worlds``). Learnt from are referrals of the first half-year after the
extracts; measured on are those of the second, of families that were not referred before. The rule,
the models, their noise and the size of the list are those of ``make bench-risk``.
"""

import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import pandas as pd
import torch
import typer

from benchmarks.quality.metrics import pairwise
from benchmarks.risk.families import Cohort
from benchmarks.risk.linked.extracts import County, read_county
from benchmarks.risk.linked.worlds import (
    WANTED,
    Bools,
    Ints,
    World,
    found_world,
    outcomes_of,
    true_world,
)
from benchmarks.risk.membership import MOST_FAMILIES, attacked
from benchmarks.risk.models import Measured, Scorer, judged, makers
from examples.county.generate import DEFAULT_SEED, generate
from governance.agreements.models import IN_PROGRAMME
from linkage_hub.analytics.needs import MET, UNKNOWN
from linkage_hub.analytics.risk.features import features_of
from linkage_hub.analytics.risk.rule import PublicRule
from linkage_hub.families.columns import HERE, LEFT, UNTOLD
from linkage_hub.linkage.candidates import find_candidates
from linkage_hub.linkage.persons import link_candidates
from linkage_hub.runs.inputs import SourceData

LIST_SIZE: Final = 600
NEEDS: Final = tuple(need for need in WANTED if need != IN_PROGRAMME)
GROUPS: Final = {
    "names": {1: "of other origin", 0: "British or Irish"},
    "where": {HERE: "here", UNTOLD: "untold"},
    "moved": {1: "within two years", 0: "not"},
}
_SINCE: Final = "2024-11-01"  # two years before the extracts
_COLUMNS: Final = ("auc", "precision", "recall", "oe", "slope", "overlap", "train_s", "score_s")
_SHOWN: Final = ("rule", "logistic", "private 1")  # whose errors by group are printed
Row = dict[str, Any]
app = typer.Typer(add_completion=False)


@app.command()
def main(
    persons: Annotated[int, typer.Option(help="people of the county")] = 6_000,
    seed: Annotated[int, typer.Option(help="of the county")] = DEFAULT_SEED,
    mode: Annotated[str, typer.Option(help="of linkage: exact or fast")] = "fast",
    list_size: Annotated[int, typer.Option(help="families on the list")] = LIST_SIZE,
    keep: Annotated[Path, typer.Option(help="keeps counties here")] = Path("county-risk"),
    attack: Annotated[bool, typer.Option(help="try membership on linked families too")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="write figures here")] = None,
) -> None:
    """Run and print it."""
    torch.set_num_threads(1)
    folder = keep / f"{persons}-{seed}"
    if not (folder / "summary.json").exists():
        generate(persons, seed, folder)
    say = _Clock()
    county = read_county(folder, persons, seed)
    say(f"{len(county.person):,} records cleaned and encoded")
    before, after = (_linked(each, mode) for each in (county.before, county.sources))
    say("linked, without and with the referrals")
    true = pairwise(before.tolist(), county.person[: len(before)].tolist())
    say(f"persons: precision {true.precision:.4f}, recall {true.recall:.4f}")
    _, real = np.unique(county.person, return_inverse=True)
    real = real.astype(np.int64)
    worlds = {
        "true": true_world(county),
        "built": found_world(county, real[: len(before)], real),
        "linked": found_world(county, before, after),
    }
    say("families")
    rows = [
        *({"kind": "families", "world": name, **_about(county, each)}
          for name, each in worlds.items()),
        *_models(county, folder, worlds, list_size, say),
    ]  # fmt: skip
    if attack:
        rows += _attacked(worlds["linked"])
    if json_file is not None:
        whole = {"persons": persons, "seed": seed, "linkage": true.figures(), "rows": rows}
        json_file.write_text(json.dumps(whole, indent=1) + "\n", "utf-8")


class _Clock:
    """Says what is done, and how long it took."""

    def __init__(self) -> None:
        self._at = time.perf_counter()

    def __call__(self, words: str) -> None:
        now = time.perf_counter()
        print(f"{now - self._at:8.1f} s  {words}", flush=True)
        self._at = now


def _linked(sources: list[SourceData], mode: str) -> Ints:
    """Person of each record, as the hub finds it."""
    encodings = [each.encodings for each in sources]
    blocks = find_candidates(encodings, mode=mode)  # type: ignore[arg-type]
    linked = link_candidates(
        blocks,
        [len(each.handles) for each in sources],
        encodings=encodings,
        duplicates=[each.duplicates for each in sources],
    )
    return np.concatenate(linked.person_of).astype(np.int64)


def _about(county: County, world: World) -> Row:
    """Counts of one set of families."""
    outcome = outcomes_of(county)[world.unit]
    open_, untold = world.open, world.where == UNTOLD
    found: Row = {
        "families": len(open_),
        "open": int(open_.sum()),
        "put_forward": int(world.flagged.sum()),
        "not_main": int((open_ & ~world.main).sum()),
        "gone": int((open_ & world.gone).sum()),
        "open_untold": int((open_ & untold).sum()),
        "open_left": int((open_ & ~world.present).sum()),
        "open_untold_left": int((open_ & untold & ~world.present).sum()),
        "forward_untold": int((world.flagged & untold).sum()),
        "forward_left": int((world.flagged & ~world.present).sum()),
        "forward_untold_left": int((world.flagged & untold & ~world.present).sum()),
        "present": int(world.present.sum()),
        "present_lost": int((world.present & (world.where == LEFT)).sum()),
    }
    for period, name in enumerate(("first", "second")):
        true, seen = outcome[open_, period], world.seen[open_, period]
        found |= {f"referred_{name}": int(true.sum()), f"seen_{name}": int(seen.sum()),
                  f"seen_rightly_{name}": int((true & seen).sum())}  # fmt: skip
    print(f"  {found}", flush=True)
    return found


def _models(
    county: County, folder: Path, worlds: Mapping[str, World], size: int, say: _Clock
) -> list[Row]:
    """Every model on every set of families; lists are compared with those on true families."""
    outcome, groups = outcomes_of(county), _groups(county, folder)
    rows: list[Row] = []
    lists: dict[str, set[int]] = {}
    for name, world in worlds.items():
        learnt = np.flatnonzero(world.open & ~world.gone)
        left = np.flatnonzero(world.open & ~world.seen[:, 0])
        first = _cohort(world, learnt, world.seen[learnt, 0], groups["names"])
        rate = round(float(first.outcome.mean()), 2)
        unknown = round(float((first.state == UNKNOWN).sum(axis=1).mean()), 1)
        of_unit = outcome[world.unit[left], 1]
        later = {"true": of_unit}
        if name != "true":
            later |= {"main": of_unit & world.main[left], "seen": world.seen[left, 1]}
        made = makers(first, NEEDS, rate, 1, unknown=unknown, variants=False)
        for model, make in made.items():
            trained: Callable[[int], Scorer] = cache(make)
            for kind, what in later.items():
                cohort = _cohort(world, left, what, groups["names"])
                one = judged(trained, cohort, NEEDS, size, GROUPS["names"])
                units = set(world.unit[left[one.listed]].tolist())
                if kind == "true":
                    lists.setdefault(model, units)
                other = _cohort(world, left, what, groups["moved"])
                shares = {
                    "names": one.groups,
                    "moved": judged(trained, other, NEEDS, size, GROUPS["moved"]).groups,
                    "where": judged(
                        trained,
                        replace(cohort, group=world.where[left].astype(np.int64)),
                        NEEDS,
                        size,
                        GROUPS["where"],
                    ).groups,
                }
                rows.append(_row(name, model, kind, len(learnt), len(left), one, shares, {
                    "units": len(units), "of_true_list": len(units & lists[model]) / size,
                    "declared_rate": rate,
                    "list_left": float((~world.present[left[one.listed]]).mean()),
                }))  # fmt: skip
        say(f"models on {name} families")
    return rows


def _attacked(world: World) -> list[Row]:
    """The membership attack on models of at most 10,000 linked families."""
    chosen = np.flatnonzero(world.open & ~world.gone)
    chosen = np.random.default_rng(1).permutation(chosen)[:MOST_FAMILIES]
    state, outcome = world.state[chosen], world.seen[chosen, 0]
    rule = PublicRule(
        needs=NEEDS,
        outcome_rate=round(float(outcome.mean()), 2),
        mean_needs=round(float((state == MET).sum(axis=1).mean()), 1),
        mean_unknown=round(float((state == UNKNOWN).sum(axis=1).mean()), 1),
    )
    families = features_of(NEEDS, state)
    rows = attacked(families, outcome, rule, ["logistic", "private 1", "private 8"])
    return [{"kind": "attack", **row} for row in rows]


def _cohort(world: World, rows: Ints, outcome: Bools, group: Ints) -> Cohort:
    # equal figures are listed in an order that has nothing to do with where a family was found
    mixed = (world.unit[rows] * 2_654_435_761 % 2**32).tolist()
    names = [f"f-{unit:08x}-{row}" for unit, row in zip(mixed, rows.tolist(), strict=True)]
    return Cohort(
        world.state[rows], outcome, group[world.unit[rows]], np.array(names, dtype=object)
    )


def _groups(county: County, folder: Path) -> dict[str, Ints]:
    """Number of each unit's group."""
    units = len(county.families)
    size = np.bincount(county.unit, minlength=units)
    other = ~county.people.origin.isin(["british", "irish"]).to_numpy()
    stays = pd.read_csv(folder / "truth" / "households.csv", dtype=str, keep_default_na=False)
    lately = stays.person_id[(stays["from"] >= _SINCE) & (stays.stay == "home")]
    moved = county.people.person_id.isin(lately).to_numpy()
    return {
        name: (2 * np.bincount(county.unit, each, minlength=units) > size).astype(np.int64)
        for name, each in (("names", other), ("moved", moved))
    }


def _row(
    world: str,
    model: str,
    outcome: str,
    learnt: int,
    families: int,
    one: Measured,
    groups: Mapping[str, Mapping[str, float]],
    more: Row,
) -> Row:
    row: Row = {"kind": "model", "world": world, "model": model, "outcome": outcome,
                "learnt": learnt, "families": families}  # fmt: skip
    row |= {name: float(getattr(one, name)) for name in _COLUMNS}
    row |= {"interval": one.interval, "groups": groups, **more}
    figures = "".join(f"{name} {row[name]:.4f}  " for name in _COLUMNS)
    print(f"  {world:7}{model:12}{outcome:5} {figures}{more}", flush=True)
    for name, shares in groups.items() if model in _SHOWN else ():
        words = ", ".join(f"{what} {value:.3f}" for what, value in shares.items())
        print(f"      {name}: {words}", flush=True)
    return row


if __name__ == "__main__":
    sys.exit(app())
