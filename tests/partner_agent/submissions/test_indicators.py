"""Owners work indicators out as the agreement says, and as nothing else does."""

from typing import Any

import pytest

from governance.agreements.differences import meaning
from governance.agreements.errors import IndicatorNotAgreed
from governance.agreements.models import Agreement
from governance.canonical import canonical_bytes
from partner_agent.extracts.mapping import Indicator, build_mapping
from partner_agent.submissions.indicators import agreed_rules
from tests.governance.world import Party, agreement_data

PARTIES = [Party("police"), Party("council")]
ATTENDANCE = {"kind": "average_below", "below": 90, "periods": 3, "known": 2}
EVENTS = {"kind": "events_at_least", "at_least": 1}
ARREARS = {"kind": "number_at_least", "at_least": 500}
CODES = {"kind": "listed_value"}
THREE = ["AUT", "SPR", "SUM"]


def agreement(rule: dict[str, Any] | None) -> Agreement:
    """An agreement whose indicator has a rule."""
    data = agreement_data(PARTIES)
    data["indicators"][0] |= {"rules": {"police_records": rule}} if rule else {}
    return Agreement.model_validate(data)


def completed(own: dict[str, Any], rule: dict[str, Any] | None) -> Indicator:
    """The mapping's indicator under the agreement."""
    mapping = build_mapping(
        {"source": "police_records", "columns": {"surname": "S"}, "indicators": {"offence": own}}
    )
    return agreed_rules(mapping, agreement(rule)).indicators["offence"]


def test_the_agreement_fills_in_what_it_says() -> None:
    """Numbers and the window come from what all have signed; columns and codes are the owner's."""
    found = completed({"columns": THREE, "rule": "agreed"}, ATTENDANCE)
    assert (found.below, found.known, found.rule) == (90, 2, None)
    found = completed({"dates": ["D1"], "rule": "agreed"}, EVENTS)
    assert (found.at_least, found.within_months) == (1, 12)
    assert completed({"column": "GBP", "rule": "agreed"}, ARREARS).at_least == 500
    found = completed({"column": "CODE", "on": "DAY", "equals": ["JSA"]}, CODES)
    assert (found.equals, found.within_months) == (("JSA",), 12)


def test_a_mapping_may_repeat_the_rule() -> None:
    """The same numbers in both are no contradiction."""
    assert completed({"columns": THREE, "below": 90, "known": 2}, ATTENDANCE).below == 90
    assert completed({"dates": ["D"], "at_least": 1, "within_months": 12}, EVENTS).at_least == 1


@pytest.mark.invariant(12, "a mapping that works an indicator out otherwise than agreed")
@pytest.mark.parametrize(
    ("own", "rule", "why"),
    [
        ({"columns": THREE, "below": 95}, ATTENDANCE, "the agreement's rule is below 90"),
        ({"columns": THREE, "below": 90, "known": 1}, ATTENDANCE, "known 2"),
        ({"columns": ["AUT"], "rule": "agreed"}, ATTENDANCE, "columns, one a period"),
        ({"column": "GBP", "below": 500}, ARREARS, "at_least 500"),
        ({"column": "GBP", "at_least": 1}, ARREARS | {"at_least": 1234567.5}, "1234567.5: repeat"),
        ({"column": "CODE", "equals": ["Y"]}, ARREARS, "one column with a number"),
        ({"column": "N", "at_least": 1}, EVENTS, "dates, of events"),
        ({"dates": ["D"], "at_least": 3}, EVENTS, "at_least 1"),
        ({"dates": ["D"], "at_least": 1, "within_months": 60}, EVENTS, "looks back 12 months"),
        ({"dates": ["D"], "at_least": 1, "within_months": 60}, None, "looks back 12 months"),
        ({"column": "N", "at_least": 1}, CODES, "equals with your own codes"),
        ({"column": "N", "rule": "agreed"}, None, "the agreement has no rule"),
    ],
)
def test_another_rule_is_refused(own: dict[str, Any], rule: dict[str, Any], why: str) -> None:
    """A laxer threshold, a longer window, other inputs: nothing is worked out."""
    with pytest.raises(IndicatorNotAgreed, match=why):
        completed(own, rule)


def test_agreements_without_rules_keep_their_bytes() -> None:
    """A rule that is not there is not in the bytes; one that changes is told in words."""
    plain, ruled = agreement(None), agreement(ATTENDANCE)
    assert b'"rules"' not in canonical_bytes(plain)
    assert b'"rules":{"police_records":{"below":90,"kind":' in canonical_bytes(ruled)
    assert Agreement.model_validate(ruled.model_dump(mode="json")) == ruled
    told = " ".join(meaning(plain, ruled))
    assert "police_records would say offence where the average of 3 periods, 2 of them" in told


def test_a_rule_is_for_a_source_that_submits_the_indicator() -> None:
    """A rule for another's source would bind nobody."""
    data = agreement_data(PARTIES)
    data["indicators"][0] |= {"rules": {"council_records": CODES}}
    with pytest.raises(ValueError, match="a source that does not submit it"):
        Agreement.model_validate(data)
