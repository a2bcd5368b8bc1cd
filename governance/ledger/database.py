"""The databases of the ledger and of its mirrors."""

from pathlib import Path
from typing import Final, Literal

from governance.ledger.errors import StoreError
from governance.storage import database as storage
from governance.storage.database import sqlite_url

__all__ = ["Database", "sqlite_url"]

_VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"

Schema = Literal["log", "mirror"]


class Database(storage.Database):
    """A database of this package, migrated to the newest schema.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql+psycopg://...``.
        schema: which of the two schemas of this package it holds.

    Raises:
        StoreError: it cannot be opened.
    """

    error = StoreError

    def __init__(self, url: str, schema: Schema) -> None:
        super().__init__(url, _VERSIONS / schema, f"ledger_{schema}")
