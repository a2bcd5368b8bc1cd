"""Opening the hub's database."""

from pathlib import Path
from typing import Final

from governance.storage.database import Database
from linkage_hub.errors import HubError

_VERSIONS: Final = Path(__file__).parent / "versions"


class HubStoreError(HubError):
    """The hub's database cannot be opened, read or written."""

    reason = "hub.store"
    exit_code = 74  # EX_IOERR


class HubDatabase(Database):
    """The hub's database, migrated to the newest schema.

    Raises:
        HubStoreError: it cannot be opened.
    """

    error = HubStoreError

    def __init__(self, url: str) -> None:
        super().__init__(url, _VERSIONS, "hub")
