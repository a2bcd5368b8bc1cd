"""What the ledger says, by replay.

Rules of admission, in order: the event's id is new; the payload has its type's form; the author is
a known party and signed the leaf for this ledger; the type's own rule admits it. Replay applies
admissible events and remembers the others with their reasons: a ledger that accepted one is
misbehaving, and nothing may rest on it. A consent record whose payload is missing keeps its place
(``consent/registry.py`` says what that means); a withdrawal takes effect without its payload.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from governance.agreements.registry import AgreementRegistry
from governance.canonical import unb64
from governance.consent.registry import ConsentRegistry
from governance.errors import GovernanceError, SignatureError
from governance.exchange.registry import RulingRegistry, SubmissionRegistry
from governance.identity.envelope import KeyLookup
from governance.identity.models import read_party_keys
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import Event, EventType, verify_author
from governance.ledger.payloads import (
    Genesis,
    LinkRunFinished,
    Refused,
    RetentionPurged,
)
from governance.privacy.registry import PrivacyRegistry
from governance.quality.registry import SentinelRegistry
from governance.refinement.registry import RefinementRegistry
from governance.register.registry import DataItemRegister
from governance.release.registry import ReleaseRegistry
from governance.rights.registry import RightsRegistry


@dataclass(frozen=True)
class Rejected:
    """An event in the log that may not count."""

    index: int
    reason: str


class LedgerState:
    """The registries that replay builds, and the rule of admission.

    Args:
        origin: the pinned log's name, which the genesis has to bear; any when None.
    """

    def __init__(self, origin: str | None = None) -> None:
        self._expected = origin
        self.size = 0
        self.rejected: list[Rejected] = []
        self.identities = IdentityRegistry()
        self.agreements = AgreementRegistry(self.identities)
        self.consents = ConsentRegistry(self.identities, self.agreements)
        self.releases = ReleaseRegistry(self.identities, self.agreements)
        self.submissions = SubmissionRegistry(self.identities, self.agreements)
        self.refinement = RefinementRegistry(self.identities, self.agreements)
        self.sentinels = SentinelRegistry(self.identities, self.agreements)
        self.rulings = RulingRegistry(self.identities, self.agreements)
        self.rights = RightsRegistry(self.identities, self.agreements)
        self.register = DataItemRegister(self.identities)
        self.privacy = PrivacyRegistry(self.identities, self.agreements, self.submissions)
        self._seen: set[str] = set()
        self._handlers = self._rules()

    def __getstate__(self) -> dict[str, Any]:
        """Everything that replay built; the rules are code and not part of it."""
        return {name: value for name, value in vars(self).items() if name != "_handlers"}

    def __setstate__(self, built: dict[str, Any]) -> None:
        vars(self).update(built)
        self._handlers = self._rules()

    def _rules(self) -> dict[EventType, Handler]:
        return {
            **self.identities.handlers,
            **self.agreements.handlers,
            **self.consents.handlers,
            **self.releases.handlers,
            **self.submissions.handlers,
            **self.refinement.handlers,
            **self.sentinels.handlers,
            **self.rulings.handlers,
            **self.rights.handlers,
            **self.register.handlers,
            **self.privacy.handlers,
            EventType.LINK_RUN_FINISHED: self._run,
            EventType.REFUSED: self._refused,
            EventType.RETENTION_PURGED: self._purged,
        }

    def check(self, event: Event) -> None:
        """Whether the event may be appended next; nothing changes.

        Raises:
            GovernanceError: it may not, with the reason.
        """
        self._admit(Entry(self.size, event))

    def apply(self, event: Event) -> None:
        """Replay the next event."""
        entry = Entry(self.size, event)
        self.size += 1
        try:
            commit = self._admit(entry)
        except GovernanceError as error:
            self.rejected.append(Rejected(entry.index, error.reason))
            return
        self._seen.add(event.leaf.id)
        self.privacy.passed(event.leaf.time)
        commit()

    def replay(self, events: Iterable[Event]) -> "LedgerState":
        """Replay further events in order; returns itself."""
        for event in events:
            self.apply(event)
        return self

    def _admit(self, entry: Entry) -> Commit:
        leaf = entry.event.leaf
        if leaf.id in self._seen:
            raise NotAdmissible("an event id is used once")
        if entry.index == 0 and entry.kind is not EventType.GENESIS:
            raise NotAdmissible("a ledger begins with its genesis")
        verify_author(leaf, self._origin(entry), self._author_key(entry))
        return self._handlers[entry.kind](entry)

    def _origin(self, entry: Entry) -> str:
        if entry.index > 0:
            return self.identities.origin
        origin = payload_of(entry, Genesis).origin
        if self._expected not in (None, origin):
            raise NotAdmissible("the genesis is of a ledger with another name")
        return origin

    def _author_key(self, entry: Entry) -> KeyLookup:
        def lookup(thumbprint: str) -> bytes:
            if entry.index == 0:
                first = read_party_keys(payload_of(entry, Genesis).parties[0])
                if first.thumbprint != thumbprint:
                    raise SignatureError("the first event is written by the ledger's operator")
                return unb64(first.signing)
            return self.identities.party_key(thumbprint)[1]

        return lookup

    def _purged(self, entry: Entry) -> Commit:
        """A party speaks for itself, and of what one in its place can have held."""
        payload = payload_of(entry, RetentionPurged)
        party, _ = self.identities.party_key(entry.author)
        agreement = self.agreements.standing(payload.agreement).agreement
        hub = party in self.submissions.hubs_under(agreement)
        if payload.party != party or not (hub or agreement.party(party)):
            raise NotAdmissible("a party or hub of the agreement says what it has destroyed itself")
        of_hubs = payload.runs or payload.rulings or payload.reports or payload.tables
        if payload.synthetic_rows if hub else of_hubs:
            raise NotAdmissible(
                "runs, rulings, reports, tables are a hub's, synthetic rows are a partner's"
            )
        return lambda: None

    def _run(self, entry: Entry) -> Commit:
        payload = payload_of(entry, LinkRunFinished)
        party, _ = self.identities.party_key(entry.author)
        agreement = self.agreements.standing(payload.agreement).agreement
        if party not in self.submissions.hubs_under(agreement):
            raise NotAdmissible("a run is told by a hub that has accepted something to link")
        return lambda: None

    def _refused(self, entry: Entry) -> Commit:
        payload = payload_of(entry, Refused)
        if self.identities.party_key(entry.author)[0] != payload.party:
            raise NotAdmissible("a party says itself what it has refused")
        return lambda: None
