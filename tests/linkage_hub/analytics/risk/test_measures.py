"""Measures, held against scikit-learn and by hand; the attack against what it must find."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from linkage_hub.analytics.needs import STATES
from linkage_hub.analytics.risk.attack import Attack, allow, attack
from linkage_hub.analytics.risk.errors import MembershipTold
from linkage_hub.analytics.risk.features import Features, features_of
from linkage_hub.analytics.risk.logistic import fit
from linkage_hub.analytics.risk.measures import (
    Share,
    at_list_size,
    auc,
    calibration,
    group_errors,
    net_benefit,
    overlap,
    share,
)
from linkage_hub.analytics.risk.models import LinearModel
from linkage_hub.analytics.risk.rule import PublicRule

RANDOM = np.random.default_rng(7)
CHANCE = RANDOM.uniform(0.01, 0.4, 20_000)
OUTCOME = RANDOM.random(20_000) < CHANCE


def test_auc_is_scikit_learns() -> None:
    """Ties count a half; where there is nothing to tell apart there is no measure."""
    rounded = CHANCE.round(1)
    assert auc(rounded, OUTCOME) == pytest.approx(roc_auc_score(OUTCOME, rounded), abs=1e-12)
    assert auc(CHANCE[:3], np.zeros(3, dtype=np.bool_)) is None


def test_a_list_has_intervals() -> None:
    """Precision and recall are counts over a list and over all outcomes, by Wilson's interval."""
    found = at_list_size(np.array([0, 1, 2, 3]), np.array([True, False, True, False, True]))
    assert (found.precision.of, found.precision.among) == (2, 4)  # type: ignore[union-attr]
    assert (found.recall.of, found.recall.among) == (2, 3)  # type: ignore[union-attr]
    wilson = share(10, 100)
    assert wilson is not None
    assert (round(wilson.low, 4), round(wilson.high, 4)) == (0.0552, 0.1744)
    assert share(0, 0) is None


def test_calibration_sees_half_and_double() -> None:
    """The right probabilities have 1 and 1; halved risk shows in O/E, too sure in the slope."""
    right = calibration(CHANCE, OUTCOME)
    halved = calibration(CHANCE / 2, OUTCOME)
    odds = np.log(CHANCE / (1 - CHANCE))
    sure = calibration(1 / (1 + np.exp(-2 * odds)), OUTCOME)
    assert right is not None
    assert halved is not None
    assert sure is not None
    assert right.observed_to_expected == pytest.approx(1, abs=0.04)
    assert right.slope == pytest.approx(1, abs=0.06)
    assert halved.observed_to_expected == pytest.approx(2 * right.observed_to_expected)
    assert sure.slope == pytest.approx(right.slope / 2, abs=0.01)
    assert calibration(CHANCE, np.zeros(len(CHANCE), dtype=np.bool_)) is None


def test_net_benefit_is_of_decisions() -> None:
    """Choosing nobody is worth nothing, everybody what the threshold's odds make of it."""
    rate = float(OUTCOME.mean())
    assert net_benefit(CHANCE, OUTCOME, 0.99) == 0
    assert net_benefit(CHANCE, OUTCOME, 0.005) == pytest.approx(rate - (1 - rate) * 0.005 / 0.995)
    assert net_benefit(CHANCE, OUTCOME, 0.2) > net_benefit(np.full(20_000, 0.3), OUTCOME, 0.2)


def test_errors_are_told_by_group() -> None:
    """A group whose members are never listed shows it."""
    group = np.array([0, 0, 0, 1, 1])
    listed = np.array([True, True, False, False, False])
    outcome = np.array([True, False, True, True, False])
    found = group_errors(group, listed, np.full(5, 0.5), outcome)
    assert found[0].found == share(1, 2)
    assert found[0].wrongly == share(1, 1)
    assert found[1].found == share(0, 1)
    assert found[1].observed_to_expected == 1
    assert overlap(np.array([1, 2, 3, 4]), np.array([4, 3, 9, 8])) == 0.5


@given(st.lists(st.tuples(st.integers(0, 3), *(st.booleans(),) * 2, st.floats(0, 1)), max_size=30))
@settings(max_examples=30, deadline=None)
def test_errors_by_group_are_what_counting_gives(
    rows: list[tuple[int, bool, bool, float]],
) -> None:
    """Of every group that is there, also where all or none of it have the outcome or are listed."""
    columns = [np.array(each) for each in zip(*rows, strict=True)] or [np.zeros(0)] * 4
    group, listed, outcome = columns[0].astype(np.int64), *(each == 1 for each in columns[1:3])
    found = group_errors(group, listed, columns[3], outcome)
    assert set(found) == set(group.tolist())
    for number, each in found.items():
        here = group == number
        held, rest = here & outcome, here & ~outcome
        assert (each.families, each.with_outcome) == (here.sum(), held.sum())
        assert each.listed == share(int((here & listed).sum()), int(here.sum()))
        assert each.found == share(int((held & listed).sum()), int(held.sum()))
        assert each.wrongly == share(int((rest & listed).sum()), int(rest.sum()))
        foreseen = float(columns[3][here].sum())
        if each.observed_to_expected is None:
            assert foreseen == 0
        else:
            assert each.observed_to_expected == pytest.approx(held.sum() / foreseen)


def _families(count: int, needs: int, seed: int) -> tuple[Features, np.ndarray]:
    random = np.random.default_rng(seed)
    state = random.integers(0, len(STATES), (count, needs)).astype(np.int8)
    return features_of([f"need-{n}" for n in range(needs)], state), random.random(count) < 0.3


def test_the_attack_finds_what_a_model_remembers() -> None:
    """Sixty numbers learnt from eighty families tell who they were; the rule tells nothing."""
    families, outcome = _families(160, 30, 1)
    tried = attack(families, outcome, fit, np.random.default_rng(2), shadows=32, fresh=8)
    assert tried.auc > 0.7
    with pytest.raises(MembershipTold):
        allow(tried)

    rule = PublicRule(needs=families.needs, outcome_rate=0.3, mean_needs=10).as_model()

    def public(_families: Features, _outcome: np.ndarray) -> LinearModel:
        return rule

    harmless = attack(families, outcome, public, np.random.default_rng(2), shadows=32, fresh=64)
    assert harmless.auc == pytest.approx(0.5, abs=0.02)
    allow(harmless)


def test_a_model_is_held_back_while_too_little_was_tried() -> None:
    """No member found among few proves nothing: the interval's upper end decides."""
    few, many = share(0, 20), share(0, 2_000)
    assert isinstance(few, Share)
    assert isinstance(many, Share)
    assert not Attack(0.5, 0.51, few).holds
    assert Attack(0.5, 0.51, many).holds
    assert not Attack(0.54, 0.56, many).holds
