"""A row whose person has opted out reaches no encoder, however its number is written."""

import csv
import stat
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from governance.agreements.models import Agreement
from governance.agreements.policy import Standing
from partner_agent.app import Agent
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.model import Extract
from partner_agent.extracts.reader import open_extract
from partner_agent.opt_outs.errors import NoOptOutList, NotAnOptOutList, StaleOptOutList
from partner_agent.opt_outs.mesh import read_numbers, write_numbers
from partner_agent.submissions.prepare import Workshop, prepare
from tests.partner_agent.submissions.test_prepare import mapping, setting

__all__ = ["setting"]
Setting = tuple[Agent, Workshop, Standing, Extract]
SOURCE = "council_records"
ADA, BEA, CY = "9434765919", "9990000018", "9990000026"
ROWS = [
    ("A1", "Ada", "Quixwald", "01/02/1980", ADA),
    ("A2", "Bea", "Optoutter", "03/04/1985", "999 000 0018"),
    ("A3", "Cy", "Quixwald", "05/06/2010", CY),
]


def upholding(standing: Standing, how: str | None = "check") -> Standing:
    """The agreement, in which the source upholds opt-outs."""
    data = standing.agreement.model_dump(mode="json")
    for source in data["sources"]:
        source["opt_outs"] = how
    agreement = Agreement.model_validate(data)
    return Standing(agreement, standing.signed_by, frozenset(), superseded=False)


def nhs_mapping(**changes: Any) -> SourceMapping:
    """A mapping with a column of NHS numbers that is used for opt-outs alone."""
    columns = {"first_name": "FIRST", "surname": "LAST", "date_of_birth": "DOB"}
    return mapping(**{"columns": columns, "opt_out": None, "opt_out_nhs_number": "NHS"} | changes)


def extract(folder: Path, *rows: tuple[str, ...]) -> Extract:
    """An extract with NHS numbers."""
    file = folder / "nhs.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("ID", "FIRST", "LAST", "DOB", "NHS"), *rows])
    return open_extract(file)


def check(agent: Agent, *numbers: str, days_ago: int = 0) -> None:
    """Import an answer of the service."""
    today = agent.now().date()
    agent.opt_outs.replace(SOURCE, numbers, today - timedelta(days=days_ago), agent.now())


@pytest.mark.invariant(14, "NHS numbers with spaces, missing, wrong, never checked")
def test_only_rows_that_were_let_through_are_encoded(setting: Setting, tmp_path: Path) -> None:
    """Spaces do not hide an opt-out; without a number, or with a wrong one, nothing is encoded."""
    agent, workshop, standing, _ = setting
    check(agent, ADA, CY)
    rows = [
        *ROWS,
        ("A4", "Dee", "Blank", "05/06/1970", ""),
        ("A5", "Eve", "Wrong", "05/06/1971", "9434765918"),
        ("A6", "Fay", "Unchecked", "05/06/1972", "9990000034"),
        ("A7", "Gil", "Twice", "05/06/1973", "9990000018.0"),
    ]
    done = prepare(workshop, upholding(standing), extract(tmp_path, *rows), nhs_mapping())
    counts = done.manifest.counts
    assert (counts.rows, counts.submitted, counts.opted_out, counts.rejected) == (7, 2, 3, 2)
    held = [case for case in ("A1", "A2", "A3", "A4", "A5", "A6", "A7")
            if agent.vault.find(SOURCE, case)]  # fmt: skip
    assert held == ["A1", "A3"]
    with pa.ipc.open_file(done.content) as reader:
        assert reader.read_all().num_rows == 2
    rejects = done.rejects.read_text("utf-8")
    assert rejects.count("opt_out.no_nhs_number") == 2
    assert "Optoutter" not in rejects
    assert "Unchecked" not in rejects


@pytest.mark.invariant(14, "another number in the column that is encoded")
def test_every_number_that_a_row_has_was_let_through(setting: Setting, tmp_path: Path) -> None:
    """A column that is checked hides no opt-out in the column that is encoded."""
    agent, workshop, standing, _ = setting
    data = upholding(standing).agreement.model_dump(mode="json")
    data["items"].append({"id": "nhs_number", "description": "NHS number", "releasable": False})
    for source in data["sources"]:
        source["items"].append("nhs_number")
    standing = Standing(
        Agreement.model_validate(data), standing.signed_by, frozenset(), superseded=False
    )
    check(agent, ADA, CY)
    rows = [
        ("A1", "Ada", "Quixwald", "01/02/1980", BEA, ADA),
        ("A2", "Cy", "Quixwald", "05/06/2010", CY, ""),
    ]
    file = tmp_path / "two.csv"
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("ID", "FIRST", "LAST", "DOB", "NHS", "CHECKED"), *rows])
    columns = {"first_name": "FIRST", "surname": "LAST", "date_of_birth": "DOB",
               "nhs_number": "NHS"}  # fmt: skip
    two = nhs_mapping(columns=columns, opt_out_nhs_number="CHECKED")
    done = prepare(workshop, standing, open_extract(file), two)
    assert (done.manifest.counts.submitted, done.manifest.counts.opted_out) == (1, 1)
    assert agent.vault.find(SOURCE, "A1") == []


@pytest.mark.invariant(14, "a source that was never checked, or too long ago")
@pytest.mark.parametrize("days_ago", [None, 22])
def test_nothing_is_prepared_without_a_fresh_check(
    setting: Setting, tmp_path: Path, days_ago: int | None
) -> None:
    """No check, or one of more than 21 days ago: refused before the first row."""
    agent, workshop, standing, _ = setting
    if days_ago is not None:
        check(agent, ADA, days_ago=21)
        prepare(workshop, upholding(standing), extract(tmp_path, *ROWS), nhs_mapping())
        later = agent.now() + timedelta(days=1)
        workshop = Workshop(**vars(workshop) | {"now": lambda: later})
    with pytest.raises(NoOptOutList if days_ago is None else StaleOptOutList):
        prepare(workshop, upholding(standing), extract(tmp_path, *ROWS), nhs_mapping())
    if days_ago is None:
        assert agent.vault.counts() == {}
        with pytest.raises(StaleOptOutList):
            check(agent, ADA, days_ago=22)
        with pytest.raises(StaleOptOutList):
            check(agent, ADA, days_ago=-1)


@pytest.mark.invariant(14, "an opt-out that comes after the extract was encoded")
def test_what_was_prepared_under_an_older_check_is_not_sent(
    setting: Setting, tmp_path: Path
) -> None:
    """A new check takes the prepared file away; the next extract is without the person."""
    agent, workshop, standing, _ = setting
    standing = upholding(standing)
    check(agent, ADA, BEA, CY)
    prepare(workshop, standing, extract(tmp_path, *ROWS), nhs_mapping())
    assert [item.state for item in agent.outbox.newest()] == ["prepared"]
    check(agent, ADA, CY)
    assert agent.outbox.newest() == []
    done = prepare(workshop, standing, extract(tmp_path, *ROWS), nhs_mapping())
    assert (done.manifest.counts.submitted, done.manifest.counts.opted_out) == (2, 1)
    today = agent.now().date()
    agent.opt_outs.require_sendable(standing.agreement, SOURCE, today)
    with pytest.raises(StaleOptOutList):
        agent.opt_outs.require_sendable(standing.agreement, SOURCE, today + timedelta(days=22))


@pytest.mark.invariant(14, "a check that is imported while the extract is prepared")
def test_a_check_that_comes_meanwhile_leaves_nothing_to_send(
    setting: Setting, tmp_path: Path
) -> None:
    """The file that was begun under the older check never gets a manifest."""
    agent, workshop, standing, _ = setting
    check(agent, ADA, BEA, CY)
    with pytest.raises(StaleOptOutList, match="while"):
        prepare(
            workshop, upholding(standing), extract(tmp_path, *ROWS), nhs_mapping(),
            progress=lambda _rows: check(agent, ADA, CY),
        )  # fmt: skip
    assert agent.outbox.newest() == []


@pytest.mark.invariant(14, "an older answer imported again", double="rolls back")
def test_an_older_check_does_not_take_the_place_of_a_newer(
    setting: Setting, tmp_path: Path
) -> None:
    """Last week's answer, in time and genuine, would let through who has opted out since."""
    agent, workshop, standing, _ = setting
    check(agent, ADA, CY, days_ago=1)
    with pytest.raises(StaleOptOutList, match="later day"):
        check(agent, ADA, BEA, CY, days_ago=7)
    done = prepare(workshop, upholding(standing), extract(tmp_path, *ROWS), nhs_mapping())
    assert (done.manifest.counts.submitted, done.manifest.counts.opted_out) == (2, 1)
    check(agent, ADA, BEA, CY)  # who has opted in again


@pytest.mark.invariant(14, "a mapping that forgets how opt-outs are known")
def test_a_mapping_cannot_leave_the_opt_out_out(setting: Setting, tmp_path: Path) -> None:
    """The agreement says how opt-outs are known; a mapping without that is refused."""
    agent, workshop, standing, _ = setting
    check(agent, ADA)
    for how, leaves_out in (("check", {"opt_out_nhs_number": None}), ("column", {})):
        with pytest.raises(NoOptOutList):
            prepare(
                workshop, upholding(standing, how), extract(tmp_path, *ROWS),
                nhs_mapping(**leaves_out),
            )  # fmt: skip
    assert agent.vault.counts() == {}


@pytest.mark.invariant(16, "the list of a check")
def test_nobody_can_read_who_opted_out(setting: Setting, tmp_path: Path) -> None:
    """Only who was let through is kept, as keyed hashes; an answer of another form is refused."""
    agent, *_ = setting
    check(agent, ADA, CY)
    with agent.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM opt_out_passed").all()
    assert len(rows) == 2
    assert not any(number.encode() in row[1] for row in rows for number in (ADA, BEA, CY))
    answer = tmp_path / "answer.dat"
    assert write_numbers(answer, [CY, ADA, ADA]) == 2
    assert answer.read_bytes() == f"{ADA},\n{CY},\n".encode()
    assert stat.S_IMODE(answer.stat().st_mode) == 0o600
    assert list(read_numbers(answer)) == [ADA, CY]
    answer.write_text(f"943 476 5919,\r\n{CY}, {BEA},\n", "ascii")
    assert list(read_numbers(answer)) == [ADA, CY, BEA]
    answer.write_text(f"{ADA},\nInvalid record 9990000019\n", "ascii")
    with pytest.raises(NotAnOptOutList, match="line 2") as wrong:
        list(read_numbers(answer))
    assert "9990000019" not in str(wrong.value)


def test_agreements_that_say_nothing_keep_their_bytes(setting: Setting) -> None:
    """The members that came later are left out of the canonical bytes where they are not used."""
    _, _, standing, _ = setting
    data = standing.agreement.model_dump(mode="json")
    assert "protected" not in data
    assert all("opt_outs" not in source for source in data["sources"])
    assert upholding(standing, None).agreement.hash == standing.agreement.hash
    assert upholding(standing).agreement.hash != standing.agreement.hash
    assert date.fromisoformat(data["valid_from"])
