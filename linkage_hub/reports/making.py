"""Reports that the hub makes from runs that it keeps.

Rules: each says which runs it was made from and by which program, and is hashed with everything
that its figures hang on, so that the same is made once; libraries that take a while to load are
loaded when one is made.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Connection

from governance.agreements.criteria import Criteria
from governance.agreements.models import Agreement
from governance.canonical import hash_of
from governance.exchange.analysis_api import SourceFreshness
from governance.reports.models import Report
from governance.transparency.models import Program
from linkage_hub.analytics.comparison import compared_sources
from linkage_hub.analytics.criteria.agreed import differing
from linkage_hub.analytics.remembered import rows_of

State = tuple[str | int, ...]


@dataclass(frozen=True)
class Wanted:
    """A report that was asked for.

    Attributes:
        terms: its agreement.
        run, before: rows of runs whose results are kept.
        sources: how fresh they are.
        program: that makes it.
        day: on which.
    """

    terms: Agreement
    run: Any
    before: Any
    sources: tuple[SourceFreshness, ...]
    program: Program
    day: date


class Making(NamedTuple):
    """What a report hangs on, how it is made, and how its runs stood (``state_of``)."""

    made_of: str
    make: Callable[[], Report]
    states: tuple[State, ...]


def programme(connection: Connection, wanted: Wanted, criteria: Criteria) -> Making:
    """The month of a programme, beside the month before."""
    from linkage_hub.analytics.programme.document import document_of  # noqa: PLC0415 - see above
    from linkage_hub.analytics.programme.models import RunFacts  # noqa: PLC0415
    from linkage_hub.analytics.programme.month import month_of  # noqa: PLC0415
    from linkage_hub.analytics.programme.report import About, report  # noqa: PLC0415

    runs = [row for row in (wanted.before, wanted.run) if row is not None]
    compared = (
        () if wanted.before is None
        else tuple(compared_sources(connection, wanted.before.id, wanted.run.id))
    )  # fmt: skip
    facts = [
        RunFacts(id=row.id, finished=row.finished, families=row.families, put_forward=row.flagged)
        for row in runs
    ]
    about = About(
        agreement=wanted.terms,
        program=wanted.program,
        written_on=wanted.day,
        run=facts[-1],
        before=facts[0] if wanted.before is not None else None,
        sources=wanted.sources,
        compared=compared,
    )

    def make() -> Report:
        months = [month_of(connection, row.id, criteria) for row in runs]
        found = document_of(
            report(months[-1], months[0] if wanted.before is not None else None, about)
        )
        words = differing(criteria, wanted.terms)
        if words is None:
            return found
        return found.model_copy(update={"warnings": (*found.warnings, f"{words}.")})

    states = tuple(state_of(connection, row.id) for row in runs)
    return Making(
        hash_of(
            ["programme", wanted.terms.hash, wanted.program.code, hash_of(criteria),
             wanted.day.isoformat(), *map(list, states),
             [each.model_dump(mode="json") for each in (*wanted.sources, *compared)]]
        ),
        make,
        states,
    )  # fmt: skip


def needs(connection: Connection, wanted: Wanted) -> Making:
    """Needs of a run's families."""
    from linkage_hub.analytics.figures.needs import document_of, parts_of  # noqa: PLC0415 - above
    from linkage_hub.analytics.held import all_categories_of, families_of  # noqa: PLC0415

    run, terms = wanted.run.id, wanted.terms

    def make() -> Report:
        families = families_of(connection, run, terms.needs)
        categories = all_categories_of(connection, run, terms, families)
        return document_of(
            tuple(parts_of(terms, families, categories)), terms, run=run,
            finished=wanted.run.finished, made_on=wanted.day, program=wanted.program.code,
        )  # fmt: skip

    state = state_of(connection, run)
    made_of = hash_of(["needs", terms.hash, wanted.program.code, list(state)])
    return Making(made_of, make, (state,))


def state_of(connection: Connection, run: str) -> State:
    """A run's results as they are; they only ever become fewer."""
    return (run, *rows_of(connection, run))
