"""Rows of an export as decisions about records of this partner's vault.

Rules, in order: a field takes one of our words, or one that the mapping translates; the day of the
decision is a day, not in the future; the source is one of this party's under the agreement, and so
are purpose and items, since they go into the ledger as they stand; a prepared row has this record
id; the whole is a consent record. A row that fails is refused by column and reason, never by value.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from governance.agreements.models import Agreement
from governance.canonical import canonical_bytes
from governance.consent.models import ConsentRecord, ConsentState
from governance.errors import FormatError
from governance.identity.envelope import parse_model
from partner_agent.cleansing.dates import DateCleaner
from partner_agent.cleansing.text import tidy
from partner_agent.consent_import.mapping import WITHDRAWN, WORDS, ConsentMapping
from partner_agent.extracts.model import Chunk, Reject

_NO_END: Final = timedelta(days=3_650)
"""A refusal does not run out; its record needs a day, which nothing reads."""
_DEFAULTS: Final = {"kind": "approach", "capacity": "self"}
FindHandles = Callable[[str, list[str]], dict[str, list[bytes]]]
"""Handles of a source's record ids."""


@dataclass(frozen=True)
class Decision:
    """What one row says about one record."""

    row: int
    handle: bytes
    kind: str
    state: str
    """A state of a consent record, or ``withdrawn``."""
    day: str
    record: ConsentRecord = field(repr=False)
    """For a withdrawal, what is recorded where there is nothing to withdraw: a refusal."""

    @property
    def key(self) -> bytes:
        """The same for the same decision in another import."""
        said = {**self.record.model_dump(mode="json"), "said": self.state}
        return hashlib.sha256(canonical_bytes(said)).digest()


class _Fault(Exception):
    """What is wrong with a row: the field and the reason."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(reason)
        self.name = name
        self.reason = f"consent_row.{reason}"


class RowReader:
    """Reads the rows of one export.

    Args:
        mapping: checked against the export's columns.
        agreement: under which the decisions are recorded.
        party: whose records they are about.
        template: fields of a consent record that are the same for every row.
        kind: the kind of consent to take; rows of another are left out.
        find: the vault's handles.
        today: the day of the import.
    """

    def __init__(
        self,
        mapping: ConsentMapping,
        agreement: Agreement,
        party: str,
        template: dict[str, Any],
        kind: str,
        find: FindHandles,
        today: date,
    ) -> None:
        self._mapping = mapping
        self._sources = {source.id for source in agreement.sources if source.party == party}
        self._purposes = {purpose.id for purpose in agreement.purposes if purpose.approach}
        self._items = {item.id for item in agreement.items}
        self._template = template
        self._kind = kind
        self._find = find
        self._today = today
        self._dates = DateCleaner(today, mapping.dates.day_first, birth=False)
        self.left_out = 0

    def read(self, chunk: Chunk) -> tuple[list[Decision], list[Reject]]:
        """The decisions of a chunk, in file order, and the rows that are refused."""
        decisions: list[Decision] = []
        rejects = list(chunk.rejects)
        parsed: list[tuple[int, int, dict[str, Any]]] = []
        cells = {name: chunk.table[column].tolist() for name, column in self._mapping.named()}
        for at, number in enumerate(chunk.rows.tolist()):
            try:
                fields = self._fields({name: column[at] for name, column in cells.items()})
            except _Fault as fault:
                rejects.append(self._reject(chunk, at, fault))
                continue
            if fields["kind"] == self._kind:
                parsed.append((at, number, fields))
            else:
                self.left_out += 1
        handles = self._handles(parsed)
        for at, number, fields in parsed:
            try:
                decisions += self._decisions(number, fields, handles)
            except _Fault as fault:
                rejects.append(self._reject(chunk, at, fault))
        return decisions, sorted(rejects, key=lambda reject: reject.row)

    def _fields(self, cells: dict[str, str]) -> dict[str, Any]:
        fields: dict[str, Any] = {name: self._word(name, cells) for name in WORDS}
        fields["source"] = self._text("source", cells)
        if fields["source"] not in self._sources:
            raise _Fault("source", "source")
        fields["record_id"] = self._text("record_id", cells)
        if not fields["record_id"]:
            raise _Fault("record_id", "record_id")
        day = self._day("date", cells)
        if day is None or day > self._today:
            raise _Fault("date", "date")
        fields["date"] = day
        fields["expires"] = self._expires(day, str(fields["state"]), cells)
        if purpose := self._text("purpose", cells):
            if purpose not in self._purposes:
                raise _Fault("purpose", "purpose")
            fields["purpose"] = purpose
        if text := self._text("items", cells):
            items = {item.strip() for item in text.replace(";", ",").split(",")} - {""}
            if not items <= self._items:
                raise _Fault("items", "items")
            fields["items"] = sorted(items)
        return fields

    def _text(self, name: str, cells: dict[str, str]) -> str:
        text = tidy(cells.get(name, "")) or self._mapping.constants.get(name, "")  # type: ignore[call-overload]
        words = {word.casefold(): ours for word, ours in self._values(name).items()}
        return str(words.get(text.casefold(), text))

    def _values(self, name: str) -> dict[str, str]:
        return self._mapping.values.get(name, {})  # type: ignore[call-overload,no-any-return]

    def _word(self, name: str, cells: dict[str, str]) -> str:
        text = self._text(name, cells).casefold() or _DEFAULTS.get(name, "")
        if text not in WORDS[name] and (text or name != "parental_basis"):
            raise _Fault(name, name)
        return text

    def _day(self, name: str, cells: dict[str, str]) -> date | None:
        found = self._dates.clean(self._text(name, cells)).value
        return date.fromisoformat(found) if found else None

    def _expires(self, day: date, state: str, cells: dict[str, str]) -> date:
        found = self._day("expires", cells)
        if found is None and self._text("expires", cells):
            raise _Fault("expires", "expires")
        if found is None and self._mapping.lasts_days is not None:
            found = day + timedelta(days=self._mapping.lasts_days)
        if found is None and state in {ConsentState.REFUSED, WITHDRAWN}:
            found = day + _NO_END
        if found is None or (found <= day and state != WITHDRAWN):
            raise _Fault("expires", "expires")
        return max(found, day + timedelta(days=1))

    def _handles(
        self, parsed: list[tuple[int, int, dict[str, Any]]]
    ) -> dict[tuple[str, str], list[bytes]]:
        wanted: dict[str, list[str]] = {}
        for _, _, fields in parsed:
            wanted.setdefault(fields["source"], []).append(fields["record_id"])
        return {
            (source, record_id): handles
            for source, ids in wanted.items()
            for record_id, handles in self._find(source, ids).items()
        }

    def _decisions(
        self, number: int, fields: dict[str, Any], handles: dict[tuple[str, str], list[bytes]]
    ) -> Iterator[Decision]:
        found = handles.get((fields["source"], fields["record_id"]))
        if not found:
            raise _Fault("record_id", "unknown_record")
        state = fields["state"]
        data = {
            **self._template,
            "source": fields["source"],
            "kind": fields["kind"],
            "state": ConsentState.REFUSED if state == WITHDRAWN else state,
            "capacity": fields["capacity"],
            "parental_basis": fields["parental_basis"] or None,
            "method": fields["method"],
            "captured": _midnight(fields["date"]),
            "expires": _midnight(fields["expires"]),
        }
        data |= {name: fields[name] for name in ("purpose", "items") if name in fields}
        try:
            records = [
                parse_model({**data, "subject": handle.hex()}, ConsentRecord) for handle in found
            ]
        except FormatError:
            raise _Fault("", "inconsistent") from None
        for handle, record in zip(found, records, strict=True):
            day = fields["date"].isoformat()
            yield Decision(number, handle, fields["kind"], state, day, record)

    def _reject(self, chunk: Chunk, at: int, fault: _Fault) -> Reject:
        column = self._mapping.columns.get(fault.name, "")  # type: ignore[call-overload]
        original = tuple(str(cell) for cell in chunk.table.iloc[at])
        return Reject(int(chunk.rows[at]), column, fault.reason, original)


def _midnight(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"
