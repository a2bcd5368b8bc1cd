"""What a party's analysts may look at.

Rules: an agreement's runs are seen by its parties alone; another's run is answered as one that
does not exist. Records (persons, pairs, what is alone) are seen only while the agreement is in
force and allows linking; figures, also after it has ended, for as long as they are kept. What is
more than linking and how good it is, which is needs and who is put forward, is for agreements that
name analysis too (docs/adr/0046-what-is-analysis.md).
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from governance.agreements.errors import PartyNotListed
from governance.agreements.models import Action, Agreement
from governance.agreements.policy import in_force, require_action
from governance.exchange.hub_api import RunView
from governance.ledger.party import PartyLedger
from linkage_hub.runs.errors import UnknownRun
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, runs


def analysed_run(
    database: HubDatabase, ledger: PartyLedger, run: str, now: datetime
) -> tuple[Any, Agreement]:
    """A finished run of which the hub may make figures now, and its agreement.

    Raises:
        UnknownRun: there is none that has finished and whose results are kept.
        AgreementRefusal: its agreement is not in force, or does not allow analysis.
    """
    with database.reading() as connection:
        row = connection.execute(select(runs).where(runs.c.id == run)).first()
        kept = connection.scalar(select(families.c.run).where(families.c.run == run).limit(1))
    if row is None or row.state != "finished" or kept is None:
        raise UnknownRun(
            "no finished run of that id has results that are kept",
            next_step="linkage-hub runs list",
        )
    standing = ledger.state.agreements.standing(row.agreement)
    in_force(standing, now)
    require_action(standing.agreement, Action.ANALYSE)
    return row, standing.agreement


class Permission:
    """Permissions of every party, by the ledger as it stands."""

    def __init__(
        self, database: HubDatabase, ledger: PartyLedger, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._now = now

    def agreement(self, party: str, agreement: str, action: Action = Action.LINK) -> Agreement:
        """An agreement under whose records the party may work now.

        Raises:
            AgreementRefusal: it is not in force, not this party's, or does not allow the action.
        """
        standing = self._ledger.sync().agreements.standing(agreement)
        in_force(standing, self._now())
        found = standing.agreement
        if found.party(party) is None:
            raise PartyNotListed(f"{party} is no party of agreement {found.id}")
        require_action(found, action)
        return found

    def records_of(
        self, party: str, run: str, action: Action = Action.LINK
    ) -> tuple[Any, Agreement]:
        """A finished run whose records the party may look at, and its agreement.

        Raises:
            UnknownRun: there is none of the party's that has finished.
            AgreementRefusal: as ``agreement``.
        """
        row = self.figures_of(party, run)
        if row.state != "finished":
            raise UnknownRun("the run has not finished", next_step="linkage-hub runs show")
        return row, self.agreement(party, row.agreement, action)

    def figures_of(self, party: str, run: str) -> Any:
        """A run under an agreement of the party's.

        Raises:
            UnknownRun: there is none.
        """
        with self._database.reading() as connection:
            row = connection.execute(select(runs).where(runs.c.id == run)).first()
        if row is None or not self.sees(party, row.agreement):
            raise UnknownRun("there is no such run", next_step="linkage-hub runs list")
        return row

    def shown(self, view: RunView) -> RunView:
        """A run as its parties see it: who was put forward only where the agreement allows that.

        Elsewhere nobody looked, which is not none; and a program of before counted needs whatever
        the agreement said.
        """
        told = self.analysed(view.agreement)
        return view if told else view.model_copy(update={"flagged": None})

    def analysed(self, agreement: str) -> bool:
        """Whether an agreement, in force or not, names analysis among its actions."""
        return Action.ANALYSE in self._ledger.state.agreements.standing(agreement).agreement.actions

    def sees(self, party: str, agreement: str) -> bool:
        """Whether a party is one of an agreement's, in force or not."""
        return agreement in self._ledger.state.agreements.of(party)
