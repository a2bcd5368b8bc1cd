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
from itertools import combinations, pairwise
from math import ceil, floor
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from governance.agreements.models import Action, Agreement
from governance.exchange.hub_api import (
    Effected,
    EffectRow,
    LinkageEffects,
    QualityTable,
    Share3,
)
from linkage_hub.analytics.evidence import Weighed, offsets_of
from linkage_hub.analytics.needs import MET, Assessments, assess
from linkage_hub.families.build import build_families
from linkage_hub.families.columns import OPEN, Evidence
from linkage_hub.families.reading import read_evidence, with_persons
from linkage_hub.families.result import FamilyResult
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.candidates import Floats, Indices
from linkage_hub.linkage.clustering import Graph, clusters, connected_components
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.quality.intervals import TAIL, Z
from linkage_hub.quality.pairs import joined_and_parted
from linkage_hub.runs.indicators import SaidOfPersons, said_of_families, said_of_persons
from linkage_hub.runs.inputs import SourceData
from linkage_hub.runs.pipeline import Results

DRAWS: Final = 8
SILENT: Final = 0.8
"""What each pair of two persons' records that shows no likeness leaves of the probability that the
two are one. Chosen on one county with truth, held on others (docs/estimates.md)."""
_SEED: Final = 20261129  # the same run, the same figures
_LEAST: Final = 1e-6  # a probability is not taken to be nearer to 0 or 1 than this
_STEPS: Final = 40  # of the bisection of a shift in log odds
_WIDEST: Final = 20.0  # log odds
UNMEASURED: Final = 0.55
"""Standard deviation of the log odds of precision and recall where nothing measured them: what the
quality table allows for sentinels being no real people (``quality.calibrate``)."""
Name = tuple[Effected, tuple[str, ...]]
Bools = NDArray[np.bool_]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Terms:
    """What a run's families and needs are made by.

    Attributes:
        indicators: ids of all that the agreement has.
        needs: those of them that are needs, sorted.
        minimum: how many needs put a family forward.
        month: of the run, ``12 * year + (month - 1)``.
        hardening: k of profile ``hardened``; None for ``clk``.
        threshold: largest count that is not shown.
    """

    indicators: tuple[str, ...]
    needs: tuple[str, ...]
    minimum: int
    month: int
    hardening: int | None
    threshold: int


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
    return linkage_effects(
        results.sources, results.linked, ruled, quality, terms, progress=progress
    )


def with_effects(table: QualityTable | None, effects: LinkageEffects | None) -> QualityTable | None:
    """A run's quality with its effects; without rows where nothing measured it."""
    if effects is None:
        return table
    whole = QualityTable(rows=()) if table is None else table
    return whole.model_copy(update={"effects": effects})


def linkage_effects(
    sources: Sequence[SourceData],
    linked: LinkResult,
    ruled: PairAnswers,
    quality: tuple[Share3, Share3] | None,
    terms: Terms,
    *,
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
    random = np.random.default_rng(_SEED)
    parted, both = [], []
    for at in range(draws):
        progress(at / draws, "what errors of linkage do")
        right, found = _drawn(random, precision), _drawn(random, recall)
        parts = persons.parted(random, right)
        parted.append(figures.of(parts, own))
        both.append(figures.of(persons.joined(random, parts, right, found), own))
    rows = tuple(
        _row(name, own, [each.counts for each in parted], [each.counts for each in both],
             terms.threshold)
        for name in own.counts
    )  # fmt: skip
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
        chance = np.ones(len(self.left))
        total = precision * len(self.left) - float(self.bound.sum())
        chance[free] = shifted(self.probability[free], np.ones(int(free.sum())), total)
        level = random.random(int(self.label.max()) + 1)[self.label[self.left]]
        together = np.column_stack([self.left, self.right])[self.bound]
        group = np.zeros(len(self.label), dtype=np.int64)
        graph = Graph(group, self.left, self.right, chance - level, np.zeros((1, 1)), together)
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


@dataclass(frozen=True)
class Counted:
    """Figures of one set of persons, and the family of each record that is put forward."""

    counts: dict[Name, int]
    family: Indices
    flagged: Bools


class Figures:
    """Families, needs and counts of any persons over the same records."""

    def __init__(self, sources: Sequence[SourceData], terms: Terms) -> None:
        ends = np.cumsum([0, *(len(source.handles) for source in sources)])
        records = [np.arange(low, high) for low, high in pairwise(ends)]
        tables = [source.table for source in sources]
        self._terms = terms
        self._evidence: Evidence = read_evidence(tables, records, int(ends[-1]), terms.hardening)
        self._said: SaidOfPersons = said_of_persons(sources, records, terms.indicators)

    def of(self, label: Indices, own: Counted | None = None) -> Counted:
        """Counts of these persons.

        Args:
            label: person of each record, int64 (n,).
            own: the run's, whose families put forward are looked for.
        """
        evidence = with_persons(self._evidence, label, int(label.max()) + 1)
        found = build_families(evidence, mention_budget=0)
        members = found.members
        said = said_of_families(
            self._said._replace(person=label[self._said.person]),
            self._terms.indicators, members.family, members.person,
        )  # fmt: skip
        assessed = assess(
            said, self._terms.needs, self._terms.minimum, _resident(found, self._terms.month)
        )
        family = found.family_of[label]
        counts: dict[Name, int] = {
            ("persons", ()): evidence.persons,
            ("families", ()): found.count,
            ("put_forward", ()): int(assessed.flagged.sum()),
        }
        counts["kept", ()] = (
            counts["put_forward", ()] if own is None else _kept(own, family, assessed)
        )
        counts["in_programme", ()] = int(assessed.in_programme.sum())
        return Counted(counts | _needs(assessed), family, assessed.flagged)


def _resident(found: FamilyResult, month: int) -> Bools:
    """As ``FamilyTables.resident``."""
    family, last = found.addresses.family, found.addresses.last_month
    known, holds = np.zeros((2, found.count), dtype=np.bool_)
    known[family] = True
    holds[family[(last == OPEN) | (last >= month)]] = True
    return np.asarray(~known | holds)


def _kept(own: Counted, family: Indices, assessed: Assessments) -> int:
    """Families put forward whose records are, most of them, in a family that is here too."""
    once, count = np.unique(
        np.column_stack([own.family, family])[own.flagged[own.family]], axis=0, return_counts=True
    )
    order = np.lexsort((once[:, 1], -count, once[:, 0]))
    once = once[order]
    head = np.append(True, np.diff(once[:, 0]) > 0)[: len(once)]
    return int(assessed.flagged[once[head, 1]].sum())


def _needs(assessed: Assessments) -> dict[Name, int]:
    met = assessed.state == MET
    both = met.T.astype(np.int64) @ met.astype(np.int64)
    needs = assessed.needs
    single: dict[Name, int] = {
        ("need", (need,)): int(both[at, at]) for at, need in enumerate(needs)
    }
    together: dict[Name, int] = {
        ("needs_together", (needs[one], needs[other])): int(both[one, other])
        for one, other in combinations(range(len(needs)), 2)
    }
    return single | together


def _row(
    name: Name,
    own: Counted,
    parted: Sequence[Mapping[Name, int]],
    both: Sequence[Mapping[Name, int]],
    threshold: int,
) -> EffectRow:
    found = own.counts[name]
    after = np.array([each[name] for each in both], dtype=np.float64)
    half = np.array([each[name] for each in parted], dtype=np.float64)
    value, low, high = interval(after, found)
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
        missed_links=round(float((after - half).mean())),
    )


def interval(drawn: Floats, found: int) -> tuple[int, int, int]:
    """Mean and 95 % interval of one more draw, outward to whole numbers.

    Where hardly any draw differs from the run the variance is that of a rare count, half a change
    more than were seen among all draws.
    """
    count, middle = len(drawn), float(drawn.mean())
    rare = (float(np.abs(drawn - found).sum()) + 0.5) / count
    spread = (max(float(drawn.var(ddof=1)), rare) * (1.0 + 1.0 / count)) ** 0.5
    half = float(stdtrit(count - 1, 1.0 - TAIL)) * spread
    return round(middle), max(0, floor(middle - half)), ceil(middle + half)
