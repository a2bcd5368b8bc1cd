"""The audit log: who opened or changed what, and when.

Rules: a read is written as a change is, before it is answered, so what cannot be logged is not
shown; an entry has account, route, object and time, and whether it was refused, never what was on
the page; entries are added and never changed.

Each entry holds the hash of itself and of the entry before (its *chain*), so none can be changed,
put in or taken out without breaking what follows. Whoever has the database could make all of it
anew: what that cannot be squared with is a *head* (number and chain of the last entry) that
somebody noted before. Heads are on the page of the log, and the console logs one on each day.
"""

import logging
import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, Self

from sqlalchemy import Connection, func, insert, select, update

from governance.canonical import Frozen, Time, hash_of, write_time
from governance.console.errors import AuditBroken
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase

_LOG = logging.getLogger(__name__)
_OBJECT_MOST: Final = 200  # characters
_HASHED: Final = ("number", "at", "account", "route", "object", "refused")
_NONE: Final = "sha256:" + "0" * 64  # before the first entry
_HEAD: Final = re.compile(r"([0-9]{1,18}):(sha256:[0-9a-f]{64})")
_AT_ONCE: Final = 5_000


class AuditEntry(Frozen):
    """One line."""

    number: int
    at: Time
    account: str | None
    label: str | None
    route: str
    object: str
    refused: bool


class AuditHead(NamedTuple):
    """Where the log ends: ``NUMBER:sha256:HEX``.

    Attributes:
        number: of the last entry; 0 where there is none.
        chain: of that entry.
    """

    number: int
    chain: str

    def __str__(self) -> str:
        return f"{self.number}:{self.chain}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """What ``str`` gives.

        Raises:
            ValueError: it is no head.
        """
        found = _HEAD.fullmatch(text)
        if found is None:
            raise ValueError("expected NUMBER:sha256: and 64 hexadecimal digits")
        return cls(int(found[1]), found[2])


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
        entry = {
            "at": write_time(self._now()),
            "account": account,
            "route": route,
            "object": object_[:_OBJECT_MOST],
            "refused": refused,
        }
        if within is not None:
            _add(within, entry)
            return
        with self._database.writing() as connection:
            _add(connection, entry)

    def entries(self, offset: int, limit: int) -> tuple[list[AuditEntry], int]:
        """A part of the log, newest first, and how many entries there are."""
        shown = [tables.audit.c[name] for name in _HASHED]
        statement = (
            select(*shown, tables.account.c.label)
            .outerjoin(tables.account, tables.account.c.id == tables.audit.c.account)
            .order_by(tables.audit.c.number.desc())
            .offset(offset)
            .limit(limit)
        )
        with self._database.reading() as connection:
            total = int(connection.scalar(select(func.count()).select_from(tables.audit)) or 0)
            rows = connection.execute(statement).mappings().all()
        return [AuditEntry(**row) for row in rows], total

    def head(self) -> AuditHead:
        """Where the log ends, as the database says."""
        with self._database.reading() as connection:
            row = connection.execute(select(tables.audit_head)).one()
        return AuditHead(row.number, row.chain)

    def verify(
        self, noted: Collection[AuditHead] = (), since: AuditHead | None = None
    ) -> AuditHead:
        """Follow the whole chain; where it ends.

        Args:
            noted: heads that somebody noted before.
            since: the head up to which the organisation has deleted its log; None: nothing of it.

        Raises:
            AuditBroken: at the first entry that is not as it was written, or follows one that is
                gone; entries at the end are gone; or the log is not the one whose head was noted.
        """
        awaited = {each.number: each.chain for each in noted}
        if len(awaited) < len(set(noted)):
            raise _broken("two heads of one number were noted, of which one at most is right")
        found = since or AuditHead(0, _NONE)
        if awaited.pop(found.number, found.chain) != found.chain:
            raise _broken(f"two heads of number {found.number} were given")
        with self._database.reading() as connection:
            row = connection.execute(select(tables.audit_head)).one()
            entries = select(tables.audit).order_by(tables.audit.c.number)
            entries = entries.where(tables.audit.c.number > found.number)
            for part in connection.execute(entries).yield_per(_AT_ONCE).mappings().partitions():
                for entry in part:
                    found = _next(found, entry)
                    if awaited.pop(found.number, found.chain) != found.chain:
                        raise _broken(f"entry {found.number} is not the one whose head was noted")
        if found != AuditHead(row.number, row.chain):
            raise _broken(f"entries after number {found.number} are gone, or the head was changed")
        if awaited:
            raise _broken(f"entry {min(awaited)}, whose head was noted, is gone")
        return found


def _add(connection: Connection, entry: dict[str, Any]) -> None:
    """Add an entry at the end; on PostgreSQL the head's row holds others off until then."""
    head = connection.execute(select(tables.audit_head).with_for_update()).one()
    if head.at and head.at[:10] != entry["at"][:10]:
        _LOG.info("the audit log's head", extra={"head": f"{head.number}:{head.chain}"})
    number = head.number + 1
    chain = _chain(head.chain, {"number": number, **entry})
    connection.execute(insert(tables.audit).values(number=number, chain=chain, **entry))
    connection.execute(update(tables.audit_head).values(number=number, at=entry["at"], chain=chain))


def _next(before: AuditHead, entry: Mapping[Any, Any]) -> AuditHead:
    if entry["chain"] != _chain(before.chain, entry):
        raise _broken(
            f"entry {entry['number']} is not as it was written, or one between it and "
            f"entry {before.number} is gone"
        )
    return AuditHead(entry["number"], entry["chain"])


def _chain(before: str, entry: Mapping[Any, Any]) -> str:
    return hash_of({"previous": before, **{name: entry[name] for name in _HASHED}})


def _broken(words: str) -> AuditBroken:
    return AuditBroken(
        words, next_step="keep the database as it is, and compare it with a copy from before"
    )
