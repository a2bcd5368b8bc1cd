"""Hub and ledger through the console, over real HTTP, as whoever is signed in."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any, NoReturn

import pytest
from http_message_signatures import HTTPMessageSigner

from governance.canonical import b64
from governance.console.console import Console
from governance.console.errors import ClocksApart, NoHub, NotEnrolled
from governance.console.outside import LEDGER_SECONDS, SYNC_SECONDS
from governance.exchange.hub_client import HubRefused
from governance.identity.keys import SealingKey
from governance.identity.models import PersonKeys, Role, publish_person_keys
from governance.ledger.client import LedgerClient
from governance.ledger.errors import LedgerRefusedError, LedgerUnavailableError
from governance.ledger.events import EventType
from governance.ledger.payloads import PersonRevoked
from tests.console_world import NOWHERE, ConsoleWorld, console_world
from tests.hub_world import HubWorld

ROLES = (Role.ANALYST, Role.IG_LEAD, Role.SERVICE_MANAGER)


@pytest.fixture
def world(hub_world: HubWorld, tmp_path: Path) -> Iterator[ConsoleWorld]:
    """The council's console beside a real ledger and hub."""
    with console_world(
        tmp_path,
        ledger_url=hub_world.ledger_url,
        ledger_key=str(hub_world.hub.ledger.log_key),
        hub_url=hub_world.hub_url,
    ) as found:
        yield found


@pytest.mark.invariant(20, "pages that ask the hub for another role")
def test_the_hub_holds_people_to_their_role(hub_world: HubWorld, world: ConsoleWorld) -> None:
    """Each call is signed by the keys of whoever is signed in, and nobody else's."""
    outside = world.console.outside
    analyst = world.account(Role.ANALYST, staff=hub_world.staff["analyst"])
    assert outside.state(analyst).size == hub_world.agents["council"].ledger.sync().size
    with outside.hub(analyst) as hub:
        assert hub.runs().runs == ()
        with pytest.raises(HubRefused, match=r"access\.role"):
            hub.requests()
    lead = world.account(Role.IG_LEAD, staff=hub_world.staff["ig_lead"])
    with outside.hub(lead) as hub, pytest.raises(HubRefused, match=r"access\.role"):
        hub.runs()


def test_who_is_not_enrolled_reaches_neither(world: ConsoleWorld) -> None:
    """An account without keys, or with keys that nobody has logged, sees nothing of the ledger."""
    console = world.console
    own = world.account(Role.ANALYST, "Kim")
    for _ in range(2):
        with pytest.raises(NotEnrolled):
            console.outside.state(own)
        with pytest.raises(NotEnrolled), console.outside.hub(own):
            pass
        if not console.keys.documents(own):
            signing = console.outside.key_for_new(own)
            keys = PersonKeys(
                person=own.id,
                party="council",
                role=own.role,
                signing=b64(signing.public),
                sealing=b64(SealingKey.generate().public),
                created=own.created,
            )
            console.keys.add(own, publish_person_keys(keys, signing), None)
    with world.client(own) as client:
        assert "Made, and waiting" in client.get("/account").text


def test_a_wrong_clock_is_not_told_as_keys_that_are_unknown(
    hub_world: HubWorld, world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither while the copy is empty, nor before a signature; pages of a copy are shown."""
    outside, sign = world.console.outside, HTTPMessageSigner.sign
    own = world.account(Role.ANALYST, staff=hub_world.staff["analyst"])

    def slow(signer: HTTPMessageSigner, message: object, **what: Any) -> None:
        sign(signer, message, created=datetime.now(UTC) - timedelta(minutes=3), **what)

    with monkeypatch.context() as patch:
        patch.setattr(HTTPMessageSigner, "sign", slow)
        for ask in (outside.state, outside.enrolled, outside.enrolled_now):
            with pytest.raises(ClocksApart, match="clocks"):
                ask(own)
        with world.client(own) as client:
            answer = client.get("/runs")
        assert answer.status_code == 503
        assert "console.clock" in answer.text
    assert outside.enrolled_now(own).keys == hub_world.staff["analyst"].keys
    with monkeypatch.context() as patch:
        patch.setattr(HTTPMessageSigner, "sign", slow)
        assert outside.state(own).size > 0
        with world.client(own) as client:
            answer = client.get("/runs")  # the hub's clock is the ledger's here
        assert answer.status_code == 409
        assert "request.time" in answer.text  # the hub's own code, and not that it refused
        assert "hub.refused" not in answer.text


def test_who_was_enrolled_a_moment_ago_waits_for_whoever_syncs(
    hub_world: HubWorld, world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another request's sync is waited for, but not for ever, and then the copy is brought up."""
    outside = world.console.outside
    own = world.account(Role.ANALYST, staff=hub_world.staff["analyst"])
    outside._syncing.acquire()  # as another request does that began before the enrolment
    with monkeypatch.context() as patch:
        patch.setattr("governance.console.outside.LEDGER_SECONDS", 0.01)
        with pytest.raises(NotEnrolled):
            outside.enrolled(own)
    Timer(0.02, outside._syncing.release).start()
    assert outside.enrolled(own).keys == hub_world.staff["analyst"].keys


def test_of_many_who_were_enrolled_a_moment_ago_one_asks_the_ledger(
    hub_world: HubWorld, world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom another's sync brought does not ask again: fifty in a row would wait for each other."""
    outside, asked = world.console.outside, []
    own = [world.account(role, staff=hub_world.staff[role]) for role in ROLES]
    sync = outside.ledger.mirror.sync

    def counted(client: LedgerClient) -> object:
        asked.append(client)
        return sync(client)

    monkeypatch.setattr(outside.ledger.mirror, "sync", counted)
    outside._syncing.acquire()
    with ThreadPoolExecutor(2 * len(own)) as pool:
        found = [
            pool.submit(ask, each) for each in own for ask in (outside.enrolled, outside.state)
        ]
        while not all(each.running() for each in found):
            time.sleep(0.001)
        time.sleep(0.02)
        outside._syncing.release()
        assert [each.result(10) for each in found]
    assert len(asked) == 1


def test_a_copy_that_another_request_fills_is_waited_for(
    hub_world: HubWorld, world: ConsoleWorld
) -> None:
    """Who comes to a console that was just made is not told that their keys are unknown."""
    outside = world.console.outside
    own = world.account(Role.ANALYST, staff=hub_world.staff["analyst"])
    outside._syncing.acquire()
    Timer(0.02, outside._syncing.release).start()
    assert outside.state(own).size > 0


def test_revoked_keys_are_replaced(hub_world: HubWorld, world: ConsoleWorld) -> None:
    """After a revocation the person is out, and the next key document has another key."""
    outside, keys = world.console.outside, world.console.keys
    staff = hub_world.staff["service_manager"]
    own = world.account(Role.SERVICE_MANAGER, staff=staff)
    other = world.account(Role.IG_LEAD, staff=hub_world.staff["ig_lead"])
    outside.state(own)
    assert outside.key_for_new(own) == staff.signing
    with outside.hub(own) as hub:
        hub.requests()
    revoked = PersonRevoked(keys=staff.keys.thumbprint, reason="lost_key")
    assert outside.enrolled_now(own).keys == staff.keys
    hub_world.agents["council"].ledger.write(EventType.PERSON_REVOKED, revoked)
    assert outside.enrolled(own).keys == staff.keys  # by the copy, which is behind
    with pytest.raises(NotEnrolled, match="or no longer"):
        outside.enrolled_now(own)
    outside.refresh(other)
    with pytest.raises(NotEnrolled):
        outside.enrolled(own)
    new = outside.key_for_new(own)
    assert new != staff.signing
    assert outside.key_for_new(own) == new == keys.signing(own)
    assert keys.signing_of(own, staff.keys) == staff.signing


def test_a_ledger_that_fails_says_nothing_of_keys(
    hub_world: HubWorld, world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told that theirs do not count since a server has a fault."""
    outside = world.console.outside
    own = world.account(Role.ANALYST, staff=hub_world.staff["analyst"])
    outside.state(own)

    def failing(_client: LedgerClient) -> NoReturn:
        raise LedgerRefusedError("the ledger refused", code="internal", status=500)

    monkeypatch.setattr(outside.ledger.mirror, "sync", failing)
    assert outside.enrolled_now(own).keys == hub_world.staff["analyst"].keys


def test_pages_outlive_an_absent_ledger(hub_world: HubWorld, tmp_path: Path) -> None:
    """Where the ledger is away, pages show what the copy holds."""
    key = str(hub_world.hub.ledger.log_key)
    with console_world(
        tmp_path, ledger_url=hub_world.ledger_url, ledger_key=key, hub_url=None
    ) as world:
        own = world.account(Role.ANALYST, staff=hub_world.staff["analyst"])
        size = world.console.outside.state(own).size
    away = world.console.settings.model_copy(update={"ledger_url": NOWHERE})
    console = Console.open(tmp_path, away)
    assert console.outside.state(own).size == size > 0
    assert console.outside.enrolled(own).keys == hub_world.staff["analyst"].keys
    with pytest.raises(NoHub), console.outside.hub(own):
        pass
    console.close()


def test_not_every_page_waits_for_an_absent_ledger(
    hub_world: HubWorld, world: ConsoleWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes first waits, and not for long; nobody else does until it is tried again."""
    asked: list[float] = []

    def away(client: LedgerClient, **_: object) -> NoReturn:
        asked.append(client._within)
        raise LedgerUnavailableError("away")

    outside, own = world.console.outside, world.account(Role.ANALYST, "Kim")
    analyst = world.account(Role.ANALYST, staff=hub_world.staff["analyst"])
    with monkeypatch.context() as patch:
        patch.setattr(LedgerClient, "checkpoint", away)
        for account in (analyst, own, analyst):
            with pytest.raises(NotEnrolled):
                outside.state(account)
        with pytest.raises(LedgerUnavailableError), outside.public():
            pass
        assert asked == [LEDGER_SECONDS]
        outside._failed -= SYNC_SECONDS
        with pytest.raises(LedgerUnavailableError), outside.public() as client:
            client.checkpoint(witnesses=1)
        assert asked == [LEDGER_SECONDS] * 2
    outside._failed -= SYNC_SECONDS
    assert outside.state(analyst).size > 0
