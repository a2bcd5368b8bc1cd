"""Indicators over several cells: periods, events in a window, dated codes."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_agent.cleansing.cleanser import Cleanser
from partner_agent.cleansing.dates import DateCleaner
from partner_agent.cleansing.distinct import SEPARATOR
from partner_agent.cleansing.rules import indicator_rule
from partner_agent.extracts.errors import MappingInvalidError
from partner_agent.extracts.mapping import Indicator, build_mapping
from partner_agent.extracts.reader import open_extract

TODAY: Final = date(2026, 11, 28)
DATES: Final = DateCleaner(TODAY, birth=False)
TERMS: Final = {"columns": ["AUT", "SPR", "SUM"], "below": 90}
OFFENCES: Final = {"dates": ["D1", "D2"], "at_least": 1, "within_months": 12}
NOTICE: Final = {"column": "NOTICE", "on": "SERVED", "equals": ["S21"], "within_months": 12}


def said(rule: dict[str, Any], *cells: str) -> tuple[str, str]:
    """State and note of a row."""
    found = indicator_rule(Indicator.model_validate(rule), DATES)(SEPARATOR.join(cells))
    return found.value, found.note


@pytest.mark.parametrize(
    ("cells", "known", "expected"),
    [
        (("95", "88", "86"), None, "met"),
        (("95", "90", "85"), None, "unmet"),
        (("95 %", "80", "80.5"), None, "met"),
        (("80", "80", ""), None, ""),
        (("80", "80", ""), 2, "met"),
        (("95", "not known", "95"), 2, "unmet"),
        (("", "", ""), 1, ""),
    ],
)
def test_attendance_over_three_terms(
    cells: tuple[str, ...], known: int | None, expected: str
) -> None:
    """The average of the terms that are known, where enough are; else nobody knows."""
    assert said(TERMS | ({"known": known} if known else {}), *cells)[0] == expected


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("28/11/2025", ""), "met"),
        (("27/11/2025", ""), "unmet"),
        (("2019-01-05", "2026-11-28"), "met"),
        (("2019-01-05", "2026-11-29"), ""),
        (("2019-01-05", "soon"), ""),
        (("soon", ""), ""),
        (("", ""), ""),
    ],
)
def test_offences_in_twelve_months(cells: tuple[str, ...], expected: str) -> None:
    """Days within the window count, its first and today's too; a doubtful one leaves it unknown."""
    assert said(OFFENCES, *cells)[0] == expected


def test_several_events_are_counted() -> None:
    """Two are needed: one and a doubtful one leave it unknown, one and an old one do not."""
    twice = OFFENCES | {"at_least": 2}
    assert said(twice, "2026-05-01", "2026-06-01")[0] == "met"
    assert said(twice, "2026-05-01", "soon") == ("", "indicator.no_date")
    assert said(twice, "2026-05-01", "2020-06-01")[0] == "unmet"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (("S21", "01/03/2026"), "met"),
        (("s21", "01/03/2024"), "unmet"),
        (("S21", ""), ""),
        (("S21", "01/03/2027"), ""),
        (("none", "01/03/2024"), ""),
        (("S8", ""), "unmet"),
    ],
)
def test_a_notice_counts_within_its_window(cells: tuple[str, ...], expected: str) -> None:
    """An old notice is none any more; one without a day may be old or new."""
    assert said(NOTICE, *cells)[0] == expected


CELLS = st.one_of(st.text(max_size=12), st.dates().map(str), st.integers(0, 200).map(str))


@given(st.lists(CELLS, min_size=2, max_size=2), st.sampled_from([OFFENCES, NOTICE]))
def test_nothing_but_the_three_words_comes_out(cells: list[str], rule: dict[str, Any]) -> None:
    """For any cells: met, unmet or unknown, and never a value; blanks are never unmet."""
    state, _ = said(rule, *(cell.replace(SEPARATOR, "") for cell in cells))
    assert state in {"met", "unmet", ""}
    assert said(rule, "", "")[0] == ""


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ({"column": "A", "columns": ["B"], "below": 1}, "exactly one of column, columns and dates"),
        ({"below": 1}, "exactly one of column, columns and dates"),
        ({"column": "A"}, "exactly one of below, at_least and equals"),
        ({"column": "A", "below": 1, "rule": "agreed"}, "exactly one of below"),
        ({"dates": ["A"], "below": 1}, "dates are counted"),
        ({"columns": ["A", "B"], "equals": ["Y"]}, "equals goes with one column"),
        ({"column": "A", "on": "B", "below": 1}, "on goes with column and equals"),
        ({"columns": ["A", "B"], "below": 1, "known": 3}, "more than there are columns"),
        ({"column": "A", "below": 1, "within_months": 3}, "goes with dates or on"),
        ({"dates": ["A", "B", "A"], "at_least": 2}, "name each column once"),
        ({"columns": ["A", "A", "B"], "below": 1}, "name each column once"),
        ({"column": "A", "on": "A", "equals": ["Y"]}, "name each column once"),
        ({"column": "A", "below": float("nan")}, "below: expected a number"),
        ({"column": "A", "at_least": float("inf")}, "at_least: expected a number"),
    ],
)
def test_a_mapping_that_makes_no_rule_is_refused(rule: dict[str, Any], fault: str) -> None:
    """An editor learns what goes with what."""
    data = {"source": "schools", "columns": {"surname": "S"}, "indicators": {"absence": rule}}
    with pytest.raises(MappingInvalidError, match=fault):
        build_mapping(data)


def test_a_rule_that_is_not_filled_in_is_no_rule() -> None:
    """What the agreement is to say cannot be guessed."""
    for rule in (
        {"column": "A", "rule": "agreed"},
        {"dates": ["A"], "at_least": 1},
    ):
        with pytest.raises(ValueError, match="not filled in"):
            indicator_rule(Indicator.model_validate(rule), DATES)


def test_the_cleanser_takes_all_columns_of_a_rule(tmp_path: Path) -> None:
    """A whole extract: every input is asked for by name, and the row gets its state."""
    mapping = build_mapping(
        {"source": "schools", "columns": {"surname": "S", "date_of_birth": "B"},
         "indicators": {"absence": TERMS, "offence": OFFENCES,
                        "late": {"column": "AUT", "below": 81}}}
    )  # fmt: skip
    assert {"AUT", "SPR", "SUM", "D1", "D2"} <= {name for _, name in mapping.named_columns()}
    path = tmp_path / "extract.csv"
    path.write_text(
        "S,B,AUT,SPR,SUM,D1,D2\nSmith,01/02/2014,80,85,95,2026-01-01,\nJones,01/02/2013,99,98,,,\n",
        "utf-8",
    )
    extract = open_extract(path)
    mapping.check_columns(extract.columns)
    (chunk,) = (Cleanser(mapping, today=TODAY).clean(each) for each in extract)
    assert chunk.table["indicator.absence"].tolist() == ["met", ""]
    assert chunk.table["indicator.offence"].tolist() == ["met", ""]
    assert chunk.table["indicator.late"].tolist() == ["met", "unmet"]


def test_one_cell_is_never_two(tmp_path: Path) -> None:
    """A cell with the separator in it is one event, one period and one postcode, or none."""
    twice = {"dates": ["D1"], "at_least": 2, "within_months": 12}
    mapping = build_mapping(
        {"source": "schools", "columns": {"surname": "S", "postcode": "P", "address": "A"},
         "indicators": {"offence": twice, "several": {**twice, "dates": ["D1", "D2"]},
                        "absence": {"columns": ["AUT", "SPR"], "below": 90}}}
    )  # fmt: skip
    path = tmp_path / "extract.csv"
    both, low = f"2026-01-01{SEPARATOR}2026-02-01", f"80{SEPARATOR}80"
    rest = "Jones,,,,,,\n" * 200  # else it would be taken for a binary file
    row = f"Smith,x{SEPARATOR},Hove,{both},,{low},\n"
    path.write_text(f"S,P,A,D1,D2,AUT,SPR\n{row}{rest}", "utf-8")
    (chunk,) = (Cleanser(mapping, today=TODAY).clean(each) for each in open_extract(path))
    assert chunk.table["indicator.offence"][0] == ""
    assert chunk.table["indicator.several"][0] == ""
    assert chunk.table["indicator.absence"][0] == ""
    assert chunk.table["address"][0] == "hove"
