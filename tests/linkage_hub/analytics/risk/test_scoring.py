"""Where a model's order has a family: a place, or why it has none."""

from typing import Final

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from governance.agreements.models import IN_PROGRAMME, Agreement
from governance.exchange.risk_api import NotRanked
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.risk.desk import lines_of
from linkage_hub.analytics.risk.documents import ModelDocument, Privacy
from linkage_hub.analytics.risk.models import LinearModel
from linkage_hub.analytics.risk.scoring import BANDS, band_of, order_of, shares_above
from tests.governance.world import World, agreement_data

NEEDS: Final = ("offence", "debt", "neet")
MODEL: Final = "sha256:" + "1" * 64


def terms(minimum: int = 2) -> Agreement:
    """An agreement with three needs."""
    world = World()
    data = agreement_data(world.partners) | {"minimum_needs": minimum}
    data["indicators"] = [data["indicators"][0] | {"id": need} for need in NEEDS]
    data["sources"][0]["indicators"] = list(NEEDS)
    return Agreement.model_validate(data)


TERMS: Final = terms()


def document(*weights: float, outcome: str = IN_PROGRAMME) -> ModelDocument:
    """A model with these weights, of needs met and then unknown."""
    return ModelDocument(
        model=LinearModel(
            kind="private-logistic", needs=NEEDS, intercept=-2, coefficients=weights
        ),
        agreement=TERMS.hash, outcome=outcome, families=10_000,
        privacy=Privacy(epsilon=1, delta=1e-6, opacus=1, dp_accounting=1, noise=1, clip=3,
                        steps=1, randomness="operating system"),
    )  # fmt: skip


def columns(state: list[list[int]] | np.ndarray, **changes: list[bool]) -> FamilyColumns:
    """Families with these needs, all at home in the county and in no programme."""
    codes = np.array(state, dtype=np.int8).reshape(-1, len(NEEDS))
    count = len(codes)
    found = {
        "in_programme": np.zeros(count, dtype=np.bool_),
        "resident": np.ones(count, dtype=np.bool_),
    } | {name: np.array(value) for name, value in changes.items()}
    return FamilyColumns(
        family=np.array([f"f-{at:032x}" for at in range(count)], dtype=object),
        needs=NEEDS, state=codes, children=np.ones(count, dtype=np.int64),
        flagged=np.zeros(count, dtype=np.bool_), referred=np.zeros(count, dtype=np.int8), **found,
    )  # fmt: skip


def name(row: int) -> str:
    """A family's pseudonym."""
    return f"f-{row:032x}"


weights = st.lists(st.floats(-3, 3).map(lambda each: round(each, 3)), min_size=6, max_size=6)
states = arrays(np.int8, st.tuples(st.integers(1, 40), st.just(3)), elements=st.integers(0, 2))


@given(weights, states, st.data())
def test_every_family_has_a_place_or_a_reason(
    given_weights: list[float], state: np.ndarray, data: st.DataObject
) -> None:
    """Exactly one of them; a higher figure is never behind, equal ones are at one place.

    The parts add up to the figure, none of them is of a need that is unmet, and who comes in
    another order has the same place.
    """
    order = order_of(MODEL, document(*given_weights), columns(state), TERMS)
    odds = {}
    for row, needs in enumerate(state):
        said = order.risk(name(row))
        assert (said.rank.band is None) != (said.rank.why is None)
        assert (said.rank.why == "too_little_known") == ((needs != UNKNOWN).sum() < 2)
        if said.rank.band is not None:
            found = -2 + sum(part.adds for part in said.parts)
            assert found == pytest.approx(order.odds[row], abs=1e-4)
            odds[row] = (round(found, 5), order.above[row], BANDS.index(said.rank.band))
            unmet = {need for need, code in zip(NEEDS, needs, strict=True) if code == UNMET}
            assert not unmet & {part.need for part in said.parts}
    for one in odds.values():
        for other in odds.values():
            if one[0] == other[0]:
                assert one[1:] == other[1:]
            elif one[0] > other[0]:
                assert one[1] < other[1]
                assert one[2] <= other[2]
    turned = np.array(data.draw(st.permutations(range(len(state)))), dtype=np.int64)
    again = order_of(MODEL, document(*given_weights), columns(state[turned]), TERMS)
    assert np.array_equal(again.above, order.above[turned], equal_nan=True)


@pytest.mark.parametrize(
    ("above", "band"),
    [(0, "first_1"), (0.00999, "first_1"), (0.01, "first_5"), (0.05, "first_20"), (0.2, "other"),
     (0.9, "other")],
)  # fmt: skip
def test_a_place_is_told_as_a_band(above: float, band: str) -> None:
    """By the share of the order that is before it."""
    assert band_of(above) == band


def test_places_are_shares_of_the_order() -> None:
    """A hundred families with figures of their own are a hundredth apart; nobody is no order."""
    above = shares_above(np.arange(100.0))
    assert above[99] == 0
    assert above[0] == 0.99
    assert len(shares_above(np.zeros(0))) == 0


@pytest.mark.parametrize(
    ("changes", "outcome", "why"),
    [
        ({"in_programme": [True]}, IN_PROGRAMME, "in_programme"),
        ({"resident": [False]}, IN_PROGRAMME, "moved_away"),
        ({"resident": [False], "in_programme": [True]}, IN_PROGRAMME, "in_programme"),
        ({}, "debt", "has_outcome"),
    ],
)
def test_a_model_says_nothing_of_whom_it_was_not_made_for(
    changes: dict[str, list[bool]], outcome: str, why: NotRanked
) -> None:
    """Nor of anybody's needs then: only why, and nobody's place is changed by them."""
    order = order_of(
        MODEL, document(*[1.0] * 6, outcome=outcome), columns([[MET] * 3], **changes), TERMS
    )
    said = order.risk(name(0))
    assert said.rank.why == why
    assert said.parts == ()
    assert order.left_out()[why] == 1
    assert not order.ranked.any()


def test_a_family_that_nobody_knows_is_not_last() -> None:
    """With weights by which it would be: it has no place, and those who are known keep theirs."""
    alone = order_of(MODEL, document(1, 1, 1, -1, -1, -1), columns([[MET, UNMET, UNMET]]), TERMS)
    with_it = order_of(
        MODEL, document(1, 1, 1, -1, -1, -1),
        columns([[MET, UNMET, UNMET], [UNKNOWN] * 3, [MET, UNKNOWN, UNKNOWN]]), TERMS,
    )  # fmt: skip
    assert with_it.rank(name(1)).why == with_it.rank(name(2)).why == "too_little_known"
    assert with_it.above[0] == alone.above[0] == 0
    one_is_enough = terms(1)
    found = order_of(
        MODEL, document(1, 1, 1, -1, -1, -1), columns([[MET, UNKNOWN, UNKNOWN]]), one_is_enough
    )
    assert found.rank(name(0)).band == "first_1"


@pytest.mark.parametrize("untold", [None, [True, False, True]])
def test_a_list_says_of_whom_nobody_tells_where_they_live(untold: list[bool] | None) -> None:
    """Each line says it of its own family; a run of before it was asked says nothing."""
    state = [[UNMET, UNMET, MET], [MET, MET, MET], [MET, MET, UNMET]]
    families = columns(state, **({} if untold is None else {"untold": untold}))
    order = order_of(MODEL, document(1, 1, 1, 0, 0, 0), families, TERMS)
    said = {each.family: each.untold for each in lines_of(order, 0, 3)}
    expected = [None] * 3 if untold is None else untold
    assert said == {name(row): each for row, each in enumerate(expected)}
