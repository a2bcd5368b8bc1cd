"""Measures with noise: what one family can change, what intervals hold, and what is paid before."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from governance.agreements.errors import PrivacySpent
from governance.agreements.files import read_agreement
from governance.canonical import canonical_bytes, hash_of
from linkage_hub.analytics.exported import read_families
from linkage_hub.analytics.provenance import NotThisProvenance
from linkage_hub.analytics.risk.cases import cases
from linkage_hub.analytics.risk.documents import ModelDocument, NotAModel, Privacy
from linkage_hub.analytics.risk.errors import ModelNotPaid, TooFewFamilies
from linkage_hub.analytics.risk.features import Features, features_of
from linkage_hub.analytics.risk.measured import (
    SPENT_ON,
    Counts,
    counted,
    mean_interval,
    measures_of,
    read_measures,
)
from linkage_hub.analytics.risk.models import LinearModel
from linkage_hub.cli import measure
from linkage_hub.cli.main import app
from tests.linkage_hub.analytics.outcomes_world import NOW, Agreements
from tests.linkage_hub.analytics.risk.kept import a_year_on, cohort, export_run, hub_of, kept_run
from tests.linkage_hub.analytics.test_tables import NEEDS, write_terms

with_noise = pytest.mark.skipif(find_spec("opendp") is None, reason="make dp installs it")
UNPAID = 901
MODEL = LinearModel(
    kind="private-logistic",
    needs=tuple(NEEDS),
    intercept=-2.0,
    coefficients=tuple(0.9 - 0.2 * at for at in range(len(NEEDS))) + (0.05,) * len(NEEDS),
)
SURE = MODEL.model_copy(update={"intercept": 50.0})  # probabilities that are 1


@given(
    st.lists(
        st.tuples(st.integers(0, 3 ** len(NEEDS) - 1), st.booleans()), min_size=6, max_size=25
    ),
    st.integers(0, 24),
    st.sampled_from([MODEL, SURE, MODEL.model_copy(update={"intercept": 0.0})]),
)
def test_one_family_changes_no_count_by_more_than_one(
    rows: list[tuple[int, bool]], gone: int, model: LinearModel
) -> None:
    """Whoever goes, and whoever takes the place on the list: what the noise is measured for."""
    codes = np.array([[code // 3**at % 3 for at in range(len(NEEDS))] for code, _ in rows])
    outcome = np.array([came for _, came in rows])
    left = np.arange(len(rows)) != gone % len(rows)
    whole = counted(model, features_of(NEEDS, codes.astype(np.int8)), outcome, 5)
    less = counted(model, features_of(NEEDS, codes[left].astype(np.int8)), outcome[left], 5)
    changes = [abs(a - b) for a, b in zip(_counts(whole), _counts(less), strict=True)]
    assert max(changes) <= 1
    assert whole.observed - less.observed == outcome[~left].sum()


def _counts(counts: Counts) -> tuple[int, int, int]:
    return counts.listed, counts.observed, counts.expected


def test_intervals_hold_what_they_are_for() -> None:
    """95 of 100 of what chance and noise do together, and not much more; capture at least that."""
    random, scale = np.random.default_rng(3), 10.0
    size, families, rate, hit, draws = 600, 20_000, 0.05, 0.3, 40
    held = np.zeros(4)
    for _ in range(draws):
        listed = random.binomial(size, hit)
        observed = listed + random.binomial(families - size, rate)
        noise = np.diff(random.geometric(1 - np.exp(-1 / scale), (2, 3)), axis=0)[0].tolist()
        expected = hit * size + rate * (families - size)
        noisy = Counts(listed=listed + noise[0], observed=observed + noise[1],
                       expected=round(expected) + noise[2])  # fmt: skip
        precision, capture, ratio = measures_of(noisy, families, size, scale)
        share = hit * size / expected
        held += [
            precision.low <= hit <= (precision.high or 0),
            capture.low <= share <= (capture.high or 0),
            ratio.low <= 1 <= (ratio.high or np.inf),
            ratio.high is not None and ratio.high - ratio.low < 0.4,
        ]
    assert 0.88 <= held[0] / draws < 1
    assert held[1:].min() / draws >= 0.95


def test_the_interval_of_a_count_without_noise_is_the_binomials() -> None:
    """As Clopper and Pearson's, and within nought and all."""
    low, high = mean_interval(30, 1e-3, 600, 0.95)
    assert low / 600 == pytest.approx(0.0340, abs=2e-4)
    assert high / 600 == pytest.approx(0.0706, abs=2e-4)
    assert mean_interval(-40, 1.0, 600, 0.95)[0] == 0
    assert mean_interval(700, 1.0, 600, 0.95) == (600, 600)


def test_what_noise_leaves_open_is_said_to_be_open() -> None:
    """Nobody expected, as far as the noise tells: no ratio, and no upper end."""
    _, capture, ratio = measures_of(Counts(listed=-3, observed=-5, expected=-2), 900, 600, 10.0)
    assert (ratio.value, ratio.high) == (None, None)
    assert capture.value is None


class Purse:
    """Notes what is spent and what was known of families by then."""

    def __init__(self, *, enough: bool = True) -> None:
        self.enough = enough
        self.spent: list[tuple[str, str, float, float]] = []

    def require_paid(self, document: ModelDocument) -> None:
        """Of what the books of models know, a hash."""
        if document.families == UNPAID:
            raise ModelNotPaid("not trained here")

    def spend(self, agreement: str, outcome: str, epsilon: float, delta: float) -> None:
        """Note it, or refuse."""
        if not self.enough:
            raise PrivacySpent("nothing left")
        self.spent.append((agreement, outcome, epsilon, delta))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs of one agreement a year apart, and a model that learnt from the first two."""
    write_terms(tmp_path / "agreement.yaml")
    terms = read_agreement(tmp_path / "agreement.yaml")
    database = hub_of(tmp_path)
    found, runs = cohort(900, len(NEEDS), 1), []
    for number, name in enumerate(("first", "then", "now")):
        runs.append(kept_run(database, terms.hash, NEEDS, found, number))
        export_run(database, runs[-1], tmp_path / name)
        found = a_year_on(found, number)
    database.close()
    document = ModelDocument(
        model=MODEL, agreement=terms.hash, outcome="in_programme", families=900,
        privacy=Privacy(epsilon=1.0, delta=1e-6, opacus=0.99, dp_accounting=0.99, noise=20.0,
                        clip=3.0, steps=100, randomness="operating system"),
        learnt_from=(runs[0], runs[1]),
    )  # fmt: skip
    (tmp_path / "model.json").write_bytes(canonical_bytes(document))
    return tmp_path


def run(folder: Path, purse: Purse, *words: str, size: int = 100) -> Result:
    """The command, on a hub with these books."""

    @contextmanager
    def opened(_home: Path) -> Iterator[SimpleNamespace]:
        state = SimpleNamespace(agreements=Agreements(read_agreement(folder / "agreement.yaml")))
        ledger = SimpleNamespace(sync=lambda: state, state=state)
        database = hub_of(folder)
        models = SimpleNamespace(require_paid=purse.require_paid)
        yield SimpleNamespace(
            epsilon=purse, ledger=ledger, database=database, now=lambda: NOW, models=models
        )
        database.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measure, "open_hub", opened)
        return CliRunner().invoke(
            app,
            ["--json", "risk", "measure", *(str(folder / each) for each in words),
             f"--agreement={folder / 'agreement.yaml'}", f"--model={folder / 'model.json'}",
             "--epsilon=1.5", f"--out={folder / 'measures.json'}", f"--size={size}"],
        )  # fmt: skip


@with_noise
def test_measures_are_paid_for_and_near_what_is_true(folder: Path) -> None:
    """Three counts, of which 95 in 100 are off by six at most, of families of the later period."""
    purse = Purse()
    result = run(folder, purse, "then", "now")
    assert result.exit_code == 0, (result.output, result.exception)
    document = ModelDocument.model_validate_json((folder / "model.json").read_bytes())
    (spent,) = purse.spent
    assert spent[:2] == (document.agreement, SPENT_ON)
    assert 1.5 <= spent[2] < 1.52
    measures = read_measures(folder / "measures.json")
    assert measures.model == hash_of(document)
    assert (measures.epsilon, measures.list_size, measures.off_by) == (spent[2], 100, 6)
    true = counted(MODEL, *_later(folder), 100)
    for got, real in zip(_counts(measures.counts), _counts(true), strict=True):
        assert abs(got - real) <= 60  # further off once in 10^13
    assert measures.precision.low <= true.listed / 100 <= (measures.precision.high or 1)
    assert json.loads(result.stdout)["families"] == len(_later(folder)[1])


def _later(folder: Path) -> tuple[Features, np.ndarray]:
    terms = read_agreement(folder / "agreement.yaml")
    then, now = (read_families(folder / name, NEEDS) for name in ("then", "now"))
    found = cases(then, now, terms, "in_programme", len(NEEDS))
    known = (found.families.values[:, len(NEEDS) :] == 0).sum(axis=1) >= terms.minimum_needs
    assert not known.all()  # of the others the model says nothing
    return found.families.rows(np.flatnonzero(known)), found.outcome[known]


@with_noise
def test_nothing_is_measured_on_what_was_learnt_from_or_without_paying(folder: Path) -> None:
    """Nor on fewer families than the list is long, nor of a model that does not say its runs."""
    purse = Purse()
    assert isinstance(run(folder, purse, "first", "then").exception, NotThisProvenance)
    assert isinstance(run(folder, purse, "then", "now", size=901).exception, TooFewFamilies)
    poor = run(folder, Purse(enough=False), "then", "now")
    assert isinstance(poor.exception, PrivacySpent)
    document = ModelDocument.model_validate_json((folder / "model.json").read_bytes())
    for change in ({"learnt_from": None}, {"agreement": "sha256:" + "0" * 64}):
        other = document.model_copy(update=change)
        (folder / "model.json").write_bytes(canonical_bytes(other))
        assert isinstance(run(folder, purse, "then", "now").exception, NotAModel)
    other = document.model_copy(update={"families": UNPAID})
    (folder / "model.json").write_bytes(canonical_bytes(other))
    assert isinstance(run(folder, purse, "then", "now").exception, ModelNotPaid)
    assert purse.spent == []
    assert not (folder / "measures.json").exists()
