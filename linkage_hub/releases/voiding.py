"""Requests for families whose members' records are left out.

Rules: a request that waits for a decision or an answer is refused, in the ledger first, as when a
family's members change; sealed items that are still here are destroyed; no request's document
names the record any more, and one that names nobody else is destroyed.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import delete, select, update

from governance.canonical import canonical_bytes
from governance.identity.envelope import parse_canonical
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import ReleaseRefused
from governance.release.errors import MembersChanged
from governance.release.models import Member, Members
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import answers, requests
from linkage_hub.submissions.service import log_once

_OPEN: Final = ("waiting_for_approval", "approved")


def void_requests(
    database: HubDatabase, ledger: PartyLedger, hub: str, party: str, handles: Collection[str]
) -> None:
    """Void requests that name a party's records; may be repeated.

    Args:
        database: the hub's.
        ledger: the hub's pen.
        hub: the hub's own name.
        party: whose records they are.
        handles: of the records.

    Raises:
        LedgerError: a refusal is not in the ledger; the same call again goes on.
    """
    for row in _naming(database, party, handles):
        if row.state in _OPEN:
            payload = ReleaseRefused(request=row.id, party=hub, reason=MembersChanged.reason)
            log_once(ledger, EventType.RELEASE_REFUSED, payload, f"refused:{row.id}")
        _void(database, row, _without(parse_canonical(row.document, Members), party, handles))


def _naming(database: HubDatabase, party: str, handles: Collection[str]) -> list[Any]:
    with database.reading() as connection:
        rows = connection.execute(select(requests)).all()
    return [
        row
        for row in rows
        if any(
            record.party == party and record.handle in handles
            for member in parse_canonical(row.document, Members).members
            for record in member.records
        )
    ]


def _without(document: Members, party: str, handles: Collection[str]) -> Members | None:
    """The document without the records; None where nobody remains."""
    members = []
    for member in document.members:
        records = tuple(
            record
            for record in member.records
            if record.party != party or record.handle not in handles
        )
        if records:
            members.append(Member(person=member.person, adult=member.adult, records=records))
    if not members:
        return None
    return Members(family=document.family, agreement=document.agreement, members=tuple(members))


def _void(database: HubDatabase, row: Any, document: Members | None) -> None:
    here = requests.c.id == row.id
    with database.writing() as connection:
        if document is None:
            connection.execute(delete(answers).where(answers.c.request == row.id))
            connection.execute(delete(requests).where(here))
            return
        destroyed = connection.execute(
            update(answers)
            .where(answers.c.request == row.id, answers.c.sealed.is_not(None))
            .values(sealed=None, reason=MembersChanged.reason)
        ).rowcount
        ended = destroyed or row.state in _OPEN
        connection.execute(
            update(requests)
            .where(here)
            .values(
                document=canonical_bytes(document),
                state="refused" if ended else row.state,
                reason=MembersChanged.reason if ended else row.reason,
            )
        )
