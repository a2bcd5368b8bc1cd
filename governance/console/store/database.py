"""Opening the console's database."""

from pathlib import Path
from typing import Final

from governance.console.errors import ConsoleStoreError
from governance.storage.database import Database

_VERSIONS: Final = Path(__file__).parent / "versions"


class ConsoleDatabase(Database):
    """The console's database, migrated to the newest schema.

    Raises:
        ConsoleStoreError: it cannot be opened.
    """

    error = ConsoleStoreError

    def __init__(self, url: str) -> None:
        super().__init__(url, _VERSIONS, "console")
