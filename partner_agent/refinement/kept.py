"""Rounds and answers as the agent keeps them.

Rules: the answers of a batch are in a file before they count, and count before they leave; the file
is destroyed once the hub has them. A round ends with events for the ledger, a refusal and counts
only, whose very bytes are repeated until the ledger has them.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Row, and_, func, insert, or_, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from governance.canonical import canonical_bytes, parse_json, write_time
from governance.durable import write_durably
from governance.exchange.refinement import BUDGET_TIME, RefinementRound
from governance.identity.envelope import parse_model
from governance.ledger.events import Event, WireEvent
from governance.ledger.payloads import RoundKind
from partner_agent.cleansing.errors import OutputNotWrittenError
from partner_agent.refinement.asked import AskedPairs, PairAsked
from partner_agent.refinement.told import ToldProfiles
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import refinement_batches, refinement_rounds

CLOSED: Final = "refinement.closed"
"""Questions that were not answered before the round closed."""


@dataclass(frozen=True)
class RoundNote:
    """What this partner did with a round, for its data officer; counts only."""

    round: str
    run: str
    kind: str
    state: str
    reason: str | None
    asked: int
    answered: int
    refused: dict[str, int]
    profiles: int
    delivered: bool
    logged: bool
    closes: str


@dataclass(frozen=True)
class Unlogged:
    """A round's events, of which the ledger may not have all yet."""

    round: str
    events: tuple[Event, ...]


class KeptRounds:
    """Rounds that this agent has seen; ``told``: profiles that it told in them.

    Args:
        folder: where answers wait until the hub has them.
        database: the agent's.
        now: the clock.
    """

    def __init__(self, folder: Path, database: AgentDatabase, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._database = database
        self._now = now
        self.told = ToldProfiles(database)

    def begin(self, round_hash: str, document: RefinementRound, asked: int) -> None:
        """Note a round; one that is known stays as it is."""
        with self._database.writing() as connection:
            known = select(refinement_rounds.c.round).where(refinement_rounds.c.round == round_hash)
            if connection.execute(known).first() is not None:
                return
            connection.execute(
                insert(refinement_rounds).values(
                    round=round_hash,
                    run=document.run,
                    agreement=document.agreement,
                    kind=document.kind,
                    asked=asked,
                    closes=document.closes,
                    state="open",
                    reason=None,
                    event=None,
                    logged=False,
                    begun=write_time(self._now()),
                )
            )

    def asked_before(self, document: RefinementRound, but: str) -> int:
        """Questions of other rounds that share a round's budget; of refused ones those before that.

        They are the rounds of its run, and those of any run under its agreement that began here
        within ``BUDGET_TIME``: runs are named by the hub, which could say that each round is one.

        Args:
            document: the round.
            but: its hash.
        """
        rounds, batches = refinement_rounds, refinement_batches
        since = write_time(self._now() - BUDGET_TIME)
        lately = and_(rounds.c.agreement == document.agreement, rounds.c.begun > since)
        others = (rounds.c.round != but, or_(rounds.c.run == document.run, lately))
        whole = select(func.sum(rounds.c.asked)).where(*others, rounds.c.state != "refused")
        before = (
            select(func.sum(batches.c.asked))
            .join(rounds, rounds.c.round == batches.c.round)
            .where(*others, rounds.c.state == "refused")
        )
        with self._database.reading() as connection:
            return int(connection.scalar(whole) or 0) + int(connection.scalar(before) or 0)

    def begin_unknown(self, round_hash: str) -> None:
        """Note a round of which nothing can be believed but that it is refused."""
        statement = upsert(refinement_rounds).values(
            round=round_hash,
            run="",
            agreement="",
            kind="",
            asked=0,
            closes=write_time(self._now()),
            state="open",
            reason=None,
            event=None,
            logged=False,
            begun=write_time(self._now()),
        )
        with self._database.writing() as connection:
            connection.execute(statement.on_conflict_do_nothing())

    def refused(self, round_hash: str) -> str | None:
        """Why nothing of a round is answered; None where that is not so."""
        table = refinement_rounds
        with self._database.reading() as connection:
            return connection.scalar(
                select(table.c.reason).where(
                    table.c.round == round_hash, table.c.state == "refused"
                )
            )

    def knows(self, round_hash: str, batch: int) -> bool:
        """Whether a batch was answered here, whatever became of the answers."""
        table = refinement_batches
        with self._database.reading() as connection:
            known = select(table.c.batch).where(table.c.round == round_hash, table.c.batch == batch)
            return connection.execute(known).first() is not None

    def answers(self, round_hash: str, batch: int) -> bytes | None:
        """Answers that were stored and are not known to have reached the hub."""
        path = self._path(round_hash, batch)
        return path.read_bytes() if self.knows(round_hash, batch) and path.exists() else None

    def store(
        self,
        round_hash: str,
        batch: int,
        kind: RoundKind,
        answered: Iterable[PairAsked],
        refused: Mapping[str, int],
        body: bytes,
        parameters: str | None = None,
    ) -> None:
        """Keep the answers of a batch, and remember its pairs, all or none.

        Raises:
            AgentStoreError: another process answered it meanwhile, or the disk is full.
            OutputNotWrittenError: the disk is full.
        """
        self._write(self._path(round_hash, batch), body)
        pairs = list(answered)
        with self._database.writing() as connection:
            AskedPairs.store(connection, kind, pairs, parameters)
            connection.execute(
                insert(refinement_batches).values(
                    round=round_hash,
                    batch=batch,
                    asked=len(pairs) + sum(refused.values()),
                    answered=len(pairs),
                    refused=json.dumps(dict(refused), sort_keys=True),
                    delivered=False,
                )
            )

    def delivered(self, round_hash: str, batch: int) -> None:
        """The hub has a batch's answers, or wants them no more: they are destroyed here."""
        table = refinement_batches
        with self._database.writing() as connection:
            connection.execute(
                update(table)
                .where(table.c.round == round_hash, table.c.batch == batch)
                .values(delivered=True)
            )
        self._path(round_hash, batch).unlink(missing_ok=True)

    def end(self, round_hash: str, state: str, reason: str | None, events: Sequence[Event]) -> None:
        """Note that a round is over here, with the events that tell the ledger."""
        table = refinement_rounds
        with self._database.writing() as connection:
            connection.execute(
                update(table)
                .where(table.c.round == round_hash, table.c.state == "open")
                .values(
                    state=state,
                    reason=reason,
                    event=canonical_bytes([WireEvent.of(each).model_dump() for each in events]),
                )
            )

    def unlogged(self) -> list[Unlogged]:
        """Events that the ledger does not have yet."""
        table = refinement_rounds
        statement = select(table.c.round, table.c.event).where(
            table.c.event.is_not(None), table.c.logged.is_(False)
        )
        with self._database.reading() as connection:
            rows = connection.execute(statement).all()
        return [
            Unlogged(
                row.round,
                tuple(parse_model(each, WireEvent).event() for each in parse_json(row.event)),
            )
            for row in rows
        ]

    def logged(self, round_hash: str) -> None:
        """The ledger has a round's event."""
        table = refinement_rounds
        with self._database.writing() as connection:
            connection.execute(update(table).where(table.c.round == round_hash).values(logged=True))

    def unfinished(self) -> list[RoundNote]:
        """Rounds that were begun and have not ended here."""
        return [note for note in self.all() if note.state == "open"]

    def note(self, round_hash: str) -> RoundNote:
        """What was done with a round that was begun."""
        return next(note for note in self.all() if note.round == round_hash)

    def all(self) -> list[RoundNote]:
        """Every round, oldest first."""
        rounds, batches = refinement_rounds, refinement_batches
        with self._database.reading() as connection:
            rows = connection.execute(select(rounds).order_by(rounds.c.begun, rounds.c.round)).all()
            parts = connection.execute(select(batches)).all()
        told = self.told.by_round()
        return [
            _note(row, [part for part in parts if part.round == row.round], told[row.round])
            for row in rows
        ]

    def _path(self, round_hash: str, batch: int) -> Path:
        return self._folder / f"{round_hash.removeprefix('sha256:')}.{batch}.answers"

    def _write(self, path: Path, body: bytes) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_durably(path, body)
        except OSError as error:
            raise OutputNotWrittenError(
                f"answers could not be written: {error.strerror or type(error).__name__}",
                next_step="free some space; the agent tries again by itself",
            ) from None


def _note(row: Row[Any], parts: list[Row[Any]], profiles: int) -> RoundNote:
    refused: Counter[str] = Counter()
    for part in parts:
        refused.update(json.loads(part.refused))
    answered = sum(part.answered for part in parts)
    if row.state == "refused":
        refused[str(row.reason)] += row.asked - answered - sum(refused.values())
    elif row.state == "done" and answered + sum(refused.values()) < row.asked:
        refused[CLOSED] += row.asked - answered - sum(refused.values())
    return RoundNote(
        round=row.round,
        run=row.run,
        kind=row.kind,
        state=row.state,
        reason=row.reason,
        asked=row.asked,
        answered=answered,
        refused=dict(sorted((reason, n) for reason, n in refused.items() if n)),
        profiles=profiles,
        delivered=all(part.delivered for part in parts),
        logged=row.logged,
        closes=row.closes,
    )
