"""A request held to every rule that agents will apply and that the ledger alone can show.

Rules: each is judged by the function that agents use, at the time of the reader; the request is
read from the copy and counts once its leaf is the one that was replayed, and it is verified again,
since keys may have been revoked since; what is not known (members, who would decide) is not judged,
and then nobody says that every rule holds. What a partner alone knows (its limits, its own records,
protected people, withdrawals that are on their way) no ledger shows.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum

from governance.agreements.errors import PartyNotListed
from governance.agreements.models import Action
from governance.agreements.policy import permits
from governance.canonical import Frozen, parse_time
from governance.consent.models import ConsentKind, ConsentState
from governance.consent.registry import Erased
from governance.consent.rules import Approach, counts, require_family_permission
from governance.errors import GovernanceError
from governance.evidence.words import words
from governance.identity.envelope import Envelope
from governance.identity.models import PersonKeys
from governance.ledger.errors import AlteredEntryError
from governance.ledger.mirror import Mirror
from governance.ledger.payloads import Requested, read_payload
from governance.oversight.state import Overseen, read_entry
from governance.release.errors import RequestExpired
from governance.release.models import Member, Members, RecordRef
from governance.release.registry import (
    RequestRecord,
    read_request,
    require_partners_lead,
    require_second,
)
from governance.release.verify import require_accepted_keys, require_accepted_kind


class RuleName(StrEnum):
    """Rules that a request is held to before it is decided."""

    SIGNED = "signed"  # a service manager signed it, whose keys still hold
    ALIVE = "alive"  # it has begun and has not expired
    AGREED = "agreed"  # the agreement is in force and permits purpose, recipient and items
    KIND = "kind"  # it and the decision are signed with what the agreement accepts
    CONSENT = "consent"  # every permission that the family rule asks for is live
    SECOND = "second"  # who decides is a lead of a partner, and not who asks


class Rule(Frozen):
    """A rule, and why it does not hold; an empty reason says that it holds."""

    rule: RuleName
    reason: str
    meaning: str


class RecordConsent(Frozen):
    """Where one partner's record of a member stands; ``state`` is None where nobody was asked.

    Attributes:
        covers: whether it permits this very approach.
        expires: when a permission ends.
        erased: whether the partner has erased what was decided.
    """

    party: str
    source: str
    state: ConsentState | None
    covers: bool
    capacity: str | None
    expires: str | None
    erased: bool


class MemberConsents(Frozen):
    """A member under a pseudonym, and where each partner's record of them stands."""

    person: str
    adult: bool
    left_out: bool
    records: tuple[RecordConsent, ...]


class Judge:
    """Judges one request as agents would.

    Args:
        state: the replay.
        mirror: the copy that it is of.
        request: the request's hash.
        record: what the replay has of it.
        approach: what permission it needs, and when.
        members: the family, where it is known.
        lead: who would decide, where that is known.

    Attributes:
        entry: the request's place in the ledger.

    Raises:
        AlteredEntryError: the copy does not hold the request that was replayed.
    """

    def __init__(
        self,
        state: Overseen,
        mirror: Mirror,
        request: str,
        record: RequestRecord,
        approach: Approach,
        members: Members | None,
        lead: PersonKeys | None,
    ) -> None:
        self._state = state
        self._record = record
        self._approach = approach
        self._members = members
        self._lead = lead
        self.entry, self._envelope = _logged(state, mirror, request)

    def rules(self) -> Iterator[Rule]:
        """Each rule that can be judged from what is known."""
        yield _checked(RuleName.SIGNED, self._signed)
        yield _checked(RuleName.ALIVE, self._alive)
        yield _checked(RuleName.AGREED, self._agreed)
        yield _checked(RuleName.KIND, self._kind)
        if self._members is not None:
            yield _checked(RuleName.CONSENT, self._consented)
        if self._lead is not None:
            yield _checked(RuleName.SECOND, self._second)

    def members(self) -> tuple[MemberConsents, ...] | None:
        """Every member, and where each record stands; None where they are not known."""
        if self._members is None:
            return None
        return tuple(
            MemberConsents(
                person=member.person,
                adult=member.adult,
                left_out=member.person in self._record.request.without,
                records=tuple(self._consent(member, ref) for ref in member.records),
            )
            for member in self._members.members
        )

    def _consent(self, member: Member, ref: RecordRef) -> RecordConsent:
        newest = self._state.consents.current(ref.party, ref.handle, ConsentKind.APPROACH)
        if newest is None or isinstance(newest, Erased):
            return RecordConsent(
                party=ref.party, source=ref.source, covers=False, capacity=None, expires=None,
                state=None, erased=newest is not None,
            )  # fmt: skip
        return RecordConsent(
            party=ref.party,
            source=ref.source,
            state=newest.state(self._approach.now),
            covers=counts(member, newest, self._approach),
            capacity=newest.terms.capacity.value,
            expires=newest.expires,
            erased=False,
        )

    def _signed(self) -> None:
        read_request(self._envelope, self._state.identities)

    def _alive(self) -> None:
        asked, now = self._record.request, self._approach.now
        if not parse_time(asked.created) <= now < parse_time(asked.expires):
            raise RequestExpired("outside its time")

    def _agreed(self) -> None:
        """For every party that would release; for a first partner where those are not known."""
        asked, agreement = self._record.request, self._approach.agreement
        known = self._members
        for party in sorted(known.holders) if known else [agreement.partners[0].party]:
            permits(
                self._state.agreements.standing(asked.agreement),
                party=party,
                action=Action.RELEASE,
                purpose=asked.purpose,
                now=self._approach.now,
                items=asked.items,
                recipient=self._approach.recipient,
            )
            if agreement.partner(party) is None:
                raise PartyNotListed("who holds a record of the family is no partner")

    def _kind(self) -> None:
        require_accepted_kind(self._approach.agreement, self._envelope)
        if self._lead is not None:
            require_accepted_keys(self._approach.agreement, self._lead)

    def _consented(self) -> None:
        assert self._members is not None  # noqa: S101 - see ``rules``
        require_family_permission(
            self._members, self._record.request.without, self._state.consents, self._approach
        )

    def _second(self) -> None:
        assert self._lead is not None  # noqa: S101 - see ``rules``
        lead = self._state.identities.person(self._lead.thumbprint)
        require_second(lead, self._record.requester)
        require_partners_lead(lead, self._approach.agreement)


def _logged(state: Overseen, mirror: Mirror, request: str) -> tuple[int, Envelope]:
    """Where the ledger holds a request, and its exact bytes."""
    for index in state.chronicle.requests[request].entries:
        payload = read_payload(read_entry(state, mirror, index))
        if isinstance(payload, Requested) and payload.request.payload_hash == request:
            return index, payload.request
    raise AlteredEntryError("the copy does not hold the request that was replayed")


def _checked(rule: RuleName, holds: Callable[[], object]) -> Rule:
    try:
        holds()
    except GovernanceError as refusal:
        return Rule(rule=rule, reason=refusal.reason, meaning=words(refusal.reason))
    return Rule(rule=rule, reason="", meaning="")
