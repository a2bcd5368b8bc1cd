"""An agreement that names a catalogue of criteria asks for as many needs as it."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from governance.agreements.criteria import read_criteria
from governance.agreements.files import read_agreement, write_agreement
from governance.canonical import hash_of
from governance.cli.main import app
from governance.errors import FormatError
from tests.governance.agreements.test_new import DATA, OLD, answered, keys

__all__ = ["keys"]
SHIPPED = files("linkage_hub.analytics.criteria") / "catalogues" / "local-example.yaml"


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """One that asks for three needs."""
    file = tmp_path / "mine.yaml"
    text = SHIPPED.read_text("utf-8")
    file.write_text(text.replace("minimum: 2", "minimum: 3"), "utf-8")
    return file


def without_minimum() -> dict[str, Any]:
    """Answers that leave the number of needs to its default."""
    return {name: value for name, value in DATA.items() if name != "minimum_needs"}


def completed(tmp_path: Path, keys: list[str], data: dict[str, Any], *more: str) -> Result:
    """The command that fills in keys."""
    template = tmp_path / "template.yaml"
    template.write_text(json.dumps(data), "utf-8")
    words = ["agreement", "complete", str(template), *keys, "--out", str(tmp_path / "whole.yaml")]
    return CliRunner().invoke(app, [*words, *more])


def test_the_catalogue_says_how_many_needs(
    tmp_path: Path, keys: list[str], catalogue: Path
) -> None:
    """What is not answered is the catalogue's; another number is refused at its question."""
    done = answered(tmp_path, keys, without_minimum(), "--criteria", str(catalogue))
    assert done.exit_code == 0, done.exception
    new = read_agreement(tmp_path / "agreement.yaml")
    assert (new.criteria, new.minimum_needs) == (hash_of(read_criteria(catalogue)), 3)
    (tmp_path / "agreement.yaml").unlink()
    done = answered(tmp_path, keys, DATA | {"minimum_needs": 2}, "--criteria", str(catalogue))
    assert isinstance(done.exception, FormatError)
    assert "minimum_needs: expected 3" in done.exception.message
    assert not (tmp_path / "agreement.yaml").exists()


def test_a_named_catalogue_has_to_be_at_hand(
    tmp_path: Path, keys: list[str], catalogue: Path
) -> None:
    """Also where an older version names it, or the answers do; and it has to be the one."""
    named = hash_of(read_criteria(catalogue))
    like = tmp_path / "old.yaml"
    older = OLD.model_copy(update={"criteria": named, "minimum_needs": 3})
    like.write_text(write_agreement(older), "utf-8")
    done = answered(tmp_path, keys, {}, "--like", str(like))
    assert isinstance(done.exception, FormatError)
    assert "names a catalogue" in done.exception.message
    done = answered(tmp_path, keys, {}, "--like", str(like), "--criteria", str(catalogue))
    assert done.exit_code == 0, done.exception
    assert read_agreement(tmp_path / "agreement.yaml").criteria == named
    (tmp_path / "agreement.yaml").unlink()
    for more in ([], ["--criteria", str(catalogue)]):
        other = without_minimum() | {"criteria": "sha256:" + "0" * 64}
        done = answered(tmp_path, keys, other, *more)
        assert isinstance(done.exception, FormatError)
        assert done.exception.message.startswith("criteria: ")


def test_a_template_is_completed_with_the_catalogue_that_it_agrees_with(
    tmp_path: Path, keys: list[str], catalogue: Path
) -> None:
    """The hash is filled in, and two numbers of needs are refused."""
    done = completed(tmp_path, keys, DATA | {"minimum_needs": 3}, "--criteria", str(catalogue))
    assert done.exit_code == 0, done.exception
    whole = tmp_path / "whole.yaml"
    assert read_agreement(whole).criteria == hash_of(read_criteria(catalogue))
    done = completed(tmp_path, keys, DATA | {"minimum_needs": 2}, "--criteria", str(catalogue))
    assert isinstance(done.exception, FormatError)
    assert "minimum_needs: expected 3" in done.exception.message
    named = DATA | {"criteria": read_agreement(whole).criteria}
    assert isinstance(completed(tmp_path, keys, named).exception, FormatError)


@pytest.mark.parametrize(("least", "refused"), [(3, False), (2, True)])
def test_a_check_holds_the_two_against_each_other(
    tmp_path: Path, catalogue: Path, least: int, *, refused: bool
) -> None:
    """With the file it refuses; without it says that it could not look."""
    named = hash_of(read_criteria(catalogue))
    file = tmp_path / "agreement.yaml"
    terms = OLD.model_copy(update={"criteria": named, "minimum_needs": least})
    file.write_text(write_agreement(terms), "utf-8")
    words = ["agreement", "check", str(file)]
    done = CliRunner().invoke(app, [*words, "--criteria", str(catalogue)])
    assert isinstance(done.exception, FormatError) == refused
    alone = CliRunner().invoke(app, words)
    assert alone.exit_code == 0
    assert "not held against the catalogue" in alone.stderr
    file.write_text(write_agreement(OLD), "utf-8")
    assert "catalogue" not in CliRunner().invoke(app, words).stderr
