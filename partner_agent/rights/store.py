"""Requests as they are kept here, and what of them the ledger does not have yet.

Rules: a step and the event that tells of it are stored in one transaction; events go to the ledger
in the order in which they were written, and one that it refuses holds none of another request up.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from governance.canonical import canonical_bytes, parse_json
from governance.identity.envelope import parse_model
from governance.ledger.events import Event, WireEvent
from governance.rights.models import TAKES_OUT, RightsKind
from partner_agent.rights.errors import UnknownRightsRequest
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import (
    rights_blocks,
    rights_events,
    rights_records,
    rights_requests,
)


@dataclass(frozen=True)
class Subject:
    """A record that a request is about; ``handle`` is None where the vault held no row."""

    source: str
    locator: bytes = field(repr=False)
    handle: bytes | None = field(repr=False)
    digest: bytes | None = field(repr=False)


@dataclass(frozen=True)
class Request:
    """A request as it stands here; days are ISO dates."""

    id: str
    kind: RightsKind
    agreement: str
    received: str
    due: str
    extended: bool
    opened: str
    carried_out: str | None
    closed: str | None
    outcome: str | None
    lifted: str | None
    named_after: str | None


class RightsStore:
    """This partner's requests."""

    def __init__(self, database: AgentDatabase) -> None:
        self._database = database

    def open(self, request: Request, subjects: Iterable[Subject], event: Event) -> None:
        """Keep a new request."""
        with self._database.writing() as connection:
            values = {name: getattr(request, name) for name in Request.__dataclass_fields__}
            connection.execute(insert(rights_requests).values(**values))
            for subject in subjects:
                self._keep(connection, request.id, subject)
            _say(connection, request.id, event)

    def get(self, id_: str) -> Request:
        """One request.

        Raises:
            UnknownRightsRequest: none was opened here.
        """
        with self._database.reading() as connection:
            row = connection.execute(
                select(rights_requests).where(rights_requests.c.id == id_)
            ).first()
        if row is None:
            raise UnknownRightsRequest(
                "no such request was opened here", next_step="partner-agent rights list"
            )
        return _request(row)

    def all(self) -> list[Request]:
        """Every request, the one that is due first comes first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(rights_requests).order_by(rights_requests.c.due, rights_requests.c.id)
            ).all()
        return [_request(row) for row in rows]

    def subjects(self, id_: str) -> list[Subject]:
        """The records that a request is about."""
        statement = (
            select(rights_records)
            .where(rights_records.c.request == id_)
            .order_by(rights_records.c.number)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [Subject(row.source, row.locator, row.handle, row.digest) for row in rows]

    def taken_out(self) -> set[bytes]:
        """Handles of records that the hub has confirmed to hold no more, since somebody asked."""
        statement = (
            select(rights_records.c.handle)
            .join(rights_requests, rights_requests.c.id == rights_records.c.request)
            .where(
                rights_requests.c.outcome == "done",
                rights_requests.c.kind.in_([kind.value for kind in TAKES_OUT]),
                rights_records.c.handle.is_not(None),
            )
        )
        with self._database.reading() as connection:
            return set(connection.scalars(statement))

    def block(self, id_: str, places: Iterable[Subject], found: Iterable[Subject]) -> None:
        """Block records, and keep handles that their rows have got since; may be repeated."""
        with self._database.writing() as connection:
            for subject in found:
                self._keep(connection, id_, subject)
            here = select(rights_blocks).where(rights_blocks.c.request == id_)
            known = {(row.source, row.locator) for row in connection.execute(here)}
            for place in sorted({(each.source, each.locator) for each in places} - known):
                connection.execute(
                    insert(rights_blocks).values(source=place[0], locator=place[1], request=id_)
                )

    def note(self, id_: str, event: Event, **values: Any) -> None:
        """Keep a step of a request with the event that tells of it."""
        with self._database.writing() as connection:
            connection.execute(
                update(rights_requests).where(rights_requests.c.id == id_).values(**values)
            )
            _say(connection, id_, event)

    def lift(self, id_: str, event: Event, when: str) -> None:
        """End a request's blocks."""
        with self._database.writing() as connection:
            connection.execute(delete(rights_blocks).where(rights_blocks.c.request == id_))
            connection.execute(
                update(rights_requests).where(rights_requests.c.id == id_).values(lifted=when)
            )
            _say(connection, id_, event)

    def waiting(self) -> list[tuple[int, str, Event]]:
        """Events that the ledger does not have: number, request, event; oldest first."""
        statement = (
            select(rights_events)
            .where(rights_events.c.logged.is_(False))
            .order_by(rights_events.c.number)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [
            (row.number, row.request, parse_model(parse_json(row.event), WireEvent).event())
            for row in rows
        ]

    def logged(self, number: int) -> None:
        """Note that the ledger has an event."""
        with self._database.writing() as connection:
            connection.execute(
                update(rights_events).where(rights_events.c.number == number).values(logged=True)
            )

    @staticmethod
    def _keep(connection: Connection, id_: str, subject: Subject) -> None:
        connection.execute(
            insert(rights_records).values(
                request=id_,
                source=subject.source,
                locator=subject.locator,
                handle=subject.handle,
                digest=subject.digest,
            )
        )


def _say(connection: Connection, id_: str, event: Event) -> None:
    connection.execute(
        insert(rights_events).values(
            request=id_, event=canonical_bytes(WireEvent.of(event)), logged=False
        )
    )


def _request(row: Any) -> Request:
    values = {name: getattr(row, name) for name in Request.__dataclass_fields__}
    return Request(**{**values, "kind": RightsKind(row.kind)})
