"""A new agreement is asked for, each answer checked at once, and written with explanations."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from governance.agreements.commented import COMMENTS, write_commented
from governance.agreements.files import parse_yaml, read_agreement, write_agreement
from governance.agreements.models import Agreement, Retention
from governance.agreements.questions import Question
from governance.canonical import canonical_bytes
from governance.cli.main import app
from governance.errors import FormatError
from governance.identity.models import publish_party_keys
from tests.governance.world import Party, agreement_data

PARTIES = [Party("police"), Party("council")]
DATA = agreement_data(PARTIES)
OLD = Agreement.model_validate(DATA)


@pytest.fixture
def keys(tmp_path: Path) -> list[str]:
    """The options that name each party's keys."""
    options = []
    for party in PARTIES:
        file = tmp_path / f"{party.name}.keys.json"
        file.write_bytes(canonical_bytes(publish_party_keys(party.keys, party.signing)))
        options += ["--keys", str(file)]
    return options


def answered(tmp_path: Path, keys: list[str], data: dict[str, Any], *more: str) -> Result:
    """The command with a file of answers."""
    file = tmp_path / "answers.yaml"
    file.write_text(json.dumps(data), "utf-8")
    out = str(tmp_path / "agreement.yaml")
    words = ["agreement", "new", *keys, "--answers", str(file), "--out", out, *more]
    return CliRunner().invoke(app, words)


def test_answers_in_a_file_give_an_agreement_that_passes_check(
    tmp_path: Path, keys: list[str]
) -> None:
    """Nothing is asked; what is not asked for (encoding) is taken from the file as well."""
    done = answered(tmp_path, keys, DATA)
    assert done.exit_code == 0, done.exception
    file = tmp_path / "agreement.yaml"
    assert read_agreement(file).hash == OLD.hash
    assert CliRunner().invoke(app, ["agreement", "check", str(file)]).exit_code == 0


def test_each_field_stands_below_what_it_means() -> None:
    """No field of an agreement is without a comment, and comments change nothing."""
    assert COMMENTS.keys() == Agreement.model_fields.keys()
    text = write_commented(OLD)
    assert Agreement.model_validate(parse_yaml(text)).hash == OLD.hash
    for name in parse_yaml(text):
        assert f"\n{name}:" in f"\n{text}"
        above = text.split(f"\n{name}:")[0].splitlines()[-1] if name != "format" else text
        assert above.startswith("# ")


def test_an_older_agreement_gives_defaults_and_what_is_not_asked(
    tmp_path: Path, keys: list[str]
) -> None:
    """The next version names it, keeps its refinement limits, and takes what was answered."""
    data = DATA | {"limits": DATA["limits"] | {"refinement_pairs_per_run": 500}}
    old = Agreement.model_validate(data)
    like = tmp_path / "old.yaml"
    like.write_text(write_agreement(old), "utf-8")
    retention = {"retention": {"vault_days": 200}}
    done = answered(tmp_path, keys, retention, "--like", str(like))
    assert done.exit_code == 0, done.exception
    new = read_agreement(tmp_path / "agreement.yaml")
    assert (new.version, new.supersedes) == (2, old.hash)
    assert new.limits.refinement_pairs_per_run == 500
    assert new.retention == old.retention.model_copy(update={"vault_days": 200})


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "a field that is none": ({"secret_clause": True}, "secret_clause"),
    "a retention of no days": (
        {"retention": DATA["retention"] | {"vault_days": 0}}, "retention.vault_days",
    ),
    "a date that is none": ({"valid_from": "1st of May"}, "valid_from"),
    "a review before the beginning": ({"review_by": "2026-10-01"}, "review_by"),
    "a recipient that is no party": ({"recipients": ["press"]}, "recipients"),
    "a source of a stranger": (
        {"sources": [DATA["sources"][0] | {"party": "press"}]}, "sources.1.party",
    ),
    "a column that is no item": (
        {"sources": [DATA["sources"][0] | {"items": ["diary"]}]}, "sources.1.items",
    ),
    "two items of one id": (
        {"items": [*DATA["items"], DATA["items"][0]]}, "items.5.id",
    ),
    "no title": ({"title": None}, "title"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_a_wrong_answer_is_refused_by_its_place(tmp_path: Path, keys: list[str], what: str) -> None:
    """The message says where and what was expected, and nothing is written."""
    change, where = WRONG[what]
    done = answered(tmp_path, keys, DATA | change)
    assert isinstance(done.exception, FormatError)
    assert where in done.exception.message
    assert not (tmp_path / "agreement.yaml").exists()


def test_a_wrong_answer_is_asked_again(tmp_path: Path, keys: list[str]) -> None:
    """At the terminal: the reason at once, then the same question; Enter takes the default."""
    like = tmp_path / "old.yaml"
    like.write_text(write_agreement(OLD), "utf-8")
    out = tmp_path / "agreement.yaml"
    typed = ["Not A Short Name!", "county-families", *[""] * 200]
    done = CliRunner().invoke(
        app,
        ["agreement", "new", *keys, "--like", str(like), "--out", str(out)],
        input="\n".join(typed),
    )
    assert done.exit_code == 0, done.output
    assert "id: String should match pattern" in done.output
    new = read_agreement(out)
    assert new.model_dump(exclude={"version", "supersedes"}) == OLD.model_dump(
        exclude={"version", "supersedes"}
    )


def test_the_register_says_what_may_be_listed(tmp_path: Path, keys: list[str]) -> None:
    """Items and sources are those that the register permits; what it does not is left out."""
    like, register = tmp_path / "old.yaml", tmp_path / "register.csv"
    like.write_text(write_agreement(OLD), "utf-8")
    lines = [
        f"{party}_records,{party},{item},yes"
        for party in ("police", "council")
        for item in ("first_name", "surname", "address")
    ]
    lines += ["police_records,police,offence,yes", "police_records,police,date_of_birth,no"]
    register.write_text("\n".join(["source,party,item,may_be_listed", *lines]), "utf-8")
    done = answered(tmp_path, keys, {}, "--like", str(like), "--register", str(register))
    assert done.exit_code == 0, done.exception
    new = read_agreement(tmp_path / "agreement.yaml")
    assert [item.id for item in new.items] == ["first_name", "surname", "address"]
    police = new.source("police_records")
    assert police is not None
    assert (police.items, police.indicators) == (
        ("first_name", "surname", "address"),
        ("offence",),
    )


def test_no_message_repeats_an_answer() -> None:
    """A typed value is nowhere in the error."""
    question = Question("retention.vault_days", "days", Retention, "vault_days")
    with pytest.raises(FormatError) as caught:
        question.check("Quixwald")
    assert "Quixwald" not in caught.value.message


def test_an_agreement_is_never_overwritten(tmp_path: Path, keys: list[str]) -> None:
    """A file of that name stays as it is."""
    (tmp_path / "agreement.yaml").write_text("kept", "utf-8")
    assert answered(tmp_path, keys, DATA).exit_code != 0
    assert (tmp_path / "agreement.yaml").read_text("utf-8") == "kept"
