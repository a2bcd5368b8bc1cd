"""Opening the agent's database."""

from pathlib import Path
from typing import Final

from governance.storage.database import Database, sqlite_url
from partner_agent.errors import AgentError

_VERSIONS: Final = Path(__file__).parent / "versions"


class AgentStoreError(AgentError):
    """The agent's database cannot be opened, read or written."""

    reason = "agent.store"
    exit_code = 74  # EX_IOERR


class AgentDatabase(Database):
    """The agent's database, readable by its owner only.

    Raises:
        AgentStoreError: it cannot be opened.
    """

    error = AgentStoreError

    def __init__(self, path: Path) -> None:
        try:
            path.touch(mode=0o600, exist_ok=True)
        except OSError as error:
            raise AgentStoreError(f"{path.name} cannot be made: {error.strerror}") from None
        super().__init__(sqlite_url(path), _VERSIONS, "agent")
