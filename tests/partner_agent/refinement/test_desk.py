"""A hub that cheats learns nothing: the desk refuses, says why, and answers nothing twice."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from governance.canonical import canonical_bytes, sha256, utc_now, write_time
from governance.exchange.hub_client import HubRefused
from governance.exchange.refinement import (
    ROUND,
    PartyQuestions,
    ProfilesPost,
    RefinementRound,
    RoundItem,
    RoundList,
    RoundRefusal,
)
from governance.exchange.refinement_bodies import QUESTION, batch_hashes, read_answers
from governance.identity.envelope import Envelope, sign
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    AgreementStopped,
    RefinementAnswered,
    RefinementOpened,
    Refused,
    RoundKind,
    read_payload,
)
from partner_agent.app import Agent
from partner_agent.linkage_secret import load_keys
from partner_agent.refinement import verify
from partner_agent.refinement.kept import KeptRounds
from partner_agent.refinement.keys import RoundKeys
from tests.hub_world import HubWorld
from tests.refinement_world import PARAMETERS, SIZE, make, person, refining_world, send

ROWS = [person(n) for n in range(40)]
H = "sha256:" + "0" * 64
OTHER = hashlib.sha256(b"other").digest()


class Killed(BaseException):
    """The agent ends here."""


class LyingHub:
    """A hub that holds the real hub's key, and shows an agent what a test wants."""

    def __init__(self, world: HubWorld) -> None:
        self.world = world
        self.envelope: Envelope | None = None
        self.batches: list[bytes] = []
        self.answered: dict[int, bytes] = {}
        self.refused: list[str] = []
        self.profiles: list[ProfilesPost] = []
        self.profiles_wanted = False
        self.numbered = 0
        self.used = 9

    def fresh(self) -> bytes:
        """The handle of a police record that no test has asked about."""
        self.used += 1
        return handle(self.world, self.used)

    def show(
        self, questions: Any, *, log: Callable[[dict[str, Any]], None] | None = None, **changes: Any
    ) -> RefinementRound:
        """Sign a round with these questions to the police, and log it."""
        now = utc_now()
        self.numbered += 1
        document = RefinementRound.model_validate(
            {
                "run": f"{self.numbered:032x}",
                "agreement": self.world.agreement.hash,
                "epoch": 1,
                "kind": "decide",
                "submissions": [manifest(self.world, "council"), manifest(self.world, "police")],
                "parameters": PARAMETERS,
                "answer_bytes": SIZE,
                "parties": [
                    PartyQuestions(
                        party="police",
                        questions=len(questions),
                        batches=batch_hashes(questions),
                    )
                ],
                "opened": write_time(now),
                "closes": write_time(now + timedelta(hours=1)),
                **changes,
            }
        )
        author = self.world.hub.ledger.author
        self.envelope = sign(ROUND, document, author.key, author.thumbprint)
        self.batches = [questions.tobytes()] if len(questions) else []
        self.answered.clear()
        self.refused.clear()
        payload = {
            "round": self.envelope.payload_hash,
            "run": document.run,
            "agreement": document.agreement,
            "kind": document.kind,
            "questions": {each.party: each.questions for each in document.parties},
        }
        if log is not None:
            log(payload)
        self.world.hub.ledger.write(
            EventType.REFINEMENT_OPENED, RefinementOpened.model_validate(payload)
        )
        return document

    def rounds(self) -> RoundList:
        """The one round, until it was answered or refused."""
        missing = tuple(n for n in range(len(self.batches)) if n not in self.answered)
        assert self.envelope is not None
        item = RoundItem(round=self.envelope, missing=missing, profiles_wanted=self.profiles_wanted)
        return RoundList(rounds=(item,) if missing or self.profiles_wanted else ())

    def questions(self, round_hash: str, batch: int) -> bytes:
        """A batch."""
        del round_hash
        return self.batches[batch]

    def post_answers(self, round_hash: str, batch: int, body: bytes) -> None:
        """Keep answers."""
        del round_hash
        self.answered[batch] = body

    def post_profiles(self, round_hash: str, profiles: ProfilesPost) -> None:
        """Keep profiles."""
        del round_hash
        self.profiles.append(profiles)
        self.profiles_wanted = False

    def refuse_round(self, round_hash: str, refusal: RoundRefusal) -> None:
        """Keep a refusal."""
        del round_hash
        self.refused.append(refusal.reason)


def manifest(world: HubWorld, party: str) -> str:
    """The hash of the manifest that a party sent first."""
    (item,) = world.agents[party].outbox.newest()
    return item.envelope.payload_hash


def handle(world: HubWorld, number: int, party: str = "police") -> bytes:
    """The handle of a made-up person's row."""
    return world.agents[party].vault.find(f"{party}_records", f"R{number}")[0]


def ask(*pairs: tuple[bytes, bytes], own: int = 1, other: int = 0) -> Any:
    """Questions, sorted as the hub sorts them."""
    rows = np.zeros(len(pairs), dtype=QUESTION)
    for at, pair in enumerate(sorted(pairs)):
        rows[at] = (*pair, own, other)
    return rows


@contextlib.contextmanager
def _world(folder: Path) -> Iterator[LyingHub]:
    protected = [person(0, protected="Y"), *ROWS[1:]]
    with refining_world(folder, protected, ROWS) as found:
        yield LyingHub(found)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LyingHub]:
    """A hub that lies to the police; each test asks about records of its own."""
    with _world(tmp_path_factory.mktemp("lying-hub")) as found:
        yield found


@pytest.fixture
def own_hub(tmp_path: Path) -> Iterator[LyingHub]:
    """The same, for one test alone."""
    with _world(tmp_path) as found:
        yield found


def answer(hub: LyingHub) -> list[Any]:
    """Let the police answer."""
    desk = hub.world.agents["police"].questions
    return desk.answer_all(hub)  # type: ignore[arg-type]


def notes(hub: LyingHub) -> Any:
    """What the police wrote down of the newest round."""
    assert hub.envelope is not None
    known = {note.round: note for note in hub.world.agents["police"].rounds.all()}
    return known[hub.envelope.payload_hash]


def states(hub: LyingHub) -> list[bool]:
    """Which questions of the newest round were answered, as the hub got them."""
    count = len(hub.batches[0]) // QUESTION.itemsize
    return list(read_answers(hub.answered[0], count, SIZE)[0].tolist())


def logged_refusals(hub: LyingHub) -> list[tuple[str, str]]:
    """Parties and reasons of refusals of the newest round in the ledger."""
    ledger = hub.world.hub.ledger
    ledger.sync()
    assert hub.envelope is not None
    return [
        (payload.party, payload.reason)
        for event in ledger.mirror.entries(0)
        if event.leaf.type is EventType.REFUSED
        for payload in [read_payload(event)]
        if payload.about == hub.envelope.payload_hash
    ]


def said(hub: LyingHub) -> RefinementAnswered:
    """What the police told the ledger of the newest round."""
    state = hub.world.hub.ledger.sync()
    assert hub.envelope is not None
    return state.refinement.rounds[hub.envelope.payload_hash].answered["police"]


def test_an_honest_question_is_answered_and_counted(hub: LyingHub) -> None:
    """The answer has the agreed size, and the ledger says one of one was answered."""
    hub.show(ask((hub.fresh(), OTHER[:16])))
    assert answer(hub) == []
    assert states(hub) == [True]
    told = said(hub)
    assert (told.asked, told.answered, told.refused, told.profiles) == (1, 1, {}, 0)
    assert "profiles" not in told.model_dump()  # as ledgers of older code read it


def test_a_pair_asked_twice_is_refused(hub: LyingHub) -> None:
    """In another round, run or kind, with other parameters, a pair has no second answer."""
    pair = (hub.fresh(), OTHER[:16])
    hub.show(ask(pair))
    answer(hub)
    for kind in ("decide", "calibrate"):
        hub.show(ask(pair), kind=kind, parameters={"threshold": 2})
        answer(hub)
        assert states(hub) == [False]
        assert notes(hub).refused == {"refinement.asked_before": 1}


def test_a_pair_twice_in_one_batch_is_answered_once(hub: LyingHub) -> None:
    """A repeated question within a batch is refused."""
    pair = (hub.fresh(), OTHER[:16])
    hub.show(ask(pair, pair))
    answer(hub)
    assert sorted(states(hub)) == [False, True]


def test_a_replayed_round_is_not_answered_again(hub: LyingHub) -> None:
    """A hub that claims to have lost the answers gets no others."""
    hub.show(ask((hub.fresh(), OTHER[:16])))
    answer(hub)
    hub.answered.clear()
    answer(hub)
    assert not hub.answered


def test_foreign_handles_are_refused(hub: LyingHub) -> None:
    """Another's record, a made-up handle, a wrong submission or the own one get no answer."""
    council = handle(hub.world, 1, "council")
    own = hub.fresh()
    questions = np.concatenate(
        [
            ask((council, OTHER[:16]), (OTHER[16:], OTHER[:16]), (own, own)),
            ask((own, OTHER[:16]), own=0, other=1),
            ask((own, OTHER[:16]), other=9),
            ask((own, handle(hub.world, 1)), other=1),
        ]
    )
    hub.show(questions)
    answer(hub)
    assert states(hub) == [False] * 6
    assert notes(hub).refused == {"refinement.not_own": 6}


def test_a_submission_that_was_prepared_and_not_sent_is_not_answered_for(own_hub: LyingHub) -> None:
    """Handles count as part of what left the machine, not of what lies in the outbox."""
    hub = own_hub
    agent = hub.world.agents["police"]
    send(hub.world, agent, [*ROWS, person(41)])
    (item,) = agent.outbox.newest()
    agent.outbox.mark(item.id, "prepared")
    number = handle(hub.world, 41)
    hub.show(
        ask((number, OTHER[:16])),
        submissions=[manifest(hub.world, "council"), item.envelope.payload_hash],
    )
    answer(hub)
    assert notes(hub).refused == {"refinement.not_own": 1}


def test_protected_withdrawn_and_purged_rows_are_refused(own_hub: LyingHub) -> None:
    """Such records are refused for one reason, whichever it is; the others are answered."""
    hub = own_hub
    agent = hub.world.agents["police"]
    own = manifest(hub.world, "police")
    numbers = [handle(hub.world, n) for n in (0, 1, 2, 3)]
    make(hub.world, agent, [person(0, protected="Y"), *ROWS[2:]])  # 1 is left out
    agent.vault.forget("police_records", ["R2"])
    hub.show(
        ask(*((number, OTHER[:16]) for number in numbers)),
        submissions=[manifest(hub.world, "council"), own],
    )
    answer(hub)
    assert sum(states(hub)) == 1
    assert notes(hub).refused == {"refinement.unusable": 3}


def test_a_replaced_submission_is_not_answered_for(own_hub: LyingHub) -> None:
    """Asked beside the newest, the submission before it would give a pair a second answer."""
    hub = own_hub
    agent = hub.world.agents["police"]
    old = manifest(hub.world, "police")
    own = hub.fresh()
    send(hub.world, agent, ROWS)
    both = [manifest(hub.world, "council"), old, manifest(hub.world, "police")]
    questions = np.concatenate([ask((own, OTHER[:16])), ask((own, OTHER[:16]), own=2)])
    hub.profiles_wanted = True
    hub.show(questions, submissions=both, kind="calibrate", parameters={})
    answer(hub)
    assert states(hub) == [False, True]
    assert notes(hub).refused == {"refinement.replaced": 1}
    assert [each.submission for each in hub.profiles[0].profiles] == [2]


def test_a_submission_in_force_is_the_one_that_the_ledger_says(own_hub: LyingHub) -> None:
    """Until the hub's verdict on a new submission is logged, the one before it is answered for."""
    hub = own_hub
    agent = hub.world.agents["police"]
    old = manifest(hub.world, "police")
    make(hub.world, agent, ROWS)
    agent.outbox.mark(agent.outbox.newest()[0].id, "sent")
    hub.show(ask((hub.fresh(), OTHER[:16])), submissions=[manifest(hub.world, "council"), old])
    answer(hub)
    assert states(hub) == [True]


def test_calibration_is_not_begun_anew_with_each_submission(own_hub: LyingHub) -> None:
    """The share of a source's records, and once a record, holds however often it is submitted."""
    hub = own_hub
    one, two, three = (handle(hub.world, n) for n in (1, 2, 3))
    hub.show(ask((one, OTHER[:16])), kind="calibrate", parameters={})
    answer(hub)
    for again in ((one, two), (one, two, three)):
        send(hub.world, hub.world.agents["police"], ROWS)
        hub.show(ask(*((own, OTHER[:16]) for own in again)), kind="calibrate", parameters={})
        answer(hub)
    assert sum(states(hub)) == 0  # two of forty are agreed, and were calibrated before
    assert notes(hub).refused == {"refinement.calibration_budget": 3}


def test_decisions_are_given_under_few_parameters(
    own_hub: LyingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked anew after each submission, a pair gives away no more bits than there are sets.

    An order of the sources is a set of its own: prior odds stand by number.
    """
    hub = own_hub
    agent = hub.world.agents["police"]
    own = hub.fresh()
    one = manifest(hub.world, "council")
    monkeypatch.setattr(verify, "PARAMETER_SETS_MOST", 4)
    for threshold in (1, 2, 3):
        hub.show(ask((own, OTHER[:16])), parameters={"threshold": threshold})
        answer(hub)
        assert states(hub) == [True]
        send(hub.world, agent, ROWS)
    both = [manifest(hub.world, "police"), one]
    turned = ask((own, OTHER[:16]), own=0, other=1)
    hub.show(turned, parameters={"threshold": 1}, submissions=both)
    answer(hub)
    assert states(hub) == [True]
    send(hub.world, agent, ROWS)
    hub.show(ask((own, OTHER[:16])), parameters={"threshold": 99})
    answer(hub)
    assert hub.refused == ["refinement.parameter_sets"]
    assert logged_refusals(hub) == [("police", "refinement.parameter_sets")]
    hub.show(ask((own, OTHER[:16])), parameters={"threshold": 3})
    answer(hub)
    assert states(hub) == [True]  # what it answered under before it answers under again


def test_a_submission_that_the_ledger_lacks_is_none(hub: LyingHub) -> None:
    """Under an invented manifest every pair would be a new one."""
    hub.show(ask((hub.fresh(), OTHER[:16])), submissions=[H, manifest(hub.world, "police")])
    answer(hub)
    assert hub.refused == ["refinement.altered"]


def test_a_refused_round_tells_what_was_answered_before(own_hub: LyingHub) -> None:
    """A hub that breaks a round off after its questions does not have them uncounted."""
    hub = own_hub
    hub.show(ask((hub.fresh(), OTHER[:16]), (hub.fresh(), OTHER[:16])))
    hub.batches.append(b"a batch that the round does not have")
    answer(hub)
    assert sum(states(hub)) == 2
    assert logged_refusals(hub) == [("police", "refinement.altered")]
    assert (said(hub).asked, said(hub).answered, said(hub).refused) == (2, 2, {})


def test_a_record_is_asked_about_no_more_often_than_agreed(hub: LyingHub) -> None:
    """The budget of a record holds over rounds and runs."""
    own = hub.fresh()
    others = [hashlib.sha256(bytes([n])).digest()[:16] for n in range(9)]
    hub.show(ask(*((own, other) for other in others[:4])))
    answer(hub)
    hub.show(ask(*((own, other) for other in others[4:])))
    answer(hub)
    assert sum(states(hub)) == 2  # agreed: 6
    assert notes(hub).refused == {"refinement.record_budget": 3}


def test_more_questions_in_a_run_than_agreed_refuse_the_round(hub: LyingHub) -> None:
    """The run's budget counts all of its rounds; the refusal is in the ledger with its reason."""
    own = hub.fresh()
    pairs = [(own, n.to_bytes(16, "big")) for n in range(1_200)]
    hub.show(ask(*pairs), run="a" * 32)
    answer(hub)
    hub.show(ask(*pairs), run="a" * 32, kind="calibrate")
    answer(hub)
    assert not hub.answered
    assert hub.refused == ["refinement.budget"]
    assert logged_refusals(hub) == [("police", "refinement.budget")]


@pytest.mark.invariant(19, "a run of its own for each round, for a budget each", double="lies")
def test_runs_that_the_hub_invents_share_one_budget(own_hub: LyingHub) -> None:
    """What is asked within a day is no more than agreed for a run, whatever it is called."""
    hub = own_hub
    own = hub.fresh()
    pairs = [(own, n.to_bytes(16, "big")) for n in range(1_100)]
    hub.show(ask(*pairs[:1_000]))
    answer(hub)
    assert states(hub)[0]
    hub.show(ask(*pairs[1_000:], *pairs[:901]))
    answer(hub)
    assert not hub.answered
    assert logged_refusals(hub) == [("police", "refinement.budget")]
    assert hub.refused == ["refinement.budget"]
    hub.show(ask((hub.fresh(), OTHER[:16])))  # the refused round was not answered: there is room
    answer(hub)
    assert states(hub) == [True]
    document = hub.show(ask((hub.fresh(), OTHER[:16])))
    agent = hub.world.agents["police"]
    tomorrow = KeptRounds(agent.home, agent.database, lambda: utc_now() + timedelta(hours=25))
    assert agent.rounds.asked_before(document, "") == 1_001
    assert tomorrow.asked_before(document, "") == 0


def test_calibration_is_bounded_by_its_share_and_once_a_record(own_hub: LyingHub) -> None:
    """Two records of forty may be calibrated, each in one pair, in however many rounds."""
    hub = own_hub
    one, two, three = (handle(hub.world, n) for n in (1, 2, 3))
    hub.show(ask((one, OTHER[:16]), (one, OTHER[16:])), kind="calibrate", parameters={})
    answer(hub)
    assert sum(states(hub)) == 1
    hub.show(ask((two, OTHER[:16]), (three, OTHER[:16])), kind="calibrate", parameters={})
    answer(hub)
    assert sum(states(hub)) == 1
    assert notes(hub).refused == {"refinement.calibration_budget": 1}


def test_parameters_that_make_everything_match_are_refused(hub: LyingHub) -> None:
    """A threshold below the floor refuses the round, and the hub is told why."""
    hub.show(ask((hub.fresh(), OTHER[:16])), parameters={"threshold": 0})
    answer(hub)
    assert not hub.answered
    assert hub.refused == ["refinement.parameters"]
    assert ("police", "refinement.parameters") in logged_refusals(hub)


def test_agents_that_were_shown_different_parameters_share_no_key(hub: LyingHub) -> None:
    """Whatever differs in two rounds, no pair of theirs has a key in common."""
    key = load_keys(hub.world.agents["police"].home, hub.world.agreement, None).refinement
    one, two = hub.fresh(), handle(hub.world, 2, "council")
    rounds = [
        hub.show(ask((one, two)), parameters={"threshold": threshold}, run="b" * 32)
        for threshold in (1, 2)
    ]
    made = [RoundKeys(key, sha256(canonical_bytes(each)), each.submissions) for each in rounds]
    assert made[0].pair(one, two, 1, 0) == made[0].pair(two, one, 0, 1)
    assert made[0].pair(one, two, 1, 0) != made[1].pair(one, two, 1, 0)
    assert made[0].pair(one, two, 1, 0) != made[0].pair(one, two, 0, 1)
    assert made[0].record != made[1].record


def _not_logged(hub: LyingHub, questions: Any) -> None:
    hub.show(questions)
    assert hub.envelope is not None
    document = RefinementRound.model_validate_json(hub.envelope.payload_bytes)
    author = hub.world.hub.ledger.author
    other = document.model_copy(update={"run": "c" * 32})
    hub.envelope = sign(ROUND, other, author.key, author.thumbprint)


def test_a_round_that_is_not_in_the_ledger_waits(hub: LyingHub) -> None:
    """The desk answers nothing, refuses nothing, and looks again later."""
    _not_logged(hub, ask((hub.fresh(), OTHER[:16])))
    assert [item.reason for item in answer(hub)] == ["refinement.not_logged"]
    assert not hub.answered
    assert not hub.refused


def test_a_round_signed_by_another_party_is_refused(hub: LyingHub) -> None:
    """A partner cannot ask in the hub's name."""
    document = hub.show(ask((hub.fresh(), OTHER[:16])))
    secrets = hub.world.agents["council"].secrets
    hub.envelope = sign(ROUND, document, secrets.signing_key, secrets.keys.thumbprint)
    answer(hub)
    assert hub.refused == ["refinement.altered"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"epoch": 2}, "refinement.altered"),
        ({"answer_bytes": SIZE * 2}, "refinement.parameters"),
        ({"closes": write_time(utc_now() + timedelta(hours=30))}, "refinement.altered"),
        ({"closes": write_time(utc_now() - timedelta(minutes=1))}, "refinement.closed"),
    ],
)
def test_a_round_outside_the_agreement_is_refused(
    hub: LyingHub, change: dict[str, Any], reason: str
) -> None:
    """Epoch, size and time are the agreement's, whatever the hub signs."""
    hub.show(ask((hub.fresh(), OTHER[:16])), **change)
    answer(hub)
    assert hub.refused == [reason]
    assert not hub.answered


def test_questions_other_than_the_signed_ones_are_refused(hub: LyingHub) -> None:
    """One byte changed in a batch refuses the round."""
    hub.show(ask((hub.fresh(), OTHER[:16])))
    hub.batches[0] = hub.batches[0][:-1] + b"\x07"
    answer(hub)
    assert hub.refused == ["refinement.altered"]


def test_a_count_other_than_the_logged_one_is_refused(hub: LyingHub) -> None:
    """The ledger knows how many questions each partner was asked."""

    def fewer(payload: dict[str, Any]) -> None:
        payload["questions"] = {"police": 0}

    hub.show(ask((hub.fresh(), OTHER[:16])), log=fewer)
    answer(hub)
    assert hub.refused == ["refinement.altered"]
    assert ("police", "refinement.altered") in logged_refusals(hub)


def test_a_batch_holds_no_more_questions_than_the_round_says(hub: LyingHub) -> None:
    """A round that says one question, to ledger and budgets, and signs a batch of three."""
    three = ask(*((hub.fresh(), OTHER[:16]) for _ in range(3)))
    one = PartyQuestions(party="police", questions=1, batches=batch_hashes(three))
    hub.show(three, parties=[one])
    answer(hub)
    assert hub.refused == ["refinement.altered"]
    assert not hub.answered


@pytest.mark.parametrize("name", ["parties", "submissions"])
def test_a_round_names_nobody_and_nothing_twice(hub: LyingHub, name: str) -> None:
    """Of two counts for one party the ledger would know one only."""
    document = hub.show(ask((hub.fresh(), OTHER[:16]))).model_dump(mode="json")
    twice = document | {name: [*document[name], document[name][-1]]}
    with pytest.raises(ValueError, match="twice"):
        RefinementRound.model_validate(twice)


def test_what_came_before_a_refusal_counts(own_hub: LyingHub) -> None:
    """A round that is broken off after some batches does not give their questions back."""
    police = own_hub.world.agents["police"]
    document = own_hub.show(ask((own_hub.fresh(), OTHER[:16])))
    assert own_hub.envelope is not None
    round_hash = own_hub.envelope.payload_hash
    police.rounds.begin(round_hash, document, 7)
    assert police.rounds.asked_before(document, "") == 7
    police.rounds.store(round_hash, 0, RoundKind.DECIDE, [], {"refinement.not_own": 3}, b"")
    event = police.ledger.author.write(
        EventType.REFUSED,
        Refused(party="police", action="refine", reason="refinement.altered", about=round_hash),
    )
    police.rounds.end(round_hash, "refused", "refinement.altered", [event])
    assert police.rounds.asked_before(document, "") == 3
    assert police.rounds.asked_before(document, round_hash) == 0


def test_an_unknown_round_left_open_by_a_crash_holds_no_other_up(own_hub: LyingHub) -> None:
    """A note about a round that the ledger never had does not stop answers to others."""
    own_hub.world.agents["police"].rounds.begin_unknown("sha256:" + "0" * 64)
    own_hub.show(ask((own_hub.fresh(), OTHER[:16])))
    assert answer(own_hub) == []
    assert states(own_hub) == [True]


def test_a_refused_round_stays_refused(hub: LyingHub) -> None:
    """Shown again it gets the same refusal, and the ledger one event."""
    hub.show(ask((hub.fresh(), OTHER[:16])), parameters={"threshold": 0})
    answer(hub)
    answer(hub)
    assert hub.refused == ["refinement.parameters"] * 2
    assert logged_refusals(hub) == [("police", "refinement.parameters")]


def test_answers_survive_a_crash_between_storing_and_sending(
    hub: LyingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The very same bytes go out after a restart, and the pair is not answered anew."""
    hub.show(ask((hub.fresh(), OTHER[:16])))
    sent: list[bytes] = []

    def lost(_self: LyingHub, _round: str, _batch: int, body: bytes) -> None:
        sent.append(body)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(LyingHub, "post_answers", lost)
        with pytest.raises(Killed):
            answer(hub)
    old = hub.world.agents["police"]
    again = Agent(old.home, old.settings)
    again.core = old.core
    assert again.questions.answer_all(hub) == []  # type: ignore[arg-type]
    again.close()
    assert hub.answered[0] == sent[0]
    assert not list((old.home / "answers").glob("*"))


def test_a_round_that_fails_holds_no_other_up(
    own_hub: LyingHub, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An error of the program in one round is told without its words; others are answered."""
    hub = own_hub
    hub.show(ask((hub.fresh(), OTHER[:16])))
    poisoned = hub.rounds().rounds[0]
    hub.show(ask((hub.fresh(), OTHER[:16])))
    fine = hub.rounds().rounds[0]
    asked = []

    def questions(round_hash: str, batch: int) -> bytes:
        asked.append(round_hash)
        if round_hash == poisoned.round.payload_hash:
            raise ValueError("Ada Quixwald")
        return hub.batches[batch]

    monkeypatch.setattr(hub, "questions", questions)
    monkeypatch.setattr(hub, "rounds", lambda: RoundList(rounds=(poisoned, fine)))
    for _ in range(2):
        later = answer(hub)
        assert [(item.round, item.reason) for item in later] == [
            (poisoned.round.payload_hash, "internal")
        ]
    assert asked == [poisoned.round.payload_hash, fine.round.payload_hash]
    assert states(hub) == [True]
    (record,) = (each for each in caplog.records if getattr(each, "error", None))
    assert record.error == "ValueError"  # type: ignore[attr-defined]
    assert "Quixwald" not in str(vars(record))


def test_a_suspended_agreement_stops_answers(own_hub: LyingHub) -> None:
    """Any party's suspension refuses the round."""
    hub = own_hub
    hub.show(ask((handle(hub.world, 1), OTHER[:16])))
    council = hub.world.agents["council"]
    council.ledger.write(
        EventType.AGREEMENT_SUSPENDED,
        AgreementStopped(agreement=hub.world.agreement.hash, reason="audit"),
    )
    answer(hub)
    assert hub.refused == ["agreement.suspended"]


def test_profiles_are_of_the_own_submissions_only(hub: LyingHub) -> None:
    """A round that calibrates asks for shares of the caller's own sources; counts, no rows."""
    hub.profiles_wanted = True
    hub.show(ask((hub.fresh(), OTHER[:16])), kind="calibrate", parameters={})
    answer(hub)
    (post,) = hub.profiles
    assert [each.submission for each in post.profiles] == [1]
    assert post.profiles[0].profile == {"records": 39}  # the protected row is no part of it
    assert said(hub).profiles == 1


@pytest.mark.invariant(19, "profiles wanted in a round that decides", double="lies")
def test_profiles_are_told_in_rounds_that_calibrate_only(hub: LyingHub) -> None:
    """What the hub says beside the signed round opens nothing; the refusal is in the ledger."""
    hub.profiles.clear()
    hub.profiles_wanted = True
    hub.show(ask((hub.fresh(), OTHER[:16])))
    answer(hub)
    hub.profiles_wanted = False
    assert not hub.profiles
    assert not hub.answered
    assert hub.refused == ["refinement.altered"]
    assert logged_refusals(hub) == [("police", "refinement.altered")]


@pytest.mark.invariant(19, "profiles asked for before and after a row has gone", double="lies")
def test_a_profile_is_the_same_however_often_it_is_asked_for(own_hub: LyingHub) -> None:
    """The difference of two profiles would be the row that went; each time is in the ledger."""
    hub = own_hub
    agent = hub.world.agents["police"]
    for number in (1, 2):
        hub.profiles_wanted = True
        hub.show(ask(), kind="calibrate", parameters={})
        answer(hub)
        assert said(hub).profiles == 1
        agent.vault.forget("police_records", [f"R{number}"])
    one, two = hub.profiles
    assert one == two
    hub.profiles_wanted = True  # of a round that is over, whose counts the ledger has
    answer(hub)
    assert len(hub.profiles) == 2


def test_profiles_that_were_lost_on_the_way_are_told_again(
    own_hub: LyingHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that cannot take them now gets the same later, before the round counts as done."""
    hub = own_hub

    def full(_self: LyingHub, _round: str, _profiles: ProfilesPost) -> None:
        raise HubRefused("no room", next_step="later", hub_reason="refinement.storage", status=503)

    hub.profiles_wanted = True
    hub.show(ask(), kind="calibrate", parameters={})
    with monkeypatch.context() as patched:
        patched.setattr(LyingHub, "post_profiles", full)
        assert [each.reason for each in answer(hub)] == ["refinement.storage"]
    assert notes(hub).state == "open"
    assert answer(hub) == []
    assert len(hub.profiles) == 1
    assert said(hub).profiles == 1
