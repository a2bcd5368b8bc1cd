"""Opening a round, and reading what came of it.

Rules: a run has at most one round of each kind; its files are written first, then the signed
document is kept, then the ledger is told, and only then can partners see it, so that a crash
anywhere leaves a round that is finished opening or was never shown. The job that takes the run on
waits for the round's end without holding a worker.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import and_, exists, func, insert, or_, select, update

from governance.agreements.models import Agreement
from governance.canonical import canonical_bytes, parse_json, parse_time, write_time
from governance.exchange.refinement import (
    BATCH_QUESTIONS,
    ROUND,
    PartyQuestions,
    ProfilesPost,
    RefinementRound,
)
from governance.exchange.refinement_bodies import ANSWERED, batch_hashes
from governance.identity.envelope import Envelope, parse_canonical, parse_model, sign
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import RefinementOpened, RoundKind
from linkage_hub.jobs.queue import enqueue
from linkage_hub.refinement.desk import NEXT_JOB, answered_count, round_folder
from linkage_hub.refinement.files import RoundFiles
from linkage_hub.refinement.pairs import Pairs, PartySheet, sheets
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import (
    refinement_batches,
    refinement_parties,
    refinement_rounds,
    runs,
)
from linkage_hub.submissions.service import log_once


@dataclass(frozen=True)
class Asking:
    """What a round is made of, beside its pairs.

    Attributes:
        manifests, parties: of the run's submissions, in their order.
        handles: of each submission's records, ``V16`` (n,).
        parameters: as the core wrote them; what they mean is the core's.
        answer_bytes: size of one answer.
    """

    run: str
    kind: RoundKind
    agreement: Agreement
    manifests: Sequence[str]
    parties: Sequence[str]
    handles: Sequence[npt.NDArray[np.void]]
    parameters: dict[str, Any]
    answer_bytes: int


@dataclass(frozen=True)
class RoundAnswers:
    """What partners answered to the pairs of a round.

    Attributes:
        document: the round.
        pairs: what was asked about.
        answered: bool (n,), both ends of the pair were answered.
        heard: bool (n,), a party answered or refused one end at least: an agent that has answered
            does so once, so that asking again would be in vain.
    """

    document: RefinementRound
    pairs: Pairs
    answered: npt.NDArray[np.bool_]
    heard: npt.NDArray[np.bool_]
    _rows: Sequence[npt.NDArray[np.uint8]]
    _place: npt.NDArray[np.int64]  # (2, n, 2): party and question of each end

    def ends(
        self, chosen: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
        """Answers of the left and the right end of some pairs, uint8 (m, size) each."""
        found = []
        for end in (0, 1):
            out = np.zeros((len(chosen), self.document.answer_bytes), dtype=np.uint8)
            party, question = self._place[end, chosen].T
            for number, rows in enumerate(self._rows):
                own = party == number
                out[own] = rows[question[own], 1:]
            found.append(out)
        return found[0], found[1]


class Rounds:
    """Rounds of every run."""

    def __init__(self, database: HubDatabase, ledger: PartyLedger, runs_folder: Path) -> None:
        self._database = database
        self._ledger = ledger
        self._folder = runs_folder

    def files(self, run: str, kind: RoundKind) -> RoundFiles:
        """The files of a run's round of a kind."""
        return RoundFiles(round_folder(self._folder, run, kind))

    def known(self, run: str, kind: RoundKind) -> Any | None:
        """The row of a run's round of a kind, if there is one."""
        table = refinement_rounds
        with self._database.reading() as connection:
            return connection.execute(
                select(table).where(table.c.run == run, table.c.kind == kind)
            ).first()

    def document(self, run: str, kind: RoundKind) -> RefinementRound:
        """A run's round of a kind, which there is."""
        return _document(self.known(run, kind))

    def prepare(self, asking: Asking, pairs: Pairs, now: datetime) -> None:
        """Write a round's files and keep its signed document; nobody sees it yet."""
        asked = sheets(pairs, asking.parties, asking.handles)
        self.files(asking.run, asking.kind).write(pairs, asked)
        hours = asking.agreement.limits.refinement_answer_hours
        document = RefinementRound(
            run=asking.run,
            agreement=asking.agreement.hash,
            epoch=asking.agreement.encoding.epoch,
            kind=asking.kind,
            submissions=tuple(asking.manifests),
            parameters=asking.parameters,
            answer_bytes=asking.answer_bytes,
            parties=_parties(asking, asked),
            opened=write_time(now),
            closes=write_time(now + timedelta(hours=hours)),
        )
        author = self._ledger.author
        envelope = sign(ROUND, document, author.key, author.thumbprint)
        with self._database.writing() as connection:
            connection.execute(
                insert(refinement_rounds).values(
                    id=envelope.payload_hash,
                    run=asking.run,
                    kind=asking.kind,
                    state="opening",
                    envelope=canonical_bytes(envelope),
                    answer_bytes=asking.answer_bytes,
                    opened=document.opened,
                    closes=document.closes,
                )
            )
            for each in document.parties:
                connection.execute(
                    insert(refinement_parties).values(
                        round=envelope.payload_hash,
                        party=each.party,
                        questions=each.questions,
                        batches=len(each.batches),
                        refused=None,
                        profiles_wanted=asking.kind is RoundKind.CALIBRATE,
                        profiles=None,
                    )
                )

    def open(self, run: str, kind: RoundKind) -> None:
        """Tell the ledger of a prepared round, then show it to partners; may be repeated.

        Raises:
            LedgerError: the ledger does not have it; partners do not see the round yet.
        """
        row = self.known(run, kind)
        if row is None or row.state == "closed":
            return
        if row.state == "open":
            self._waiting(run, kind)
            return
        document = _document(row)
        event = RefinementOpened(
            round=row.id,
            run=run,
            agreement=document.agreement,
            kind=kind,
            questions={each.party: each.questions for each in document.parties},
        )
        log_once(self._ledger, EventType.REFINEMENT_OPENED, event, f"round:{row.id}")
        asked = sum(event.questions.values())
        with self._database.writing() as connection:
            connection.execute(
                update(refinement_rounds)
                .where(refinement_rounds.c.id == row.id)
                .values(state="open")
            )
            connection.execute(
                update(runs)
                .where(runs.c.id == run)
                .values(state="waiting", phase=kind, pairs_asked=runs.c.pairs_asked + asked)
            )
            until = parse_time(row.closes).timestamp()
            enqueue(connection, NEXT_JOB[kind], run, time.time(), not_before=until)

    def _waiting(self, run: str, kind: RoundKind) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(runs).where(runs.c.id == run).values(state="waiting", phase=kind)
            )

    def close(self, run: str, kind: RoundKind) -> None:
        """Take no more answers."""
        row = self.known(run, kind)
        if row is None or row.state == "closed":
            return
        with self._database.writing() as connection:
            connection.execute(
                update(refinement_rounds)
                .where(refinement_rounds.c.id == row.id)
                .values(state="closed")
            )
            answered = answered_count(connection, row.id)
            connection.execute(
                update(runs)
                .where(runs.c.id == run)
                .values(pairs_answered=runs.c.pairs_answered + answered)
            )

    def answers(self, run: str, kind: RoundKind) -> RoundAnswers:
        """What partners answered to a round that there is."""
        row = self.known(run, kind)
        if row is None:  # pragma: no cover - phases only read rounds that they opened
            raise ValueError("no such round")
        document = _document(row)
        files = self.files(run, kind)
        pairs = files.pairs()
        place = np.zeros((2, len(pairs), 2), dtype=np.int64)
        there = np.zeros((2, len(pairs)), dtype=np.bool_)
        heard = np.zeros(len(pairs), dtype=np.bool_)
        rows = []
        for number, each in enumerate(document.parties):
            if not each.questions:
                rows.append(np.zeros((0, 1 + document.answer_bytes), dtype=np.uint8))
                continue
            asked = files.asked(each.party)
            table = files.answers(each.party, each.questions, 1 + document.answer_bytes)
            came = self._came(row.id, each)
            given = came.copy()
            given[came] = np.asarray(table[:, 0])[came] == ANSWERED
            for end in (0, 1):
                own = np.flatnonzero(asked["end"] == end)
                place[end, asked["pair"][own], 0] = number
                place[end, asked["pair"][own], 1] = own
                there[end, asked["pair"][own]] = given[own]
                heard[asked["pair"][own]] |= came[own]
            rows.append(table)
        return RoundAnswers(document, pairs, there[0] & there[1], heard, rows, place)

    def asked(self, run: str, agreement: str, since: datetime) -> Counter[str]:
        """Questions to each party in a run, and in others under an agreement since some time.

        A round counts from when it was opened, or from a party's newest answers, since an agent
        counts from when it begins.
        """
        rounds, parties, batches = refinement_rounds, refinement_parties, refinement_batches
        answered_lately = exists().where(
            batches.c.round == rounds.c.id,
            batches.c.party == parties.c.party,
            batches.c.received > write_time(since),
        )
        statement = (
            select(parties.c.party, func.sum(parties.c.questions))
            .join(rounds, rounds.c.id == parties.c.round)
            .join(runs, runs.c.id == rounds.c.run)
            .where(
                or_(
                    rounds.c.run == run,
                    and_(
                        runs.c.agreement == agreement,
                        or_(rounds.c.opened > write_time(since), answered_lately),
                    ),
                )
            )
            .group_by(parties.c.party)
        )
        with self._database.reading() as connection:
            return Counter({party: int(n) for party, n in connection.execute(statement).all()})

    def profiles(
        self, run: str, kind: RoundKind, parties: Sequence[str]
    ) -> list[dict[str, Any] | None]:
        """What each submission said about itself; a party speaks for its own only.

        Args:
            run: of the round.
            kind: of the round.
            parties: of the run's submissions, in their order.
        """
        row = self.known(run, kind)
        if row is None:
            return [None] * len(parties)
        table = refinement_parties
        with self._database.reading() as connection:
            posts = connection.execute(
                select(table.c.party, table.c.profiles).where(
                    table.c.round == row.id, table.c.profiles.is_not(None)
                )
            ).all()
        found: list[dict[str, Any] | None] = [None] * len(parties)
        for post in posts:
            for each in parse_model(parse_json(post.profiles), ProfilesPost).profiles:
                if each.submission < len(parties) and parties[each.submission] == post.party:
                    found[each.submission] = each.profile
        return found

    def _came(self, round_hash: str, asked: PartyQuestions) -> npt.NDArray[np.bool_]:
        table = refinement_batches
        with self._database.reading() as connection:
            batches = list(
                connection.scalars(
                    select(table.c.batch).where(
                        table.c.round == round_hash, table.c.party == asked.party
                    )
                )
            )
        there = np.zeros(len(asked.batches), dtype=np.bool_)
        there[batches] = True
        return np.repeat(there, BATCH_QUESTIONS)[: asked.questions]


def _parties(asking: Asking, asked: Sequence[PartySheet]) -> tuple[PartyQuestions, ...]:
    found = {
        sheet.party: PartyQuestions(
            party=sheet.party,
            questions=len(sheet.questions),
            batches=batch_hashes(sheet.questions),
        )
        for sheet in asked
    }
    if asking.kind is RoundKind.CALIBRATE:
        for party in set(asking.parties) - set(found):
            found[party] = PartyQuestions(party=party, questions=0, batches=())
    return tuple(found[party] for party in sorted(found))


def _document(row: Any) -> RefinementRound:
    envelope = parse_model(parse_json(row.envelope), Envelope)
    return parse_canonical(envelope.payload_bytes, RefinementRound)
