"""What is erased permits nothing that it did not permit before, whoever kept the payloads.

A state machine of Hypothesis over records, changes, erasures and days, honest ones and such as a
dishonest partner or ledger would try. Three states replay one log: one has all payloads and never
hears of an erasure, one has all and follows the erasures (as the ledger does), and one is begun
anew, when the payloads are gone. ``scripts/rule_mutants.py`` shows what it would notice.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any, Final

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from governance.canonical import write_time
from governance.consent.models import ConsentKind, place_of
from governance.consent.rules import Approach, require_family_permission
from governance.errors import GovernanceError
from governance.ledger.errors import WithheldPayloadError
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import ConsentChange, ConsentErased
from governance.ledger.state import LedgerState
from governance.release.models import Members
from tests.governance.world import KEPT, NOON, Party, World

POLICE, NHS, COUNCIL = range(3)
RECORDS: Final = ((POLICE, "1" * 32), (NHS, "2" * 32), (COUNCIL, "3" * 32), (COUNCIL, "4" * 32))
KINDS: Final = (*(ConsentKind.APPROACH,) * 4, ConsentKind.CONFIDENTIALITY)
CHANGES: Final = (
    EventType.CONSENT_REAFFIRMED,
    *(EventType.CONSENT_WITHDRAWN,) * 2,
    EventType.CONSENT_INVALIDATED,
    EventType.CONSENT_TERMINATED,
)
PEOPLE: Final = tuple(
    records for size in (1, 2) for records in combinations(range(len(RECORDS)), size)
)
FAMILIES: Final = (
    *combinations(PEOPLE, 1),
    ((0,), (1,)),
    ((1,), (2,), (3,)),
    ((0,), (2, 3)),
    ((0, 2), (1, 3)),
)
LIES: Final = ("another's", "another place", "twice", "nothing", "no agreement", "too soon")
EXAMPLES, STEPS = 25, 25


class ErasureMachine(RuleBasedStateMachine):
    """Everything that may happen to consents, and to their payloads."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()  # its state follows the erasures and admits what is appended
        self.now = NOON
        self.records: list[tuple[str, int, ConsentKind]] = []
        self.written: dict[str, datetime] = {}
        self._members: dict[tuple[object, bool], Members] = {}

    @rule(
        where=st.integers(0, len(RECORDS) - 1),
        kind=st.sampled_from(KINDS),
        answer=st.sampled_from(("given",) * 4 + ("refused", "requested")),
        parent=st.sampled_from((False, False, True)),
        few=st.booleans(),
        days=st.sampled_from((1, 100, 300)),
    )
    def record(
        self, where: int, kind: ConsentKind, answer: str, *, parent: bool, few: bool, days: int
    ) -> None:
        """A partner writes down what somebody said, or a dishonest ledger brings it later."""
        party, handle = self._record(where)
        closed = place_of(party.name, handle, kind) in self._closed()
        changes: dict[str, Any] = {
            "kind": kind.value,
            "state": answer,
            "capacity": "parental_responsibility" if parent else "self",
            "parental_basis": "court_order" if parent else None,
            "items": ["first_name"] if few else ["first_name", "surname"],
            "captured": write_time(self.now),
            "expires": write_time(self.now + timedelta(days=days)),
        }
        record = self.world.consent_record(party, handle, **changes)
        event = party.author(self.now).write(EventType.CONSENT_RECORDED, record)
        if self._append(event, forced=closed):
            assert not closed
            self.records.append((event.leaf.id, where, kind))
            self.written[event.leaf.id] = self.now

    @precondition(lambda self: self.records)
    @rule(
        data=st.data(), how=st.sampled_from(CHANGES), other=st.sampled_from((False,) * 5 + (True,))
    )
    def change(self, data: st.DataObject, how: EventType, *, other: bool) -> None:
        """A word is taken back, found not valid, said again or ended, also once it is erased."""
        grant, where, _ = data.draw(st.sampled_from(self.records))
        party = self._party(where + other)
        written = party.author(self.now).write(how, ConsentChange(grant=grant), (grant,))
        stranger = party is not self._record(where)[0]
        assert not (self._append(written, forced=stranger) and stranger)

    @precondition(lambda self: self.records)
    @rule(data=st.data(), how=st.sampled_from(("honest",) * 12 + LIES))
    def erase(self, data: st.DataObject, how: str) -> None:
        """Some of what was said at one place is erased when it is due; each lie is refused.

        A dishonest ledger may have the lie all the same. But a false place, which is the one thing
        that only those can tell who have the payload, needs ledger and partner together: ADR 17.
        """
        grant, where, kind = data.draw(st.sampled_from(self.records))
        here = [one for one, at, what in self.records if (at, what) == (where, kind)]
        others = data.draw(st.lists(st.sampled_from(here), unique=True, max_size=3))
        refs = tuple(dict.fromkeys((grant, *others)))
        self.now = max([self.now, *(self.written[ref] + KEPT for ref in refs)])
        for lie in LIES:
            with pytest.raises(GovernanceError):
                self.world.state.check(self._erasure(where, kind, refs, lie))
        gone = any(ref in self.world.state.consents.erased for ref in refs)
        event = self._erasure(where, kind, refs, how)
        admitted = self._append(event, forced=how != "another place")
        assert admitted == (how == "honest" and not gone)

    def _erasure(self, where: int, kind: ConsentKind, refs: tuple[str, ...], how: str) -> Event:
        """What the partner writes, with one thing that is not so."""
        party, handle = self._record(where)
        place = place_of(party.name, "9" * 32 if how == "another place" else handle, kind)
        no_agreement, at = "sha256:" + "0" * 64, self.now
        if how == "another's":
            party = next(each for each in self.world.partners if each is not party)
        if how == "too soon":
            at = max(self.written[ref] for ref in refs) + KEPT - timedelta(seconds=1)
        named = {"twice": (*refs, refs[0]), "nothing": ()}.get(how, refs)
        payload = ConsentErased(
            agreement=no_agreement if how == "no agreement" else self.world.agreement_hash,
            place=place,
        )
        return party.author(at).write(EventType.CONSENT_ERASED, payload, named)

    @rule(days=st.sampled_from((1, KEPT.days, KEPT.days, 99, 250)))
    def wait(self, days: int) -> None:
        """Time passes."""
        self.now += timedelta(days=days)

    @rule(data=st.data())
    def look(self, data: st.DataObject) -> None:
        """A checkpoint: everybody brings a copy up to it."""
        self._compare()
        self._hide(data.draw(st.integers(0, 1_000)))

    def teardown(self) -> None:
        """The last checkpoint."""
        self._compare()

    # --- parts ------------------------------------------------------------------------------

    def _party(self, number: int) -> Party:
        where = RECORDS[number % len(RECORDS)][0]
        return self.world.partners[where]

    def _record(self, number: int) -> tuple[Party, str]:
        return self._party(number), RECORDS[number][1]

    def _closed(self) -> set[str]:
        return {each.place for each in self.world.state.consents.erased.values()}

    def _append(self, event: Event, *, forced: bool) -> bool:
        """As the ledger would; a dishonest one appends what may not count."""
        with suppress(GovernanceError):
            self.world.append(event)
            return True
        if forced:
            self.world.state.apply(event)
            self.world.events.append(event)
        return False

    def _anew(self, *left_out: str, withheld: str = "") -> LedgerState:
        """A state of who begins now: what was erased is not there any more."""
        gone = {*self.world.state.consents.erased, withheld}
        return LedgerState().replay(
            replace(event, salt=None, payload=None) if event.leaf.id in gone else event
            for event in self.world.events
            if event.leaf.id not in left_out
        )

    def _compare(self) -> None:
        follows, anew = self.world.state, self._anew()
        whole = LedgerState().replay(
            event for event in self.world.events if event.leaf.type is not EventType.CONSENT_ERASED
        )
        assert _told(follows) == _told(anew)
        closed = self._closed()
        for people in FAMILIES:
            self._hold(people, whole, anew, closed)

    def _hold(
        self,
        people: tuple[tuple[int, ...], ...],
        whole: LedgerState,
        anew: LedgerState,
        closed: set[str],
    ) -> None:
        """What is permitted without the payloads is permitted with them."""
        touched = any(
            place_of(party.name, handle, ConsentKind.APPROACH) in closed
            for person in people
            for party, handle in map(self._record, person)
        )
        for adult in (True, False):
            for items in (("first_name",), ("surname", "first_name")):
                for recipient in ("council", "nhs"):
                    asked = (people, adult, items, recipient)
                    said = self._answer(anew, *asked)
                    assert isinstance(said, str) if touched else said == self._answer(whole, *asked)

    def _answer(
        self,
        state: LedgerState,
        people: tuple[tuple[int, ...], ...],
        adult: bool,
        items: tuple[str, ...],
        recipient: str,
    ) -> str | frozenset[str]:
        """The consents that permit an approach, or the reason of the refusal."""
        members = self._members.get((people, adult)) or self.world.members(
            *(
                ("abc"[number], adult, [self._record(where) for where in person])
                for number, person in enumerate(people)
            )
        )
        self._members[people, adult] = members
        approach = Approach(self.world.agreement, "offer-help", items, recipient, self.now)
        try:
            found = require_family_permission(members, (), state.consents, approach)
        except GovernanceError as refusal:
            return refusal.reason
        return frozenset(grant.id for grant in found.values())

    def _hide(self, number: int) -> None:
        """A ledger that hides a payload, or the word that it was erased, serves nobody."""
        consents = self.world.state.consents
        hidden = [self._anew(withheld=grant) for grant in sorted(consents.grants)[number % 7 :][:1]]
        if gone := sorted(consents.erased):
            grant = gone[number % len(gone)]
            said = [
                event.leaf.id
                for event in self.world.events
                if event.leaf.type is EventType.CONSENT_ERASED and grant in event.leaf.refs
            ]
            hidden.append(self._anew(*said))
        for state in hidden:
            with pytest.raises(WithheldPayloadError):
                state.consents.require_opened()
            assert self._answer(state, (PEOPLE[0],), True, ("first_name",), "council") == (
                "mirror.withheld"
            )


def _told(state: LedgerState) -> dict[str, object]:
    """All that a state holds of consents, but who shares whose terms; and the ids that it knows."""
    told = {name: value for name, value in vars(state.consents).items() if name != "_terms"}
    del told["_identities"], told["_agreements"]
    return told | {"seen": state._seen, "size": state.size}


ErasureMachine.TestCase.settings = settings(
    max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, derandomize=True
)
TestErasures = pytest.mark.invariant(18, "erasures, honest and not, against every payload kept")(
    pytest.mark.timeout(600)(ErasureMachine.TestCase)
)
