"""Files that people edit: what is wrong is said so that they can put it right."""

from pathlib import Path

import pytest

from governance.terminal import FileProblem
from linkage_hub.analytics.edited import FileNotUsable, parse_edited, read_edited
from linkage_hub.analytics.money.models import UnitCosts

GOOD = """\
format: unit-costs/v1
id: local
title: Local
costs:
  - id: eviction
    title: An eviction
    unit: eviction
    pounds: 7000
    price_year: 2015-16
    includes: [fiscal]
    agency: council
    source: {title: A report, publisher: A council, published: 2016-03, read_in: the report}
"""


def faults(text: str) -> list[str]:
    """What is said of a file."""
    with pytest.raises(FileNotUsable) as refused:
        parse_edited(text.encode(), UnitCosts, "costs.yaml")
    return refused.value.message.splitlines()


def test_a_good_file_is_read() -> None:
    """Dates stay text, and numbers may be written plainly."""
    found = parse_edited(GOOD.encode(), UnitCosts, "costs.yaml")
    assert found.costs[0].price_year == "2015-16"
    assert found.costs[0].pounds == 7000


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pounds: 7000", "pounds: a lot", "line 8: costs, eviction, pounds: expected a number"),
        ("pounds: 7000", "pounds: .nan", "line 8: costs, eviction, pounds: expected a number"),
        ("2015-16", "2015-17", "line 9: costs, eviction, price_year: expected a financial year"),
        ("[fiscal]", "[fiscal, other]", "line 10: costs, eviction, includes, entry 2: expected"),
        ("[fiscal]", "[]", "line 10: costs, eviction, includes: expected one at least"),
        ("agency: council", "agent: x", "line 11: costs, eviction, agent: is not a key"),
        ("agency: council", "agent: x", "line 5: costs, eviction, agency: is missing"),
        ("2016-03", "March", "line 12: costs, eviction, source, published: expected a month"),
        ("unit-costs/v1", "v2", "line 1: format: expected 'unit-costs/v1'"),
        ("agency:", "low: 9000\n    high: 9500\n    agency:", "line 5: costs, eviction: low and"),
        ("[fiscal]", "[social]\n    cashable: true", "line 5: costs, eviction: cashable: only a"),
        (
            "costs:\n",
            "deflator: {name: GDP, source: {}, index: {2015-16: 100}}\ncosts:\n",
            "line 4: deflator, index: expected 2 at least",
        ),
    ],
)
def test_every_fault_has_its_line_and_what_was_expected(old: str, new: str, said: str) -> None:
    """A message names the line, the entry and what was expected; the value stays away."""
    found = faults(GOOD.replace(old, new))
    assert any(line.strip().startswith(said) for line in found), found
    assert not any("a lot" in line or "March" in line for line in found)


@pytest.mark.parametrize("odd", ["0700", "7_000", "1:57", "0x1B", "0b11", "7:00.5"])
def test_a_number_is_what_it_looks_like(odd: str) -> None:
    """Octal, sexagesimal and other numbers of YAML 1.1 are no prices; in quotes they are text."""
    (said,) = faults(GOOD.replace("7000", odd))
    assert said.startswith("costs.yaml: line 8: expected a number in plain digits")
    assert odd not in said
    quoted = GOOD.replace("A report", f'"{odd}"')
    assert parse_edited(quoted.encode(), UnitCosts, "c").costs[0].source.title == odd


def test_all_faults_are_listed_at_once() -> None:
    """An editor puts a file right in one go."""
    found = faults(GOOD.replace("7000", "x").replace("2015-16", "y").replace("2016-03", "z"))
    assert found[0] == "costs.yaml: 3 to put right"
    assert len(found) == 4


@pytest.mark.parametrize("text", ["- a", "a: [", "a: &x 1\nb: *x", "id: a\nid: b"])
def test_what_is_no_plain_yaml_is_refused(text: str) -> None:
    """Lists, broken text, aliases and keys given twice are no catalogue."""
    assert faults(text)[0].startswith("costs.yaml: ")


def test_a_file_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    """No traceback for a wrong path."""
    with pytest.raises(FileProblem, match="cannot be read"):
        read_edited(tmp_path / "none.yaml", UnitCosts)
