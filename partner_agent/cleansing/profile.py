"""What an extract holds, before anyone has written a mapping: counts, guesses and a suggestion.

Counts only: neither the profile nor the suggested mapping holds a value.
"""

import re
from collections import Counter
from pathlib import Path

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict

from partner_agent.cleansing.roles import guess_role
from partner_agent.cleansing.text import is_placeholder, tidy
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.reader import open_extract

MAX_DISTINCT = 200_000  # values counted a column; past it the count is a lower bound
_SAMPLE = 400  # distinct values whose shapes are looked at
_MONTHS = 12
_YEAR_LAST = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ]\d{2,4}\b")
_SEVERAL = frozenset({"address"})  # roles that several columns may share
_SUSPICIOUS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("default date", re.compile(r"(0?1[/.-]0?1[/.-]19?00|1900-01-01|9999-12-31|31/12/9999)")),
    ("scientific number", re.compile(r"\d(\.\d+)?e\+\d+$", re.IGNORECASE)),
    ("spreadsheet error", re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!)")),
    ("outer spaces", re.compile(r"\s|.*\s$", re.DOTALL)),
    ("line break", re.compile(r".*[\r\n]", re.DOTALL)),
    ("garbled letters", re.compile(r".*(Ã.|â€|\ufffd)", re.DOTALL)),
)


class ColumnProfile(BaseModel):
    """One column; ``distinct_is_minimum`` once `MAX_DISTINCT` is passed."""

    model_config = ConfigDict(frozen=True)

    name: str
    role: str
    completeness: float
    distinct: int
    distinct_is_minimum: bool
    suspicious: dict[str, int]


class ExtractProfile(BaseModel):
    """What `profile` found; ``mapping_yaml`` is a suggestion to be read and corrected."""

    model_config = ConfigDict(frozen=True)

    file: str
    kind: str
    details: dict[str, str]
    rows: int
    unreadable: dict[str, int]
    columns: list[ColumnProfile]
    mapping_yaml: str


class _Tally:
    """Counts of one column over the chunks."""

    def __init__(self) -> None:
        self.filled = 0
        self.seen: set[int] = set()
        self.sample: dict[str, None] = {}
        self.suspicious: Counter[str] = Counter()

    def add(self, series: "pd.Series[str]") -> None:
        for value, times in series.value_counts(sort=False).items():
            text = str(value)
            if not text.strip():
                continue
            self.filled += times
            if len(self.seen) < MAX_DISTINCT:
                self.seen.add(hash(text))  # not the values: they can be long
            if len(self.sample) < _SAMPLE:
                self.sample[text] = None
            for kind in _kinds(text):
                self.suspicious[kind] += times


def _kinds(text: str) -> list[str]:
    kinds = [kind for kind, pattern in _SUSPICIOUS if pattern.match(text)]
    return [*kinds, "placeholder"] if is_placeholder(tidy(text)) else kinds


def profile(path: Path, mapping: SourceMapping | None = None) -> ExtractProfile:
    """Read an extract once and say what its columns hold.

    Args:
        path: CSV, XLSX or Parquet.
        mapping: roles are taken from it where there is one; its sheet is read.

    Raises:
        ExtractError: the extract cannot be read.
        ColumnNotFoundError: the mapping names a column that is not there.
    """
    extract = open_extract(path, sheet=mapping.sheet if mapping else None)
    if mapping:
        mapping.check_columns(extract.columns)
    tallies = {name: _Tally() for name in extract.columns}
    unreadable: Counter[str] = Counter()
    rows = 0
    for chunk in extract:
        rows += len(chunk.rows)
        unreadable.update(reject.reason for reject in chunk.rejects)
        for name, tally in tallies.items():
            tally.add(chunk.table[name])
    roles = _mapped_roles(mapping) if mapping else _guessed_roles(tallies)
    return ExtractProfile(
        file=path.name,
        kind=extract.kind,
        details=extract.details,
        rows=rows,
        unreadable=dict(unreadable),
        columns=[_column(name, roles, tally, rows) for name, tally in tallies.items()],
        mapping_yaml=suggested_yaml(path, roles, day_first=_day_first(roles, tallies)),
    )


def _column(name: str, roles: dict[str, str], tally: _Tally, rows: int) -> ColumnProfile:
    return ColumnProfile(
        name=name,
        role=roles.get(name, ""),
        completeness=round(tally.filled / rows, 4) if rows else 0.0,
        distinct=len(tally.seen),
        distinct_is_minimum=len(tally.seen) >= MAX_DISTINCT,
        suspicious=dict(tally.suspicious),
    )


def _mapped_roles(mapping: SourceMapping) -> dict[str, str]:
    return {column: key.removeprefix("columns.") for key, column in mapping.named_columns()}


def _guessed_roles(tallies: dict[str, _Tally]) -> dict[str, str]:
    """At most one column a role, the first; addresses may have several."""
    roles: dict[str, str] = {}
    for name, tally in tallies.items():
        role = guess_role(name, list(tally.sample))
        if role and (role in _SEVERAL or role not in roles.values()):
            roles[name] = role
    if "surname" in roles.values() or "first_name" in roles.values():
        roles = {name: role for name, role in roles.items() if role != "full_name"}
    return roles


def _day_first(roles: dict[str, str], tallies: dict[str, _Tally]) -> bool:
    """False only where more dates have their month first than their day."""
    votes = 0
    for name, role in roles.items():
        if role == "date_of_birth":
            for first, second in filter(None, map(_first_two, tallies[name].sample)):
                votes += (first > _MONTHS >= second) - (second > _MONTHS >= first)
    return votes >= 0


def _first_two(text: str) -> tuple[int, int] | None:
    match = _YEAR_LAST.match(text.strip())
    return (int(match[1]), int(match[2])) if match else None


def suggested_yaml(path: Path, roles: dict[str, str], *, day_first: bool = True) -> str:
    """A mapping to begin with, in YAML."""
    columns: dict[str, str | list[str]] = {}
    record_id = ""
    for name, role in roles.items():
        if role == "record_id":
            record_id = name
        elif role in _SEVERAL:
            columns[role] = [*columns.get(role, []), name]
        elif "." not in role:
            columns[role] = name
    source = (
        re.sub(r"[^a-z0-9]+", "_", path.name.split(".")[0].lower()).lstrip("_0123456789").strip("_")
    )
    data: dict[str, object] = {"source": source[:40] if len(source) > 1 else "my_source"}
    if record_id:
        data["record_id"] = record_id
    data |= {"columns": columns, "dates": {"day_first": day_first}}
    head = "# Suggested from headings and shapes: read every line before use.\n"
    return head + yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
