"""``linkage-hub engagement``: from runs' files to reports, lists and a published table."""

import csv
import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from governance.agreements.errors import ActionNotAllowed, AgreementSuspended, AgreementUnknown
from governance.agreements.files import read_agreement
from governance.disclosure.errors import ReleasedOtherwise
from linkage_hub.analytics.outcomes.errors import NotProved, TooFew
from linkage_hub.analytics.publishing import TableRegister
from linkage_hub.analytics.risk.documents import NotAModel
from linkage_hub.analytics.risk.errors import TooFewFamilies
from linkage_hub.cli import engagement
from linkage_hub.cli.main import app
from linkage_hub.store.database import HubDatabase
from tests.linkage_hub.analytics.outcomes_world import (
    NOW,
    Agreements,
    finish_runs,
    know,
    prove,
    runs,
    write_county,
)
from tests.linkage_hub.analytics.test_tables import NEEDS

MONTHS = 18
RULE = f"needs: [{', '.join(NEEDS)}]\nchance_in_a_year: 0.5\nmean_needs: 1.5\nmean_unknown: 1\n"
private = pytest.mark.skipif(find_spec("opacus") is None, reason="make dp installs it")


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A county's exports."""
    folder = tmp_path_factory.mktemp("county")
    write_county(folder, months=MONTHS, families=1_200)
    return folder


@pytest.fixture
def ledger(exported: Path, monkeypatch: pytest.MonkeyPatch) -> Agreements:
    """The hub's."""
    return know(exported / "agreement.yaml", monkeypatch)


def run(exported: Path, *words: str | Path) -> Result:
    """The command."""
    said = [str(word) for word in words]
    option = f"--agreement={exported / 'agreement.yaml'}"
    return CliRunner().invoke(app, ["--json", "engagement", *said, option])


@pytest.fixture
def table(exported: Path, tmp_path: Path, ledger: Agreements) -> Path:
    """Families in the programme."""
    del ledger
    result = run(exported, "history", *runs(exported, MONTHS), f"--out={tmp_path / 'spells.csv'}")
    assert result.exit_code == 0, result.output
    return tmp_path / "spells.csv"


def test_from_runs_to_a_report(exported: Path, table: Path, tmp_path: Path) -> None:
    """Curves by number of needs, figures held against later families, a page with charts."""
    teams = tmp_path / "teams.csv"
    names = [line.split(",")[0] for line in table.read_text("utf-8").splitlines()[1:]]
    of = [f"{name},{'north' if at % 2 else 'south'}\n" for at, name in enumerate(names)]
    teams.write_text("family,team\n" + "".join(of), "utf-8")
    result = run(exported, "report", table, f"--out={tmp_path / 'out'}", "--split=2025-09",
                 f"--teams={teams}")  # fmt: skip
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "engagement.json").read_text("utf-8"))
    assert report["families"] > 100
    assert [curve["group"] for curve in report["curves"]] == [
        "all families", "1 need", "2 needs", "3 needs",
    ]  # fmt: skip
    soon = [curve["at"][0]["share"]["value"] for curve in report["curves"][1:]]
    assert soon == sorted(soon, reverse=True)
    assert report["validation"]["by"] == "number of needs"
    assert report["validation"]["uno"]["value"] > 0.55
    whole = report["validation"]["rows"][0]
    assert (whole["group"], whole["month"]) == ("all families", 6)
    assert whole["expected"] == pytest.approx(whole["seen"]["value"], abs=0.1)
    assert report["provenance"]["runs"][0]["month"] == "2025-01"
    page = (tmp_path / "out" / "engagement.html").read_text("utf-8")
    assert page.count("<svg") == 2
    assert page.count("<table") == 6
    assert [team["team"] for team in report["teams"]] == ["north", "south"]
    assert "<script" not in page
    with (tmp_path / "out" / "engagement.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["table"] for row in rows} == {
        "progress", "calibration", "concordance", "team-length", "team-needs", "team-unknown",
    }  # fmt: skip
    said = {(row["table"], row["line"], row["column"]): row for row in rows}
    for curve in report["curves"]:  # a curve month by month tells who is in it
        for point in curve["at"]:
            row = said["progress", curve["group"], f"by {point['month']} months"]
            assert point["share"] == {end: float(row[end]) for end in ("value", "low", "high")}
    uno = said["concordance", "Uno's, which does not hang on how long families were watched",
               "concordance"]  # fmt: skip
    assert float(uno["value"]) == report["validation"]["uno"]["value"]
    north = report["teams"][0]
    assert float(said["team-needs", "neet", "north"]["value"]) == north["met"]["neet"]
    assert float(said["team-unknown", "neet", "north"]["value"]) == north["unknown"]["neet"]
    assert [each["run"] for each in report["provenance"]["runs"]] == [
        f"{at:032x}" for at in range(MONTHS)
    ]
    assert all(each["run"] in page for each in report["provenance"]["runs"])


def test_lists_are_for_consideration(exported: Path, table: Path, tmp_path: Path) -> None:
    """Likeliest first on the one, least likely first on the other; nobody is on both."""
    newest = exported / str(MONTHS - 1)
    result = run(exported, "lists", table, newest, f"--out={tmp_path}", "--chance=0.1",
                 "--unlikely=0.6", "--length=12")  # fmt: skip
    assert result.exit_code == 0, result.output
    found = {}
    for name in ("short-term", "longer"):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8") as file:
            found[name] = list(csv.DictReader(file))
    short, longer = found["short-term"], found["longer"]
    chances = [float(row["chance"]) for row in short]
    assert chances == sorted(chances, reverse=True)
    assert min(chances) >= 0.1
    assert {int(row["needs_met"]) for row in short} == {2, 3}  # minimum_needs is 2
    assert {row["rests_on"] for row in short} <= {"2 needs", "3 needs"}
    last = [float(row["chance"]) for row in longer]
    assert last == sorted(last)
    assert max(last) <= 0.6
    assert all(0 <= int(row["months"]) < 12 for row in longer)
    assert not {row["family"] for row in short} & {row["family"] for row in longer}


def test_what_is_published_is_one_table(
    exported: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small numbers hidden, others rounded; another definition of progress is refused."""
    database = HubDatabase(f"sqlite:///{tmp_path / 'hub.db'}")
    finish_runs(database, MONTHS, read_agreement(exported / "agreement.yaml").hash)
    know(exported / "agreement.yaml", monkeypatch, tables=TableRegister(database, lambda: NOW))
    options = [f"--out={tmp_path / 'table.csv'}"]
    result = run(exported, "table", table, *options)
    assert result.exit_code == 0, result.output
    with (tmp_path / "table.csv").open(encoding="utf-8") as file:
        numbers = {row["families"] for row in csv.DictReader(file)}
    assert all(int(each) % 10 == 0 and int(each) >= 10 for each in numbers - {"not shown"})
    other = tmp_path / "some.csv"
    run(exported, "history", *runs(exported, MONTHS), f"--out={other}", "--progress=some")
    before = (tmp_path / "table.csv").read_bytes()
    refused = run(exported, "table", other, *options)
    assert isinstance(refused.exception, ReleasedOtherwise)
    assert run(exported, "table", table, *options).exit_code == 0
    assert (tmp_path / "table.csv").read_bytes() == before
    database.close()


def test_the_agreement_has_to_allow_it_now(
    exported: Path, table: Path, tmp_path: Path, ledger: Agreements
) -> None:
    """Suspended, unknown, or for linking alone: nothing is written."""
    out = tmp_path / "out"
    ledger.suspended = frozenset({"council"})
    assert isinstance(run(exported, "report", table, f"--out={out}").exception, AgreementSuspended)
    ledger.suspended = frozenset()
    (terms,) = ledger.known.values()
    ledger.known = {terms.hash: terms.model_copy(update={"actions": terms.actions[:1]})}
    assert isinstance(run(exported, "report", table, f"--out={out}").exception, ActionNotAllowed)
    ledger.known = {}
    assert isinstance(run(exported, "report", table, f"--out={out}").exception, AgreementUnknown)
    assert not out.exists()


def test_provenance_is_checked(exported: Path, table: Path, tmp_path: Path) -> None:
    """A table that was changed, has none, or is said to have been made elsewhere."""
    out = f"--out={tmp_path / 'out'}"
    text = table.read_text("utf-8")
    table.write_text(text.replace("unknown", "unmet", 1), "utf-8")
    assert isinstance(run(exported, "report", table, out).exception, NotProved)
    alone = tmp_path / "alone.csv"
    alone.write_text(text, "utf-8")
    assert isinstance(run(exported, "report", alone, out).exception, NotProved)
    result = run(exported, "report", alone, out, "--made-elsewhere")
    assert result.exit_code == 0, result.output
    assert "has not been checked" in (tmp_path / "out" / "engagement.html").read_text("utf-8")


def test_files_of_runs_are_checked(exported: Path, tmp_path: Path, ledger: Agreements) -> None:
    """A file that is not as written, another agreement's, one run for two months."""
    folder = tmp_path / "march"
    folder.mkdir()
    for name in ("families.csv", "needs.csv"):
        (folder / name).write_bytes((exported / "2" / name).read_bytes())
    words = [*runs(exported, 2), f"2025-03={folder}", f"--out={tmp_path / 'spells.csv'}"]
    (hash_,) = ledger.known
    for agreement, number, change in (
        (f"sha256:{'0' * 64}", 9, ""),
        (hash_, 0, ""),
        (hash_, 9, "\n"),
    ):
        prove(folder, agreement, number)
        with (folder / "needs.csv").open("a", encoding="utf-8") as file:
            file.write(change)
        assert isinstance(run(exported, "history", *words).exception, NotProved)
    prove(folder, hash_, 9)
    assert run(exported, "history", *words[:-1], "2025-03=x", words[-1]).exit_code == 2


def test_few_families_are_left_alone(exported: Path, tmp_path: Path, ledger: Agreements) -> None:
    """Nothing is said of some dozens."""
    del ledger
    table = tmp_path / "spells.csv"
    run(exported, "history", *runs(exported, 2), f"--out={table}")
    text = table.read_text("utf-8").splitlines(keepends=True)
    table.write_text("".join(text[:40]), "utf-8")
    result = run(exported, "report", table, f"--out={tmp_path}", "--made-elsewhere")
    assert isinstance(result.exception, TooFew)


def test_few_families_train_nothing(exported: Path, table: Path, tmp_path: Path) -> None:
    """Before anything is paid for."""
    (tmp_path / "rule.yaml").write_text(RULE, "utf-8")
    result = run(exported, "train", table, f"--rule={tmp_path / 'rule.yaml'}", "--until=2025-10",
                 f"--out={tmp_path / 'model.json'}")  # fmt: skip
    assert isinstance(result.exception, TooFewFamilies)
    assert "10,000" in str(result.exception)


@private
def test_a_model_is_paid_for_and_measured_later(
    exported: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One spend; the report measures it on families that joined after what it learnt from."""
    spent: list[tuple[str, str, float, float]] = []

    class Purse:
        """Notes what is spent."""

        def spend(self, *cost: float) -> None:
            """Note it."""
            spent.append(cost)  # type: ignore[arg-type]

    know(exported / "agreement.yaml", monkeypatch, Purse())
    monkeypatch.setattr(engagement, "LEAST_FAMILIES", 100)
    (tmp_path / "rule.yaml").write_text(RULE, "utf-8")
    model = tmp_path / "model.json"
    result = run(exported, "train", table, f"--rule={tmp_path / 'rule.yaml'}", "--until=2025-08",
                 f"--out={model}")  # fmt: skip
    assert result.exit_code == 0, result.output
    ((_, outcome, epsilon, _),) = spent
    assert (outcome, epsilon) == ("progress-in-programme", 1.0)
    out = f"--out={tmp_path / 'out'}"
    assert run(exported, "report", table, out, f"--model={model}", "--split=2025-07").exit_code == 2
    result = run(exported, "report", table, out, f"--model={model}")
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "out" / "engagement.json").read_text("utf-8"))
    assert (report["validation"]["by"], report["validation"]["split"]) == ("model", "2025-08")
    listed = run(exported, "lists", table, exported / "17", f"--out={tmp_path}", "--chance=0",
                 f"--model={model}")  # fmt: skip
    assert listed.exit_code == 0, listed.output
    assert ":un" in (tmp_path / "short-term.csv").read_text("utf-8")
    model.write_text("{}", "utf-8")
    assert isinstance(run(exported, "report", table, out, f"--model={model}").exception, NotAModel)
