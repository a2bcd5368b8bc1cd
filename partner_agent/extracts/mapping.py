"""Source mapping: which column of an extract is what (docs/architecture.md, Source mapping).

Checked in order: the file is YAML; every key is known and of its kind; a person can be linked by
it (a name, or an identifier); the extract has every column it names.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from rapidfuzz import fuzz, process

from governance.canonical import Frozen, Slug
from partner_agent.extracts.errors import ColumnNotFoundError, MappingInvalidError
from partner_agent.extracts.yaml_file import parse_yaml, read_yaml

_NEAR = 60.0  # similarity in percent past which a heading is offered as near
_NEAR_COUNT = 3
Column = Annotated[str, Field(min_length=1, description="the heading of a column")]


def _one_or_several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _plain_texts(value: Any) -> Any:
    values = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(item, bool) for item in values):
        raise ValueError("YAML reads an unquoted yes, no, true or false as a truth value: quote it")
    return tuple(str(item) for item in values)


Columns = Annotated[tuple[Column, ...], BeforeValidator(_one_or_several), Field(min_length=1)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Values = Annotated[tuple[str, ...], BeforeValidator(_plain_texts), Field(min_length=1)]


class DateParts(Frozen):
    """A date held in three columns."""

    day: Column
    month: Column
    year: Column


class PersonColumns(Frozen):
    """Columns that say who a person is; also of a person who is only mentioned."""

    first_name: Column | None = None
    surname: Column | None = None
    full_name: Column | None = None
    date_of_birth: Column | DateParts | None = None

    @model_validator(mode="after")
    def _one_way_to_name(self) -> Self:
        if self.full_name and (self.first_name or self.surname):
            raise ValueError("give full_name, or first_name and surname, not both")
        return self


class RecordColumns(PersonColumns):
    """Columns of the record's own person and address."""

    middle_name: Column | None = None
    sex: Column | None = None
    nhs_number: Column | None = None
    nino: Column | None = None
    upn: Column | None = None
    address: Columns | None = None
    postcode: Column | None = None
    uprn: Column | None = None
    phone: Column | None = None
    email: Column | None = None
    address_from: Column | None = None
    address_to: Column | None = None

    @model_validator(mode="after")
    def _linkable(self) -> Self:
        identifiers = (self.nhs_number, self.nino, self.upn)
        if not (self.full_name or self.surname or any(identifiers)):
            raise ValueError("give at least surname, full_name, nhs_number, nino or upn")
        return self


class DateRules(Frozen):
    """How dates are written."""

    day_first: bool = True


class NameRules(Frozen):
    """How names are written, and whether nicknames are expanded."""

    full_name_order: Literal["given_first", "surname_first"] = "given_first"
    expand_nicknames: bool = False


class Mention(Frozen):
    """Another person whom each row names."""

    relation: Literal["parent", "child", "partner", "guardian"]
    columns: PersonColumns

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not (self.columns.full_name or self.columns.surname or self.columns.first_name):
            raise ValueError("a mention needs full_name, or first_name and surname")
        return self


class Indicator(Frozen):
    """What an indicator is worked out from, and when it is met (ADR 35).

    One of ``column``, ``columns`` (periods, of which the average counts) and ``dates`` (of events,
    which are counted), and exactly one of ``below``, ``at_least``, ``equals`` and ``rule: agreed``,
    which takes the agreement's own.

    Attributes:
        on: the day of what ``column`` says; only what lies within the window counts.
        known: of ``columns``, so many must be known; all of them where it is left out.
        within_months: the window for ``dates`` and ``on``; the agreement's where it is left out.
    """

    column: Column | None = None
    columns: Columns | None = None
    dates: Columns | None = None
    on: Column | None = None
    below: Number | None = None
    at_least: Number | None = None
    equals: Values | None = None
    rule: Literal["agreed"] | None = None
    known: Annotated[int, Field(ge=1)] | None = None
    within_months: Annotated[int, Field(ge=1, le=120)] | None = None

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        given = (self.below, self.at_least, self.equals, self.rule)
        if sum(rule is not None for rule in given) != 1:
            raise ValueError("give exactly one of below, at_least and equals, or rule: agreed")
        if sum(part is not None for part in (self.column, self.columns, self.dates)) != 1:
            raise ValueError("give exactly one of column, columns and dates")
        if self.equals is not None and self.column is None:
            raise ValueError("equals goes with one column")
        if self.dates is not None and self.below is not None:
            raise ValueError("dates are counted: give at_least, or rule: agreed")
        if self.on is not None and self.equals is None:
            raise ValueError("on goes with column and equals")
        if len({name for _, name in self.inputs}) < len(self.inputs):
            raise ValueError("name each column once")
        if self.known is not None and not self.known <= len(self.columns or ()):
            raise ValueError("known: more than there are columns")
        if self.within_months is not None and self.dates is None and self.on is None:
            raise ValueError("within_months goes with dates or on")
        return self

    @property
    def inputs(self) -> tuple[tuple[str, str], ...]:
        """(key, column of the extract) of all that it is worked out from, in order."""
        found = [("column", self.column), ("on", self.on)]
        found += [("columns", name) for name in self.columns or ()]
        found += [("dates", name) for name in self.dates or ()]
        return tuple((key, name) for key, name in found if name is not None)


class Marker(Frozen):
    """When a row is marked (opted out, protected).

    ``clear`` lists the other values that the column may hold, beside blank, no, n, false and 0.
    Any value in neither list is treated as a doubt, on the safe side.
    """

    column: Column
    equals: Values
    clear: Annotated[tuple[str, ...], BeforeValidator(_plain_texts)] = ()


class SourceMapping(Frozen):
    """One source system's extract in the project's terms."""

    source: Slug
    record_id: Column | None = None
    sheet: str | None = None
    columns: RecordColumns
    dates: DateRules = DateRules()
    names: NameRules = NameRules()
    mentions: tuple[Mention, ...] = ()
    indicators: dict[Slug, Indicator] = Field(default_factory=dict)
    opt_out: Marker | None = None
    opt_out_nhs_number: Column | None = None
    """NHS numbers by which opt-outs are known; used for nothing else. Else ``nhs_number``."""
    protected: Marker | None = None

    @property
    def nhs_number_column(self) -> str | None:
        """The column by which the national data opt-out is known."""
        return self.opt_out_nhs_number or self.columns.nhs_number

    def named_columns(self) -> Iterator[tuple[str, str]]:
        """(key of the mapping, column of the extract), for every column that is named."""
        if self.record_id:
            yield "record_id", self.record_id
        yield from _named("columns", self.columns)
        for at, mention in enumerate(self.mentions):
            yield from _named(f"mentions.{at}.columns", mention.columns)
        for name, indicator in self.indicators.items():
            for key, column in indicator.inputs:
                yield f"indicators.{name}.{key}", column
        for key, marker in (("opt_out", self.opt_out), ("protected", self.protected)):
            if marker:
                yield f"{key}.column", marker.column
        if self.opt_out_nhs_number:
            yield "opt_out_nhs_number", self.opt_out_nhs_number

    def check_columns(self, columns: Iterable[str]) -> None:
        """Refuse an extract that lacks a column which the mapping names.

        Raises:
            ColumnNotFoundError: naming each missing column, its key, and headings near it.
        """
        headings = list(columns)
        missing = [(key, name) for key, name in self.named_columns() if name not in headings]
        if missing:
            raise ColumnNotFoundError(
                "; ".join(f"{key}: {_not_found(name, headings)}" for key, name in missing),
                next_step=f"correct the mapping of {self.source}; the extract has "
                f"{len(headings)} columns",
            )


def _named(prefix: str, model: Frozen) -> Iterator[tuple[str, str]]:
    for key, value in model:
        if isinstance(value, str):
            yield f"{prefix}.{key}", value
        elif isinstance(value, tuple):
            for column in value:
                yield f"{prefix}.{key}", column
        elif isinstance(value, DateParts):
            yield from _named(f"{prefix}.{key}", value)


def _not_found(name: str, headings: list[str]) -> str:
    near = process.extract(
        name,
        headings,
        scorer=fuzz.ratio,
        processor=str.casefold,
        limit=_NEAR_COUNT,
        score_cutoff=_NEAR,
    )
    hint = f", near it are {', '.join(repr(found[0]) for found in near)}" if near else ""
    return f"no column {name!r}{hint}"


def load_mapping(path: Path) -> SourceMapping:
    """A mapping from its YAML file.

    Raises:
        MappingNotReadError: not a readable YAML file.
        MappingInvalidError: naming each key that is wrong and what was expected.
    """
    return build_mapping(read_yaml(path), path.name)


def parse_mapping(text: str, name: str = "mapping") -> SourceMapping:
    """A mapping from YAML text; ``name`` is used in messages. Raises as `load_mapping`."""
    return build_mapping(parse_yaml(text, name), name)


def build_mapping(data: Any, name: str = "mapping") -> SourceMapping:
    """A mapping from parsed YAML, for example from one source of a ``dataset.yaml``.

    Raises:
        MappingInvalidError: naming each key that is wrong and what was expected.
    """
    try:
        return SourceMapping.model_validate(data)
    except ValidationError as error:
        faults = "; ".join(_fault(item) for item in error.errors(include_url=False))
        raise MappingInvalidError(
            f"{name}: {faults}",
            next_step="compare with the section Source mapping of docs/architecture.md",
        ) from None


_WORDS = {
    "missing": "is missing",
    "extra_forbidden": "is not a key that is known",
    "string_type": "expected text",
    "string_too_short": "expected the heading of a column",
    "string_pattern_mismatch": "expected small letters, digits, - and _, beginning with a letter",
    "bool_parsing": "expected true or false",
    "float_parsing": "expected a number",
    "finite_number": "expected a number",
    "tuple_type": "expected a list",
    "dict_type": "expected keys and values",
    "model_type": "expected keys and values",
}


def _fault(item: Any) -> str:
    alternatives = {"constrained-str", "str", "DateParts", "[key]"}
    key = ".".join(str(part) for part in item["loc"] if str(part) not in alternatives)
    words = _WORDS.get(item["type"]) or str(item["msg"]).removeprefix("Value error, ")
    return f"{key or 'the mapping'}: {words}"
