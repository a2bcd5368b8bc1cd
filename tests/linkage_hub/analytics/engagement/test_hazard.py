"""The model in discrete time: what months count for, what it gives, what a family can move."""

from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from linkage_hub.analytics.engagement.hazard import (
    BANDS,
    HazardModel,
    ProgressRule,
    exposure,
    fit,
    hazard_of,
)
from linkage_hub.analytics.engagement.spells import Spells, Times
from linkage_hub.analytics.needs import MET
from linkage_hub.analytics.outcomes.months import NEVER
from linkage_hub.analytics.risk.features import features_of
from linkage_hub.analytics.risk.models import log_odds_of

NEEDS = ("one", "two", "three")
RULE = ProgressRule(needs=NEEDS, chance_in_a_year=0.4, mean_needs=1, mean_unknown=0.4)
private = pytest.mark.skipif(find_spec("opacus") is None, reason="make dp installs it")


def spells(families: int, seed: int = 1) -> Spells:
    """Families whose log odds in a month are -2.5 less .6 and .2 for the first two needs."""
    random = np.random.default_rng(seed)
    state = random.choice(3, (families, 3), p=(0.2, 0.4, 0.4)).astype(np.int8)
    state[:, 2] = MET
    odds = -2.5 - (state[:, :2] == MET) @ np.array([0.6, 0.2])
    came = random.geometric(1 / (1 + np.exp(-odds)))
    last = random.integers(1, 30, families)
    event = came <= last
    joined = np.full(families, 24_000)
    return Spells(
        np.array([f"f-{at:032x}" for at in range(families)], dtype=object),
        np.full(families, "", dtype=object), joined, joined, joined + last,
        np.where(event, joined + came, NEVER), NEEDS, state,
    )  # fmt: skip


def test_months_count_where_they_are() -> None:
    """Months 3 to 6 of a family that came late; progress belongs to the band of its month."""
    found = Times(np.array([0, 2, 0]), np.array([14, 6, 3]), np.array([True, False, True]))
    months, events = exposure(found)
    assert months.tolist() == [[3, 3, 6, 2, 0], [1, 3, 0, 0, 0], [3, 0, 0, 0, 0]]
    assert events.tolist() == [[0, 0, 0, 1, 0], [0, 0, 0, 0, 0], [1, 0, 0, 0, 0]]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), min_size=1))
def test_every_month_counts_once(rows: list[tuple[int, int, bool]]) -> None:
    """Months at risk are those between; progress is in one band, where a family is at risk."""
    entry, more, event = (np.array(column) for column in zip(*rows, strict=True))
    months, events = exposure(Times(entry, entry + more, event & (more > 0)))
    assert months.sum(axis=1).tolist() == more.tolist()
    assert events.sum(axis=1).tolist() == (event & (more > 0)).tolist()
    assert (months >= events).all()


def test_the_rule_gives_what_is_declared() -> None:
    """A family with as many needs as the mean has the declared chance in a year."""
    model = RULE.as_model()
    one = features_of(NEEDS, np.array([[2, 1, 1], [2, 0, 1], [2, 2, 1]], dtype=np.int8))
    chances = model.chance(one, 12)
    assert chances[0] == pytest.approx(0.4, abs=1e-5)
    assert chances[1] == chances[0]  # unknown is not met
    assert chances[2] < chances[0]
    assert model.chance(one, 6)[0] == pytest.approx(1 - 0.6**0.5, abs=1e-5)


def test_levels_hold_for_their_months() -> None:
    """Survival over bands is the product of what each of its months leaves."""
    hazards = np.array([0.1, 0.2, 0.05, 0.02, 0.01])
    levels = np.array([log_odds_of(each) for each in hazards])
    model = hazard_of("hazard", NEEDS, levels, np.zeros(6))
    nobody = features_of(NEEDS, np.ones((1, 3), dtype=np.int8))
    assert BANDS == (3, 6, 12, 18)
    expected = 0.9**3 * 0.8**3 * 0.95**6 * 0.98**6 * 0.99**2
    assert model.still(nobody, 20)[0] == pytest.approx(expected, abs=1e-5)


def test_it_learns_what_is_there() -> None:
    """Twenty thousand families: the numbers that they were drawn with, unknown near nothing."""
    model = fit(spells(20_000))
    met = dict(zip(NEEDS, model.coefficients[:3], strict=True))
    assert met["one"] == pytest.approx(-0.6, abs=0.06)
    assert met["two"] == pytest.approx(-0.2, abs=0.06)
    assert model.coefficients[3] == pytest.approx(0, abs=0.08)


def test_reasons_are_parts_of_the_sum() -> None:
    """What makes progress likelier than the average family's needs do, and nothing else."""
    model = hazard_of("hazard", NEEDS, np.full(5, -2.0), np.array([-1, -0.5, 0, 0.2, 0, 0]))
    families = features_of(NEEDS, np.array([[2, 2, 1], [1, 2, 1], [0, 1, 1]], dtype=np.int8))
    first, second, third = model.reasons(families)
    assert first == ()
    assert [each.column for each in second] == ["one:unmet"]
    assert [each.column for each in third] == ["one:unknown", "two:unmet"]
    assert third[1].adds == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "wrong", [{"needs": ["one", "one"]}, {"coefficients": [0, 1]}, {"levels": [0] * 4}]
)
def test_a_model_that_is_not_whole_is_none(wrong: dict[str, object]) -> None:
    """A need twice, numbers or levels missing."""
    whole = RULE.as_model().model_dump()
    with pytest.raises(ValueError, match=next(iter(wrong))):
        HazardModel.model_validate(whole | wrong)


@private
def test_a_family_moves_no_more_than_the_clip() -> None:
    """All rows of a family together: one that was watched for ever pulls as far as any can."""
    import torch  # noqa: PLC0415 - where it is installed

    from linkage_hub.analytics.risk.private.training import (  # noqa: PLC0415
        CLIP,
        STEPS,
        Metric,
        descend,
    )

    class Silence:
        """No noise."""

        def normal(self, count: int) -> np.ndarray:
            """Noughts."""
            return np.zeros(count)

    rows = torch.ones((1, 5, 4), dtype=torch.float64)
    flat = Metric(np.ones(4), np.zeros(4))
    found = descend(rows, lambda odds: 1e6 * odds.sum(), np.zeros(4), flat, 1.0, CLIP, Silence())
    steps = (np.arange(STEPS // 2, STEPS) + 1).mean()
    assert np.linalg.norm(found) == pytest.approx(steps * 8 / STEPS * CLIP, rel=1e-3)


@private
def test_a_private_model_is_nearly_as_good() -> None:
    """At epsilon 1 with 10,000 families."""
    from linkage_hub.analytics.risk.private.hazard import train_hazard  # noqa: PLC0415
    from linkage_hub.analytics.risk.private.randomness import SeededRandomness  # noqa: PLC0415
    from linkage_hub.analytics.risk.private.training import Guarantee  # noqa: PLC0415

    found = spells(10_000)
    model, noise, cost = train_hazard(found, RULE, Guarantee(1, 1e-6), SeededRandomness(4))
    assert model.kind == "private-hazard"
    assert noise > 1
    assert cost.epsilon <= 1
    beside = fit(found)
    for months in (6, 12):
        difference = model.chance(found.features, months) - beside.chance(found.features, months)
        assert np.abs(difference).max() < 0.05


@private
def test_needs_that_are_nearly_always_unknown_do_not_lead_astray() -> None:
    """Nine needs, each unknown of nine families in ten: the level is not learnt four times."""
    from linkage_hub.analytics.risk.private.hazard import train_hazard  # noqa: PLC0415
    from linkage_hub.analytics.risk.private.randomness import SeededRandomness  # noqa: PLC0415
    from linkage_hub.analytics.risk.private.training import Guarantee  # noqa: PLC0415

    needs = tuple(f"need-{at}" for at in range(9))
    random = np.random.default_rng(3)
    state = random.choice(3, (5_000, 9), p=(0.9, 0.04, 0.06)).astype(np.int8)
    came = random.geometric(1 / (1 + np.exp(3 + 0.2 * (state == MET).sum(axis=1))))
    none = np.full(5_000, "", dtype=object)
    joined = np.full(5_000, 24_000)
    found = Spells(
        none, none, joined, joined, joined + 24,
        np.where(came <= 24, joined + came, NEVER), needs, state,
    )  # fmt: skip

    def by_a_year(mean_unknown: float) -> float:
        rule = ProgressRule(
            needs=needs, chance_in_a_year=0.4, mean_needs=0.5, mean_unknown=mean_unknown
        )
        model, _, _ = train_hazard(found, rule, Guarantee(3, 1e-6), SeededRandomness(1))
        return float(model.chance(found.features, 12).mean())

    assert by_a_year(8.1) == pytest.approx((came <= 12).mean(), abs=0.02)
    assert by_a_year(0) < (came <= 12).mean() - 0.05
