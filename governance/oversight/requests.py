"""A request that waits for a decision, with everything that deciding it needs.

Rules: what is shown is judged by the functions that agents use (``judging.py``); the members are
those that the request's digest binds, or nothing is shown; people stand under pseudonyms, and what
one of them decided is shown to the lead alone; a record whose consent was erased shows as erased.
"""

from collections.abc import Collection, Iterator
from datetime import datetime

from governance.agreements.models import Agreement
from governance.canonical import Frozen, parse_time
from governance.consent.rules import Approach
from governance.evidence.words import words
from governance.identity.models import PersonKeys
from governance.ledger.mirror import Mirror
from governance.oversight.judging import Judge, MemberConsents, Rule, RuleName
from governance.oversight.state import Overseen
from governance.release.errors import MembersChanged, RequestNotLogged
from governance.release.models import Members


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
        asked: whether it recorded a permission that covers this approach, without which it passes
            nothing on; None where the members are not known.
        refusal: its newest refusal of a request; ``refusal_here`` says whether of this family.
    """

    party: str
    opt_outs: dict[str, str]
    asked: bool | None
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
        """Whether every rule was judged and holds."""
        return {rule.rule for rule in self.rules if not rule.reason} == set(RuleName)


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
        AlteredEntryError: the copy does not hold the request that was replayed.
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
    judge = Judge(state, mirror, request, record, approach, members, lead)
    consents = judge.members()
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
        rules=tuple(judge.rules()),
        members=consents,
        partners=tuple(_partners(state, agreement, consents, asked.family)),
        earlier=tuple(_earlier(state, request, asked.family)),
    )


def _partners(
    state: Overseen,
    agreement: Agreement,
    members: Collection[MemberConsents] | None,
    family: str,
) -> Iterator[Partner]:
    """Who holds a record of the family; every partner where that is not known."""
    names, asked = {party.party for party in agreement.partners}, set()
    if members is not None:
        records = [(each, member) for member in members for each in member.records]
        names &= {each.party for each, _ in records}
        asked = {each.party for each, member in records if each.covers and not member.left_out}
    for name in sorted(names):
        index, time, reason, request = _newest_refusal(state, name, family)
        yield Partner(
            party=name,
            opt_outs={
                source.id: source.opt_outs or "either"
                for source in agreement.sources
                if source.party == name
            },
            asked=None if members is None else name in asked,
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
