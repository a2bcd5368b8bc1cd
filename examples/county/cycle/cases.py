"""The council's cases of families in the programme, and what partners tell beside needs.

A case says since when a family is in the programme, which needs it had then, and how its worst
attendance was; each source that speaks of a need also says whether it was there in the months
before. Days are told as seen from today: the clock of the computer does not move between months.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import numpy as np

from examples.county.cycle.extracts import by_family, states
from examples.county.cycle.people import DAYS, Month, living
from examples.county.errors.profile import Errors
from examples.county.model import (
    EPOCH,
    NEED_INDEX,
    NEEDS,
    OPEN,
    REFERENCE,
    Bools,
    Floats,
    Ints,
    Population,
    Texts,
    stream,
)
from examples.county.sources.base import Column, Rule, Selection, Source
from examples.county.sources.columns import birth, coded, day_texts, one_line, serial, value
from examples.county.sources.render import Extract, render
from examples.county.sources.selection import Pick

SOURCE: Final = "early_help"
HELPED_RATE: Final = 0.12  # families that live here and whose needs are resolved, in the programme
JOIN_RATE: Final = 0.08  # a month, of families with two needs or more
CLOSE_RATES: Final = (0.25, 0.10, 0.03)  # a month, by needs that are left: none, one, more
LATELY: Final = 200  # days: a need was there within so long, at times less than six months
HELD_MONTHS: Final = 6
JOINED_MONTHS: Final = (3, 6, 12)
BANDS: Final = (80, 50)  # percent, beside the target of 90
_DATE: Final = "{y}-{m:02d}-{d:02d}"
_STATE, _DAY = "WITHIN", "WITHIN_ON"


@dataclass
class Cases:
    """By family.

    Attributes:
        started: day on which it joined; ``OPEN`` where it is not in the programme and never was.
        closed: day on which it left; ``OPEN`` while it is in it.
        start: needs at the start, units x needs; ``assessed``: whether anybody wrote them down.
        attendance: percent at the start; nan where nobody wrote it down.
        resolved: day on which each need was there last, units x needs; -1 where nobody knows of it.
    """

    started: Ints
    closed: Ints
    start: Bools
    assessed: Bools
    attendance: Floats
    resolved: Ints

    @property
    def inside(self) -> Bools:
        """Families in the programme."""
        return np.asarray((self.started < OPEN) & (self.closed == OPEN))


def first_cases(
    population: Population, extracts: dict[str, Extract], joined: Bools, seed: int
) -> Cases:
    """Cases in month 0.

    Args:
        population: the people.
        extracts: of all sources.
        joined: families that the county's outcomes have in the programme.
        seed: of the county.
    """
    rng = stream(seed, "cases")
    is_met, known = by_family(population, extracts)
    units = len(population.units)
    here = np.zeros(units, dtype=bool)
    here[population.unit[living(population)]] = True
    here[population.unit[population.canaries]] = False
    helped = here & ~is_met.any(axis=1) & (known.sum(axis=1) >= 2)  # noqa: PLR2004 - several
    inside = joined | (helped & (rng.random(units) < HELPED_RATE))
    gone = inside[:, None] & known & ~is_met & (rng.random(is_met.shape) < 0.6)  # noqa: PLR2004
    lasted = rng.random(is_met.shape) < 0.7  # noqa: PLR2004 - a share
    ago = np.where(
        lasted, rng.integers(LATELY, 600, is_met.shape), rng.integers(20, 170, is_met.shape)
    )
    started = np.where(inside, REFERENCE - rng.integers(30, 900, units), OPEN)
    return Cases(
        started=started,
        closed=np.full(units, OPEN),
        start=gone | (inside[:, None] & is_met & (rng.random(is_met.shape) < 0.95)),  # noqa: PLR2004
        assessed=rng.random(is_met.shape) < 0.98,  # noqa: PLR2004 - a share
        attendance=_attendance(rng, inside),
        resolved=np.where(gone, REFERENCE - ago, -1),
    )


def _attendance(rng: np.random.Generator, inside: Bools) -> Floats:
    drawn = 35 + 60 * rng.random(len(inside))
    return np.where(inside & (rng.random(len(inside)) < 0.9), drawn, np.nan)  # noqa: PLR2004


def next_cases(
    before: Cases,
    month: Month,
    was: tuple[Population, dict[str, Extract]],
    extracts: dict[str, Extract],
    day: int,
    seed: int,
) -> Cases:
    """Cases a month later: families join and leave; what was there and is not is remembered.

    Args:
        before: cases of the month before.
        month: what became of people.
        was: people and extracts of the month before.
        extracts: of this month.
        day: of this month's extracts.
        seed: of the county.
    """
    rng = stream(seed, f"cases {day}")
    people = month.population
    is_met = by_family(people, extracts)[0]
    was_met = by_family(*was)[0][month.unit_from]
    cases = Cases(*(getattr(before, name)[month.unit_from] for name in Cases.__dataclass_fields__))
    units = len(people.units)
    cases.resolved = np.where(was_met & ~is_met, day - DAYS, cases.resolved)
    left = is_met.sum(axis=1)
    rate = np.array(CLOSE_RATES)[np.minimum(left, len(CLOSE_RATES) - 1)]
    here = np.zeros(units, dtype=bool)
    here[people.unit[living(people)]] = True
    here[people.unit[people.canaries]] = False
    closing = cases.inside & (~here | (rng.random(units) < rate))
    joining = here & ~cases.inside & (left >= 2) & (rng.random(units) < JOIN_RATE)  # noqa: PLR2004
    cases.closed = np.where(closing, day - rng.integers(1, DAYS, units), cases.closed)
    cases.closed = np.where(joining, OPEN, cases.closed)
    cases.started = np.where(joining, day - rng.integers(1, DAYS, units), cases.started)
    cases.start = np.where(joining[:, None], is_met, cases.start)
    cases.attendance = np.where(joining, _attendance(rng, joining), cases.attendance)
    return cases


EARLY_HELP: Final = Source(
    partner="council",
    name=SOURCE,
    format="csv",
    about="members of families that are or were in the programme, with the assessment at the start",
    selection=Selection(),
    errors=Errors(typing=0.01, nickname=0.03, number_missing=1.0, address_stale=0.05),
    columns=(
        Column("CASE_REF", serial("EH{:06d}"), "record_id"),
        Column("FORENAME", value("given"), "first_name"),
        Column("SURNAME", value("surname"), "surname"),
        Column("DOB", birth("{d:02d}/{m:02d}/{y}"), "date_of_birth"),
        Column("SEX", coded({"m": "M", "f": "F"}), "sex"),
        Column("ADDRESS", one_line(), "address"),
        Column("POSTCODE", value("postcode"), "postcode"),
        Column("UPRN", value("uprn"), "uprn"),
    ),
)


def people_of_cases(people: Population, cases: Cases) -> Ints:
    """Rows of the people who live in families that are or were in the programme."""
    return np.flatnonzero((cases.started < OPEN)[people.unit] & living(people))


def first_case_extract(people: Population, cases: Cases, seed: int) -> Extract:
    """The case system in month 0."""
    rows = people_of_cases(people, cases)
    return render(people, EARLY_HELP, Pick(rows, np.full(len(rows), REFERENCE)), seed)


def told(extract: Extract, people: Population, cases: Cases, day: int, today: date) -> Extract:
    """An extract with what its source tells beside needs: new columns behind the others.

    Args:
        extract: of a source.
        people: of the month.
        cases: of the month.
        day: of the extract.
        today: by the computer's clock, which stands for that day.
    """
    shift = (today - EPOCH).days - day
    if extract.source.name == SOURCE:
        columns, rules = _case_columns(people.unit[extract.person], cases, shift)
    else:
        columns, rules = _within(extract, people, cases, day, shift)
    if extract.source.name == "school_attendance":
        rules |= {f"school_absence_{band}": Rule("% attendance", below=band) for band in BANDS}
    source = replace(extract.source, indicators=extract.source.indicators | rules)
    return replace(extract, source=source, columns=extract.columns | columns)


_Told = tuple[dict[str, Texts], dict[str, Rule]]


def _within(extract: Extract, people: Population, cases: Cases, day: int, shift: int) -> _Told:
    """Whether each need was there within the months before."""
    columns: dict[str, Texts] = {}
    rules = {}
    unit = people.unit[extract.person]
    for need, has, known in states(extract):
        name = NEEDS[need]
        last = np.where(has, day, cases.resolved[unit, need])
        state = np.where(known, np.where(last >= 0, "Y", "N"), "").astype(object)
        head = f"{name.upper()}_{_STATE}"
        columns[head] = state
        columns[f"{name.upper()}_{_DAY}"] = _days(np.where(state == "Y", last, OPEN), shift)
        on = f"{name.upper()}_{_DAY}"
        rules[f"{name}_{HELD_MONTHS}m"] = Rule(head, equals=("Y",), on=on)
    return columns, rules


def _case_columns(unit: Ints, cases: Cases, shift: int) -> _Told:
    open_ = cases.inside[unit]
    columns: dict[str, Texts] = {
        "STATUS": np.where(open_, "OPEN", "CLOSED").astype(object),
        "STARTED": _days(cases.started[unit], shift),
        "CLOSED": _days(cases.closed[unit], shift),
        "ATTENDANCE_AT_START": _texts(cases.attendance[unit]),
    }
    rules = {"in_programme": Rule("STATUS", equals=("OPEN",))}
    for months in JOINED_MONTHS:
        rules[f"joined_{months}m"] = Rule("STATUS", equals=("OPEN",), on="STARTED")
    rules["left_programme_6m"] = Rule("STATUS", equals=("CLOSED",), on="CLOSED")
    for need in NEEDS:
        at = NEED_INDEX[need]
        said = np.where(cases.start[unit, at], "Y", "N")
        head = f"{need.upper()}_AT_START"
        columns[head] = np.where(cases.assessed[unit, at], said, "").astype(object)
        rules[f"{need}_at_start"] = Rule(head, equals=("Y",))
    for band in BANDS:
        rules[f"school_absence_{band}_at_start"] = Rule("ATTENDANCE_AT_START", below=band)
    return columns, rules


def _days(days: Ints, shift: int) -> Texts:
    return day_texts(np.where(days >= OPEN, OPEN, days + shift), _DATE)


def _texts(numbers: Floats) -> Texts:
    return np.array(["" if np.isnan(x) else f"{x:.1f}" for x in numbers.tolist()], dtype=object)


def with_details(agreement: dict[str, Any]) -> dict[str, Any]:
    """An agreement drawn up from the mappings, with what is a detail of what, and its window."""
    ids = {each["id"] for each in agreement["indicators"]}
    for each in agreement["indicators"]:
        of, window = _detail(each["id"])
        if of is not None and of in ids:
            each |= {"detail_of": of, "window_months": window}
    return agreement


def _detail(name: str) -> tuple[str | None, int]:
    """What an indicator tells more of, and how many months it looks back."""
    if name.startswith(("joined_", "left_programme_")):
        return "in_programme", int(name.removesuffix("m").rpartition("_")[2])
    for need in NEEDS:
        if name == f"{need}_{HELD_MONTHS}m":
            return need, HELD_MONTHS
        if name.startswith(f"{need}_"):
            return need, 12
    return None, 12
