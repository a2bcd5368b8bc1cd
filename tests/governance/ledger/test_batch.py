"""Many consents and withdrawals in one request: each by itself, all in one transaction."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.canonical import b64
from governance.consent.models import ConsentKind
from governance.errors import GovernanceError
from governance.exchange.http import RequestSigner
from governance.identity.keys import SigningKey
from governance.ledger.app import create_app
from governance.ledger.batch import (
    BATCH_EVENTS,
    BATCH_MAX_BYTES,
    WireBatch,
    in_batches,
)
from governance.ledger.client import LedgerClient, Receipt
from governance.ledger.database import Database
from governance.ledger.errors import (
    AnswerError,
    LedgerRefusedError,
    LedgerUnavailableError,
    ProofError,
    StoreError,
)
from governance.ledger.events import Author, Event, EventType, WireEvent
from governance.ledger.payloads import Refused
from governance.ledger.service import LedgerService
from governance.ledger.state import LedgerState
from governance.ledger.store import LedgerStore, Writer
from tests.governance.ledger.serving import Front, Message, serving
from tests.governance.ledger.test_service import Running, make_event, started
from tests.governance.world import NOON, ORIGIN, World


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """A ledger on SQLite with staff and agreement."""
    with started(f"sqlite:///{tmp_path / 'ledger.db'}", tmp_path) as found:
        begin(found)
        yield found


def begin(running: Running) -> None:
    """Append what consents rest on."""
    with running.client(running.world.council) as client:
        for event in running.world.events[1:]:
            client.append(event)


def consents(world: World, count: int) -> list[Event]:
    """Consents of as many people."""
    return [world.consent(world.council, f"{number:032x}") for number in range(count)]


def forged(event: Event, **changes: Any) -> Event:
    """The event with another leaf."""
    return replace(event, leaf=event.leaf.model_copy(update=changes))


def reasons(outcomes: list[Receipt | LedgerRefusedError]) -> list[str | None]:
    """Why each event was refused; None where it has a receipt."""
    return [None if isinstance(one, Receipt) else one.code for one in outcomes]


def test_a_batch_is_what_its_events_would_be_one_by_one(database_url: str, tmp_path: Path) -> None:
    """Each has its receipt; replay gives the same state; the same batch again adds nothing."""
    with started(database_url, tmp_path) as running:
        begin(running)
        world = running.world
        first = len(world.events)
        grants = consents(world, 5)
        with running.client(world.council) as client:
            outcomes = client.append_batch(grants)
            back = [world.withdraw(world.council, grant) for grant in grants[:2]]
            outcomes += client.append_batch(back)
            again = client.append_batch(grants + back)
            entries = client.entries(0, client.log().size)
        places = [one.index for one in outcomes if isinstance(one, Receipt)]
        assert places == list(range(first, first + 7))
        assert [one.index for one in again if isinstance(one, Receipt)] == places
        assert entries == world.events
        state = LedgerState(ORIGIN).replay(entries)
        assert (state.rejected, len(state.consents.grants)) == ([], 5)


@pytest.mark.invariant(23, "refused events amid a batch")
def test_what_is_refused_sinks_no_other(running: Running) -> None:
    """Forged, foreign, doubled, early and unfit events are refused by themselves, with reasons."""
    world = running.world
    council = world.council
    good = consents(world, 3)
    by_another = replace(council.author(), key=SigningKey.generate())
    payload = Refused(party="council", action="prepare", reason="x", about=None)
    batch = [
        good[0],
        forged(good[1], signature=b64(bytes(64))),
        Event(good[1].leaf, None, None),
        make_event(council),
        by_another.write(EventType.CONSENT_WITHDRAWN, payload, (good[0].leaf.id,)),
        good[1],
        forged(good[1], time="2026-01-01T00:00:00Z"),
        council.author(NOON + timedelta(minutes=6)).write(EventType.CONSENT_WITHDRAWN, payload),
        council.author().write(EventType.CONSENT_WITHDRAWN, payload, ("0" * 32,)),
        council.author().write(EventType.CONSENT_RECORDED, payload),  # its detail is long
        good[0],
        good[2],
    ]
    size = len(world.events) - 3
    with running.client(council) as client:
        outcomes = client.append_batch(batch)
        assert client.log().size == size + 3
    assert reasons(outcomes) == [
        None,
        "signature.invalid",
        "ledger.event.format",
        "ledger.not_admissible",
        "signature.invalid",
        None,
        "ledger.event.duplicate",
        "ledger.event.time",
        "ledger.not_admissible",
        "format.invalid",
        None,
        None,
    ]
    assert [one.index for one in outcomes if isinstance(one, Receipt)] == [
        size, size + 1, size, size + 2,
    ]  # fmt: skip


def test_what_is_no_batch_is_refused_whole(running: Running) -> None:
    """Too many events, too many bytes, none, or one that is no event: nothing is taken."""
    council = running.world.council
    wire = WireEvent.of(consents(running.world, 1)[0]).model_dump(mode="json")
    other = {**wire, "payload": b64(b"{}")}
    auth = RequestSigner(council.keys.thumbprint, council.signing)
    size = httpx.get(f"{running.url}/healthz").json()
    bodies = {
        "too many": ([wire] * (BATCH_EVENTS + 1), 400),
        "none": ([], 400),
        "another payload": ([wire, other], 400),
        "no event": ([wire, {}], 400),
        "too large": ([{**wire, "payload": "A" * BATCH_MAX_BYTES}], 413),
    }
    for name, (events, status) in bodies.items():
        url = f"{running.url}/v1/events/batch"
        answer = httpx.post(url, content=json.dumps({"events": events}), auth=auth)
        assert (name, answer.status_code) == (name, status)
    assert httpx.get(f"{running.url}/healthz").json() == size


def test_an_event_that_no_ledger_reads_holds_up_no_other(running: Running) -> None:
    """Its batch is refused whole; then each goes alone, and the others are in the log."""
    first, second = consents(running.world, 2)
    broken = replace(first, payload=b"{}")
    with running.client(running.world.council) as client:
        assert reasons(client.append_batch([broken, second])) == ["format.invalid", None]


def test_a_batch_costs_a_caller_more_than_one_request(running: Running) -> None:
    """Ten events are one request of the rate, so batches do not lift it."""
    slow = running.settings.model_copy(update={"request_burst": 2, "requests_per_second": 0.001})
    events = consents(running.world, 10)
    council = running.world.council
    with serving(create_app(slow, lambda: NOON)) as url, running.client(council, url) as client:
        assert reasons(client.append_batch(events)) == [None] * 10
        with pytest.raises(LedgerUnavailableError, match="429"):
            client.append_batch(events)


Lie = Callable[[dict[str, Any]], None]


def drop(answer: dict[str, Any]) -> None:
    """One event is said nothing of."""
    answer["events"].pop()


def double(answer: dict[str, Any]) -> None:
    """One more than was sent."""
    answer["events"].append(answer["events"][0])


def swap(answer: dict[str, Any]) -> None:
    """Receipts in another order."""
    answer["events"].reverse()


def repeat(answer: dict[str, Any]) -> None:
    """One event's receipt for every event."""
    answer["events"] = [answer["events"][0]] * len(answer["events"])


def shrink(answer: dict[str, Any]) -> None:
    """Another size than the signed one."""
    answer["size"] -= 1


def mix(answer: dict[str, Any]) -> None:
    """A receipt and a refusal in one."""
    answer["events"][0] |= {"reason": "x", "detail": "y"}


@contextmanager
def lying(running: Running) -> Iterator[tuple[LedgerClient, Front]]:
    """A ledger whose answers may be altered on the way."""
    front = Front(create_app(running.settings, lambda: NOON))
    with serving(front) as url, running.client(running.world.council, url) as client:
        yield client, front


@pytest.mark.parametrize(
    ("lie", "error"),
    [
        pytest.param(lie, error, marks=pytest.mark.invariant(5, "receipts of a batch", double=how))
        for lie, error, how in (
            (drop, AnswerError, "withholds"),
            (double, AnswerError, "lies"),
            (swap, ProofError, "reorders"),
            (repeat, ProofError, "replays"),
            (shrink, ProofError, "lies"),
            (mix, AnswerError, "lies"),
        )
    ],
)
def test_no_event_counts_by_another_ones_receipt(
    running: Running, lie: Lie, error: type[GovernanceError]
) -> None:
    """Fewer, more, swapped, repeated or ambiguous receipts are no receipts at all."""

    def twist(path: str, status: int, body: bytes) -> tuple[int, bytes]:
        answer = json.loads(body)
        if path.endswith("batch"):
            lie(answer)
        return status, json.dumps(answer).encode()

    events = consents(running.world, 3)
    with lying(running) as (client, front):
        front.twist = twist
        with pytest.raises(error):
            client.append_batch(events)


def test_a_ledger_that_is_older_than_batches_gets_events_one_by_one(running: Running) -> None:
    """Its refusals are told by event too."""
    first, second = consents(running.world, 2)

    ledger = create_app(running.settings, lambda: NOON)
    asked: list[str] = []

    async def older(scope: Message, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        if scope["path"].endswith("batch"):
            scope = {**scope, "path": "/v1/no-such"}
        await ledger(scope, receive, send)

    council = running.world.council
    with serving(older) as url, running.client(council, url) as client:
        outcomes = client.append_batch([first, forged(second, signature=b64(bytes(64))), second])
    assert asked == ["/v1/events/batch", *["/v1/events"] * 3]
    assert reasons(outcomes)[1] == "signature.invalid"
    assert reasons(outcomes)[::2] == [None, None]


@pytest.mark.invariant(17, "a batch whose commit fails")
def test_a_batch_that_is_not_committed_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the log nor in what the service believes of it; later the batch is taken."""
    world = World()
    service = service_of(world, tmp_path)
    events = consents(world, 3)
    size = service.size()
    append = Writer.append

    def full(writer: Writer, events: list[Event]) -> None:
        append(writer, events)
        raise StoreError("the disk is full")

    with monkeypatch.context() as crash:
        crash.setattr(Writer, "append", full)
        with pytest.raises(StoreError):
            service.append_batch(events)
    assert service.size() == size
    withdrawal = world.withdraw(world.council, events[0])
    assert isinstance(service.append_batch([withdrawal]).outcomes[0], GovernanceError)
    assert len(service.append_batch(events).outcomes) == 3
    assert service.size() == size + 3


def service_of(world: World, folder: Path) -> LedgerService:
    """A service whose log holds a world's events."""
    store = LedgerStore(Database(f"sqlite:///{folder / 'log.db'}", "log"), ORIGIN)
    service = LedgerService(store, SigningKey.generate(), ORIGIN, lambda: NOON)
    for event in world.events:
        service.append(event)
    return service


@settings(max_examples=10, deadline=None)
@given(words=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["yes", "no", "back"]))))
def test_whatever_a_batch_holds_replay_admits_it(
    tmp_path_factory: pytest.TempPathFactory, words: list[tuple[int, str]]
) -> None:
    """Events are judged before any of the batch is applied; none depends on another."""
    world = World()
    service = service_of(world, tmp_path_factory.mktemp("log"))
    grants = consents(world, 4)
    service.append_batch(grants)
    batch = []
    for person, word in words:
        if word == "back":
            batch.append(world.withdraw(world.council, grants[person]))
        else:
            state = {"yes": "given", "no": "refused"}[word]
            batch.append(world.consent(world.council, f"{person:032x}", state=state))
    if batch:
        service.append_batch(batch)
    entries = [WireEvent(leaf=b64(e.leaf), salt=b64(e.salt or b""), payload=b64(e.payload or b""))
               for e in service.entries(0, service.size())]  # fmt: skip
    replayed = LedgerState(ORIGIN).replay(wire.event() for wire in entries)
    assert replayed.rejected == []
    for person in range(4):
        found = replayed.consents.current("council", f"{person:032x}", ConsentKind.APPROACH)
        expected = world.state.consents.current("council", f"{person:032x}", ConsentKind.APPROACH)
        assert found == expected


def test_parts_fit_into_a_batch_each() -> None:
    """Whatever their sizes, all events are sent, in order, within both limits."""
    world = World()
    author: Author = world.council.author()
    sizes = [10] * (BATCH_EVENTS + 2) + [900_000, 900_000, 10, 500_000, 10]
    events = [Event(author.write(EventType.REFUSED, Refused(
        party="council", action="prepare", reason="x", about=None)).leaf, bytes(32), b"x" * size)
        for size in sizes]  # fmt: skip
    parts = list(in_batches(events, lambda event: event))
    assert [event for part in parts for event in part] == events
    assert [len(part) for part in parts] == [500, 3, 4]
    for part in parts:
        body = WireBatch(events=tuple(map(WireEvent.of, part))).model_dump_json()
        assert len(body) <= BATCH_MAX_BYTES
