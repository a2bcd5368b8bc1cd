"""Settings of the hub: what ``init`` wrote, and the environment (``HEARTHLINK_HUB_*``) over it."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from governance.canonical import canonical_bytes, parse_json
from governance.errors import FormatError
from governance.identity.envelope import parse_model
from governance.terminal import FileProblem, write_bytes
from linkage_hub.errors import HubError

FILE = "hub.json"


class NotSetUpError(HubError):
    """The folder is not a hub's home."""

    reason = "hub.not_set_up"
    exit_code = 78  # EX_CONFIG


class HubSettings(BaseSettings):
    """What the hub needs to run."""

    model_config = SettingsConfigDict(
        env_prefix="HEARTHLINK_HUB_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    ledger_url: str
    ledger_key: str
    """The log's verifier key, pinned by ``init``."""
    database_url: str | None = None
    """``postgresql+psycopg://USER@HOST/NAME``; without it a SQLite file in the home."""
    passphrase_file: Path | None = None
    """Opens the hub's key file."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8200
    public_url: str | None = None
    """How callers address the hub when a proxy stands before it; signatures cover it."""
    requests_per_second: Annotated[float, Field(gt=0)] = 100.0
    """Signed requests that one caller may send in the long run."""
    request_burst: Annotated[int, Field(ge=1)] = 2_000
    """Signed requests that one caller may send at once."""
    worker_nice: Annotated[int, Field(ge=0, le=19)] = 10
    """By how much a worker gives way to the service and whatever else the computer does."""

    @classmethod
    def load(cls, home: Path) -> Self:
        """Read the settings of a home; the environment comes first.

        Raises:
            NotSetUpError: there are none.
            FormatError: they are damaged.
        """
        try:
            data = parse_json((home / FILE).read_bytes())
        except OSError:
            raise NotSetUpError(
                "this folder is not a hub's home",
                next_step="linkage-hub --home FOLDER init --ledger URL --ledger-key FILE",
            ) from None
        if not isinstance(data, dict):
            raise FormatError(f"{FILE}: expected an object")
        required = {name: data.get(name) for name in ("ledger_url", "ledger_key")}
        environment = parse_model(required, cls).model_dump(exclude_unset=True)
        return parse_model(data | environment, cls)

    def save(self, home: Path) -> None:
        """Write the settings of a home.

        Raises:
            FileProblem: the folder cannot be written to.
        """
        data = self.model_dump(mode="json", exclude_none=True, exclude={"passphrase_file"})
        try:
            write_bytes(home / FILE, canonical_bytes(data) + b"\n")
        except FileProblem as error:
            raise FileProblem(error.message, next_step="choose another --home") from None
