"""A mapping as a form and back: what the form does not ask for is kept."""

import pytest

from partner_agent.console.columns import (
    as_yaml,
    form_can_say,
    of_text,
    plain,
    roles_of,
    with_roles,
)
from partner_agent.console.leaving import fates
from partner_agent.console.rules import rules_of, with_rules
from partner_agent.extracts.mapping import build_mapping

FULL = """
source: council_records
record_id: ID
sheet: Pupils
columns:
  first_name: FIRST
  surname: LAST
  date_of_birth: {day: D, month: M, year: Y}
  address: [A1, A2]
  postcode: PC
dates: {day_first: false}
names: {expand_nicknames: true}
mentions:
- relation: parent
  columns: {full_name: PARENT}
indicators:
  neet: {column: NEET, equals: [N]}
  absence: {column: ABS, below: 90}
opt_out: {column: OPT, equals: [Y], clear: [none]}
protected: {column: PROT, equals: ['1']}
opt_out_nhs_number: NHS
"""


def test_a_mapping_goes_through_the_form_unchanged() -> None:
    """Every part of it, those that the form does not show included."""
    data = of_text(FULL, "council_records")
    assert form_can_say(data)
    again, faults = with_roles(data, list(roles_of(data).items()))
    assert not faults
    assert build_mapping(again) == build_mapping(data)
    answers = {"day_first": "no", "nicknames": "yes"}
    for rule in rules_of(data):
        answers |= {
            f"{rule.name}-kind": rule.kind,
            f"{rule.name}-value": rule.value,
            f"{rule.name}-clear": rule.clear,
        }
    answered, faults = with_rules(again, answers)
    assert not faults
    assert build_mapping(answered) == build_mapping(data)
    assert plain(build_mapping(answered)) == data
    assert of_text(as_yaml(data), "council_records") == data


def test_a_column_with_two_meanings_is_edited_as_text() -> None:
    """The form would lose one of them."""
    data = of_text(FULL, "council_records")
    data["indicators"]["other"] = {"column": "NEET", "equals": ["X"]}
    assert not form_can_say(data)


def test_a_rule_that_the_form_cannot_say_is_kept_and_shown() -> None:
    """Several columns, or events that are counted: written as text, and told what becomes of it."""
    rule = {"dates": ["SEEN1", "SEEN2"], "at_least": 2}
    data = {"source": "s1", "columns": {"surname": "A"}, "indicators": {"police": rule}}
    assert not form_can_say(data)
    assert not rules_of(data)
    answered, faults = with_rules(data, {"day_first": "yes"})
    assert not faults
    assert answered["indicators"] == {"police": rule}
    assert {fate.fate for fate in fates(data, ["SEEN1", "SEEN2"])} == {"agent.fate.need"}


@pytest.mark.parametrize(
    ("chosen", "key"),
    [
        ([("A", "surname"), ("B", "surname")], "agent.columns.taken"),
        ([("A", "surname"), ("B", "day"), ("C", "month")], "agent.columns.birth"),
    ],
)
def test_choices_that_do_not_fit_are_told_at_their_column(
    chosen: list[tuple[str, str]], key: str
) -> None:
    """One meaning a column, and a whole date."""
    _, faults = with_roles({"source": "s"}, chosen)
    assert list(faults.values()) == [key]


@pytest.mark.parametrize(
    ("answers", "key"),
    [
        ({}, "agent.rules.no_kind"),
        ({"n0-kind": "equals"}, "agent.rules.no_value"),
        ({"n0-kind": "below", "n0-value": "many"}, "agent.rules.no_number"),
    ],
)
def test_a_need_without_its_rule_is_told(answers: dict[str, str], key: str) -> None:
    """Nothing is guessed about when somebody is in need."""
    data = {"source": "s", "columns": {"surname": "A"}, "indicators": {"neet": {"column": "N"}}}
    _, faults = with_rules(data, answers)
    assert list(faults.values()) == [key]


def test_each_column_has_its_fate() -> None:
    """Used ones first; a column of a parent is one of somebody else."""
    found = {fate.column: fate.fate for fate in fates(of_text(FULL, "s1"), ["X", "PARENT", "D"])}
    assert found == {
        "PARENT": "agent.fate.mention", "D": "agent.fate.day", "X": "agent.fate.unused",
    }  # fmt: skip
    assert list(found)[-1] == "X"
