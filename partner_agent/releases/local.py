"""Rules that need the partner's own records, and the items that leave.

Rules, in order: every record of this partner that the order names is in its vault; none belongs to
a protected person or home; nobody whom the order takes for a child is an adult by the partner's own
date of birth. Of members that the request leaves out only the second rule is asked: the others'
address is where they live too, and who leaves one out after another would learn whom it is about.
Withdrawals accepted here are
looked at last, in the transaction that stores the answer.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from governance.canonical import parse_time
from governance.consent.models import ConsentKind
from governance.consent.registry import ConsentRegistry
from governance.release.models import Member, Order, ReleasedRecord
from governance.release.verify import VerifiedOrder
from partner_agent.protection.register import Guard
from partner_agent.releases.errors import AgeMismatch, NotHeld, ProtectedPerson, WithdrawnHere
from partner_agent.releases.milestones import ADULT_YEARS, is_of
from partner_agent.vault.store import StoredRow, Vault, VaultError


def released_records(
    verified: VerifiedOrder, party: str, rows: Mapping[str, StoredRow]
) -> list[ReleasedRecord]:
    """The named items of the releasable records.

    Args:
        verified: what may be released.
        party: this partner.
        rows: see ``own_rows``.
    """
    persons = {
        record.handle: member.person
        for member in verified.order.members.members
        for record in member.records
        if record.party == party
    }
    return [
        ReleasedRecord(
            person=persons[record.handle],
            source=record.source,
            items=_items(rows[record.handle], verified.request.items),
        )
        for record in verified.records
    ]


def own_rows(
    order: Order,
    without: Collection[str],
    party: str,
    vault: Vault,
    guard: Guard,
    today: date,
) -> dict[str, StoredRow]:
    """This partner's rows of an order's members, by handle, once the local rules hold for them.

    Raises:
        LocalRefusal: by the first rule that fails.
    """
    rows: dict[str, StoredRow] = {}
    for member in order.members.members:
        if member.person in without:
            _require_unprotected(member, party, vault, guard)
        else:
            rows |= _member_rows(member, party, vault, guard, today)
    return rows


def own_grants(
    order: Order, without: Collection[str], party: str, consents: ConsentRegistry
) -> frozenset[str]:
    """Ids of this partner's newest decisions about the members, whether or not they permit.

    A withdrawal of any of them, once the ledger has it, would block the family; so it does here.
    """
    found = (
        consents.current(party, record.handle, ConsentKind.APPROACH)
        for member in order.members.members
        if member.person not in without
        for record in member.records
        if record.party == party
    )
    return frozenset(grant.id for grant in found if grant is not None)


def require_newest_word(
    order: Order,
    without: Collection[str],
    party: str,
    consents: ConsentRegistry,
    accepted: Mapping[str, datetime],
) -> None:
    """Check that no consent which the ledger shows late outweighs a withdrawal accepted here.

    A ledger may hold an event back that this partner wrote and took for lost, and show it after
    the person has withdrawn what they knew of: it would be the newest entry, not the newest word.

    Args:
        order: what the hub asks.
        without: members that are left out.
        party: this partner.
        consents: by replay.
        accepted: when each withdrawal was accepted here, by consent.

    Raises:
        WithdrawnHere: one would.
    """
    kind = ConsentKind.APPROACH
    for member in order.members.members:
        for record in () if member.person in without else member.records:
            current = consents.current(party, record.handle, kind)
            if record.party != party or current is None:
                continue
            words = [
                accepted[grant.id]
                for grant in consents.about(party, record.handle, kind)
                if grant.id in accepted
            ]
            if words and max(words) > parse_time(current.recorded):
                raise WithdrawnHere("a member of the family has withdrawn since that consent")


def _member_rows(
    member: Member, party: str, vault: Vault, guard: Guard, today: date
) -> dict[str, StoredRow]:
    found = {}
    for record in member.records:
        if record.party != party:
            continue
        try:
            row = vault.get(bytes.fromhex(record.handle))
        except VaultError:
            raise NotHeld("a record that the order names is not held here") from None
        if row.source_id != record.source:
            raise NotHeld("a record that the order names is of another source")
        _require_open(row, guard)
        if not member.adult and is_of(row.clean.get("date_of_birth", ""), ADULT_YEARS, today):
            raise AgeMismatch("the order takes an adult for a child")
        found[record.handle] = row
    return found


def _require_unprotected(member: Member, party: str, vault: Vault, guard: Guard) -> None:
    """What is not kept any more is passed over; what is kept and cannot be read is not."""
    handles = [bytes.fromhex(each.handle) for each in member.records if each.party == party]
    try:
        rows = vault.get_many(handles)
    except VaultError:
        raise NotHeld("a record of somebody left out cannot be read here") from None
    for row in rows.values():
        _require_open(row, guard)


def _require_open(row: StoredRow, guard: Guard) -> None:
    if guard.stored(row):
        raise ProtectedPerson("the family has a protected person or address")


def _items(row: StoredRow, items: Collection[str]) -> dict[str, str]:
    """The extract's own words where it has them, else the cleaned ones."""
    found = {}
    for item in items:
        text = row.source.get(item) or row.clean.get(item, "")
        if item in {"first_name", "surname"} and item not in row.source:
            text = text.title()
        if text:
            found[item] = text
    return found
