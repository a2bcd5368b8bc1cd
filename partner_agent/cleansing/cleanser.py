"""From chunks of an extract to the cleaned table of docs/architecture.md.

In order: opted-out rows leave first and go no further, counted only, by a column of the extract and
by the check of NHS numbers; doubtful opt-outs, and rows that the check cannot know, are rejected;
each column is cleaned by its distinct values; rows by which nobody could be linked are rejected.
Whatever is wrong with one row is a reject or a note, never an exception.
"""

from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt
import pandas as pd

from partner_agent.cleansing.address import clean_address
from partner_agent.cleansing.contact import clean_email, clean_phone
from partner_agent.cleansing.dates import DateCleaner
from partner_agent.cleansing.distinct import (
    SEPARATOR,
    ColumnTally,
    Texts,
    apart,
    clean_distinct,
    joined,
)
from partner_agent.cleansing.identifiers import clean_nhs_number, clean_nino, clean_upn
from partner_agent.cleansing.outcome import Outcome
from partner_agent.cleansing.person import PersonCleaner
from partner_agent.cleansing.postcode import clean_postcode, find_postcode
from partner_agent.cleansing.quality import BirthTally, QualityReport, column_quality
from partner_agent.cleansing.remembered import remembered
from partner_agent.cleansing.rules import DOUBT, YES, indicator_rule, marker_rule
from partner_agent.cleansing.sex import clean_sex
from partner_agent.cleansing.text import tidy
from partner_agent.cleansing.uprn import UprnIndex, clean_uprn
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.model import Chunk, Reject

PERSON_COLUMNS = ("first_name", "middle_name", "surname", "date_of_birth")
RECORD_COLUMNS = (
    "source_record_id",
    *PERSON_COLUMNS,
    "sex",
    "nhs_number",
    "nino",
    "upn",
    "address",
    "postcode",
    "uprn",
    "phone",
    "email",
    "address_from",
    "address_to",
)
MENTION_COLUMNS = ("first_name", "surname", "date_of_birth", "relation")
_IDENTIFIERS = ("nhs_number", "nino", "upn")
_ENOUGH_EVIDENCE = 2  # a surname alone, or a birth date alone, links to strangers
_SIMPLE: dict[str, Callable[[str], Outcome]] = {
    "sex": clean_sex,
    "nhs_number": clean_nhs_number,
    "nino": clean_nino,
    "upn": clean_upn,
    "phone": clean_phone,
    "email": clean_email,
}


@dataclass(frozen=True, slots=True)
class CleanChunk:
    """Accepted rows of one chunk, and the rejects.

    Attributes:
        table: the cleaned table: ``row`` int64, every other column ``str``.
        rejects: rows that were not accepted, here or by the reader, by row number.
        kept: positions in ``chunk.table`` of the accepted rows, int64.
    """

    table: pd.DataFrame
    rejects: list[Reject]
    kept: npt.NDArray[np.int64]


def cleaned_columns(mapping: SourceMapping) -> tuple[str, ...]:
    """The columns of the cleaned table under a mapping, in order."""
    mentions = [
        f"mention.{at}.{name}" for at in range(len(mapping.mentions)) for name in MENTION_COLUMNS
    ]
    indicators = [f"indicator.{name}" for name in mapping.indicators]
    return ("row", *RECORD_COLUMNS, *mentions, *indicators, "protected")


class Cleanser:
    """Cleans the chunks of one extract and counts what it did.

    Args:
        mapping: what the extract's columns are.
        today: the day of cleansing: ages and the future count from it.
        uprn: reference properties; without them only UPRNs that the extract holds are used.
        passed: NHS numbers that the check of opt-outs has let through; None: there is no check.
    """

    def __init__(
        self,
        mapping: SourceMapping,
        *,
        today: date,
        uprn: UprnIndex | None = None,
        passed: Container[str] | None = None,
    ) -> None:
        self._mapping = mapping
        self._today = today
        self._uprn = uprn
        self._passed = passed
        self._person = PersonCleaner(mapping, today)
        self._simple = {name: remembered(clean) for name, clean in _SIMPLE.items()}
        self._postcode = remembered(clean_postcode)
        self._address = {
            known: remembered(partial(clean_address, has_postcode=known)) for known in (False, True)
        }
        self._dates = DateCleaner(today, mapping.dates.day_first, birth=False)
        self._day = remembered(self._dates.clean)
        self._columns = cleaned_columns(mapping)
        self._tallies = {name: ColumnTally() for name in self._columns[1:]}
        self._births = BirthTally(today)
        self._rejects: Counter[str] = Counter()
        self._rows = self._accepted = self._opted_out = 0

    def clean(self, chunk: Chunk) -> CleanChunk:
        """The cleaned rows of one chunk.

        Raises:
            KeyError: the mapping was not checked against the extract's columns.
        """
        self._rows += len(chunk.rows) + len(chunk.rejects)
        kept, rejects = self._without_opted_out(chunk)
        table = chunk.table.iloc[kept].reset_index(drop=True)
        linkable = self._linkable(table)
        for at in np.flatnonzero(~linkable):
            rejects.append(_reject(chunk, int(kept[at]), "", "row.nothing_to_link"))
        kept = kept[linkable]
        table = table[linkable].reset_index(drop=True)
        columns = self._clean_columns(table, chunk.rows[kept])
        self._accepted += len(kept)
        rejects = sorted([*chunk.rejects, *rejects], key=lambda reject: reject.row)
        self._rejects.update(reject.reason for reject in rejects)
        return CleanChunk(self._assembled(columns, chunk.rows[kept]), rejects, kept)

    def report(self) -> QualityReport:
        """Counts of all chunks so far."""
        return QualityReport(
            source=self._mapping.source,
            cleaned_on=self._today,
            rows=self._rows,
            accepted=self._accepted,
            rejected=sum(self._rejects.values()),
            opted_out=self._opted_out,
            protected=self._tallies["protected"].present,
            rejects=dict(sorted(self._rejects.items())),
            columns={
                name: column_quality(self._tallies[name])
                for name in self._columns[1:]
                if self._shown(name, self._tallies[name])
            },
            ages=self._births.ages(),
            birth_decades=self._births.decades(),
            first_of_month_percent=self._births.percent_first_of_month(),
            first_of_january_percent=self._births.percent_first_of_january(),
        )

    def _shown(self, name: str, tally: ColumnTally) -> bool:
        if name == "postcode" and not self._mapping.columns.postcode:
            return tally.present > 0
        return tally.rows > 0 and name != "protected"

    def _without_opted_out(self, chunk: Chunk) -> tuple[npt.NDArray[np.int64], list[Reject]]:
        kept, rejects = self._without_marked(chunk)
        column = self._mapping.nhs_number_column
        if self._passed is None or column is None:
            return kept, rejects
        passed, free, unknown = self._passed, np.ones(len(kept), bool), np.ones(len(kept), bool)
        for name in {column, self._mapping.columns.nhs_number or column}:  # all that a row has
            numbers = clean_distinct(
                chunk.table[name].iloc[kept], self._simple["nhs_number"], ColumnTally()
            )
            free &= np.array([not n or n in passed for n in numbers], dtype=bool)
            unknown &= numbers == ""
        free &= ~unknown
        self._opted_out += int((~free & ~unknown).sum())
        rejects += [
            _reject(chunk, int(at), column, "opt_out.no_nhs_number") for at in kept[unknown]
        ]
        return kept[free], rejects

    def _without_marked(self, chunk: Chunk) -> tuple[npt.NDArray[np.int64], list[Reject]]:
        marker = self._mapping.opt_out
        if marker is None:
            return np.arange(len(chunk.rows), dtype=np.int64), []
        states = clean_distinct(chunk.table[marker.column], marker_rule(marker), ColumnTally())
        self._opted_out += int((states == YES).sum())
        doubtful = np.flatnonzero(states == DOUBT)
        rejects = [_reject(chunk, int(at), marker.column, "opt_out.unclear") for at in doubtful]
        return np.flatnonzero(states == "").astype(np.int64), rejects

    def _linkable(self, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
        """Rows with an identifier that passes its check, or with two pieces of other evidence."""
        has = np.zeros(len(table), dtype=bool)
        for name in _IDENTIFIERS:
            column = getattr(self._mapping.columns, name)
            if column:
                values = clean_distinct(table[column], self._simple[name], ColumnTally())
                has |= values != ""
        return has | (self._person.evidence(table) >= _ENOUGH_EVIDENCE)

    def _clean_columns(self, table: pd.DataFrame, rows: npt.NDArray[np.int64]) -> dict[str, Texts]:
        columns = self._mapping.columns
        out = self._person.clean_record(table, self._tallies)
        self._births.add(out.get("date_of_birth", np.array([], dtype=object)))
        out["source_record_id"] = self._record_ids(table, rows)
        for name, clean in self._simple.items():
            if column := getattr(columns, name):
                out[name] = clean_distinct(table[column], clean, self._tallies[name])
        out |= self._places(table)
        for at, mention in enumerate(self._mapping.mentions):
            out |= self._person.clean_mention(table, at, mention, self._tallies)
        for name, rule in self._mapping.indicators.items():
            key = f"indicator.{name}"
            names = tuple(column for _, column in rule.inputs)
            cells = joined(table, names, SEPARATOR)
            out[key] = clean_distinct(cells, indicator_rule(rule, self._dates), self._tallies[key])
        if marker := self._mapping.protected:
            out["protected"] = self._protected(table[marker.column], marker_rule(marker))
        return out

    def _record_ids(self, table: pd.DataFrame, rows: npt.NDArray[np.int64]) -> Texts:
        numbers = rows.astype(str).astype(object)
        column = self._mapping.record_id
        if not column:
            return numbers

        def clean(raw: str) -> Outcome:
            text = tidy(raw)
            return Outcome(text) if text else Outcome("", "record_id.missing")

        ids = clean_distinct(table[column], clean, self._tallies["source_record_id"])
        return np.where(ids == "", "row " + numbers, ids)

    def _protected(self, series: "pd.Series[str]", rule: Callable[[str], Outcome]) -> Texts:
        def clean(raw: str) -> Outcome:
            found = rule(raw)
            return Outcome(YES, "protected.unclear") if found.value == DOUBT else found

        return clean_distinct(series, clean, self._tallies["protected"])

    def _places(self, table: pd.DataFrame) -> dict[str, Texts]:
        columns, out = self._mapping.columns, {}
        written = joined(table, columns.address, ", ") if columns.address else None
        cells = table[columns.postcode] if columns.postcode else None
        if cells is not None or written is not None:
            out["postcode"] = self._postcodes(cells, written)
        if written is not None:
            out["address"] = self._addresses(written, out["postcode"])
        if columns.uprn or (self._uprn and written is not None):
            given = table[columns.uprn] if columns.uprn else None
            out["uprn"] = self._uprns(given, written, out.get("postcode"))
        return out | self._address_dates(table)

    def _postcodes(self, cells: "pd.Series[str] | None", written: "pd.Series[str] | None") -> Texts:
        pairs = _paired(cells, written)

        def clean(pair: str) -> Outcome:
            cell, _, address = pair.partition(SEPARATOR)
            outcome = self._postcode(cell)
            if outcome.value or cell.strip() or not address:
                return outcome
            found = find_postcode(address)
            return Outcome(found, "postcode.from_address") if found else outcome

        return clean_distinct(pairs, clean, self._tallies["postcode"])

    def _addresses(self, written: "pd.Series[str]", postcodes: Texts) -> Texts:
        known = pd.Series(np.where(postcodes == "", "", "y"), dtype=object)

        def clean(pair: str) -> Outcome:
            has_postcode, _, address = pair.partition(SEPARATOR)
            return self._address[bool(has_postcode)](address)

        return clean_distinct(_paired(known, written), clean, self._tallies["address"])

    def _uprns(
        self,
        given: "pd.Series[str] | None",
        written: "pd.Series[str] | None",
        postcodes: Texts | None,
    ) -> Texts:
        place = None
        if self._uprn and written is not None and postcodes is not None:
            place = _paired(pd.Series(postcodes, dtype=object), written)

        def clean(joint: str) -> Outcome:
            cell, _, rest = joint.partition(SEPARATOR)
            outcome = clean_uprn(cell)
            if outcome.value or not rest or self._uprn is None:
                return outcome
            postcode, _, address = rest.partition(SEPARATOR)
            return self._uprn.match(address, postcode)

        return clean_distinct(_paired(given, place), clean, self._tallies["uprn"])

    def _address_dates(self, table: pd.DataFrame) -> dict[str, Texts]:
        out = {}
        for name in ("address_from", "address_to"):
            if column := getattr(self._mapping.columns, name):
                out[name] = clean_distinct(table[column], self._day, self._tallies[name])
        if len(out) == 2:  # noqa: PLR2004 - both ends are known
            self._drop_reversed(out["address_from"], out["address_to"])
        return out

    def _drop_reversed(self, start: Texts, end: Texts) -> None:
        wrong = (start != "") & (end != "") & (end < start)
        count = int(wrong.sum())
        if count:
            for name, values in (("address_from", start), ("address_to", end)):
                values[wrong] = ""
                self._tallies[name].present -= count
                self._tallies[name].notes["date.reversed"] += count

    def _assembled(self, columns: dict[str, Texts], rows: npt.NDArray[np.int64]) -> pd.DataFrame:
        blank = np.full(len(rows), "", dtype=object)
        data: dict[str, pd.Series[str]] = {
            name: pd.Series(columns.get(name, blank), dtype="str") for name in self._columns[1:]
        }
        table = pd.DataFrame(data, columns=list(self._columns[1:]))
        table.insert(0, "row", rows)
        return table


def _paired(left: "pd.Series[str] | None", right: "pd.Series[str] | None") -> "pd.Series[str]":
    """Two columns as one, so that each distinct pair is cleaned once."""
    if left is None and right is None:
        return pd.Series([], dtype=object)
    size = len(left) if left is not None else len(right)  # type: ignore[arg-type]
    firsts = apart(left) if left is not None else [""] * size
    seconds = right.tolist() if right is not None else [""] * size
    return pd.Series(
        [f"{a}{SEPARATOR}{b}" for a, b in zip(firsts, seconds, strict=True)], dtype=object
    )


def _reject(chunk: Chunk, at: int, column: str, reason: str) -> Reject:
    original = tuple(str(cell) for cell in chunk.table.iloc[at])
    return Reject(int(chunk.rows[at]), column, reason, original)
