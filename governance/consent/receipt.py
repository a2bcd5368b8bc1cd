"""Receipts of consent, for the person who decided (ISO/IEC TS 27560:2023, clause 6.4).

Rules: a receipt is made from the ledger and the agreement alone, so that every party can make the
same one again and compare; it holds nothing about the person, not even the record's handle or the
name of the source system, which may say more than the person wants a reader of the page to know
(docs/consent-records.md); its number is the id of the ledger's entry.

Format ``consent-receipt/v1``: fields are never reordered, renamed or removed.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from governance.agreements.models import Agreement
from governance.canonical import Base64, Frozen, Hash, Hex128, Slug, Time, write_time
from governance.consent.models import Capacity, ConsentKind, ConsentState
from governance.consent.registry import Grant
from governance.errors import GovernanceError

SCHEMA: Final = "ISO/IEC TS 27560:2023"
ELSEWHERE: Final = "in the privacy notice that was shown"
AUTHORITY: Final = "Information Commissioner's Office, https://ico.org.uk"


class ReceiptDiffers(GovernanceError):
    """A receipt is not what the ledger says."""

    reason = "consent.receipt_differs"
    exit_code = 65  # EX_DATAERR


class ReceiptItem(Frozen):
    """27560: an element of PII information."""

    pii_type: Slug
    description: str


class ReceiptParty(Frozen):
    """27560: party identification. ``party_address``: ``ELSEWHERE``."""

    party_id: Slug
    party_name: str
    party_address: str
    party_contact: str
    party_role: str


class ReceiptEvent(Frozen):
    """27560: an event; ``event_type`` says how and by whom the person decided."""

    event_time: Time
    validity_duration: Time
    entity_id: Slug
    event_type: str
    event_state: ConsentState


class LedgerReference(Frozen):
    """Where the record is, and a signed tree that it is in (RFC 9162)."""

    origin: str
    entry: Annotated[int, Field(ge=0)]
    leaf_hash: Base64
    size: Annotated[int, Field(ge=1)]
    root: Base64
    checkpoint: str  # C2SP note
    proof: Annotated[tuple[Base64, ...], Field(max_length=64)]


class ReceiptContent(Frozen):
    """27560: what the record says, without the person."""

    record_id: Hex128
    schema_version: Literal["consent-record/v1"]
    pii_principal_id: Hex128  # the record's own id again: the handle stays in the ledger
    agreement: Hash
    privacy_notice: Hash
    language: str
    kind: ConsentKind
    purpose: Slug
    purpose_description: str
    lawful_basis: str
    special_category_condition: str
    pii_information: tuple[ReceiptItem, ...]
    pii_controllers: tuple[Slug, ...]
    recipient_third_parties: tuple[Slug, ...]
    collection_method: str
    storage_locations: str
    retention_days: int
    """Of what is handed over, at the recipient, from the day that it is opened."""
    jurisdiction: str
    withdrawal_method: str
    authority_party: str
    capacity: Capacity
    parties: tuple[ReceiptParty, ...]


class ConsentReceipt(Frozen):
    """What a person is given (``consent-receipt/v1``)."""

    format: Literal["consent-receipt/v1"] = "consent-receipt/v1"
    schema_version: Literal["ISO/IEC TS 27560:2023"] = SCHEMA
    receipt_id: Hex128
    issued: Time
    content: ReceiptContent
    events: Annotated[tuple[ReceiptEvent, ...], Field(min_length=1)]
    ledger: LedgerReference


def receipt_of(
    grant: Grant, agreement: Agreement, ledger: LedgerReference, now: datetime
) -> ConsentReceipt:
    """The receipt of a consent.

    Args:
        grant: the consent, by replay.
        agreement: the one that its record names.
        ledger: where the record is.
        now: the time of issue.
    """
    return ConsentReceipt(
        receipt_id=grant.id,
        issued=write_time(now),
        content=content_of(grant, agreement),
        events=tuple(_events(grant, now)),
        ledger=ledger,
    )


def content_of(grant: Grant, agreement: Agreement) -> ReceiptContent:
    """The part of a receipt that never changes."""
    record = grant.record
    words = {item.id: item.description for item in agreement.items}
    recipients = [party for party in record.recipients if party != record.party]
    return ReceiptContent(
        record_id=grant.id,
        schema_version=record.format,
        pii_principal_id=grant.id,
        agreement=record.agreement,
        privacy_notice=record.notice,
        language=record.notice_language,
        kind=record.kind,
        purpose=record.purpose,
        purpose_description=next(
            purpose.description for purpose in agreement.purposes if purpose.id == record.purpose
        ),
        lawful_basis=record.lawful_basis,
        special_category_condition=record.special_category_condition,
        pii_information=tuple(
            ReceiptItem(pii_type=item, description=words.get(item, item)) for item in record.items
        ),
        pii_controllers=(record.party,),
        recipient_third_parties=tuple(recipients),
        collection_method=record.method,
        storage_locations=ELSEWHERE,
        retention_days=agreement.retention.released_items_days,
        jurisdiction=record.jurisdiction,
        withdrawal_method=record.withdrawal_method,
        authority_party=AUTHORITY,
        capacity=record.capacity,
        parties=tuple(_party(agreement, party) for party in (record.party, *recipients)),
    )


def require_same(receipt: ConsentReceipt, grant: Grant | None, agreement: Agreement | None) -> None:
    """Check a receipt against the ledger as it is replayed here.

    Raises:
        ReceiptDiffers: naming the part that differs, never what it holds.
    """
    if grant is None or agreement is None or grant.id != receipt.receipt_id:
        raise ReceiptDiffers("the ledger holds no consent with this receipt's number")
    if receipt.content != content_of(grant, agreement):
        raise ReceiptDiffers("the receipt's content is not what the ledger holds")
    if receipt.ledger.entry != grant.index:
        raise ReceiptDiffers("the ledger holds this consent under another entry")
    said = tuple(_lasting(grant))
    if said[: len(receipt.events)] != receipt.events and (*said, _expiry(grant)) != receipt.events:
        raise ReceiptDiffers("the receipt names an event that the ledger does not hold")


def _events(grant: Grant, now: datetime) -> Iterable[ReceiptEvent]:
    yield from _lasting(grant)
    if grant.state(now) is ConsentState.EXPIRED:
        yield _expiry(grant)


def _expiry(grant: Grant) -> ReceiptEvent:
    return _event(grant, grant.record.expires, ConsentState.EXPIRED)


def _lasting(grant: Grant) -> Iterable[ReceiptEvent]:
    yield _event(grant, grant.record.captured, grant.record.state)
    for when, state in grant.changes:
        yield _event(grant, when, state)


def _event(grant: Grant, when: str, state: ConsentState) -> ReceiptEvent:
    record = grant.record
    return ReceiptEvent(
        event_time=when,
        validity_duration=record.expires,
        entity_id=record.party,
        event_type=f"{record.kind.value}:{record.method}:{record.capacity.value}",
        event_state=state,
    )


def _party(agreement: Agreement, party: str) -> ReceiptParty:
    found = agreement.party(party)
    return ReceiptParty(
        party_id=party,
        party_name=party if found is None else found.name,
        party_address=ELSEWHERE,
        party_contact=ELSEWHERE if found is None else found.dpo_contact,
        party_role="controller" if found is None else found.role,
    )
