"""The cleanser: chunks of an extract to the cleaned table, with rejects and a report."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from partner_agent.cleansing.cleanser import CleanChunk, Cleanser, cleaned_columns
from partner_agent.cleansing.distinct import ColumnTally, clean_distinct
from partner_agent.cleansing.outcome import NOTES, REJECTS, Outcome
from partner_agent.cleansing.quality import QualityReport
from partner_agent.cleansing.report import render_html, write_report
from partner_agent.cleansing.sex import clean_sex
from partner_agent.cleansing.uprn import UprnIndex
from partner_agent.extracts.mapping import parse_mapping
from partner_agent.extracts.reader import open_extract

TODAY = date(2026, 11, 22)
MAPPING = """
source: school_census
record_id: REF
columns:
  first_name: FORENAME
  surname: SURNAME
  date_of_birth: DOB
  sex: SEX
  nhs_number: NHS
  address: [ADDR, TOWN]
  postcode: PCODE
  address_from: FROM
  address_to: TO
mentions:
  - relation: parent
    columns: {full_name: CARER}
indicators:
  absence: {column: ATT, below: 90}
  neet: {column: NEET, equals: [Y]}
opt_out: {column: OPT, equals: [Y]}
protected: {column: PROT, equals: [Y], clear: [open]}
"""
HEAD = "REF,FORENAME,SURNAME,DOB,SEX,NHS,ADDR,TOWN,PCODE,FROM,TO,CARER,ATT,NEET,OPT,PROT\n"
ROWS = (
    "p1,Zoë,O'Canary,13/10/2012,F,9434765919,15 High St,Lewes,bn71ab,01/09/2020,,"
    "Ann Canary,89.5%,Y,N,Y\n"
    "p2,Al,Canary,01/01/1900,M,9434765918,15 High Street,,BN7 1AB,01/09/2020,01/01/2019,"
    ",90,,,open\n"
    "p3,Opted,Canary,13/10/2012,F,,,,,,,,,,y,\n"
    "p4,Doubt,Canary,13/10/2012,F,,,,,,,,,,maybe,\n"
    "p5,,Canary,,,,,,,,,,,,,\n"
    "short,row\n"
    ',Ben,Canary,14/10/2012,M,,"15 High St, Lewes, BN7 1AB",,,,,,n/k,N,,secret\n'
)


def _clean(
    folder: Path, text: str = HEAD + ROWS, uprn: UprnIndex | None = None, chunk_rows: int = 50_000
) -> tuple[list[CleanChunk], QualityReport]:
    path = folder / "pupils.csv"
    path.write_text(text, encoding="utf-8")
    mapping = parse_mapping(MAPPING)
    extract = open_extract(path, chunk_rows=chunk_rows)
    mapping.check_columns(extract.columns)
    cleanser = Cleanser(mapping, today=TODAY, uprn=uprn)
    return [cleanser.clean(chunk) for chunk in extract], cleanser.report()


def test_the_cleaned_table_is_as_the_architecture_says(tmp_path: Path) -> None:
    """Columns in order, row numbers kept, all else text, each value in its form."""
    chunks, _ = _clean(tmp_path)
    table = chunks[0].table
    assert tuple(table.columns) == cleaned_columns(parse_mapping(MAPPING))
    assert table["row"].tolist() == [1, 2, 7]
    assert table["row"].dtype == np.int64
    first, second, third = table.to_dict("records")
    assert first == {
        "row": 1,
        "source_record_id": "p1",
        "first_name": "zoe",
        "middle_name": "",
        "surname": "ocanary",
        "date_of_birth": "2012-10-13",
        "sex": "f",
        "nhs_number": "9434765919",
        "nino": "",
        "upn": "",
        "address": "15 high street",
        "postcode": "BN7 1AB",
        "uprn": "",
        "phone": "",
        "email": "",
        "address_from": "2020-09-01",
        "address_to": "",
        "mention.0.first_name": "ann",
        "mention.0.surname": "canary",
        "mention.0.date_of_birth": "",
        "mention.0.relation": "parent",
        "indicator.absence": "met",
        "indicator.neet": "met",
        "protected": "y",
    }
    assert (second["date_of_birth"], second["nhs_number"]) == ("", "")
    assert (second["address_from"], second["address_to"]) == ("", "")
    assert (second["indicator.absence"], second["indicator.neet"]) == ("unmet", "")
    assert second["protected"] == ""
    assert second["mention.0.relation"] == ""
    assert third["source_record_id"] == "row 7"
    assert (third["address"], third["postcode"]) == ("15 high street", "BN7 1AB")
    assert third["indicator.absence"] == ""
    assert third["protected"] == "y"


def test_opted_out_doubtful_unlinkable_and_broken_rows_do_not_pass(tmp_path: Path) -> None:
    """The opted-out row leaves no trace but a count; the others are rejects with reasons."""
    chunks, report = _clean(tmp_path)
    assert [(r.row, r.column, r.reason) for r in chunks[0].rejects] == [
        (4, "OPT", "opt_out.unclear"),
        (5, "", "row.nothing_to_link"),
        (6, "", "row.field_count"),
    ]
    assert "Opted" not in str([reject.original for reject in chunks[0].rejects])
    assert "Canary" not in repr(chunks[0].rejects)
    assert (report.rows, report.accepted, report.rejected, report.opted_out) == (7, 3, 3, 1)
    assert report.protected == 2


def test_the_report_counts_and_holds_no_value(tmp_path: Path) -> None:
    """Present and missing add up, reasons are counted, and no cell is in HTML or JSON."""
    _, report = _clean(tmp_path)
    birth = report.columns["date_of_birth"]
    assert (birth.present, birth.missing, birth.dropped) == (2, 1, 1)
    assert birth.reasons == {"date.default": 1}
    assert report.columns["postcode"].reasons == {"postcode.from_address": 1}
    assert all(band.count in {0, None} for band in report.ages)  # fewer than five: suppressed
    write_report(report, tmp_path / "q.html", tmp_path / "q.json")
    html = (tmp_path / "q.html").read_text(encoding="utf-8")
    text = html + (tmp_path / "q.json").read_text(encoding="utf-8")
    for canary in ("canary", "Canary", "BN7", "9434765919", "high street", "2012-10"):
        assert canary not in text
    assert html.count("<svg ") == html.count('<svg role="img" aria-label=') == 3
    assert "<script" not in html
    assert QualityReport.model_validate(json.loads((tmp_path / "q.json").read_text())) == report


def test_chunks_of_any_size_give_the_same(tmp_path: Path) -> None:
    """Neither the table nor the report depends on how the file was cut."""
    whole, report = _clean(tmp_path)
    parts, again = _clean(tmp_path, chunk_rows=2)
    rows = [row for part in parts for row in part.table.to_dict("records")]
    assert rows == whole[0].table.to_dict("records")
    assert again == report


def test_uprns_are_looked_up_by_address(tmp_path: Path) -> None:
    """With a reference file, the three ways to write one home get one UPRN."""
    path = tmp_path / "abp.csv"
    path.write_text(
        "UPRN,PAO_START_NUMBER,PAO_TEXT,STREET_DESCRIPTION,POSTCODE\n"
        "1234,15,,HIGH STREET,BN7 1AB\n",
        encoding="utf-8",
    )
    chunks, _ = _clean(tmp_path, uprn=UprnIndex.from_csv(path))
    assert chunks[0].table["uprn"].tolist() == ["1234", "1234", "1234"]


def test_an_extract_without_one_good_row(tmp_path: Path) -> None:
    """Nothing is accepted, everything is counted, and the report is still written."""
    chunks, report = _clean(tmp_path, HEAD + "x\n" * 3)
    assert chunks[0].table.empty
    assert report.rejects == {"row.field_count": 3}
    assert "Rejected rows" in render_html(report)


def test_each_distinct_value_is_cleaned_once() -> None:
    """Ten thousand equal cells cost one call, and are counted ten thousand times."""
    calls: list[str] = []

    def counted(raw: str) -> Outcome:
        calls.append(raw)
        return clean_sex(raw)

    tally = ColumnTally()
    values = clean_distinct(pd.Series(["F", "?"] * 5_000, dtype="str"), counted, tally)
    assert calls == ["F", "?"]
    assert values.tolist() == ["f", ""] * 5_000
    assert (tally.rows, tally.present) == (10_000, 5_000)


@pytest.mark.parametrize("code", [*NOTES, *REJECTS])
def test_reason_codes_are_dotted(code: str) -> None:
    """Codes are stable identifiers: lower case, one dot."""
    assert code.count(".") == 1
    assert code == code.lower()
