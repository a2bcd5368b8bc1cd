"""Who is known, by replay of the ledger.

Rules: the first event names the first parties, the first of which operates the ledger and admits
others; a party's name is taken once, and so is each of its keys, or one witness could count as two;
nobody's keys are a party's, nor another person's, nor keys that were revoked; a first IG lead is
enrolled by the party's own key, and every other person by an IG lead of the same party; where each
lead that a party had is revoked, one is enrolled by IG leads of other parties, so many that each
agreement of the party has one of its partners' among them, in place of the lead who was revoked
last and so never again after another loss (ADR 36); revoked keys verify nothing from then on; keys
that hold a passkey sign documents with it alone; an authenticator that counts its signatures counts
upwards, or somebody may have a copy of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from governance.canonical import unb64
from governance.errors import SignatureError
from governance.identity.envelope import Envelope, open_envelope
from governance.identity.models import (
    PERSON_ENROLMENT,
    PartyKeys,
    PersonEnrolment,
    PersonKeys,
    Role,
    passkey_of,
    read_party_keys,
    read_person_keys,
)
from governance.identity.passkeys import Assertion, CounterNotRisen, Passkey
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType
from governance.ledger.payloads import Genesis, PartyAdmitted, PersonEnrolled, PersonRevoked


@dataclass
class Person:
    """An enrolled person, whether the keys still hold, and how far the passkey has counted.

    Attributes:
        revoked_at: index of the event that revoked the keys, which is final.
        vouched_by: other parties whose IG leads enrolled this one; empty of everybody else.
    """

    keys: PersonKeys
    counter: int = 0
    revoked_at: int | None = None
    vouched_by: tuple[str, ...] = ()

    @property
    def revoked(self) -> bool:
        """Whether the keys hold no more."""
        return self.revoked_at is not None


@dataclass(frozen=True)
class Bond:
    """An agreement, as far as it decides who may enrol whom: names of its parties."""

    parties: frozenset[str]
    partners: frozenset[str]


class IdentityRegistry:
    """Parties and people by the thumbprints of their keys.

    Attributes:
        bonds: by the agreement's hash, from its last signature on, until a later version that those
            partners sign too has taken its place; kept by the registry of agreements. Days and
            suspensions do not matter: an author writes days, and one party alone suspends.
    """

    def __init__(self) -> None:
        self.origin = ""
        self.operator = ""
        self.parties: dict[str, PartyKeys] = {}
        self.people: dict[str, Person] = {}
        self.bonds: dict[str, Bond] = {}

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What each event type does here."""
        return {
            EventType.GENESIS: self._genesis,
            EventType.PARTY_ADMITTED: self._admitted,
            EventType.PERSON_ENROLLED: self._enrolled,
            EventType.PERSON_REVOKED: self._revoked,
        }

    def key(self, thumbprint: str) -> bytes:
        """The Ed25519 public key of a known party or person, for HTTP requests.

        Raises:
            SignatureError: not known, or revoked.
        """
        if thumbprint in self.parties:
            return unb64(self.parties[thumbprint].signing)
        return unb64(self.person(thumbprint).signing)

    def document_key(self, thumbprint: str) -> bytes:
        """The Ed25519 public key that signs documents of a known party or person.

        Raises:
            SignatureError: not known, revoked, or of a person who signs documents with a passkey.
        """
        person = self.people.get(thumbprint)
        if person is not None and person.keys.passkey is not None:
            raise SignatureError(
                "keys that hold a passkey sign with it and not with their key file",
                next_step="sign in the browser, with the passkey",
            )
        return self.key(thumbprint)

    def passkey(self, thumbprint: str) -> Passkey:
        """The passkey of an enrolled person.

        Raises:
            SignatureError: not known, revoked, or without a passkey.
        """
        return passkey_of(self.person(thumbprint))

    def counted(self, envelope: Envelope) -> Commit:
        """Check that the passkeys that signed have counted on since they last signed in the ledger.

        Raises:
            CounterNotRisen: one has not, as a copy of it would; those that never count say 0.
        """
        counters = {
            signature.key: signature.counter
            for signature in envelope.signatures
            if isinstance(signature, Assertion)
        }
        for thumbprint, counter in counters.items():
            last = self.people[thumbprint].counter
            if counter <= last and (counter, last) != (0, 0):
                raise CounterNotRisen(
                    "the passkey's counter has not risen: there may be a copy of it",
                    next_step="sign again; if that is refused too, revoke these keys",
                )

        def commit() -> None:
            for thumbprint, counter in counters.items():
                self.people[thumbprint].counter = counter

        return commit

    def party_key(self, thumbprint: str) -> tuple[str, bytes]:
        """Name and Ed25519 public key of a known party.

        Raises:
            SignatureError: not known.
        """
        found = self.parties.get(thumbprint)
        if found is None:
            raise SignatureError("not the key of a party that the ledger knows")
        return found.party, unb64(found.signing)

    def party_named(self, party: str) -> PartyKeys:
        """The keys of a party.

        Raises:
            SignatureError: not known.
        """
        for keys in self.parties.values():
            if keys.party == party:
                return keys
        raise SignatureError("the ledger knows no party of that name")

    def person(self, thumbprint: str) -> PersonKeys:
        """The keys of an enrolled person.

        Raises:
            SignatureError: not enrolled, or revoked.
        """
        found = self.people.get(thumbprint)
        if found is None or found.revoked:
            raise SignatureError(
                "not the key of a person who is enrolled",
                next_step="an IG lead countersigns the enrolment and a partner agent posts it",
            )
        return found.keys

    def _genesis(self, entry: Entry) -> Commit:
        payload = payload_of(entry, Genesis)
        parties = [read_party_keys(envelope) for envelope in payload.parties]
        names = [keys.party for keys in parties]
        if entry.index != 0 or self.parties or len(set(names)) != len(names):
            raise NotAdmissible("the first event, and only the first, names the first parties")
        if entry.author != parties[0].thumbprint:
            raise NotAdmissible("the first event is written by the ledger's operator")
        _keys_once(parties)

        def commit() -> None:
            self.origin = payload.origin
            self.operator = parties[0].thumbprint
            self.parties = {keys.thumbprint: keys for keys in parties}

        return commit

    def _admitted(self, entry: Entry) -> Commit:
        keys = read_party_keys(payload_of(entry, PartyAdmitted).keys)
        if entry.author != self.operator:
            raise NotAdmissible("the ledger's operator admits parties")
        if keys.party in {known.party for known in self.parties.values()}:
            raise NotAdmissible("a party of that name is known already")
        _keys_once([*self.parties.values(), keys])
        if any(known.keys.public_keys & set(_public(keys)) for known in self.people.values()):
            raise NotAdmissible("a party's keys are its own and no person's")
        return lambda: self.parties.update({keys.thumbprint: keys})

    def _enrolled(self, entry: Entry) -> Commit:
        payload = payload_of(entry, PersonEnrolled)
        keys = read_person_keys(payload.keys)
        enrolment, signers = open_envelope(
            payload.enrolment, PERSON_ENROLMENT, PersonEnrolment, self.document_key, self.passkey
        )
        named = (enrolment.keys, enrolment.role, enrolment.party)
        if named != (keys.thumbprint, keys.role, keys.party):
            raise NotAdmissible("the enrolment is for other keys, another role or party")
        if self.party_key(entry.author)[0] != keys.party:
            raise NotAdmissible("a person is enrolled by the party that employs them")
        self.require_unused(keys)
        lost = self.lost_lead(keys.party) if keys.role is Role.IG_LEAD else None
        if enrolment.in_place_of != (lost and lost.keys.thumbprint):
            raise NotAdmissible(
                "an enrolment is in place of the IG lead whom its party lost last, where every one "
                "is lost, and else of nobody",
                next_step="partner-agent person leads PARTY shows whom; countersign it anew",
            )
        others = self._vouched(signers, keys) if lost else ()
        for signer in () if others else signers:
            self._may_enrol(signer, keys)
        counted = self.counted(payload.enrolment)

        def commit() -> None:
            counted()
            count = _first_count(payload.keys)
            self.people[keys.thumbprint] = Person(keys, count, vouched_by=others)

        return commit

    def require_unused(self, keys: PersonKeys) -> None:
        """Check that these keys are new, and no key in them was ever somebody else's.

        Raises:
            NotAdmissible: enrolled already, revoked, or of a party or another person.
        """
        if keys.thumbprint in self.people:
            raise NotAdmissible("these keys are enrolled already")
        own = keys.public_keys
        if any(own & set(_public(party)) for party in self.parties.values()):
            raise NotAdmissible("a person's keys are not a party's")
        used = [known for known in self.people.values() if own & known.keys.public_keys]
        if any(known.revoked for known in used):
            raise NotAdmissible("these keys were revoked", next_step="make new ones")
        if any(known.keys.person != keys.person for known in used):
            raise NotAdmissible("these keys are another person's", next_step="make new ones")

    def leads(self, party: str) -> list[Person]:
        """Each IG lead that a party has or had."""
        people = list(self.people.values())  # another thread of a console may replay
        return [
            each for each in people if each.keys.party == party and each.keys.role is Role.IG_LEAD
        ]

    def lost_lead(self, party: str) -> Person | None:
        """Of a party whose IG leads are all revoked, the one who was revoked last; else nobody."""
        leads = self.leads(party)
        if not all(each.revoked for each in leads):
            return None
        return max(leads, key=lambda each: each.revoked_at or 0, default=None)

    def bonds_of(self, party: str) -> dict[str, Bond]:
        """By hash, the agreements each of which has a say in who vouches for a party's lead."""
        every = list(self.bonds.items())  # another thread of a console may replay
        return {hash_: bond for hash_, bond in every if party in bond.parties}

    def vouching(self, signers: Iterable[str]) -> frozenset[str]:
        """The parties whose IG leads have signed.

        Raises:
            SignatureError: signed by somebody who is revoked, or by a party's key.
            NotAdmissible: by somebody who is no IG lead.
        """
        leads = [self.person(signer) for signer in signers]
        if any(lead.role is not Role.IG_LEAD for lead in leads):
            raise NotAdmissible("another party's lead is vouched for by IG leads and nobody else")
        return frozenset(lead.party for lead in leads)

    def _vouched(self, signers: Iterable[str], keys: PersonKeys) -> tuple[str, ...]:
        """The other parties whose IG leads enrol a lead of a party that has none left.

        Each agreement of the party needs one of its partners among them: whoever holds the party's
        key can sign an agreement with somebody of their own, and is no nearer to a lead who
        decides under the others.

        Raises:
            SignatureError: signed by somebody who is revoked.
            NotAdmissible: by somebody who is no IG lead, or not by enough of them.
        """
        vouching = self.vouching(signers)
        bonds = self.bonds_of(keys.party).values()
        if not bonds or not all(bond.partners & vouching for bond in bonds):
            raise NotAdmissible(
                "every IG lead of this party is revoked, so that one is countersigned by IG leads "
                "of other parties: for each agreement of this party, of one of its partners",
                next_step="they run: governance person countersign, one upon the other's file, or "
                "sign on the page of their console",
            )
        return tuple(sorted(vouching))

    def _may_enrol(self, signer: str, keys: PersonKeys) -> None:
        if signer in self.parties:
            first = not self.leads(keys.party)
            if self.parties[signer].party == keys.party and keys.role is Role.IG_LEAD and first:
                return
        else:
            lead = self.person(signer)
            if lead.role is Role.IG_LEAD and lead.party == keys.party:
                return
        raise NotAdmissible(
            "an enrolment is countersigned by an IG lead of the same party",
            next_step="the first IG lead of a party is enrolled with the party's own key; where "
            "every one is revoked, IG leads of its partners countersign a new one",
        )

    def _revoked(self, entry: Entry) -> Commit:
        payload = payload_of(entry, PersonRevoked)
        person = self.people.get(payload.keys)
        if person is None or person.keys.party != self.party_key(entry.author)[0]:
            raise NotAdmissible("a person's keys are revoked by the party that employs them")

        def commit() -> None:
            if not person.revoked:
                person.revoked_at = entry.index

        return commit


def _first_count(envelope: Envelope) -> int:
    """How far a passkey had counted when it was enrolled."""
    return max(
        (one.counter for one in envelope.signatures if isinstance(one, Assertion)), default=0
    )


def _public(keys: PartyKeys) -> tuple[str, str, str]:
    return keys.signing, keys.witness, keys.sealing


def _keys_once(parties: list[PartyKeys]) -> None:
    used = [key for keys in parties for key in _public(keys)]
    if len(set(used)) != len(used):
        raise NotAdmissible("every key of every party is its own", next_step="make new keys")
