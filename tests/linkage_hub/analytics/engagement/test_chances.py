"""Chances by number of needs, of which three points of a curve are given, and by a model."""

import numpy as np
import pytest

from linkage_hub.analytics.engagement.chances import (
    HORIZONS,
    ModelChances,
    NeedsTable,
    calibration,
    chances_at,
)
from linkage_hub.analytics.engagement.hazard import ProgressRule
from linkage_hub.analytics.engagement.spells import Spells, Times
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.outcomes.months import NEVER
from tests.linkage_hub.analytics.outcomes_world import pseudonym


def spells() -> Spells:
    """A hundred families with one need and a hundred with two, watched for 30 months.

    Of the first forty make progress in month 5 and twenty in month 10, of the others ten in each of
    these.
    """
    met = np.repeat([1, 2], 100)
    state = np.full((200, 2), UNMET, dtype=np.int8)
    state[:, 0] = MET
    state[100:, 1] = MET
    joined = np.full(200, 24_000)
    progressed = np.full(200, NEVER)
    for start, first, second in ((0, 40, 20), (100, 10, 10)):
        progressed[start : start + first] = 24_005
        progressed[start + first : start + first + second] = 24_010
    names = np.array([pseudonym(at) for at in range(len(met))], dtype=object)
    nobody = np.full(200, "", dtype=object)
    return Spells(names, nobody, joined, joined, joined + 30, progressed, ("debt", "neet"), state)


STATE = np.array([[MET, UNMET], [MET, MET], [MET, UNKNOWN]], dtype=np.int8)


def test_chances_are_those_of_families_with_as_many_needs() -> None:
    """Unknown is not met; more needs than anybody had are those of the most."""
    table = NeedsTable(spells())
    start = np.zeros(3, dtype=np.int64)
    assert table.by(STATE, 6, start) == pytest.approx([0.4, 0.1, 0.4])
    assert table.by(STATE, 12, start) == pytest.approx([0.6, 0.2, 0.6])
    assert table.reasons(STATE) == ["1 need", "2 needs", "1 need"]
    assert chances_at(table, spells())(18)[[0, 150]] == pytest.approx([0.6, 0.2])


def test_no_other_month_is_given() -> None:
    """A family of five months counts as new, one of eight as of six; other horizons are none."""
    table = NeedsTable(spells())
    for after, expected in ((0, 0.6), (5, 0.6), (6, 1 / 3), (8, 1 / 3), (11, 1 / 3)):
        one = np.array([after])
        assert table.by(STATE[:1], 12, one) == pytest.approx([expected])
    for month in range(1, 30):
        if month not in HORIZONS:
            with pytest.raises(ValueError, match="6, 12 or 18"):
                table.by(STATE, month, np.zeros(3, dtype=np.int64))


def test_a_model_looks_at_each_month() -> None:
    """What is left of a constant chance a month does not hang on the months before."""
    needs = ("debt", "neet")
    rule = ProgressRule(needs=needs, chance_in_a_year=0.5, mean_needs=1, mean_unknown=0.5)
    chances = ModelChances(rule.as_model())
    after = np.array([0, 6, 9])
    found = chances.by(STATE[[0, 0, 0]], 12, after)
    monthly = 1 - 0.5 ** (1 / 12)
    assert found == pytest.approx([1 - (1 - monthly) ** (12 - each) for each in after], abs=1e-5)


def test_fifths_are_whole() -> None:
    """Everybody is in one; equal figures stay together; expected beside what came."""
    rows = 500
    figures = np.repeat([0.1, 0.2, 0.3, 0.4], [200, 100, 100, 100])
    times = Times(np.zeros(rows, dtype=np.int64), np.full(rows, 8), np.arange(rows) % 4 == 0)
    whole, *parts = calibration(times, figures, 8)
    assert (whole.name, whole.families) == ("all families", rows)
    assert sum(part.families for part in parts) == rows
    assert parts[0].name == "expected 10 %"
    assert whole.seen is not None
    assert whole.seen.value == pytest.approx(0.25)
