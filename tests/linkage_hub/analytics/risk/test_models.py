"""The rule, models and their reasons; unknown is never unmet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from governance.canonical import hash_of
from linkage_hub.analytics.needs import MET, STATES, UNKNOWN, UNMET
from linkage_hub.analytics.risk.features import features_of, longest
from linkage_hub.analytics.risk.models import LinearModel, Reason, ranked
from linkage_hub.analytics.risk.rule import PublicRule

NEEDS = ("debt", "offending", "neet")
RULE = PublicRule(needs=NEEDS, weights={"offending": 2}, outcome_rate=0.05, mean_needs=1)
STATE = st.lists(
    st.lists(st.integers(0, len(STATES) - 1), min_size=3, max_size=3), min_size=1, max_size=20
)


def states(rows: list[list[int]]) -> np.ndarray:
    """As the hub keeps them."""
    return np.array(rows, dtype=np.int8).reshape(-1, 3)


@given(STATE)
def test_unknown_is_never_unmet(rows: list[list[int]]) -> None:
    """Each state has columns of its own: what is unknown could not be told from unmet otherwise."""
    state = states(rows)
    found = features_of(NEEDS, state).values
    assert ((found[:, :3] == 1) == (state == MET)).all()
    assert ((found[:, 3:] == 1) == (state == UNKNOWN)).all()
    assert ((found[:, :3] + found[:, 3:] == 0) == (state == UNMET)).all()


@given(STATE)
def test_no_row_is_longer_than_is_said(rows: list[list[int]]) -> None:
    """The bound of a family's row, intercept included, holds whatever its needs are."""
    values = features_of(NEEDS, states(rows)).values
    assert (np.sqrt(1 + (values**2).sum(axis=1)) <= longest(3) + 1e-12).all()


def test_the_rule_counts_needs_by_their_weight() -> None:
    """What is met counts by its weight, what is unknown not at all, and the model ranks alike."""
    families = features_of(NEEDS, states([[MET, MET, UNKNOWN], [UNMET, UNKNOWN, MET], [0, 0, 0]]))
    assert RULE.score(families).tolist() == [3, 1, 0]
    odds = RULE.as_model().log_odds(families)
    assert (np.diff(odds) / np.diff(RULE.score(families))).round(9).tolist() == [0.5, 0.5]


def test_reasons_are_what_a_figure_is_the_sum_of() -> None:
    """Reasons are a family's own columns, largest first, and none that lowers the figure."""
    model = LinearModel(
        kind="logistic", needs=NEEDS, intercept=-3, coefficients=(0.5, 1.5, -0.2, 0.1, 0.3, 0.4)
    )
    families = features_of(NEEDS, states([[MET, MET, MET], [UNKNOWN, UNMET, UNKNOWN]]))
    assert model.reasons(families) == [
        (Reason("offending:met", 1.5), Reason("debt:met", 0.5)),
        (Reason("neet:unknown", 0.4), Reason("debt:unknown", 0.1)),
    ]
    assert model.log_odds(families)[1] == pytest.approx(-3 + 0.4 + 0.1)
    assert model.probability(families)[0] == pytest.approx(1 / (1 + np.exp(1.2)))


def test_a_model_is_named_by_its_bytes() -> None:
    """Another number is another model, and a document that is not whole is refused."""
    one = RULE.as_model()
    other = one.model_copy(update={"intercept": 0.0})
    assert hash_of(one) != hash_of(other)
    assert LinearModel.model_validate_json(one.model_dump_json()) == one
    for fault in ({"coefficients": (1.0,)}, {"intercept": float("nan")}, {"needs": ("debt",) * 3}):
        with pytest.raises(ValidationError):
            LinearModel.model_validate({**one.model_dump(), **fault})
    with pytest.raises(ValidationError, match="a need that is not"):
        PublicRule(needs=NEEDS, weights={"other": 1}, outcome_rate=0.05, mean_needs=1)


def test_families_of_other_needs_are_not_scored() -> None:
    """A model of one agreement's needs says nothing about another's."""
    with pytest.raises(ValueError, match="other needs"):
        RULE.as_model().log_odds(features_of(("debt",), np.zeros((1, 1), dtype=np.int8)))


def test_a_list_is_the_same_however_rows_come() -> None:
    """Ties are broken by pseudonym, not by the order of a file."""
    names = np.array([f"f-{number:02}" for number in range(20)], dtype=object)
    scores = np.array([1.0, 2.0] * 10)
    order = np.random.default_rng(1).permutation(20)
    assert (
        names[ranked(scores, names, 13)].tolist()
        == names[order][ranked(scores[order], names[order], 13)].tolist()
    )
