"""Settings of the agent: what ``init`` and ``connect`` wrote, and the environment over it.

``HEARTHLINK_AGENT_LEDGER_URL`` and ``HEARTHLINK_AGENT_HUB_URL`` replace what ``connect`` wrote,
for example behind a proxy; ``HEARTHLINK_AGENT_PASSPHRASE_FILE`` opens secret files.
"""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from governance.canonical import Hash, Slug, canonical_bytes, parse_json
from governance.errors import FormatError
from governance.identity.envelope import parse_model
from partner_agent.cleansing.files import whole_file
from partner_agent.errors import AgentError

FILE = "agent.json"


class NotSetUpError(AgentError):
    """The agent's folder lacks something that a command needs."""

    reason = "agent.not_set_up"
    exit_code = 78  # EX_CONFIG


class AgentSettings(BaseSettings):
    """What the agent needs to run."""

    model_config = SettingsConfigDict(
        env_prefix="HEARTHLINK_AGENT_", frozen=True, extra="ignore", env_ignore_empty=True
    )

    party: Slug
    vault_key: Literal["file", "keyring"] = "file"
    """Where the vault's key is kept: a secret file in the home, or the operating system's."""
    ledger_url: str | None = None
    ledger_key: str | None = None
    """The log's verifier key, pinned by ``connect``."""
    hub_url: str | None = None
    agreement: Hash | None = None
    """The agreement that the agent works under, set by ``agreement import``."""
    passphrase_file: Path | None = None
    """Opens the agent's secret files; without it they are protected by their mode alone."""
    enrolments: Path | None = None
    """The folder into which the staff console lays countersigned enrolments; ``run`` logs them."""
    chunk_rows: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    """Rows of an extract in memory at once."""
    console_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Port of ``partner-agent console`` on 127.0.0.1; 0: any that is free."""
    console_upload_mib: Annotated[int, Field(ge=1, le=1_048_576)] = 4_096
    """Size of a file that the console takes, in MiB."""

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
                "this folder is not an agent's home",
                next_step="partner-agent --home FOLDER init --party NAME",
            ) from None
        if not isinstance(data, dict):
            raise FormatError(f"{FILE}: expected an object")
        environment = parse_model({"party": data.get("party")}, cls).model_dump(exclude_unset=True)
        return parse_model(data | environment, cls)

    def save(self, home: Path) -> None:
        """Write the settings of a home, whole or not at all."""
        data = self.model_dump(mode="json", exclude_none=True, exclude={"passphrase_file"})
        with whole_file(home / FILE) as stream:
            stream.write(canonical_bytes(data).decode() + "\n")
