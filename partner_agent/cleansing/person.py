"""The columns that say who a person is: of the record itself, and of people whom it mentions."""

from collections.abc import Callable
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_agent.cleansing.dates import DateCleaner, join_parts
from partner_agent.cleansing.distinct import (
    ColumnTally,
    Texts,
    clean_distinct,
    clean_distinct_parts,
    joined,
)
from partner_agent.cleansing.full_names import clean_full_name
from partner_agent.cleansing.names import clean_given_name, clean_surname
from partner_agent.cleansing.outcome import Outcome
from partner_agent.cleansing.remembered import remembered
from partner_agent.extracts.mapping import (
    DateParts,
    Mention,
    PersonColumns,
    SourceMapping,
)

_SEPARATOR = "\x1f"
Tallies = dict[str, ColumnTally]


class PersonCleaner:
    """Cleans names and dates of birth under the rules of one mapping."""

    def __init__(self, mapping: SourceMapping, today: date) -> None:
        self._columns = mapping.columns
        self._today = today
        self._birth_date = remembered(DateCleaner(today, mapping.dates.day_first).clean)
        self._birth_parts = remembered(self._from_parts)
        expand = mapping.names.expand_nicknames
        self._given = remembered(partial(clean_given_name, expand_nicknames=expand))
        self._middle = remembered(clean_given_name)
        self._surname = remembered(clean_surname)
        self._full = remembered(
            partial(
                clean_full_name,
                surname_first=mapping.names.full_name_order == "surname_first",
                expand_nicknames=expand,
            )
        )

    def clean_record(self, table: pd.DataFrame, tallies: Tallies) -> dict[str, Texts]:
        """First, middle and last name and date of birth of the record's person."""
        column = self._columns.middle_name
        if column is None:
            out = self._names(table, self._columns, tallies, "")
        else:
            # a middle name of its own column stands over one cut from the full name
            tally = tallies.pop("middle_name")
            out = self._names(table, self._columns, tallies, "")
            tallies["middle_name"] = tally
            out["middle_name"] = clean_distinct(table[column], self._middle, tally)
        return out | self._birth(table, self._columns, tallies, "")

    def clean_mention(
        self, table: pd.DataFrame, at: int, mention: Mention, tallies: Tallies
    ) -> dict[str, Texts]:
        """First name, surname, date of birth and relation of one mentioned person."""
        prefix = f"mention.{at}."
        out = self._names(table, mention.columns, tallies, prefix)
        out |= self._birth(table, mention.columns, tallies, prefix)
        out.pop(f"{prefix}middle_name", None)
        blank = np.full(len(table), "", dtype=object)
        first = out.setdefault(f"{prefix}first_name", blank)
        last = out.setdefault(f"{prefix}surname", blank)
        named = (first != "") | (last != "")
        out[f"{prefix}relation"] = np.where(named, mention.relation, "").astype(object)
        return out

    def evidence(self, table: pd.DataFrame) -> npt.NDArray[np.int64]:
        """How many of first name, surname, date of birth, and a place or contact each row has."""
        scratch: Tallies = {}
        found = self._names(table, self._columns, scratch, "")
        found |= self._birth(table, self._columns, scratch, "")
        count = np.zeros(len(table), dtype=np.int64)
        for name in ("first_name", "surname", "date_of_birth"):
            if name in found:
                count += (found[name] != "").astype(np.int64)
        reached = np.zeros(len(table), dtype=bool)
        columns = self._columns
        places = (*(columns.address or ()), columns.postcode, columns.uprn)
        for column in filter(None, (*places, columns.phone, columns.email)):
            reached |= np.array([bool(cell.strip()) for cell in table[column].tolist()], dtype=bool)
        return count + reached

    def _names(
        self, table: pd.DataFrame, columns: PersonColumns, tallies: Tallies, prefix: str
    ) -> dict[str, Texts]:
        if columns.full_name:
            keys = [f"{prefix}{part}" for part in ("first_name", "middle_name", "surname")]
            counted = tuple(tallies.setdefault(key, ColumnTally()) for key in keys)
            parts = clean_distinct_parts(table[columns.full_name], self._full, counted)
            return dict(zip(keys, parts, strict=True))
        out = {}
        ways: tuple[tuple[str, str | None, Callable[[str], Outcome]], ...] = (
            ("first_name", columns.first_name, self._given),
            ("surname", columns.surname, self._surname),
        )
        for part, column, clean in ways:
            if column:
                tally = tallies.setdefault(prefix + part, ColumnTally())
                out[prefix + part] = clean_distinct(table[column], clean, tally)
        return out

    def _birth(
        self, table: pd.DataFrame, columns: PersonColumns, tallies: Tallies, prefix: str
    ) -> dict[str, Texts]:
        where = columns.date_of_birth
        if where is None:
            return {}
        key = f"{prefix}date_of_birth"
        tally = tallies.setdefault(key, ColumnTally())
        if isinstance(where, DateParts):
            cells = joined(table, (where.day, where.month, where.year), _SEPARATOR)
            return {key: clean_distinct(cells, self._birth_parts, tally)}
        return {key: clean_distinct(table[where], self._birth_date, tally)}

    def _from_parts(self, cells: str) -> Outcome:
        day, month, year = cells.split(_SEPARATOR)
        # the columns say which part is which: no order to guess
        rules = DateCleaner(self._today, day_first=True)
        outcome = rules.clean(join_parts(day, month, year))
        swapped = outcome.note == "date.swapped"
        return Outcome("", "date.impossible") if swapped else outcome
