"""Pairs to rule on, and the rulings.

Rules: pairs are shown to, and ruled on by, parties of an agreement that is in force and allows
linking; everything is pseudonymous (handles, source names, probabilities, similarities); a ruling
is in the ledger before it counts, without the records that it is about; it binds every later run of
its agreement; of two rulings on one pair the newer counts, and the older stays on record; who ruled
and when is kept with each; what a run did with the rulings that it was given is kept with the run
and shown as that; where rulings contradict each other, what keeps apart prevails.
"""

import json
import secrets
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, delete, insert, select, union

from governance.agreements.models import Action
from governance.canonical import sha256, write_time
from governance.exchange.analysis_api import PAGE_MOST
from governance.exchange.hub_api import (
    ReviewList,
    ReviewPair,
    RulingList,
    RulingPost,
    RulingView,
    ViewSimilarity,
)
from governance.ledger.events import EventType
from governance.ledger.party import PartyLedger
from governance.ledger.payloads import ReviewRuled
from linkage_hub.analytics.permission import Permission
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.clustering import bind
from linkage_hub.review.errors import UnknownRecord
from linkage_hub.review.masked import places_of
from linkage_hub.runs.inputs import SourceData
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import (
    families,
    family_members,
    person_records,
    review_pairs,
    rulings,
    run_rulings,
    runs,
)

SALT_BYTES: Final = 16


@dataclass(frozen=True)
class GivenRulings:
    """Rulings as a run is given them, oldest first: their numbers, and the records they are on."""

    numbers: list[int]
    answers: PairAnswers


class Reviews:
    """The review desk of every agreement."""

    def __init__(
        self, database: HubDatabase, ledger: PartyLedger, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._now = now
        self._permitted = Permission(database, ledger, now).agreement

    def pairs(
        self, party: str, agreement: str, offset: int = 0, limit: int = PAGE_MOST
    ) -> ReviewList:
        """Pairs of the current run to rule on: flagged families' first, then most changes.

        Args:
            party: whose member of staff asks.
            agreement: hash.
            offset: pairs to pass over.
            limit: pairs to list.

        Raises:
            AgreementRefusal: it is not in force, or not this party's.
        """
        terms = self._permitted(party, agreement)
        current = _current(agreement)
        with self._database.reading() as connection:
            counting = _newest(connection, agreement)
            ruled = {(row.left, row.right) for row in counting}
            rows = connection.execute(
                select(review_pairs)
                .where(review_pairs.c.run == current)
                .order_by(review_pairs.c.position)
            ).all()
            forward = Action.ANALYSE in terms.actions
            flagged = _flagged(connection, agreement) if forward else None
            followed = _followed(connection, agreement)
        open_ = [row for row in rows if (row.left, row.right) not in ruled]
        # stable: most changes first in each half
        open_.sort(key=lambda row: not {row.left, row.right} & (flagged or set()))
        return ReviewList(
            pairs=tuple(_pair(row, flagged) for row in open_[offset : offset + limit]),
            total=len(open_),
            not_followed=sum(not followed.get(row.number, True) for row in counting),
        )

    def decide(self, person: str, party: str, agreement: str, post: RulingPost) -> RulingList:
        """Keep a ruling; the rulings of the agreement as they stand then.

        The same again by the same person, with no other since, changes nothing.

        Args:
            person: thumbprint of who rules.
            party: whose member of staff that is.
            agreement: hash.
            post: the ruling.

        Raises:
            AgreementRefusal: it is not in force, or not this party's.
            UnknownRecord: the current run does not hold one of the records.
            LedgerError: the ledger does not have it; nothing was kept.
        """
        self._permitted(party, agreement)
        left, right = sorted((post.left, post.right))
        run = self._run_of(agreement, left, right)
        if self._ruled(agreement, (left, right), person, same=post.same):
            return self.rulings(party, agreement)
        salt = secrets.token_bytes(SALT_BYTES)
        event = self._ledger.write(
            EventType.REVIEW_RULED,
            ReviewRuled(
                agreement=agreement,
                run=run,
                party=party,
                person=person,
                same=post.same,
                pair_sha256=sha256(salt + bytes.fromhex(left) + bytes.fromhex(right)),
            ),
        )
        with self._database.writing() as connection:
            connection.execute(
                insert(rulings).values(
                    agreement=agreement,
                    left=left,
                    right=right,
                    same=post.same,
                    person=person,
                    party=party,
                    decided=write_time(self._now()),
                    event=event.leaf.id,
                    salt=salt,
                )
            )
        return self.rulings(party, agreement)

    def _ruled(self, agreement: str, pair: tuple[str, str], person: str, *, same: bool) -> bool:
        """Whether the newest ruling on a pair is this one."""
        with self._database.reading() as connection:
            newest = connection.execute(
                select(rulings)
                .where(
                    rulings.c.agreement == agreement,
                    rulings.c.left == pair[0],
                    rulings.c.right == pair[1],
                )
                .order_by(rulings.c.number.desc())
                .limit(1)
            ).first()
        return newest is not None and (newest.person, newest.same) == (person, same)

    def _run_of(self, agreement: str, left: str, right: str) -> str:
        """The agreement's current run, which holds both records."""
        with self._database.reading() as connection:
            held = connection.execute(
                select(person_records.c.run).where(
                    person_records.c.run == _current(agreement),
                    person_records.c.handle.in_((left, right)),
                )
            ).all()
        if left == right or len(held) < 2:  # noqa: PLR2004 both records
            raise UnknownRecord(
                "the agreement's current run does not hold both records",
                next_step="take the handles from: linkage-hub review list",
            )
        return str(held[0].run)

    def rulings(self, party: str, agreement: str) -> RulingList:
        """Every ruling that counts, oldest first, and whether the current run followed it.

        Raises:
            AgreementRefusal: it is not in force, or not this party's.
        """
        self._permitted(party, agreement)
        with self._database.reading() as connection:
            rows = _newest(connection, agreement)
            followed = _followed(connection, agreement)
        names = {
            handle: number
            for number, handle in enumerate(
                sorted({row.left for row in rows} | {row.right for row in rows})
            )
        }
        ends = np.array([(names[row.left], names[row.right]) for row in rows], dtype=np.int64)
        ends = ends.reshape(-1, 2)
        same = np.array([row.same for row in rows], dtype=np.bool_)
        _, refused = bind(ends[same], ends[~same])
        broken = set(np.flatnonzero(same)[refused].tolist())
        return RulingList(
            rulings=tuple(
                RulingView(
                    left=row.left,
                    right=row.right,
                    same=row.same,
                    person=row.person,
                    party=row.party,
                    decided=row.decided,
                    followed=followed.get(row.number),
                    contradicted=number in broken,
                )
                for number, row in enumerate(rows)
            )
        )

    def given(self, agreement: str, sources: Sequence[SourceData]) -> GivenRulings:
        """The rulings as a run needs them; those on records no longer held are left out."""
        with self._database.reading() as connection:
            rows = _newest(connection, agreement)
        place = places_of(sources, {row.left for row in rows} | {row.right for row in rows})
        kept = [row for row in rows if row.left in place and row.right in place]
        table = np.array(
            [(*place[row.left], *place[row.right]) for row in kept], dtype=np.int64
        ).reshape(-1, 4)
        yes = np.array([row.same for row in kept], dtype=np.bool_)
        return GivenRulings(
            [row.number for row in kept],
            PairAnswers(table[:, 0], table[:, 2], table[:, 1], table[:, 3], yes),
        )

    def keep(self, run: str, given: GivenRulings, conflicts: Collection[int]) -> None:
        """Keep what a run did with the rulings that it was given; may be repeated.

        Args:
            run: a run's id.
            given: what it was given.
            conflicts: rows of it that were not followed.
        """
        rows = [
            {"run": run, "ruling": number, "followed": row not in conflicts}
            for row, number in enumerate(given.numbers)
        ]
        with self._database.writing() as connection:
            connection.execute(delete(run_rulings).where(run_rulings.c.run == run))
            if rows:
                connection.execute(insert(run_rulings), rows)


def _current(agreement: str) -> Any:
    return (
        select(runs.c.id)
        .where(runs.c.agreement == agreement, runs.c.is_current.is_(True))
        .scalar_subquery()
    )


def _newest(connection: Connection, agreement: str) -> list[Any]:
    """The newest ruling on each pair, oldest first."""
    rows = connection.execute(
        select(rulings).where(rulings.c.agreement == agreement).order_by(rulings.c.number)
    ).all()
    newest = {(row.left, row.right): row for row in rows}
    return [row for row in rows if newest[row.left, row.right] is row]


def _followed(connection: Connection, agreement: str) -> dict[int, bool]:
    """Whether the current run followed each ruling that it was given, by number."""
    rows = connection.execute(select(run_rulings).where(run_rulings.c.run == _current(agreement)))
    return {row.ruling: row.followed for row in rows}


def _pair(row: Any, flagged: set[str] | None) -> ReviewPair:
    return ReviewPair(
        left=row.left,
        right=row.right,
        left_source=row.left_source,
        right_source=row.right_source,
        probability=row.probability,
        changes=row.changes,
        flagged=None if flagged is None else bool({row.left, row.right} & flagged),
        together=row.together,
        left_records=row.left_records,
        right_records=row.right_records,
        views=tuple(ViewSimilarity(**view) for view in json.loads(row.views)),
        answer=row.answer,
    )


def _flagged(connection: Connection, agreement: str) -> set[str]:
    """Handles of pairs to rule on whose family is put forward."""
    current = _current(agreement)
    ends = union(
        *(
            select(end).where(review_pairs.c.run == current)
            for end in (review_pairs.c.left, review_pairs.c.right)
        )
    )
    return set(
        connection.scalars(
            select(person_records.c.handle)
            .join(
                family_members,
                (family_members.c.run == person_records.c.run)
                & (family_members.c.person == person_records.c.person),
            )
            .join(
                families,
                (families.c.run == family_members.c.run)
                & (families.c.family == family_members.c.family),
            )
            .where(
                person_records.c.run == current,
                person_records.c.handle.in_(ends),
                families.c.flagged.is_(True),
            )
        )
    )
