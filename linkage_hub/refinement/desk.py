"""The hub's desk for rounds: what partners are asked, and the answers as they come.

Rules: a party sees its own questions and nobody else's; a batch of answers is taken once, and the
same bytes again are no second answer; what cannot be an agent's work is refused at the door; a
round closes when its time is over, or when every party has answered or refused. The last answer
queues the run's next phase in the same transaction.
"""

import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, func, insert, select, update

from governance.canonical import canonical_bytes, parse_json, parse_time, sha256, write_time
from governance.errors import FormatError
from governance.exchange.refinement import ProfilesPost, RoundItem, RoundList, questions_in
from governance.exchange.refinement_bodies import read_answers
from governance.identity.envelope import Envelope, parse_model
from governance.ledger.payloads import RoundKind
from linkage_hub.jobs.queue import enqueue
from linkage_hub.refinement.errors import (
    AnsweredOtherwise,
    GarbageAnswers,
    RoundOver,
    UnknownRound,
)
from linkage_hub.refinement.files import RoundFiles
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import refinement_batches, refinement_parties, refinement_rounds

NEXT_JOB: Final = {
    RoundKind.CALIBRATE: "link.calibrated",
    RoundKind.DECIDE: "link.decided",
}
"""Which job takes a run on when a round of a kind is over."""
REPEATED_MOST: Final = 0.01
"""Share of a batch's answers that may equal another one: agents' answers never repeat."""


def round_folder(runs: Path, run: str, kind: str) -> Path:
    """Where a round's files are."""
    return runs / run / kind


class RoundDesk:
    """Rounds as partners meet them."""

    def __init__(self, database: HubDatabase, runs: Path, now: Callable[[], datetime]) -> None:
        self._database = database
        self._runs = runs
        self._now = now

    def open_rounds(self, party: str) -> RoundList:
        """Open rounds in which a party has batches left."""
        rounds, parties = refinement_rounds, refinement_parties
        statement = (
            select(
                rounds.c.id,
                rounds.c.envelope,
                rounds.c.closes,
                parties.c.batches,
                parties.c.profiles_wanted,
                parties.c.profiles,
            )
            .join(parties, parties.c.round == rounds.c.id)
            .where(rounds.c.state == "open", parties.c.party == party, parties.c.refused.is_(None))
            .order_by(rounds.c.closes, rounds.c.id)
        )
        found = []
        with self._database.reading() as connection:
            for row in connection.execute(statement).all():
                missing = sorted(set(range(row.batches)) - self._there(connection, row.id, party))
                wanted = row.profiles_wanted and row.profiles is None
                if (missing or wanted) and not self._is_over(row):
                    envelope = parse_model(parse_json(row.envelope), Envelope)
                    found.append(
                        RoundItem(round=envelope, missing=tuple(missing), profiles_wanted=wanted)
                    )
        return RoundList(rounds=tuple(found))

    def questions(self, party: str, round_hash: str, batch: int) -> bytes:
        """The bytes of one batch.

        Raises:
            UnknownRound: the party is not asked that.
        """
        row, own = self._own(party, round_hash)
        self._check_batch(own, batch)
        return self._files(row).questions(party, batch)

    def answer(self, party: str, round_hash: str, batch: int, body: bytes) -> None:
        """Take one batch of answers.

        Raises:
            UnknownRound, RoundOver, AnsweredOtherwise, GarbageAnswers: by the first rule that
                fails; the round goes on without this batch.
        """
        row, own = self._own(party, round_hash)
        self._check_batch(own, batch)
        digest = sha256(body)
        known = self._known(round_hash, party, batch)
        if known is not None:
            if known != digest:
                raise AnsweredOtherwise("this batch was answered before, with other bytes")
            return
        if row.state != "open" or own.refused is not None or self._is_over(row):
            raise RoundOver("the round has closed", next_step="nothing to do: the run goes on")
        answered = _checked(body, questions_in(own.questions, batch), row.answer_bytes)
        self._files(row).store_answers(party, batch, 1 + row.answer_bytes, body)
        with self._database.writing() as connection:
            if self._known(round_hash, party, batch, connection) is None:
                connection.execute(
                    insert(refinement_batches).values(
                        round=round_hash,
                        party=party,
                        batch=batch,
                        sha256=digest,
                        answered=answered,
                        received=write_time(self._now()),
                    )
                )
            self._go_on_if_complete(connection, row)

    def profiles(self, party: str, round_hash: str, post: ProfilesPost) -> None:
        """Keep what a party's submissions say about themselves; the first word counts.

        Raises:
            UnknownRound, RoundOver: not wanted of this party, or no more.
        """
        row, own = self._own(party, round_hash)
        if not own.profiles_wanted:
            raise UnknownRound("no profiles are wanted of this party")
        if own.profiles is not None:
            return
        if row.state != "open" or self._is_over(row):
            raise RoundOver("the round has closed", next_step="nothing to do: the run goes on")
        with self._database.writing() as connection:
            self._note(connection, round_hash, party, profiles=canonical_bytes(post))
            self._go_on_if_complete(connection, row)

    def refuse(self, party: str, round_hash: str, reason: str) -> None:
        """Note that a party answers nothing more of a round; may be repeated.

        Raises:
            UnknownRound, RoundOver: the party is not asked, or no more.
        """
        row, own = self._own(party, round_hash)
        if own.refused is not None:
            return
        if row.state != "open":
            raise RoundOver("the round has closed", next_step="nothing to do: the run goes on")
        with self._database.writing() as connection:
            self._note(connection, round_hash, party, refused=reason)
            self._go_on_if_complete(connection, row)

    def waiting_for(self, run: str) -> tuple[str, ...]:
        """Parties that have questions left in a run's open round."""
        with self._database.reading() as connection:
            rounds = connection.execute(
                select(refinement_rounds).where(
                    refinement_rounds.c.run == run, refinement_rounds.c.state == "open"
                )
            ).all()
            return tuple(
                sorted({party for row in rounds for party in self._waiting(connection, row.id)})
            )

    def progress(self, run: str) -> tuple[float, int | None]:
        """Share of the batches of a run's open round that came, and seconds left at this pace."""
        rounds, parties, batches = refinement_rounds, refinement_parties, refinement_batches
        with self._database.reading() as connection:
            row = connection.execute(
                select(rounds).where(rounds.c.run == run, rounds.c.state == "open")
            ).first()
            if row is None:
                return 0.0, None
            wanted = connection.scalar(
                select(func.sum(parties.c.batches)).where(parties.c.round == row.id)
            )
            came = connection.scalar(
                select(func.count()).select_from(batches).where(batches.c.round == row.id)
            )
        share = int(came or 0) / max(1, int(wanted or 0))
        passed = (self._now() - parse_time(row.opened)).total_seconds()
        left = round(passed * (1 - share) / share) if share else None
        return share, left

    def _waiting(self, connection: Connection, round_hash: str) -> list[str]:
        parties = connection.execute(
            select(refinement_parties).where(refinement_parties.c.round == round_hash)
        ).all()
        return [
            each.party
            for each in parties
            if each.refused is None
            and (
                len(self._there(connection, round_hash, each.party)) < each.batches
                or (each.profiles_wanted and each.profiles is None)
            )
        ]

    @staticmethod
    def _note(connection: Connection, round_hash: str, party: str, **values: object) -> None:
        connection.execute(
            update(refinement_parties)
            .where(refinement_parties.c.round == round_hash, refinement_parties.c.party == party)
            .values(**values)
        )

    def _go_on_if_complete(self, connection: Connection, row: Any) -> None:
        if not self._waiting(connection, row.id):
            enqueue(connection, NEXT_JOB[RoundKind(row.kind)], row.run, time.time())

    def _there(self, connection: Connection, round_hash: str, party: str) -> set[int]:
        table = refinement_batches
        return set(
            connection.scalars(
                select(table.c.batch).where(table.c.round == round_hash, table.c.party == party)
            )
        )

    def _known(
        self, round_hash: str, party: str, batch: int, connection: Connection | None = None
    ) -> str | None:
        table = refinement_batches
        statement = select(table.c.sha256).where(
            table.c.round == round_hash, table.c.party == party, table.c.batch == batch
        )
        if connection is not None:
            return connection.scalar(statement)
        with self._database.reading() as reading:
            return reading.scalar(statement)

    def _own(self, party: str, round_hash: str) -> tuple[Any, Any]:
        with self._database.reading() as connection:
            row = connection.execute(
                select(refinement_rounds).where(
                    refinement_rounds.c.id == round_hash, refinement_rounds.c.state != "opening"
                )
            ).first()
            own = connection.execute(
                select(refinement_parties).where(
                    refinement_parties.c.round == round_hash, refinement_parties.c.party == party
                )
            ).first()
        if row is None or own is None:
            raise UnknownRound("there is no such round for this party")
        return row, own

    @staticmethod
    def _check_batch(own: Any, batch: int) -> None:
        if not 0 <= batch < own.batches:
            raise UnknownRound("the round has no such batch for this party")

    def _is_over(self, row: Any) -> bool:
        return self._now() >= parse_time(row.closes)

    def _files(self, row: Any) -> RoundFiles:
        return RoundFiles(round_folder(self._runs, row.run, row.kind))


def answered_count(connection: Connection, round_hash: str) -> int:
    """How many questions of a round were answered, over all parties."""
    table = refinement_batches
    total = connection.scalar(select(func.sum(table.c.answered)).where(table.c.round == round_hash))
    return int(total or 0)


def _checked(body: bytes, count: int, size: int) -> int:
    """How many of a batch's questions are answered.

    Raises:
        GarbageAnswers: another form, or answers that repeat.
    """
    try:
        answered, rows = read_answers(body, count, size)
    except FormatError as error:
        raise GarbageAnswers(error.message) from None
    given = np.ascontiguousarray(rows[answered]).view(f"V{size}").ravel()
    if len(given) - len(np.unique(given)) > REPEATED_MOST * len(given):
        raise GarbageAnswers("answers to different questions are the same")
    return int(answered.sum())
