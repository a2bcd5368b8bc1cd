"""Addresses as one line that is the same for the same home, whoever wrote it down.

The line is `<flat> <number or name> <street>`; where no number stands before the street it is
`<flat> <building> <street>`. In order: repair and folding; the postcode and country out; words
abbreviated one way; flats written the many ways (``Flat 2, 15``, ``15 High St Flat 2``, ``2/15``,
``Flat A, 15``, ``15a``) put into one; a building's name left out where a street number says the
same; and all behind the street (town, county) left out **when the postcode is known**, since
sources differ most in what they put there and the household token holds the postcode. Without a
postcode the town is what tells two High Streets apart, so there it stays.
"""

import re
from typing import NamedTuple

from partner_agent.cleansing.address_words import (
    ABBREVIATIONS,
    BUILDINGS,
    COUNTRIES,
    DIRECTIONS,
    FLOORS,
    RELATIVE,
    SAINTS,
    STREETS,
    UNITS,
)
from partner_agent.cleansing.outcome import MISSING, Outcome
from partner_agent.cleansing.postcode import IN_TEXT
from partner_agent.cleansing.text import fold, is_placeholder, tidy

_RANGE = re.compile(r"\b(\d+[a-z]?)\s*(?:-|to)\s*(\d+[a-z]?)\b")
_SLASH = re.compile(r"\b(\d+[a-z]?)\s*/\s*(\d+[a-z]?)\b")
_NUMBER_WORD = re.compile(r"\b(?:no|number|nr|num)\.?\s*(?=\d)|#(?=\s*\d)")
_SPLIT_SUFFIX = re.compile(r"\b(\d+) ([a-h])(?= [a-z]{2}|,|$)")
_JOINED_UNIT = re.compile(r"\b(flat|flt|apt|unit|room)(\d)")
_DROPPED = re.compile(r"['`\u2018\u2019.]")
_SEPARATORS = re.compile(r"[^a-z0-9,/-]+")
_NUMBER = re.compile(r"\d+[a-z]?(-\d+[a-z]?)?$")
_LEADING_ZEROS = re.compile(r"\b0+(?=\d)")
_UNIT_NAME = re.compile(r"(\d+[a-z]?|[a-z]\d?)$")


class Address(NamedTuple):
    """The parts of a home's address, each lower-case words or ``""``."""

    unit: str
    number: str
    building: str
    street: str
    rest: str

    def line(self, *, with_town: bool) -> str:
        """One line, the same for the same home."""
        premises = self.number or self.building
        parts = [self.unit, premises, self.street, self.rest if with_town else ""]
        return " ".join(part for part in parts if part)


def clean_address(raw: str, *, has_postcode: bool) -> Outcome:
    """One normalised line, or a note on why there is none.

    Args:
        raw: the address's cells joined by ``", "``.
        has_postcode: whether a valid postcode is known; then town and county are left out.
    """
    text = tidy(raw).strip(" ,")
    if not text:
        return MISSING
    if all(is_placeholder(part.strip()) for part in text.split(",") if part.strip()):
        return Outcome("", "text.placeholder")
    line = parse_address(text).line(with_town=not has_postcode)
    return Outcome(line) if line else Outcome("", "address.no_content")


def parse_address(text: str) -> Address:
    """The parts of one address; text without any structure becomes the building."""
    parts = _parts(text)
    unit, parts = _take_unit(parts)
    words = [(word, at) for at, part in enumerate(parts) for word in part]
    return _arranged(unit, words)


def plain_words(text: str) -> str:
    """Any part of an address in the words in which :func:`parse_address` gives it."""
    return " ".join(word for part in _parts(text) for word in part)


def _parts(text: str) -> list[list[str]]:
    """Words by comma-separated part, abbreviations expanded, postcode and country gone."""
    text = _DROPPED.sub("", fold(IN_TEXT.sub(" ", text)))
    text = _NUMBER_WORD.sub("", _SEPARATORS.sub(" ", text))
    text = _SLASH.sub(r"flat \1 \2", _RANGE.sub(r"\1-\2", text))
    text = _JOINED_UNIT.sub(r"\1 \2", _SPLIT_SUFFIX.sub(r"\1\2", text))
    text = _LEADING_ZEROS.sub("", text)
    # a dash other than between numbers is a space
    text = re.sub(r"(?<!\d)(?<!\d[a-z])-|-(?!\d)|/", " ", text)
    parts = [" ".join(part.split()) for part in text.split(",")]
    kept = [part for part in parts if part and part not in COUNTRIES and not is_placeholder(part)]
    return [_expanded(part.split()) for part in kept]


def _expanded(words: list[str]) -> list[str]:
    return [
        _saint_or_street(words, at) if word == "st" else ABBREVIATIONS.get(word, word)
        for at, word in enumerate(words)
    ]


def _saint_or_street(words: list[str], at: int) -> str:
    following = words[at + 1] if at + 1 < len(words) else ""
    if following in SAINTS:
        return "st"
    before = words[at - 1] if at else ""
    if not before or _NUMBER.match(before) or before in {"of", "flat"}:
        return "st" if following else "street"
    return "street"


def _take_unit(parts: list[list[str]]) -> tuple[str, list[list[str]]]:
    """The flat's number or floor, and the parts without it."""
    for index, part in enumerate(parts):
        for at, word in enumerate(part):
            name = part[at + 1] if at + 1 < len(part) else ""
            if word in UNITS and _UNIT_NAME.match(name):
                return name, _without(parts, index, at, at + 2)
            if word in FLOORS and name == "floor":
                end = at + 3 if part[at + 2 : at + 3] == ["flat"] else at + 2
                return f"{word} floor", _without(parts, index, at, end)
            if word in FLOORS and name == "flat":
                return f"{word} floor", _without(parts, index, at, at + 2)
    return "", parts


def _without(parts: list[list[str]], index: int, start: int, end: int) -> list[list[str]]:
    part = parts[index][:start] + parts[index][end:]
    return [p for p in [*parts[:index], part, *parts[index + 1 :]] if p]


def _arranged(unit: str, words: list[tuple[str, int]]) -> Address:
    plain = [word for word, _ in words]
    end = _street_end(words)
    if end is None:
        return _named_only(unit, words)
    number_at = _number_before(plain, end)
    rest = " ".join(plain[end:])
    if number_at is None:
        start = _street_start(words, end)
        building = plain[:start]
        unit, building = _unit_of_building(unit, building)
        return Address(unit, "", " ".join(building), " ".join(plain[start:end]), rest)
    street = plain[number_at + 1 : end]
    building = plain[:number_at]
    return _numbered(unit, plain[number_at], building, street, rest)


def _numbered(unit: str, number: str, building: list[str], street: list[str], rest: str) -> Address:
    """Number and street, with what stood before them: a flat's number, a building, or both."""
    inside = [at for at, word in enumerate(street) if word in BUILDINGS]
    if not building and inside and inside[0] < len(street) - 2:
        # '2 windsor court high street': the number is the flat's
        cut = inside[0] + 1
        name, street = street[:cut], street[cut:]
        return Address(unit or number, "", " ".join(name), " ".join(street), rest)
    if not unit and building and _NUMBER.match(building[0]):
        unit = building[0]
    if len(unit) == 1 and unit.isalpha() and number.isdigit():
        unit, number = "", number + unit
    return Address(unit, number, " ".join(building), " ".join(street), rest)


def _unit_of_building(unit: str, building: list[str]) -> tuple[str, list[str]]:
    if not unit and len(building) > 1 and _NUMBER.match(building[0]):
        return building[0], building[1:]
    return unit, building


def _street_end(parted: list[tuple[str, int]]) -> int | None:
    """The place behind the street's name: behind the first kind of street that has a name."""
    words = [word for word, _ in parted]
    for at, word in enumerate(words):
        named = at > 0 and not _NUMBER.match(words[at - 1])
        article = at > 0 and words[at - 1] == "the" and word not in STREETS
        if word in STREETS and named and not article:
            end = at + 1
            while end < len(words) and words[end] in STREETS:  # 'park lane close'
                end += 1
            return end + 1 if _directed(parted, end) else end
    return None


def _directed(parted: list[tuple[str, int]], at: int) -> bool:
    """Whether a word behind a street belongs to its name ('london road north') and not to a town.

    'Mill Lane, Upper Beeding' is no Mill Lane Upper: a direction that begins the next part of the
    address with other words behind it, or upper and lower with a word behind them, are a town's.
    """
    if at >= len(parted) or parted[at][0] not in DIRECTIONS:
        return False
    word, part = parted[at]
    alone = at + 1 == len(parted) or parted[at + 1][1] != part
    return alone or (part == parted[at - 1][1] and word not in RELATIVE)


def _number_before(words: list[str], end: int) -> int | None:
    numbers = [at for at in range(end - 1) if _NUMBER.match(words[at])]
    return numbers[-1] if numbers else None


def _street_start(words: list[tuple[str, int]], end: int) -> int:
    """The first word of the street's own comma-separated part, or behind a building's kind."""
    part = words[end - 1][1]
    start = next(at for at, word in enumerate(words) if word[1] == part)
    for at in range(start, end - 2):
        if words[at][0] in BUILDINGS:
            start = at + 1
    return start


def _named_only(unit: str, words: list[tuple[str, int]]) -> Address:
    """No kind of street: 'Rose Cottage, Firle' or '5 The Green, Lewes'."""
    if not words:
        return Address(unit, "", "", "", "")
    first = words[0][1]
    if len([word for word, part in words if part == first]) == 1 and _NUMBER.match(words[0][0]):
        first += 1  # the number alone in its cell
    end = next((at for at, (_, part) in enumerate(words) if part > first), len(words))
    head = [word for word, _ in words[:end]]
    cut = next((at + 1 for at, word in enumerate(head) if at and word in BUILDINGS), len(head))
    rest = " ".join(head[cut:] + [word for word, _ in words[end:]])
    head = head[:cut]
    if len(head) > 1 and _NUMBER.match(head[0]):
        return Address(unit, head[0], "", " ".join(head[1:]), rest)
    return Address(unit, "", " ".join(head), "", rest)
