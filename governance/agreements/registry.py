"""Where each agreement stands, by replay of the ledger.

Rules: any signatory may propose; a signatory signs for itself over the agreement's canonical bytes
with the keys that the agreement names; any signatory suspends, and the same one resumes; an
agreement is superseded once a later version of the same id that names it is signed by all, its own
partners among them: strangers cannot end an agreement, and a processor cannot keep one alive.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from governance.agreements.errors import AgreementUnknown
from governance.agreements.life import life
from governance.agreements.models import AGREEMENT, Agreement
from governance.agreements.policy import Standing
from governance.canonical import canonical_bytes
from governance.identity.envelope import Signature, verify_signature
from governance.identity.registry import Bond, IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType
from governance.ledger.payloads import AgreementProposed, AgreementSigned, AgreementStopped


@dataclass
class _Record:
    agreement: Agreement
    signatures: dict[str, Signature] = field(default_factory=dict)
    suspended_by: set[str] = field(default_factory=set)
    superseded: bool = False
    complete_at: int | None = None

    @property
    def complete(self) -> bool:
        return set(self.signatures) == {party.party for party in self.agreement.parties}


def may_replace(newer: Agreement, older: Agreement) -> bool:
    """Whether one is a later version of the other that leaves out none of its partners."""
    parties = {party.party for party in newer.parties}
    return (
        newer.id == older.id
        and newer.version > older.version
        and {party.party for party in older.partners} <= parties
    )


class AgreementRegistry:
    """Agreements by hash."""

    def __init__(self, identities: IdentityRegistry) -> None:
        self._identities = identities
        self._records: dict[str, _Record] = {}

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What each event type does here."""
        return {
            EventType.AGREEMENT_PROPOSED: self._proposed,
            EventType.AGREEMENT_SIGNED: self._signed,
            EventType.AGREEMENT_SUSPENDED: self._suspended,
            EventType.AGREEMENT_RESUMED: self._resumed,
        }

    def __iter__(self) -> Iterator[str]:
        return iter(self._records)

    def of(self, party: str) -> list[str]:
        """Hashes of the agreements that a party is one of, in force or not."""
        every = self._records.items()
        return [hash_ for hash_, record in every if record.agreement.party(party) is not None]

    def partnered_by(self, party: str) -> list[str]:
        """Hashes of those that a party is a partner of, and not the processor; in force or not."""
        every = self._records.items()
        return [hash_ for hash_, record in every if record.agreement.partner(party) is not None]

    def in_force(self, hashes: Iterable[str], now: datetime) -> list[str]:
        """Those of some agreements that permit something."""
        return [hash_ for hash_ in hashes if life(self.standing(hash_), now).permits]

    def standing(self, agreement: str) -> Standing:
        """Where an agreement stands.

        Raises:
            AgreementUnknown: no such hash in the ledger.
        """
        record = self._records.get(agreement)
        if record is None:
            raise AgreementUnknown(
                "the ledger holds no agreement with this hash",
                next_step="partner-agent agreement import FILE proposes it",
            )
        return Standing(
            record.agreement,
            frozenset(record.signatures),
            frozenset(record.suspended_by),
            record.superseded,
            record.complete_at,
        )

    def _record(self, agreement: str, party: str) -> _Record:
        record = self._records.get(agreement)
        if record is None or record.agreement.party(party) is None:
            raise NotAdmissible("not a signatory of an agreement that the ledger holds")
        return record

    def _proposed(self, entry: Entry) -> Commit:
        agreement = payload_of(entry, AgreementProposed).agreement
        party, _ = self._identities.party_key(entry.author)
        if agreement.party(party) is None:
            raise NotAdmissible("an agreement is proposed by one of its parties")
        if agreement.hash in self._records:
            raise NotAdmissible("the ledger holds this agreement already")
        for listed in agreement.parties:
            if self._identities.party_named(listed.party).thumbprint != listed.keys:
                raise NotAdmissible(f"the keys of {listed.party} are not those that the ledger has")
        return lambda: self._records.update({agreement.hash: _Record(agreement)})

    def _signed(self, entry: Entry) -> Commit:
        payload = payload_of(entry, AgreementSigned)
        party, _ = self._identities.party_key(entry.author)
        record = self._record(payload.agreement, party)
        if payload.signature.key != entry.author or party in record.signatures:
            raise NotAdmissible("a party signs once, with its own key")
        verify_signature(
            AGREEMENT, canonical_bytes(record.agreement), payload.signature, self._identities.key
        )

        def commit() -> None:
            record.signatures[party] = payload.signature
            if record.complete:
                record.complete_at = entry.index
                self._bind(record)
            older = self._records.get(record.agreement.supersedes or "")
            if not record.complete or older is None:
                return
            if may_replace(record.agreement, older.agreement):
                older.superseded = True
                self._identities.bonds.pop(older.agreement.hash, None)

        return commit

    def _bind(self, record: _Record) -> None:
        """Let the registry of people know who has agreed with whom."""
        if not record.superseded:  # it may have been, by a version that was signed before it
            agreement = record.agreement
            self._identities.bonds[agreement.hash] = Bond(
                frozenset(each.party for each in agreement.parties),
                frozenset(each.party for each in agreement.partners),
            )

    def _suspended(self, entry: Entry) -> Commit:
        party, _ = self._identities.party_key(entry.author)
        record = self._record(payload_of(entry, AgreementStopped).agreement, party)
        return lambda: record.suspended_by.add(party)

    def _resumed(self, entry: Entry) -> Commit:
        party, _ = self._identities.party_key(entry.author)
        record = self._record(payload_of(entry, AgreementStopped).agreement, party)
        if party not in record.suspended_by:
            raise NotAdmissible("an agreement is resumed by the party that suspended it")
        return lambda: record.suspended_by.discard(party)
