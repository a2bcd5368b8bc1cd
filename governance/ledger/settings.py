"""Settings of the ledger service, from the environment (``HEARTHLINK_LEDGER_*``)."""

from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class LedgerSettings(BaseSettings):
    """What the ledger service needs to run."""

    model_config = SettingsConfigDict(env_prefix="HEARTHLINK_LEDGER_", frozen=True)

    database_url: str = "sqlite:///ledger.db"
    """``sqlite:///FILE`` or ``postgresql+psycopg://USER@HOST/NAME``."""
    key_file: Path = Path("ledger.key")
    """The log's private key; made by ``governance ledger init``, readable by its owner only."""
    passphrase_file: Path | None = None
    """Opens the log's private key; without it the key is protected by its file's mode alone."""
    origin: Annotated[str, Field(pattern=r"^[a-z0-9.\-/]{3,100}$")]
    """The log's name, for example ``ledger.example.gov.uk/county``; never changes."""
    genesis_file: Path | None = None
    """The first event, which names the first parties; checked at each start when given."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 8300
    public_url: str | None = None
    """How clients address the service when a proxy stands before it; signatures cover it."""
    requests_per_second: Annotated[float, Field(gt=0)] = 100.0
    """Signed requests that one party may send in the long run."""
    request_burst: Annotated[int, Field(ge=1)] = 2_000
    """Signed requests that one party may send at once."""
