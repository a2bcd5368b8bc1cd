"""Whatever happens in whatever order, a partner releases what the reference rule allows.

A state machine of Hypothesis over consents, withdrawals, requests, approvals, changed members,
suspensions, revoked keys, time, forged orders and crashes, against ``reference.py``. ``make soak``
takes more steps: ``HEARTHLINK_SOAK_STEPS``.
"""

import hashlib
import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from governance.canonical import b64, write_time
from governance.errors import GovernanceError
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import (
    AgreementStopped,
    ConsentChange,
    Decided,
    PersonRevoked,
    Requested,
    Sealed,
)
from governance.ledger.state import LedgerState
from governance.release.models import CheckpointRef, Members, Order
from governance.release.verify import Witnessed, verify_order
from tests.governance.release.reference import Asked, Person, Reference, Said
from tests.governance.world import NOON, Party, World

STEPS: Final = 50
WANTED: Final = int(os.environ.get("HEARTHLINK_SOAK_STEPS", "10000"))
ITEMS: Final = ("first_name", "surname", "address", "date_of_birth")
NEWEST: Final = 2  # requests that orders are about
PARTNERS: Final = ("police", "nhs", "council")
PEOPLE: Final = (("1", True), ("2", False), ("3", True))
FAMILIES: Final = (
    (("1", ("police", "council")), ("2", ("council",))),
    (("1", ("council",)), ("2", ("council", "nhs")), ("3", ("nhs",))),
    (("1", ("police", "nhs", "council")),),
    (("3", ("nhs", "council")), ("2", ("council",))),
)
FORGERIES: Final = (
    "members", "adults", "approval", "declined", "root", "unwitnessed", "self-approved",
)  # fmt: skip
_CHANGES: Final = {
    "reaffirmed": EventType.CONSENT_REAFFIRMED,
    "withdrawn": EventType.CONSENT_WITHDRAWN,
    "invalidated": EventType.CONSENT_INVALIDATED,
    "terminated": EventType.CONSENT_TERMINATED,
}


def handle_of(person: str, party: str) -> str:
    """The handle of a person's record at a party."""
    return hashlib.sha256(f"{person}{party}".encode()).hexdigest()[:32]


class ReleaseMachine(RuleBasedStateMachine):
    """One county with three partners, a manager, a lead, and everything that may happen."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        agreement = self.world.agreement
        day = {
            name: datetime.fromisoformat(value).replace(tzinfo=UTC)
            for name, value in (
                ("starts", agreement.valid_from),
                ("review_by", agreement.review_by),
                ("ends", agreement.expires),
            )
        }
        self.rule = Reference(**day)
        self.now = NOON
        self.events: list[Event] = []  # consents
        self.requests: dict[str, tuple[Any, Any, Members]] = {}

    def party(self, name: str) -> Party:
        """A partner by its name."""
        return next(party for party in self.world.partners if party.name == name)

    def tried(
        self, author: Party, kind: EventType, payload: Any, refs: tuple[str, ...] = ()
    ) -> Any:
        """Append an event if the ledger admits it; else None."""
        try:
            return self.world.write(author, kind, payload, refs, self.now)
        except GovernanceError:
            return None

    @initialize(agreed=st.sampled_from((True, True, True, False)))
    def begin(self, agreed: bool) -> None:
        """Most stories begin with families that said yes."""
        if agreed:
            for person, adult in PEOPLE:
                for party in PARTNERS:
                    self.consent(party, person, "given", adult, "offer-help", 3, True, 200)

    @rule(
        party=st.sampled_from(PARTNERS),
        person=st.sampled_from([name for name, _ in PEOPLE]),
        answer=st.sampled_from(("given",) * 4 + ("refused", "requested")),
        own=st.booleans(),
        purpose=st.sampled_from(("offer-help",) * 5 + ("find-families",)),
        items=st.sampled_from((3, 3, 3, 1)),
        to_council=st.sampled_from((True,) * 5 + (False,)),
        days=st.sampled_from((200, 200, 30, 1)),
    )
    def consent(
        self,
        party: str,
        person: str,
        answer: str,
        own: bool,
        purpose: str,
        items: int,
        to_council: bool,
        days: int,
    ) -> None:
        """A partner writes down what somebody said."""
        until = self.now + timedelta(days=days)
        recipients = ["council"] if to_council else ["nhs"]
        try:
            event = self.world.consent(
                self.party(party),
                handle_of(person, party),
                now=self.now,
                state=answer,
                capacity="self" if own else "parental_responsibility",
                parental_basis=None if own else "court_order",
                purpose=purpose,
                items=list(ITEMS[:items]),
                recipients=recipients,
                captured=write_time(self.now),
                expires=write_time(until),
            )
        except GovernanceError:
            event = None
        word = Said(
            id=event.leaf.id if event else "none",
            partner=party,
            record=handle_of(person, party),
            answer=answer,
            by_parent=not own,
            purpose=purpose,
            items=frozenset(ITEMS[:items]),
            recipients=frozenset(recipients),
            until=until,
        )
        counts = purpose == "offer-help" and self.rule.say(word, self.now)
        assert counts == (event is not None)
        if event is not None:
            self.events.append(event)

    @precondition(lambda self: self.events)
    @rule(
        data=st.data(),
        how=st.sampled_from(tuple(_CHANGES)),
        other=st.sampled_from((False,) * 4 + (True,)),
    )
    def change(self, data: st.DataObject, how: str, other: bool) -> None:
        """A word is said again, withdrawn, found not valid or ended; sometimes by a stranger.

        Receipts that were used before come up more often.
        """
        used = [event for event in self.events if self.rule.said[event.leaf.id].ended]
        event = data.draw(st.sampled_from(self.events + 3 * used))
        author = self._author_of(event, other=other)
        grant = ConsentChange(grant=event.leaf.id)
        done = self.tried(author, _CHANGES[how], grant, (event.leaf.id,))
        assert self.rule.change(event.leaf.id, author.name, how) == (done is not None)

    def _author_of(self, event: Event, *, other: bool) -> Party:
        party = self.rule.said[event.leaf.id].partner
        names = [each.name for each in self.world.partners]
        return self.party(names[(names.index(party) + other) % len(names)])

    @rule(what=st.sampled_from(("resume",) * 6 + ("suspend",) * 2 + ("manager", "lead")))
    def stop(self, what: str) -> None:
        """The agreement is suspended or resumed, or somebody's keys are revoked."""
        if what in ("manager", "lead"):
            keys = getattr(self.world, what).keys.thumbprint
            payload = PersonRevoked(keys=keys, reason="left")
            assert self.tried(self.world.council, EventType.PERSON_REVOKED, payload)
            self.rule.revoked.add(what)
            return
        resume = what == "resume"
        kind = EventType.AGREEMENT_RESUMED if resume else EventType.AGREEMENT_SUSPENDED
        stopped = AgreementStopped(agreement=self.world.agreement.hash, reason="review")
        done = self.tried(self.party("nhs"), kind, stopped)
        assert (done is None) == (resume and not self.rule.stopped)
        self.rule.stopped = not resume

    @rule(hours=st.sampled_from((0.1,) * 9 + (1, 5, 13, 24, 24 * 31, 24 * 160)))
    def wait(self, hours: float) -> None:
        """Time passes."""
        self.now += timedelta(hours=hours)

    @rule(
        family=st.sampled_from(FAMILIES),
        without=st.sampled_from(("",) * 6 + ("1", "2", "3", "12")),
        items=st.sampled_from((ITEMS[:1],) * 4 + (ITEMS[1:3], ITEMS[3:])),
        hours=st.sampled_from((1, 12, 24, 24, 24, 25)),
        by=st.sampled_from(("manager",) * 9 + ("lead",)),
        to=st.sampled_from(("manager",) * 9 + ("lead",)),
        late=st.sampled_from((False,) * 9 + (True,)),
        approved=st.sampled_from((True, True, False)),
    )
    def ask(
        self,
        family: tuple[tuple[str, tuple[str, ...]], ...],
        without: str,
        items: tuple[str, ...],
        hours: int,
        by: str,
        to: str,
        late: bool,
        approved: bool,
    ) -> None:
        """Somebody asks for a family; often it is approved at once."""
        adult = dict(PEOPLE)
        people = tuple(
            Person(name, adult[name], tuple((p, handle_of(name, p)) for p in parties))
            for name, parties in family
        )
        members = self._members(people)
        made = self.now + timedelta(hours=2 * late)
        until = made + timedelta(hours=hours)
        request = self.world.request(
            members,
            signer=getattr(self.world, by),
            id=hashlib.sha256(str(len(self.requests)).encode()).hexdigest()[:32],
            without=sorted("p-" + name * 32 for name in without),
            items=sorted(items),
            recipient=getattr(self.world, to).keys.thumbprint,
            created=write_time(made),
            expires=write_time(until),
        )
        done = self.tried(self.world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
        asked = Asked(
            request.payload_hash,
            people,
            frozenset(without),
            frozenset(items),
            made.replace(microsecond=0),
            until.replace(microsecond=0),
            by_manager=by == "manager",
            to_own_keys=by == to,
            logged=done is not None,
        )
        self.rule.asked[request.payload_hash] = asked
        self.requests[request.payload_hash] = (request, None, members)
        if approved:
            self._decide(request.payload_hash, "lead", "approve")

    def _members(self, people: tuple[Person, ...]) -> Members:
        return self.world.members(
            *(
                (person.name, person.adult, [(self.party(p), h) for p, h in person.records])
                for person in people
            )
        )

    @precondition(lambda self: self.requests)
    @rule(
        data=st.data(),
        by=st.sampled_from(("lead",) * 5 + ("manager",)),
        decision=st.sampled_from(("approve",) * 5 + ("decline",)),
    )
    def decide(self, data: st.DataObject, by: str, decision: str) -> None:
        """Somebody approves or declines a request, as a rule the newest."""
        self._decide(data.draw(st.sampled_from(list(self.requests)[::-1])), by, decision)

    def _decide(self, hash_: str, by: str, decision: str) -> None:
        request, _, members = self.requests[hash_]
        approval = self.world.approval(
            request,
            signer=getattr(self.world, by),
            decision=decision,
            created=write_time(self.now),
        )
        approved = decision == "approve"
        kind = EventType.RELEASE_APPROVED if approved else EventType.RELEASE_DECLINED
        done = self.tried(self.world.hub, kind, Decided(approval=approval))
        if done is not None:
            asked = self.rule.asked[hash_]
            assert asked.logged
            asked.approved, asked.approver = approved, by
            self.requests[hash_] = (request, approval, members)

    @precondition(lambda self: any(approval for _, approval, _ in self.requests.values()))
    @rule(
        data=st.data(),
        first=st.sampled_from(PARTNERS),
        forged=st.sampled_from(("",) * 14 + FORGERIES),
        crash=st.sampled_from(("", "replay", "replay without withdrawals' payloads")),
    )
    def order(self, data: st.DataObject, first: str, forged: str, crash: str) -> None:
        """A forged order opens nothing anywhere; an honest one is answered by one partner."""
        decided = [hash_ for hash_, (_, approval, _) in self.requests.items() if approval]
        hash_ = data.draw(st.sampled_from(decided[: -NEWEST - 1 : -1]))
        request, approval, members = self.requests[hash_]
        order = Order(request=request, approval=approval, members=members, checkpoint="note")
        if crash:
            self._replay(erase=crash != "replay")
        if forged:
            order = self._forged(order, forged)
            assert not any(self._verified(order, party, forged) for party in PARTNERS)
        elif released := self._verified(order, first):
            self._release(hash_, first, len(released))

    def _release(self, request: str, party: str, records: int) -> None:
        receipt = Sealed(
            request=request, order=request, party=party, records=records,
            ciphertext_sha256=request,
        )  # fmt: skip
        assert self.tried(self.party(party), EventType.RELEASE_SEALED, receipt)
        assert not self.tried(self.party(party), EventType.RELEASE_SEALED, receipt)
        self.rule.asked[request].answered_by.add(party)

    def _replay(self, *, erase: bool) -> None:
        """What a partner that starts again knows; what was withdrawn stands without payloads."""
        self.world.state = LedgerState().replay(
            replace(event, salt=None, payload=None)
            if erase and event.leaf.type is EventType.CONSENT_WITHDRAWN
            else event
            for event in self.world.events
        )
        assert self.world.state.rejected == []

    def _forged(self, order: Order, how: str) -> Order:
        """What a lying hub makes of an order."""
        if how == "members":
            more = self._members((Person("9", False, (("council", handle_of("9", "council")),)),))
            both = (*order.members.members, *more.members)
            members = order.members.model_copy(update={"members": both})
            return order.model_copy(update={"members": members})
        if how == "adults":
            turned = tuple(
                member.model_copy(update={"adult": not member.adult})
                for member in order.members.members
            )
            members = order.members.model_copy(update={"members": turned})
            return order.model_copy(update={"members": members})
        changed: dict[str, Any] = {
            "approval": {"reason": "another-one"},
            "declined": {"decision": "decline"},
            "self-approved": {"signer": self.world.manager},
        }.get(how, {})
        if changed:
            approval = self.world.approval(order.request, created=write_time(self.now), **changed)
            return order.model_copy(update={"approval": approval})
        return order

    def _verified(self, order: Order, party: str, forged: str = "") -> frozenset[str]:
        size = 1 if forged == "unwitnessed" else len(self.world.events)
        root = b"\1" * 32 if forged == "root" else bytes(32)
        try:
            found = verify_order(
                order,
                party=party,
                state=self.world.state,
                witnessed=Witnessed(
                    CheckpointRef(size=size, root=b64(bytes(32))), lambda _size: root
                ),
                now=self.now,
            )
        except GovernanceError:
            return frozenset()
        return frozenset(record.handle for record in found.records)

    @invariant()
    def partners_release_what_the_reference_allows(self) -> None:
        """Each partner, about the newest requests, after whatever happened last."""
        assert self.world.state.size == len(self.world.events)
        decided = [each for each in self.requests.values() if each[1]]
        for request, approval, members in decided[-NEWEST:]:
            order = Order(request=request, approval=approval, members=members, checkpoint="note")
            for party in PARTNERS:
                allowed = self.rule.may_release(request.payload_hash, party, self.now)
                assert self._verified(order, party) == allowed


ReleaseMachine.TestCase.settings = settings(
    max_examples=max(1, WANTED // STEPS),
    stateful_step_count=STEPS,
    deadline=None,
    derandomize="HEARTHLINK_SOAK_STEPS" not in os.environ,
)
_TRIED = f"{WANTED:,} steps of anything, against a rule written twice"
for _number in (2, 7, 9, 10, 11, 13):
    ReleaseMachine.TestCase = pytest.mark.invariant(_number, _TRIED)(ReleaseMachine.TestCase)
TestReleases = ReleaseMachine.TestCase
