"""NHS number, National Insurance number and unique pupil number: only what passes its check.

NHS number: ten digits, the last a check digit modulo 11 (NHS data dictionary; python-stdnum).
National Insurance number: prefixes and suffix as HMRC's manual NIM39110; the suffix letter is
dropped, since it tells no two people apart and many systems do not hold it.
UPN: check letter of the DfE's guide (python-stdnum); local authorities that are newer than its
list are accepted.
"""

import re

from stdnum import exceptions
from stdnum.gb import upn

from partner_agent.cleansing.outcome import Outcome
from partner_agent.cleansing.text import guarded

_SIGNS = re.compile(r"[\s\-./_]+")
_FLOAT = re.compile(r"(\d+)\.0$")
_SCIENTIFIC = re.compile(r"\d(\.\d+)?e\+?\d+$", re.IGNORECASE)
_NHS = re.compile(r"\d{10}$")
_NHS_WEIGHTS = (10, 9, 8, 7, 6, 5, 4, 3, 2)
_CODE_OF_ZERO = ord("0")
_NINO = re.compile(r"([A-Z]{2})(\d{6})[A-D]?$")
_NINO_PREFIX = re.compile(r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PRSTW-Z][A-CEGHJ-NPRSTW-Z]$")
_UPN = re.compile(r"[A-Z]\d{11}[0-9A-Z]$")


def compact(text: str) -> str:
    """Upper case without spaces and signs, and without the ``.0`` of a spreadsheet's number."""
    return _SIGNS.sub("", _FLOAT.sub(r"\1", text)).upper()


def _nhs_number(text: str) -> Outcome:
    number = text if _NHS.match(text) else compact(text)
    if not _NHS.match(number):
        if _SCIENTIFIC.match(text):
            return Outcome("", "identifier.scientific")
        return Outcome("", "nhs_number.format")
    if len(set(number)) == 1:
        return Outcome("", "nhs_number.repeated_digit")
    if not _nhs_check_digit_fits(number):
        return Outcome("", "nhs_number.check_digit")
    return Outcome(number)


def _nhs_check_digit_fits(number: str) -> bool:
    """Modulus 11 (NHS data dictionary): 11 stands for 0, and 10 is never issued."""
    if not number.isascii():
        return False
    digits = number.encode("ascii")
    total = sum((d - _CODE_OF_ZERO) * w for d, w in zip(digits, _NHS_WEIGHTS, strict=False))
    return (11 - total % 11) % 11 == digits[9] - _CODE_OF_ZERO


def _nino(text: str) -> Outcome:
    match = _NINO.match(compact(text))
    if not match:
        return Outcome("", "nino.format")
    if not _NINO_PREFIX.match(match[1]):
        return Outcome("", "nino.prefix")
    return Outcome(match[1] + match[2])


def _upn(text: str) -> Outcome:
    number = compact(text)
    if not _UPN.match(number):
        return Outcome("", "upn.format")
    try:
        return Outcome(upn.validate(number))
    except exceptions.InvalidComponent:
        if upn.calc_check_digit(number[1:]) == number[0]:
            return Outcome(number)
        return Outcome("", "upn.check_letter")
    except exceptions.InvalidChecksum:
        return Outcome("", "upn.check_letter")
    except exceptions.ValidationError:
        return Outcome("", "upn.format")


_GUARDED_NHS, _GUARDED_NINO, _GUARDED_UPN = guarded(_nhs_number), guarded(_nino), guarded(_upn)


def clean_nhs_number(raw: str) -> Outcome:
    """Ten digits without spaces."""
    return _GUARDED_NHS(raw)


def clean_nino(raw: str) -> Outcome:
    """Two letters and six digits; the suffix letter is dropped."""
    return _GUARDED_NINO(raw)


def clean_upn(raw: str) -> Outcome:
    """Thirteen characters."""
    return _GUARDED_UPN(raw)
