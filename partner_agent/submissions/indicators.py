"""A mapping's indicators under the rules that its agreement has for them (ADR 35).

Rules, in order: where the agreement has a rule for the source, the mapping takes it (``rule:
agreed``) or states the very same; its inputs are of the rule's kind; days count within the
agreement's window and within no other. Where the agreement has none, the mapping's own counts, and
only the window is the agreement's.
"""

from typing import Final

from governance.agreements.errors import IndicatorNotAgreed
from governance.agreements.indicators import (
    AverageBelow,
    EventsAtLeast,
    IndicatorRule,
    ListedValue,
    NumberAtLeast,
    number_text,
)
from governance.agreements.models import Agreement
from partner_agent.extracts.mapping import Indicator, SourceMapping

_INPUTS: Final = {
    AverageBelow: "columns, one a period",
    EventsAtLeast: "dates, of events",
    NumberAtLeast: "one column with a number",
    ListedValue: "one column, and equals with your own codes",
}


def agreed_rules(mapping: SourceMapping, agreement: Agreement) -> SourceMapping:
    """The mapping with each indicator's rule complete.

    Args:
        mapping: whose indicators the agreement lists.
        agreement: the one in force.

    Raises:
        IndicatorNotAgreed: a mapping's rule, inputs or window are not the agreement's.
    """
    items = {item.id: item for item in agreement.indicators}
    found = {
        name: _complete(
            name, own, (items[name].rules or {}).get(mapping.source), items[name].window_months
        )
        for name, own in mapping.indicators.items()
    }
    return mapping.model_copy(update={"indicators": found})


def _complete(name: str, own: Indicator, rule: IndicatorRule | None, window: int) -> Indicator:
    if own.within_months not in {None, window}:
        raise _refused(name, f"within_months: the agreement looks back {window} months")
    changes: dict[str, object] = {}
    if own.dates is not None or own.on is not None:
        changes["within_months"] = window
    if rule is None:
        if own.rule is not None:
            raise _refused(name, "the agreement has no rule: give below, at_least or equals")
    elif not _fits(own, rule):
        raise _refused(name, f"the agreement's rule is worked out from {_INPUTS[type(rule)]}")
    else:
        changes |= _numbers(name, own, rule)
    return Indicator.model_validate(own.model_dump(exclude={"rule"}) | changes)


def _fits(own: Indicator, rule: IndicatorRule) -> bool:
    """Whether a mapping's inputs are of a rule's kind."""
    if isinstance(rule, AverageBelow):
        columns = len(own.columns or ()) or int(own.column is not None)
        return columns == rule.periods and own.on is None
    if isinstance(rule, EventsAtLeast):
        return own.dates is not None
    if isinstance(rule, NumberAtLeast):
        return own.column is not None and own.equals is None
    return own.equals is not None


def _numbers(name: str, own: Indicator, rule: IndicatorRule) -> dict[str, float]:
    """The rule's numbers, which a mapping may repeat and not change."""
    if isinstance(rule, ListedValue):
        return {}
    if isinstance(rule, AverageBelow):
        agreed: dict[str, float] = {"below": rule.below}
        if own.columns is not None:
            agreed["known"] = rule.known
    else:
        agreed = {"at_least": rule.at_least}
    stated = own.model_dump(include={"below", "at_least", "equals", "known"}, exclude_none=True)
    if any(agreed.get(key) != value for key, value in stated.items()):
        said = " and ".join(f"{key} {number_text(value)}" for key, value in agreed.items())
        raise _refused(name, f"the agreement's rule is {said}: repeat it, or write rule: agreed")
    return agreed


def _refused(name: str, why: str) -> IndicatorNotAgreed:
    return IndicatorNotAgreed(
        f"indicators.{name}: {why}", next_step="correct the mapping, or agree a new version"
    )
