"""The indexes that replay fills: what is in them, what an erasure leaves, how they are kept."""

import threading
from datetime import date, timedelta
from pathlib import Path

import pytest

from governance.canonical import utc_now, write_time
from governance.consent.models import ConsentKind, ConsentState
from governance.identity.keys import SigningKey
from governance.ledger import replayed
from governance.ledger.events import Event, EventType
from governance.ledger.merkle import Frontier, leaf_hash
from governance.ledger.note import KeyKind, VerifierKey
from governance.ledger.payloads import ConsentChange, Refused
from governance.ledger.replayed import KeptState
from governance.ledger.state import LedgerState
from governance.oversight.consents import states, trend
from governance.oversight.copy import OverseenLedger
from governance.oversight.refusals import refusals
from governance.oversight.state import Overseen
from tests.governance.oversight.copied import Copied, overseen
from tests.governance.world import KEPT, NOON, ORIGIN, World

TODAY = NOON.date()


def change(world: World, grant: Event, kind: str, days: int = 0) -> Event:
    """The police change a consent of theirs."""
    payload = ConsentChange(grant=grant.leaf.id)
    police, now = world.partners[0], NOON + timedelta(days=days)
    return world.write(police, EventType(f"consent.{kind}"), payload, (grant.leaf.id,), now)


def counted(state: Overseen, day: date, party: str = "police") -> dict[ConsentState, int]:
    """Records of a party that are in any state on a day."""
    (found,) = [each for each in states(state.chronicle.consents, day) if each.party == party]
    assert found.kind is ConsentKind.APPROACH
    return {state: count for state, count in found.states.items() if count}


def test_states_are_those_of_the_grants_themselves() -> None:
    """Given, refused, reaffirmed, withdrawn, invalidated and expired, as each grant says."""
    world = World()
    police = world.partners[0]
    grants = [world.consent(police, f"{number:032x}") for number in range(6)]
    world.consent(police, "a" * 32, state="refused")
    world.consent(police, "b" * 32, expires=write_time(NOON + timedelta(days=40)))
    change(world, grants[0], "withdrawn", 3)
    change(world, grants[1], "invalidated")
    change(world, grants[2], "reaffirmed")
    change(world, grants[3], "terminated")
    state = overseen(world)
    for days in (10, 60, 400):
        now = NOON + timedelta(days=days)
        themselves = [grant.state(now) for grant in state.consents.grants.values()]
        expected = {each: themselves.count(each) for each in set(themselves)}
        assert counted(state, now.date()) == expected


def test_the_trend_tells_what_happened_and_what_permitted_at_each_months_end() -> None:
    """Two are given in November, one is withdrawn in December, the other ends in February."""
    world = World()
    police = world.partners[0]
    first = world.consent(police, "1" * 32)
    world.consent(police, "2" * 32, expires="2027-02-10T00:00:00Z")
    change(world, first, "withdrawn", 12)
    found = trend(overseen(world).chronicle.consents, date(2027, 3, 5))
    assert [(each.month, each.permitting) for each in found] == [
        ("2026-11", 2), ("2026-12", 1), ("2027-01", 1), ("2027-02", 0), ("2027-03", 0),
    ]  # fmt: skip
    assert found[0].recorded == {ConsentState.GIVEN: 2}
    assert found[1].changed == {ConsentState.WITHDRAWN: 1}


@pytest.mark.invariant(18, "figures of a copy that saw an erased payload, and of one that did not")
def test_an_erased_record_is_a_number_and_nothing_else() -> None:
    """A copy that saw the payload and one that never did have the same figures afterwards."""
    world = World()
    police = world.partners[0]
    refused = world.consent(police, "1" * 32, state="refused")
    given = world.consent(police, "2" * 32)
    change(world, given, "withdrawn")
    world.erase(police, "1" * 32, refused)
    world.erase(police, "2" * 32, given)
    gone = {refused.leaf.id, given.leaf.id}
    later = Overseen(ORIGIN)
    for event in world.events:
        later.apply(Event(event.leaf, None, None) if event.leaf.id in gone else event)
    seen = overseen(world)
    assert seen.chronicle == later.chronicle
    (found,) = states(seen.chronicle.consents, TODAY + KEPT)
    assert (found.erased, sum(found.states.values())) == (2, 0)


def test_the_kept_state_holds_the_indexes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept comes back whole; a state without indexes is not taken for one with them."""
    world = World()
    monkeypatch.setattr(replayed, "WORTH_EVENTS", 1)
    world.consent(world.partners[0], "a" * 32)
    state = overseen(world)
    key = VerifierKey(ORIGIN, KeyKind.LOG, world.operator.signing.public)
    frontier = Frontier()
    for event in world.events:
        frontier.append(leaf_hash(event.leaf_bytes))
    kept = KeptState(tmp_path / "kept", b"k" * 32, key, Overseen)
    kept.write(state, lambda _: frontier.root())
    again, _ = KeptState(tmp_path / "kept", b"k" * 32, key, Overseen).begin(lambda _: frontier)
    assert isinstance(again, Overseen)
    assert again.chronicle == state.chronicle
    event = world.consent(world.partners[0], "f" * 32)
    again.apply(event)
    assert again.chronicle.entries.with_id(event.leaf.id) == [state.size]
    plain = LedgerState(ORIGIN).replay(world.events[:-1])
    KeptState(tmp_path / "plain", b"k" * 32, key).write(plain, lambda _: frontier.root())
    fresh, _ = KeptState(tmp_path / "plain", b"k" * 32, key, Overseen).begin(lambda _: frontier)
    assert (fresh.size, type(fresh)) == (0, Overseen)


def test_refusals_stand_by_month_party_and_reason() -> None:
    """Every refusal counts for who refused, in the month that it states."""
    world = World()
    police, nhs = world.partners[:2]
    for party, days, reason in [
        (police, 0, "agreement.expired"),
        (police, 1, "agreement.expired"),
        (nhs, 1, "encoding.view_not_unique"),
        (police, 30, "submission"),
    ]:
        payload = Refused(party=party.name, action="prepare", reason=reason, about=None)
        world.write(party, EventType.REFUSED, payload, now=NOON + timedelta(days=days))
    found = refusals(overseen(world))
    assert [(each.month, each.party, each.reason, each.count) for each in found] == [
        ("2026-12", "police", "submission", 1),
        ("2026-11", "police", "agreement.expired", 2),
        ("2026-11", "nhs", "encoding.view_not_unique", 1),
    ]
    assert "had expired" in found[1].meaning
    assert [each.count for each in refusals(overseen(world), party="nhs")] == [1]


def test_nothing_changes_while_somebody_looks(tmp_path: Path) -> None:
    """A page that reads in several steps reads one state; another request's replay waits."""
    world = World()
    copied = Copied(world, tmp_path)
    copied.mirror.close()
    reader = SigningKey.generate()
    ledger = OverseenLedger(
        tmp_path / "mirror.db", "http://127.0.0.1:9", str(copied.key), "reader", reader, utc_now
    )
    asked, answered = threading.Event(), threading.Event()

    def ask() -> None:
        asked.set()
        assert ledger.state.size == len(world.events)
        answered.set()

    other = threading.Thread(target=ask)
    with ledger.looking() as seen:
        before = seen.size
        world.consent(world.partners[0], "a" * 32)
        ledger.mirror.sync(copied)
        other.start()
        assert asked.wait(10)
        assert not answered.wait(0.2)
        assert seen.size == before == len(world.events) - 1
    other.join(10)
    assert answered.is_set()
    ledger.close()
