"""What errors of linkage do to a run's figures, from draws of the persons that may be (ADR 40).

Nobody knows which links are wrong and which are missing; the run knows of every pair how likely it
is, and its quality table how many errors there are, with intervals. Rules:

- a draw takes a precision and a recall from those intervals (on log odds), undoes as many false
  links and makes as many missed ones as that says, the likeliest errors most often, and builds
  families and needs anew by the run's own code;
- a person is parted as average linkage would part it at another threshold, drawn for the person
  alone: what holds two parts together is the mean over their pairs, however many those are, since
  pairs of the same people err together;
- two persons are joined by what their likeliest pair says, and each of their pairs that says
  nothing counts against it (``SILENT``); nobody is joined to more than one other;
- rulings bind in every draw; a pair that the run never saw is not joined, but counted in how many
  are;
- an interval is that of one more draw (Student's t), since the true persons are one more.

Multiple imputation of linkage (Goldstein, Harron and Wade 2012, Statistics in Medicine 31,
3481-3493); error rates carried into draws, as in Chipperfield and Chambers 2015, Journal of
Official Statistics 31, 397-414.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil, floor
from typing import Final

import numpy as np
from scipy.special import stdtrit

from governance.agreements.models import Action, Agreement
from governance.exchange.analysis_api import EffectRow, LinkageEffects
from governance.exchange.hub_api import QualityTable, Share3
from linkage_hub.analytics.evidence import Weighed, offsets_of
from linkage_hub.analytics.exports import KeptQuality
from linkage_hub.analytics.linkage_figures import Bools, Figures, Name, Terms, counts_of
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.clustering import Graph, clusters, connected_components
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.quality.intervals import TAIL, Z
from linkage_hub.quality.pairs import joined_and_parted
from linkage_hub.runs.inputs import SourceData
from linkage_hub.runs.pipeline import Results

DRAWS: Final = 8
SILENT: Final = 0.8
"""What each pair of two persons' records that shows no likeness leaves of the probability that the
two are one. Chosen on one county with truth, held on others (docs/estimates.md)."""
ALLOWANCE: Final[Mapping[str, float]] = {
    "families": 0.015,
    "in_programme": 0.025,
    "need": 0.006,
    "needs_together": 0.005,
}
"""Standard deviation, as a share of the run's own figure, for links that no comparison came near:
on counties with truth they make families of their own, so that more families than there are have a
need and fewer have two, and draws do not take that back (docs/estimates.md)."""
_SEED: Final = 20261129  # the same run, the same figures
_LEAST: Final = 1e-6  # a probability is not taken to be nearer to 0 or 1 than this
_STEPS: Final = 40  # of the bisection of a shift in log odds
_WIDEST: Final = 20.0  # log odds
UNMEASURED: Final = 0.55
"""Standard deviation of the log odds of precision and recall where nothing measured them: what the
quality table allows for sentinels being no real people (``quality.calibrate``)."""
Progress = Callable[[float, str], None]


def run_effects(
    results: Results,
    agreement: Agreement,
    ruled: PairAnswers,
    table: QualityTable | None,
    day: date,
    progress: Progress,
) -> LinkageEffects | None:
    """What errors of linkage do to a run's figures; None where the agreement names no analysis.

    Args:
        results: of the run.
        agreement: of the run.
        ruled: rulings, by the numbers of the results' records.
        table: the run's quality, where it was measured.
        day: of the run.
        progress: told the share done, 0 to 1.
    """
    if Action.ANALYSE not in agreement.actions:
        return None
    first = next(iter(table.rows), None) if table is not None else None
    quality = None
    if first is not None and first.predicted_precision and first.predicted_recall:
        quality = first.predicted_precision, first.predicted_recall
    hardening = agreement.encoding.hardening
    terms = Terms(
        tuple(sorted(indicator.id for indicator in agreement.indicators)),
        tuple(sorted(agreement.needs)),
        agreement.minimum_needs,
        12 * day.year + day.month - 1,
        None if hardening is None else hardening.k,
        agreement.suppression_threshold,
    )
    shown = counts_of(results.linked.persons, results.families.count, results.needs)
    return linkage_effects(
        results.sources, results.linked, ruled, quality, terms, shown=shown, progress=progress
    )


def with_effects(table: QualityTable | None, effects: LinkageEffects | None) -> KeptQuality | None:
    """What is kept of a run's quality; without rows where nothing measured it."""
    if table is None and effects is None:
        return None
    return KeptQuality(rows=() if table is None else table.rows, effects=effects)


def linkage_effects(
    sources: Sequence[SourceData],
    linked: LinkResult,
    ruled: PairAnswers,
    quality: tuple[Share3, Share3] | None,
    terms: Terms,
    *,
    shown: Mapping[Name, int] | None = None,
    draws: int = DRAWS,
    progress: Progress = lambda _share, _words: None,
) -> LinkageEffects | None:
    """Figures of a run without errors of linkage, with intervals; None of a run without pairs.

    Args:
        sources: in the order of ``linked``.
        linked: persons.
        ruled: rulings, by the numbers of ``linked``.
        quality: precision and recall of pairs of records as measured; the run's own estimates,
            with wide intervals, when None.
        terms: what families and needs are made by.
        shown: the run's figures where they are others than ``Figures`` has, which looks for fewer
            people whom records name; draws then say what changes.
        draws: how many, 2 or more.
        progress: told the share done, 0 to 1.
    """
    persons = Persons.of(linked, ruled)
    if persons is None:
        return None
    precision, recall = quality or tuple(
        _unmeasured(share) for share in (linked.estimate.precision, linked.estimate.recall)
    )
    figures = Figures(sources, terms)
    own = figures.of(persons.label)
    of_run = own.counts if shown is None else shown
    moved = {name: of_run[name] - count for name, count in own.counts.items()}
    random = np.random.default_rng(_SEED)
    parted, both = [], []
    for at in range(draws):
        progress(at / draws, "what errors of linkage do")
        right, found = _drawn(random, precision), _drawn(random, recall)
        parts = persons.parted(random, right)
        if at % 2 == 0:  # half of them tell the two kinds of error apart well enough
            parted.append(figures.of(parts, own))
        both.append(figures.of(persons.joined(random, parts, right, found), own))
    rows = tuple(
        _row(
            name,
            own.counts[name] + more,
            np.array([each.counts[name] + more for each in parted], dtype=np.float64),
            np.array([each.counts[name] + more for each in both], dtype=np.float64),
            terms.threshold,
        )
        for name, more in moved.items()
    )
    return LinkageEffects(draws=draws, precision=precision, recall=recall, rows=rows)


def _unmeasured(share: float) -> Share3:
    middle = float(_log_odds(np.array([share]))[0])
    low, value, high = (
        round(float(_probability(np.array(middle + step * Z * UNMEASURED))), 4)
        for step in (-1, 0, 1)
    )
    return Share3(value=value, low=low, high=high)


def _drawn(random: np.random.Generator, share: Share3) -> float:
    """A share from its interval: by the lower half, since the upper end may be 1."""
    value, low = _log_odds(np.array([share.value, share.low]))
    return float(_probability(np.array(random.normal(value, (value - low) / Z))))


def _log_odds(probability: Floats) -> Floats:
    kept = np.clip(probability, _LEAST, 1.0 - _LEAST)
    found: Floats = np.log(kept / (1.0 - kept))
    return found


def _probability(log_odds: Floats) -> Floats:
    found: Floats = 1.0 / (1.0 + np.exp(-np.clip(log_odds, -_WIDEST * 2, _WIDEST * 2)))
    return found


def shifted(probability: Floats, weight: Floats, total: float) -> Floats:
    """Probabilities moved by one step of log odds, so that their weighted sum is ``total``.

    As near as can be where no step gives it.
    """
    odds = _log_odds(probability)
    low, high = -_WIDEST, _WIDEST
    for _ in range(_STEPS):
        middle = (low + high) / 2.0
        if float((_probability(odds + middle) * weight).sum()) < total:
            low = middle
        else:
            high = middle
    return _probability(odds + (low + high) / 2.0)


@dataclass(frozen=True, slots=True)
class Persons:
    """A run's persons, ready to be parted and joined.

    Attributes:
        label: person of each record, int64 (n,).
        left, right, probability: of every two records of one person.
        bound: of them, those that a ruling holds together, bool.
        one, other, likely, pairs: of every two persons that some pair ties: a record of each, how
            likely they are one, and how many pairs of records that would join.
    """

    label: Indices
    left: Indices
    right: Indices
    probability: Floats
    bound: Bools
    one: Indices
    other: Indices
    likely: Floats
    pairs: Floats

    @classmethod
    def of(cls, linked: LinkResult, ruled: PairAnswers) -> "Persons | None":
        """Of a run; None where no person has two records."""
        offsets = offsets_of(linked)
        label = np.concatenate([np.empty(0, dtype=np.int64), *linked.person_of]).astype(np.int64)
        if not len(label):
            return None
        joined, _ = joined_and_parted(label, offsets, linked.pairs)
        if not len(joined):
            return None
        records = len(label)
        low, high = ruled.joined(offsets)
        key = np.minimum(joined.left, joined.right) * records + np.maximum(
            joined.left, joined.right
        )
        bound = np.isin(key, (low * records + high)[ruled.yes])
        apart = np.column_stack([label[low], label[high]])[~ruled.yes]
        return cls(label, joined.left, joined.right, joined.probability, bound,
                   *_ties(label, Weighed.of(linked), apart))  # fmt: skip

    def parted(self, random: np.random.Generator, precision: float) -> Indices:
        """Part of each record, int64 (n,): persons without as many false links as expected."""
        free = ~self.bound
        chance = np.ones(len(self.left))  # what is ruled is nearest, and joined before all else
        total = precision * len(self.left) - float(self.bound.sum())
        chance[free] = shifted(self.probability[free], np.ones(int(free.sum())), total)
        level = random.random(int(self.label.max()) + 1)[self.label[self.left]]
        group = np.zeros(len(self.label), dtype=np.int64)
        graph = Graph(group, self.left, self.right, chance - level, np.zeros((1, 1)))
        return clusters(graph).label

    def joined(
        self, random: np.random.Generator, part: Indices, precision: float, recall: float
    ) -> Indices:
        """Person of each record, int64 (n,): parts with as many missed links as expected."""
        missed = len(self.left) * precision * (1.0 - recall) / max(recall, _LEAST)
        chance = shifted(self.likely, self.pairs, missed)
        drawn = np.flatnonzero(random.random(len(chance)) < chance)
        drawn = drawn[random.permutation(len(drawn))]
        ends = np.column_stack([self.label[self.one[drawn]], self.label[self.other[drawn]]])
        drawn = drawn[_first_of_both(ends)]
        return connected_components(
            part[self.one[drawn]], part[self.other[drawn]], int(part.max()) + 1
        )[part]


def _first_of_both(ends: Indices) -> Bools:
    """Rows whose two persons are in no earlier row, bool (k,)."""
    _, first = np.unique(ends.ravel(), return_index=True)
    fresh = np.zeros(ends.size, dtype=np.bool_)
    fresh[first] = True
    return np.asarray(fresh.reshape(-1, 2).all(axis=1))


def _ties(
    label: Indices, pairs: Weighed, apart: Indices
) -> tuple[Indices, Indices, Floats, Floats]:
    """Every two persons that a weighed pair ties and no ruling keeps apart; see ``Persons``."""
    persons = int(label.max()) + 1
    ends = np.sort(np.column_stack([label[pairs.left], label[pairs.right]]), axis=1)
    between = np.flatnonzero(ends[:, 0] != ends[:, 1])
    code = ends[between, 0] * persons + ends[between, 1]
    ruled = np.sort(apart, axis=1)
    free = ~np.isin(code, ruled[:, 0] * persons + ruled[:, 1])
    between, code = between[free], code[free]
    probability = pairs.probability[between]
    order = np.lexsort((between, -probability, code))
    key, first, place = np.unique(code[order], return_index=True, return_inverse=True)
    best = between[order[first]]
    size = np.bincount(label)
    among = size[key // persons].astype(np.float64) * size[key % persons]
    total = np.bincount(place, probability[order], minlength=len(key))
    strongest = pairs.probability[best]
    silent = np.maximum(0.0, among - total / np.maximum(strongest, _LEAST))
    return pairs.left[best], pairs.right[best], strongest * SILENT**silent, among


def _row(name: Name, found: int, half: Floats, after: Floats, threshold: int) -> EffectRow:
    """A figure as the run has it, without false links in every other draw, without either."""
    value, low, high = interval(after, found, ALLOWANCE.get(name[0], 0.0))
    if min(found, value) <= threshold and name[0] not in {"persons", "families"}:
        return EffectRow(figure=name[0], needs=name[1], found=None, value=None, low=None,
                         high=None, false_links=None, missed_links=None)  # fmt: skip
    return EffectRow(
        figure=name[0],
        needs=name[1],
        found=found,
        value=value,
        low=low,
        high=min(high, found) if name[0] == "kept" else high,
        false_links=round(float(half.mean()) - found),
        missed_links=round(float((after[::2] - half).mean())),
    )


def interval(drawn: Floats, found: int, allowance: float = 0.0) -> tuple[int, int, int]:
    """Mean and 95 % interval of one more draw, outward to whole numbers.

    Where hardly any draw differs from the run the variance is that of a rare count, half a change
    more than were seen among all draws.

    Args:
        drawn: the figure in each draw.
        found: the run's own.
        allowance: standard deviation of what draws do not show, as a share of the run's own.
    """
    count, middle = len(drawn), float(drawn.mean())
    rare = (float(np.abs(drawn - found).sum()) + 0.5) / count
    variance = max(float(drawn.var(ddof=1)), rare) * (1.0 + 1.0 / count)
    spread = (variance + (allowance * found) ** 2) ** 0.5
    half = float(stdtrit(count - 1, 1.0 - TAIL)) * spread
    return max(0, round(middle)), max(0, floor(middle - half)), max(0, ceil(middle + half))
