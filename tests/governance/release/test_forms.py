"""Forms filled in from an opened release: here, for their owner alone, and of the right family."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from governance.cli.main import app
from governance.errors import FormatError
from governance.release.errors import MembersChanged
from governance.release.forms import FORMS, OUTCOMES
from governance.ui.words import Words

REQUEST = "sha256:" + "a" * 64
WORDS = Words(["governance.ui"])
MOTHER, CHILD = ("p-" + each * 32 for each in "12")
SURNAME = "O'Example <b>"


def opened() -> dict[str, Any]:
    """What release open writes."""
    record = {"person": MOTHER, "source": "council_records",
              "items": {"first_name": "Ada", "surname": SURNAME, "phone": "01632"}}  # fmt: skip
    other = {"person": CHILD, "source": "council_records", "items": {"first_name": "Kit"}}
    return {"request": REQUEST, "parties": ["council"], "left_out": {"nhs": "release.signature"},
            "records": [record, other]}  # fmt: skip


def family(*persons: str) -> dict[str, Any]:
    """What release show prints."""
    members = [
        {"person": person, "role": role, "age_band": band, "sources": 1}
        for person, role, band in zip(persons, ("parent", "child"), ("25_44", None), strict=True)
    ]
    return {
        "summary": {
            "family": "f-" + "3" * 32, "members": 2, "adults": 1, "children": 1, "needs_met": 1,
            "needs_unknown": 1, "flagged": True, "in_programme": False, "confidence": 0.9,
            "may_be_approached": True, "reason": None, "met": ["neet"], "age_bands": [],
        },
        "members": members,
        "needs": [
            {"id": "debt_or_eviction", "state": "unknown", "sources": 0},
            {"id": "neet", "state": "met", "sources": 2},
        ],
        "reasons": [],
        "document": {
            "family": "f-" + "3" * 32, "agreement": "sha256:" + "c" * 64,
            "members": [
                {"person": person, "adult": at == 0, "records": [
                    {"party": "council", "source": "council_records", "handle": f"{at + 1:032x}"}
                ]}
                for at, person in enumerate(persons)
            ],
        },
        "digest": "sha256:" + "b" * 64,
    }  # fmt: skip


def form(folder: Path, kind: str, data: object, view: object | None = None) -> Result:
    """The command, over files of a folder."""
    (folder / "opened.json").write_text(json.dumps(data), "utf-8")
    words = ["release", "form", kind, str(folder / "opened.json"), f"--out={folder / 'form.html'}"]
    if view is not None:
        (folder / "family.json").write_text(json.dumps(view), "utf-8")
        words.append(f"--family={folder / 'family.json'}")
    return CliRunner().invoke(app, words)


@pytest.mark.parametrize("kind", FORMS)
def test_a_form_has_names_and_needs(tmp_path: Path, kind: str) -> None:
    """Escaped, for its owner alone, without a script or another file; unknown is unknown."""
    result = form(tmp_path, kind, opened(), family(MOTHER, CHILD))
    assert result.exit_code == 0, result.output
    path = tmp_path / "form.html"
    assert path.stat().st_mode & 0o077 == 0
    page = path.read_text("utf-8")
    assert f"<h1>{WORDS(f'keys.form.title.{kind}')}</h1>" in page
    assert "O&#39;Example &lt;b&gt;" in page
    assert "Ada" in page
    assert "Kit" in page
    assert "1, parent, 25 to 44" in page
    assert "Neet</th><td>met (2 sources)</td><td></td>" in page
    assert "Debt or eviction</th><td>unknown</td>" in page
    assert "Not readable: nhs" in page
    for word in ("<script", "http", "at risk", "src=", "href="):
        assert word not in page
    outcomes = [WORDS(f"keys.form.outcome.{each}") for each in OUTCOMES]
    assert all(each in page for each in outcomes) is (kind == "closure")
    assert ("Nomination</h2>" in page) is (kind != "closure")
    assert "Ada" not in result.output


def test_without_the_family_needs_are_left_out(tmp_path: Path) -> None:
    """What the file does not say is not said."""
    form(tmp_path, "nomination", opened())
    page = (tmp_path / "form.html").read_text("utf-8")
    assert "Needs, for professional consideration" not in page
    assert "Ada" in page


def test_another_family_is_refused(tmp_path: Path) -> None:
    """Nobody's needs are printed beside somebody else's names."""
    result = form(tmp_path, "closure", opened(), family(MOTHER, "p-" + "9" * 32))
    assert isinstance(result.exception, MembersChanged)
    assert not (tmp_path / "form.html").exists()


def test_other_files_are_refused_without_a_word_of_them(tmp_path: Path) -> None:
    """No name of a file that does not fit is in a message."""
    for data, view in (({"records": [{"items": {"surname": SURNAME}}]}, None),
                       (opened(), {"summary": SURNAME})):  # fmt: skip
        result = form(tmp_path, "combined", data, view)
        assert isinstance(result.exception, FormatError)
        assert "Example" not in str(result.exception)
