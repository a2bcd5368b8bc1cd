"""What the agreement's retention ends: rows, files and answers to requests are destroyed.

Rules: rows that no extract has held for ``vault_days`` go, and synthetic rows with their keys;
prepared files go after ``encodings_days``, and at once when a later submission of their source was
accepted; what was answered to a request (sealed items, the order, the reason as it is known here)
goes after ``released_items_days``, but for the mark that the request was used. Periods are those of
the agreement that this agent works under, also once it has ended. What was destroyed is told to the
ledger, in counts; an event that the ledger does not have yet is kept until it has. After a crash
while things are destroyed the ledger is told of fewer than there were, since what is gone is not
counted again.
"""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import literal_column, select

from governance.agreements.models import Agreement
from governance.canonical import parse_json, write_time
from governance.identity.envelope import Envelope, parse_model
from governance.ledger.events import EventType
from governance.ledger.outgoing import Outgoing
from governance.ledger.payloads import RetentionPurged
from partner_agent.ledger import AgentLedger
from partner_agent.releases.desk import ReleaseDesk
from partner_agent.sentinels.store import SyntheticRows
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import purges, submissions
from partner_agent.vault.store import Vault

_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Purged:
    """How much was destroyed, or is due to be."""

    rows: int
    synthetic_rows: int
    files: int
    releases: int = 0

    def __bool__(self) -> bool:
        return any(asdict(self).values())


class Retention:
    """Ends retention for one party.

    Args:
        home: the agent's folder, whose outbox holds prepared files.
        party: this agent's.
        database: the agent's.
        vault: the encrypted rows.
        synthetic: synthetic rows.
        releases: the desk that keeps answers.
        ledger: the mirror and pen.
        now: the clock.
    """

    def __init__(
        self,
        home: Path,
        party: str,
        database: AgentDatabase,
        vault: Vault,
        synthetic: SyntheticRows,
        releases: ReleaseDesk,
        ledger: AgentLedger,
        now: Callable[[], datetime],
    ) -> None:
        self._outbox = home / "outbox"
        self._party = party
        self._database = database
        self._vault = vault
        self._synthetic = synthetic
        self._releases = releases
        self._ledger = ledger
        self._now = now
        self._outgoing = Outgoing(database, purges, ledger)
        self._done_on = ""

    def due(self, agreement: Agreement) -> Purged:
        """What ``purge`` would destroy now."""
        today, days = self._now().date(), agreement.retention.vault_days
        return Purged(
            self._vault.expired(today, days),
            self._synthetic.expired(today, days),
            len(self._files(agreement)),
            self._releases.due(self._released_before(agreement)),
        )

    def purge(self, agreement: Agreement) -> Purged:
        """Destroy what is due, and keep an event that says so until ``tell`` has handed it in."""
        today, days = self._now().date(), agreement.retention.vault_days
        files = self._files(agreement)
        for path in files:
            path.unlink(missing_ok=True)
        done = Purged(
            self._vault.purge(today, days),
            self._synthetic.purge(today, days),
            len(files),
            self._releases.purge(self._released_before(agreement)),
        )
        if done:
            self._note(agreement.hash, done)
        return done

    def daily(self, agreement: Agreement) -> None:
        """Purge once a day, and tell the ledger.

        Raises:
            LedgerError: it does not have the event yet.
        """
        today = self._now().date().isoformat()
        if self._done_on != today:
            self.purge(agreement)
            self._done_on = today
        self.tell()

    def tell(self) -> None:
        """Hand to the ledger what it does not have yet.

        Raises:
            LedgerError: it cannot be reached, or refuses.
        """
        self._outgoing.tell()

    def _note(self, agreement: str, done: Purged) -> None:
        counts = asdict(done)
        event = self._ledger.author.write(
            EventType.RETENTION_PURGED,
            RetentionPurged(agreement=agreement, party=self._party, **counts),
        )
        with self._database.writing() as connection:
            self._outgoing.keep(connection, event)
        _LOG.info("purged", extra=counts)

    def _released_before(self, agreement: Agreement) -> datetime:
        return self._now() - timedelta(days=agreement.retention.released_items_days)

    def _files(self, agreement: Agreement) -> list[Path]:
        """Prepared files that are there and whose time is over."""
        days = timedelta(days=agreement.retention.encodings_days)
        limit = write_time(self._now() - days)
        accepted = self._ledger.state.submissions.accepted
        statement = select(submissions).order_by(literal_column("rowid").desc())
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        found: list[Path] = []
        replaced: set[tuple[str, str]] = set()
        for row in rows:
            place = (row.agreement, row.source)
            if place in replaced or row.created < limit:
                found.append(self._outbox / f"{row.id}.arrow")
            if parse_model(parse_json(row.manifest), Envelope).payload_hash in accepted:
                replaced.add(place)
        return [path for path in found if path.exists()]
