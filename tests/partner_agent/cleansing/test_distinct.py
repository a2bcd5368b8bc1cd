"""Distinct values: cleaned once, counted as often as they occur, and always with one result."""

import hashlib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.gb import nhs

from examples.county.generate import generate
from partner_agent.cleansing import remembered as module
from partner_agent.cleansing.cleanser import Cleanser
from partner_agent.cleansing.distinct import ColumnTally, clean_distinct
from partner_agent.cleansing.identifiers import clean_nhs_number
from partner_agent.cleansing.outcome import Outcome
from partner_agent.cleansing.remembered import remembered
from partner_agent.cleansing.text import tidy
from partner_agent.extracts.mapping import load_mapping
from partner_agent.extracts.reader import open_extract
from tests.partner_agent.cleansing.test_cleanser import TODAY

PINNED = "816e8c992c0f85b06fec48f2d6768ca916d7043f45a1573a444166abeabfef4a"


def test_a_value_is_cleaned_once_and_what_is_held_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A remembered cleaner answers from memory, and forgets everything when it is full."""
    monkeypatch.setattr(module, "REMEMBERED_MOST", 2)
    asked: list[str] = []

    def clean(raw: str) -> Outcome:
        asked.append(raw)
        return Outcome(raw.upper())

    cleaner = remembered(clean)
    assert [cleaner(raw).value for raw in ("a", "b", "a", "c", "a")] == ["A", "B", "A", "C", "A"]
    assert asked == ["a", "b", "c", "a"]


def test_counts_are_of_rows_and_not_of_distinct_values() -> None:
    """A note on a value that stands in three rows is counted three times."""
    tally = ColumnTally()
    values = clean_distinct(
        pd.Series(["x", "", "x", "x"]), lambda raw: Outcome(raw, "name.one_word" * bool(raw)), tally
    )
    assert values.tolist() == ["x", "", "x", "x"]
    assert (tally.rows, tally.present, dict(tally.notes)) == (4, 3, {"name.one_word": 3})


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_the_check_digit_is_that_of_the_data_dictionary(number: str) -> None:
    """Ten digits pass exactly when python-stdnum lets them pass."""
    repeated = len(set(number)) == 1
    assert bool(clean_nhs_number(number).value) == (nhs.is_valid(number) and not repeated)


def test_other_digits_than_ascii_are_no_nhs_number() -> None:
    """Digits of another script never pass the check."""
    assert clean_nhs_number("٩٤٣٤٧٦٥٩١٩") == Outcome("", "nhs_number.check_digit")


@given(st.text(alphabet=" \t\n\r\x0b\x0c\x1c\x1fabc", max_size=12))
def test_every_kind_of_white_space_becomes_one_space(text: str) -> None:
    """No white space but single spaces between words is left."""
    assert tidy(text) == " ".join(text.split())


def test_cleaning_a_county_gives_the_pinned_tables(tmp_path: Path) -> None:
    """However cleansing is made faster, the tables and reports of a county stay what they were."""
    generate(400, 7, tmp_path / "county")
    digest = hashlib.sha256()
    for mapping_file in sorted((tmp_path / "county" / "partners").glob("*/*.yaml")):
        mapping = load_mapping(mapping_file)
        extract = next(
            path for path in mapping_file.parent.glob(f"{mapping_file.stem}.*") if path.suffix in
            {".csv", ".xlsx", ".parquet"}
        )  # fmt: skip
        cleanser = Cleanser(mapping, today=TODAY)
        for chunk in open_extract(extract, chunk_rows=100):
            clean = cleanser.clean(chunk)
            digest.update(clean.table.to_csv(index=False).encode())
            digest.update(repr(clean.rejects).encode())
        digest.update(cleanser.report().model_dump_json().encode())
    assert digest.hexdigest() == PINNED
