"""``linkage-hub transparency``: a record by the command, and what goes into it of a run."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from governance.agreements.files import write_agreement
from governance.canonical import hash_of, sha256
from governance.terminal import write_document
from governance.transparency.models import TransparencyRecord
from governance.transparency.written import Supplier, Written
from linkage_hub.analytics.edited import read_edited
from linkage_hub.analytics.provenance import NotThisProvenance, Provenance
from linkage_hub.analytics.risk.documents import ModelDocument, Privacy
from linkage_hub.analytics.risk.measured import Counts, Interval, Measures
from linkage_hub.analytics.risk.models import LinearModel
from linkage_hub.analytics.transparency import PERSONS_LEAST, Estimates, model_cards, read_estimates
from linkage_hub.cli.main import app
from linkage_hub.cli.transparency import RecordIncomplete
from linkage_hub.errors import NotAnExport
from tests.governance.transparency.test_record import PROGRAM, WHOLE, agreement, card, whole


def figures(**changes: Any) -> dict[str, Any]:
    """A run's figures as the hub exports them."""
    figures = {
        "run": "a" * 32, "sources": 3, "records": 90_000, "persons": 61_234, "families": 20_117,
        "flagged": 613, "threshold": 0.8731, "estimated_precision": 0.98765,
        "estimated_recall": 0.95432, "pairs": [],
    }  # fmt: skip
    return figures | changes


def written(folder: Path, words: dict[str, Any], *options: str) -> Result:
    """The command on the tests' agreement."""
    (folder / "agreement.yaml").write_text(write_agreement(agreement()), "utf-8")
    (folder / "written.yaml").write_text(yaml.safe_dump(words), "utf-8")
    arguments = [
        "--json", "transparency", "record", str(folder / "agreement.yaml"),
        "--written", str(folder / "written.yaml"), "--out", str(folder / "out"), *options,
    ]  # fmt: skip
    return CliRunner().invoke(app, arguments)


def test_the_command_writes_a_record_in_three_forms(tmp_path: Path) -> None:
    """Whole, with a catalogue, a run's estimates and another model's card."""
    (tmp_path / "quality.json").write_text(json.dumps(figures()), "utf-8")
    write_document(tmp_path / "card.json", card(name="Risk of an outcome"))
    result = written(
        tmp_path, whole(agreement()), "--complete", "--catalogue", "uk-sf-2022",
        "--quality", str(tmp_path / "quality.json"), "--model-card", str(tmp_path / "card.json"),
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    files = json.loads(result.stdout.splitlines()[0])["files"]
    assert [Path(each).suffix for each in files] == [".json", ".md", ".html"]
    found = TransparencyRecord.model_validate_json(Path(files[0]).read_bytes())
    assert found.missing() == ()
    assert [each.name for each in found.models][-1] == "Risk of an outcome"
    assert found.catalogue is not None
    assert found.catalogue.id == "uk-sf-2022"
    assert "98 %" in str(found.models[0].performance)
    for file in files:
        text = Path(file).read_text("utf-8")
        for counted in ("61234", "61,234", "20117", "613", "90000", "0.98765", "a" * 32):
            assert counted not in text.replace(found.program.code, "").replace(
                found.agreement_hash, ""
            ).replace(found.linkage_schema, "").replace(found.catalogue.hash, "")


def test_an_incomplete_record_is_refused_where_a_whole_one_was_asked_for(tmp_path: Path) -> None:
    """Nothing is written then; without ``--complete`` it is written and says what is missing."""
    words = {key: value for key, value in WHOLE.items() if key != "risks"}
    result = written(tmp_path, words, "--complete")
    assert isinstance(result.exception, RecordIncomplete)
    assert "2.5.2 Risks and mitigations" in str(result.exception)
    assert not (tmp_path / "out").exists()
    assert written(tmp_path, words).exit_code == 0


def test_a_small_run_gives_no_percentages() -> None:
    """One person more or less would be seen in them; and without a run the field is missing."""
    few = Estimates.model_validate(figures(persons=PERSONS_LEAST - 1))
    assert " %" not in str(model_cards(agreement(), PROGRAM, few, [])[0].performance)
    assert model_cards(agreement(), PROGRAM, None, [])[0].performance is None


def test_what_is_no_runs_figures_is_refused(tmp_path: Path) -> None:
    """A share above one, for example."""
    path = tmp_path / "quality.json"
    path.write_text(json.dumps(figures(estimated_precision=1.5)), "utf-8")
    with pytest.raises(NotAnExport):
        read_estimates(path)


def test_the_installed_programs_files_add_up_to_its_hash() -> None:
    """``code --files`` gives what anybody needs to work the hash out anew."""
    found = json.loads(
        CliRunner().invoke(app, ["--json", "transparency", "code", "--files"]).stdout
    )
    assert hash_of(found["files"]) == found["code"]
    assert "linkage_hub/cli/transparency.py" in found["files"]


def test_the_example_names_every_field_and_fills_none() -> None:
    """Whoever starts from it publishes nothing that somebody else has written."""
    example = Path(__file__).parents[3] / "examples/transparency/transparency.yaml"
    found = read_edited(example, Written)
    assert found.model_fields_set == {"format", "organisation"}
    words = example.read_text("utf-8")
    assert [
        name for name in (*Written.model_fields, *Supplier.model_fields) if name not in words
    ] == []


def _provenance(folder: Path, name: str, **changes: Any) -> str:
    data = {"run": "a" * 32, "agreement": agreement().hash, "program": PROGRAM,
            "files": {name: sha256(b"list")}}  # fmt: skip
    write_document(folder / "provenance.json", Provenance.model_validate(data | changes))
    return str(folder / "provenance.json")


def test_a_record_names_the_newest_list_by_a_hash_that_tells_nothing(tmp_path: Path) -> None:
    """Not its run nor its files; and none of figures alone, which could be guessed."""
    result = written(tmp_path, WHOLE, "--provenance", _provenance(tmp_path, "flags.csv"))
    assert result.exit_code == 0, result.output
    found = (tmp_path / "out" / f"{agreement().id}.json").read_text("utf-8")
    named = hash_of(json.loads((tmp_path / "provenance.json").read_bytes()))
    assert json.loads(found)["data"] == named
    assert "a" * 32 not in found
    assert sha256(b"list") not in found
    for name, of in (("quality.json", agreement().hash), ("flags.csv", sha256(b"another"))):
        wrong = _provenance(tmp_path, name, agreement=of)
        result = written(tmp_path, WHOLE, "--provenance", wrong)
        assert isinstance(result.exception, NotThisProvenance)


def test_a_risk_models_card_says_its_guarantee_and_no_count_of_families(tmp_path: Path) -> None:
    """And that nobody has said how well it does."""
    document = ModelDocument(
        model=LinearModel(
            kind="private-logistic", needs=("offence",), intercept=-2.0, coefficients=(0.5, 0.1)
        ),
        agreement=agreement().hash,
        outcome="in-programme",
        families=987_654_321,
        privacy=Privacy(
            epsilon=1.0, delta=1e-6, opacus=0.991, dp_accounting=0.993, noise=20.0, clip=3.0,
            steps=100, randomness="operating system",
        ),
    )  # fmt: skip
    write_document(tmp_path / "model.json", document)
    result = written(tmp_path, whole(agreement()), "--risk-model", str(tmp_path / "model.json"))
    missing = json.loads(result.stdout.splitlines()[0])["missing"]
    assert "Model: Risk: in-programme: 2.4.2.7 Model performance" in missing
    text = (tmp_path / "out" / f"{agreement().id}.json").read_text("utf-8")
    for said in ("epsilon 1,", "delta 1e-06", "Opacus 0.991", hash_of(document)):
        assert said in text
    assert "987654321" not in text
    assert "987,654,321" not in text
    own, other = _measures(hash_of(document), 0.12), _measures("sha256:" + "0" * 64, 0.77)
    for name, each in (("own", own), ("other", other)):
        write_document(tmp_path / f"{name}.json", each)
    given = [f"--risk-measures={tmp_path / name}.json" for name in ("other", "own")]
    result = written(
        tmp_path, whole(agreement()), "--risk-model", str(tmp_path / "model.json"), *given
    )
    missing = json.loads(result.stdout.splitlines()[0])["missing"]
    assert "Model: Risk: in-programme: 2.4.2.7 Model performance" not in missing
    text = (tmp_path / "out" / f"{agreement().id}.json").read_text("utf-8")
    assert "Of a list of 600 had the outcome: 0.12 (0.10 to 0.15)" in text
    assert "Observed to expected: 1.10 (0.90 to any more)" in text
    assert "0.77" not in text
    assert "987654321" not in text


def _measures(model: str, precision: float) -> Measures:
    return Measures(
        model=model, agreement=agreement().hash, outcome="in-programme", runs=("a" * 32, "b" * 32),
        families=987_654_321, list_size=600, epsilon=0.3, opendp=0.3, dp_accounting=0.3, scale=10,
        off_by=30, counts=Counts(listed=72, observed=400, expected=390),
        precision=Interval(value=precision, low=0.1, high=0.15),
        capture=Interval(value=0.18, low=0.1, high=0.3),
        observed_to_expected=Interval(value=1.1, low=0.9, high=None),
    )  # fmt: skip
