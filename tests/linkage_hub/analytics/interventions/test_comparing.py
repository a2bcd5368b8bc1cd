"""Matching, balance, differences of pairs, bounds and placebo tests, by hand and by law."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_hub.analytics.interventions import placebo
from linkage_hub.analytics.interventions.balance import COUNT, PROPENSITY, balance
from linkage_hub.analytics.interventions.cases import NO, NOT_KNOWN, YES, Cases
from linkage_hub.analytics.interventions.matching import CALIPER, Matched, clusters, match
from linkage_hub.analytics.interventions.paired import difference, mcnemar, table_of
from linkage_hub.analytics.interventions.strength import e_value, e_value_of_limit, gamma
from linkage_hub.analytics.interventions.trend import earlier, quarters, weighed
from linkage_hub.analytics.needs import MET, UNMET
from tests.linkage_hub.analytics.interventions.world import MONTH, cases
from tests.linkage_hub.analytics.outcomes_world import pseudonym


def everybody(found: Cases) -> np.ndarray:
    """All may be in a pair."""
    return np.ones(len(found), dtype=np.bool_)


def test_each_helped_family_finds_one_like_it() -> None:
    """Of its month, with as many needs, within the caliper; nobody stands twice."""
    found = cases(900)
    pairs = match(found, everybody(found))
    assert 0.6 * found.helped.sum() < len(pairs) <= found.helped.sum()
    assert found.helped[pairs.helped].all()
    assert not found.helped[pairs.other].any()
    assert len(set(pairs.helped.tolist())) == len(set(pairs.other.tolist())) == len(pairs)
    assert (found.month[pairs.helped] == found.month[pairs.other]).all()
    met = (found.state == MET).sum(axis=1)
    assert (met[pairs.helped] == met[pairs.other]).all()
    far = np.abs(pairs.log_odds[pairs.helped] - pairs.log_odds[pairs.other])
    assert far.max() <= CALIPER * pairs.log_odds.std()


def test_matching_makes_families_alike_and_does_not_look_at_outcomes() -> None:
    """What was far apart is near after; other outcomes give the same pairs, in any order."""
    found = cases(1_500, needs=1.5)
    pairs = match(found, everybody(found))
    rows = {row.column: row for row in balance(found, pairs)}
    assert rows[COUNT].before > 0.5
    assert rows[PROPENSITY].before > 0.5
    assert max(abs(row.after) for row in rows.values()) < 0.1
    turned = Cases(found.family, found.month, found.helped, found.later, found.before,
                   (1 - found.outcome).astype(np.int8), found.needs, found.state)  # fmt: skip
    order = np.random.default_rng(2).permutation(len(found))
    again, mixed = match(turned, everybody(found)), found.rows(order)
    assert again.other.tolist() == pairs.other.tolist()
    other = match(mixed, everybody(found))
    names = {
        (found.family[one], found.family[two])
        for one, two in zip(pairs.helped, pairs.other, strict=True)
    }
    assert names == {
        (mixed.family[one], mixed.family[two])
        for one, two in zip(other.helped, other.other, strict=True)
    }


def test_as_many_needs_however_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """One need more or fewer is nobody like it, whatever the caliper lets by."""
    monkeypatch.setattr("linkage_hub.analytics.interventions.matching.CALIPER", 1_000)
    found = cases(40)
    state = np.full((40, 3), UNMET, dtype=np.int8)
    state[:, 0] = MET
    helped = np.arange(40) < 5
    state[helped, 1] = MET
    columns = (np.full(40, MONTH), helped, found.later, found.before, found.outcome, found.needs)
    some = Cases(found.family, *columns, state)
    assert len(match(some, everybody(some))) == 0
    state[39, 2] = MET
    assert match(Cases(found.family, *columns, state), everybody(some)).other.tolist() == [39]


def test_pretended_help_ends_a_familys_cases() -> None:
    """Months after it are gone, those before stay, and each month is drawn alike."""
    found = cases(300)
    twelve = np.repeat(np.arange(300), 12)
    some = found.rows(twelve)
    months = np.tile(MONTH + np.arange(12), 300)
    never = Cases(some.family, months, np.zeros(3_600, dtype=np.bool_), some.later, some.before,
                  some.outcome, some.needs, some.state)  # fmt: skip
    drawn = placebo._draw(never, 360, np.random.default_rng(1))
    assert drawn is not None
    last = np.zeros(300, dtype=np.int64)
    np.maximum.at(last, drawn.number, drawn.month)
    assert (drawn.month[drawn.helped] == last[drawn.number[drawn.helped]]).all()
    assert len(set(drawn.number[drawn.helped].tolist())) == int(drawn.helped.sum())
    by_month = np.bincount(drawn.month - MONTH) - 0.0
    shares = np.bincount((drawn.month - MONTH)[drawn.helped], minlength=12) / by_month
    assert np.abs(shares - 0.1).max() < 0.08


def test_standardised_difference_by_hand() -> None:
    """Means .75 and .25 of a column of noughts and ones: a half over the root of 3/16."""
    found = cases(8)
    state = np.full((8, 3), 1, dtype=np.int8)
    state[[0, 1, 2, 4], 0] = MET
    some = Cases(
        found.family, found.month, np.arange(8) < 4, found.later, found.before, found.outcome,
        found.needs, state,
    )  # fmt: skip
    pairs = Matched(np.array([0, 1, 2]), np.array([4, 5, 6]), np.zeros(8))
    first = balance(some, pairs)[0]
    assert (first.helped, first.others) == (0.75, 0.25)
    assert first.before == pytest.approx(0.5 / (3 / 16) ** 0.5)
    assert first.after == pytest.approx((1 - 1 / 3) / (3 / 16) ** 0.5)


def test_pairs_that_share_a_family_are_one_cluster() -> None:
    """A family that stood for another and was helped later joins both pairs."""
    found = cases(6)
    names = np.array([pseudonym(at) for at in (0, 1, 1, 2, 3, 4)], dtype=object)
    shared = Cases(names, found.month, found.helped, found.later, found.before, found.outcome,
                   found.needs, found.state)  # fmt: skip
    pairs = Matched(np.array([0, 2, 4]), np.array([1, 3, 5]), np.zeros(6))
    assert clusters(shared, pairs).tolist() == [0, 0, 1]


def pairs_of(both: int, helped: int, other: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Progress of helped families and of the others."""
    one = np.repeat([True, True, False, False], [both, helped, other, neither])
    return one, np.repeat([True, False, True, False], [both, helped, other, neither])


def test_a_difference_by_hand() -> None:
    """Of 100 pairs 50 helped and 35 others made progress; 25 and 10 alone."""
    one, other = pairs_of(25, 25, 10, 40)
    found = difference(one, other, np.arange(100), seed=1)
    assert found.table == table_of(one, other)
    assert (found.table.helped, found.table.other) == (0.5, 0.35)
    assert found.value == pytest.approx(0.15)
    assert found.ratio == pytest.approx(0.5 / 0.35)
    spread = ((25 + 10) / 100 - 0.15**2) ** 0.5 / 10  # of a mean of 1, -1 and 0
    assert found.low == pytest.approx(0.15 - 1.96 * spread, abs=0.015)
    assert found.high == pytest.approx(0.15 + 1.96 * spread, abs=0.015)
    assert not found.is_nothing
    assert found.p == pytest.approx(0.0167, abs=1e-4)  # R: binom.test(10, 35)


def test_clusters_are_drawn_whole() -> None:
    """Pairs that are copies of one tell no more than it does: the interval is wider."""
    one, other = pairs_of(10, 10, 10, 10)
    alone = difference(one, other, np.arange(40), seed=1)
    both = difference(np.repeat(one, 4), np.repeat(other, 4), np.repeat(np.arange(40), 4), seed=1)
    apart = difference(np.repeat(one, 4), np.repeat(other, 4), np.arange(160), seed=1)
    assert both.high - both.low == pytest.approx(alone.high - alone.low, abs=0.03)
    assert apart.high - apart.low < 0.65 * (both.high - both.low)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
@settings(max_examples=40)
def test_turning_pairs_round_turns_the_difference(rows: list[tuple[bool, bool]]) -> None:
    """Helped for other: the value changes its sign, and McNemar's test says the same."""
    one, other = (np.array(column) for column in zip(*rows, strict=True))
    cluster = np.arange(len(rows))
    found, turned = difference(one, other, cluster, 3), difference(other, one, cluster, 3)
    assert turned.value == pytest.approx(-found.value)
    assert found.low <= found.value + 1e-12
    assert found.value <= found.high + 1e-12
    assert turned.p == found.p


def test_mcnemar_by_hand() -> None:
    """Eight to two: 2 (1 + 10 + 45) / 1024; nothing to go by: 1."""
    assert mcnemar(8, 2) == mcnemar(2, 8) == pytest.approx(112 / 1024)
    assert mcnemar(0, 0) == 1
    assert mcnemar(4, 4) == 1


def test_e_values_of_the_paper() -> None:
    """VanderWeele and Ding 2017: 3.9 (1.8 to 8.7) gives 7.26 and 3.00; .80 gives 1.81."""
    assert e_value(3.9) == pytest.approx(7.26, abs=0.01)
    assert e_value_of_limit(1.8, 8.7) == pytest.approx(3.0)
    assert e_value(0.8) == pytest.approx(1.81, abs=0.01)
    assert e_value_of_limit(0.5, 0.8) == pytest.approx(1.81, abs=0.01)
    assert e_value_of_limit(0.9, 1.4) == e_value(1) == 1


def test_rosenbaums_gamma_of_the_book() -> None:
    """Smoking and lung cancer: of 122 discordant pairs 110; 6 times is not enough (one-sided)."""
    assert 5 < gamma(110, 12) < 6
    assert gamma(12, 110) == gamma(110, 12)
    assert gamma(10, 10) == gamma(0, 0) == gamma(3, 0) == 1
    assert gamma(6, 0) == pytest.approx(0.025 ** (1 / 6) / (1 - 0.025 ** (1 / 6)), abs=1e-3)


def test_a_difference_from_before_is_found() -> None:
    """Something that nobody holds, and that was there before: the first test finds it."""
    for hidden, expected in ((0.0, True), (1.5, False)):
        found = cases(2_000, 4, hidden=hidden)
        pairs = match(found, everybody(found))
        tried = placebo.before(found, pairs, 1)
        assert tried is not None
        assert tried.is_nothing is expected
    nothing = Cases(found.family, found.month, found.helped, found.later,
                    np.full(len(found), NOT_KNOWN, dtype=np.int8), found.outcome, found.needs,
                    found.state)  # fmt: skip
    assert placebo.before(nothing, pairs, 1) is None


def test_pretended_help_finds_nothing_but_by_chance() -> None:
    """Up to five of twenty; nothing to try is no pass."""
    found = placebo.pretended(cases(900), 1, tries=8)
    assert found.tries == 8
    assert found.holds
    assert placebo.Pretended(20, 5).holds
    assert not placebo.Pretended(20, 6).holds
    assert not placebo.Pretended(0, 0).holds


def test_pretended_help_finds_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever makes progress is pretended to be helped: it is found every time."""
    found = cases(900)

    def biased(never: Cases, _many: int, random: np.random.Generator) -> Cases:
        lucky = (never.outcome == YES) & (random.random(len(never)) < 0.5)
        return never.with_helped(lucky)

    monkeypatch.setattr(placebo, "_draw", biased)
    assert placebo.pretended(found, 1, tries=6).found == 6


def test_the_trend_is_weighed_to_the_helped() -> None:
    """Of the others one in two with one need makes progress, none with two; helped have two."""
    found = cases(80)
    state = np.full((80, 3), 1, dtype=np.int8)
    state[:, 0] = MET
    state[40:, 1] = MET
    helped = np.arange(80) >= 70
    outcome = np.where(np.arange(80) < 20, YES, NO).astype(np.int8)
    month = np.where(helped, MONTH + 12, MONTH)
    some = Cases(found.family, month, helped, found.later, found.before, outcome, found.needs,
                 state)  # fmt: skip
    share = weighed(some, ~helped)
    assert share is not None
    assert share.value == 0
    (quarter,) = quarters(some)
    assert (quarter.month, quarter.cases) == (MONTH, 70)
    cohort = earlier(some, 12)
    assert cohort is not None
    assert cohort[0] == 70
    assert earlier(some, 13) is None
