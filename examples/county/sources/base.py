"""What a source system is: whom it knows, what it writes, how it errs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from examples.county.errors.profile import Errors, Values
from examples.county.model import REFERENCE, Ints, Population, Texts, day

Format = Literal["csv", "xlsx", "parquet"]


@dataclass
class Sheet:
    """A source's records while they are written; one row a record."""

    population: Population
    person: Ints
    as_of: Ints  # the day on which the record was made
    start: Ints  # the spell at the address that it holds
    end: Ints
    values: Values
    rng: np.random.Generator
    encoding: str
    spared: np.ndarray  # rows of canaries


Make = Callable[[Sheet], Texts]


@dataclass(frozen=True)
class Column:
    """One column of an extract.

    Attributes:
        name: heading.
        make: fills it.
        target: key under ``columns`` of the source mapping, ``record_id``, or ``""``.
    """

    name: str
    make: Make
    target: str = ""


@dataclass(frozen=True)
class MentionColumns:
    """A person whom each row names, by column."""

    relation: str
    columns: dict[str, str]


@dataclass(frozen=True)
class Rule:
    """An indicator rule of the source mapping: one of below, at_least and equals."""

    column: str
    below: float | None = None
    at_least: float | None = None
    equals: tuple[str, ...] = ()
    on: str = ""  # column with the day of what is equal


@dataclass(frozen=True)
class Selection:
    """Who is in a source.

    A person of the right age, present in the window, is in it with probability ``base``; having
    a need of ``by_need`` gives another chance each.
    """

    base: float = 0.0
    by_need: dict[str, float] = field(default_factory=dict)
    age: tuple[float, float] = (0, 120)
    window: tuple[int, int] = (day(2015), REFERENCE)
    adults_of_unit: bool = False  # heads and partners only
    duplicates: float = 0.0  # records that the source holds twice, made on different days
    history: float = 0.0  # further records, one for an earlier or second address


@dataclass(frozen=True)
class Source:
    """One source system."""

    partner: str
    name: str
    format: Format
    about: str
    selection: Selection
    errors: Errors
    columns: tuple[Column, ...]
    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    day_first: bool = True
    surname_first: bool = False
    expand_nicknames: bool = False
    mentions: tuple[MentionColumns, ...] = ()
    indicators: dict[str, Rule] = field(default_factory=dict)
    categories: dict[str, Rule] = field(default_factory=dict)  # indicators that are no needs
    opt_out: str = ""  # column that holds Y
    protected: str = ""  # column that holds Y
    takes_rest: str = ""  # "all" or "adults": people whom no other source holds are shared out

    def mapping(self) -> dict[str, Any]:
        """The source mapping of docs/architecture.md, ready for YAML."""
        found: dict[str, Any] = {"source": self.name}
        ids = [column.name for column in self.columns if column.target == "record_id"]
        if ids:
            found["record_id"] = ids[0]
        if self.sheet:
            found["sheet"] = self.sheet
        found["columns"] = _targets(self.columns)
        found["dates"] = {"day_first": self.day_first}
        order = "surname_first" if self.surname_first else "given_first"
        found["names"] = {"full_name_order": order, "expand_nicknames": self.expand_nicknames}
        if self.mentions:
            found["mentions"] = [
                {"relation": m.relation, "columns": dict(m.columns)} for m in self.mentions
            ]
        if told := self.indicators | self.categories:
            found["indicators"] = {k: _rule(rule) for k, rule in told.items()}
        if self.opt_out:
            found["opt_out"] = {"column": self.opt_out, "equals": ["Y"]}
        if self.protected:
            found["protected"] = {"column": self.protected, "equals": ["Y"]}
        return found


def _targets(columns: tuple[Column, ...]) -> dict[str, Any]:
    targets: dict[str, Any] = {}
    for column in columns:
        if column.target == "address":
            targets.setdefault("address", []).append(column.name)
        elif column.target.startswith("date_of_birth."):
            part = column.target.partition(".")[2]
            targets.setdefault("date_of_birth", {})[part] = column.name
        elif column.target not in ("", "record_id"):
            targets[column.target] = column.name
    return targets


def _rule(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {"column": rule.column}
    if rule.below is not None:
        found["below"] = rule.below
    elif rule.at_least is not None:
        found["at_least"] = rule.at_least
    else:
        found["equals"] = list(rule.equals)
    return found | ({"on": rule.on} if rule.on else {})


def met(rule: Rule, cells: Texts) -> np.ndarray:
    """Which cells meet a rule; an empty cell is unknown and meets none."""
    if rule.equals:
        return np.isin(cells.astype(str), rule.equals)
    numbers = np.array([float(cell) if cell != "" else np.nan for cell in cells])
    if rule.below is not None:
        return numbers < rule.below
    return numbers >= float(rule.at_least or 0)
