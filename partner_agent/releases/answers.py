"""Answers as they are kept: one row a request, from the moment it is answered.

Rules: an answer is stored once, in one transaction with what must not change meanwhile: the count
of the rate limit, the withdrawals accepted and the records blocked here. A sealed answer that has
not left yet can be taken back; the sealed items are kept until the hub has said that it does not
hold them, since a crash may have come after they were sent, or until their period is over.

When the period is over, what an answer holds is destroyed and its row stays: the hash of the
request, so that it is never answered again, when and how it was answered as the ledger has it, and
an event that the ledger is still owed, until it has it. No row is ever deleted.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, func, insert, not_, or_, select, update

from governance.canonical import canonical_bytes, parse_json, parse_time, write_time
from governance.identity.envelope import Envelope, parse_model
from governance.ledger.events import Event, WireEvent
from governance.release.models import Order
from partner_agent.releases.errors import RateLimited, WithdrawnHere
from partner_agent.rights.blocks import blocked_handles, require_none_blocked
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import answers, withdrawals

RATE_WINDOW: Final = timedelta(days=1)
_OUT: Final = (
    answers.c.sealed.is_not(None) & answers.c.delivered.is_(False) & answers.c.retraction.is_(None)
)
"""Sealed items that are on their way to the hub."""


@dataclass(frozen=True)
class Answer:
    """What this partner answered to one request; ``reason`` as it is known here.

    ``delivered``: nothing is handed to the hub any more: it has the answer, or, since ``given_up``,
    will not have it.
    """

    request: str
    sealed: bool
    reason: str | None
    answered: str
    logged: bool
    delivered: bool
    destroyed: str | None = None
    given_up: str | None = None


@dataclass(frozen=True)
class Waiting:
    """An answer that the ledger or the hub does not have yet."""

    request: str
    sealed: Envelope | None
    reason: str | None
    event: Event
    logged: bool
    delivered: bool
    answered: datetime
    order: Order | None
    retraction: Event | None


class AnswerStore:
    """This partner's answers."""

    def __init__(self, database: AgentDatabase, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def all(self) -> list[Answer]:
        """Every answer given here, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(select(answers).order_by(answers.c.answered)).all()
        return [
            Answer(
                request=row.request,
                sealed=row.reason is None,
                reason=row.here or row.reason,
                answered=row.answered,
                logged=row.logged,
                delivered=row.delivered,
                destroyed=row.destroyed,
                given_up=row.given_up,
            )
            for row in rows
        ]

    def released(self) -> list[tuple[Order, str]]:
        """Orders that were answered with sealed items which have left, and when."""
        statement = select(answers).where(
            answers.c.sealed.is_not(None),
            answers.c.delivered.is_(True),
            answers.c.order_document.is_not(None),
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(answers.c.answered)).all()
        return [(parse_model(parse_json(row.order_document), Order), row.answered) for row in rows]

    def waiting(self) -> list[Waiting]:
        """Answers that still have to go out, oldest first."""
        statement = select(answers).where(
            or_(answers.c.delivered.is_(False), answers.c.logged.is_(False))
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement.order_by(answers.c.answered)).all()
        return [_waiting(row) for row in rows]

    def seal(
        self,
        order: Order,
        sealed: Envelope,
        event: Event,
        *,
        most: int,
        grants: Collection[str],
        handles: Collection[str] = (),
    ) -> None:
        """Keep a sealed answer, once.

        Args:
            order: what it answers.
            sealed: the signed envelope.
            event: the receipt for the ledger.
            most: sealed answers within a day, at most.
            grants: what it rests on; none of them was withdrawn here.
            handles: of this partner's records that it is about; none of them is blocked here.

        Raises:
            WithdrawnHere, BlockedHere, RateLimited: it is not kept.
        """
        now = self._now()
        since = write_time(now - RATE_WINDOW)
        with self._database.writing() as connection:
            if set(connection.scalars(select(withdrawals.c.grant_id))) & set(grants):
                raise WithdrawnHere("a member of the family has withdrawn")
            require_none_blocked(handles, blocked_handles(connection))
            recent = connection.scalar(
                select(func.count())
                .select_from(answers)
                .where(answers.c.sealed.is_not(None), answers.c.answered > since)
            )
            if int(recent or 0) >= most:
                raise RateLimited(
                    f"this partner has released {recent} times within a day; agreed: {most}",
                    next_step="ask again tomorrow",
                )
            connection.execute(
                insert(answers).values(
                    request=order.request.payload_hash,
                    sealed=canonical_bytes(sealed),
                    reason=None,
                    event=_wire(event),
                    answered=write_time(now),
                    logged=False,
                    delivered=False,
                    order_document=canonical_bytes(order),
                )
            )

    def refuse(self, request: str, here: str, told: str, event: Event) -> None:
        """Keep a refusal, once: the reason as it is known here, and as others are told it."""
        with self._database.writing() as connection:
            connection.execute(
                insert(answers).values(
                    request=request,
                    sealed=None,
                    reason=told,
                    here=here,
                    event=_wire(event),
                    answered=write_time(self._now()),
                    logged=False,
                    delivered=False,
                )
            )

    def retract(self, request: str, here: str, told: str, event: Event) -> None:
        """Take a sealed answer back that has not left, as far as is known here."""
        self._change(request, here=here, reason=told, retraction=_wire(event))

    def give_up(self, request: str) -> None:
        """Note that the hub will not have an answer."""
        self._change(request, given_up=write_time(self._now()))

    def retracted(self, item: Waiting) -> None:
        """The hub took the refusal: the sealed items are destroyed."""
        if item.retraction is None:  # pragma: no cover - the desk asks only for retracted ones
            raise ValueError("not retracted")
        self._change(
            item.request, sealed=None, event=_wire(item.retraction), retraction=None,
            logged=False, delivered=True,
        )  # fmt: skip
        self._database.truncate_wal()

    def had_left(self, request: str) -> None:
        """The hub held the sealed items already: taking them back came too late."""
        self._change(request, here=None, reason=None, retraction=None, delivered=True)

    def unsent(self, before: datetime) -> list[str]:
        """Requests sealed before a time whose items the hub does not have, as is known here."""
        with self._database.reading() as connection:
            return list(connection.scalars(select(answers.c.request).where(*_whole(before), _OUT)))

    def due(self, before: datetime) -> int:
        """How many answers given before a time still hold anything."""
        statement = select(func.count()).select_from(answers).where(*_whole(before))
        with self._database.reading() as connection:
            return int(connection.scalar(statement) or 0)

    def purge(self, before: datetime) -> int:
        """Destroy what answers given before a time hold; sealed items that may leave stay.

        Returns:
            How many answers.
        """
        told = answers.c.logged & answers.c.delivered
        with self._database.writing() as connection:
            done = connection.execute(
                update(answers)
                .where(*_whole(before), not_(_OUT))
                .values(
                    sealed=None, order_document=None, here=None, destroyed=write_time(self._now())
                )
            )
            connection.execute(
                update(answers)
                .where(answers.c.destroyed.is_not(None), told)
                .values(event=b"", retraction=None)
            )
        self._database.truncate_wal()
        return done.rowcount

    def mark(self, request: str, **done: bool) -> None:
        """Note that the ledger (``logged``) or the hub (``delivered``) has an answer."""
        self._change(request, **done)

    def _change(self, request: str, **values: Any) -> None:
        with self._database.writing() as connection:
            connection.execute(update(answers).where(answers.c.request == request).values(**values))


def _whole(before: datetime) -> tuple[ColumnElement[bool], ...]:
    return answers.c.answered < write_time(before), answers.c.destroyed.is_(None)


def _waiting(row: Row[Any]) -> Waiting:
    return Waiting(
        request=row.request,
        sealed=None if row.sealed is None else parse_model(parse_json(row.sealed), Envelope),
        reason=row.reason,
        event=_event(row.event),
        logged=row.logged,
        delivered=row.delivered,
        answered=parse_time(row.answered),
        order=(
            None
            if row.order_document is None
            else parse_model(parse_json(row.order_document), Order)
        ),
        retraction=None if row.retraction is None else _event(row.retraction),
    )


def _wire(event: Event) -> bytes:
    return WireEvent.of(event).model_dump_json().encode()


def _event(data: bytes) -> Event:
    return parse_model(parse_json(data), WireEvent).event()
