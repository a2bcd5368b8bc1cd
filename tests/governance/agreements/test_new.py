"""A new agreement is asked for, each answer checked at once, and written with explanations."""

import contextlib
import json
import os
import pty
import re
import select
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner, Result

from governance.agreements.commented import COMMENTS, write_commented
from governance.agreements.files import parse_yaml, read_agreement, write_agreement
from governance.agreements.models import Agreement, Retention
from governance.agreements.privacy import PrivacyBudget
from governance.agreements.question import Question
from governance.canonical import canonical_bytes
from governance.cli.main import app
from governance.errors import FormatError
from governance.identity.models import publish_party_keys
from tests.governance.world import Party, agreement_data

PARTIES = [Party("police"), Party("council")]
DATA = agreement_data(PARTIES)
OLD = Agreement.model_validate(DATA)
PATIENCE = 120.0  # seconds, also on a very busy machine


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
    "an opt-out upheld in another way": (
        {"sources": [DATA["sources"][0] | {"opt_outs": "by hand"}]}, "sources.1.opt_outs",
    ),
    "protection that is none": ({"protected": "sometimes"}, "protected"),
    "a budget of privacy that hides nobody": (
        {"privacy_budget": {"epsilon": 8}}, "privacy_budget.epsilon",
    ),
    "a budget of privacy without its delta's bound": (
        {"privacy_budget": {"epsilon": 1, "delta": 0.01}}, "privacy_budget.delta",
    ),
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


class Session:
    """``governance agreement new`` at a terminal of its own, and somebody who reads and types."""

    PROMPT: Final = re.compile(rb"(?:([a-z_0-9.]+): [^\n]*|another [^\n]*): ?$")
    STEERING: Final = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")

    def __init__(self, *words: str) -> None:
        self._own, theirs = pty.openpty()
        program = "from governance.cli.main import run; run()"
        self._process = subprocess.Popen(
            [sys.executable, "-c", program, *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env=os.environ | {"COLUMNS": "200"},
        )
        os.close(theirs)

    def converse(self, answers: dict[str, str]) -> tuple[int, str]:
        """Answer what is asked by its place, else with Enter; exit code and all that was shown."""
        shown, line = b"", b""
        with contextlib.suppress(OSError):  # the other end is closed
            while select.select([self._own], [], [], PATIENCE)[0]:
                piece = self.STEERING.sub(b"", os.read(self._own, 4_096))
                shown, line = shown + piece, line + piece
                if found := self.PROMPT.search(line):
                    answer = answers.pop((found[1] or b"").decode(), "")
                    os.write(self._own, f"{answer}\n".encode())
                    line = b""
        os.close(self._own)
        try:
            return self._process.wait(PATIENCE), shown.decode()
        finally:
            self._process.kill()  # where it waits for something that nobody understood


def test_opt_outs_and_protection_are_asked_at_a_terminal(tmp_path: Path, keys: list[str]) -> None:
    """Of each source and of the agreement; what was typed is written, and told as a change."""
    like, out = tmp_path / "old.yaml", tmp_path / "agreement.yaml"
    like.write_text(write_agreement(OLD), "utf-8")
    answers = {
        "sources.2.opt_outs": "check",
        "protected": "never_encoded",
        "retention.consent_payload_days": "2190",
        "privacy_budget.epsilon": "1.5",
    }
    words = ["agreement", "new", *keys, "--like", str(like), "--out", str(out)]
    code, shown = Session(*words).converse(dict(answers))
    assert code == 0, shown
    assert "sources.1.opt_outs: how the national data opt-out is upheld" in shown
    new = read_agreement(out)
    assert [source.opt_outs for source in new.sources] == [None, "check"]
    assert new.protected == "never_encoded"
    assert new.retention.consent_payload_days == 2_190
    assert new.privacy_budget == PrivacyBudget(epsilon=1.5, delta=1e-5)
    said = CliRunner().invoke(app, ["agreement", "diff", str(like), str(out)]).output
    for words_of_it in (
        "the national data opt-out",
        "rows of protected people and homes",
        "after 2190 days, until now never",
        "epsilon 1.5 and delta 0.00001 at most; until now there could be none",
    ):
        assert words_of_it in said
    shown = CliRunner().invoke(app, ["agreement", "show", str(out)]).output
    assert "may cost in a calendar year: epsilon 1.5" in " ".join(shown.split())


def test_a_later_version_can_drop_them(tmp_path: Path, keys: list[str]) -> None:
    """An older agreement's words are the defaults, and its bytes are those without once dropped."""
    kept = DATA | {
        "protected": "never_encoded",
        "privacy_budget": {"epsilon": 1, "delta": 2e-6},
        "sources": [source | {"opt_outs": "column"} for source in DATA["sources"]],
        "retention": DATA["retention"] | {"consent_payload_days": 400},
    }
    like = tmp_path / "old.yaml"
    like.write_text(write_agreement(Agreement.model_validate(kept)), "utf-8")
    assert answered(tmp_path, keys, {}, "--like", str(like)).exit_code == 0
    same = read_agreement(tmp_path / "agreement.yaml")
    assert (same.protected, same.sources[0].opt_outs) == ("never_encoded", "column")
    assert same.retention.consent_payload_days == 400
    assert same.privacy_budget == PrivacyBudget(epsilon=1, delta=2e-6)
    (tmp_path / "agreement.yaml").unlink()
    sources = [source | {"opt_outs": "none"} for source in DATA["sources"]]
    forever = {"consent_payload_days": "never"}
    dropped = {"protected": "without_home", "sources": sources, "retention": forever,
               "privacy_budget": {"epsilon": "none"}}  # fmt: skip
    assert answered(tmp_path, keys, dropped, "--like", str(like)).exit_code == 0
    new = read_agreement(tmp_path / "agreement.yaml")
    assert "protected" not in new.model_dump(mode="json")
    assert new.sources == OLD.sources
    assert new.retention == OLD.retention
    assert "consent_payload_days" not in new.model_dump(mode="json")["retention"]
    assert "privacy_budget" not in new.model_dump(mode="json")


def test_who_may_not_analyse_is_not_asked_about_models(tmp_path: Path, keys: list[str]) -> None:
    """A budget ends with the permission to analyse; an agreement with one alone is none."""
    like = tmp_path / "old.yaml"
    budget = {"privacy_budget": {"epsilon": 1, "delta": 1e-5}}
    like.write_text(write_agreement(Agreement.model_validate(DATA | budget)), "utf-8")
    linking = {"actions": ["encode", "submit", "link"]}
    assert answered(tmp_path, keys, linking, "--like", str(like)).exit_code == 0
    assert read_agreement(tmp_path / "agreement.yaml").privacy_budget is None
    with pytest.raises(ValidationError, match="expected analyse"):
        Agreement.model_validate(DATA | budget | linking)


def test_a_later_version_keeps_the_rules_of_indicators(tmp_path: Path, keys: list[str]) -> None:
    """A rule stays while its source submits the indicator, and goes with it."""
    source = DATA["sources"][0]["id"]
    rules = {source: {"kind": "listed_value"}}
    like = tmp_path / "old.yaml"
    ruled = DATA | {"indicators": [DATA["indicators"][0] | {"rules": rules}]}
    like.write_text(write_agreement(Agreement.model_validate(ruled)), "utf-8")
    assert answered(tmp_path, keys, {}, "--like", str(like)).exit_code == 0
    same = read_agreement(tmp_path / "agreement.yaml")
    assert list(same.indicators[0].rules or {}) == [source]
    (tmp_path / "agreement.yaml").unlink()
    sources = [each | {"indicators": []} for each in DATA["sources"]]
    assert answered(tmp_path, keys, {"sources": sources}, "--like", str(like)).exit_code == 0
    assert read_agreement(tmp_path / "agreement.yaml").indicators[0].rules is None


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


def test_who_signs_is_shown_what_is_a_need(tmp_path: Path) -> None:
    """And what the other indicators are, and which catalogue explains needs."""
    first = DATA["indicators"][0]
    more = [
        first | {"id": "hill_ward", "used_as": "area"},
        first | {"id": "badly", "detail_of": first["id"]},
    ]
    terms = DATA | {"indicators": [*DATA["indicators"], *more], "criteria": "sha256:" + "a" * 64}
    file = tmp_path / "agreement.yaml"
    file.write_text(write_agreement(Agreement.model_validate(terms)), "utf-8")
    shown = CliRunner().invoke(app, ["agreement", "show", str(file)]).output
    assert f"needs: {first['id']}" in shown
    assert "no need: hill_ward (area)" in shown
    assert f"no need: badly (tells more of {first['id']})" in shown
    assert f"explained by catalogue sha256:{'a' * 64}" in shown
