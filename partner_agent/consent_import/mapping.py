"""Which column of a case system's export is what, and what its words mean.

Checked in order: the file is YAML; every key is known; each field that a decision needs has a
column or a constant; the export has every column that is named; what stands for a decision is one
of our words.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from governance.canonical import Frozen
from governance.consent.models import Capacity, ConsentKind, ParentalBasis
from governance.errors import FormatError
from governance.identity.envelope import parse_model
from partner_agent.extracts.errors import ColumnNotFoundError, MappingInvalidError
from partner_agent.extracts.mapping import Column, DateRules
from partner_agent.extracts.yaml_file import read_yaml

FieldName = Literal[
    "source", "record_id", "kind", "state", "date", "expires", "capacity", "parental_basis",
    "method", "purpose", "items",
]  # fmt: skip
_NEEDED: Final[tuple[FieldName, ...]] = ("source", "record_id", "state", "date", "method")
METHODS: Final = ("in_person", "paper_form", "telephone", "online")
WITHDRAWN: Final = "withdrawn"
STATES: Final = ("requested", "given", "refused", WITHDRAWN)
WORDS: Final[dict[str, frozenset[str]]] = {
    "kind": frozenset(kind.value for kind in ConsentKind),
    "state": frozenset(STATES),
    "capacity": frozenset(capacity.value for capacity in Capacity),
    "parental_basis": frozenset(basis.value for basis in ParentalBasis),
    "method": frozenset(METHODS),
}
"""Fields that take one of few words."""
_OURS: Final[tuple[FieldName, ...]] = (
    "source", "record_id", "kind", "state", "date", "expires", "capacity", "parental_basis",
    "method",
)  # fmt: skip
"""Columns of a file that needs no mapping."""


class ConsentMapping(Frozen):
    """One export in the project's terms."""

    sheet: str | None = None
    columns: dict[FieldName, Column] = Field(default_factory=dict)
    constants: dict[FieldName, str] = Field(default_factory=dict)
    """What holds for every row that has no column for it, or a blank cell in it."""
    values: dict[FieldName, dict[str, str]] = Field(default_factory=dict)
    """The case system's words, in any case of letters, and ours."""
    dates: DateRules = DateRules()
    lasts_days: Annotated[int, Field(ge=1, le=3_650)] | None = None
    """How long a consent holds where the row does not say."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        known = {**self.columns, **self.constants}
        missing = [name for name in _NEEDED if name not in known]
        if "expires" not in known and self.lasts_days is None:
            missing.append("expires")
        if missing:
            raise ValueError(f"neither a column nor a constant for {', '.join(missing)}")
        for name, words in self.values.items():
            if name in WORDS and not set(words.values()) <= WORDS[name]:
                raise ValueError(f"values.{name}: expected {', '.join(sorted(WORDS[name]))}")
        return self

    def check_columns(self, columns: Iterable[str]) -> None:
        """Refuse an export that lacks a column which the mapping names.

        Raises:
            ColumnNotFoundError: naming each key.
        """
        headings = set(columns)
        missing = [f"columns.{key}" for key, name in self.columns.items() if name not in headings]
        if missing:
            raise ColumnNotFoundError(
                f"the file has no column for {', '.join(missing)}",
                next_step="correct the mapping, or give one with --mapping",
            )

    def named(self) -> Iterator[tuple[FieldName, str]]:
        """(field, column), for every column that is named."""
        yield from self.columns.items()


def our_columns() -> ConsentMapping:
    """The mapping of a file whose headings are the fields themselves."""
    return ConsentMapping(columns={name: name for name in _OURS}, dates=DateRules(day_first=True))


def load_consent_mapping(path: Path) -> ConsentMapping:
    """A mapping from its YAML file.

    Raises:
        MappingNotReadError: not a readable YAML file.
        MappingInvalidError: naming each key that is wrong and what was expected.
    """
    data: Any = read_yaml(path)
    try:
        return parse_model(data, ConsentMapping)
    except FormatError as error:
        raise MappingInvalidError(
            f"{path.name}: {error.message}",
            next_step="compare with the section Importing consents of the data officer's guide",
        ) from None
