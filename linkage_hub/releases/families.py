"""Families of the current run, as managers see them, and the members' document of a request."""

import json
from typing import Any

from sqlalchemy import func, select

from governance.agreements.models import Agreement
from governance.consent.rules import Approach, require_family_permission
from governance.errors import ReasonedError
from governance.exchange.hub_api import (
    FamilyList,
    FamilySummary,
    FamilyView,
    MemberView,
    NeedView,
)
from governance.ledger.state import LedgerState
from governance.release.models import Member, Members, RecordRef
from linkage_hub.analytics.needs import IN_PROGRAMME
from linkage_hub.releases.errors import UnknownFamily
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, family_members, family_needs, person_records, runs


class Families:
    """The current run's families."""

    def __init__(self, database: HubDatabase) -> None:
        self._database = database

    def page(
        self, state: LedgerState, approach: "ApproachFor", *, flagged: bool, offset: int, limit: int
    ) -> FamilyList:
        """Families by needs met, most first."""
        wanted = self._current().where(families.c.flagged.is_(True)) if flagged else self._current()
        order = (families.c.needs_met.desc(), families.c.confidence.desc(), families.c.family)
        with self._database.reading() as connection:
            total = connection.scalar(select(func.count()).select_from(wanted.subquery()))
            rows = connection.execute(wanted.order_by(*order).offset(offset).limit(limit)).all()
        return FamilyList(
            families=tuple(self._summary(row, state, approach) for row in rows),
            total=int(total or 0),
        )

    def view(self, family: str, state: LedgerState, approach: "ApproachFor") -> FamilyView:
        """One family.

        Raises:
            UnknownFamily: not in the current results.
        """
        row = self._row(family)
        with self._database.reading() as connection:
            needs = connection.execute(
                select(family_needs)
                .where(family_needs.c.run == row.run, family_needs.c.family == family)
                .order_by(family_needs.c.need)
            ).all()
            people = self._people(connection, row.run, family)
            records = self._records(connection, row.run, [person.person for person in people])
        known = {need.need: need for need in needs}
        document = self.document(family)
        return FamilyView(
            summary=self._summary(row, state, approach),
            members=tuple(
                MemberView(
                    person=person.person,
                    role=person.role,
                    age_band=person.age_band,
                    sources=len({record.source for record in records[person.person]}),
                    confidence=person.confidence,
                    reasons=tuple(json.loads(person.reasons)),
                )
                for person in people
            ),
            needs=tuple(
                NeedView(id=need, state=known[need].state, sources=known[need].sources)
                if need in known
                else NeedView(id=need, state="unknown", sources=0)
                for need in _needs(state, row.agreement)
            ),
            reasons=tuple(json.loads(row.reasons)),
            document=document,
            digest=document.digest,
        )

    def document(self, family: str) -> Members:
        """The members' document that requests name, in one fixed order.

        Raises:
            UnknownFamily: not in the current results.
        """
        row = self._row(family)
        with self._database.reading() as connection:
            people = self._people(connection, row.run, family)
            records = self._records(connection, row.run, [person.person for person in people])
        return Members(
            family=family,
            agreement=row.agreement,
            members=tuple(
                Member(person=person.person, adult=person.adult, records=records[person.person])
                for person in people
            ),
        )

    def _current(self) -> Any:
        return (
            select(families, runs.c.agreement)
            .join(runs, runs.c.id == families.c.run)
            .where(runs.c.is_current.is_(True))
        )

    def _row(self, family: str) -> Any:
        with self._database.reading() as connection:
            row = connection.execute(self._current().where(families.c.family == family)).first()
        if row is None:
            raise UnknownFamily(
                "no such family in the current results", next_step="governance release families"
            )
        return row

    @staticmethod
    def _people(connection: Any, run: str, family: str) -> Any:
        return connection.execute(
            select(family_members)
            .where(family_members.c.run == run, family_members.c.family == family)
            .order_by(family_members.c.person)
        ).all()

    @staticmethod
    def _records(connection: Any, run: str, people: list[str]) -> dict[str, tuple[RecordRef, ...]]:
        found: dict[str, list[RecordRef]] = {person: [] for person in people}
        for row in connection.execute(
            select(person_records)
            .where(person_records.c.run == run, person_records.c.person.in_(people))
            .order_by(person_records.c.party, person_records.c.source, person_records.c.handle)
        ):
            found[row.person].append(
                RecordRef(party=row.party, source=row.source, handle=row.handle)
            )
        return {person: tuple(refs) for person, refs in found.items()}

    def _summary(self, row: Any, state: LedgerState, approach: "ApproachFor") -> FamilySummary:
        reason = self._refusal(row, state, approach)
        return FamilySummary(
            family=row.family,
            members=row.members,
            adults=row.adults,
            children=row.children,
            needs_met=row.needs_met,
            needs_unknown=row.needs_unknown,
            flagged=row.flagged,
            in_programme=row.in_programme,
            confidence=row.confidence,
            may_be_approached=reason is None,
            reason=reason,
        )

    def _refusal(self, row: Any, state: LedgerState, approach: "ApproachFor") -> str | None:
        """Why the family may not be approached now; None when it may."""
        try:
            agreement = state.agreements.standing(row.agreement).agreement
            require_family_permission(
                self.document(row.family), (), state.consents, approach(agreement)
            )
        except (
            ReasonedError,
            ValueError,
        ) as error:  # ValueError: more members than a request takes
            return error.reason if isinstance(error, ReasonedError) else "family.too_large"
        return None


class ApproachFor:
    """The approach that a caller would make: the agreement's own purpose, to the caller's party."""

    def __init__(self, recipient: str, now: Any) -> None:
        self._recipient = recipient
        self._now = now

    def __call__(self, agreement: Agreement) -> Approach:
        """Under one agreement; no items, since the caller has not named any yet."""
        purpose = next((p.id for p in agreement.purposes if p.approach), "")
        return Approach(agreement, purpose, (), self._recipient, self._now)


def _needs(state: LedgerState, agreement: str) -> list[str]:
    """Ids of an agreement's needs; of one that a family has no row of, nothing is known."""
    indicators = state.agreements.standing(agreement).agreement.indicators
    return sorted(each.id for each in indicators if each.id != IN_PROGRAMME)
