"""``linkage-hub risk``: a list by the rule or a model, a training that is paid for first."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from governance.agreements.errors import ActionNotAllowed, AgreementSuspended, PrivacySpent
from governance.agreements.files import read_agreement
from governance.agreements.privacy import MICRO, PICO
from governance.privacy.registry import Spend
from governance.terminal import write_document
from linkage_hub.analytics.edited import FileNotUsable
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.needs import MET, UNKNOWN
from linkage_hub.analytics.provenance import PROVENANCE, NotThisProvenance, file_hash
from linkage_hub.analytics.risk.books import ModelBooks
from linkage_hub.analytics.risk.budget import whole
from linkage_hub.analytics.risk.cases import cases
from linkage_hub.analytics.risk.documents import ModelDocument, Privacy
from linkage_hub.analytics.risk.errors import ModelNotPaid, NoSuchOutcome, NothingShared
from linkage_hub.analytics.risk.models import LinearModel
from linkage_hub.cli import risk
from linkage_hub.cli.main import app
from linkage_hub.errors import NotAnExport
from linkage_hub.store import tables
from tests.linkage_hub.analytics.outcomes_world import NOW, Agreements
from tests.linkage_hub.analytics.risk.kept import cohort, export_run, hub_of, kept_run
from tests.linkage_hub.analytics.test_tables import NEEDS, write_terms

RULE = f"needs: [{', '.join(NEEDS)}]\nweights: {{offence: 2}}\noutcome_rate: 0.05\nmean_needs: 1\n"
RULE += "mean_unknown: 1\n"
private = pytest.mark.skipif(find_spec("opacus") is None, reason="make dp installs it")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two runs of one agreement, as the hub keeps and exports them, and a rule."""
    write_terms(tmp_path / "agreement.yaml")
    (tmp_path / "rule.yaml").write_text(RULE, "utf-8")
    terms = read_agreement(tmp_path / "agreement.yaml")
    database = hub_of(tmp_path)
    for number, (name, families) in enumerate((("then", 400), ("now", 390))):
        run = kept_run(database, terms.hash, NEEDS, cohort(families, len(NEEDS), number), number)
        export_run(database, run, tmp_path / name)
    database.close()
    open_with(tmp_path, monkeypatch)
    return tmp_path


def open_with(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    purse: object = None,
    suspended: frozenset[str] = frozenset(),
) -> None:
    """A hub with these books of runs, whose ledger has the agreement that the file has by then."""

    @contextmanager
    def opened(_home: Path) -> Iterator[SimpleNamespace]:
        agreements = Agreements(read_agreement(folder / "agreement.yaml"))
        agreements.suspended = suspended
        told = getattr(purse, "told", [])
        privacy = SimpleNamespace(spends=lambda _terms: told)
        state = SimpleNamespace(agreements=agreements, privacy=privacy)
        ledger: Any = SimpleNamespace(sync=lambda: state, state=state)
        database = hub_of(folder)
        models = ModelBooks("hub", database, ledger, lambda: NOW)
        yield SimpleNamespace(
            epsilon=purse, ledger=ledger, database=database, models=models, now=lambda: NOW
        )
        database.close()

    monkeypatch.setattr(risk, "open_hub", opened)


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
        self.told: list[Spend] = []

    def spend(self, agreement: str, outcome: str, epsilon: float, delta: float) -> str:
        """Note it, and tell the ledger."""
        if not self.enough:
            raise PrivacySpent("nothing left")
        self.spent.append((agreement, outcome, epsilon, delta))
        id_ = f"{len(self.spent):032x}"
        cost = whole(epsilon, MICRO), whole(delta, PICO)
        self.told.append(
            Spend(1, id_, "2026-11-30T00:00:00Z", 2026, "hub", agreement, outcome, *cost)
        )
        return id_


def pay_from(purse: Purse, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub's epsilon ledger is this purse; models are trained of few families."""
    open_with(folder, monkeypatch, purse)
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
    assert {row["residence"] for row in found} == {""}  # of runs of before it was asked


def test_a_list_says_of_whom_nobody_tells_where_they_are(folder: Path) -> None:
    """They are on it, as the others are."""
    database = hub_of(folder)
    with database.writing() as connection:
        every_third = tables.families.c.family.like("%3")
        for some, word in ((every_third, "untold"), (~every_third, "here")):
            connection.execute(update(tables.families).where(some).values(residence=word))
    export_run(database, "0" * 32, folder / "again")
    database.close()
    result = run(folder, "list", str(folder / "again"), f"--out={folder / 'list.csv'}")
    assert result.exit_code == 0, result.output
    said = {row["family"]: row["residence"] for row in rows(folder / "list.csv")}
    assert set(said.values()) == {"here", "untold"}
    assert all((word == "untold") == family.endswith("3") for family, word in said.items())


def test_what_is_learnt_is_who_came_later(folder: Path) -> None:
    """Families that were open then; those that are gone are counted and have no outcome."""
    then, now = read_families(folder / "then", NEEDS), read_families(folder / "now", NEEDS)
    terms = read_agreement(folder / "agreement.yaml")
    found = cases(then, now, terms, "in_programme", len(NEEDS))
    open_then = ~then.in_programme & then.resident
    assert len(found.families) == int(open_then[:390].sum())
    assert found.gone == int(open_then[390:].sum())
    assert found.outcome.tolist() == now.in_programme[open_then[:390]].tolist()


def test_a_need_or_a_referral_may_be_learnt(folder: Path) -> None:
    """Who has it already is not asked; unknown later is no outcome, and not one without."""
    terms = read_agreement(folder / "agreement.yaml")
    usual = terms.indicators[0].model_copy(update={"id": "usual_route", "used_as": "referral"})
    terms = terms.model_copy(update={"indicators": (*terms.indicators, usual)})
    then, now = read_families(folder / "then", NEEDS), read_families(folder / "now", NEEDS)
    there = np.arange(len(then)) < len(now)
    open_ = ~then.in_programme & then.resident
    for outcome, before, after in (
        ("neet", then.state[:, 0], now.state[:, 0]),
        ("usual_route", then.referred, now.referred),
    ):
        found = cases(then, now, terms, outcome, 2)
        asked = open_ & (before != MET)
        known = asked[: len(now)] & (after != UNKNOWN)
        assert found.families.needs == tuple(NEEDS[:2])
        assert found.outcome.tolist() == (after[known] == MET).tolist()
        assert found.gone == int((asked & ~there).sum())
        assert found.unknown == int(asked[: len(now)].sum()) - int(known.sum())
    assert cases(then, now, terms, "neet", 3).outcome.any()


@private
def test_a_list_leaves_out_who_has_the_outcome(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of a need that the rule does not know of; what no run says is not paid for."""
    purse = Purse()
    pay_from(purse, folder, monkeypatch)
    (folder / "rule.yaml").write_text(
        RULE.replace("neet, ", "").replace("mean_unknown: 1", "mean_unknown: .7"), "utf-8"
    )
    pair = (str(folder / "then"), str(folder / "now"), f"--out={folder / 'model.json'}")
    wrong = run(folder, "train", *pair, "--outcome=in-programme-12-months")
    assert isinstance(wrong.exception, NoSuchOutcome)
    assert purse.spent == []
    trained = run(folder, "train", *pair, "--outcome=neet")
    assert trained.exit_code == 0, (trained.output, trained.exception)
    assert [spent[1] for spent in purse.spent] == ["neet"]
    listed = run(folder, "list", str(folder / "now"), f"--model={folder / 'model.json'}",
                 f"--out={folder / 'list.csv'}")  # fmt: skip
    assert listed.exit_code == 0, (listed.output, listed.exception)
    families = read_families(folder / "now", NEEDS)
    have = set(families.family[families.state[:, 0] == MET])
    assert have
    found = {row["family"] for row in rows(folder / "list.csv")}
    open_ = families.resident & ~families.in_programme
    known = (families.state[:, 1:] != UNKNOWN).sum(axis=1) >= 2  # the agreement's minimum
    assert found == set(families.family[open_ & known]) - have
    little = set(families.family[open_ & ~known]) - have
    assert json.loads(listed.stdout)["too_little_known"] == len(little) > 0


def test_a_rule_that_does_not_say_what_is_unknown_trains_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is paid: a training might go astray; the list by the rule needs no such figure."""
    purse = Purse()
    pay_from(purse, folder, monkeypatch)
    (folder / "rule.yaml").write_text(RULE.replace("mean_unknown: 1\n", ""), "utf-8")
    result = run(folder, "list", str(folder / "then"), f"--out={folder / 'list.csv'}")
    assert result.exit_code == 0, result.output
    pair = [str(folder / "then"), str(folder / "now")]
    more = ["--outcome=in_programme", f"--out={folder / 'model.json'}"]
    result = run(folder, "train", *pair, *more)
    assert isinstance(result.exception, FileNotUsable)
    assert "mean_unknown" in str(result.exception)
    assert purse.spent == []


def test_an_agreement_for_linking_alone_gives_no_figures(folder: Path) -> None:
    """Neither a list nor a model: the agreement has to name analysis."""
    path = folder / "agreement.yaml"
    text = path.read_text("utf-8")
    assert text.count("- analyse\n") == 1
    path.write_text(text.replace("- analyse\n", ""), "utf-8")
    as_another(folder, "now", agreement=read_agreement(path).hash)
    result = run(folder, "list", str(folder / "now"), f"--out={folder / 'list.csv'}")
    assert isinstance(result.exception, ActionNotAllowed)
    assert not (folder / "list.csv").exists()


@pytest.mark.parametrize("command", ["list", "train"])
def test_an_agreement_that_is_not_in_force_gives_no_figures(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Whatever the file says: the ledger is asked, for a list as for a model."""
    terms = read_agreement(folder / "agreement.yaml")
    open_with(folder, monkeypatch, suspended=frozenset({terms.parties[0].party}))
    runs = [str(folder / "then"), str(folder / "now")][: 1 + (command == "train")]
    more = ["--outcome=in_programme"] if command == "train" else []
    result = run(folder, command, *runs, *more, f"--out={folder / 'out'}")
    assert isinstance(result.exception, AgreementSuspended), result.output
    assert not (folder / "out").exists()


def as_another(folder: Path, name: str, **changes: object) -> None:
    """An export that says otherwise where it comes from, and names its files as they are."""
    path = folder / name / PROVENANCE
    told = json.loads(path.read_bytes())
    told["files"] = {each: file_hash(folder / name / each) for each in told["files"]}
    path.write_text(json.dumps(told | changes), "utf-8")


def other_terms(folder: Path) -> None:
    """The same agreement's next version, with the analyst's rule: another purse's name."""
    path = folder / "agreement.yaml"
    path.write_text(path.read_text("utf-8").replace("version: 1", "version: 2"), "utf-8")


def add_family(folder: Path) -> None:
    """A family more in the earlier run."""
    path = folder / "then" / "families.csv"
    row = path.read_text("utf-8").splitlines()[-1].split(",", 1)[1]
    path.write_text(path.read_text("utf-8") + f"f-{'e' * 32},{row}\n", "utf-8")


def renamed(folder: Path) -> None:
    """Exports that say they are of the other agreement."""
    other_terms(folder)
    for name in ("then", "now"):
        as_another(folder, name, agreement=read_agreement(folder / "agreement.yaml").hash)


def add_family_and_hash(folder: Path) -> None:
    """As above, and named by its new hash."""
    add_family(folder)
    as_another(folder, "then")


def swap(folder: Path) -> None:
    """The later run under the earlier one's name."""
    (folder / "then").rename(folder / "was")
    (folder / "now").rename(folder / "then")
    (folder / "was").rename(folder / "now")


FOREIGN: dict[str, tuple[Callable[[Path], object], str]] = {
    "the name of another agreement": (other_terms, "under another agreement"),
    "an export that says it is of this agreement": (renamed, "no such run under the agreement"),
    "a run of nobody's": (lambda folder: as_another(folder, "then", run="c" * 32), "no such run"),
    "a file that was changed": (add_family, "changed since it was exported: families.csv"),
    "a file that was changed, and its hash too": (
        add_family_and_hash, "families.csv: not what the hub exports",
    ),
    "no provenance": (lambda folder: (folder / "now" / PROVENANCE).unlink(), "cannot be read"),
    "the later run first": (swap, "the earlier one first"),
}  # fmt: skip


@pytest.mark.parametrize("what", FOREIGN)
def test_nobody_learns_from_one_agreement_and_pays_with_another(
    folder: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """By what the export says, what its files are, and what the hub's own books say of the run."""
    spoil, expected = FOREIGN[what]
    spoil(folder)
    purse = Purse()
    pay_from(purse, folder, monkeypatch)
    result = run(folder, "train", str(folder / "then"), str(folder / "now"),
                 "--outcome=in_programme", f"--out={folder / 'model.json'}")  # fmt: skip
    assert isinstance(result.exception, NotThisProvenance | NotAnExport), result.output
    assert expected in str(result.exception)
    assert purse.spent == []
    assert not (folder / "model.json").exists()


def test_a_list_is_of_the_agreement_that_is_named(folder: Path) -> None:
    """Whether it allows analysis is asked of the right one."""
    other_terms(folder)
    result = run(folder, "list", str(folder / "now"), f"--out={folder / 'list.csv'}")
    assert isinstance(result.exception, NotThisProvenance)
    assert not (folder / "list.csv").exists()


def test_few_families_are_left_to_the_rule(folder: Path) -> None:
    """Before anything is paid for, and with what to do instead."""
    result = run(folder, "train", str(folder / "then"), str(folder / "now"),
                 "--outcome=in_programme", f"--out={folder / 'model.json'}")  # fmt: skip
    assert result.exception is not None
    assert "expected 10,000 or more" in str(result.exception)
    assert not (folder / "model.json").exists()


@private
def test_a_model_is_paid_for_and_lists_families(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One spend of at least what the document says that it cost; its list has reasons."""
    purse = Purse()
    pay_from(purse, folder, monkeypatch)
    result = run(folder, "train", str(folder / "then"), str(folder / "now"), "--share",
                 "--outcome=in_programme", f"--out={folder / 'model.json'}")  # fmt: skip
    assert result.exit_code == 0, result.output
    (told,) = json.loads(shared("shared").stdout)["models"]
    assert told["model"] == json.loads(result.stdout)["hash"]
    document = json.loads((folder / "model.json").read_text("utf-8"))
    terms = read_agreement(folder / "agreement.yaml")
    (spent,) = purse.spent
    assert spent == (terms.hash, "in_programme", 1.0, 1e-6)
    told = document["privacy"]
    assert max(told["opacus"], told["dp_accounting"]) <= 1
    assert told["randomness"] == "operating system"
    listed = run(folder, "list", str(folder / "now"), f"--model={folder / 'model.json'}",
                 f"--out={folder / 'list.csv'}")  # fmt: skip
    assert listed.exit_code == 0, listed.output
    assert json.loads(listed.stdout)["by"] == "private-logistic"
    assert rows(folder / "list.csv")[0]["reasons"]


def a_document(folder: Path, **changes: Any) -> ModelDocument:
    """A model as a training would have written it."""
    document = ModelDocument(
        model=LinearModel(
            kind="private-logistic", needs=tuple(NEEDS), intercept=-3,
            coefficients=(0.5,) * len(NEEDS) + (0.1,) * len(NEEDS),
        ),
        agreement=read_agreement(folder / "agreement.yaml").hash,
        outcome="in_programme",
        families=11_000,
        privacy=Privacy(epsilon=1, delta=1e-6, opacus=1, dp_accounting=0.99, noise=30, clip=3,
                        steps=100, randomness="operating system"),
    ).model_copy(update=changes)  # fmt: skip
    write_document(folder / "model.json", document)
    return document


def enter(folder: Path, document: ModelDocument, event: str) -> None:
    """Into the hub's books."""
    database, ledger = hub_of(folder), SimpleNamespace()
    ModelBooks("hub", database, ledger, lambda: NOW).enter(document, event)  # type: ignore[arg-type]
    database.close()


def shared(*words: str) -> Result:
    """A command about shared models."""
    return CliRunner().invoke(app, ["--json", "risk", *words])


def test_a_list_asks_the_hubs_books_and_the_ledger(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of nobody's, then one without a spend, then one that is paid for; then it edited."""
    purse = Purse()
    open_with(folder, monkeypatch, purse)
    document = a_document(folder)
    list_ = ("list", str(folder / "now"), f"--model={folder / 'model.json'}",
             f"--out={folder / 'list.csv'}")  # fmt: skip
    commands: tuple[Callable[[], Result], ...] = (
        lambda: run(folder, *list_),
        lambda: shared("share", str(folder / "model.json")),
    )
    for command in commands:
        refused = command()
        assert isinstance(refused.exception, ModelNotPaid)
        assert "trained no such model" in str(refused.exception)
    event = "0" * 31 + "1"
    enter(folder, document, event)
    for command in commands:
        refused = command()
        assert isinstance(refused.exception, ModelNotPaid)
        assert "ledger does not hold" in str(refused.exception)
    assert not (folder / "list.csv").exists()
    assert purse.spend(document.agreement, "in_programme", 1.0, 1e-6) == event
    listed = run(folder, *list_)
    assert listed.exit_code == 0, (listed.output, listed.exception)
    a_document(folder, families=11_001)
    assert isinstance(run(folder, *list_).exception, ModelNotPaid)


def test_a_model_is_shared_said_and_taken_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its hash, which the command says."""
    purse = Purse()
    open_with(folder, monkeypatch, purse)
    document = a_document(folder)
    enter(folder, document, purse.spend(document.agreement, "in_programme", 1.0, 1e-6))
    done = shared("share", str(folder / "model.json"))
    assert done.exit_code == 0, (done.output, done.exception)
    id_ = json.loads(done.stdout)["model"]
    assert [each["model"] for each in json.loads(shared("shared").stdout)["models"]] == [id_]
    assert shared("withdraw", id_).exit_code == 0
    assert json.loads(shared("shared").stdout)["models"] == []
    assert isinstance(shared("withdraw", id_).exception, NothingShared)


@private
def test_without_budget_nothing_is_trained(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal comes before the first step."""
    pay_from(Purse(enough=False), folder, monkeypatch)
    result = run(folder, "train", str(folder / "then"), str(folder / "now"),
                 "--outcome=in_programme", f"--out={folder / 'model.json'}")  # fmt: skip
    assert isinstance(result.exception, PrivacySpent)
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
