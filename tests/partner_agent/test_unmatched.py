"""Records of low attendance that are in no other source of the council, and what would match."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from partner_agent.cli.main import app
from partner_agent.steps.unmatched import NoRows, NothingToAsk
from partner_agent.vault.occurrences import Occurrences
from partner_agent.vault.store import Row
from tests.hub_world import HubWorld
from tests.partner_agent.duplicates.test_finding import people

SIZE = 120
MOVED = {"surname": "quite", "postcode": "ZZ1 1ZZ", "address": "1 other road"}


@pytest.fixture(scope="module")
def world(hub_world: HubWorld) -> HubWorld:
    """A council whose vault has pupils' attendance, and a census that lacks the last of them."""
    rows = [{str(name): str(cell) for name, cell in row.items()}
            for row in people(SIZE, seed=4).to_dict("records")]  # fmt: skip
    attendance = []
    for number, clean in enumerate(rows):
        own = clean | {"indicator.school_absence": "met" if number % 2 else "unmet"}
        if number == 3:
            born = own["date_of_birth"]
            own |= MOVED | {"date_of_birth": f"{int(born[:4]) + 1}{born[4:]}"}
        attendance.append(_row(f"A{number:03}", own, protected=number == 5))
    census = [_row(f"P{number:03}", clean) for number, clean in enumerate(rows[:-1])]
    vault = hub_world.agents["council"].vault
    for source, held in (("attendance", attendance), ("census", census)):
        vault.put(source, held, date(2026, 11, 1), Occurrences())
    return hub_world


def _row(record_id: str, clean: dict[str, str], *, protected: bool = False) -> Row:
    held = {name: text for name, text in clean.items() if text} | {"source_record_id": record_id}
    return Row(record_id, held, {}, protected)


def run(world: HubWorld, source: str, *words: str) -> Result:
    """The command, at the council."""
    home = str(world.root / "council")
    return CliRunner().invoke(app, ["--json", "--home", home, "unmatched", source, *words])


def test_the_officer_gets_own_record_ids_back(world: HubWorld, tmp_path: Path) -> None:
    """Of low attendance alone; which correction would match whom; no value of anybody."""
    out = tmp_path / "cohort.csv"
    words = ("--against=census", "--indicator=school_absence", f"--out={out}")
    result = run(world, "attendance", *words)
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["asked"] == SIZE // 2 - 1  # one is protected
    assert told["protected"] == 1
    with out.open(encoding="utf-8") as file:
        lines = {line["record_id"]: line for line in csv.DictReader(file)}
    assert set(lines) == {"A003", f"A{SIZE - 1:03}"}
    assert lines["A003"]["what_stands_in_the_way"] == "correct"
    assert "surname" in lines["A003"]["correct"]
    assert lines["A003"]["nearest_record_id"] == "P003"
    assert lines[f"A{SIZE - 1:03}"]["correct"] == ""
    assert told["unmatched"] == 2 == sum(told["ways"].values())
    assert out.stat().st_mode & 0o077 == 0
    text = out.read_text("utf-8") + result.output
    assert "quite" not in text
    assert "ZZ1" not in text


def test_all_records_are_asked_about_without_an_indicator(world: HubWorld, tmp_path: Path) -> None:
    """And a source of which the vault has nothing is refused."""
    out = f"--out={tmp_path / 'cohort.csv'}"
    told = json.loads(run(world, "attendance", "--against=census", out).stdout)
    assert (told["asked"], told["unmatched"]) == (SIZE - 1, 2)
    for source, against in (("nowhere", "census"), ("attendance", "nowhere")):
        refused = run(world, source, f"--against={against}", out)
        assert isinstance(refused.exception, NoRows)


def test_a_question_that_cannot_find_anything_is_refused(world: HubWorld, tmp_path: Path) -> None:
    """A source beside itself, or a misspelt indicator: no file says that all is well."""
    out = tmp_path / "cohort.csv"
    for words in (
        ("--against=census", "--against=attendance"),
        ("--against=census", "--indicator=school_absense"),
    ):
        refused = run(world, "attendance", *words, f"--out={out}")
        assert isinstance(refused.exception, NothingToAsk)
        assert not out.exists()
