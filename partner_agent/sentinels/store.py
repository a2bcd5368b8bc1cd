"""Synthetic rows that this agent made, and the key to each submission's.

They stand beside the vault, never in it: no consent and no release can be about them. The cleaned
rows are kept because the hub, which cannot tell them, asks about them as about any record in
refinement. They are AES-256-GCM under a key of their own that comes from the vault's key, with the
handle as associated data: decoys are put together from real rows.
"""

import json
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Select, bindparam, delete, func, insert, select

from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import synthetic_keys, synthetic_rows
from partner_agent.vault.store import VaultError

NONCE_BYTES: Final = 12
_BATCH: Final = 5_000  # rows in one statement


@dataclass(frozen=True)
class SyntheticKey:
    """The key to one submission's synthetic rows.

    Attributes:
        submission: the submission's id.
        content: ``sentinel-key/v1``.
    """

    submission: str
    source: str
    content: bytes = field(repr=False)


class SyntheticRows:
    """One agent's synthetic rows.

    Args:
        database: the agent's.
        key: 32 bytes, from the vault's key (``VaultKeys.synthetic``).
    """

    def __init__(self, database: AgentDatabase, key: bytes) -> None:
        self._database = database
        self._cipher = AESGCM(key)

    def put(
        self,
        key: SyntheticKey,
        handles: Sequence[bytes],
        rows: Sequence[dict[str, str]],
        prepared_on: date,
    ) -> None:
        """Keep the synthetic rows of one submission, and their key, all or none."""
        with self._database.writing() as connection:
            connection.execute(
                insert(synthetic_keys).values(
                    submission=key.submission,
                    source=key.source,
                    content=key.content,
                    prepared_on=prepared_on.isoformat(),
                )
            )
            sealed = [
                self._sealed(key.submission, handle, row)
                for handle, row in zip(handles, rows, strict=True)
            ]
            for start in range(0, len(sealed), _BATCH):
                connection.execute(insert(synthetic_rows), sealed[start : start + _BATCH])

    def _sealed(self, submission: str, handle: bytes, row: dict[str, str]) -> dict[str, object]:
        nonce = secrets.token_bytes(NONCE_BYTES)
        content = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
        return {
            "handle": handle,
            "submission": submission,
            "nonce": nonce,
            "ciphertext": self._cipher.encrypt(nonce, content, handle),
        }

    def get_many(self, handles: Iterable[bytes]) -> dict[bytes, dict[str, str]]:
        """Cleaned rows of those handles that are synthetic.

        Raises:
            VaultError: the vault's key does not open one.
        """
        wanted, found = list(handles), {}
        for start in range(0, len(wanted), _BATCH):
            for row in self._rows(wanted[start : start + _BATCH]):
                found[bytes(row.handle)] = self._opened(row)
        return found

    def has(self, handles: Iterable[bytes]) -> set[bytes]:
        """Which of these handles are synthetic."""
        wanted = list(handles)
        return {
            bytes(row.handle)
            for start in range(0, len(wanted), _BATCH)
            for row in self._rows(wanted[start : start + _BATCH])
        }

    def _rows(self, handles: Sequence[bytes]) -> list[Any]:
        statement = select(synthetic_rows).where(
            synthetic_rows.c.handle.in_(bindparam("wanted", expanding=True))
        )
        with self._database.reading() as connection:
            return list(connection.execute(statement, {"wanted": list(handles)}))

    def _opened(self, row: Any) -> dict[str, str]:
        try:
            content = self._cipher.decrypt(row.nonce, row.ciphertext, bytes(row.handle))
        except InvalidTag:
            raise VaultError("the vault's key does not open this row") from None
        found: dict[str, str] = json.loads(content)
        return found

    def key_of(self, submission: str) -> SyntheticKey | None:
        """The key to a submission's synthetic rows, if it has any."""
        statement = select(synthetic_keys).where(synthetic_keys.c.submission == submission)
        with self._database.reading() as connection:
            row = connection.execute(statement).first()
        return None if row is None else SyntheticKey(row.submission, row.source, row.content)

    def expired(self, today: date, days: int) -> int:
        """How many rows ``purge`` would destroy."""
        count = select(func.count()).select_from(synthetic_rows)
        old = self._old((today - timedelta(days=days)).isoformat())
        with self._database.reading() as connection:
            return int(connection.scalar(count.where(synthetic_rows.c.submission.in_(old))) or 0)

    @staticmethod
    def _old(limit: str) -> Select[tuple[str]]:
        return select(synthetic_keys.c.submission).where(synthetic_keys.c.prepared_on < limit)

    def purge(self, today: date, days: int) -> int:
        """Destroy what was prepared more than ``days`` days ago; how many rows."""
        limit = (today - timedelta(days=days)).isoformat()
        old = self._old(limit)
        with self._database.writing() as connection:
            done = connection.execute(
                delete(synthetic_rows).where(synthetic_rows.c.submission.in_(old))
            )
            connection.execute(delete(synthetic_keys).where(synthetic_keys.c.prepared_on < limit))
        self._database.truncate_wal()
        return int(done.rowcount)
