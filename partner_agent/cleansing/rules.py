"""Rules of a mapping that are no cleansing of a value: indicators, opt-out, protected.

Unknown is never counted as unmet: a blank, a placeholder and a non-number are unknown, and so is
what a day that cannot be read, or a period that is missing, could have changed. A marker's value
that the mapping lists neither as yes nor as no is taken on the safe side: a doubtful opt-out keeps
the row out, a doubtful protection protects.
"""

import re
from collections.abc import Callable
from datetime import date

from dateutil.relativedelta import relativedelta

from partner_agent.cleansing.dates import DateCleaner
from partner_agent.cleansing.distinct import SEPARATOR
from partner_agent.cleansing.outcome import MISSING, Outcome
from partner_agent.cleansing.text import fold, guarded
from partner_agent.extracts.mapping import Indicator, Marker

MET, UNMET = "met", "unmet"
YES, DOUBT = "y", "?"
_CLEAR = frozenset({"n", "no", "0", "0.0", "false", "f", "none"})
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?$")


def indicator_rule(rule: Indicator, dates: DateCleaner | None = None) -> Callable[[str], Outcome]:
    """A function from the cells of a row to ``met``, ``unmet`` or missing.

    Args:
        rule: complete: none of the agreement's is left to be filled in.
        dates: reads days, and knows what day it is; where the rule has a window.

    Returns:
        A function of one cell, or of several joined by ``SEPARATOR`` in the order of
        ``rule.inputs``.

    Raises:
        ValueError: the rule is not complete.
    """
    if rule.rule is not None or (rule.within_months is None and (rule.dates or rule.on)):
        raise ValueError("the agreement's rule was not filled in")
    if rule.columns is not None:
        return _average(rule)
    if rule.dates is None and rule.on is None:
        return _cell(rule)
    if dates is None:
        raise ValueError("a rule with a window needs to know what day it is")
    since = dates.today - relativedelta(months=rule.within_months or 0)
    return _events(rule, dates, since) if rule.dates else _dated(rule, dates, since)


def _average(rule: Indicator) -> Callable[[str], Outcome]:
    """Of periods that are known, where enough of them are."""
    needed = rule.known or len(rule.columns or ())

    def run(joined: str) -> Outcome:
        cells = [guarded(_number)(cell) for cell in joined.split(SEPARATOR)]
        known = [float(cell.value) for cell in cells if cell.value]
        if len(known) < needed:
            said = next((cell.note for cell in cells if cell.note), "")
            return Outcome("", said or ("indicator.periods_missing" if known else ""))
        return _compared(sum(known) / len(known), rule)

    return run


def _events(rule: Indicator, dates: DateCleaner, since: date) -> Callable[[str], Outcome]:
    """Enough days lie in the window; a day that cannot be read could be one of them."""

    def run(joined: str) -> Outcome:
        cells = [dates.clean(cell) for cell in joined.split(SEPARATOR)]
        days = [date.fromisoformat(cell.value) for cell in cells if cell.value]
        future = sum(day > dates.today for day in days)
        within = sum(since <= day <= dates.today for day in days)
        doubtful = future + sum(bool(cell.note) and not cell.value for cell in cells)
        if within >= (rule.at_least or 1):
            return Outcome(MET)
        if not days or within + doubtful >= (rule.at_least or 1):
            return Outcome("", "indicator.no_date" if doubtful else "")
        return Outcome(UNMET)

    return run


def _dated(rule: Indicator, dates: DateCleaner, since: date) -> Callable[[str], Outcome]:
    """What a column says, where its day lies in the window; before it, it counts no more."""
    said = _cell(rule)

    def run(joined: str) -> Outcome:
        cell, _, on = joined.partition(SEPARATOR)
        found = said(cell)
        if found.value != MET:
            return found
        day = dates.clean(on).value
        if not day or date.fromisoformat(day) > dates.today:
            return Outcome("", "indicator.no_date")
        return found if date.fromisoformat(day) >= since else Outcome(UNMET)

    return run


def _cell(rule: Indicator) -> Callable[[str], Outcome]:
    if rule.equals is not None:
        wanted = frozenset(map(_folded, rule.equals))

        def equals(text: str) -> Outcome:
            return Outcome(MET if _folded(text) in wanted else UNMET)

        def wanted_or_guarded(raw: str) -> Outcome:
            # a placeholder that the mapping lists, such as NFA, is a value
            return Outcome(MET) if _folded(raw) in wanted else guarded(equals)(raw)

        return wanted_or_guarded
    return guarded(lambda text: _threshold(text, rule))


def _threshold(text: str, rule: Indicator) -> Outcome:
    found = _number(text)
    return _compared(float(found.value), rule) if found.value else found


def _number(text: str) -> Outcome:
    digits = text.replace(",", "").removesuffix("%").strip()
    return Outcome(digits) if _NUMBER.match(digits) else Outcome("", "indicator.not_a_number")


def _compared(number: float, rule: Indicator) -> Outcome:
    if rule.below is not None:
        return Outcome(MET if number < rule.below else UNMET)
    return Outcome(MET if rule.at_least is not None and number >= rule.at_least else UNMET)


def marker_rule(marker: Marker) -> Callable[[str], Outcome]:
    """A function from a cell to ``y``, missing, or ``?`` for a value that is not listed."""
    wanted = frozenset(map(_folded, marker.equals))
    clear = _CLEAR | frozenset(map(_folded, marker.clear))

    def run(raw: str) -> Outcome:
        text = _folded(raw)
        if text in wanted:
            return Outcome(YES)
        return MISSING if not text or text in clear else Outcome(DOUBT)

    return run


def _folded(text: str) -> str:
    return fold(text).strip()
