"""``linkage-hub risk``: a list by the rule or a model, a training that is paid for first."""

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from governance.agreements.errors import ActionNotAllowed
from governance.agreements.files import read_agreement
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.risk.cases import cases
from linkage_hub.analytics.risk.errors import BudgetSpent
from linkage_hub.cli import risk
from linkage_hub.cli.main import app
from tests.linkage_hub.analytics.exports import write_export
from tests.linkage_hub.analytics.test_tables import NEEDS, write_terms

RULE = f"needs: [{', '.join(NEEDS)}]\nweights: {{offence: 2}}\noutcome_rate: 0.05\nmean_needs: 1\n"
private = pytest.mark.skipif(find_spec("opacus") is None, reason="make dp installs it")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two exports of one agreement, and a rule."""
    write_terms(tmp_path / "agreement.yaml")
    (tmp_path / "rule.yaml").write_text(RULE, "utf-8")
    write_export(tmp_path / "then", NEEDS, seed=1)
    write_export(tmp_path / "now", NEEDS, seed=2, families=390)
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    """The command."""
    options = [f"--agreement={folder / 'agreement.yaml'}", f"--rule={folder / 'rule.yaml'}"]
    return CliRunner().invoke(app, ["--json", "risk", *words, *options])


def rows(path: Path) -> list[dict[str, str]]:
    """Of a list."""
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Purse:
    """Notes what is spent, and lets it be or not."""

    def __init__(self, *, enough: bool = True) -> None:
        self.enough = enough
        self.spent: list[tuple[str, str, float, float]] = []

    def spend(self, agreement: str, outcome: str, epsilon: float, delta: float) -> None:
        """Note it."""
        if not self.enough:
            raise BudgetSpent("nothing left")
        self.spent.append((agreement, outcome, epsilon, delta))


def pay_from(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's epsilon ledger is this purse."""
    hub = SimpleNamespace(epsilon=purse, ledger=SimpleNamespace(sync=lambda: None))

    @contextmanager
    def opened(_home: Path) -> Iterator[SimpleNamespace]:
        yield hub

    monkeypatch.setattr(risk, "open_hub", opened)
    monkeypatch.setattr(risk, "LEAST_FAMILIES", 100)


def test_the_rule_lists_families_for_consideration(folder: Path) -> None:
    """The most needs come first, by their weight; nobody in the programme is listed."""
    result = run(folder, "list", str(folder / "then"), f"--out={folder / 'list.csv'}", "--size=50")
    assert result.exit_code == 0, result.output
    found = rows(folder / "list.csv")
    assert len(found) == 50
    families = read_families(folder / "then", NEEDS)
    helped = set(families.family[families.in_programme])
    assert not helped & {row["family"] for row in found}
    likely = [float(row["probability"]) for row in found]
    assert likely == sorted(likely, reverse=True)
    assert found[0]["reasons"].split()[0] == "offence:met"
    assert all("unknown" not in row["reasons"] for row in found)


def test_what_is_learnt_is_who_came_later(folder: Path) -> None:
    """Families that were open then; those that are gone are counted and have no outcome."""
    then, now = read_families(folder / "then", NEEDS), read_families(folder / "now", NEEDS)
    found = cases(then, now)
    open_then = ~then.in_programme & then.resident
    assert len(found.families) == int(open_then[:390].sum())
    assert found.gone == int(open_then[390:].sum())
    assert found.outcome.tolist() == now.in_programme[open_then[:390]].tolist()


def test_an_agreement_for_linking_alone_gives_no_figures(folder: Path) -> None:
    """Neither a list nor a model: the agreement has to name analysis."""
    path = folder / "agreement.yaml"
    text = path.read_text("utf-8")
    assert text.count("- analyse\n") == 1
    path.write_text(text.replace("- analyse\n", ""), "utf-8")
    result = run(folder, "list", str(folder / "now"), f"--out={folder / 'list.csv'}")
    assert isinstance(result.exception, ActionNotAllowed)
    assert not (folder / "list.csv").exists()


def test_few_families_are_left_to_the_rule(folder: Path) -> None:
    """Before anything is paid for, and with what to do instead."""
    result = run(folder, "train", str(folder / "then"), str(folder / "now"),
                 "--outcome=in-programme-12-months", f"--out={folder / 'model.json'}")  # fmt: skip
    assert result.exception is not None
    assert "expected 10,000 or more" in str(result.exception)
    assert not (folder / "model.json").exists()


@private
def test_a_model_is_paid_for_and_lists_families(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One spend of at least what the document says that it cost; its list has reasons."""
    purse = Purse()
    pay_from(purse, monkeypatch)
    result = run(folder, "train", str(folder / "then"), str(folder / "now"),
                 "--outcome=in-programme-12-months", f"--out={folder / 'model.json'}")  # fmt: skip
    assert result.exit_code == 0, result.output
    document = json.loads((folder / "model.json").read_text("utf-8"))
    terms = read_agreement(folder / "agreement.yaml")
    (spent,) = purse.spent
    assert spent == (terms.hash, "in-programme-12-months", 1.0, 1e-6)
    told = document["privacy"]
    assert max(told["opacus"], told["dp_accounting"]) <= 1
    assert told["randomness"] == "operating system"
    listed = run(folder, "list", str(folder / "now"), f"--model={folder / 'model.json'}",
                 f"--out={folder / 'list.csv'}")  # fmt: skip
    assert listed.exit_code == 0, listed.output
    assert json.loads(listed.stdout)["by"] == "private-logistic"
    assert rows(folder / "list.csv")[0]["reasons"]


@private
def test_without_budget_nothing_is_trained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal comes before the first step."""
    pay_from(Purse(enough=False), monkeypatch)
    result = run(folder, "train", str(folder / "then"), str(folder / "now"),
                 "--outcome=in-programme-12-months", f"--out={folder / 'model.json'}")  # fmt: skip
    assert isinstance(result.exception, BudgetSpent)
    assert not (folder / "model.json").exists()


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [("rule.yaml", RULE.replace("neet", "debt"), "lacks: debt"), ("model.json", "{}", "a model")],
)
def test_what_does_not_fit_is_refused(folder: Path, name: str, text: str, expected: str) -> None:
    """A rule about other needs, and a file that is no model."""
    (folder / name).write_text(text, "utf-8")
    model = [f"--model={folder / name}"] if name == "model.json" else []
    result = run(folder, "list", str(folder / "then"), f"--out={folder / 'list.csv'}", *model)
    assert expected in str(result.exception)
    assert not (folder / "list.csv").exists()
