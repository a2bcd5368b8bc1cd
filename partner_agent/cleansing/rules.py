"""Rules of a mapping that are no cleansing of a value: indicators, opt-out, protected.

Unknown is never counted as unmet: a blank, a placeholder and a non-number are unknown. A marker's
value that the mapping lists neither as yes nor as no is taken on the safe side: a doubtful opt-out
keeps the row out, a doubtful protection protects.
"""

import re
from collections.abc import Callable

from partner_agent.cleansing.outcome import MISSING, Outcome
from partner_agent.cleansing.text import fold, guarded
from partner_agent.extracts.mapping import Indicator, Marker

MET, UNMET = "met", "unmet"
YES, DOUBT = "y", "?"
_CLEAR = frozenset({"n", "no", "0", "0.0", "false", "f", "none"})
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?$")


def indicator_rule(rule: Indicator) -> Callable[[str], Outcome]:
    """A function from a cell to ``met``, ``unmet`` or missing."""
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
    digits = text.replace(",", "").removesuffix("%").strip()
    if not _NUMBER.match(digits):
        return Outcome("", "indicator.not_a_number")
    number = float(digits)
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
