"""What this partner holds of a person, for that person (UK GDPR Article 15).

Rules: the partner's own view and nothing else: its rows, what it sent, consents that it recorded,
items that it sealed; nothing of any other person, so people whom a row mentions are counted and not
shown; nothing of other partners' records, of links or of families, which this partner does not know
(invariant 20); the report says so, and whom else to ask.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance.agreements.models import Agreement
from governance.canonical import Frozen, parse_time
from governance.consent.models import ConsentKind, ConsentState
from governance.consent.registry import Grant
from governance.identity.envelope import parse_canonical
from governance.ledger.state import LedgerState
from governance.release.models import Order, Request
from partner_agent.rights.blocks import own_handles
from partner_agent.vault.store import StoredRow

_MENTION = "mention."
_INDICATOR = "indicator."
_OMITTED = frozenset({"protected", "source_record_id", "row"})


class HeldRow(Frozen):
    """A row in the vault. ``others`` people are named in it and not shown."""

    source: str
    description: str
    record_id: str
    protected: bool
    as_received: dict[str, str]
    as_cleaned: dict[str, str]
    indicators: dict[str, str]
    others: int
    prepared_on: str
    destroyed_by: str


class SentFile(Frozen):
    """A submission with an encoding of the person's record."""

    source: str
    made: str
    accepted: bool
    destroyed_by: str


class HeldConsent(Frozen):
    """A decision that this partner recorded."""

    id: str
    kind: str
    state: str
    captured: str
    expires: str
    purpose: str
    items: tuple[str, ...]
    recipients: tuple[str, ...]
    given_by: str


class Disclosure(Frozen):
    """Items of the person that this partner sealed to somebody."""

    when: str
    to_role: str
    to_party: str
    purpose: str
    items: tuple[str, ...]
    deleted_by: str


class Recipient(Frozen):
    """A party of the agreement: what it may receive, and whom to ask there."""

    name: str
    contact: str
    may_receive_contact_details: bool


class AccessReport(Frozen):
    """The report; days and times as ISO."""

    request: str
    made: str
    controller: str
    contact: str
    legal_gateway: str
    article_6_basis: str
    article_9_condition: str
    agreement: str
    agreement_hash: str
    purposes: tuple[str, ...]
    recipients: tuple[Recipient, ...]
    link_results_days: int
    released_items_days: int
    rows: tuple[HeldRow, ...]
    sent: tuple[SentFile, ...]
    consents: tuple[HeldConsent, ...]
    disclosures: tuple[Disclosure, ...]


@dataclass(frozen=True)
class Held:
    """What the agent found of a person.

    Attributes:
        rows: opened, each with the day on which it was last prepared.
        sent: source, time of the manifest and whether it was accepted, of each file that holds one.
        sealed: orders that were answered with sealed items, and when.
    """

    rows: list[tuple[StoredRow, date]]
    sent: list[tuple[str, str, bool]]
    sealed: list[tuple[Order, str]]


def report_of(
    request: str,
    agreement: Agreement,
    party: str,
    handles: Collection[str],
    held: Held,
    state: LedgerState,
    now: datetime,
) -> AccessReport:
    """The report.

    Args:
        request: its id.
        agreement: under which the records are held.
        party: this partner.
        handles: of the person's records, 32 hexadecimal digits each.
        held: what was found.
        state: of the ledger.
        now: the time.
    """
    own = agreement.party(party)
    if own is None:  # pragma: no cover - a request is opened by a party of its agreement
        raise ValueError("not a party")
    grants = [
        grant
        for grant in state.consents.grants.values()
        if grant.terms.party == party and grant.subject in handles
    ]
    return AccessReport(
        request=request,
        made=now.date().isoformat(),
        controller=own.name,
        contact=own.dpo_contact,
        legal_gateway=own.gateway.legal_gateway,
        article_6_basis=own.gateway.article_6_basis,
        article_9_condition=own.gateway.article_9_condition,
        agreement=agreement.title,
        agreement_hash=agreement.hash,
        purposes=tuple(purpose.description for purpose in agreement.purposes),
        recipients=tuple(
            Recipient(
                name=each.name,
                contact=each.dpo_contact,
                may_receive_contact_details=each.party in agreement.recipients,
            )
            for each in agreement.parties
        ),
        link_results_days=agreement.retention.link_results_days,
        released_items_days=agreement.retention.released_items_days,
        rows=tuple(_row(agreement, row, day) for row, day in held.rows),
        sent=tuple(
            SentFile(
                source=source,
                made=made[:10],
                accepted=accepted,
                destroyed_by=_after(made, agreement.retention.encodings_days),
            )
            for source, made, accepted in held.sent
        ),
        consents=tuple(_consent(agreement, grant, now) for grant in grants),
        disclosures=tuple(
            _disclosure(agreement, order, when, state)
            for order, when in held.sealed
            if _released(order, when, party, grants)
        ),
    )


def _row(agreement: Agreement, row: StoredRow, prepared: date) -> HeldRow:
    source = agreement.source(row.source_id)
    words = {item.id: item.description for item in agreement.indicators}
    named = {
        name.split(".")[1] for name, text in row.clean.items() if name.startswith(_MENTION) and text
    }
    return HeldRow(
        source=row.source_id,
        description="" if source is None else source.description,
        record_id=row.clean.get("source_record_id", ""),
        protected=row.protected,
        as_received=dict(row.source),
        as_cleaned={
            name: text
            for name, text in row.clean.items()
            if not name.startswith((_MENTION, _INDICATOR)) and name not in _OMITTED
        },
        indicators={
            words.get(name.removeprefix(_INDICATOR), name.removeprefix(_INDICATOR)): text
            for name, text in row.clean.items()
            if name.startswith(_INDICATOR)
        },
        others=len(named),
        prepared_on=prepared.isoformat(),
        destroyed_by=(prepared + timedelta(days=agreement.retention.vault_days)).isoformat(),
    )


def _consent(agreement: Agreement, grant: Grant, now: datetime) -> HeldConsent:
    record = grant.record
    purposes = {purpose.id: purpose.description for purpose in agreement.purposes}
    return HeldConsent(
        id=grant.id,
        kind=record.kind.value,
        state=grant.state(now).value,
        captured=record.captured[:10],
        expires=record.expires[:10],
        purpose=purposes.get(record.purpose, record.purpose),
        items=record.items,
        recipients=_names(agreement, record.recipients),
        given_by=record.capacity.value,
    )


def _disclosure(agreement: Agreement, order: Order, when: str, state: LedgerState) -> Disclosure:
    request = _request(order)
    logged = state.releases.requests.get(order.request.payload_hash)
    who = None if logged is None else logged.requester
    purposes = {purpose.id: purpose.description for purpose in agreement.purposes}
    return Disclosure(
        when=when[:10],
        to_role="service manager" if who is None else who.role.value.replace("_", " "),
        to_party="" if who is None else _names(agreement, (who.party,))[0],
        purpose=purposes.get(request.purpose, request.purpose),
        items=request.items,
        deleted_by=_after(when, agreement.retention.released_items_days),
    )


def _released(order: Order, when: str, party: str, grants: list[Grant]) -> bool:
    """Whether an answer held items of the person: a record leaves by its own subject's grant."""
    named = own_handles(order, _request(order).without, party)
    return any(
        grant.subject in named
        and grant.record.kind is ConsentKind.APPROACH
        and grant.record.state is ConsentState.GIVEN
        and grant.record.captured <= when
        for grant in grants
    )


def _request(order: Order) -> Request:
    """What was asked; its signature was verified when the order was answered."""
    return parse_canonical(order.request.payload_bytes, Request)


def _names(agreement: Agreement, parties: Collection[str]) -> tuple[str, ...]:
    names: Mapping[str, str] = {each.party: each.name for each in agreement.parties}
    return tuple(names.get(party, party) for party in parties)


def _after(when: str, days: int) -> str:
    return (parse_time(when) + timedelta(days=days)).date().isoformat()
