"""From an extract to the hub, step by step.

Rules, in order: the agreement is in force and permits every mapping before anything is read; this
agent cosigns, and the agreement's last signature is witnessed, before the first row is; opt-outs
of every source that upholds them were checked lately before anything leaves.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from governance.agreements.errors import SourceNotListed
from governance.agreements.policy import Standing
from governance.exchange.submission_file import ARROW_SCHEMA
from partner_agent.app import Agent
from partner_agent.cleansing.uprn import UprnIndex
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.extracts.reader import open_extract
from partner_agent.linkage_secret import load_keys
from partner_agent.submissions.prepare import Prepared, Workshop, check_permitted, prepare
from partner_agent.submissions.scope import only_agreed
from partner_agent.submissions.upload import OutboxItem

WITNESS_SECONDS: Final = 20.0
"""How long to give the other partners' agents to witness the agreement."""
UNSENT: Final = frozenset({"prepared", "sent"})
"""States of what waits in the outbox."""


@dataclass(frozen=True)
class WouldSend:
    """What would leave this machine: the columns of the file, counts and bytes."""

    source: str
    records: int
    bytes: int
    columns: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "columns": list(self.columns)}


def agreed_only(standing: Standing, mapping: SourceMapping) -> SourceMapping:
    """The mapping without the columns that the agreement does not list.

    Raises:
        SourceNotListed: the agreement does not list the source at all.
    """
    source = standing.agreement.source(mapping.source)
    if source is None:
        raise SourceNotListed(f"the agreement lists no source {mapping.source}")
    return only_agreed(mapping, source)


def may_prepare(agent: Agent, mappings: Iterable[SourceMapping]) -> Standing:
    """Check that extracts with these mappings may be prepared now.

    Raises:
        AgreementRefusal: the agreement does not permit it.
        AgreementNotWitnessed: other partners' agents did not witness it within
            ``WITNESS_SECONDS``.
        LedgerError: the ledger cannot be reached, or broke a promise.
    """
    standing = agent.standing(agent.ledger.sync())
    for mapping in mappings:
        check_permitted(standing, agent.settings.party, mapping, agent.now())
    agent.ledger.witness()
    agent.ledger.await_witnessed(standing, WITNESS_SECONDS)
    return standing


def prepare_file(
    agent: Agent,
    standing: Standing,
    file: Path,
    mapping: SourceMapping,
    *,
    uprn: UprnIndex | None = None,
    progress: Callable[[int], None] = lambda _rows: None,
) -> Prepared:
    """Clean and encode one extract into the outbox; nothing leaves. Raises as ``prepare``."""
    extract = open_extract(file, sheet=mapping.sheet, chunk_rows=agent.settings.chunk_rows)
    keys = load_keys(agent.home, standing.agreement, agent.passphrase)
    workshop = Workshop(
        agent.home, agent.secrets, agent.database, agent.vault, agent.synthetic, keys, agent.now
    )
    return prepare(workshop, standing, extract, mapping, uprn=uprn, progress=progress)


def would_send(item: OutboxItem) -> WouldSend:
    """What a prepared submission would send."""
    return WouldSend(
        item.source, item.records, item.manifest.content_bytes, tuple(ARROW_SCHEMA.names)
    )


def may_send(agent: Agent, items: Iterable[OutboxItem]) -> None:
    """Check that what was prepared may leave now.

    Raises:
        OptOutError: opt-outs of a source were not checked lately.
        LedgerError: the ledger cannot be reached, or broke a promise.
    """
    agreement = agent.standing(agent.ledger.sync()).agreement
    for item in items:
        agent.opt_outs.require_sendable(agreement, item.source, agent.now().date())
