"""Events that are true here before the ledger has them.

Rules: an event is kept in the transaction that makes it true; the ledger is given events in the
order in which they were kept, each again until it has it. One that it refuses holds no other up,
and is handed in again, but where it has to be dropped: where the ledger might take it later, when
what it says is true no more.
"""

from sqlalchemy import Connection, Delete, Table, Update, delete, insert, select, update

from governance.canonical import canonical_bytes, parse_json
from governance.identity.envelope import parse_model
from governance.ledger.errors import LedgerRefusedError
from governance.ledger.events import Event, WireEvent
from governance.ledger.party import PartyLedger
from governance.storage.database import Database


class Outgoing:
    """A table of events with the columns ``number``, ``event`` and ``logged``.

    Args:
        database: where the table is.
        table: of events.
        ledger: the pen.
        drop: whether what the ledger refuses is dropped.
    """

    def __init__(
        self, database: Database, table: Table, ledger: PartyLedger, *, drop: bool = False
    ) -> None:
        self._drop = drop
        self._database = database
        self._table = table
        self._ledger = ledger

    def keep(self, connection: Connection, event: Event) -> None:
        """Keep an event within the caller's transaction."""
        data = canonical_bytes(WireEvent.of(event))
        connection.execute(insert(self._table).values(event=data, logged=False))

    def tell(self, about: Event | None = None) -> None:
        """Hand to the ledger what it does not have yet.

        Args:
            about: the one event whose refusal the caller has to know of; any where it is None.

        Raises:
            LedgerError: it cannot be reached, or has refused one; the others are handed in first.
        """
        table = self._table
        waiting = select(table).where(table.c.logged.is_(False)).order_by(table.c.number)
        with self._database.reading() as connection:
            rows = connection.execute(waiting).all()
        refusal: LedgerRefusedError | None = None
        for row in rows:
            event = parse_model(parse_json(row.event), WireEvent).event()
            done: Update | Delete = update(table).values(logged=True)
            try:
                self._ledger.append(event)
            except LedgerRefusedError as refused:
                if about is None or about.leaf.id == event.leaf.id:
                    refusal = refusal or refused
                if not self._drop:
                    continue
                done = delete(table)
            with self._database.writing() as connection:
                connection.execute(done.where(table.c.number == row.number))
        if refusal is not None:
            raise refusal
