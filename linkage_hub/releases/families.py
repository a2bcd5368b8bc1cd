"""Families of the current run, as managers see them, and the members' document of a request.

Rules: a family is seen by staff of the partners of its agreement alone; to others, the processor's
own among them, it is not there.
It is seen while the agreement is in force and allows analysis, since needs put it forward; else no
list has it, and who asks for it is told what has ended or is not allowed.
Whether a family may be approached is worked out from the ledger for each that is shown; for a list
that asks for it, for each with a record that the ledger holds a decision about. Of others nobody
has given a permission.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select, tuple_

from governance.agreements.models import Action, Agreement
from governance.agreements.policy import in_force, require_action
from governance.consent.rules import Approach, require_family_permission
from governance.errors import ReasonedError
from governance.exchange.release_api import (
    FamilyList,
    FamilyQuery,
    FamilySummary,
    FamilyView,
    MemberView,
    NeedView,
)
from governance.ledger.state import LedgerState
from governance.release.models import Members
from linkage_hub.analytics.risk.orders import RiskOrders, in_order, unsaid
from linkage_hub.releases.choosing import ORDER, chosen, current_runs, of_runs
from linkage_hub.releases.errors import UnknownFamily
from linkage_hub.releases.reading import (
    asked_about,
    document_of,
    needs_met,
    people_of,
    records_of,
    sources_of,
)
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, family_needs

AT_ONCE: Final = 500
"""Families that are looked at together."""


class Families:
    """The current run's families.

    Args:
        database: the hub's.
        orders: by the models that are shared.
    """

    def __init__(self, database: HubDatabase, orders: RiskOrders) -> None:
        self._database = database
        self._orders = orders

    def page(self, state: LedgerState, approach: "ApproachFor", query: FamilyQuery) -> FamilyList:
        """Families that a query asks for, of the caller's agreements in force.

        By how many needs are met, or by the model that is shared where that is asked for.
        """
        first, last = query.offset, query.offset + query.limit
        with self._database.reading() as connection:
            agreements = approach.agreements(state)
            ids = current_runs(connection, agreements)
            models = self._orders.shared(connection, agreements, state)
            wanted = chosen(query, ids)
            if query.order == "model" and models:
                return self._by_model(connection, wanted, ids, state, approach, query, models)
            if query.approachable is None:
                total = connection.scalar(wanted.with_only_columns(func.count())) or 0
                page = wanted.order_by(*ORDER).offset(first).limit(query.limit)
                rows = connection.execute(page).all()
            else:
                found = self._by_permission(connection, wanted, ids, state, approach, query)
                total, rows = len(found), found[first:last]
            shown = tuple(self._summaries(connection, rows, state, approach))
        return FamilyList(families=shown, total=total, models=models)

    def _by_model(
        self,
        connection: Connection,
        wanted: Any,
        ids: Collection[str],
        state: LedgerState,
        approach: "ApproachFor",
        query: FamilyQuery,
        models: tuple[str, ...],
    ) -> FamilyList:
        if query.approachable is None:
            keys = wanted.with_only_columns(families.c.run, families.c.family).order_by(*ORDER)
            every = [tuple(row) for row in connection.execute(keys)]
        else:
            rows = self._by_permission(connection, wanted, ids, state, approach, query)
            every = [_key(row) for row in rows]
        orders = self._orders.of_runs(connection, ids, state)
        keys = in_order(every, orders)
        page = keys[query.offset : query.offset + query.limit]
        full = {
            _key(row): row
            for row in connection.execute(
                wanted.where(tuple_(families.c.run, families.c.family).in_(page))
            )
        }
        page = [key for key in page if key in full]
        lines = self._summaries(connection, [full[key] for key in page], state, approach)
        return FamilyList(
            families=tuple(
                line.model_copy(update={"rank": orders[run].rank(family)})
                if run in orders
                else line
                for line, (run, family) in zip(lines, page, strict=True)
            ),
            total=len(keys),
            order="model",
            models=models,
            too_little_known=unsaid(keys, orders),
        )

    def _by_permission(
        self,
        connection: Connection,
        wanted: Any,
        ids: Collection[str],
        state: LedgerState,
        approach: "ApproachFor",
        query: FamilyQuery,
    ) -> Sequence[Any]:
        """All families that may be approached, or may not, as is asked for; most needs first."""
        every = connection.execute(wanted.order_by(*ORDER)).all()
        able = self._approachable(connection, every, ids, state, approach)
        return [row for row in every if (_key(row) in able) is query.approachable]

    def _approachable(
        self,
        connection: Connection,
        rows: Sequence[Any],
        ids: Collection[str],
        state: LedgerState,
        approach: "ApproachFor",
    ) -> set[tuple[str, str]]:
        """Those of some families that may be approached now."""
        asked = asked_about(connection, ids, state.consents.subjects())
        some = [row for row in rows if _key(row) in asked]
        lines = self._summaries(connection, some, state, approach)
        return {_key(row) for row, line in zip(some, lines, strict=True) if line.may_be_approached}

    def view(self, family: str, state: LedgerState, approach: "ApproachFor") -> FamilyView:
        """One family, but for earlier requests about it.

        Raises:
            UnknownFamily: not in the current results of the caller's agreements.
            AgreementRefusal: in those of one that is not in force, or does not allow analysis.
            FamilyTooLarge: no request may name it.
        """
        with self._database.reading() as connection:
            row = _shown(connection, family, state, approach)
            agreement = state.agreements.standing(row.agreement).agreement
            needs = connection.execute(
                select(family_needs)
                .where(family_needs.c.run == row.run, family_needs.c.family == family)
                .order_by(family_needs.c.need)
            ).all()
            people = people_of(connection, row.run, [family])[family]
            records = records_of(connection, row.run, [person.person for person in people])
            document = document_of(row, people, records)
            (summary,) = self._summaries(connection, [row], state, approach)
            sources = sources_of(connection, row.run, document, agreement)
            risk = self._orders.risk(connection, row.run, agreement, family)
        known = {need.need: need for need in needs}
        return FamilyView(
            summary=summary,
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
                for need in _needs(agreement)
            ),
            reasons=tuple(json.loads(row.reasons)),
            document=document,
            digest=document.digest,
            sources=sources,
            risk=risk,
        )

    def document(self, family: str, agreements: Collection[str]) -> Members:
        """The members' document that requests name, in one fixed order.

        Raises:
            UnknownFamily: not in the current results of these agreements.
            FamilyTooLarge: no request may name it.
        """
        with self._database.reading() as connection:
            row = _row(connection, family, agreements)
            people = people_of(connection, row.run, [family])[family]
            records = records_of(connection, row.run, [person.person for person in people])
        return document_of(row, people, records)

    def _summaries(
        self,
        connection: Connection,
        rows: Sequence[Any],
        state: LedgerState,
        approach: "ApproachFor",
    ) -> Iterator[FamilySummary]:
        """Lines of the list, in the order of the rows."""
        for first in range(0, len(rows), AT_ONCE):
            part = rows[first : first + AT_ONCE]
            found: dict[tuple[str, str], FamilySummary] = {}
            for run in {row.run for row in part}:
                of_run = [row for row in part if row.run == run]
                ids = [row.family for row in of_run]
                people, met = people_of(connection, run, ids), needs_met(connection, run, ids)
                persons = [person.person for family in ids for person in people[family]]
                records = records_of(connection, run, persons)
                for row in of_run:
                    members = people[row.family]
                    reason = _refusal(row, members, records, state, approach)
                    found[run, row.family] = _summary(row, members, met[row.family], reason)
            yield from (found[row.run, row.family] for row in part)


def _row(connection: Connection, family: str, agreements: Collection[str]) -> Any:
    wanted = of_runs(current_runs(connection, agreements))
    row = connection.execute(wanted.where(families.c.family == family)).first()
    if row is None:
        raise UnknownFamily(
            "no such family in the current results", next_step="governance release families"
        )
    return row


def _shown(connection: Connection, family: str, state: LedgerState, approach: "ApproachFor") -> Any:
    """A family's row; results of an agreement and of its successor may name the same one."""
    try:
        return _row(connection, family, approach.agreements(state))
    except UnknownFamily:
        ended = _row(connection, family, state.agreements.partnered_by(approach.party))
        standing = state.agreements.standing(ended.agreement)
        in_force(standing, approach.now)
        require_action(standing.agreement, Action.ANALYSE)
        raise


def _key(row: Any) -> tuple[str, str]:
    return row.run, row.family


def _summary(row: Any, people: Sequence[Any], met: list[str], reason: str | None) -> FamilySummary:
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
        met=tuple(met),
        age_bands=tuple(sorted({each.age_band for each in people if each.age_band})),
        residence=row.residence,
        told=_month(row.told_month),
    )


def _month(number: int | None) -> str | None:
    return None if number is None else f"{number // 12:04}-{number % 12 + 1:02}"


def _refusal(
    row: Any,
    people: Sequence[Any],
    records: dict[str, Any],
    state: LedgerState,
    approach: "ApproachFor",
) -> str | None:
    """Why a family may not be approached now; None when it may."""
    try:
        agreement = state.agreements.standing(row.agreement).agreement
        document = document_of(row, people, records)
        require_family_permission(document, (), state.consents, approach(agreement))
    except ReasonedError as error:
        return error.reason
    return None


class ApproachFor:
    """The approach that a caller would make: the agreement's own purpose, to the caller's party."""

    def __init__(self, party: str, now: datetime) -> None:
        self.party = party
        self.now = now

    def __call__(self, agreement: Agreement) -> Approach:
        """Under one agreement; no items, since the caller has not named any yet."""
        purpose = next((p.id for p in agreement.purposes if p.approach), "")
        return Approach(agreement, purpose, (), self.party, self.now)

    def agreements(self, state: LedgerState) -> list[str]:
        """Hashes of the caller's agreements in force that allow analysis."""
        found = state.agreements.in_force(state.agreements.partnered_by(self.party), self.now)
        return [each for each in found if _analysed(state, each)]


def _analysed(state: LedgerState, agreement: str) -> bool:
    return Action.ANALYSE in state.agreements.standing(agreement).agreement.actions


def _needs(agreement: Agreement) -> list[str]:
    """Ids of an agreement's needs; of one that a family has no row of, nothing is known."""
    return sorted(agreement.needs)
