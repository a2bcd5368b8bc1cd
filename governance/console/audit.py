"""The audit log: who opened or changed what, and when.

Rules: a read is written as a change is, before it is answered, so what cannot be logged is not
shown; an entry has account, route, object and time, and whether it was refused, never what was on
the page; entries are added and never changed.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, select

from governance.canonical import Frozen, Time, write_time
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase

_OBJECT_MOST: Final = 200  # characters


class AuditEntry(Frozen):
    """One line."""

    number: int
    at: Time
    account: str | None
    label: str | None
    route: str
    object: str
    refused: bool


class AuditLog:
    """The audit log of one console."""

    def __init__(self, database: ConsoleDatabase, now: Callable[[], datetime]) -> None:
        self._database = database
        self._now = now

    def write(
        self,
        account: str | None,
        route: str,
        object_: str = "",
        *,
        refused: bool = False,
        within: Connection | None = None,
    ) -> None:
        """Add an entry.

        Args:
            account: who; None where nobody is signed in.
            route: as the access table spells it.
            object_: ids of what it is about.
            refused: whether nothing came of it.
            within: a transaction to be part of; its own when None.
        """
        statement = insert(tables.audit).values(
            at=write_time(self._now()),
            account=account,
            route=route,
            object=object_[:_OBJECT_MOST],
            refused=refused,
        )
        if within is not None:
            within.execute(statement)
            return
        with self._database.writing() as connection:
            connection.execute(statement)

    def entries(self, offset: int, limit: int) -> tuple[list[AuditEntry], int]:
        """A part of the log, newest first, and how many entries there are."""
        statement = (
            select(tables.audit, tables.account.c.label)
            .outerjoin(tables.account, tables.account.c.id == tables.audit.c.account)
            .order_by(tables.audit.c.number.desc())
            .offset(offset)
            .limit(limit)
        )
        with self._database.reading() as connection:
            total = int(connection.scalar(select(func.count()).select_from(tables.audit)) or 0)
            rows = connection.execute(statement).mappings().all()
        return [AuditEntry(**row) for row in rows], total
