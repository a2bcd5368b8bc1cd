"""What a column may be: guessed from its heading and from the shapes of its values.

A heading that is nearly a known one counts; shapes overrule it where they are strict (an NHS
number's check digit), and stand alone where the heading says nothing.
"""

import re
from collections.abc import Callable, Sequence

from rapidfuzz import fuzz

from partner_agent.cleansing.contact import clean_email, clean_phone
from partner_agent.cleansing.identifiers import clean_nhs_number, clean_nino, clean_upn
from partner_agent.cleansing.outcome import Outcome
from partner_agent.cleansing.postcode import clean_postcode
from partner_agent.cleansing.sex import clean_sex

_HEADINGS: dict[str, tuple[str, ...]] = {
    "record_id": ("record id", "id", "pupil ref", "case id", "person id", "client id", "urn"),
    "first_name": ("first name", "forename", "given name", "fname", "preferred name"),
    "middle_name": ("middle name", "middle names", "middle initial", "second name", "middle"),
    "surname": ("surname", "last name", "family name", "lname", "sname"),
    "full_name": ("full name", "name", "person name", "client name", "pupil name"),
    "date_of_birth": ("date of birth", "dob", "birth date", "birthdate", "d o b", "dob raw"),
    "sex": ("sex", "gender", "legal sex"),
    "nhs_number": ("nhs number", "nhs no", "nhs", "nhsnumber"),
    "nino": ("nino", "ni number", "national insurance number", "ni no"),
    "upn": ("upn", "unique pupil number"),
    "address": (
        "address", "addr", "address line", "street", "street name", "street number",
        "house number", "house name", "unit number", "town", "city", "suburb",
    ),
    "postcode": ("postcode", "post code", "pcode", "postal code", "zip"),
    "uprn": ("uprn", "unique property reference number"),
    "phone": ("phone", "telephone", "tel", "mobile", "phone number", "contact number"),
    "email": ("email", "e mail", "email address"),
    "address_from": ("address from", "move in date", "address start", "addr from"),
    "address_to": ("address to", "move out date", "address end", "addr to"),
}  # fmt: skip
_NEAR = 88.0  # percent of rapidfuzz's ratio between two headings
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SIGNS = re.compile(r"[\W_\d]+")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(\D.*)?$")
_MOSTLY = 0.8  # share of values that must have a shape
_FEW = 5  # distinct values needed before a shape says anything


def _looks_like_date(text: str) -> Outcome:
    return Outcome(text if _DATE.match(text) else "")


_SHAPES: tuple[tuple[str, Callable[[str], Outcome], int], ...] = (
    ("nhs_number", clean_nhs_number, _FEW),
    ("upn", clean_upn, _FEW),
    ("nino", clean_nino, _FEW),
    ("postcode", clean_postcode, _FEW),
    ("email", clean_email, _FEW),
    ("phone", clean_phone, _FEW),
    ("date", _looks_like_date, _FEW),
    ("sex", clean_sex, 2),
)
_DATES = frozenset({"date_of_birth", "address_from", "address_to"})


def role_of_heading(heading: str) -> str:
    """The role that a heading names, or ``""``."""
    words = " ".join(_SIGNS.sub(" ", _CAMEL.sub(" ", heading)).lower().split())
    scored = [
        (fuzz.ratio(words, known), role) for role, names in _HEADINGS.items() for known in names
    ]
    best = max(scored)
    return best[1] if best[0] >= _NEAR else ""


def shape_of_values(values: Sequence[str]) -> str:
    """The shape that most of some distinct values have: a role, ``date``, or ``""``."""
    filled = [value for value in values if value.strip()]
    for shape, clean, enough in _SHAPES:
        if len(filled) < enough:
            continue
        fits = sum(bool(clean(value).value) for value in filled)
        if fits >= _MOSTLY * len(filled):
            return shape
    return ""


def guess_role(heading: str, values: Sequence[str]) -> str:
    """A role of `SourceMapping`, or ``""`` where nothing speaks for one."""
    named, shape = role_of_heading(heading), shape_of_values(values)
    if shape in {"", "date"}:
        return named
    if named and named not in _DATES and shape in {"sex", "phone"}:
        return named  # loose shapes: the heading knows better
    return shape
