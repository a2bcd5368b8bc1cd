"""How often one family is asked about in other ways, whatever the hub calls it.

By the ledger a family is what the hub calls it (``governance/release/tries.py``). A hub that works
with a manager has a new name for each request, leaves somebody out of the list of members instead
of out of the request, names one record of a person today and another tomorrow, or splits a family
in two. So each agent counts by what orders name. Rule: two orders are about the same people where

- they name the same record, of whatever party, whether it is asked for or left out; or
- they name records of this party's own of one person or one home, as its vault knows them;

and of the same people no more than ``CHOICES_MOST`` different choices are answered within a day. A
choice is which records are asked for and which are left out, put together into which people, each
an adult or not: names of families and people, and their order, are no part of it.

It is asked before anybody's permission is looked at. An order that asks for no record held here is
not looked at any further: whoever holds nothing of a family is not asked how it has decided. A
choice counts from when it is first asked here, by this machine's clock, once its request is in the
mirror; one too many does not count. What own rows alone can say is told as everything of that kind
is; rows of protected people and homes tell nothing here, since the order is refused because of them
in any case.
"""

import hmac
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select

from governance.canonical import canonical_bytes, hash_of, parse_time, write_time
from governance.release.errors import MembersChanged, NothingToRelease, TooManyChoices
from governance.release.models import Member, Order, RecordRef, Request
from governance.release.tries import WITHIN, is_among_few
from partner_agent.protection.keys import home_keys, person_keys
from partner_agent.protection.register import Guard
from partner_agent.releases.errors import AskedOtherwise, NotHeld
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import choices
from partner_agent.vault.store import Vault, VaultError

KEPT: Final = 2 * WITHIN
"""How long a choice is kept: a clock that was set back by less forgets none that counts."""
_KEY_BYTES: Final = 16
_BATCH: Final = 5_000  # values in one statement; SQLite takes 32,766


class Choices:
    """Choices that were answered here of late."""

    def __init__(self, database: AgentDatabase, vault: Vault, party: str) -> None:
        self._database = database
        self._vault = vault
        self._party = party

    def require_few(self, order: Order, request: Request, guard: Guard, now: datetime) -> None:
        """Check an order, and count it; one that was counted before passes again.

        Args:
            order: what the hub asks.
            request: the order's.
            guard: the register of protected people and homes.
            now: aware time.

        Raises:
            MembersChanged: the members are not those of the request.
            NothingToRelease: none of this party's records is asked for.
            NotHeld: none of them is held, or a row cannot be read.
            TooManyChoices, AskedOtherwise: it would be one choice more than are answered.
        """
        if order.members.digest != request.members:
            raise MembersChanged("the family's members are not those that were requested")
        named = [record for member in order.members.members for record in member.records]
        self._require_held(order, request)
        by_name = {self._record_key(record) for record in named}
        by_rows = set(self._row_keys(named, guard))
        choice = bytes.fromhex(choice_of(order, request).removeprefix("sha256:"))
        id_ = bytes.fromhex(order.request.payload_hash.removeprefix("sha256:"))
        with self._database.writing() as connection:
            connection.execute(delete(choices).where(choices.c.taken < write_time(now - KEPT)))
            known = select(choices.c.request).where(choices.c.request == id_).limit(1)
            if connection.scalar(known) is not None:
                return
            if not is_among_few(now, choice, _taken(connection, by_name)):
                raise TooManyChoices("these records were asked about in other ways today")
            if not is_among_few(now, choice, _taken(connection, by_name | by_rows)):
                raise AskedOtherwise("these people were asked about in other ways today")
            of_it = {"request": id_, "choice": choice, "taken": write_time(now)}
            rows = [{"key": key, **of_it} for key in by_name | by_rows]
            connection.execute(insert(choices), rows)

    def forget(self, now: datetime) -> None:
        """Destroy what counts no more."""
        old = choices.c.taken < write_time(now - KEPT)
        with self._database.reading() as connection:
            if connection.execute(select(choices.c.key).where(old).limit(1)).first() is None:
                return
        with self._database.writing() as connection:
            connection.execute(delete(choices).where(old))
        self._database.truncate_wal()

    def _require_held(self, order: Order, request: Request) -> None:
        asked = {
            bytes.fromhex(record.handle)
            for member in order.members.members
            if member.person not in request.without
            for record in member.records
            if record.party == self._party
        }
        if not asked:
            raise NothingToRelease("the order asks for no record of this party")
        if not self._vault.has(asked):
            raise NotHeld("no record that the order asks for is held here")

    def _record_key(self, record: RecordRef) -> bytes:
        message = b"hearthlink/choices/v1\0" + canonical_bytes(record)
        return hmac.digest(self._vault.hash_key, message, "sha256")[:_KEY_BYTES]

    def _row_keys(self, named: Collection[RecordRef], guard: Guard) -> Iterator[bytes]:
        """What own rows are known by: person and home. Rows of the protected tell nothing."""
        own = [bytes.fromhex(each.handle) for each in named if each.party == self._party]
        try:
            rows = self._vault.get_many(own)
        except VaultError:
            raise NotHeld("a record that the order names cannot be read here") from None
        key = self._vault.hash_key
        for row in rows.values():
            if not guard.stored(row):
                for _, hash_ in (*person_keys(key, row.clean), *home_keys(key, row.clean)):
                    yield hash_[:_KEY_BYTES]


def choice_of(order: Order, request: Request) -> str:
    """A hash of who is asked for and who is left out, whatever anybody is called."""
    kept: list[list[object]] = []
    out: list[list[object]] = []
    for member in order.members.members:
        (out if member.person in request.without else kept).append(_nameless(member))
    return hash_of([sorted(kept, key=repr), sorted(out, key=repr)])


def _nameless(member: Member) -> list[object]:
    records = sorted([each.party, each.source, each.handle] for each in member.records)
    return [member.adult, records]


def _taken(connection: Connection, keys: Collection[bytes]) -> set[tuple[datetime, bytes]]:
    wanted, found = list(keys), set[tuple[str, bytes]]()
    for start in range(0, len(wanted), _BATCH):
        statement = (
            select(choices.c.taken, choices.c.choice)
            .where(choices.c.key.in_(wanted[start : start + _BATCH]))
            .distinct()
        )
        found.update((row.taken, row.choice) for row in connection.execute(statement))
    return {(parse_time(taken), choice) for taken, choice in found}
