"""A request that waits for a decision, with everything that deciding it needs.

Rules: what is shown is judged by the functions that agents use, at the time of the reader; the
members are those that the request's digest binds, or nothing is shown; people stand under
pseudonyms, and what one of them decided is shown to the lead alone; a record whose consent was
erased shows as erased.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum

from governance.agreements.models import Action, Agreement
from governance.agreements.policy import permits
from governance.canonical import Frozen, parse_time
from governance.consent.models import ConsentKind, ConsentState
from governance.consent.registry import Erased
from governance.consent.rules import Approach, covers, require_family_permission
from governance.errors import GovernanceError
from governance.evidence.words import words
from governance.identity.models import PersonKeys, Role
from governance.ledger.mirror import Mirror
from governance.ledger.payloads import Requested, read_payload
from governance.oversight.state import Overseen
from governance.release.errors import (
    MembersChanged,
    NotApproved,
    RequestExpired,
    RequestNotLogged,
    SamePerson,
)
from governance.release.models import Member, Members, RecordRef
from governance.release.registry import RequestRecord
from governance.release.verify import require_accepted_kind


class RuleName(StrEnum):
    """Rules that a request is held to before it is decided."""

    ALIVE = "alive"  # it has begun and has not expired
    AGREED = "agreed"  # the agreement is in force and permits purpose, recipient and items
    KIND = "kind"  # it is signed with what the agreement accepts
    CONSENT = "consent"  # every permission that the family rule asks for is live
    SECOND = "second"  # who decides is a lead of a partner, and not who asks


class Waiting(Frozen):
    """A request that nobody has decided."""

    request: str
    agreement: str
    family: str
    party: str
    purpose: str
    items: tuple[str, ...]
    created: str
    expires: str
    expired: bool


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


class Rule(Frozen):
    """A rule, and why it does not hold; an empty reason says that it holds."""

    rule: RuleName
    reason: str
    meaning: str


class Earlier(Frozen):
    """An earlier request about the same family.

    Attributes:
        released: parties that released; ``refused`` those that did not, with their reasons.
    """

    request: str
    time: str
    decision: str
    why: str
    released: tuple[str, ...]
    refused: dict[str, str]
    outcome: str


class Partner(Frozen):
    """A party that holds a record of the family.

    Attributes:
        opt_outs: for each of its sources, how the national data opt-out is upheld.
        refusal: its newest refusal of a request; ``refusal_here`` says whether of this family.
    """

    party: str
    opt_outs: dict[str, str]
    refusal: str
    refusal_meaning: str
    refusal_time: str
    refusal_here: bool


class Dossier(Frozen):
    """Everything that deciding a request needs.

    Attributes:
        asker: the random id of who asks.
        rules: judged now; the partners judge them again, each for itself.
        members: None where they were not given.
    """

    request: str
    entry: int
    family: str
    party: str
    asker: str
    purpose: str
    purpose_words: str
    items: tuple[str, ...]
    created: str
    expires: str
    decision: str
    agreement: str
    agreement_id: str
    version: int
    title: str
    opt_out: str
    dpia: str
    rules: tuple[Rule, ...]
    members: tuple[MemberConsents, ...] | None
    partners: tuple[Partner, ...]
    earlier: tuple[Earlier, ...]

    @property
    def holds(self) -> bool:
        """Whether every rule holds."""
        return not any(rule.reason for rule in self.rules)


def waiting(state: Overseen, now: datetime, party: str | None = None) -> list[Waiting]:
    """Requests that nobody has decided, the one that expires first at the beginning.

    Args:
        state: the replay.
        now: aware time; what has expired by then comes last.
        party: of agreements of this partner only: others' leads cannot decide.
    """
    found = []
    for hash_ in state.chronicle.undecided:
        record = state.releases.requests[hash_]
        agreement = state.agreements.standing(record.request.agreement).agreement
        if party is None or agreement.partner(party):
            found.append(
                Waiting(
                    request=hash_,
                    agreement=record.request.agreement,
                    family=record.request.family,
                    party=record.requester.party,
                    purpose=record.request.purpose,
                    items=record.request.items,
                    created=record.request.created,
                    expires=record.request.expires,
                    expired=now >= parse_time(record.request.expires),
                )
            )
    return sorted(found, key=lambda each: (each.expired, each.expires))


def dossier(
    state: Overseen,
    mirror: Mirror,
    request: str,
    members: Members | None,
    lead: PersonKeys | None,
    now: datetime,
) -> Dossier:
    """Everything that deciding a request needs.

    Args:
        state: the replay.
        mirror: the copy that it is of.
        request: the request's hash.
        members: the family, as the hub gives it; nothing is said of permissions when None.
        lead: who would decide; nothing is said of them when None.
        now: aware time.

    Raises:
        RequestNotLogged: the ledger holds no such request.
        MembersChanged: the members are not those that the request names.
    """
    record = state.releases.requests.get(request)
    if record is None:
        raise RequestNotLogged(
            "the ledger holds no request with this hash",
            next_step="governance oversight requests lists those that wait",
        )
    asked = record.request
    named = (asked.members, asked.family, asked.agreement)
    if members is not None and (members.digest, members.family, members.agreement) != named:
        raise MembersChanged(
            "the members given are not those that the request names",
            next_step="governance release members REQUEST fetches them from the hub",
        )
    agreement = state.agreements.standing(asked.agreement).agreement
    approach = Approach(agreement, asked.purpose, asked.items, record.requester.party, now)
    judge = _Judge(state, mirror, request, record, approach)
    purposes = {purpose.id: purpose.description for purpose in agreement.purposes}
    return Dossier(
        request=request,
        entry=judge.entry,
        family=asked.family,
        party=record.requester.party,
        asker=record.requester.person,
        purpose=asked.purpose,
        purpose_words=purposes.get(asked.purpose, ""),
        items=asked.items,
        created=asked.created,
        expires=asked.expires,
        decision=record.decision.decision if record.decision else "",
        agreement=asked.agreement,
        agreement_id=agreement.id,
        version=agreement.version,
        title=agreement.title,
        opt_out=agreement.opt_out,
        dpia=f"{agreement.dpia.reference}: {agreement.dpia.outcome.replace('_', ' ')}",
        rules=tuple(judge.rules(members, lead)),
        members=None if members is None else tuple(judge.members(members)),
        partners=tuple(_partners(state, agreement, members, asked.family)),
        earlier=tuple(_earlier(state, request, asked.family)),
    )


class _Judge:
    """Judges one request as agents would."""

    def __init__(
        self,
        state: Overseen,
        mirror: Mirror,
        request: str,
        record: RequestRecord,
        approach: Approach,
    ) -> None:
        self._state = state
        self._mirror = mirror
        self._record = record
        self._approach = approach
        self.entry = next(
            index
            for index in state.chronicle.requests[request].entries
            if isinstance(self._payload(index), Requested)
        )

    def rules(self, members: Members | None, lead: PersonKeys | None) -> Iterator[Rule]:
        """Each rule that can be judged from what is known."""
        yield _checked(RuleName.ALIVE, self._alive)
        yield _checked(RuleName.AGREED, self._agreed)
        yield _checked(RuleName.KIND, self._kind)
        if members is not None:
            yield _checked(
                RuleName.CONSENT,
                lambda: require_family_permission(
                    members, self._record.request.without, self._state.consents, self._approach
                ),
            )
        if lead is not None:
            yield _checked(RuleName.SECOND, lambda: self._second(lead))

    def members(self, members: Members) -> Iterator[MemberConsents]:
        """Every member, and where each record stands."""
        for member in members.members:
            yield MemberConsents(
                person=member.person,
                adult=member.adult,
                left_out=member.person in self._record.request.without,
                records=tuple(self._consent(member, ref) for ref in member.records),
            )

    def _consent(self, member: Member, ref: RecordRef) -> RecordConsent:
        newest = self._state.consents.current(ref.party, ref.handle, ConsentKind.APPROACH)
        if newest is None or isinstance(newest, Erased):
            return RecordConsent(
                party=ref.party, source=ref.source, covers=False, capacity=None, expires=None,
                state=None, erased=newest is not None,
            )  # fmt: skip
        own = newest.terms.capacity.value == "self"
        return RecordConsent(
            party=ref.party,
            source=ref.source,
            state=newest.state(self._approach.now),
            covers=covers(newest, self._approach) and (own or not member.adult),
            capacity=newest.terms.capacity.value,
            expires=newest.expires,
            erased=False,
        )

    def _payload(self, index: int) -> object:
        (event,) = self._mirror.entries(index, index + 1)
        return read_payload(event)

    def _alive(self) -> None:
        asked, now = self._record.request, self._approach.now
        if not parse_time(asked.created) <= now < parse_time(asked.expires):
            raise RequestExpired("outside its time")

    def _agreed(self) -> None:
        asked, requester = self._record.request, self._record.requester
        permits(
            self._state.agreements.standing(asked.agreement),
            party=self._approach.agreement.partners[0].party,
            action=Action.RELEASE,
            purpose=asked.purpose,
            now=self._approach.now,
            items=asked.items,
            recipient=requester.party,
        )

    def _kind(self) -> None:
        payload = self._payload(self.entry)
        assert isinstance(payload, Requested)  # noqa: S101 - found as such
        require_accepted_kind(self._approach.agreement, payload.request)

    def _second(self, lead: PersonKeys) -> None:
        requester = self._record.requester
        if lead.person == requester.person or lead.public_keys & requester.public_keys:
            raise SamePerson("asker and decider are two people")
        partner = self._approach.agreement.partner(lead.party)
        if lead.role is not Role.IG_LEAD or partner is None:
            raise NotApproved("a lead of a partner of the agreement decides")


def _checked(rule: RuleName, holds: Callable[[], object]) -> Rule:
    try:
        holds()
    except GovernanceError as refusal:
        return Rule(rule=rule, reason=refusal.reason, meaning=words(refusal.reason))
    return Rule(rule=rule, reason="", meaning="")


def _partners(
    state: Overseen, agreement: Agreement, members: Members | None, family: str
) -> Iterator[Partner]:
    """Who holds a record of the family; every partner where that is not known."""
    names = {party.party for party in agreement.partners}
    if members is not None:
        names &= members.holders
    for name in sorted(names):
        index, time, reason, request = _newest_refusal(state, name, family)
        yield Partner(
            party=name,
            opt_outs={
                source.id: source.opt_outs or "either"
                for source in agreement.sources
                if source.party == name
            },
            refusal=reason,
            refusal_meaning=words(reason) if reason else "",
            refusal_time=time,
            refusal_here=index >= 0 and _family(state, request) == family,
        )


def _newest_refusal(state: Overseen, party: str, family: str) -> tuple[int, str, str, str]:
    """A party's newest refusal about a family, or else about any; as ``newest_refusal`` has it."""
    chronicle = state.chronicle
    here = [
        (index, time, reason, request)
        for request in chronicle.families.get(family, ())
        for who, index, time, _, reason in chronicle.requests[request].answers
        if who == party and reason
    ]
    return max(here, default=chronicle.newest_refusal.get(party, (-1, "", "", "")))


def _family(state: Overseen, request: str) -> str:
    record = state.releases.requests.get(request)
    return record.request.family if record else ""


def _earlier(state: Overseen, request: str, family: str) -> Iterator[Earlier]:
    """The newest first."""
    for other in reversed(state.chronicle.families.get(family, [])):
        if other == request:
            continue
        record, approach = state.releases.requests[other], state.chronicle.requests[other]
        yield Earlier(
            request=other,
            time=record.request.created,
            decision=record.decision.decision if record.decision else "",
            why=record.decision.reason if record.decision else "",
            released=tuple(sorted(who for who, _, _, _, reason in approach.answers if not reason)),
            refused={who: reason for who, _, _, _, reason in approach.answers if reason},
            outcome=record.outcome or "",
        )
