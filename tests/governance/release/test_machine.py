"""Whatever happens in whatever order, a partner releases what the reference rule allows.

A state machine of Hypothesis over consents, withdrawals, requests, approvals, changed members,
suspensions, revoked keys, time, forged orders and crashes, against ``reference.py``. Most of what
it does is as it should be, with one thing that is not, so that there is something to lose; time
goes to the moments at which something ends. ``scripts/rule_mutants.py`` shows what it would notice.
``make soak`` takes more steps, ``HEARTHLINK_SOAK_STEPS`` of them in each of its processes.
"""

import hashlib
import os
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from governance.agreements.models import Action
from governance.agreements.policy import permits
from governance.canonical import b64, write_time
from governance.consent.rules import Approach, require_family_permission
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
from tests.governance.release.county import (
    FAMILIES,
    ITEMS,
    PARTNERS,
    PEOPLE,
    County,
    handle_of,
)
from tests.governance.release.forging import FORGERIES, forged
from tests.governance.release.reference import Asked, Person, Said
from tests.governance.world import Party

STEPS: Final = 50
WANTED: Final = int(os.environ.get("HEARTHLINK_SOAK_STEPS", "10000"))
NEWEST: Final = 2  # requests that orders are about
WORDS: Final = (
    *("yes",) * 8, "no", "asked", "a parent's", "another purpose", "fewer items",
    "another receiver", "for an hour", "for a day", "for a day",
)  # fmt: skip
REQUESTS: Final = (
    *("honest",) * 10, "for an hour", "one item", "other items", "a hidden item", "too long",
    "for no time", "from later on", "by the lead", "by another", "to another", "the same again",
    *("declined",) * 3,
)  # fmt: skip
OTHERS: Final = ("other lead", "outsider", "manager", "other manager")
_SECOND: Final = timedelta(seconds=1)
_CHANGES: Final = {
    "reaffirmed": EventType.CONSENT_REAFFIRMED,
    "withdrawn": EventType.CONSENT_WITHDRAWN,
    "invalidated": EventType.CONSENT_INVALIDATED,
    "terminated": EventType.CONSENT_TERMINATED,
}


class ReleaseMachine(County, RuleBasedStateMachine):
    """Everything that may happen in a county."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Event] = []  # consents
        self.requests: dict[str, tuple[Any, Any, Members]] = {}
        self.forgeries = 0

    @initialize(where=st.sampled_from((PARTNERS, PARTNERS, ("council", "nhs"), ("council",))))
    def begin(self, where: tuple[str, ...]) -> None:
        """Stories begin with families that said yes, to one partner or to each."""
        self.agree(tuple(PEOPLE), where)

    @precondition(lambda self: not all(map(self._reference, FAMILIES)))
    @rule(
        people=st.sampled_from((tuple(PEOPLE), tuple(PEOPLE), ("1",))),
        where=st.sampled_from((PARTNERS, PARTNERS, ("council", "nhs"), ("council",))),
    )
    def agree(self, people: tuple[str, ...], where: tuple[str, ...]) -> None:
        """Everybody says yes, again if they have to, so that there is something to lose."""
        for person in people:
            for party in where:
                self.consent(party, person, "yes")

    @rule(
        party=st.sampled_from(PARTNERS),
        person=st.sampled_from(tuple(PEOPLE)),
        what=st.sampled_from(WORDS),
    )
    def consent(self, party: str, person: str, what: str) -> None:
        """A partner writes down what somebody said."""
        lasting = {"for an hour": 1 / 24, "for a day": 1.0}.get(what, 200.0)
        until = self.now + timedelta(days=lasting)
        word = Said(
            id="",
            partner=party,
            record=handle_of(person, party),
            answer={"no": "refused", "asked": "requested"}.get(what, "given"),
            by_parent=what == "a parent's",
            purpose="find-families" if what == "another purpose" else "offer-help",
            items=frozenset(ITEMS[: 1 if what == "fewer items" else 4]),
            recipients=frozenset(PARTNERS[1 : 2 if what == "another receiver" else 3]),
            until=until,
        )
        try:
            event = self.world.consent(
                self.party(party),
                word.record,
                now=self.now,
                state=word.answer,
                capacity="parental_responsibility" if word.by_parent else "self",
                parental_basis="court_order" if word.by_parent else None,
                purpose=word.purpose,
                items=sorted(word.items),
                recipients=sorted(word.recipients),
                captured=write_time(self.now),
                expires=write_time(until),
            )
        except GovernanceError:
            assert word.purpose != "offer-help" or not self.rule.say(word, self.now)
            return
        word.id = event.leaf.id
        assert word.purpose == "offer-help"
        assert self.rule.say(word, self.now)
        self.events.append(event)

    @precondition(lambda self: self.events)
    @rule(
        data=st.data(),
        changes=st.lists(st.sampled_from(("withdrawn", *_CHANGES)), min_size=1, max_size=2),
        other=st.sampled_from((False,) * 6 + (True,)),
    )
    def change(self, data: st.DataObject, changes: list[str], other: bool) -> None:
        """A word is said again, withdrawn, found not valid or ended, perhaps one after the other.

        Sometimes a stranger tries to.
        Receipts that were used before come up more often.
        """
        used = [event for event in self.events if self.rule.said[event.leaf.id].ended]
        event = data.draw(st.sampled_from(self.events + 3 * used))
        author = self._author_of(event, other=other)
        grant = ConsentChange(grant=event.leaf.id)
        for how in changes:
            done = self.tried(author, _CHANGES[how], grant, (event.leaf.id,))
            assert self.rule.change(event.leaf.id, author.name, how) == (done is not None)

    def _author_of(self, event: Event, *, other: bool) -> Party:
        party = self.rule.said[event.leaf.id].partner
        return self.party(PARTNERS[(PARTNERS.index(party) + other) % len(PARTNERS)])

    @rule(resume=st.sampled_from((True, True, False)))
    def stop(self, resume: bool) -> None:
        """The agreement is suspended or resumed."""
        kind = EventType.AGREEMENT_RESUMED if resume else EventType.AGREEMENT_SUSPENDED
        stopped = AgreementStopped(agreement=self.world.agreement_hash, reason="review")
        done = self.tried(self.party("nhs"), kind, stopped)
        assert (done is None) == (resume and not self.rule.stopped)
        self.rule.stopped = not resume

    @precondition(lambda self: len(self.requests) > NEWEST)
    @rule(who=st.sampled_from(("manager", "lead", "other lead", "other manager", "outsider")))
    def revoke(self, who: str) -> None:
        """Somebody leaves; not at the very beginning."""
        staff = self.staff[who]
        payload = PersonRevoked(keys=staff.keys.thumbprint, reason="left")
        assert self.tried(self.party(staff.party), EventType.PERSON_REVOKED, payload)
        self.rule.revoked.add(who)

    @rule(
        data=st.data(),
        how=st.sampled_from((*("minutes",) * 12, *("moment",) * 16, *("hours",) * 3, "review")),
        off=st.sampled_from((-_SECOND, timedelta(0), _SECOND)),
    )
    def wait(self, data: st.DataObject, how: str, off: timedelta) -> None:
        """Time passes, often to the second at which something begins or ends."""
        moments = self.rule.moments(self.now, self.now + timedelta(hours=30))
        then = self.now + timedelta(hours=13 if how == "hours" else 0.1)
        if how == "moment" and moments:
            then = data.draw(st.sampled_from(moments[:3])) + off
        elif how == "review":
            then = self.rule.review_by + timedelta(days=1) + off
        self.now = max(self.now, then)

    @rule(
        family=st.integers(0, len(FAMILIES) - 1),
        what=st.sampled_from(REQUESTS),
        without=st.sampled_from(("",) * 6 + ("1", "2", "3", "12", "9")),
        by=st.sampled_from(("lead",) * 5 + (*OTHERS, "", "")),
    )
    def ask(self, family: int, what: str, without: str, by: str) -> None:
        """Somebody asks for a family, and as a rule it is approved at once."""
        people, members = FAMILIES[family], self.documents[family]
        requester = {"by the lead": "lead", "by another": "other manager"}.get(what, "manager")
        receiver = "other manager" if what == "to another" else requester
        made = self.now + timedelta(hours=2 * (what == "from later on"))
        lasting = {"for an hour": 1.0, "for no time": 0.0}.get(what, 24.0)
        until = made + timedelta(hours=lasting) + _SECOND * (what == "too long")
        items = {
            "one item": ITEMS[:1], "other items": ITEMS[1:3], "a hidden item": ITEMS[2:],
        }.get(what, ITEMS[:2])  # fmt: skip
        number = 0 if what == "the same again" else len(self.requests)
        request = self.world.request(
            members,
            signer=self.staff[requester],
            id=hashlib.sha256(str(number).encode()).hexdigest()[:32],
            without=sorted("p-" + name * 32 for name in without),
            items=sorted(items),
            recipient=self.staff[receiver].keys.thumbprint,
            created=write_time(made),
            expires=write_time(until),
        )
        hash_ = request.payload_hash
        done = self.tried(self.world.hub, EventType.RELEASE_REQUESTED, Requested(request=request))
        asked = Asked(
            hash_,
            str(number),
            people,
            frozenset(without),
            frozenset(items),
            made.replace(microsecond=0),
            until.replace(microsecond=0),
            requester,
            receiver,
        )
        if hash_ in self.requests:
            assert done is None
            return
        assert self.rule.ask(asked) == (done is not None)
        self.requests[hash_] = (request, None, members)
        if by:
            self._decide(hash_, by, "decline" if what == "declined" else "approve")

    @precondition(lambda self: self.requests)
    @rule(
        data=st.data(),
        by=st.sampled_from(("lead",) * 4 + OTHERS),
        decision=st.sampled_from(("approve",) * 3 + ("decline",)),
        dated=st.sampled_from(("now",) * 5 + ("its end",)),
    )
    def decide(self, data: st.DataObject, by: str, decision: str, dated: str) -> None:
        """Somebody approves or declines a request, as a rule one that is not decided.

        Whoever decides writes the date, so also the second at which the request ends.
        """
        newest = list(self.requests)[::-1]
        undecided = [hash_ for hash_ in newest if not self.requests[hash_][1]]
        hash_ = data.draw(st.sampled_from((*undecided[:2] * 2, *newest)))
        ends = self.rule.asked[hash_].until if hash_ in self.rule.asked else self.now
        self._decide(hash_, by, decision, self.now if dated == "now" else ends)

    def _decide(self, hash_: str, by: str, decision: str, made: datetime | None = None) -> None:
        request, _, members = self.requests[hash_]
        made = (made or self.now).replace(microsecond=0)
        approval = self.world.approval(
            request, signer=self.staff[by], decision=decision, created=write_time(made)
        )
        approve = decision == "approve"
        kind = EventType.RELEASE_APPROVED if approve else EventType.RELEASE_DECLINED
        done = self.tried(self.world.hub, kind, Decided(approval=approval))
        assert self.rule.decide(hash_, by, made, approve=approve) == (done is not None)
        if done is not None:
            self.requests[hash_] = (request, approval, members)

    @precondition(lambda self: any(approval for _, approval, _ in self.requests.values()))
    @rule(
        data=st.data(),
        first=st.sampled_from(PARTNERS),
        crash=st.sampled_from(("", "", "replay", "replay without withdrawals' payloads")),
    )
    def order(self, data: st.DataObject, first: str, crash: str) -> None:
        """An order is answered by one partner, perhaps after it was started anew."""
        hash_, order = data.draw(st.sampled_from(self._orders()))
        if crash:
            self._replay(erase=crash != "replay")
        if released := self._verified(order, first):
            self._release(hash_, first, len(released))

    def _orders(self) -> list[tuple[str, Order]]:
        """Orders for the requests that were decided last."""
        return [
            (hash_, Order(request=request, approval=approval, members=members, checkpoint="note"))
            for hash_, (request, approval, members) in self.requests.items()
            if approval
        ][-NEWEST:]

    def _forged(self, hash_: str, order: Order, how: str) -> Order:
        (stranger,) = self.members_of(
            (Person("8", False, (("council", handle_of("9", "council")),)),)
        ).members
        others = [approval for key, (_, approval, _) in self.requests.items() if key != hash_]
        borrowed = next((approval for approval in others[::-1] if approval), None)
        if how == "approval of another request" and borrowed is None:
            how = "another approval"
        return forged(self.world, order, how, stranger=stranger, borrowed=borrowed)

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

    def _verified(self, order: Order, party: str, forgery: str = "") -> frozenset[str]:
        size = 1 if forgery == "unwitnessed" else len(self.world.events)
        root = b"\1" * 32 if forgery == "another root" else bytes(32)
        witnessed = Witnessed(CheckpointRef(size=size, root=b64(bytes(32))), lambda _size: root)
        try:
            found = verify_order(
                order, party=party, state=self.world.state, witnessed=witnessed, now=self.now
            )
        except GovernanceError:
            return frozenset()
        return frozenset(record.handle for record in found.records)

    @invariant()
    def partners_release_what_the_reference_allows(self) -> None:
        """Each partner, about the newest requests, after whatever happened last."""
        assert self.world.state.size == len(self.world.events)
        for hash_, order in self._orders():
            allowed = {party: self.rule.may_release(hash_, party, self.now) for party in PARTNERS}
            for party in PARTNERS:
                assert self._verified(order, party) == allowed[party]
            if any(allowed.values()):
                self._forge(hash_, order)

    def _forge(self, hash_: str, order: Order) -> None:
        """One forgery after the other of what opens something opens nothing anywhere."""
        self.forgeries += 1
        how = FORGERIES[self.forgeries % len(FORGERIES)]
        order = self._forged(hash_, order, how)
        assert not any(self._verified(order, party, how) for party in PARTNERS)

    @invariant()
    def families_may_be_asked_for_as_the_reference_says(self) -> None:
        """Each family, if the best of requests were approved now, in whole and in part."""
        for people, members in zip(FAMILIES, self.documents, strict=True):
            for without in ("", "2"):
                assert self._permitted(members, without) == self._reference(people, without)

    def _reference(self, people: tuple[Person, ...], without: str = "") -> frozenset[Any]:
        items = frozenset(ITEMS[:2])
        return self.rule.may_approach(people, frozenset(without), items, "council", self.now)

    def _permitted(self, members: Members, without: str) -> frozenset[Any]:
        state, purpose, items = self.world.state, "offer-help", ITEMS[:2]
        try:
            agreement = permits(
                state.agreements.standing(self.world.agreement_hash),
                party="council",
                action=Action.RELEASE,
                purpose=purpose,
                now=self.now,
                items=items,
                recipient="council",
            )
            approach = Approach(agreement, purpose, items, "council", self.now)
            found = require_family_permission(
                members, ["p-" + name * 32 for name in without], state.consents, approach
            )
        except GovernanceError:
            return frozenset()
        return frozenset((record.party, record.handle) for record in found)


ReleaseMachine.TestCase.settings = settings(
    max_examples=max(1, WANTED // STEPS),
    stateful_step_count=STEPS,
    deadline=None,
    derandomize="HEARTHLINK_SOAK_STEPS" not in os.environ,
)
_TRIED = f"{WANTED:,} steps of anything, against a rule written twice"
TestReleases = ReleaseMachine.TestCase
for _mark in (
    *(pytest.mark.invariant(_number, _TRIED) for _number in (2, 7, 9, 10, 11, 13)),
    pytest.mark.timeout(max(1_200, WANTED)),
    pytest.mark.slow,
):
    TestReleases = _mark(TestReleases)
