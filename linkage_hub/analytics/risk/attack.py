"""Does a model tell who was among the families that it learnt from?

Rules: the attack is the likelihood-ratio attack (LiRA, Carlini et al. 2022, online): many models
are trained on random halves; for each family with the outcome, the log odds of models that saw it
and of those that did not are two normal distributions, and a fresh model's log odds are held
against both. The attacker knows everything but membership, which is more than anybody will. A model
without privacy is given out only where the attack is no better than issue E's bounds allow, at the
upper end of what so many trials can tell. Trials on one fresh model are not independent, since all
its targets share its noise: intervals draw whole models again, and are never narrower than those of
independent trials.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from linkage_hub.analytics.risk.errors import MembershipTold
from linkage_hub.analytics.risk.features import Features, Floats
from linkage_hub.analytics.risk.measures import Share, auc, share
from linkage_hub.analytics.risk.models import LinearModel

MOST_AUC: Final = 0.55
MOST_TRUE_POSITIVES: Final = 0.02
"""At ``FALSE_POSITIVES``."""
FALSE_POSITIVES: Final = 0.01
_SPREAD_LEAST: Final = 1e-3  # of log odds: models that never differ tell nothing
_DRAWS: Final = 200
_TAILS: Final = (0.025, 0.975)

Bools = NDArray[np.bool_]
Fit = Callable[[Features, Bools], LinearModel]


@dataclass(frozen=True, slots=True)
class Attack:
    """How an attack went, over all pairs of a target and a fresh model.

    Attributes:
        auc: of telling members from others; a half is guessing.
        auc_high: upper end of its interval of 95 %.
        true_positives: members found where one other in a hundred is taken for one.
    """

    auc: float
    auc_high: float
    true_positives: Share

    @property
    def holds(self) -> bool:
        """Whether a model may be given out: no better than the bounds, interval included."""
        return self.auc_high <= MOST_AUC and self.true_positives.high <= MOST_TRUE_POSITIVES


def attack(
    families: Features,
    outcome: Bools,
    fit: Fit,
    random: np.random.Generator,
    *,
    shadows: int = 64,
    fresh: int = 16,
) -> Attack:
    """Attack a way of training.

    Args:
        families: half of them are each model's.
        outcome: of each, bool (f,); those with it are targets.
        fit: trains a model.
        random: which halves.
        shadows: models that the attacker trains.
        fresh: models that are attacked.
    """
    targets = families.rows(outcome)

    def told(seen: Bools) -> Floats:
        return fit(families.rows(seen), outcome[seen]).log_odds(targets)

    return attacked(outcome, told, random, shadows=shadows, fresh=fresh)


def attacked(
    target: Bools,
    tell: Callable[[Bools], Floats],
    random: np.random.Generator,
    *,
    shadows: int = 64,
    fresh: int = 16,
) -> Attack:
    """Attack anything that is learnt from families.

    Args:
        target: which families are targets, bool (f,).
        tell: of a half of the families, bool (f,), what is learnt from it says of each target,
            float64 (t,): the log odds of what became of it, or how likely that was.
        random: which halves.
        shadows: times that the attacker learns.
        fresh: times that are attacked.
    """
    seen = random.random((shadows + fresh, len(target))) < 0.5  # noqa: PLR2004
    told = np.array([tell(half) for half in seen])
    member = seen[:, target]
    scores = _ratios(told[:shadows], member[:shadows], told[shadows:])
    return _judged(scores, member[shadows:], random)


def allow(tried: Attack) -> None:
    """Let a model without privacy be given out.

    Raises:
        MembershipTold: the attack did better than the bounds.
    """
    if not tried.holds:
        raise MembershipTold(
            "the model tells who was among the families that it learnt from: "
            f"expected an attack of AUC {MOST_AUC} and {MOST_TRUE_POSITIVES:.0%} at most",
            next_step="train with privacy, or use the rule alone",
        )


def _ratios(told: Floats, member: Bools, fresh: Floats) -> Floats:
    """Log likelihood ratio of membership, of each fresh model and target."""
    inside, outside = (_normal(told, chosen) for chosen in (member, ~member))
    return np.asarray(norm.logpdf(fresh, *inside) - norm.logpdf(fresh, *outside))


def _normal(told: Floats, chosen: Bools) -> tuple[Floats, Floats]:
    """Mean of each target's log odds, and their common spread: few models make a poor own one."""
    count = np.maximum(chosen.sum(axis=0), 1)
    mean = np.where(chosen, told, 0).sum(axis=0) / count
    spread = np.sqrt(np.where(chosen, (told - mean) ** 2, 0).sum() / count.sum())
    return mean, np.maximum(spread, _SPREAD_LEAST)


def _judged(scores: Floats, member: Bools, random: np.random.Generator) -> Attack:
    """Over all pairs, with intervals over fresh models, the rows of both."""
    area, found, of = _told(scores, member)
    plain = share(found, of)
    if plain is None or area is None:
        raise ValueError("expected targets of both kinds: more families or more fresh models")
    drawn = [
        _told(scores[rows], member[rows])
        for rows in random.integers(0, len(scores), (_DRAWS, len(scores)))
    ]
    areas = [one for one, _, _ in drawn if one is not None]
    low, high = np.quantile([hit / among for _, hit, among in drawn if among], _TAILS)
    return Attack(
        area,
        float(np.quantile(areas, _TAILS[1])),
        Share(found, of, min(plain.low, float(low)), max(plain.high, float(high))),
    )


def _told(scores: Floats, member: Bools) -> tuple[float | None, int, int]:
    """AUC; members over the limit that ``FALSE_POSITIVES`` of the others are over; all members."""
    scores, member = scores.reshape(-1), member.reshape(-1)
    if member.all():
        return None, 0, 0
    limit = np.quantile(scores[~member], 1 - FALSE_POSITIVES)
    return auc(scores, member), int((scores[member] > limit).sum()), int(member.sum())
