"""Every word is in the catalogue, and every word of it is on a page."""

import re
from pathlib import Path
from typing import Final

import pytest

from governance.ui import words as catalogue
from governance.ui.words import Words, WordsError, read_words

ROOT: Final = Path(__file__).resolve().parents[3]
PACKAGES: Final = sorted(
    ".".join(path.relative_to(ROOT).parts[:-2])
    for program in ("governance", "partner_agent")
    for path in (ROOT / program).rglob("words/en.yaml")
)
SOURCES: Final = [
    path.read_text("utf-8")
    for program in ("governance", "partner_agent")
    for kind in ("*.py", "*.html")
    for path in (ROOT / program).rglob(kind)
]
QUOTED: Final = {
    found
    for source in SOURCES
    for found in re.findall(r"""["']([a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*\.?)["'{]""", source)
    if "." in found
}
ASKED: Final = {
    found
    for source in SOURCES
    for found in re.findall(r"""\b(?:t|words)\(\s*["']([^"'{}]+)["']""", source)
    if not found.endswith(".")
}


@pytest.fixture(scope="module")
def words() -> Words:
    """The whole catalogue in English."""
    return Words(PACKAGES)


def test_no_word_is_missing(words: Words) -> None:
    """What a page or a view asks for by name is there."""
    assert len(ASKED) > 10
    assert not [key for key in sorted(ASKED) if key not in words]


def test_no_word_is_unused() -> None:
    """A word that no page shows is noticed: a source has its key, or its beginning to a dot."""
    prefixes = tuple(found for found in QUOTED if found.endswith("."))
    keys = [key for package in PACKAGES for key in read_words(package, "en")]
    assert len(keys) > 30
    unused = [key for key in keys if key not in QUOTED and not key.startswith(prefixes)]
    assert not unused


def test_counting_chooses_the_form(words: Words) -> None:
    """A sentence that counts has a form for one and for more; a value that is not given is told."""
    assert words("ui.page", number=3) == "Page 3"
    with pytest.raises(WordsError, match="number"):
        words("ui.page")
    with pytest.raises(WordsError, match="no words for"):
        words("ui.nothing")


def test_plurals_are_by_language() -> None:
    """Welsh has six forms, English two; a form that a language does not need falls to other."""
    for language, count, form in (("en", 1, "one"), ("en", 0, "other"), ("cy", 2, "two"),
                                  ("cy", 6, "many"), ("cy", 5, "other")):  # fmt: skip
        said = Words([], language)
        said._words["families"] = {form: f"{form} {{count}}", "other": "other {count}"}
        assert said("families", count=count) == f"{form} {count}"
    with pytest.raises(WordsError, match="whole number"):
        said("families")


def test_a_key_stands_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is in two files, or in one twice, is refused when the console starts."""
    monkeypatch.setattr(catalogue, "files", lambda _package: tmp_path)
    (tmp_path / "words").mkdir()
    (tmp_path / "words/en.yaml").write_text("a: one\nb: two\na: three\n")
    with pytest.raises(WordsError, match="twice"):
        read_words("any", "en")
    monkeypatch.undo()
    with pytest.raises(WordsError, match="two files"):
        Words(["governance.ui", "governance.ui"])
    with pytest.raises(WordsError, match="no words in cy"):
        Words(["governance.ui"], "cy")
