"""A mapping as a form and back: what the form does not ask for is kept."""

from typing import get_args

import pytest

from governance.agreements.indicators import AverageBelow, in_words
from governance.agreements.quality import QualityGroup
from governance.ui.words import Words
from partner_agent.console.columns import (
    ROLES,
    as_yaml,
    form_can_say,
    of_text,
    plain,
    roles_of,
    with_roles,
)
from partner_agent.console.leaving import fates
from partner_agent.console.rules import rules_of, with_rules
from partner_agent.console.state import PACKAGES
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
        ([("A", "need:neet"), ("B", "need:neet")], "agent.columns.need"),
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
        ({"need-neet-kind": "equals"}, "agent.rules.no_value"),
        ({"need-neet-kind": "below", "need-neet-value": "many"}, "agent.rules.no_number"),
        ({"need-neet-kind": "below", "need-neet-value": "nan"}, "agent.rules.no_number"),
        ({"need-neet-kind": "at_least", "need-neet-value": "1e999"}, "agent.rules.no_number"),
    ],
)
def test_a_need_without_its_rule_is_told(answers: dict[str, str], key: str) -> None:
    """Nothing is guessed about when somebody is in need."""
    data = {"source": "s", "columns": {"surname": "A"}, "indicators": {"neet": {"column": "N"}}}
    _, faults = with_rules(data, answers)
    assert list(faults.values()) == [key]


def test_a_page_of_rules_that_is_stale_answers_about_no_other_need() -> None:
    """Another tab has changed which needs there are: the new one is asked about anew."""
    before = {"source": "s", "indicators": {"neet": {"column": "N"}}}
    (rule,) = rules_of(before)
    answers = {f"{rule.name}-kind": "equals", f"{rule.name}-value": "N"}
    assert with_rules(before, answers)[1] == {}
    after = {"source": "s", "indicators": {"absence": {"column": "A"}, "neet": {"column": "N"}}}
    data, faults = with_rules(after, answers)
    assert list(faults.values()) == ["agent.rules.no_kind"]
    assert data["indicators"] == {
        "absence": {"column": "A"}, "neet": {"column": "N", "equals": ["N"]},
    }  # fmt: skip


@pytest.mark.parametrize("number", [1234567.0, 99.9999999, 0.00001, 1e9, 90.0])
def test_a_number_comes_back_from_the_form_as_it_was(number: float) -> None:
    """Every digit is shown: what is shown is what is kept, and what was agreed."""
    data = {
        "source": "s1",
        "columns": {"surname": "A"},
        "indicators": {"absence": {"column": "ABS", "below": number}},
    }
    (rule,) = rules_of(data)
    answers = {"need-absence-kind": rule.kind, "need-absence-value": rule.value, "day_first": "yes"}
    assert with_rules(data, answers) == (data, {})
    said = in_words(AverageBelow(kind="average_below", below=number, periods=3, known=2))
    assert said.endswith(f"below {rule.value}")
    assert "e" not in rule.value


def test_each_column_has_its_fate() -> None:
    """Used ones first; a column of a parent is one of somebody else."""
    found = {fate.column: fate.fate for fate in fates(of_text(FULL, "s1"), ["X", "PARENT", "D"])}
    assert found == {
        "PARENT": "agent.fate.mention", "D": "agent.fate.day", "X": "agent.fate.unused",
    }  # fmt: skip
    assert list(found)[-1] == "X"


def test_a_column_of_several_uses_has_each_of_its_fates() -> None:
    """A surname by which a parent is known too, and a need besides, is told three times."""
    data = {
        "source": "s1",
        "columns": {"surname": "LAST", "address": ["A1"]},
        "mentions": [{"relation": "parent", "columns": {"surname": "LAST", "first_name": "DAD"}}],
        "indicators": {"police": {"dates": ["LAST", "LAST"], "at_least": 2}},
    }
    found = [(fate.role, fate.indicator) for fate in fates(data, ["LAST"])]
    assert found == [("surname", ""), ("mention", ""), ("need", "police")]


def test_what_leaves_in_another_form_is_not_said_to_stay() -> None:
    """Sex leaves as it is and names and moves as groups, where the agreement has the group."""
    words = Words(["governance.ui", *PACKAGES])
    roles = ("sex", "first_name", "surname", "full_name", "address_from", "address_to", "email")
    data = {"source": "s1", "columns": {role: role for role in roles}}
    for groups in ((), get_args(QualityGroup)):
        said = {fate.role: words(fate.fate) for fate in fates(data, roles, groups)}
        assert "as male or female" in said["sex"] or not groups
        assert all(
            ("group of names is sent" in said[role]) == bool(groups)
            for role in ("first_name", "surname", "full_name")
        )
        for role in ("address_from", "address_to"):
            assert "month is sent" in said[role]  # in ``households``, whatever the groups are
            assert ("has moved" in said[role]) == bool(groups)
        assert said["email"].startswith("Stays here")


def test_every_fate_has_words() -> None:
    """Of each role and group."""
    words = Words(["governance.ui", *PACKAGES])
    data = {"source": "s1", "columns": {role: role for role in ROLES}}
    for groups in ((), get_args(QualityGroup)):
        assert all(words(fate.fate) for fate in fates(data, [*ROLES, "X"], groups))
