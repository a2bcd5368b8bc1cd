"""An answer is kept once, within what was agreed for a day, and taken back while it is here."""

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, insert, select, text

from governance.canonical import sha256, write_time
from governance.ledger.events import EventType
from governance.ledger.payloads import ReleaseRefused
from governance.release.models import Order
from partner_agent.releases.answers import RATE_WINDOW, Answer, AnswerStore
from partner_agent.releases.errors import RateLimited, WithdrawnHere
from partner_agent.store.database import AgentDatabase, AgentStoreError
from partner_agent.store.tables import answers, withdrawals
from tests.governance.world import NOON, World

SECOND = timedelta(seconds=1)
GRANT = "4" * 32


class Kept:
    """A partner's answers and a clock that stands."""

    def __init__(self, folder: Path) -> None:
        self.now = NOON
        self.world = World()
        self.database = AgentDatabase(folder / "agent.db")
        self.store = AnswerStore(self.database, lambda: self.now)
        self.event = self.world.council.author().write(
            EventType.RELEASE_REFUSED,
            ReleaseRefused(request=sha256(b""), party="council", reason="consent.withdrawn"),
        )

    def order(self, number: int) -> Order:
        """The order of a number."""
        members = self.world.members(("1", True, [(self.world.council, "1" * 32)]))
        request = self.world.request(members, id=f"{number:032x}")
        approval = self.world.approval(request)
        return Order(request=request, approval=approval, members=members, checkpoint="note")

    def seal(self, number: int, most: int = 2, grants: tuple[str, ...] = (GRANT,)) -> str:
        """Keep an answer; the request that it answers."""
        order = self.order(number)
        self.store.seal(order, order.approval, self.event, most=most, grants=grants)
        return order.request.payload_hash

    def withdraw(self, grant: str) -> None:
        """Accept a withdrawal."""
        with self.database.writing() as connection:
            connection.execute(
                insert(withdrawals).values(
                    grant_id=grant, event=b"", accepted=write_time(NOON), logged=False
                )
            )

    def rows(self) -> dict[str, Row[Any]]:
        """What is kept, by request."""
        with self.database.reading() as connection:
            return {row.request: row for row in connection.execute(select(answers))}

    def sealed_bytes(self) -> int:
        """How many answers still hold sealed items."""
        with self.database.reading() as connection:
            return int(
                connection.execute(
                    text("SELECT count(*) FROM answers WHERE sealed IS NOT NULL")
                ).scalar_one()
            )


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """No answers yet."""
    found = Kept(tmp_path)
    yield found
    found.database.close()


def test_a_sealed_answer_waits_for_ledger_and_hub(kept: Kept) -> None:
    """With everything that has to be repeated after a crash, until both have it."""
    request = kept.seal(1)
    (waiting,) = kept.store.waiting()
    assert waiting.order == kept.order(1)
    assert waiting.sealed == kept.order(1).approval
    assert (waiting.event, waiting.retraction, waiting.reason) == (kept.event, None, None)
    kept.store.mark(request, logged=True)
    assert [item.logged for item in kept.store.waiting()] == [True]
    kept.store.mark(request, delivered=True)
    assert kept.store.waiting() == []
    answer = Answer(request, True, None, write_time(NOON), True, True)
    assert kept.store.all() == [answer]


@pytest.mark.invariant(9, "a hub that asks again", double="replays")
@pytest.mark.invariant(17, "a hub that asks again", double="replays")
def test_a_request_is_answered_once(kept: Kept) -> None:
    """Neither sealed twice, nor refused after it was sealed, nor sealed after it was refused."""
    request = kept.seal(1)
    with pytest.raises(AgentStoreError):
        kept.seal(1)
    with pytest.raises(AgentStoreError):
        kept.store.refuse(request, "consent.missing", "consent.missing", kept.event)
    refused = kept.order(2)
    kept.store.refuse(
        refused.request.payload_hash, "consent.missing", "consent.missing", kept.event
    )
    with pytest.raises(AgentStoreError):
        kept.seal(2)
    assert [answer.sealed for answer in kept.store.all()] == [True, False]


@pytest.mark.invariant(19, "a hub that asks more than agreed", double="lies")
def test_no_more_leaves_in_a_day_than_agreed(kept: Kept) -> None:
    """The day is any twenty-four hours; refusals do not count, and nothing is kept beyond."""
    kept.store.refuse(sha256(b"other"), "consent.missing", "consent.missing", kept.event)
    kept.seal(1)
    kept.now += SECOND
    kept.seal(2)
    with pytest.raises(RateLimited):
        kept.seal(3)
    kept.now = NOON + RATE_WINDOW - SECOND
    with pytest.raises(RateLimited):
        kept.seal(3)
    assert kept.sealed_bytes() == 2
    kept.now = NOON + RATE_WINDOW
    kept.seal(3)
    with pytest.raises(RateLimited):
        kept.seal(4)


def test_where_one_a_day_is_agreed_one_leaves(kept: Kept) -> None:
    """The first, and no second."""
    kept.seal(1, most=1)
    with pytest.raises(RateLimited):
        kept.seal(2, most=1)


@pytest.mark.invariant(3, "a withdrawal accepted while an order is answered", double="withholds")
def test_a_withdrawal_here_comes_first(kept: Kept) -> None:
    """One that was accepted before the answer is stored stops it; another's does not."""
    kept.withdraw("5" * 32)
    kept.seal(1)
    kept.withdraw(GRANT)
    with pytest.raises(WithdrawnHere):
        kept.seal(2)
    kept.seal(3, grants=("6" * 32,))
    assert len(kept.store.all()) == 2


def test_what_is_taken_back_is_destroyed_when_the_hub_has_the_refusal(kept: Kept) -> None:
    """Until then the sealed items stay, since the hub may hold them already."""
    request, other = kept.seal(1), kept.seal(2)
    told = kept.world.council.author().write(
        EventType.RELEASE_REFUSED,
        ReleaseRefused(request=request, party="council", reason="release.local"),
    )
    kept.store.mark(request, logged=True)
    kept.store.retract(request, "consent.withdrawn", "release.local", told)
    answer = next(answer for answer in kept.store.all() if answer.request == request)
    assert (answer.sealed, answer.reason) == (False, "consent.withdrawn")
    assert kept.sealed_bytes() == 2
    item = next(item for item in kept.store.waiting() if item.request == request)
    assert item.retraction == told
    kept.store.retracted(item)
    assert kept.sealed_bytes() == 1
    waiting = {each.request: each for each in kept.store.waiting()}
    assert waiting[request].event == told
    assert (waiting[request].logged, waiting[request].retraction) == (False, None)
    assert waiting[other].sealed is not None


def test_what_had_left_stays_released(kept: Kept) -> None:
    """Where the hub held the items already, the answer is what it was."""
    request = kept.seal(1)
    kept.store.retract(request, "consent.withdrawn", "release.local", kept.event)
    kept.store.had_left(request)
    (answer,) = kept.store.all()
    assert (answer.sealed, answer.reason, answer.delivered) == (True, None, True)
    (waiting,) = kept.store.waiting()
    assert waiting.retraction is None


def test_what_has_left_is_told_oldest_first(kept: Kept) -> None:
    """Neither what waits, nor what was refused or taken back, nor what is destroyed by now."""
    kept.now += SECOND
    kept.seal(2, most=9)
    kept.now -= SECOND
    for number in (1, 3):
        kept.seal(number, most=9)
    refused = kept.order(4).request.payload_hash
    kept.store.refuse(refused, "consent.missing", "consent.missing", kept.event)
    requests = {number: kept.order(number).request.payload_hash for number in (1, 2, 3)}
    assert kept.store.released() == []
    kept.store.mark(refused, delivered=True)
    kept.store.mark(requests[2], delivered=True)
    kept.store.mark(requests[1], delivered=True)
    kept.store.retract(requests[3], "consent.withdrawn", "release.local", kept.event)
    taken_back = next(item for item in kept.store.waiting() if item.request == requests[3])
    kept.store.retracted(taken_back)
    times = [write_time(NOON), write_time(NOON + SECOND)]
    assert kept.store.released() == [(kept.order(1), times[0]), (kept.order(2), times[1])]
    assert [answer.answered for answer in kept.store.all()] == [times[0]] * 3 + times[1:]
    (older,) = kept.store.waiting()[:1]
    assert older.answered == NOON
    kept.store.purge(NOON + SECOND)
    assert kept.store.released() == [(kept.order(2), times[1])]


@pytest.mark.invariant(9, "a hub that asks again after the answer was destroyed", double="replays")
@pytest.mark.invariant(17, "a hub that asks again after the answer was destroyed", double="replays")
def test_of_an_answer_whose_period_is_over_only_the_mark_stays(kept: Kept) -> None:
    """It answers the request no second time; a younger answer is kept whole."""
    sealed, refused = kept.seal(1), sha256(b"refused")
    kept.store.refuse(refused, "release.protected", "release.local", kept.event)
    for request in (sealed, refused):
        kept.store.mark(request, logged=True, delivered=True)
    kept.now += SECOND
    younger = kept.seal(2)
    kept.store.mark(younger, logged=True, delivered=True)
    assert kept.store.due(kept.now) == 2
    assert kept.store.purge(kept.now) == 2
    assert kept.store.purge(kept.now) == kept.store.due(kept.now) == 0
    rows = kept.rows()
    for request in (sealed, refused):
        row = rows[request]
        assert (row.sealed, row.order_document, row.here, row.event) == (None, None, None, b"")
    assert rows[younger].sealed is not None
    assert rows[younger].event != b""
    found = {answer.request: answer for answer in kept.store.all()}
    assert (found[sealed].sealed, found[sealed].reason) == (True, None)
    assert (found[refused].sealed, found[refused].reason) == (False, "release.local")
    assert [found[request].destroyed for request in (sealed, younger)] == [
        write_time(kept.now), None,
    ]  # fmt: skip
    assert [order for order, _ in kept.store.released()] == [kept.order(2)]
    with pytest.raises(AgentStoreError):
        kept.seal(1)
    with pytest.raises(AgentStoreError):
        kept.store.refuse(sealed, "consent.missing", "consent.missing", kept.event)


def test_what_ledger_and_hub_are_owed_is_kept_until_they_have_it(kept: Kept) -> None:
    """Sealed items that may leave at any moment stay; a refusal's event goes once it is told."""
    unsent, refused = kept.seal(1), sha256(b"refused")
    kept.store.refuse(refused, "release.protected", "release.local", kept.event)
    kept.now += SECOND
    younger = kept.seal(2)
    assert kept.store.unsent(kept.now) == [unsent]
    assert kept.store.purge(kept.now) == 1
    assert kept.rows()[younger].event != b""
    assert kept.rows()[unsent].sealed is not None
    (waiting,) = (item for item in kept.store.waiting() if item.request == refused)
    assert (waiting.event, waiting.reason) == (kept.event, "release.local")
    kept.store.mark(refused, logged=True, delivered=True)
    kept.store.purge(kept.now)
    assert kept.rows()[refused].event == b""


@pytest.mark.invariant(17, "kill -9 while answers are destroyed")
def test_a_kill_while_answers_are_destroyed_loses_no_mark(kept: Kept, tmp_path: Path) -> None:
    """All is destroyed or nothing is, and every request stays used."""
    requests = {kept.seal(number, most=999) for number in range(40)}
    for request in requests:
        kept.store.mark(request, logged=True, delivered=True)
    kept.now += SECOND
    chance = random.Random(17)
    for _ in range(12):
        begun, begins = os.pipe()
        child = os.fork()
        if child == 0:  # pragma: no cover - the child is killed
            _destroy_until_killed(tmp_path / "agent.db", kept, begins)
        assert os.read(begun, 1) == b"!"
        os.close(begun)
        os.close(begins)
        time.sleep(chance.uniform(0.0, 0.06))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        rows = kept.rows()
        assert rows.keys() == requests
        assert len({row.sealed is None for row in rows.values()}) == 1
    kept.store.purge(kept.now)
    assert kept.sealed_bytes() == 0
    assert kept.rows().keys() == requests


def _destroy_until_killed(path: Path, kept: Kept, begins: int) -> None:  # pragma: no cover
    database = AgentDatabase(path)
    store = AnswerStore(database, lambda: kept.now)
    os.write(begins, b"!")
    while True:
        store.purge(kept.now)
        with database.writing() as connection:  # whole again, for the next round
            connection.execute(answers.update().values(destroyed=None, sealed=b"whole"))
