"""What staff ask of the hub about reports.

Rules, in order: the agreement is in force, names analysis, and the caller's organisation is one of
its parties, for everything; another's report is answered as one that does not exist; the hub makes
reports from runs whose results it keeps; one that is shared was checked (:mod:`sharing`), and says
who shared it; lists of families are for analysts, and for service managers of a partner, as the
families themselves are, and for no lead; who takes one back is of the organisation that asked
for it or shared it, or a lead of any party. Each of these is logged with the keys of who did it.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, exists, select

from governance.agreements.models import Action, Agreement
from governance.canonical import hash_of, write_time
from governance.exchange.report_api import (
    CatalogueName,
    ReportChoices,
    ReportList,
    ReportPost,
    ReportRun,
    ReportSummary,
    ReportView,
    SharePost,
    Whose,
)
from governance.identity.models import PersonKeys, Role
from governance.ledger.party import PartyLedger
from governance.reports.models import Report
from governance.transparency.code import running
from linkage_hub.analytics.outcomes.permission import versions_of
from linkage_hub.analytics.permission import Permission
from linkage_hub.analytics.sources import SourceDesk
from linkage_hub.reports import making, sharing, store
from linkage_hub.reports.catalogues import Catalogues
from linkage_hub.reports.errors import NotAReport, NotTheseRuns, NotYours, UnknownReport
from linkage_hub.runs.results import held
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import families, runs

_LOG: Final = logging.getLogger(__name__)


class ReportDesk:
    """Reports of every agreement.

    Args:
        database, ledger: the hub's.
        permission: of parties.
        sources: knows how fresh they are.
        catalogues: criteria that the hub has.
        now: the clock.
    """

    def __init__(
        self,
        database: HubDatabase,
        ledger: PartyLedger,
        permission: Permission,
        sources: SourceDesk,
        catalogues: Catalogues,
        now: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._permission = permission
        self._sources = sources
        self._catalogues = catalogues
        self._now = now
        self._making = threading.Lock()  # who asks for what is being made waits for it

    def choices(self, party: str, agreement: str) -> ReportChoices:
        """What the hub can make now.

        Raises:
            AgreementRefusal: the agreement is not in force, not this party's, or names no analysis.
        """
        terms = self._terms(party, agreement)
        with self._database.reading() as connection:
            kept = [_run(row) for row in _kept(connection, agreement)]
        found = self._catalogues.open_to(terms, self._now().date())
        return ReportChoices(
            run=kept[0] if kept else None,
            before=kept[1] if len(kept) > 1 else None,
            catalogues=tuple(CatalogueName(id=each.id, title=each.title) for each in found),
        )

    def make(self, staff: PersonKeys, agreement: str, post: ReportPost) -> ReportSummary:
        """Make a report, unless it is there.

        Raises:
            AgreementRefusal: as ``choices``.
            NotTheseRuns: not of the agreement, not kept, or not in their order; or records were
                taken out meanwhile.
            NoCatalogue, NotAgreed: there are no criteria to go by.
        """
        terms, day = self._terms(staff.party, agreement), self._now().date()
        sources = self._sources.freshness(staff.party, agreement).sources
        with self._making, self._database.reading() as connection:
            run, before = _these(connection, agreement, post)
            wanted = making.Wanted(terms, run, before, sources, running(), day)
            if post.kind == "programme":
                criteria = self._catalogues.chosen(terms, day, post.catalogue)
                found = making.programme(connection, wanted, criteria)
            else:
                found = making.needs(connection, wanted)
            known = store.made_of(connection, found.made_of)
            if known is None:
                known = self.keep(
                    staff, found.make(), found.made_of, shared=False, states=found.states
                )
        return self._summary_of(known)

    def share(self, staff: PersonKeys, agreement: str, post: SharePost) -> ReportSummary:
        """Take a report that was made elsewhere, once it is checked.

        Raises:
            AgreementRefusal: as ``choices``.
            NotAReport: it is none that its program writes (:mod:`sharing`).
            NotTheseRuns: of another agreement, or the newest run's results are not kept.
        """
        terms = self._terms(staff.party, agreement)
        found = sharing.read_shared(post.kind, post.document)
        mine = all(self._is_version(terms, each) for each in (found.agreement, *found.versions))
        if found.agreement != agreement or not mine:
            raise NotAReport("figures of another agreement, or another version of it")
        with self._database.reading() as connection:
            order = self._shared_runs(connection, terms, found.runs)
        report = found.report(terms, order, self._now().date())
        return self._summary_of(
            self.keep(staff, report, hash_of(["shared", hash_of(found.document)]), shared=True)
        )

    def keep(
        self,
        staff: PersonKeys,
        report: Report,
        made_of: str,
        *,
        shared: bool,
        states: Sequence[making.State] = (),
    ) -> str:
        """Store a report; its id, or that of the same one.

        Args:
            staff: who asked for it or shared it.
            report: the report.
            made_of: hash of what it hangs on.
            shared: whether it was made elsewhere.
            states: of the runs that it was made of, as they were then.

        Raises:
            NotTheseRuns: records were taken out since, whose families it may list.
        """
        row = {
            "id": hash_of(report),
            "made_of": made_of,
            "shared": shared,
            "person": staff.thumbprint,
            "party": staff.party,
            "made": write_time(self._now()),
        }
        with self._database.writing() as connection:
            if any(making.state_of(connection, str(each[0])) != each for each in states):
                raise NotTheseRuns(
                    "records were taken out of a run while the report was made",
                    next_step="ask for it again",
                )
            id_ = store.keep(connection, report, row)
        told = {"report": id_, "kind": report.kind, "caller": staff.thumbprint, "shared": shared}
        _LOG.info("report kept", extra=told)
        return id_

    def page(self, party: str, agreement: str, offset: int, limit: int) -> ReportList:
        """Reports of an agreement, newest first.

        Raises:
            AgreementRefusal: as ``choices``.
        """
        self._terms(party, agreement)
        with self._database.reading() as connection:
            rows, total = store.page_of(connection, agreement, offset, limit)
            return ReportList(reports=tuple(_summaries(connection, rows)), total=total)

    def view(self, staff: PersonKeys, report: str) -> ReportView:
        """A report; without its lists for who does not work with families.

        Raises:
            UnknownReport: there is none that the caller may see.
            AgreementRefusal: as ``choices``.
        """
        _, terms = self._seen(staff.party, report)
        with self._database.reading() as connection:
            row = _row(connection, report)
            (summary,) = _summaries(connection, [row])
            found = store.document_of(connection, report)
        lists = sees_lists(staff, terms)
        return ReportView(
            summary=summary,
            lines_gone=row.lines_gone,
            lists_shown=lists,
            report=found if lists else store.without_lists(found),
        )

    def withdraw(self, staff: PersonKeys, report: str) -> None:
        """Destroy a report.

        Raises:
            UnknownReport: there is none that the caller may see.
            AgreementRefusal: as ``choices``.
            NotYours: it is another organisation's, and the caller is no lead.
        """
        row, _ = self._seen(staff.party, report)
        if staff.party != row.party and staff.role is not Role.IG_LEAD:
            raise NotYours(
                "people of the organisation that made or shared it take a report back",
                next_step="ask them, or an information-governance lead",
            )
        with self._database.writing() as connection:
            store.forget(connection, [report])
        self._database.truncate_wal()
        _LOG.info("report withdrawn", extra={"report": report, "caller": staff.thumbprint})

    def _shared_runs(
        self, connection: Connection, terms: Agreement, ids: tuple[str, ...]
    ) -> tuple[str, ...]:
        """Runs that figures are of, oldest first."""
        found = connection.execute(
            select(runs.c.id, runs.c.agreement, runs.c.finished)
            .where(runs.c.id.in_(ids), runs.c.state == "finished")
            .order_by(runs.c.finished)
        ).all()
        ours = [row.id for row in found if self._is_version(terms, row.agreement)]
        if len(ours) != len(ids) or not held(connection, ours[-1]):
            raise NotTheseRuns(
                "expected finished runs of the agreement, of which the newest one's results are "
                "kept",
                next_step="linkage-hub runs list",
            )
        return tuple(ours)

    def _is_version(self, terms: Agreement, hash_: str) -> bool:
        return versions_of(self._ledger, terms)(hash_)

    def _terms(self, party: str, agreement: str) -> Agreement:
        return self._permission.agreement(party, agreement, Action.ANALYSE)

    def _seen(self, party: str, report: str) -> tuple[Any, Agreement]:
        """A report's row and agreement, once the party may see it; holds no lock."""
        with self._database.reading() as connection:
            row = _row(connection, report)
        if not self._permission.sees(party, row.agreement):
            raise _unknown()
        return row, self._terms(party, row.agreement)

    def _summary_of(self, report: str) -> ReportSummary:
        with self._database.reading() as connection:
            (found,) = _summaries(connection, [_row(connection, report)])
        return found


def sees_lists(staff: PersonKeys, terms: Agreement) -> bool:
    """Whether somebody of an agreement's party sees lists of families, under their pseudonyms."""
    if staff.role is Role.SERVICE_MANAGER:
        return staff.party not in terms.processors
    return staff.role is Role.ANALYST


def _unknown() -> UnknownReport:
    return UnknownReport("there is no such report", next_step="open the list of reports")


def _row(connection: Connection, report: str) -> Any:
    row = store.row_of(connection, report)
    if row is None:
        raise _unknown()
    return row


def _kept(connection: Connection, agreement: str) -> Sequence[Any]:
    """Finished runs of an agreement whose results are kept, newest first."""
    any_family = exists().where(families.c.run == runs.c.id)
    return connection.execute(
        select(runs)
        .where(runs.c.agreement == agreement, runs.c.state == "finished", any_family)
        .order_by(runs.c.finished.desc(), runs.c.is_current.desc(), runs.c.created.desc())
    ).all()


def _these(connection: Connection, agreement: str, post: ReportPost) -> tuple[Any, Any]:
    """Rows of the runs that a report is asked of, the newer first.

    Raises:
        NotTheseRuns: see ``ReportDesk.make``.
    """
    row_of = {row.id: row for row in _kept(connection, agreement)}  # newest first
    wanted = [run for run in (post.run, post.before) if run is not None]
    places = [list(row_of).index(run) for run in wanted if run in row_of]
    if len(places) < len(wanted) or places != sorted(set(places)):
        raise NotTheseRuns(
            "expected finished runs of the agreement whose results are kept, the newer one first",
            next_step="open the list of reports again",
        )
    return row_of[post.run], None if post.before is None else row_of[post.before]


def _run(row: Any) -> ReportRun:
    return ReportRun(id=row.id, finished=row.finished)


def _summaries(connection: Connection, rows: Sequence[Any]) -> list[ReportSummary]:
    of = store.runs_of(connection, [row.id for row in rows])
    every = {run for each in of.values() for run in each}
    found = connection.execute(
        select(runs.c.id, runs.c.finished).where(runs.c.id.in_(sorted(every)))
    )
    finished = {row.id: row.finished for row in found}
    return [
        ReportSummary(
            id=row.id,
            agreement=row.agreement,
            kind=row.kind,
            title=row.title,
            runs=tuple(ReportRun(id=run, finished=finished[run]) for run in of[row.id]),
            made=row.made,
            shared=row.shared,
            person=row.person,
            party=row.party,
            listed=row.listed,
            program=_whose(connection, row.code),
        )
        for row in rows
    ]


def _whose(connection: Connection, code: str) -> Whose:
    if code == running().code:
        return "this"
    known = select(runs.c.id).where(runs.c.program.contains(code)).limit(1)
    return "unknown" if connection.scalar(known) is None else "earlier"
