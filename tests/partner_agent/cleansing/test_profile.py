"""The profile of an extract that has no mapping yet."""

from pathlib import Path

import pytest

from partner_agent.cleansing.profile import profile
from partner_agent.cleansing.roles import guess_role, role_of_heading
from partner_agent.extracts.errors import ColumnNotFoundError
from partner_agent.extracts.mapping import parse_mapping


@pytest.mark.parametrize(
    ("heading", "role"),
    [
        ("FORENAME", "first_name"),
        ("LastName", "surname"),
        ("date_of_birth", "date_of_birth"),
        ("ADDR1", "address"),
        ("Post Code", "postcode"),
        ("NHS_NO", "nhs_number"),
        ("income", ""),
    ],
)
def test_headings_are_recognised(heading: str, role: str) -> None:
    """Whatever their case, signs and numbering."""
    assert role_of_heading(heading) == role


def test_shapes_speak_where_headings_do_not() -> None:
    """Postcodes under a meaningless heading are seen by their form."""
    codes = [f"BN{n} 1AB" for n in range(1, 9)]
    assert guess_role("X7", codes) == "postcode"
    assert guess_role("X7", ["a", "b", "c", "d", "e", "f"]) == ""


def test_a_profile_counts_guesses_and_suggests(tmp_path: Path) -> None:
    """Roles, completeness, suspicious cells by kind, and a mapping that parses; no value."""
    path = tmp_path / "2024 pupils.csv"
    rows = "".join(f"{n},Canary{n},Smith,{n}/25/2010,BN{n} 1AB\n" for n in range(1, 9))
    path.write_text("id,forename,surname,dob,pc\n" + rows + "9,n/a, Smith,01/01/1900,\nbad\n")
    found = profile(path)
    assert (found.rows, found.unreadable) == (9, {"row.field_count": 1})
    roles = {column.name: column.role for column in found.columns}
    assert roles == {
        "id": "record_id",
        "forename": "first_name",
        "surname": "surname",
        "dob": "date_of_birth",
        "pc": "postcode",
    }
    by_name = {column.name: column for column in found.columns}
    assert by_name["pc"].completeness == round(8 / 9, 4)
    assert by_name["forename"].suspicious == {"placeholder": 1}
    assert by_name["dob"].suspicious == {"default date": 1}
    assert by_name["surname"].suspicious == {"outer spaces": 1}
    assert by_name["forename"].distinct == 9
    mapping = parse_mapping(found.mapping_yaml)
    assert mapping.source == "pupils"
    assert mapping.columns.postcode == "pc"
    assert mapping.dates.day_first is False
    assert "Canary" not in found.model_dump_json()


def test_a_profile_under_a_mapping(tmp_path: Path) -> None:
    """Roles come from the mapping, and its columns must be there."""
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n")
    found = profile(path, parse_mapping("source: xx\ncolumns: {surname: b}"))
    assert [column.role for column in found.columns] == ["", "surname"]
    with pytest.raises(ColumnNotFoundError):
        profile(path, parse_mapping("source: xx\ncolumns: {surname: c}"))
