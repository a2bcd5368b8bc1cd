"""What takes no part any more, as the people concerned have asked.

A row that is blocked is not encoded from any later extract and no family with it is released; it is
known by a keyed hash of its source id, and by the random handles that it had.
"""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select, update

from governance.canonical import write_time
from governance.release.models import Order
from governance.rights.registry import RightsRegistry
from partner_agent.rights.errors import BlockedHere
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import rights_blocks, rights_records, rights_requests


class Blocks:
    """This partner's blocks."""

    def __init__(self, database: AgentDatabase) -> None:
        self._database = database

    def locators(self, source: str) -> frozenset[bytes]:
        """Keyed hashes of a source's record ids that are blocked."""
        statement = select(rights_blocks.c.locator).where(rights_blocks.c.source == source)
        with self._database.reading() as connection:
            return frozenset(connection.scalars(statement))

    def handles(self) -> frozenset[str]:
        """Handles that blocked rows had, 32 hexadecimal digits each."""
        with self._database.reading() as connection:
            return blocked_handles(connection)

    def gone(self, rights: RightsRegistry) -> dict[str, set[str]]:
        """Requests by each handle that a hub has confirmed to hold no more, as the ledger says."""
        found: dict[str, set[str]] = defaultdict(set)
        with self._database.reading() as connection:
            for row in connection.execute(_blocked()):
                logged = rights.requests.get(row.request)
                if row.handle and logged is not None and logged.confirmed:
                    found[row.handle.hex()].add(row.request)
        return found

    def named(self, requests: Collection[str], now: datetime) -> None:
        """Note that the hub has named a record after it had confirmed that it was gone."""
        with self._database.writing() as connection:
            connection.execute(
                update(rights_requests)
                .where(rights_requests.c.id.in_(requests))
                .values(named_after=write_time(now))
            )


def blocked_handles(connection: Connection) -> frozenset[str]:
    """Handles that blocked rows had, within the caller's transaction."""
    return frozenset(row.handle.hex() for row in connection.execute(_blocked()) if row.handle)


def _blocked() -> Select[Any]:
    return select(rights_records.c.request, rights_records.c.handle).join(
        rights_blocks,
        (rights_blocks.c.request == rights_records.c.request)
        & (rights_blocks.c.locator == rights_records.c.locator),
    )


def own_handles(order: Order, without: Collection[str], party: str) -> frozenset[str]:
    """Handles of a party's records that an order is about, but for members that are left out."""
    return frozenset(
        record.handle
        for member in order.members.members
        if member.person not in without
        for record in member.records
        if record.party == party
    )


def require_none_blocked(handles: Collection[str], blocked: Collection[str]) -> None:
    """Check that no record takes no part.

    Raises:
        BlockedHere: one does.
    """
    if set(handles) & set(blocked):
        raise BlockedHere("a member of the family has asked that a record takes no part")
