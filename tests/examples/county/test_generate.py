import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner

from examples.county.generate import Summary, app, generate
from examples.county.sources.catalogue import PARTNERS, SOURCES

_RUNNER = CliRunner()


def _digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".xlsx"
    }


def _cells(path: Path) -> list[tuple[object, ...]]:
    book = load_workbook(path, read_only=True)
    return [tuple(row) for row in book.worksheets[0].iter_rows(values_only=True)]


def test_one_seed_makes_one_county(tmp_path: Path) -> None:
    """Two runs agree in every byte but those of workbooks, and in every cell of those."""
    generate(600, 5, tmp_path / "a")
    generate(600, 5, tmp_path / "b")
    assert _digests(tmp_path / "a") == _digests(tmp_path / "b")
    books = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.xlsx")]
    assert len(books) == 2
    for book in books:
        assert _cells(tmp_path / "a" / book) == _cells(tmp_path / "b" / book)


def test_another_seed_makes_another_county(tmp_path: Path) -> None:
    """People and extracts differ between seeds."""
    generate(400, 1, tmp_path / "a")
    generate(400, 2, tmp_path / "b")
    one, two = _digests(tmp_path / "a"), _digests(tmp_path / "b")
    assert one.keys() == two.keys()
    same = {name for name in one if one[name] == two[name]}
    assert all(name.endswith(".yaml") for name in same)


def test_it_has_the_size_that_was_asked(county: tuple[Path, Summary]) -> None:
    """Persons are exact; records and addresses are in East Sussex's proportions."""
    _, summary = county
    assert summary.persons == 6000
    assert 1.6 <= summary.records / summary.persons <= 1.8
    assert 5.3 <= summary.persons / summary.addresses <= 6.5


def test_there_are_twenty_sources_of_four_partners(county: tuple[Path, Summary]) -> None:
    """Each partner has its extracts, their mappings and its own consents."""
    folder, summary = county
    assert len(SOURCES) == len(summary.records_by_source) == 20
    assert set(PARTNERS) == {"police", "dwp", "nhs", "council"}
    formats = Counter(source.format for source in SOURCES)
    assert formats["xlsx"] == 2
    assert formats["parquet"] >= 2
    assert len({source.encoding for source in SOURCES}) >= 4
    for source in SOURCES:
        assert (folder / "partners" / source.partner / f"{source.name}.yaml").is_file()
    for partner in PARTNERS:
        assert (folder / "partners" / partner / "consents.csv").is_file()


def test_rates_are_near_those_documented(
    county: tuple[Path, Summary], truth: dict[str, list[dict[str, str]]]
) -> None:
    """Opt-outs, protected people and needs are about as common as the README says."""
    _, summary = county
    assert 0.04 <= summary.opted_out / summary.persons <= 0.07
    assert 0.01 <= summary.protected / summary.persons <= 0.05
    families = truth["family_needs"]
    several = sum(len(row["needs"].split()) >= 2 for row in families) / len(families)
    assert 0.08 <= several <= 0.25


def test_needs_gather_in_families(truth: dict[str, list[dict[str, str]]]) -> None:
    """More families have three needs or more than chance alone would put together."""
    counts = Counter(min(3, len(row["needs"].split())) for row in truth["family_needs"])
    mean = sum(len(row["needs"].split()) for row in truth["family_needs"]) / counts.total()
    chance = 1 - 2.718281828**-mean * (1 + mean + mean**2 / 2)
    assert counts[3] / counts.total() > 1.5 * chance


def test_later_referrals_follow_need(truth: dict[str, list[dict[str, str]]]) -> None:
    """Families with two needs are referred later more often than families with none."""
    referred = {row["family_id"] for row in truth["referrals"]}
    rates = {}
    for low, high in ((0, 0), (2, 9)):
        group = [
            row["family_id"]
            for row in truth["family_needs"]
            if row["current"] == "y" and low <= len(row["needs"].split()) <= high
        ]
        rates[low] = sum(family in referred for family in group) / len(group)
    assert rates[2] > 3 * rates[0]
    assert all(row["date"] > "2026-10-31" for row in truth["referrals"])


def test_postcodes_are_valid_and_not_in_use(truth: dict[str, list[dict[str, str]]]) -> None:
    """Every postcode has the form of a UK one, in an area that does not exist."""
    form = re.compile(r"ZE[1-9]\d? \d[ABD-HJLNP-UW-Z]{2}")
    assert all(form.fullmatch(row["postcode"]) for row in truth["addresses"])


def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    """The command writes the county and prints its counts."""
    options = ["--persons", "300", "--seed", "3", "--out", str(tmp_path)]
    answer = _RUNNER.invoke(app, options)
    assert answer.exit_code == 0
    assert answer.stdout.startswith("300 persons")
    assert (tmp_path / "README.md").is_file()


def test_too_small_a_county_is_refused(tmp_path: Path) -> None:
    """Fewer people than the canaries need is an error that says how many are needed."""
    with pytest.raises(ValueError, match="at least 200"):
        generate(150, 1, tmp_path)
