"""Rows under random handles.

Rules: a handle is 128 random bits and stays with its row, which is found again by an HMAC of
source and record id under a key outside the file; a row is AES-256-GCM under a fresh nonce, with
handle and source as associated data, so that no row can be put in another's place; nothing about a
person stands in clear but whether the row is protected; a vault is opened with the key that it was
made with and no other, lest an extract be stored a second time under new handles.

Row format ``{"clean": {column: text}, "source": {item: text}}``: ``clean`` is the cleaned table's
row, ``source`` the extract's own words for the items that may be released.
"""

import hmac
import json
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, bindparam, delete, func, select
from sqlalchemy.dialects.sqlite import insert

from governance.exchange.submission import HANDLE_BYTES
from partner_agent.errors import AgentError
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import records, vault_check
from partner_agent.vault.keys import VaultKeyError, VaultKeys

if TYPE_CHECKING:
    from partner_agent.vault.occurrences import Occurrences  # slow to load

NONCE_BYTES: Final = 12
_BATCH: Final = 5_000  # values in one statement; SQLite takes 32,766
_STORED: Final = 50_000  # rows in one transaction
_PUT: Final = """
    INSERT INTO records
        (handle, source, locator, occurrence, nonce, ciphertext, protected, prepared_on)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (handle) DO UPDATE SET
        nonce = excluded.nonce, ciphertext = excluded.ciphertext,
        protected = excluded.protected, prepared_on = excluded.prepared_on
"""
_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_Place = tuple[bytes, int]
"""A row's locator, and how many rows of its record id came before it."""

_MANY: Final = select(records).where(records.c.handle.in_(bindparam("wanted", expanding=True)))


class VaultError(AgentError):
    """A row cannot be opened, or is not there."""

    reason = "vault"
    exit_code = 77  # EX_NOPERM


@dataclass(frozen=True)
class Row:
    """A source row as the vault keeps it."""

    record_id: str
    clean: dict[str, str] = field(repr=False)
    source: dict[str, str] = field(repr=False)
    protected: bool


@dataclass(frozen=True)
class StoredRow:
    """An opened row."""

    handle: bytes
    source_id: str
    clean: dict[str, str] = field(repr=False)
    source: dict[str, str] = field(repr=False)
    protected: bool


class Vault:
    """One partner's rows.

    Raises:
        VaultKeyError: the vault was made with another key.
    """

    def __init__(self, database: AgentDatabase, keys: VaultKeys) -> None:
        self._database = database
        self._keys = keys
        self._cipher = AESGCM(keys.rows)
        self._check_key()

    @property
    def hash_key(self) -> bytes:
        """By which this machine's lists know people and homes (protected, opted out)."""
        return self._keys.hashes

    def _check_key(self) -> None:
        check = hmac.digest(self._keys.locators, b"hearthlink/vault/v1/check", "sha256")
        with self._database.reading() as connection:
            known = connection.scalar(select(vault_check.c.value))
            first = connection.execute(select(records).limit(1)).first() if known is None else None
        if known is None and (first is None or self._opens(first)):
            with self._database.writing() as connection:
                statement = insert(vault_check).values(id=1, value=check)
                connection.execute(statement.on_conflict_do_nothing())
                known = connection.scalar(select(vault_check.c.value))
        if known is None or not hmac.compare_digest(known, check):
            raise VaultKeyError(
                "the vault was made with another key than the one that is here",
                next_step="put the vault's key back from its backup; without it no row opens",
            )

    def _opens(self, found: Any) -> bool:
        try:
            self._decrypted(found)
        except VaultError:
            return False
        return True

    def put(
        self, source: str, rows: Sequence[Row], prepared_on: date, seen: "Occurrences"
    ) -> list[bytes]:
        """Store rows of one source, each under the handle that it had before or a new one.

        Args:
            source: the source system.
            rows: in file order.
            prepared_on: the day, for retention.
            seen: rows of this file that came before; it is brought up to date.

        Returns:
            The 16-byte handle of each row, in order.
        """
        handles: list[bytes] = []
        for start in range(0, len(rows), _STORED):
            handles += self._put_batch(source, rows[start : start + _STORED], prepared_on, seen)
        return handles

    def _put_batch(
        self, source: str, rows: Sequence[Row], prepared_on: date, seen: "Occurrences"
    ) -> list[bytes]:
        locators = [self.locator(source, row.record_id) for row in rows]
        places = list(zip(locators, seen.number(locators), strict=True))
        fresh = secrets.token_bytes((HANDLE_BYTES + NONCE_BYTES) * len(rows))
        nonces = len(rows) * HANDLE_BYTES  # where they begin
        with self._database.writing() as connection:
            known = self._known(connection, source, places)
            handles = [
                known.get(place) or fresh[at * HANDLE_BYTES : (at + 1) * HANDLE_BYTES]
                for at, place in enumerate(places)
            ]
            sealed = [
                self._sealed(
                    source, row, handles[at], places[at], prepared_on,
                    fresh[nonces + at * NONCE_BYTES : nonces + (at + 1) * NONCE_BYTES],
                )
                for at, row in enumerate(rows)
            ]  # fmt: skip
            if sealed:  # the driver's own executemany: a third of the time of a built statement
                connection.exec_driver_sql(_PUT, sealed)
        return handles

    @staticmethod
    def _known(
        connection: Connection, source: str, places: Sequence[_Place]
    ) -> dict[_Place, bytes]:
        """Handles of the places that were stored before."""
        first = select(records.c.handle).where(records.c.source == source).limit(1)
        if connection.execute(first).first() is None:
            return {}
        locators = list({locator for locator, _ in places})
        found: dict[_Place, bytes] = {}
        for start in range(0, len(locators), _BATCH):
            statement = select(records.c.locator, records.c.occurrence, records.c.handle).where(
                records.c.source == source,
                records.c.locator.in_(locators[start : start + _BATCH]),
            )
            found |= {(row[0], row[1]): row[2] for row in connection.execute(statement)}
        return found

    def _sealed(
        self,
        source: str,
        row: Row,
        handle: bytes,
        place: _Place,
        prepared_on: date,
        nonce: bytes,
    ) -> tuple[object, ...]:
        content = _JSON.encode({"clean": row.clean, "source": row.source})
        sealed = self._cipher.encrypt(
            nonce, content.encode("utf-8", "surrogatepass"), handle + source.encode()
        )
        return (
            handle, source, place[0], place[1], nonce, sealed, row.protected,
            prepared_on.isoformat(),
        )  # fmt: skip

    def get(self, handle: bytes) -> StoredRow:
        """Open one row.

        Raises:
            VaultError: there is none, or the key does not open it.
        """
        with self._database.reading() as connection:
            found = connection.execute(select(records).where(records.c.handle == handle)).first()
        if found is None:
            raise VaultError("the vault holds no row under this handle")
        data = json.loads(self._decrypted(found).decode("utf-8", "surrogatepass"))
        return StoredRow(handle, found.source, data["clean"], data["source"], found.protected)

    def get_many(self, handles: Iterable[bytes]) -> dict[bytes, StoredRow]:
        """Open rows, a few thousand in a statement; handles that the vault lacks are left out.

        Raises:
            VaultError: the key does not open a row.
        """
        wanted, found = list(dict.fromkeys(handles)), {}
        for start in range(0, len(wanted), _BATCH):
            part = {"wanted": wanted[start : start + _BATCH]}
            with self._database.reading() as connection:
                for row in connection.execute(_MANY, part):
                    data = json.loads(self._decrypted(row).decode("utf-8", "surrogatepass"))
                    found[row.handle] = StoredRow(
                        row.handle, row.source, data["clean"], data["source"], row.protected
                    )
        return found

    def _decrypted(self, found: Any) -> bytes:
        try:
            return self._cipher.decrypt(
                found.nonce, found.ciphertext, found.handle + found.source.encode()
            )
        except InvalidTag:
            raise VaultError("the vault's key does not open this row") from None

    def find(self, source: str, record_id: str) -> list[bytes]:
        """Handles of every row of one record id."""
        return self.at(source, self.locator(source, record_id))

    def find_many(self, source: str, record_ids: Iterable[str]) -> dict[str, list[bytes]]:
        """Handles of every row of each of these record ids; ids that have none are left out."""
        wanted = {self.locator(source, record_id): record_id for record_id in record_ids}
        locators, found = list(wanted), dict[str, list[bytes]]()
        for start in range(0, len(locators), _BATCH):
            statement = (
                select(records.c.locator, records.c.handle)
                .where(
                    records.c.source == source,
                    records.c.locator.in_(locators[start : start + _BATCH]),
                )
                .order_by(records.c.occurrence)
            )
            with self._database.reading() as connection:
                for locator, handle in connection.execute(statement):
                    found.setdefault(wanted[locator], []).append(handle)
        return found

    def forget(self, source: str, record_ids: Iterable[str]) -> int:
        """Destroy every row of these record ids, as when people opt out; how many there were."""
        locators = sorted({self.locator(source, record_id) for record_id in record_ids})
        done = 0
        for start in range(0, len(locators), _BATCH):
            statement = delete(records).where(
                records.c.source == source, records.c.locator.in_(locators[start : start + _BATCH])
            )
            with self._database.writing() as connection:
                done += int(connection.execute(statement).rowcount)
        if done:
            self._database.truncate_wal()
        return done

    def at(self, source: str, locator: bytes) -> list[bytes]:
        """Handles of every row that a locator stands for."""
        statement = select(records.c.handle).where(
            records.c.source == source, records.c.locator == locator
        )
        with self._database.reading() as connection:
            return list(connection.scalars(statement.order_by(records.c.occurrence)))

    def siblings(self, handle: bytes) -> list[bytes]:
        """Handles of every row of the same record id, this one among them; none if it is gone."""
        statement = select(records.c.source, records.c.locator).where(records.c.handle == handle)
        with self._database.reading() as connection:
            found = connection.execute(statement).first()
        return [] if found is None else self.at(found.source, found.locator)

    def destroy(self, handles: Iterable[bytes]) -> int:
        """Destroy rows, as their subject has asked; how many there were."""
        statement = delete(records).where(records.c.handle.in_(bindparam("wanted", expanding=True)))
        with self._database.writing() as connection:
            done = connection.execute(statement, {"wanted": list(handles)})
        self._database.truncate_wal()
        return int(done.rowcount)

    def prepared_on(self, handle: bytes) -> date:
        """The day on which an extract last held a row.

        Raises:
            VaultError: there is no such row.
        """
        statement = select(records.c.prepared_on).where(records.c.handle == handle)
        with self._database.reading() as connection:
            found = connection.scalar(statement)
        if found is None:
            raise VaultError("the vault holds no row under this handle")
        return date.fromisoformat(found)

    def digest(self, handle: bytes) -> bytes:
        """An HMAC of a row's cleaned values, by which a later row is known to differ, 32 bytes.

        Raises:
            VaultError: there is no such row.
        """
        clean = _JSON.encode(dict(sorted(self.get(handle).clean.items())))
        message = b"hearthlink/vault/v1/digest\0" + clean.encode("utf-8", "surrogatepass")
        return hmac.digest(self._keys.locators, message, "sha256")

    def has(self, handles: Iterable[bytes]) -> set[bytes]:
        """Which of these handles the vault holds."""
        wanted, found = list(handles), set[bytes]()
        statement = select(records.c.handle).where(
            records.c.handle.in_(bindparam("wanted", expanding=True))
        )
        with self._database.reading() as connection:
            for start in range(0, len(wanted), _BATCH):
                part = {"wanted": wanted[start : start + _BATCH]}
                found.update(connection.scalars(statement, part))
        return found

    def handles(self, source: str | None = None) -> Iterator[bytes]:
        """Every handle, of one source or of all."""
        statement = select(records.c.handle)
        if source is not None:
            statement = statement.where(records.c.source == source)
        with self._database.reading() as connection:
            yield from connection.scalars(statement)

    def counts(self) -> dict[str, int]:
        """Rows by source."""
        statement = select(records.c.source, func.count()).group_by(records.c.source)
        with self._database.reading() as connection:
            return {found[0]: found[1] for found in connection.execute(statement)}

    def expired(self, today: date, days: int) -> int:
        """How many rows ``purge`` would destroy."""
        limit = (today - timedelta(days=days)).isoformat()
        old = select(func.count()).select_from(records).where(records.c.prepared_on < limit)
        with self._database.reading() as connection:
            return int(connection.scalar(old) or 0)

    def purge(self, today: date, days: int) -> int:
        """Destroy rows that were last prepared more than ``days`` days ago; how many."""
        limit = (today - timedelta(days=days)).isoformat()
        with self._database.writing() as connection:
            done = connection.execute(delete(records).where(records.c.prepared_on < limit))
        self._database.truncate_wal()
        return int(done.rowcount)

    def locator(self, source: str, record_id: str) -> bytes:
        """What a record id is known by here: an HMAC under a key outside the file, 32 bytes."""
        message = source.encode() + b"\0" + record_id.encode("utf-8", "surrogatepass")
        return hmac.digest(self._keys.locators, message, "sha256")
