"""What waits at the desk goes out once, or is taken back, whatever ledger and hub say."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import insert, select

from governance.agreements.models import Agreement
from governance.canonical import b64, canonical_bytes, sha256, write_time
from governance.exchange.hub_client import HubClient, HubRefused, HubUnavailable
from governance.exchange.release_api import AnswerPost
from governance.identity.keys import SigningKey
from governance.ledger.errors import LedgerRefusedError, LedgerUnavailableError, QuorumError
from governance.ledger.events import Event, EventType
from governance.ledger.note import (
    Checkpoint,
    KeyKind,
    Note,
    VerifierKey,
    open_checkpoint,
    sign_checkpoint,
)
from governance.ledger.payloads import ReleaseRefused, Sealed, read_payload
from governance.release.errors import RequestNotLogged
from governance.release.models import Order
from governance.release.seal import open_records
from governance.release.verify import VerifiedOrder
from partner_agent.protection.register import Protections
from partner_agent.releases.desk import ReleaseDesk
from partner_agent.rights.blocks import Blocks
from partner_agent.rights.errors import BlockedHere
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import (
    rights_blocks,
    rights_records,
    rights_requests,
    withdrawals,
)
from partner_agent.vault.store import StoredRow
from tests.governance.world import NOON, ORIGIN, Party, World

MOTHER = "1" * 32
LOG = SigningKey(b"\x01" * 32)
LOG_KEY = VerifierKey(ORIGIN, KeyKind.LOG, LOG.public)


class Ledger:
    """A ledger that takes what it is given, until it is told otherwise."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.author = world.council.author()
        self.taken: list[EventType] = []
        self.asked = 0
        self.before: Callable[[Event], None] = lambda _event: None
        self.holders: list[frozenset[str]] = []
        self.behind: Exception | None = None
        self.mirror = SimpleNamespace(
            verify_witnessed=self.verify_witnessed, root=lambda _size: bytes(32)
        )

    @property
    def state(self) -> Any:
        """The replay."""
        return self.world.state

    def sync(self) -> Any:
        """The replay, once more from the ledger."""
        self.asked += 1
        return self.world.state

    def policy(self, agreement: Agreement, holders: frozenset[str]) -> str:
        """Remember whose cosignatures were asked for."""
        self.holders.append(holders)
        return agreement.id

    def verify_witnessed(self, note: Note, policy: str, now: datetime) -> Any:
        """A mirror that holds the tree, unless it is behind."""
        assert now == NOON
        assert policy == self.world.agreement.id
        if self.behind:
            raise self.behind
        return SimpleNamespace(checkpoint=open_checkpoint(note, LOG_KEY))

    def append(self, event: Event) -> None:
        """Take an event."""
        self.before(event)
        self.taken.append(event.leaf.type)
        self.last = event


class Hub:
    """A hub that keeps the answers, or says what it is told to say."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, bool, str | None]] = []
        self.posts: list[AnswerPost] = []
        self.orders: Callable[[], Any] = lambda: SimpleNamespace(orders=[])
        self.raises: list[Exception] = []

    def answer(self, request: str, post: AnswerPost) -> None:
        """Take an answer."""
        if self.raises:
            raise self.raises.pop(0)
        self.posts.append(post)
        self.answers.append((request, post.sealed is not None, post.refusal))


class Desk:
    """The council's desk between such a ledger and such a hub, with one sealed answer."""

    def __init__(self, folder: Path) -> None:
        self.world = World()
        self.grant = self.world.consent(self.world.council, MOTHER)
        self.ledger, self.hub, self.now = Ledger(self.world), Hub(), NOON
        self.withdrawn: set[str] = set()
        self.accepted: dict[str, datetime] = {}
        self.protected = False
        self.database = AgentDatabase(folder / "agent.db")
        held = {bytes.fromhex(MOTHER)}
        vault = cast(
            Any,
            SimpleNamespace(
                get=self.row,
                has=held.intersection,
                get_many=lambda wanted: {each: self.row(each) for each in held & set(wanted)},
                hash_key=b"key",
            ),
        )
        self.desk = ReleaseDesk(
            cast(
                Any,
                SimpleNamespace(
                    keys=self.world.council.keys, signing_key=self.world.council.signing
                ),
            ),
            self.database,
            vault,
            cast(Any, self.ledger),
            cast(
                Any,
                SimpleNamespace(
                    withdrawn_here=lambda: self.withdrawn, accepted=lambda: self.accepted
                ),
            ),
            Blocks(self.database),
            Protections(self.database, vault),
            lambda: self.now,
        )
        self.request = self.seal()

    def row(self, handle: bytes) -> StoredRow:
        """The vault's row of the mother."""
        assert handle.hex() == MOTHER
        clean = {"first_name": "ann", "date_of_birth": "1980-02-01"}
        return StoredRow(handle, "council_records", clean, {}, protected=self.protected)

    def seal(self, number: int = 1) -> str:
        """Keep a sealed answer to an approved request, as after a crash before it went out."""
        members = self.world.members(("1", True, [(self.world.council, MOTHER)]))
        request = self.world.request(members, id=f"{number:032x}")
        approval = self.world.approval(request)
        self.world.log_release(request, approval)
        order = Order(request=request, approval=approval, members=members, checkpoint="note")
        receipt = Sealed(
            request=request.payload_hash,
            order=order.hash,
            party="council",
            records=1,
            ciphertext_sha256=order.hash,
        )
        event = self.ledger.author.write(EventType.RELEASE_SEALED, receipt)
        self.desk._kept.seal(order, approval, event, most=9, grants=())
        return request.payload_hash

    def order(
        self, number: int, *, adult: bool = True, beside: str | None = None, family: str = ""
    ) -> Order:
        """An approved order in a checkpoint that the log signed."""
        people: list[tuple[str, bool, list[tuple[Party, str]]]]
        people = [("1", adult, [(self.world.council, MOTHER)])]
        people += [] if beside is None else [("2", True, [(self.world.council, beside)])]
        members = self.world.members(*people)
        members = members.model_copy(update={"family": family} if family else {})
        request = self.world.request(members, id=f"{number:032x}")
        approval = self.world.approval(request)
        self.world.log_release(request, approval)
        checkpoint = Checkpoint(ORIGIN, len(self.world.events), bytes(32))
        note = sign_checkpoint(checkpoint, LOG_KEY, LOG)
        return Order(request=request, approval=approval, members=members, checkpoint=str(note))

    def answer(self, *orders: Order) -> tuple[list[tuple[bool, str | None]], list[str]]:
        """Answer what a hub hands out: sealed or why not, and the reasons to try again."""
        items = [SimpleNamespace(order=order) for order in orders]
        self.hub.orders = lambda: SimpleNamespace(orders=items)
        given, later = self.desk.answer_all(cast(HubClient, self.hub))
        found = [(answer.sealed, answer.reason) for answer in given]
        waits = {order.request.payload_hash for order in orders}
        assert {each.request for each in later} <= waits
        return found, [each.reason for each in later]

    def block(self, handle: str, request: str = "7" * 32) -> None:
        """Somebody's objection was carried out here: a record takes no part any more."""
        about = {"request": request, "source": "council_records", "locator": bytes(32)}
        opened = {
            "id": request, "kind": "objection", "agreement": self.world.agreement.hash,
            "received": "2026-11-20", "due": "2026-12-20", "extended": False,
            "opened": write_time(NOON),
        }  # fmt: skip
        with self.database.writing() as connection:
            connection.execute(insert(rights_requests).values(opened))
            connection.execute(insert(rights_records).values(**about, handle=bytes.fromhex(handle)))
            connection.execute(insert(rights_blocks).values(about))

    def named_after(self) -> list[str | None]:
        """When the hub named a record that it had confirmed to be gone, by request."""
        with self.database.reading() as connection:
            return list(connection.scalars(select(rights_requests.c.named_after)))

    def purge(self, days: int) -> int:
        """Destroy answers that are so old."""
        return self.desk.purge(self.now - timedelta(days=days))

    def deliver(self) -> list[tuple[str, str]]:
        """Hand out what waits; what has to be tried again, with the reason."""
        later = self.desk.deliver(cast(HubClient, self.hub))
        return [(each.request, each.reason) for each in later]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk with one sealed answer that waits."""
    found = Desk(tmp_path)
    yield found
    found.database.close()


def refusal(reason: str) -> HubRefused:
    """A refusal by the hub."""
    return HubRefused("no", next_step="", hub_reason=reason, status=409)


def test_the_receipt_is_logged_before_the_items_leave(desk: Desk) -> None:
    """Once, and the items once."""
    desk.ledger.before = lambda _event: desk.hub.answers.append(("early", True, None))
    assert desk.deliver() == []
    assert desk.hub.answers == [("early", True, None), (desk.request, True, None)]
    assert desk.deliver() == []
    assert desk.ledger.taken == [EventType.RELEASE_SEALED]
    assert len(desk.hub.answers) == 2


@pytest.mark.invariant(3, "a withdrawal here while sealed items wait", double="withholds")
def test_a_withdrawal_before_the_receipt_puts_a_refusal_in_its_place(desk: Desk) -> None:
    """The ledger never hears of a release that did not happen."""
    desk.withdrawn = {desk.grant.leaf.id}
    assert desk.deliver() == []
    assert desk.hub.answers == [(desk.request, False, "release.local")]
    assert desk.ledger.taken == [EventType.RELEASE_REFUSED]
    assert desk.deliver() == []
    assert len(desk.hub.answers) == 1


@pytest.mark.invariant(3, "a ledger that is slow while somebody withdraws", double="slow")
def test_a_withdrawal_during_the_receipt_still_holds_the_items_back(desk: Desk) -> None:
    """The ledger may take its time: what was withdrawn meanwhile is looked at again."""

    def withdraw(event: Event) -> None:
        if event.leaf.type is EventType.RELEASE_SEALED:
            desk.withdrawn = {desk.grant.leaf.id}

    desk.ledger.before = withdraw
    assert desk.deliver() == []
    assert desk.hub.answers == [(desk.request, False, "release.local")]
    assert desk.ledger.taken == [EventType.RELEASE_SEALED, EventType.RELEASE_REFUSED]
    assert desk.deliver() == []
    assert len(desk.ledger.taken) == 2


@pytest.mark.invariant(9, "a hub that comes back after the request's time", double="replays")
def test_what_waited_too_long_is_taken_back(desk: Desk) -> None:
    """A hub that was away until the request ended gets a refusal."""
    desk.hub.raises = [HubUnavailable("away")]
    with pytest.raises(HubUnavailable):
        desk.deliver()
    desk.now = NOON + timedelta(hours=12)
    assert desk.deliver() == []
    assert desk.hub.answers == [(desk.request, False, "release.request_expired")]
    (answer,) = desk.desk.answers()
    assert (answer.sealed, answer.reason) == (False, "release.request_expired")


@pytest.mark.invariant(17, "a hub that takes the items and never says so", double="withholds")
def test_a_hub_that_says_nothing_gets_the_very_same_bytes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it asks for them by its silence, there is one ciphertext and one receipt."""
    honest = desk.hub.answer

    def take_and_be_silent(request: str, post: AnswerPost) -> None:
        honest(request, post)
        raise HubUnavailable("no answer")

    monkeypatch.setattr(desk.hub, "answer", take_and_be_silent)
    for _ in range(3):
        with pytest.raises(HubUnavailable):
            desk.deliver()
    assert len(desk.hub.posts) == 3
    assert {canonical_bytes(post) for post in desk.hub.posts} == {
        canonical_bytes(desk.hub.posts[0])
    }
    assert desk.ledger.taken == [EventType.RELEASE_SEALED]


@pytest.mark.invariant(17, "a hub restored from an older backup", double="rolls back")
def test_a_hub_that_has_lost_an_answer_gets_no_other(desk: Desk) -> None:
    """It hands the order out again as if it had never been answered."""
    order = desk.order(2)
    assert desk.answer(order) == ([(True, None), (True, None)], [])
    assert {post.sealed is not None for post in desk.hub.posts} == {True}
    desk.hub.posts.clear()
    desk.ledger.taken.clear()
    assert desk.answer(order) == ([(True, None), (True, None)], [])
    assert (desk.hub.posts, desk.ledger.taken) == ([], [])


@pytest.mark.invariant(9, "a refused order again, once nothing speaks against it", double="replays")
@pytest.mark.invariant(23, "a refused order again", double="replays")
def test_a_refused_order_stays_refused(desk: Desk) -> None:
    """With its reason, once in the ledger: a new request and a new approval are needed."""
    desk.deliver()
    desk.protected = True
    order = desk.order(2)
    for _ in range(2):
        assert desk.answer(order)[0][-1] == (False, "release.protected")
        desk.protected = False
    assert desk.ledger.taken == [EventType.RELEASE_SEALED, EventType.RELEASE_REFUSED]
    assert desk.hub.answers[1:] == [(order.request.payload_hash, False, "release.local")]


@pytest.mark.invariant(20, "a family under a new name, and other people beside it", double="lies")
def test_whoever_stands_beside_somebody_is_not_tried_out_under_new_names(desk: Desk) -> None:
    """Two choices are answered; the third is refused before anybody's permission is looked at.

    So is one that everybody has agreed to, and by the next day it is answered.
    """
    names = [f"f-{at:032x}" for at in range(9, 15)]
    orders = [desk.order(2 + at, beside=f"{at:032x}", family=names[at]) for at in range(4)]
    answers, _ = desk.answer(*orders, desk.order(6, family=names[4]))
    refused = [(False, "consent.missing")] * 2 + [(False, "release.choices")] * 3
    assert sorted(answers[1:], key=str) == sorted(refused, key=str)
    assert {order.members.family for order in orders} == set(names[:4])
    told = [refusal for _, _, refusal in desk.hub.answers[1:]]
    assert sorted(map(str, told)) == sorted(reason for _, reason in refused)


@pytest.mark.invariant(17, "a hub that is away for as long as items are kept", double="slow")
def test_items_that_waited_for_their_whole_period_are_destroyed(desk: Desk) -> None:
    """Whether or not the hub comes back: it gets the refusal then, and the ledger as well."""
    desk.hub.raises = [HubUnavailable("away")]
    with pytest.raises(HubUnavailable):
        desk.deliver()
    desk.now = NOON + timedelta(days=31)
    assert desk.purge(30) == 1
    assert [answer.sealed for answer in desk.desk.answers()] == [False]
    (waiting,) = desk.desk._kept.waiting()
    assert (waiting.sealed, waiting.order) == (None, None)
    assert desk.deliver() == []
    assert desk.hub.answers == [(desk.request, False, "release.request_expired")]
    assert desk.ledger.taken == [EventType.RELEASE_SEALED, EventType.RELEASE_REFUSED]
    assert desk.deliver() == []
    assert desk.purge(30) == 0


@pytest.mark.invariant(17, "a hub that had the items before they were destroyed", double="lies")
def test_items_that_had_left_before_they_were_destroyed_stay_a_release(desk: Desk) -> None:
    """The ledger gets the receipt that it was owed, and nothing is handed out again."""
    desk.now = NOON + timedelta(days=31)
    assert desk.purge(30) == 1
    desk.hub.raises = [refusal("release.answer")]
    for _ in range(2):
        assert desk.deliver() == []
    (answer,) = desk.desk.answers()
    assert (answer.sealed, answer.reason, answer.logged, answer.delivered) == (
        True, None, True, True,
    )  # fmt: skip
    assert desk.ledger.taken == [EventType.RELEASE_SEALED]
    assert desk.hub.answers == []


@pytest.mark.invariant(17, "a hub that says it holds the items already", double="lies")
def test_a_hub_that_holds_the_items_already_is_believed_against_itself(desk: Desk) -> None:
    """Taking back came too late: the release stays a release in the partner's own books."""
    desk.withdrawn = {desk.grant.leaf.id}
    desk.hub.raises = [refusal("release.answer")]
    assert desk.deliver() == []
    (answer,) = desk.desk.answers()
    assert (answer.sealed, answer.reason, answer.delivered) == (True, None, True)


@pytest.mark.parametrize("away", [HubUnavailable("away"), refusal("hub.busy")])
def test_taking_back_is_repeated_until_the_hub_has_it(desk: Desk, away: Exception) -> None:
    """The sealed items never leave in between, also when the withdrawal is not seen again."""
    desk.withdrawn = {desk.grant.leaf.id}
    desk.hub.raises = [away]
    if isinstance(away, HubRefused):
        assert desk.deliver() == [(desk.request, "hub.busy")]
    else:
        with pytest.raises(HubUnavailable):
            desk.deliver()
    desk.withdrawn = set()
    assert desk.ledger.taken == []
    assert desk.deliver() == []
    assert desk.hub.answers == [(desk.request, False, "release.local")]
    assert desk.ledger.taken == [EventType.RELEASE_REFUSED]


UNKNOWN = "release.unknown_request"


@pytest.mark.invariant(17, "a hub restored from a backup without the request", double="rolls back")
def test_sealed_items_for_an_unknown_request_end_as_a_refusal(desk: Desk) -> None:
    """They are handed in while the request lives; then the ledger has the refusal, and no more."""
    desk.hub.raises = [refusal(UNKNOWN)] * 3
    assert desk.deliver() == [(desk.request, UNKNOWN)]
    desk.now = NOON + timedelta(hours=23, minutes=59)
    assert desk.deliver() == [(desk.request, UNKNOWN)]
    desk.now = NOON + timedelta(hours=24)
    assert desk.deliver() == []
    assert desk.hub.raises == []
    (answer,) = desk.desk.answers()
    assert (answer.sealed, answer.reason) == (False, "release.request_expired")
    assert answer.given_up == write_time(desk.now)
    assert desk.ledger.taken == [EventType.RELEASE_SEALED, EventType.RELEASE_REFUSED]
    assert desk.deliver() == []
    assert desk.hub.posts == []


@pytest.mark.parametrize("reason", [UNKNOWN, "release.answer", "hub.no"])
def test_a_refusal_that_the_hub_does_not_take_is_given_up(
    desk: Desk, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Once a day is over, whatever the hub says; the ledger had it from the first hour on."""
    desk.deliver()
    desk.protected = True
    order = desk.order(2)
    desk.hub.raises = [refusal(reason)] * 3
    assert desk.answer(order)[1] == [reason]
    assert desk.ledger.taken[1:] == [EventType.RELEASE_REFUSED]
    request = order.request.payload_hash
    assert desk.deliver() == [(request, reason)]
    desk.now = NOON + timedelta(hours=24)
    assert desk.deliver() == []
    assert desk.hub.raises == []
    assert [answer.given_up for answer in desk.desk.answers()] == [None, write_time(desk.now)]
    told = [record for record in caplog.records if record.message == "given up"]
    assert [(vars(each)["request"], vars(each)["reason"]) for each in told] == [(request, reason)]


def test_a_hub_that_is_away_for_a_day_gets_the_answer_all_the_same(desk: Desk) -> None:
    """Only what it refuses is given up."""
    desk.hub.raises = [HubUnavailable("away")]
    with pytest.raises(HubUnavailable):
        desk.deliver()
    desk.now = NOON + timedelta(days=3)
    assert desk.deliver() == []
    assert desk.hub.answers == [(desk.request, False, "release.request_expired")]
    assert [answer.given_up for answer in desk.desk.answers()] == [None]


def test_one_answer_holds_no_other_up(desk: Desk) -> None:
    """Neither a refusal of the hub, nor one of the ledger, nor an error of the program."""
    second, third = desk.seal(2), desk.seal(3)
    desk.hub.raises = [refusal("hub.no"), ValueError("a value")]
    later = desk.deliver()
    assert later == [(desk.request, "hub.no"), (second, "internal")]
    assert [request for request, _, _ in desk.hub.answers] == [third]
    assert desk.deliver() == []
    assert len(desk.hub.answers) == 3
    assert desk.ledger.taken == [EventType.RELEASE_SEALED] * 3


@pytest.mark.invariant(17, "a ledger that refuses a receipt", double="lies")
def test_nothing_leaves_without_its_receipt(desk: Desk) -> None:
    """Where the ledger refuses or is away, the items stay."""

    def refuse(_event: Event) -> None:
        raise LedgerRefusedError("no", code="ledger.no", status=409, next_step="")

    def away(_event: Event) -> None:
        raise LedgerUnavailableError("away")

    desk.ledger.before = refuse
    assert desk.deliver() == [(desk.request, "ledger.refused")]
    desk.ledger.before = away
    with pytest.raises(LedgerUnavailableError):
        desk.deliver()
    assert desk.hub.answers == []


def test_an_order_is_verified_sealed_and_handed_out(desk: Desk) -> None:
    """The manager opens what the receipt in the ledger is about."""
    desk.deliver()
    given, later = desk.answer(order := desk.order(2))
    assert (given, later) == ([(True, None), (True, None)], [])
    assert desk.ledger.holders == [frozenset({"council"})]
    assert desk.ledger.taken == [EventType.RELEASE_SEALED] * 2
    envelope = desk.hub.posts[-1].sealed
    assert envelope is not None
    manager, identities = desk.world.manager, desk.world.state.identities
    sealed, records = open_records(
        envelope,
        key=manager.sealing,
        recipient=manager.keys,
        request=order.request.payload_hash,
        holders=order.members.holders,
        party_key=identities.party_key,
    )
    assert [record.items for record in records] == [{"first_name": "Ann"}]
    assert (sealed.party, sealed.order) == ("council", order.hash)
    assert sealed.checkpoint.size == len(desk.world.events)
    payload = read_payload(desk.ledger.last)
    assert isinstance(payload, Sealed)
    assert (payload.records, payload.party, payload.order) == (1, "council", order.hash)
    assert payload.checkpoint == sealed.checkpoint
    assert payload.ciphertext_sha256 == sha256(sealed.ciphertext.encode())


@pytest.mark.invariant(9, "a hub that hands out an order again", double="replays")
def test_an_order_handed_out_again_is_not_looked_at(desk: Desk) -> None:
    """Answered is answered, whatever the hub says about the rest of the order."""
    order = desk.order(2)
    desk.answer(order)
    posts = len(desk.hub.posts)
    again = order.model_copy(update={"checkpoint": "another"})
    assert desk.answer(again, order)[1] == []
    assert len(desk.hub.posts) == posts
    assert len(desk.ledger.holders) == 1
    assert len(desk.answer(again, desk.order(3))[0]) == 3  # the one behind it is


@pytest.mark.invariant(6, "a mirror that is behind", double="withholds")
@pytest.mark.parametrize("passing", [QuorumError("few"), RequestNotLogged("not yet")])
def test_what_may_pass_is_no_answer(desk: Desk, passing: Exception) -> None:
    """The order is looked at again, and answered then; another one is not held up."""
    desk.deliver()
    desk.ledger.behind = passing
    order = desk.order(2)
    given, later = desk.answer(order)
    assert (len(given), later) == (1, [passing.reason])  # type: ignore[attr-defined]
    desk.ledger.behind = None
    assert desk.answer(order) == ([(True, None), (True, None)], [])


@pytest.mark.invariant(19, "a hub that makes up orders without end", double="lies")
def test_an_order_for_a_request_that_the_ledger_lacks_leaves_nothing_behind(desk: Desk) -> None:
    """Each refusal is an event in this partner's name: a flood would keep its withdrawals out."""
    desk.deliver()
    honest, desk.ledger.taken, desk.ledger.asked = desk.order(2), [], 0
    made_up = [
        honest.model_copy(
            update={"request": honest.request.model_copy(update={"payload": b64(b"%d" % number)})}
        )
        for number in range(20)
    ]
    given, later = desk.answer(*made_up)
    assert (len(given), later) == (1, ["release.not_logged"] * 20)
    assert (desk.ledger.taken, desk.ledger.asked) == ([], 0)
    assert desk.answer(*made_up, honest)[0][-1] == (True, None)


@pytest.mark.invariant(23, "an order that is refused by each kind of rule")
def test_a_refusal_is_kept_told_and_logged(desk: Desk) -> None:
    """By a rule of the ledger, by the partner's own rows, and for members of another agreement."""
    desk.deliver()
    honest = desk.order(2)
    other = honest.members.model_copy(update={"agreement": sha256(b"another")})
    desk.answer(honest.model_copy(update={"members": other}))
    desk.answer(desk.order(4, adult=False))
    desk.protected = True
    desk.answer(desk.order(3))
    reasons = ["release.members_changed", "release.local", "release.local"]
    assert [reason for _, sealed, reason in desk.hub.answers[1:] if not sealed] == reasons
    assert desk.ledger.taken[1:] == [EventType.RELEASE_REFUSED] * 3
    payload = read_payload(desk.ledger.last)
    assert isinstance(payload, ReleaseRefused)
    assert (payload.party, payload.reason) == ("council", reasons[2])


def test_an_error_of_the_program_waits_and_holds_no_other_order_up(desk: Desk) -> None:
    """It is tried again after a while, without its words being told."""
    desk.deliver()
    desk.ledger.behind = ValueError("a value")
    broken = desk.order(2)
    assert desk.answer(broken)[1] == ["internal"]
    desk.ledger.behind = None
    given, later = desk.answer(broken, desk.order(3))
    assert (given, later) == ([(True, None)] * 2, ["internal"])


@pytest.mark.invariant(3, "a withdrawal accepted while an order is verified", double="withholds")
def test_a_withdrawal_while_an_order_is_verified_stops_it(desk: Desk) -> None:
    """What is accepted at the last moment is in the same database as the answer."""
    desk.deliver()
    with desk.database.writing() as connection:
        connection.execute(
            insert(withdrawals).values(
                grant_id=desk.grant.leaf.id, event=b"", accepted=write_time(NOON), logged=False
            )
        )
    given, _ = desk.answer(desk.order(2))
    assert given[1:] == [(False, "consent.withdrawn")]
    assert desk.ledger.taken[1:] == [EventType.RELEASE_REFUSED]


def test_a_record_that_takes_no_part_is_in_no_release(desk: Desk) -> None:
    """Neither in one that waits, which is taken back, nor in one that is asked for."""
    desk.block(MOTHER)
    assert desk.deliver() == []
    given, _ = desk.answer(desk.order(2))
    assert given == [(False, BlockedHere.reason)] * 2
    assert {refusal for _, _, refusal in desk.hub.answers} == {"release.local"}


def test_nothing_is_sealed_of_a_record_that_takes_no_part(desk: Desk) -> None:
    """Not even while the hub is away, where it could be taken back later."""
    desk.deliver()
    desk.block(MOTHER)
    desk.hub.raises = [HubUnavailable("away")]
    with pytest.raises(HubUnavailable):
        desk.answer(desk.order(2))
    (waiting,) = desk.desk._kept.waiting()
    assert (waiting.sealed, waiting.retraction) == (None, None)


def test_a_record_that_is_blocked_while_an_order_is_verified_stops_it(desk: Desk) -> None:
    """What is carried out at the last moment is in the same database as the answer."""
    desk.deliver()
    honest = desk.desk._seal

    def slow(verified: VerifiedOrder) -> Any:
        desk.block(MOTHER)
        return honest(verified)

    desk.desk._seal = slow  # type: ignore[method-assign]
    desk.hub.raises = [HubUnavailable("away")]
    with pytest.raises(HubUnavailable):
        desk.answer(desk.order(2))
    (waiting,) = desk.desk._kept.waiting()
    assert (waiting.sealed, waiting.retraction) == (None, None)
    assert desk.ledger.taken[1:] == [EventType.RELEASE_REFUSED]


def test_a_hub_that_names_what_it_said_was_gone_is_noted(desk: Desk) -> None:
    """With the time, at the request that it had confirmed; once it was confirmed, not before."""
    desk.deliver()
    desk.block(MOTHER)
    order = desk.order(2)
    desk.answer(order)
    assert desk.named_after() == [None]
    confirmed = SimpleNamespace(confirmed={"hub": object()})
    desk.world.state.rights.requests["7" * 32] = cast(Any, confirmed)
    desk.answer(order)
    assert desk.named_after() == [write_time(NOON)]


@pytest.mark.invariant(3, "a ledger that shows an old consent after a withdrawal", double="replays")
def test_a_consent_shown_late_is_no_newer_word(desk: Desk) -> None:
    """The withdrawal was accepted here after the consent that the ledger shows was recorded."""
    desk.deliver()
    desk.accepted = {desk.grant.leaf.id: NOON + timedelta(seconds=1)}
    assert desk.answer(desk.order(2))[0][1:] == [(False, "consent.withdrawn")]
