"""``linkage-hub interventions``: from runs to a comparison that is given, or withheld."""

import csv
import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from governance.agreements.errors import AgreementSuspended
from governance.agreements.files import read_agreement
from governance.canonical import hash_of, sha256
from governance.disclosure.errors import ReleasedOtherwise, WouldDisclose
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import Counted, PublishedTable, protect
from governance.reports.files import as_csv
from governance.reports.models import Dots, Estimate, Report
from governance.reports.page import as_page
from governance.terminal import write_document
from governance.transparency.code import installed
from linkage_hub.analytics.interventions.cases import (
    NO,
    NOT_KNOWN,
    YES,
    Cases,
    cases_bytes,
    cases_of,
    read_cases,
)
from linkage_hub.analytics.interventions.document import document_of
from linkage_hub.analytics.interventions.published import COLUMNS, LISTED, ROWS
from linkage_hub.analytics.interventions.report import InterventionReport, report_of
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.outcomes.errors import (
    ComparisonWithheld,
    NotATable,
    NotProved,
    TooFew,
)
from linkage_hub.analytics.outcomes.panel import Panel
from linkage_hub.analytics.outcomes.provenance import ELSEWHERE, TableProvenance, beside
from linkage_hub.analytics.publishing import TableRegister
from linkage_hub.cli.main import app
from linkage_hub.store.database import HubDatabase
from tests.linkage_hub.analytics.interventions.world import cases
from tests.linkage_hub.analytics.outcomes_world import (
    NOW,
    finish_runs,
    from_runs,
    know,
    pseudonym,
    runs,
    write_county,
)
from tests.linkage_hub.analytics.test_tables import write_terms

HASH = f"sha256:{'0' * 64}"
CAUSAL = re.compile(
    r"\b(effect|impact|because of|due to|led to|caused?|causal|thanks to)\b", re.IGNORECASE
)
U, N, M = UNKNOWN, UNMET, MET


@pytest.fixture(autouse=True)
def _few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Help is pretended four times, not twenty."""
    monkeypatch.setattr("linkage_hub.analytics.interventions.placebo.TRIES", 4)


def report(found: Cases, threshold: int = 8) -> InterventionReport:
    """Of cases made elsewhere, looked at after 12 months."""
    return report_of(found, HASH, HASH, None, 12, threshold)


def read(made: InterventionReport) -> Report:
    """As staff read it."""
    return document_of(made, date(2026, 11, 29), HASH)


def changed(found: Cases, **columns: np.ndarray) -> Cases:
    """With other columns."""
    names = ("family", "month", "helped", "later", "before", "outcome", "needs", "state")
    return Cases(**{name: columns.get(name, getattr(found, name)) for name in names})


def test_what_is_there_is_found_and_what_is_not_is_not() -> None:
    """Help adds a fifth, or nothing; needs that move both would make it less."""
    found = report(cases(2_000, adds=0.2))
    assert found.withheld == ()
    assert found.comparison is not None
    assert found.comparison.low < 0.2 < found.comparison.high
    assert found.comparison.low > 0.05
    assert found.strength is not None
    assert found.strength.gamma > 1.2
    nothing = report(cases(2_000)).comparison
    assert nothing is not None
    assert nothing.low < 0 < nothing.high


@pytest.mark.parametrize("reason", [
    "few_pairs", "small_support", "not_alike", "unknown_unevenly", "placebo_before_untried",
    "placebo_before",
])  # fmt: skip
def test_a_check_that_fails_withholds_the_comparison(
    reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each by itself; the page says which, and has no comparison."""
    found = cases(900, adds=0.2)
    if reason == "few_pairs":
        monkeypatch.setattr("linkage_hub.analytics.interventions.report.PAIRS_LEAST", 10_000)
    elif reason == "small_support":
        found = cases(900, needs=4, adds=0.2)
    elif reason == "not_alike":
        monkeypatch.setattr("linkage_hub.analytics.interventions.report.MOST_DIFFERENT", -1)
    elif reason == "unknown_unevenly":
        hidden = found.helped & (np.arange(len(found)) % 4 == 0)
        found = changed(found, outcome=np.where(hidden, NOT_KNOWN, found.outcome).astype(np.int8))
    elif reason == "placebo_before_untried":
        found = changed(found, before=np.full(len(found), NOT_KNOWN, dtype=np.int8))
    else:
        found = cases(1_500, hidden=1.5)
    made = report(found)
    assert reason in made.withheld
    assert made.comparison is None
    assert made.strength is None
    document = read(made)
    page = as_page(document).decode()
    assert "The comparison is not given" in page
    assert "The association" not in page
    tables = {table.id for table in document.tables}
    assert "placebo-pretended" in tables
    assert not {"comparison", "pairs"} & tables


def test_a_comparison_stands_with_its_checks() -> None:
    """The document has the report's figures, as shares of pairs, and says where it comes from."""
    made = report(cases(900, adds=0.2))
    found = made.comparison
    assert found is not None
    document = read(made)
    tables = {table.id: table for table in document.tables}
    ((_, pairs, helped, others, difference),) = tables["comparison"].rows
    assert (pairs, helped, others) == (
        found.pairs, found.helped / found.pairs, found.others / found.pairs,
    )  # fmt: skip
    assert isinstance(difference, Estimate)
    assert (difference.value, difference.low, difference.high) == (
        found.difference, found.low, found.high,
    )  # fmt: skip
    counts = [row[1] for row in tables["pairs"].rows[:4]]
    assert sum(int(str(each)) for each in counts) == found.pairs
    rows = {row[0]: row[3:] for row in tables["balance"].rows}
    for part in document.parts:
        if part.id == "balance":
            assert isinstance(part.chart, Dots)
            for point in part.chart.points:
                assert point.value == rows[point.line][part.chart.series.index(point.series)]
    assert (document.runs, document.warnings) == ((), (ELSEWHERE,))
    assert document.inputs["interventions.json"] == hash_of(made)


def test_below_the_threshold_nothing_is_said() -> None:
    """Fewer families of a kind than the agreement lets be shown."""
    found = cases(200)
    few = np.where(found.helped, NO, found.outcome).astype(np.int8)
    few[np.flatnonzero(found.helped)[:7]] = YES
    with pytest.raises(TooFew):
        report(changed(found, outcome=few))
    few[np.flatnonzero(found.helped)[:8]] = YES
    report(changed(found, outcome=few))
    with pytest.raises(TooFew):
        report(changed(found, outcome=few), threshold=9)


def test_no_causal_word_is_used() -> None:
    """Neither where a comparison is given nor where it is not."""
    for found in (cases(900, adds=0.2), cases(1_500, hidden=1.5)):
        made = report(found)
        document = read(made)
        text = as_page(document).decode() + as_csv(document).decode() + made.model_dump_json()
        assert not CAUSAL.search(re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL))
        assert "association" in text
        assert len(made.assumptions) >= 5


def test_cases_by_hand() -> None:
    """Months 0, 2 and 4, looked at after two: who is helped, what came before and after."""

    def family(inside: str, *states: tuple[int, int]) -> tuple[str, tuple[tuple[int, int], ...]]:
        return inside, states

    families = [
        family("..xxx", (M, M), (M, M), (N, M), (N, N), (N, N)),  # helped after month 1
        family(".....", (M, M), (M, M), (M, M), (N, M), (N, U)),
        family("....x", (M, M), (U, M), (M, M), (M, M), (N, N)),  # helped later
        family("xxxxx", *[(M, M)] * 5),  # always helped: no case
        family(".....", *[(M, U)] * 5),  # one need: not enough
    ]  # fmt: skip
    shape = (5, len(families))
    inside = np.array([[word[m] == "x" for word, _ in families] for m in range(5)])
    panel = Panel(
        24_300 + np.arange(5),
        np.array([pseudonym(at) for at in range(len(families))], dtype=object),
        ("debt", "neet"),
        np.array([[states[m] for _, states in families] for m in range(5)], dtype=np.int8),
        np.ones(shape, dtype=np.bool_),
        inside,
        np.ones(shape, dtype=np.bool_),
    )
    found = cases_of(panel, 2, 2, every=True)
    rows = [
        (int(name[-1]), month - 24_300, helped, later, before, outcome)
        for name, month, helped, later, before, outcome in zip(
            found.family, found.month.tolist(), found.helped.tolist(), found.later.tolist(),
            found.before.tolist(), found.outcome.tolist(), strict=True,
        )
    ]  # fmt: skip
    assert rows == [
        (0, 0, False, True, NOT_KNOWN, NO),  # not helped in the next month, helped by month 2
        (1, 0, False, False, NOT_KNOWN, NO),
        (2, 0, False, False, NOT_KNOWN, NO),
        (0, 1, True, False, NOT_KNOWN, YES),
        (1, 1, False, False, NOT_KNOWN, NO),
        (1, 2, False, False, NO, NOT_KNOWN),  # of the second nobody speaks any more
        (2, 2, False, True, NO, YES),
    ]
    with pytest.raises(NotATable, match="apart"):
        cases_of(panel, 2, 7, every=True)


def test_a_table_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And one that cannot be is refused."""
    path, found = tmp_path / "cases.csv", cases(40)
    path.write_bytes(cases_bytes(found))
    assert cases_bytes(read_cases(path)) == path.read_bytes()
    lines = path.read_text("utf-8").splitlines(keepends=True)
    helped = next(line for line in lines if re.search(r"-0\d,yes,no,", line))
    for wrong, expected in (
        ([*lines, lines[1]], "each family once a month"),
        ([*lines, re.sub(r"2025-0\d,yes", "2026-01,no", helped)], "no month after help began"),
        ([lines[0], helped.replace(",yes,no,", ",yes,yes,")], "later: no where helped"),
        ([lines[0], helped.replace(",yes,no,", ",perhaps,no,")], "helped: no or yes"),
    ):
        path.write_text("".join(wrong), "utf-8")
        with pytest.raises(NotATable, match=expected):
            read_cases(path)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county's exports."""
    folder = tmp_path_factory.mktemp("county")
    write_county(folder, months=8, families=700, seed=3)
    return folder


def run(exported: Path, *words: str | Path) -> Result:
    """The command."""
    said = [str(word) for word in words]
    option = f"--agreement={exported / 'agreement.yaml'}"
    return CliRunner().invoke(app, ["--json", "interventions", *said, option])


def test_from_runs_to_a_report(
    exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cases with provenance; a report with its checks; refused once the table is changed."""
    agreements = know(exported / "agreement.yaml", monkeypatch)
    table, out = tmp_path / "cases.csv", tmp_path / "out"
    made = run(exported, "cases", *runs(exported, 8), f"--out={table}", "--months=2",
               "--progress=some")  # fmt: skip
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["helped"] > 50
    result = run(exported, "report", table, f"--out={out}")
    found = json.loads((out / "interventions.json").read_text("utf-8"))
    assert found["months"] == 2
    assert found["provenance"]["kind"] == "cases"
    assert found["support"]["matched"] > 50
    assert sorted(path.suffix for path in out.iterdir()) == [
        ".csv", ".html", ".json", ".pdf", ".xlsx",
    ]  # fmt: skip
    page = (out / "interventions.html").read_text("utf-8")
    assert all(each["run"] in page for each in found["provenance"]["runs"])
    assert isinstance(result.exception, ComparisonWithheld) == bool(found["withheld"])
    assert run(exported, "report", table, f"--out={out}", "--months=2").exit_code == 2
    agreements.suspended = frozenset({"council"})
    assert isinstance(run(exported, "report", table, f"--out={out}").exception, AgreementSuspended)
    agreements.suspended = frozenset()
    table.write_text(table.read_text("utf-8").replace(",no,no,", ",no,yes,", 1), "utf-8")
    assert isinstance(run(exported, "report", table, f"--out={out}").exception, NotProved)


def test_what_is_published_is_one_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded, of a comparison that is given; another over the same table is refused."""
    write_terms(tmp_path / "agreement.yaml")
    database = HubDatabase(f"sqlite:///{tmp_path / 'hub.db'}")
    finish_runs(database, 1, read_agreement(tmp_path / "agreement.yaml").hash)
    register = TableRegister(database, lambda: NOW)
    know(tmp_path / "agreement.yaml", monkeypatch, tables=register)
    monkeypatch.setattr("linkage_hub.cli.interventions.population_of", lambda *_: "1" * 32)
    table = tmp_path / "cases.csv"
    terms = read_agreement(tmp_path / "agreement.yaml").hash

    def made(found: Cases) -> None:
        data = cases_bytes(found)
        table.write_bytes(data)
        write_document(
            beside(table),
            TableProvenance(
                kind="cases", agreement=terms, table=sha256(data), runs=from_runs(1),
                progress="every", months=12, left_out={}, program=installed(),
            ),
        )  # fmt: skip

    options = [f"--out={tmp_path / 'out.csv'}"]
    table.write_bytes(cases_bytes(cases(900, adds=0.2)))
    assert isinstance(run(tmp_path, "table", table, *options).exception, NotProved)
    made(cases(900, adds=0.2))
    result = run(tmp_path, "table", table, *options)
    assert result.exit_code == 0, result.output
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        numbers = [row["families"] for row in csv.DictReader(file)]
    assert len(numbers) == 9
    assert all(int(each) % 10 == 0 for each in numbers)
    ((population, tables),) = register.released().items()
    assert [each.table for each in tables] == ["helped-by-progress"]
    assert population != "1" * 32  # engagement's table of these runs is of other families
    made(cases(900, seed=3, adds=0.2))
    assert isinstance(run(tmp_path, "table", table, *options).exception, ReleasedOtherwise)
    made(cases(1_500, hidden=1.5))
    assert isinstance(run(tmp_path, "table", table, *options).exception, ComparisonWithheld)
    database.close()


def test_a_table_is_held_against_those_of_other_runs(tmp_path: Path) -> None:
    """Almost the same families, as another population: it would tell of a change by a few."""

    def counted(population: str, cells: list[list[int]]) -> None:
        def make(register: ReleaseRegister) -> tuple[PublishedTable, ReleaseRegister]:
            counts = np.array(cells, dtype=np.int64)
            table, answers = protect(
                Counted(LISTED.id, population, ROWS, COLUMNS, counts), (LISTED,), 8
            )
            return table, register.with_table(table, answers, 8)

        register.publish_one(population, [f"{0:032x}"], lambda _: 60, 8, make)

    database = HubDatabase(f"sqlite:///{tmp_path / 'hub.db'}")
    finish_runs(database, 1)
    register = TableRegister(database, lambda: NOW)
    counted("a" * 32, [[12, 28], [41, 15]])
    with pytest.raises(WouldDisclose):
        counted("b" * 32, [[12, 29], [43, 19]])
    assert set(register.released()) == {"a" * 32}
    counted("c" * 32, [[12, 28], [41, 15]])
    database.close()
