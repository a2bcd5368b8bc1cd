"""Column makers, shared by the source systems."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
from anyascii import anyascii

from examples.county.errors.profile import MISSING
from examples.county.model import EPOCH, NEED_INDEX, OPEN, Ints, Role, Texts
from examples.county.sources.base import Make, Sheet

Case = Callable[[str], str]
PROTECTED_KNOWN_RATE = 0.9  # protected people whom a source knows to be so


def _column(values: Sequence[Any]) -> Texts:
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found


def plain(text: str) -> str:
    """As it is."""
    return text


def storable(texts: Texts, encoding: str) -> Texts:
    """Texts that a system of this encoding can hold: other letters lose their marks."""

    def fit(text: str) -> str:
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return "".join(_fit_letter(letter, encoding) for letter in text)
        return text

    return _column([text if text.isascii() else fit(text) for text in texts])


def _fit_letter(letter: str, encoding: str) -> str:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return anyascii(letter)
    return letter


def value(name: str, case: Case = plain) -> Make:
    """A field of ``Values``, in a case."""

    def make(sheet: Sheet) -> Texts:
        texts = storable(getattr(sheet.values, name), sheet.encoding)
        return texts if case is plain else _column([case(text) for text in texts])

    return make


def spaced_nhs(sheet: Sheet) -> Texts:
    """NHS numbers as 3 3 4."""
    return _column(
        [f"{n[:3]} {n[3:6]} {n[6:]}" if len(n) == 10 else n for n in sheet.values.nhs]  # noqa: PLR2004
    )


def spaced_nino(sheet: Sheet) -> Texts:
    """National Insurance numbers in pairs."""
    return _column([" ".join(n[i : i + 2] for i in range(0, 9, 2)) for n in sheet.values.nino])


def initial(sheet: Sheet) -> Texts:
    """First letter of the middle name."""
    return _column([text[:1] for text in storable(sheet.values.middle, sheet.encoding)])


def full_name(*, surname_first: bool = False, case: Case = plain) -> Make:
    """The whole name in one column."""

    def make(sheet: Sheet) -> Texts:
        parts = (storable(c, sheet.encoding) for c in (sheet.values.given, sheet.values.surname))
        middle = storable(sheet.values.middle, sheet.encoding)
        rows = zip(*parts, middle, strict=True)
        if surname_first:
            return _column([case(f"{s}, {g} {m}".strip().rstrip(",")) for g, s, m in rows])
        return _column([case(" ".join(part for part in (g, s) if part)) for g, s, _ in rows])

    return make


def coded(codes: dict[str, str]) -> Make:
    """Sex as a source's codes; missing stays missing."""

    def make(sheet: Sheet) -> Texts:
        return _column([codes.get(text, "") for text in sheet.values.sex])

    return make


def birth(form: str) -> Make:
    """Date of birth as text, ``form`` with ``{y} {m:02d} {d:02d}``."""

    def make(sheet: Sheet) -> Texts:
        return date_texts(sheet.values.birth, form)

    return make


def birth_part(part: int) -> Make:
    """One part of the date of birth: 0 year, 1 month, 2 day."""

    def make(sheet: Sheet) -> Texts:
        return _column([str(n) if n != MISSING else "" for n in sheet.values.birth[:, part]])

    return make


def birth_cell(sheet: Sheet) -> Texts:
    """Date of birth as a spreadsheet's or Parquet's own date; None where it is no date."""
    found: list[date | None] = []
    for year, month, of_month in sheet.values.birth.tolist():
        try:
            found.append(date(year, month, of_month))
        except ValueError:
            found.append(None)
    return _column(found)


def date_texts(parts: Ints, form: str) -> Texts:
    """Dates from parts (n, 3), formatted once for each distinct date."""
    distinct, where = np.unique(parts, axis=0, return_inverse=True)
    texts = _column(
        ["" if y == MISSING else form.format(y=y, m=m, d=d) for y, m, d in distinct.tolist()]
    )
    return texts[where.ravel()]


def day_texts(days: Ints, form: str) -> Texts:
    """Days since 1970 as text; a day that has not come is empty."""
    distinct, where = np.unique(days, return_inverse=True)
    texts = []
    for number in distinct.tolist():
        moment = EPOCH + timedelta(days=number)
        text = form.format(y=moment.year, m=moment.month, d=moment.day)
        texts.append("" if number >= OPEN else text)
    return _column(texts)[where.ravel()]


def spell_start(form: str) -> Make:
    """First day at the address."""
    return lambda sheet: day_texts(sheet.start, form)


def spell_end(form: str) -> Make:
    """Last day at the address; empty while it lasts."""
    return lambda sheet: day_texts(np.where(sheet.end >= OPEN, OPEN, sheet.end), form)


def recorded(form: str) -> Make:
    """The day on which the record was made."""
    return lambda sheet: day_texts(sheet.as_of, form)


def one_line(*, town: bool = True, case: Case = plain, joiner: str = ", ") -> Make:
    """The address in one column, without postcode."""

    def make(sheet: Sheet) -> Texts:
        v = sheet.values
        towns = v.town if town else np.full(len(v.town), "", dtype=object)
        rows = zip(v.flat, v.building, v.number, v.street, towns, strict=True)
        return _column(
            [
                case(joiner.join(p for p in (f, b, f"{n} {s}".strip(), t) if p))
                for f, b, n, s, t in rows
            ]
        )

    return make


def slashed(sheet: Sheet) -> Texts:
    """``2/14 Mill Road``: the flat before the number."""
    v = sheet.values
    found = []
    for flat, building, number, street in zip(v.flat, v.building, v.number, v.street, strict=True):
        unit = flat.removeprefix("Flat ")
        house = f"{unit}/{number}" if unit and number else number or unit
        found.append(" ".join(part for part in (house, building, street) if part))
    return _column(found)


def house(sheet: Sheet) -> Texts:
    """First address line: flat and building, or number and street."""
    v = sheet.values
    rows = zip(v.flat, v.building, v.number, v.street, strict=True)
    return _column([" ".join(p for p in (f, b) if p) or f"{n} {s}".strip() for f, b, n, s in rows])


def second_line(sheet: Sheet) -> Texts:
    """Second address line: number and street below a flat or building, else nothing."""
    v = sheet.values
    rows = zip(v.flat, v.building, v.number, v.street, strict=True)
    return _column([f"{n} {s}".strip() if f or b else "" for f, b, n, s in rows])


def close_postcode(sheet: Sheet) -> Texts:
    """Postcode without its space."""
    return _column([text.replace(" ", "") for text in sheet.values.postcode])


def choice(*options: str) -> Make:
    """Something of no matter for linkage."""

    def make(sheet: Sheet) -> Texts:
        return _column(options)[sheet.rng.integers(0, len(options), len(sheet.person))]

    return make


def serial(form: str, start: int = 1) -> Make:
    """The partner's own ids in an order that says nothing; ``form`` takes one number."""

    def make(sheet: Sheet) -> Texts:
        numbers = sheet.rng.permutation(3 * len(sheet.person))[: len(sheet.person)] + start
        return _column([form.format(n) for n in numbers.tolist()])

    return make


def _has(sheet: Sheet, need: str, sensitivity: float, false_rate: float) -> np.ndarray:
    has = sheet.population.needs[sheet.person, NEED_INDEX[need]]
    draw = sheet.rng.random(len(has))
    seen = np.where(has, draw < sensitivity, draw < false_rate)
    return np.where(sheet.spared, has, seen)


def flag(
    need: str,
    yes: tuple[str, ...] = ("Y",),
    no: tuple[str, ...] = ("N",),
    *,
    sensitivity: float = 0.95,
    false_rate: float = 0.01,
    unknown: float = 0.03,
) -> Make:
    """A coded column that follows a need; some cells are empty."""

    def make(sheet: Sheet) -> Texts:
        seen = _has(sheet, need, sensitivity, false_rate)
        size = len(seen)
        cells = np.where(
            seen,
            _column(yes)[sheet.rng.integers(0, len(yes), size)],
            _column(no)[sheet.rng.integers(0, len(no), size)],
        ).astype(object)
        cells[(sheet.rng.random(size) < unknown) & ~sheet.spared] = ""
        return cells

    return make


def amount(
    need: str,
    with_need: tuple[float, float],
    without: tuple[float, float],
    form: str = "{:.0f}",
    *,
    unknown: float = 0.03,
) -> Make:
    """A number that follows a need: uniform in one range or the other; some cells are empty."""

    def make(sheet: Sheet) -> Texts:
        seen = _has(sheet, need, 0.96, 0.01)
        low = np.where(seen, with_need[0], without[0])
        high = np.where(seen, with_need[1], without[1])
        drawn = low + sheet.rng.random(len(seen)) * (high - low)
        cells = _column([form.format(x) for x in drawn.tolist()])
        cells[(sheet.rng.random(len(seen)) < unknown) & ~sheet.spared] = ""
        return cells

    return make


def opted_out(sheet: Sheet) -> Texts:
    """National data opt-out, Y or N."""
    return np.where(sheet.population.opted_out[sheet.person], "Y", "N").astype(object)


def protected(sheet: Sheet) -> Texts:
    """Whether the address is known to be protected, Y or N."""
    known = (sheet.rng.random(len(sheet.person)) < PROTECTED_KNOWN_RATE) | sheet.spared
    found = sheet.population.protected[sheet.person] & known
    return np.where(found, "Y", "N").astype(object)


def _other(sheet: Sheet, relation: str) -> Ints:
    """The person whom a record names, or -1: a child's parent, an adult's partner or child."""
    population = sheet.population
    units = population.units
    unit = population.unit[sheet.person]
    role = population.role[sheet.person]
    head = units.first[unit]
    second = np.minimum(head + 1, len(population) - 1)
    paired = (units.size[unit] > 1) & (population.role[second] == Role.PARTNER)
    if relation == "partner":
        other = np.where(role == Role.PARTNER, head, np.where(paired, second, -1))
        return np.where(role <= Role.PARTNER, other, -1)
    if relation == "child":
        last = head + units.size[unit] - 1
        is_child = population.role[last] >= Role.CHILD
        return np.where((role <= Role.PARTNER) & is_child, last, -1)
    parent = np.where((role == Role.STEPCHILD) & paired, second, head)
    return np.where(role >= Role.CHILD, parent, -1)


def mentioned_name(relation: str, *, case: Case = plain, known: float = 0.9) -> Make:
    """Name of a person whom the record names: parent, partner or child."""

    def make(sheet: Sheet) -> Texts:
        other = _other(sheet, relation)
        heard = (sheet.rng.random(len(other)) < known) | sheet.spared
        names = sheet.population.names
        texts = [
            case(f"{names.given[row]} {names.surname[row]}") if row >= 0 and ok else ""
            for row, ok in zip(other.tolist(), heard.tolist(), strict=True)
        ]
        return storable(_column(texts), sheet.encoding)

    return make


def mentioned_birth(relation: str, form: str, *, known: float = 0.8) -> Make:
    """Date of birth of a person whom the record names."""

    def make(sheet: Sheet) -> Texts:
        other = _other(sheet, relation)
        born = np.where(other >= 0, sheet.population.born[np.maximum(other, 0)], OPEN)
        heard = (sheet.rng.random(len(other)) < known) | sheet.spared
        return day_texts(np.where(heard, born, OPEN), form)

    return make
