"""What a mapping of consents may say, and that the guide's own example is one."""

import hashlib
import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from governance.canonical import sha256
from partner_agent.consent_import.mapping import ConsentMapping, load_consent_mapping, our_columns
from partner_agent.consent_import.rows import Decision, RowReader
from partner_agent.consents import consent_template
from partner_agent.extracts.errors import ColumnNotFoundError, MappingInvalidError
from partner_agent.extracts.model import Reject
from partner_agent.extracts.reader import open_extract
from tests.governance.world import World

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "guides" / "partner-data-officer.md"
EXAMPLE = re.compile(r"```yaml\n(columns: \{record_id.*?)```", re.DOTALL)
TODAY = date(2026, 11, 28)
WHOLE = "columns: {source: S, record_id: A, state: B, date: C, method: D, expires: E}\n"
WORLD = World()


def written(folder: Path, text: str) -> ConsentMapping:
    """A mapping from a file."""
    file = folder / "mapping.yaml"
    file.write_text(text, "utf-8")
    return load_consent_mapping(file)


def everybody_once(_source: str, ids: list[str]) -> dict[str, list[bytes]]:
    """A vault that holds one row for every record id."""
    return {id_: [hashlib.sha256(id_.encode()).digest()[:16]] for id_ in ids}


def read(file: Path, mapping: ConsentMapping) -> tuple[list[Decision], list[Reject]]:
    """The decisions and refusals of a file, at a council that holds everybody once."""
    agreement = WORLD.agreement
    extract = open_extract(file)
    mapping.check_columns(extract.columns)
    template = consent_template(agreement, "council", sha256(b"notice"))
    reader = RowReader(mapping, agreement, "council", template, "approach", everybody_once, TODAY)
    decisions: list[Decision] = []
    rejects: list[Reject] = []
    for chunk in extract:
        found, wrong = reader.read(chunk)
        decisions += found
        rejects += wrong
    return decisions, rejects


def test_the_guides_example_is_a_mapping(tmp_path: Path) -> None:
    """Whoever copies it from the guide has one that is read."""
    (example,) = re.findall(
        r"```yaml\n(columns: \{record_id.*?)```", GUIDE.read_text("utf-8"), re.DOTALL
    )
    mapping = written(tmp_path, example)
    assert mapping.columns["record_id"] == "Case number"
    assert mapping.values["state"]["changed mind"] == "withdrawn"
    assert mapping.lasts_days == 730


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns: {record_id: A}", "source, state, date, method, expires"),
        ("colums: {record_id: A}", "colums"),
        ("columns: {record_id: A, name: B}", "name"),
        ("values: {state: {yes: agreed}}", "neither a column"),
        (
            f"{WHOLE}values: {{state: {{ja: agreed}}}}",
            "given, refused, requested, withdrawn",
        ),
        ("- a", "ConsentMapping"),
    ],
)
def test_a_wrong_mapping_is_told_by_its_key(tmp_path: Path, text: str, words: str) -> None:
    """The message names what is missing, unknown or no word of ours."""
    with pytest.raises(MappingInvalidError, match=words):
        written(tmp_path, text)


def test_a_file_without_a_named_column_is_refused(tmp_path: Path) -> None:
    """By the mapping's key: the headings of a strange file may be values."""
    file = tmp_path / "export.csv"
    file.write_text("source,record_id\ncouncil_records,C1\n", "utf-8")
    with pytest.raises(ColumnNotFoundError, match=r"columns\.state"):
        read(file, our_columns())


def test_a_workbook_with_real_dates_is_read_as_text_is(tmp_path: Path) -> None:
    """XLSX and CSV give the same decisions, and so the same keys: each is imported once."""
    head = ["source", "record_id", "kind", "state", "date", "expires", "capacity",
            "parental_basis", "method"]  # fmt: skip
    row: list[Any] = ["council_records", 4711, "approach", "given", date(2026, 1, 2),
                      date(2028, 1, 2), "", "", "in_person"]  # fmt: skip
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(head)
    sheet.append(row)
    book.save(tmp_path / "export.xlsx")
    text = [head, [str(cell) for cell in row]]
    (tmp_path / "export.csv").write_text("\n".join(",".join(line) for line in text), "utf-8")
    (one,), wrong = read(tmp_path / "export.xlsx", our_columns())
    (other,), _ = read(tmp_path / "export.csv", our_columns())
    assert wrong == []
    assert (one.day, one.record.expires) == ("2026-01-02", "2028-01-02T00:00:00Z")
    assert one.key == other.key
