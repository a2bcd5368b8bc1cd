import json
from pathlib import Path

import pandas as pd
import pytest

from examples.county.generate import Summary
from examples.county.model import NEEDS
from examples.county.sources.base import Source
from examples.county.sources.catalogue import SOURCES
from examples.county.sources.categories import AREAS, LENGTHS, TEAMS, USED_AS
from partner_agent.extracts.mapping import load_mapping

Truth = dict[str, list[dict[str, str]]]


def _read(folder: Path, source: Source) -> pd.DataFrame:
    path = folder / "partners" / source.partner / f"{source.name}.{source.format}"
    if source.format == "parquet":
        return pd.read_parquet(path)
    if source.format == "xlsx":
        return pd.read_excel(path, sheet_name=source.sheet, dtype=str, keep_default_na=False)
    return pd.read_csv(
        path,
        dtype=str,
        keep_default_na=False,
        encoding=source.encoding,
        sep=source.delimiter,
    )


@pytest.fixture(scope="module")
def tables(county: tuple[Path, Summary]) -> dict[str, pd.DataFrame]:
    """Every extract, read by a library that knows nothing of the generator."""
    folder, _ = county
    return {source.name: _read(folder, source) for source in SOURCES}


def _text(table: pd.DataFrame) -> str:
    return table.to_csv(index=False).casefold()


def test_extracts_read_back_row_by_row(
    county: tuple[Path, Summary], tables: dict[str, pd.DataFrame], truth: Truth
) -> None:
    """Each extract has the rows that the truth names, in that order, by record id."""
    _, summary = county
    for source in SOURCES:
        table = tables[source.name]
        assert len(table) == summary.records_by_source[source.name] > 0
        ids = source.mapping().get("record_id")
        if ids:
            expected = [r["record_id"] for r in truth["records"] if r["source"] == source.name]
            assert table[ids].tolist() == expected


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_mappings_fit_their_extracts(
    source: Source, county: tuple[Path, Summary], tables: dict[str, pd.DataFrame]
) -> None:
    """The agent's own reader accepts each mapping, and finds every column that it names."""
    folder, _ = county
    mapping = load_mapping(folder / "partners" / source.partner / f"{source.name}.yaml")
    mapping.check_columns(tables[source.name].columns)
    assert set(mapping.indicators) <= {*NEEDS, *USED_AS}
    assert (mapping.opt_out is not None) == (source.partner == "nhs")


def test_every_need_has_a_rule() -> None:
    """Each need can be seen in one source at least."""
    assert {need for source in SOURCES for need in source.indicators} == set(NEEDS)


def test_a_home_is_in_the_area_of_its_town(tables: dict[str, pd.DataFrame]) -> None:
    """As the same row's address has it: all but canaries' homes and lost addresses are in one."""
    table = tables["council_tax"]
    of_town = {town: area for area, towns in AREAS.items() for town in towns}
    assert (table["AREA"] == [of_town.get(town, "") for town in table["ADDRESS_3"]]).all()
    assert (table["AREA"] != "").mean() > 0.97
    counted = table["AREA"].value_counts()
    assert all(counted[area] > len(table) / 10 for area in AREAS)


def test_social_care_names_a_team_and_a_length(tables: dict[str, pd.DataFrame]) -> None:
    """Each row has one of each, and each of them somebody."""
    table = tables["childrens_social_care"]
    assert set(table["Team"]) == set(TEAMS)
    assert set(table["Months open"]) == set(LENGTHS)


def test_canaries_are_in_every_extract(
    county: tuple[Path, Summary], tables: dict[str, pd.DataFrame]
) -> None:
    """Each extract holds at least one canary's surname."""
    folder, _ = county
    families = json.loads((folder / "canaries.json").read_text(encoding="utf-8"))["families"]
    surnames = [family["surname"].casefold() for family in families]
    for name, table in tables.items():
        assert any(surname in _text(table) for surname in surnames), name


def test_canaries_are_like_nobody_else(county: tuple[Path, Summary], truth: Truth) -> None:
    """No needle occurs in the truth about anyone who is not a canary."""
    folder, _ = county
    needles = json.loads((folder / "canaries.json").read_text(encoding="utf-8"))["needles"]
    others = [row for row in truth["persons"] if row["canary"] == "n"]
    text = "\n".join("|".join(row.values()) for row in others).casefold()
    assert len(needles) >= 80
    assert [needle for needle in needles if needle.casefold() in text] == []


def test_canary_families_are_ready_for_the_demo(county: tuple[Path, Summary], truth: Truth) -> None:
    """Each has two recorded needs or more, none is in the programme, and their answers differ."""
    folder, _ = county
    families = json.loads((folder / "canaries.json").read_text(encoding="utf-8"))["families"]
    rows = {row["family_id"]: row for row in truth["family_needs"]}
    answers = []
    for family in families:
        row = rows[family["family_id"]]
        assert row["canary"] == "y"
        assert len(row["recorded_needs"].split()) >= 2
        assert row["in_programme"] == "n"
        answers.append(row["consents"])
    assert answers == ["given", "withdrawn", "refused", ""]


def test_recorded_needs_are_what_the_rules_find(
    tables: dict[str, pd.DataFrame], truth: Truth
) -> None:
    """Applying a mapping's rule to the file gives the needs that the truth calls recorded."""
    census = tables["school_attendance"]
    below = pd.to_numeric(census["% attendance"], errors="coerce") < 90
    ids = set(census.loc[below, "Adm no"])
    met = {
        row["person_id"]
        for row in truth["records"]
        if row["source"] == "school_attendance" and row["record_id"] in ids
    }
    recorded = {
        row["person_id"]
        for row in truth["persons"]
        if "school_absence" in row["recorded_needs"].split()
    }
    assert met == recorded


def test_names_stay_in_their_own_script_somewhere(tables: dict[str, pd.DataFrame]) -> None:
    """GP registrations hold some names as they are written at home; typed systems hold none."""
    assert any(ord(letter) > 0x370 for letter in "".join(tables["gp_registrations"]["family_name"]))
    crimes = "".join(tables["crime_recording"]["FAMILY_NAME"])
    assert all(ord(letter) < 0x2200 for letter in crimes)


def test_the_reference_addresses_have_the_columns_of_addressbase_plus(
    county: tuple[Path, Summary], truth: Truth
) -> None:
    """Every address of the truth is in the reference file once."""
    folder, _ = county
    table = pd.read_csv(folder / "uprn" / "addressbase_plus.csv", dtype=str, keep_default_na=False)
    assert {"UPRN", "BUILDING_NUMBER", "STREET_DESCRIPTION", "TOWN_NAME", "POSTCODE"} <= set(table)
    assert table["UPRN"].is_unique
    assert set(table["UPRN"]) == {row["uprn"] for row in truth["addresses"]}
