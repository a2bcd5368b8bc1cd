"""What ``make mutants`` changes by hand is still there to be changed."""

from pathlib import Path

from scripts.rule_mutants import CHANGES, ROOT


def test_every_change_has_its_place() -> None:
    """The code that a change names stands once in its file."""
    texts = {each.file: (ROOT / Path(each.file)).read_text("utf-8") for each in CHANGES}
    lost = [(each.file, each.code) for each in CHANGES if texts[each.file].count(each.code) != 1]
    assert lost == []
