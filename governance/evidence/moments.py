"""A moment of an approach looked at again, by the rules that agents release by.

The state is that of the entries before the moment (the approval's own checkpoint; what the ledger
held when a partner's answer was logged), the time is the one that the moment's entry states. An
auditor so sees what each partner had to find, not only what it said it found.

A permission that was erased since is neither a yes nor a no: what rests on it is *erased*, by the
entry that says so. It hides no refusal of anybody else.
"""

from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final

from governance.agreements.models import Action
from governance.agreements.policy import permits
from governance.canonical import parse_time
from governance.consent.errors import ConsentExpired, ConsentMissing
from governance.consent.models import ConsentKind, place_of
from governance.consent.registry import Erased, Grant
from governance.consent.rules import Approach, require_family_permission, require_subset
from governance.errors import GovernanceError
from governance.evidence.case import Case, replay
from governance.evidence.models import Check, Erasure, Held, MemberThen, Moment, Permission
from governance.identity.models import PersonKeys
from governance.ledger.events import Event, EventType
from governance.ledger.state import LedgerState
from governance.release.errors import (
    CheckpointMismatch,
    NotApproved,
    NothingToRelease,
    RequestExpired,
    RequestNotLogged,
)
from governance.release.models import Member, Members, RecordRef
from governance.release.registry import read_approval, read_request
from governance.release.verify import require_accepted_kind

MANAGER: Final = "An enrolled service manager signed the request, to be answered to own keys only"
SECOND: Final = "An enrolled IG lead who is another person approved exactly this request"
LOGGED: Final = "Request and approval were in the ledger before"
SAME_LEDGER: Final = "The approver had looked at this very ledger"
ALIVE: Final = "The request had begun and had not expired"
AGREED: Final = "The agreement was in force and permitted this purpose, recipient and these items"
KINDS: Final = "Request and approval were signed with what the agreement accepts"
CONSENT: Final = "Every member's permission that the family rule asks for was live"
CAPTURED: Final = "This partner itself had captured a permission of this family"


class _Unknown(GovernanceError):
    """Whether a rule held cannot be told, since a consent record was erased."""

    def __init__(self, erased: Erased) -> None:
        super().__init__("erased")
        self.erased = _erasure(erased)


class Look:
    """Looks at one moment.

    Args:
        case: the approach.
        what: whose moment it is.
        party: whose answer, or the approver's party.
        size: entries of the log that count.
        time: as of when.
    """

    def __init__(self, case: Case, what: str, party: str, size: int, time: str) -> None:
        self._case = case
        self._what = what
        self._party = party
        self._size = size
        self._time = time
        later = case.state.consents.erased
        lost = {
            event.leaf.id
            for index, event in case.entries
            if event.payload is None
            and event.leaf.id in later
            and index < size <= later[event.leaf.id].entry
        }
        self._lost = [later[id_] for id_ in sorted(lost)]
        there = [
            (index, event)
            for index, event in case.entries
            if event.leaf.id not in lost and lost.isdisjoint(event.leaf.refs)
        ]
        self._state: LedgerState = replay(case.question.log, there, size)

    @property
    def _now(self) -> datetime:
        return parse_time(self._time)

    def moment(self) -> Moment:
        """What the rules say, and every permission that was held."""
        rules: dict[str, Callable[[], object]] = (
            self._rules() if self._what == "answer" else {SAME_LEDGER: self._same_ledger}
        )
        if self._case.question.members is not None:
            rules[CONSENT] = self._permitted
            if self._what == "answer":
                rules[CAPTURED] = self._captured
        return Moment.model_validate(
            {
                "what": self._what,
                "party": self._party,
                "size": self._size,
                "time": self._time,
                "checks": tuple(_checked(rule, holds) for rule, holds in rules.items()),
                "members": self._members(),
            }
        )

    def _rules(self) -> dict[str, Callable[[], object]]:
        return {
            MANAGER: lambda: read_request(self._case.request[2], self._state.identities),
            SECOND: self._approved,
            LOGGED: self._logged,
            SAME_LEDGER: self._same_ledger,
            ALIVE: self._alive,
            AGREED: self._agreed,
            KINDS: self._kinds,
        }

    def _requester(self) -> PersonKeys:
        return self._case.record.requester

    def _approved(self) -> None:
        found = self._case.approval
        if found is None:
            raise NotApproved("nobody decided")
        approval, _ = read_approval(found[2], self._state.identities, self._requester())
        if approval.decision != "approve" or approval.request != self._case.question.request:
            raise NotApproved("declined, or for another request")

    def _logged(self) -> None:
        record = self._state.releases.requests.get(self._case.question.request)
        if record is None or record.decision is None:
            raise RequestNotLogged("not both in the ledger")

    def _same_ledger(self) -> None:
        if self._case.approval is not None and not self._case.question.same_ledger:
            raise CheckpointMismatch("the approver's checkpoint is not shown to be of this ledger")

    def _alive(self) -> None:
        request = self._case.record.request
        if not parse_time(request.created) <= self._now < parse_time(request.expires):
            raise RequestExpired("outside its time")

    def _agreed(self) -> None:
        request = self._case.record.request
        permits(
            self._state.agreements.standing(request.agreement),
            party=self._party,
            action=Action.RELEASE,
            purpose=request.purpose,
            now=self._now,
            items=request.items,
            recipient=self._requester().party,
        )

    def _kinds(self) -> None:
        agreement = self._case.standing.agreement
        require_accepted_kind(agreement, self._case.request[2])
        if self._case.approval is not None:
            require_accepted_kind(agreement, self._case.approval[2])

    def _permitted(self) -> dict[RecordRef, Grant]:
        members, request = self._case.question.members, self._case.record.request
        assert members is not None  # noqa: S101 - asked only where they were given
        agreement = self._case.standing.agreement
        approach = Approach(
            agreement, request.purpose, request.items, self._requester().party, self._now
        )
        if not self._lost:
            return require_family_permission(
                members, request.without, self._state.consents, approach
            )
        return self._permitted_one_by_one(members, request.without, approach)

    def _permitted_one_by_one(
        self, members: Members, without: Collection[str], approach: Approach
    ) -> dict[RecordRef, Grant]:
        """Each member alone: what was erased of one hides no refusal of another."""
        require_subset(members, without, approach.agreement)
        found: dict[RecordRef, Grant] = {}
        unknown: list[Erased] = []
        for member in members.members:
            if member.person in without:
                continue
            alone = members.model_copy(update={"members": (member,)})
            lost = [
                each
                for record in member.records
                for each in _about(self._lost, record, ConsentKind.APPROACH)
            ]
            unknown += lost
            try:
                found |= require_family_permission(alone, (), self._state.consents, approach)
            except (ConsentMissing, ConsentExpired):
                if not lost:
                    raise
        if unknown:
            raise _Unknown(unknown[0])
        return found

    def _captured(self) -> None:
        if not any(grant.record.party == self._party for grant in self._permitted().values()):
            raise NothingToRelease("this party captured none")

    def _members(self) -> tuple[MemberThen, ...]:
        members, without = self._case.question.members, self._case.record.request.without
        return tuple(
            MemberThen(
                number=number,
                person=member.person,
                adult=member.adult,
                left_out=member.person in without,
                records=len(member.records),
                held=self._held(member),
            )
            for number, member in enumerate(members.members if members else (), 1)
        )

    def _held(self, member: Member) -> tuple[Held, ...]:
        entries = {event.leaf.id: (index, event) for index, event in self._case.entries}
        found = []
        for record in member.records:
            permissions = tuple(
                self._permission(grant, *entries[grant.id])
                for grant in self._state.consents.grants.values()
                if (grant.terms.party, grant.subject) == (record.party, record.handle)
            )
            gone = (*self._state.consents.erased.values(), *self._lost)
            erased = tuple(map(_erasure, _about(gone, record, *ConsentKind)))
            if permissions or erased:
                held = Held(
                    party=record.party,
                    source=record.source,
                    permissions=permissions,
                    erased=erased,
                )
                found.append(held)
        return tuple(found)

    def _permission(self, grant: Grant, index: int, event: Event) -> Permission:
        record = grant.record
        return Permission(
            entry=index,
            kind=record.kind.value,
            state=grant.state(self._now).value,
            recorded=event.leaf.time,
            captured=record.captured,
            expires=record.expires,
            capacity=record.capacity.value,
            parental_basis=record.parental_basis and record.parental_basis.value,
            method=record.method,
            notice=record.notice,
            changed_by=tuple(
                at
                for at, change in self._case.entries
                if at < self._size
                and change.leaf.type is not EventType.CONSENT_RECORDED
                and grant.id in change.leaf.refs
            ),
        )


def _checked(rule: str, holds: Callable[[], object]) -> Check:
    try:
        holds()
    except _Unknown as unknown:
        return Check(rule=rule, reason="", erased=unknown.erased)
    except GovernanceError as refusal:
        return Check(rule=rule, reason=refusal.reason)
    return Check(rule=rule, reason="")


def _about(erased: Iterable[Erased], record: RecordRef, *kinds: ConsentKind) -> list[Erased]:
    places = {place_of(record.party, record.handle, kind) for kind in kinds}
    return [each for each in erased if each.place in places]


def _erasure(erased: Erased) -> Erasure:
    return Erasure(record=erased.index, entry=erased.entry, time=erased.since)
