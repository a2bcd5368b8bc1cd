"""The refinement desk: questions about pairs of records, answered once, within the budgets.

Rules: a round is verified before the first question is read; a batch is the one that the hub
signed; each question is held against what this partner really sent, its rows and the budgets, and
what may not be answered is refused, that question alone; answers are stored with the pairs that
they are about before they leave, so that nothing is answered twice and nothing that was answered
is lost. Profiles of sources are told in a round that calibrates, until it is over here, whatever
the hub says that it wants. Local logs and the ledger get counts by reason, never a handle.

What may pass by itself (a mirror that is behind, a hub or a ledger that is away) is no refusal: the
round is looked at again later.
"""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from governance.agreements.errors import AgreementNotWitnessed, AgreementRefusal
from governance.agreements.models import Agreement
from governance.canonical import parse_time
from governance.errors import FormatError, GovernanceError, ReasonedError
from governance.exchange.hub_client import HubClient, HubRefused, HubUnavailable
from governance.exchange.refinement import (
    RoundItem,
    RoundRefusal,
    questions_in,
)
from governance.exchange.refinement_bodies import Questions, read_questions, write_answers
from governance.identity.files import PartySecrets
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import RefinementAnswered, Refused, RoundKind
from governance.refinement.errors import RefinementRefusal, RoundAltered, RoundNotLogged
from partner_agent.encoding.tokens import LinkageKeys
from partner_agent.ledger import AgentLedger
from partner_agent.loop import INTERNAL, BackOff, tell_unexpected
from partner_agent.refinement.asked import AskedPairs, PairAsked
from partner_agent.refinement.core import CleanRow, Core, PairAnswerer
from partner_agent.refinement.kept import CLOSED, KeptRounds, RoundNote
from partner_agent.refinement.keys import RoundKeys
from partner_agent.refinement.own import NOT_OWN, REPLACED, OwnRecords, OwnSubmission
from partner_agent.refinement.verify import VerifiedRound, read_round, verify_round

_PASSING: Final = (RoundNotLogged, AgreementNotWitnessed)
_TAKEN_NO_MORE: Final = frozenset({"refinement.closed", "refinement.unknown"})
_LOG: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class Later:
    """A round that cannot be answered yet, or not in full, and why."""

    round: str
    reason: str


@dataclass(frozen=True)
class _Bench:
    """What answering one round needs."""

    round: VerifiedRound
    own: dict[int, OwnSubmission]
    keys: RoundKeys
    answerers: dict[int, PairAnswerer]


class RefinementDesk:
    """Answers rounds for one party.

    Args:
        secrets: the party's keys.
        ledger: its mirror and pen.
        records: what it sent, and the rows behind it.
        asked: the budgets.
        kept: rounds and answers.
        core: the arithmetic.
        keys_of: the linkage keys of an agreement.
        now: the clock.
    """

    def __init__(
        self,
        secrets: PartySecrets,
        ledger: AgentLedger,
        records: OwnRecords,
        asked: AskedPairs,
        kept: KeptRounds,
        core: Core,
        keys_of: Callable[[Agreement], LinkageKeys],
        now: Callable[[], datetime],
    ) -> None:
        self._party = secrets.keys.party
        self._ledger = ledger
        self._records = records
        self._asked = asked
        self._kept = kept
        self._core = core
        self._keys_of = keys_of
        self._now = now
        self._back_off = BackOff()

    def notes(self) -> list[RoundNote]:
        """Every round that this party was asked in, oldest first."""
        return self._kept.all()

    def answer_all(self, hub: HubClient) -> list[Later]:
        """Answer every open round that the hub has for this party.

        Returns:
            Rounds that have to be looked at again, with the reason.

        Raises:
            HubUnavailable, LedgerUnavailableError: away; nothing is lost.
        """
        later = []
        for item in hub.rounds().rounds:
            round_hash = item.round.payload_hash
            if self._back_off.waits(round_hash):
                later.append(Later(round_hash, INTERNAL))
                continue
            try:
                self._answer_or_refuse(hub, item)
            except (HubUnavailable, LedgerUnavailableError):
                raise
            except HubRefused as refusal:
                later.append(Later(round_hash, refusal.hub_reason))
            except ReasonedError as error:
                later.append(Later(round_hash, error.reason))
            except Exception as error:  # noqa: BLE001 - one round holds no other up
                tell_unexpected(_LOG, error, round=round_hash)
                self._back_off.failed(round_hash)
                later.append(Later(round_hash, INTERNAL))
        self._end_rounds({each.round for each in later})
        return later + self._log_events()

    def _answer_or_refuse(self, hub: HubClient, item: RoundItem) -> None:
        try:
            self._answer(hub, item)
        except _PASSING:
            raise
        except (RefinementRefusal, AgreementRefusal) as refusal:
            self._refuse(hub, item, refusal)

    def _answer(self, hub: HubClient, item: RoundItem) -> None:
        round_hash = item.round.payload_hash
        refused = self._kept.refused(round_hash)
        if refused is not None:
            hub.refuse_round(round_hash, RoundRefusal(reason=refused))
            return
        self._ledger.sync()
        document, own = read_round(item.round, self._party, self._ledger.state)
        verified = verify_round(
            item.round,
            party=self._party,
            ledger=self._ledger,
            core=self._core,
            asked_before=self._kept.asked_before(document, round_hash),
            answered_under=self._asked.answered_under(document.agreement),
            now=self._now(),
        )
        self._kept.begin(round_hash, document, own.questions)
        bench = self._bench(verified)
        if item.profiles_wanted:
            self._tell_profiles(hub, bench)
        for batch in item.missing:
            if batch >= len(own.batches):
                raise RoundAltered("the hub asks for a batch that the round does not have")
            self._answer_batch(hub, bench, batch)

    def _bench(self, verified: VerifiedRound) -> _Bench:
        document = verified.document
        return _Bench(
            verified,
            self._records.submissions(
                document.agreement,
                document.submissions,
                self._ledger.state.submissions.accepted,
            ),
            RoundKeys(
                self._keys_of(verified.agreement).refinement, verified.hash, document.submissions
            ),
            {},
        )

    def _tell_profiles(self, hub: HubClient, bench: _Bench) -> None:
        """What the sources in force say of themselves, kept before it leaves."""
        round_hash, document = bench.round.hash, bench.round.document
        if document.kind is not RoundKind.CALIBRATE:  # as signed, whatever the hub wants
            raise RoundAltered("the hub asks for profiles in a round that does not calibrate")
        if self._kept.note(round_hash).state != "open":  # the ledger was told how many there were
            _LOG.warning("asked for profiles of a round that is over", extra={"round": round_hash})
            return
        told = self._kept.told.tell(
            round_hash, bench.own, lambda own: self._core.profile(self._records.background(own))
        )
        _LOG.info("told", extra={"round": round_hash, "profiles": len(told.profiles)})
        hub.post_profiles(round_hash, told)

    def _answer_batch(self, hub: HubClient, bench: _Bench, batch: int) -> None:
        round_hash = bench.round.hash
        body = self._kept.answers(round_hash, batch)
        if body is None and self._kept.knows(round_hash, batch):
            _LOG.warning("asked again for what it had", extra={"round": round_hash, "batch": batch})
            return
        if body is None:
            own = bench.round.own
            count = questions_in(own.questions, batch)
            try:
                questions = read_questions(
                    hub.questions(round_hash, batch), own.batches[batch], count
                )
            except FormatError as error:
                raise RoundAltered(error.message) from error
            body = self._answered(bench, batch, questions)
        try:
            hub.post_answers(round_hash, batch, body)
        except HubRefused as refusal:
            if refusal.hub_reason not in _TAKEN_NO_MORE:
                raise
        self._kept.delivered(round_hash, batch)

    def _answered(self, bench: _Bench, batch: int, questions: Questions) -> bytes:
        """The answers of one batch, stored before anything leaves."""
        document = bench.round.document
        owned = [self._owned(bench, question) for question in questions]
        reasons = [NOT_OWN if pair is None else None for pair in owned]
        for at, number in enumerate(questions["own_submission"].tolist()):
            if number in bench.own and not bench.own[number].in_force:
                owned[at], reasons[at] = None, REPLACED
        opened = self._records.open(
            {
                pair.own: bench.own[int(question["own_submission"])]
                for pair, question in zip(owned, questions, strict=True)
                if pair is not None
            }
        )
        allowed = [None if pair is None or pair.own in opened.refused else pair for pair in owned]
        spent = self._asked.refusals(
            document.kind,
            allowed,
            bench.round.agreement.limits,
            {own.source: len(own.handles) for own in bench.own.values() if own.in_force},
        )
        for at, pair in enumerate(owned):
            if pair is not None:
                reasons[at] = opened.refused.get(pair.own) or spent[at]
        answered = np.array([reason is None for reason in reasons], dtype=np.bool_)
        body = write_answers(
            answered,
            self._rows(bench, questions[answered], opened.rows),
            document.answer_bytes,
        )
        refused = Counter(reason for reason in reasons if reason is not None)
        pairs = [pair for pair, yes in zip(owned, answered, strict=True) if yes and pair]
        self._kept.store(
            bench.round.hash, batch, document.kind, pairs, refused, body, bench.round.parameters
        )
        counts = {"round": bench.round.hash, "kind": document.kind.value, "batch": batch}
        _LOG.info("answered", extra=counts | {"answered": len(pairs), "refused": dict(refused)})
        return body

    @staticmethod
    def _owned(bench: _Bench, question: np.void) -> PairAsked | None:
        """The pair, where its own end is a record that this partner sent in that submission.

        Two records of one submission are no pair: the agent said of them what it knows.
        """
        number, other = int(question["own_submission"]), int(question["other_submission"])
        submission = bench.own.get(number)
        document = bench.round.document
        manifests = document.submissions
        pair = bytes(question["own"]), bytes(question["other"])
        if submission is None or other >= len(manifests) or other == number or pair[0] == pair[1]:
            return None
        if pair[0] not in submission.handles:
            return None
        return PairAsked(
            *pair, manifests[number], manifests[other], submission.source, document.agreement
        )

    def _rows(
        self, bench: _Bench, questions: Questions, rows: Mapping[bytes, CleanRow]
    ) -> npt.NDArray[np.uint8]:
        size = bench.round.document.answer_bytes
        out = np.zeros((len(questions), size), dtype=np.uint8)
        for number in np.unique(questions["own_submission"]).tolist():
            chosen = np.flatnonzero(questions["own_submission"] == number)
            handles = [bytes(each) for each in questions["own"][chosen]]
            others = [bytes(each) for each in questions["other"][chosen]]
            numbers = questions["other_submission"][chosen].tolist()
            out[chosen] = self._answerer(bench, number).answer(
                handles,
                [rows[handle] for handle in handles],
                [
                    bench.keys.pair(own, other, number, yours)
                    for own, other, yours in zip(handles, others, numbers, strict=True)
                ],
                [int(own > other) for own, other in zip(handles, others, strict=True)],
                [(number, yours) for yours in numbers],
            )
        return out

    def _answerer(self, bench: _Bench, number: int) -> PairAnswerer:
        found = bench.answerers.get(number)
        if found is None:
            document = bench.round.document
            found = bench.answerers[number] = self._core.answerer(
                document.kind,
                document.parameters,
                bench.keys.record,
                self._records.background(bench.own[number]),
            )
        return found

    def _refuse(self, hub: HubClient, item: RoundItem, refusal: ReasonedError) -> None:
        """Answer nothing (more) of a round, and say so to hub and ledger."""
        round_hash = item.round.payload_hash
        _LOG.warning("refused", extra={"round": round_hash, "reason": refusal.reason})
        self._note_refused(item)
        events = [
            self._ledger.author.write(
                EventType.REFUSED,
                Refused(
                    party=self._party, action="refine", reason=refusal.reason, about=round_hash
                ),
            )
        ]
        note = self._kept.note(round_hash)
        if note.asked:  # what it answered before the refusal is counted like any other
            events.append(self._counts(note, refusal.reason))
        self._kept.end(round_hash, "refused", refusal.reason, events)
        try:
            hub.refuse_round(round_hash, RoundRefusal(reason=refusal.reason))
        except HubRefused as answer:
            _LOG.info("refusal not taken", extra={"round": round_hash, "reason": answer.hub_reason})

    def _note_refused(self, item: RoundItem) -> None:
        try:
            document, own = read_round(item.round, self._party, self._ledger.state)
        except ReasonedError:
            self._kept.begin_unknown(item.round.payload_hash)  # not what the ledger says
            return
        self._kept.begin(item.round.payload_hash, document, own.questions)

    def _end_rounds(self, unfinished: AbstractSet[str]) -> None:
        """Tell the ledger of rounds that were answered in full, or have closed."""
        for note in self._kept.unfinished():
            if note.round not in self._ledger.state.refinement.rounds:
                continue  # refused as no round that the ledger knows, and the agent ended just then
            complete = (
                note.answered + sum(note.refused.values()) == note.asked
                and note.round not in unfinished
            )
            if not (complete and note.delivered) and self._now() < parse_time(note.closes):
                continue
            self._kept.end(note.round, "done", None, [self._counts(note, CLOSED)])

    def _counts(self, note: RoundNote, of_rest: str) -> Event:
        """What came of a round's questions; those of no batch that was answered, for one reason."""
        rest = note.asked - note.answered - sum(note.refused.values())
        refused = note.refused | ({of_rest: note.refused.get(of_rest, 0) + rest} if rest else {})
        logged = self._ledger.state.refinement.rounds[note.round].opened
        return self._ledger.author.write(
            EventType.REFINEMENT_ANSWERED,
            RefinementAnswered(
                round=note.round,
                run=note.run,
                agreement=logged.agreement,
                kind=RoundKind(note.kind),
                party=self._party,
                asked=note.asked,
                answered=note.answered,
                refused=refused,
                profiles=note.profiles,
            ),
        )

    def _log_events(self) -> list[Later]:
        later = []
        for item in self._kept.unlogged():
            try:
                for event in item.events:
                    self._ledger.append(event)
            except LedgerUnavailableError:
                raise
            except GovernanceError as error:
                later.append(Later(item.round, error.reason))
            else:
                self._kept.logged(item.round)
        return later
