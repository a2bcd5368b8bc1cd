"""United Kingdom postcodes as ``AB1 2CD``, with O and 0, I and 1 put right where only one fits.

Shapes and letters: BS 7666 and Royal Mail's programmer's guide; areas: Royal Mail's 124.
"""

import re
from itertools import product

from partner_agent.cleansing.outcome import Outcome
from partner_agent.cleansing.text import fold, guarded

AREAS = frozenset(
    """AB AL B BA BB BD BF BH BL BN BR BS BT CA CB CF CH CM CO CR CT CV CW DA DD DE DG DH DL DN DT
    DY E EC EH EN EX FK FY G GL GU GY HA HD HG HP HR HS HU HX IG IM IP IV JE KA KT KW KY L LA LD
    LE LL LN LS LU M ME MK ML N NE NG NN NP NR NW OL OX PA PE PH PL PO PR RG RH RM S SA SE SG SK
    SL SM SN SO SP SR SS ST SW SY TA TD TF TN TQ TR TS TW UB W WA WC WD WF WN WR WS WV YO
    ZE""".split()  # noqa: SIM905 - a table of codes
)
_SHAPES = ("A9", "A99", "A9A", "AA9", "AA99", "AA9A")
_INWARD_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"
_TO_DIGIT = {"O": "0", "I": "1", "L": "1"}
_TO_LETTER = {"0": "O", "1": "I"}
_SIGNS = re.compile(r"[^A-Z0-9]+")
_OUTWARD = re.compile(r"[A-Z]{1,2}([0-9]|[1-9][0-9]|[0-9][A-HJ-NP-Z])$")
_LENGTHS = range(5, 8)  # characters without the space
_GIROBANK = "GIR0AA"
_PSEUDO = "ZZ99"
IN_TEXT = re.compile(r"\b([A-Z]{1,2}[0-9][A-Z0-9]?)\s*([0-9][ABD-HJLNP-UW-Z]{2})\b", re.IGNORECASE)


def clean_postcode(raw: str) -> Outcome:
    """A postcode with one space, or a note on why there is none."""
    return guarded(_clean)(raw)


def find_postcode(text: str) -> str:
    """The last postcode that stands in a text such as an address, or ``""``."""
    for outward, inward in reversed(IN_TEXT.findall(text)):
        outcome = _clean(outward + inward)
        if outcome.value and not outcome.note:
            return outcome.value
    return ""


def _clean(text: str) -> Outcome:
    code = _SIGNS.sub("", fold(text).upper())
    if code == _GIROBANK:
        return Outcome("GIR 0AA")
    if code.startswith(_PSEUDO):
        return Outcome("", "postcode.pseudo")
    if len(code) not in _LENGTHS:
        return Outcome("", "postcode.format")
    inward = _TO_DIGIT.get(code[-3], code[-3]) + code[-2:]
    if not inward[0].isdigit() or any(c not in _INWARD_LETTERS for c in inward[1:]):
        return Outcome("", "postcode.format")
    return _with_outward(code, inward)


def _with_outward(code: str, inward: str) -> Outcome:
    outward = code[:-3]
    if _OUTWARD.match(outward) and _area(outward) in AREAS:  # as it should be: no other reading
        return Outcome(f"{outward} {inward}", "postcode.repaired" if inward != code[-3:] else "")
    fits = _outward_fits(code[:-3])
    if not fits:
        return Outcome("", "postcode.format")
    known = {outward: changes for outward, changes in fits.items() if _area(outward) in AREAS}
    if not known:
        return Outcome("", "postcode.unknown_area")
    fewest = min(known.values())
    best = [outward for outward, changes in known.items() if changes == fewest]
    if len(best) > 1:
        return Outcome("", "postcode.ambiguous")
    changed = fewest or inward != code[-3:]
    return Outcome(f"{best[0]} {inward}", "postcode.repaired" if changed else "")


def _outward_fits(outward: str) -> dict[str, int]:
    """Every reading of the outward part that has a valid shape, with its number of changes."""
    fits: dict[str, int] = {}
    for shape in _SHAPES:
        if len(shape) != len(outward):
            continue
        two_digits = shape.index("9") if "99" in shape else -1
        options = [_options(have, want) for have, want in zip(outward, shape, strict=True)]
        for choice in product(*options):
            reading = "".join(choice)
            if two_digits >= 0 and reading[two_digits] == "0":
                continue  # districts are 0 to 99 without leading zeros
            if shape.endswith("9A") and reading[-1] in "IO":
                continue  # never issued behind a digit
            changes = sum(a != b for a, b in zip(reading, outward, strict=True))
            fits[reading] = min(changes, fits.get(reading, changes))
    return fits


def _options(have: str, want: str) -> list[str]:
    if want == "9":
        found = have if have.isdigit() else _TO_DIGIT.get(have)
    else:
        found = have if have.isalpha() else _TO_LETTER.get(have)
    return [found] if found else []


def _area(outward: str) -> str:
    return outward[:2] if outward[1].isalpha() else outward[:1]
