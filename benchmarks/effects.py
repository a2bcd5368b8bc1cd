"""``python -m benchmarks.effects``: do intervals of effects of linkage error hold the true figures?

As ``benchmarks.estimates``: counties of seeds of their own through the agents' and the hub's code,
sentinels and decoys among their records. The hub works out what errors of linkage do to its figures
(ADR 40), seeing no truth; then the same figures are counted on the true persons, by the same code:
the share of intervals that hold them should be near 95 %, by kind of figure. Beside it what no
figure about links can know: how far families built on true persons are from the true families.
"""

import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer

from benchmarks.county import describe
from benchmarks.estimates import _Agents, _truth_of
from benchmarks.quality.dataset import read_truth
from examples.county.generate import generate
from examples.county.model import NEEDS
from governance.agreements.quality import Quality
from governance.exchange.analysis_api import EffectRow, LinkageEffects
from governance.exchange.sentinels import GROUPS
from linkage_hub.analytics.linkage_error import linkage_effects
from linkage_hub.analytics.linkage_figures import Figures, Terms
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.candidates import find_candidates
from linkage_hub.linkage.persons import link_candidates
from linkage_hub.quality.service import measured

MONTH: Final = 12 * 2026 + 9  # of the county's extracts
_PLACES: Final = {"persons": 0, "families": 1, "put_forward": 2, "kept": 3, "need": 4,
                  "needs_together": 5}  # fmt: skip


@dataclass(frozen=True)
class Checked:
    """One figure beside what it is on true persons."""

    row: EffectRow
    truth: int

    @property
    def holds(self) -> bool:
        """Whether the truth lies in the interval."""
        low, high = self.row.low, self.row.high
        return low is not None and high is not None and low <= self.truth <= high


def one_county(
    persons: int, seed: int, quality: Quality, *, mode: str, hard: bool, draws: int
) -> tuple[LinkageEffects, list[Checked]]:
    """Generate, submit, link, measure, draw, and look up the truth."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(persons, seed, folder)
        dataset = describe(folder)
        submitted = _Agents(dataset, folder, quality, seed, hard=hard).submit()
        people = read_truth(folder, dataset)
    sources = [each.data for each in submitted]
    encodings = [each.encodings for each in sources]
    linked = link_candidates(
        find_candidates(encodings, mode=mode),  # type: ignore[arg-type]
        [each.shape[1] for each in encodings],
        encodings=encodings,
        duplicates=[each.duplicates for each in sources],
    )
    synthetic = [{record.handle: record for record in each.synthetic} for each in submitted]
    done = measured(sources, linked, synthetic, 7)
    first = done.table.rows[0]
    if first.predicted_precision is None or first.predicted_recall is None:
        raise ValueError("expected pairs enough to measure by")
    needs = tuple(sorted(NEEDS))
    terms = Terms(needs, needs, 2, MONTH, 4 if hard else None, 7)
    began = time.perf_counter()
    effects = linkage_effects(
        done.sources,
        done.linked,
        PairAnswers.none(),
        (first.predicted_precision, first.predicted_recall),
        terms,
        draws=draws,
    )
    if effects is None:
        raise ValueError("expected pairs")
    print(f"{persons:,} persons, seed {seed}: {time.perf_counter() - began:.0f} s", flush=True)
    true = _truth_of(done.sources, submitted, people, done.linked.person_of).person
    figures = Figures(done.sources, terms)
    own = figures.of(np.concatenate(done.linked.person_of).astype(np.int64))
    counted = figures.of(true, own).counts
    return effects, [
        Checked(row, counted[row.figure, row.needs])
        for row in effects.rows
        if row.found is not None
    ]


def main(
    persons: Annotated[int, typer.Option(help="people of each county")] = 6_000,
    counties: Annotated[int, typer.Option(help="how many counties")] = 5,
    first_seed: Annotated[int, typer.Option(help="seed of the first")] = 401,
    mode: Annotated[str, typer.Option(help="of linkage: exact or fast")] = "fast",
    hardened: Annotated[bool, typer.Option(help="profile hardened, else clk")] = False,
    draws: Annotated[int, typer.Option(help="how many")] = 8,
) -> None:
    """Print every figure of the first county, and how often intervals held the truth."""
    quality = Quality(sentinels=200, decoy_percent=5, groups=GROUPS, outcodes=(), reveal_hours=1)
    everything: dict[str, list[Checked]] = defaultdict(list)
    for number in range(counties):
        effects, found = one_county(
            persons, first_seed + number, quality, mode=mode, hard=hardened, draws=draws
        )
        print(f"precision {effects.precision}, recall {effects.recall}")
        for each in found:
            if not number or each.row.figure in {"persons", "families", "put_forward", "kept"}:
                print(_line(each), flush=True)
            everything[each.row.figure].append(each)
    print("\nfigure | intervals | hold the truth | the run's own is the truth | mean width | "
          "mean error, found | mean error, value")  # fmt: skip
    for figure in sorted(everything, key=lambda name: _PLACES.get(name, len(_PLACES))):
        print(_summary(figure, everything[figure]))


def _line(each: Checked) -> str:
    row = each.row
    return (
        f"  {row.figure} {' '.join(row.needs)}: found {row.found}, value {row.value} "
        f"[{row.low}, {row.high}], truth {each.truth} {'' if each.holds else 'X'} "
        f"(false {row.false_links:+d}, missed {row.missed_links:+d})"
    )


def _summary(figure: str, found: list[Checked]) -> str:
    holds = np.mean([each.holds for each in found])
    same = np.mean([each.row.found == each.truth for each in found])
    scale = np.array([max(1, each.truth) for each in found])
    width = np.mean([(each.row.high or 0) - (each.row.low or 0) for each in found] / scale)
    own = np.mean([(each.row.found or 0) - each.truth for each in found] / scale)
    value = np.mean([(each.row.value or 0) - each.truth for each in found] / scale)
    return (
        f"{figure} | {len(found)} | {holds:.2f} | {same:.2f} | {width:.2%} | {own:+.2%} | "
        f"{value:+.2%}"
    )


if __name__ == "__main__":
    typer.run(main)
