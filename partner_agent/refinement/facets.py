"""What two values of a field would have in common at each level of agreement.

A *facet* of a value is, for each level of ``LEVELS``, a few texts; two values agree at the level
when they share one. So agreement that is not exact is told by equality alone:

- near: four letters at either end, or two at both: what one edit leaves alone. A deletion
  neighbourhood (Mor and Fraenkel 1982) is sharper and needs a text for every letter;
- alike: first or last three letters, the sound, the full form of a short name, one of its words;
- dates: year and two of the other parts, day and month swapped, one digit of the year wrong;
- addresses: number with street or postcode (near), street or postcode alone (area).

A value of a weaker level never parts two values that agree at a stronger one: where a level has
texts, equal values share them all.
"""

from collections.abc import Mapping
from typing import Final

from governance.exchange.parameters import CALIBRATION_SLOT, LEVELS
from partner_agent.cleansing.nicknames import FULL_NAMES
from partner_agent.refinement.sound import sound_code

Facet = tuple[tuple[str, ...], ...]

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    name: (name,) for name in LEVELS if name != "address"
} | {"address": ("address", "postcode", "uprn")}
"""Columns of the cleaned row that make up a field."""

_LONG: Final = 4  # letters at either end that one edit elsewhere leaves alone
_PART: Final = 3  # letters at either end that two spellings are likely to share
_SEPARATOR: Final = "\x1f"


def field_value(row: Mapping[str, str], field: str) -> tuple[str, ...] | None:
    """The field's columns, or None where the row lacks it."""
    value = tuple(row.get(column, "") for column in COLUMNS[field])
    return value if any(value) else None


def facet(field: str, value: tuple[str, ...]) -> Facet:
    """The texts of one value, one tuple for each level of its field, without repetitions.

    Args:
        field: a key of ``LEVELS``.
        value: its columns as ``field_value`` gives them.
    """
    if field == "address":
        levels = _address(*value)
    elif field == "date_of_birth":
        levels = _date(value[0])
    elif field == "first_name":
        levels = _first_name(value[0])
    elif field == "surname":
        levels = _surname(value[0])
    elif field == "middle_name":
        levels = ([value[0]], [value[0][0]])
    else:
        levels = ([value[0]],)
    return tuple(
        tuple(dict.fromkeys(texts))[: CALIBRATION_SLOT[level]]
        for level, texts in zip(LEVELS[field], levels, strict=True)
    )


def swapped_facet(first_name: str, surname: str) -> tuple[str, ...]:
    """Texts that two rows share when one has first name and surname in each other's place."""
    ends = ((first_name, surname), *((_start(first_name), _start(surname)),),
            (_end(first_name), _end(surname)))  # fmt: skip
    return tuple(dict.fromkeys(_SEPARATOR.join(sorted(pair)) for pair in ends))


def _first_name(name: str) -> tuple[list[str], ...]:
    word = name.split(" ", maxsplit=1)[0]
    alike = [*_ends(name), "=" + FULL_NAMES.get(word, word), "~" + sound_code(name)]
    return [name], _one_edit(name.replace(" ", "")), alike, [name[0]]


def _surname(name: str) -> tuple[list[str], ...]:
    words = name.split(" ")
    alike = [*_ends(name), "~" + sound_code(name)]
    alike += ["=" + word for word in words if len(word) > _PART]
    return [name], _one_edit(name.replace(" ", "")), alike


def _one_edit(name: str) -> list[str]:
    """Beginning, end and both ends: of five letters or more, most single edits leave one whole."""
    return ["<" + name[:_LONG], ">" + name[-_LONG:], "|" + name[:2] + "." + name[-2:]]


def _ends(name: str) -> list[str]:
    return ["<" + _start(name), ">" + _end(name)]


def _start(name: str) -> str:
    return name.replace(" ", "")[:_PART]


def _end(name: str) -> str:
    return name.replace(" ", "")[-_PART:]


def _date(date: str) -> tuple[list[str], ...]:
    year, month, day = date[:4], date[5:7], date[8:10]
    near = [
        f"yd{year}{day}",
        f"ym{year}{month}",
        f"sw{year}{min(day, month)}{max(day, month)}",
        f"y3{year[:3]}{month}{day}",
        f"y4{year[:2]}{year[3]}{month}{day}",
    ]
    return [date], near, [month + day]


def _address(line: str, postcode: str, uprn: str) -> tuple[list[str], ...]:
    words = line.split(" ") if line else []
    numbers = " ".join(word for word in words if word[0].isdigit())
    street = [word for word in words if not word[0].isdigit()]
    exact, near, area = [], [], []
    if uprn:
        exact.append("u" + uprn)
    if line:
        exact.append(f"a{line}{_SEPARATOR}{postcode}")
    if numbers and street:
        near.append(f"n{numbers}{_SEPARATOR}{sound_code(_main(street))}")
    elif line:
        near += [f"<{line[: _PART + 1]}", f">{line[-_PART - 1 :]}", "~" + sound_code(line)]
    if numbers and postcode:
        near.append(f"p{numbers}{_SEPARATOR}{postcode}")
    if postcode:
        area.append("p" + postcode)
    if street:
        area.append("s" + (" ".join(street) if numbers else _start(line)))
    return exact, near, area


def _main(street: list[str]) -> str:
    """The word that names the street: the longest of the first two, directions being short."""
    return max(street[:2], key=len)
