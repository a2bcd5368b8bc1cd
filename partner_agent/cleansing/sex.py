"""Sex as ``m``, ``f`` or missing. Codes 0, 1, 2, 9: ISO/IEC 5218, as the NHS data dictionary."""

from partner_agent.cleansing.outcome import MISSING, Outcome
from partner_agent.cleansing.text import fold, guarded

_CODES = {
    "m": {"m", "male", "man", "boy", "1", "1.0", "gwryw", "xy"},
    "f": {"f", "female", "woman", "girl", "2", "2.0", "benyw", "xx"},
    "": {"0", "9", "0.0", "9.0", "u", "i", "x", "indeterminate", "other", "not specified", "o"},
}
_BY_CODE = {code: sex for sex, codes in _CODES.items() for code in codes}


def _clean(text: str) -> Outcome:
    sex = _BY_CODE.get(fold(text).strip(". "))
    if sex is None:
        return Outcome("", "sex.unrecognised")
    return Outcome(sex) if sex else MISSING


def clean_sex(raw: str) -> Outcome:
    """``m``, ``f``, or missing; codes for unknown or indeterminate are missing without a note."""
    if raw.strip().lower() == "x":  # ISO/IEC 5218 has no X, passports do: not a placeholder
        return MISSING
    return guarded(_clean)(raw)
