"""The register: who and where, as keyed hashes, from the moment that it is on this disk.

Rules: a person is added by a record id of the partner's own and is protected in every row of the
partner's sources that has the same identifier, or the same name and date of birth; a home is added
by its UPRN or its address with postcode, and everybody there is protected; an entry is removed as
a whole; nothing of the register leaves this machine, and what is refused because of it is refused
in the words of every other refusal of this partner's own (``releases/errors.py``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.sqlite import insert

from governance.canonical import write_time
from partner_agent.cleansing.address import clean_address
from partner_agent.cleansing.postcode import clean_postcode
from partner_agent.cleansing.uprn import clean_uprn
from partner_agent.protection.errors import ProtectionInput
from partner_agent.protection.keys import RECORD, home_keys, person_keys, record_key
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import protections
from partner_agent.vault.store import StoredRow, Vault

if TYPE_CHECKING:
    import pandas as pd

_ROW: Final = (
    "source_record_id", "nhs_number", "nino", "upn", "first_name", "surname", "date_of_birth",
    "uprn", "address", "postcode",
)  # fmt: skip


@dataclass(frozen=True)
class Protected:
    """An entry: a person or a home."""

    entry: int
    what: str
    source: str
    added: str


@dataclass(frozen=True)
class Guard:
    """The register as it was read: whether rows are protected."""

    key: bytes
    hashes: frozenset[bytes]
    kinds: frozenset[str]

    def covers(self, source: str, clean: Mapping[str, str]) -> bool:
        """Whether a cleaned row is of a protected person or home."""
        if not self.hashes:
            return False
        if RECORD in self.kinds:
            own = record_key(self.key, source, clean.get("source_record_id", ""))
            if own[1] in self.hashes:
                return True
        found = (*person_keys(self.key, clean), *home_keys(self.key, clean))
        return any(hash_ in self.hashes for _, hash_ in found)

    def stored(self, row: StoredRow) -> bool:
        """Whether a row of the vault is protected, by its own mark or by the register."""
        return row.protected or self.covers(row.source_id, row.clean)

    def rows(self, source: str, table: "pd.DataFrame") -> list[bool]:
        """Which rows of a cleaned table are protected by the register."""
        if not self.hashes:
            return [False] * len(table)
        names = [name for name in _ROW if name in table]
        cells = zip(*(table[name].tolist() for name in names), strict=True)
        return [self.covers(source, dict(zip(names, row, strict=True))) for row in cells]


class Protections:
    """This partner's register."""

    def __init__(self, database: AgentDatabase, vault: Vault) -> None:
        self._database = database
        self._key = vault.hash_key
        self._vault = vault

    def guard(self) -> Guard:
        """The register as it is now."""
        with self._database.reading() as connection:
            rows = connection.execute(select(protections.c.hash, protections.c.kind)).all()
        return Guard(
            self._key, frozenset(row.hash for row in rows), frozenset(row.kind for row in rows)
        )

    def add_person(self, source: str, record_id: str, now: datetime) -> int:
        """Protect whoever a record id stands for; the entry's number.

        Rows that were prepared tell by what else the person is known; what later ones tell is
        learnt when they are prepared.
        """
        named = [record_key(self._key, source, record_id)]
        for handle in self._vault.find(source, record_id):
            named += person_keys(self._key, self._vault.get(handle).clean)
        found = {hash_: kind for kind, hash_ in named}
        return self._add("person", source, found, now)

    def add_home(self, uprn: str, address: str, postcode: str, now: datetime) -> int:
        """Protect a home and everybody there; the entry's number.

        Raises:
            ProtectionInput: neither a UPRN nor an address with its postcode.
        """
        clean = {
            "uprn": clean_uprn(uprn).value,
            "postcode": clean_postcode(postcode).value,
            "address": clean_address(address, has_postcode=True).value,
        }
        found = {hash_: kind for kind, hash_ in home_keys(self._key, clean)}
        if not found:
            raise ProtectionInput(
                "expected a UPRN, or an address with its postcode",
                next_step="partner-agent protect add --home FILE",
            )
        return self._add("home", "", found, now)

    def learn(self, source: str, table: "pd.DataFrame") -> None:
        """Add to entries of persons what prepared rows of their record ids tell of them.

        Args:
            source: the source system.
            table: cleaned rows.
        """
        guard = self.guard()
        names = [name for name in _ROW if name in table]
        for cells in zip(*(table[name].tolist() for name in names), strict=True):
            clean = dict(zip(names, cells, strict=True))
            own = record_key(self._key, source, clean.get("source_record_id", ""))[1]
            if own not in guard.hashes:
                continue
            new = [key for key in person_keys(self._key, clean) if key[1] not in guard.hashes]
            with self._database.writing() as connection:
                known = select(protections).where(protections.c.hash == own)
                for entry in connection.execute(known).all():
                    for kind, hash_ in new:
                        row = {**entry._asdict(), "hash": hash_, "kind": kind}
                        connection.execute(insert(protections).values(row).on_conflict_do_nothing())

    def remove(self, entry: int) -> None:
        """End the protection of an entry.

        Raises:
            ProtectionInput: there is no such entry.
        """
        with self._database.writing() as connection:
            done = connection.execute(delete(protections).where(protections.c.entry == entry))
        if not done.rowcount:
            raise ProtectionInput(
                f"the register has no entry {entry}", next_step="partner-agent protect list"
            )
        self._database.truncate_wal()

    def entries(self) -> list[Protected]:
        """Every entry, by number."""
        columns = protections.c
        statement = (
            select(columns.entry, columns.what, columns.source, columns.added)
            .distinct()
            .order_by(columns.entry)
        )
        with self._database.reading() as connection:
            return [Protected(*row) for row in connection.execute(statement)]

    def entries_of(self, source: str, record_id: str) -> list[int]:
        """Numbers of the entries that name a record id."""
        wanted = record_key(self._key, source, record_id)[1]
        statement = select(protections.c.entry).where(protections.c.hash == wanted)
        with self._database.reading() as connection:
            return list(connection.scalars(statement))

    def _add(self, what: str, source: str, found: Mapping[bytes, str], now: datetime) -> int:
        with self._database.writing() as connection:
            last = connection.scalar(select(func.max(protections.c.entry)))
            entry = int(last or 0) + 1
            rows = [
                {
                    "entry": entry, "hash": hash_, "kind": kind, "what": what, "source": source,
                    "added": write_time(now),
                }
                for hash_, kind in found.items()
            ]  # fmt: skip
            connection.execute(insert(protections), rows)
        return entry


def protect_rows(guard: Guard, source: str, table: "pd.DataFrame") -> "pd.DataFrame":
    """A cleaned table in which rows that the register protects are marked like the extract's."""
    found = guard.rows(source, table)
    if not any(found):
        return table
    import pandas as pd  # noqa: PLC0415 - slow to load

    marked = table["protected"].mask(pd.Series(found, index=table.index), "y")
    return table.assign(protected=marked)
