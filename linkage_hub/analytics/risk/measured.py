"""How good a model is on families of a later time, by three counts with noise (ADR 37).

Rules: what is measured is fixed before anything is counted, and paid for before it is; three whole
numbers are published and everything else follows from them: families of the list who had the
outcome, all who had it, and how many the model expected. With one family more or less each of them
changes by one at most: on the list one family takes another's place, and a probability is at most
one. Intervals hold what noise and chance may have done together.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from governance.agreements.privacy import MICRO
from governance.canonical import Frozen, Hash, Hex128, Slug
from governance.terminal import read_bytes
from linkage_hub.analytics.risk.documents import NotAModel
from linkage_hub.analytics.risk.features import Features
from linkage_hub.analytics.risk.models import LinearModel
from linkage_hub.analytics.risk.private.counts import off_by

SPENT_ON: Final = "measures"
"""What the ledger is told that was paid for."""
DELTA: Final = 1e-12
"""The guarantee has none; the ledger's entry asks for some."""
COUNTS: Final = 3
LEVEL: Final = 0.95
_NEAR: Final = 1e-3  # of a family
_FAR: Final = 12  # standard deviations beyond which chance is not looked at
Bools = NDArray[np.bool_]
Cost = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Figure = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Counts(Frozen):
    """Families, with noise: numbers may be below nought, or more than there are.

    Attributes:
        listed: of the list, those who had the outcome.
        observed: all who had it.
        expected: how many the model said, rounded.
    """

    listed: int
    observed: int
    expected: int


class Interval(Frozen):
    """A measure with its 95 % interval; ``high`` null where noise leaves it open."""

    value: Figure | None
    low: Figure
    high: Figure | None


class Measures(Frozen):
    """``measures.json``: what was published of one model, from one later period.

    Attributes:
        families: that were open to the outcome then and of whom it is known now.
        runs: the earlier and the later run.
        epsilon: paid; ``opendp`` and ``dp_accounting`` what the two say that it costs.
        scale: of the noise of each count. off_by: the most that 95 of 100 counts are off by.
        precision: share of the list who had the outcome.
        capture: share of those who had the outcome who were on the list.
        observed_to_expected: 1 is right; more is a risk that is said too small.
    """

    v: Literal[1] = 1
    model: Hash
    agreement: Hash
    outcome: Slug
    runs: tuple[Hex128, Hex128]
    families: Annotated[int, Field(ge=1)]
    list_size: Annotated[int, Field(ge=1)]
    epsilon: Cost
    opendp: Cost
    dp_accounting: Cost
    scale: Cost
    off_by: Annotated[int, Field(ge=0)]
    counts: Counts
    precision: Interval
    capture: Interval
    observed_to_expected: Interval
    randomness: Literal["OpenDP"] = "OpenDP"


def read_measures(path: Path) -> Measures:
    """What ``linkage-hub risk measure`` has written.

    Raises:
        NotAModel: it is something else.
        FileProblem: it cannot be read.
    """
    try:
        return Measures.model_validate_json(read_bytes(path))
    except ValidationError:
        raise NotAModel(
            f"{path.name}: expected a model's measures", next_step="linkage-hub risk measure"
        ) from None


def counted(model: LinearModel, families: Features, outcome: Bools, size: int) -> Counts:
    """Without noise, and so not for anybody to see.

    Args:
        model: whose list and probabilities they are.
        families: in the order of their pseudonyms, by which equal figures are listed.
        outcome: what became of them, bool (f,).
        size: families on the list.
    """
    listed = np.argsort(-model.log_odds(families), kind="stable")[:size]
    # in whole millionths, or the rounding of the sum could change by two with one family
    expected = int((model.probability(families) * MICRO).round().astype(np.int64).sum())
    return Counts(
        listed=int(outcome[listed].sum()),
        observed=int(outcome.sum()),
        expected=(expected + MICRO // 2) // MICRO,
    )


def measures_of(
    noisy: Counts, families: int, size: int, scale: float
) -> tuple[Interval, Interval, Interval]:
    """Precision, capture, and observed to expected.

    An interval of two counts is made of one of each at half the error, so that both hold together.

    Args:
        noisy: with noise.
        families: how many there are.
        size: of the list.
        scale: of the noise.
    """
    low, high = mean_interval(noisy.listed, scale, size, LEVEL)
    precision = Interval(value=_within(noisy.listed / size), low=low / size, high=high / size)
    both = (1 + LEVEL) / 2
    off = off_by(scale, both)
    seen = mean_interval(noisy.observed, scale, families, both)
    least, most = (max(0, noisy.expected + each) for each in (-off, off))
    ratio = Interval(
        value=max(0, noisy.observed) / noisy.expected if noisy.expected > 0 else None,
        low=seen[0] / most if most else 0.0,
        high=seen[1] / least if least else None,
    )
    return precision, _capture(noisy, families, scale, both), ratio


def _capture(noisy: Counts, families: int, scale: float, level: float) -> Interval:
    off = off_by(scale, level)
    many, few = min(families, max(1, noisy.observed + off)), max(1, noisy.observed - off)
    low = mean_interval(noisy.listed, scale, many, level)[0] / many
    high = mean_interval(noisy.listed, scale, few, level)[1] / few
    value = _within(noisy.listed / noisy.observed) if noisy.observed > 0 else None
    return Interval(value=value, low=min(1.0, low), high=max(high, low))


def mean_interval(noisy: int, scale: float, among: int, level: float) -> tuple[float, float]:
    """Expected counts that a noisy one does not speak against: of ``among``, 0 to ``among``.

    Counts are binomial, noise is discrete Laplace; both ends are where what was seen, or what is
    further off, has half of the error's probability.
    """
    tail = (1 - level) / 2
    return (
        _turning(lambda mean: _at_least(noisy, mean, scale, among) > tail, among),
        _turning(lambda mean: 1 - _at_least(noisy + 1, mean, scale, among) <= tail, among),
    )


def _turning(reached: Callable[[float], bool], among: int) -> float:
    """The least mean, 0 to ``among``, from which on something holds."""
    low, high = 0.0, float(among)
    if reached(low):
        return low
    while high - low > _NEAR:
        middle = (low + high) / 2
        low, high = (low, middle) if reached(middle) else (middle, high)
    return high


def _at_least(least: int, mean: float, scale: float, among: int) -> float:
    """Probability that a binomial count of this mean and its noise are ``least`` or more."""
    from scipy.stats import binom  # noqa: PLC0415 - a second, and only here

    reach = _FAR * np.sqrt(mean + 1) + _FAR
    counts = np.arange(max(0, int(mean - reach)), min(among, int(mean + reach)) + 1)
    wanted = least - counts
    q = np.exp(-1 / scale)
    tails = q ** np.where(wanted > 0, wanted, 1 - wanted) / (1 + q)
    above = np.where(wanted > 0, tails, 1 - tails)
    return float((binom.pmf(counts, among, mean / among) * above).sum())


def _within(share: float) -> float:
    return min(1.0, max(0.0, share))
