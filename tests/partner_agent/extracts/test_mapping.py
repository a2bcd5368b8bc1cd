"""Source mappings: what is accepted, and how clearly the rest is refused."""

from pathlib import Path

import pytest

from partner_agent.extracts.errors import (
    ColumnNotFoundError,
    MappingInvalidError,
    MappingNotReadError,
)
from partner_agent.extracts.mapping import build_mapping, load_mapping, parse_mapping

ARCHITECTURE = Path(__file__).parents[3] / "docs" / "architecture.md"


def test_the_documented_mapping_is_accepted_but_for_its_two_ways_to_name() -> None:
    """The example of the architecture document parses once full_name is taken out of it."""
    text = ARCHITECTURE.read_text(encoding="utf-8")
    block = text.split("## Source mapping")[1].split("```yaml\n")[1].split("```")[0]
    mapping = parse_mapping(block.replace("  full_name: NAME ", "  # "))
    assert mapping.columns.address == ("ADDR1", "ADDR2", "TOWN")
    assert mapping.indicators["neet"].equals == ("Y", "1")
    assert mapping.protected is not None


def test_scalars_stay_text() -> None:
    """An unquoted No, 007 or 2020 in YAML means itself, as a partner's export does."""
    mapping = parse_mapping(
        "source: jobs\ncolumns: {surname: 2020}\n"
        "indicators: {workless: {column: IN_WORK, equals: [No, 007]}}"
    )
    assert mapping.columns.surname == "2020"
    assert mapping.indicators["workless"].equals == ("No", "007")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("source: A b\ncolumns: {surname: S}", "source: expected small letters"),
        ("source: ab\ncolumns: {surname: S, surnam: T}", "columns.surnam: is not a key"),
        ("source: ab\ncolumns: {surname: }", "columns.surname: expected the heading"),
        ("source: ab\ncolumns: {first_name: F}", "columns: give at least surname"),
        ("source: ab\ncolumns: {surname: S, full_name: N}", "not both"),
        ("source: ab\ncolumns: {surname: S}\ndates: {day_first: often}", "dates.day_first"),
        (
            "source: ab\ncolumns: {surname: S}\nindicators: {neet: {column: N}}",
            "indicators.neet: give exactly one of below, at_least and equals",
        ),
        ("- a", "expected keys and values"),
    ],
)
def test_a_wrong_key_is_named_with_what_was_expected(text: str, named: str) -> None:
    """Each refusal says which key and what it should be."""
    with pytest.raises(MappingInvalidError) as caught:
        parse_mapping(text, "school.yaml")
    assert named in caught.value.message
    assert caught.value.message.startswith("school.yaml: ")


def test_a_truth_value_among_texts_is_refused() -> None:
    """A dataset.yaml read by an ordinary loader turns Yes into true: that must not pass unseen."""
    data = {
        "source": "ab",
        "columns": {"surname": "S"},
        "opt_out": {"column": "O", "equals": [True]},
    }
    with pytest.raises(MappingInvalidError, match="quote it"):
        build_mapping(data)


def test_a_missing_column_is_named_with_near_headings() -> None:
    """The key, the column and headings like it are in the message."""
    mapping = parse_mapping(
        "source: ab\ncolumns: {surname: SURNAM, date_of_birth: {day: D, month: M, year: Y}}"
    )
    with pytest.raises(ColumnNotFoundError) as caught:
        mapping.check_columns(["Surname", "D", "M", "Y"])
    assert caught.value.message == "columns.surname: no column 'SURNAM', near it are 'Surname'"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"source: ab\nsource: b", "given twice: source"),
        (b"columns: [a", "line 1"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a" * 1_100_000, "larger than"),
    ],
)
def test_a_file_that_is_not_a_mapping(tmp_path: Path, content: bytes, said: str) -> None:
    """Broken YAML, a repeated key, another encoding and an extract are each told apart."""
    path = tmp_path / "m.yaml"
    path.write_bytes(content)
    with pytest.raises(MappingNotReadError, match=said):
        load_mapping(path)


def test_a_mapping_that_is_not_there(tmp_path: Path) -> None:
    """A missing file is a refusal with a next step."""
    with pytest.raises(MappingNotReadError) as caught:
        load_mapping(tmp_path / "none.yaml")
    assert caught.value.next_step
