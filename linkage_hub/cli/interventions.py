"""``linkage-hub interventions``: families helped beside families like them.

Rules: for an agreement in force that allows analysis; tables have their provenance checked; a
comparison whose checks fail is not given, and what failed is.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from governance.canonical import hash_of
from governance.terminal import terminal
from governance.transparency.code import installed
from linkage_hub.analytics.engagement.published import population_of
from linkage_hub.analytics.interventions.cases import cases_bytes, cases_of, read_cases
from linkage_hub.analytics.interventions.document import REASONS, document_of
from linkage_hub.analytics.interventions.published import LISTED, published
from linkage_hub.analytics.interventions.report import InterventionReport, report_of
from linkage_hub.analytics.outcomes.errors import ComparisonWithheld, NotATable
from linkage_hub.analytics.outcomes.provenance import TableProvenance, read_provenance
from linkage_hub.analytics.provenance import file_hash
from linkage_hub.cli.outcomes import (
    Allowed,
    Elsewhere,
    Resolve,
    Runs,
    Terms,
    allowed,
    panel_from,
    publish,
    write_table,
)
from linkage_hub.cli.report_files import write_report

app = typer.Typer(no_args_is_help=True, help="Families helped beside families like them.")
Table = Annotated[Path, typer.Argument(help="a table that interventions cases has written")]
Months = Annotated[
    int | None, typer.Option(min=1, max=60, help="where the table was made elsewhere")
]


@app.command()
def cases(
    context: typer.Context,
    runs: Runs,
    agreement: Terms,
    out: Annotated[Path, typer.Option(help="a .csv file for the table")],
    months: Annotated[int, typer.Option(min=1, max=60, help="after which to look")] = 12,
    progress: Resolve = "every",
) -> None:
    """Write families with enough needs by month: helped after it or not, and what came."""
    with allowed(context, agreement) as by:
        panel, sources = panel_from(by, runs)
        found = cases_of(panel, by.terms.minimum_needs, months, every=progress == "every")
        write_table(by, out, cases_bytes(found), "cases", sources, progress, months, {})
    helped = int(found.helped.sum())
    screen = terminal(context)
    screen.result(
        {"table": str(out), "cases": len(found), "helped": helped},
        lambda console: console.print(
            f"{helped:,} families before help began, {len(found) - helped:,} cases of families "
            "that were not helped", highlight=False,
        ),
    )  # fmt: skip
    screen.hint(f"linkage-hub interventions report {out} --agreement {agreement} --out FOLDER")


@app.command()
def report(
    context: typer.Context,
    table: Table,
    agreement: Terms,
    out: Annotated[
        Path, typer.Option(help="folder for interventions.json, .html, .pdf, .xlsx and .csv")
    ],
    months: Months = None,
    made_elsewhere: Elsewhere = False,
) -> None:
    """Compare helped families with families like them, if every check holds."""
    with allowed(context, agreement) as by:
        found = _report(by, table, months, elsewhere=made_elsewhere)
    document = document_of(found, datetime.now(UTC).date(), installed().code)
    paths = write_report(out, "interventions", found, document)
    screen = terminal(context)
    screen.result(
        {"files": paths, "withheld": list(found.withheld)},
        lambda console: console.print("\n".join(paths), markup=False),
    )
    screen.hint(f"linkage-hub reports share {paths[0]} --hub URL --as FILE")
    if found.withheld:
        raise ComparisonWithheld(
            "the comparison is not given: " + "; ".join(REASONS[each] for each in found.withheld),
            next_step=f"{paths[1]} shows the checks",
        )
    screen.say("an association: whether help brought it about cannot be told from these figures")


@app.command("table")
def table_(
    context: typer.Context,
    table: Table,
    agreement: Terms,
    out: Annotated[Path, typer.Option(help="a .csv file for the table")],
) -> None:
    """Write the table that may be published, with small numbers hidden and the rest rounded."""
    with allowed(context, agreement) as by:
        source = read_provenance(table, "cases", by.belongs)
        found = _compared(by, table, source, source.months)
        pairs = hash_of([LISTED.id, population_of(source)])
        population, threshold = pairs.removeprefix("sha256:")[:32], by.terms.suppression_threshold
        publish(
            context, by, out, population, source,
            lambda register: published(found, population, threshold, register),
        )  # fmt: skip


def _report(by: Allowed, table: Path, months: int | None, *, elsewhere: bool) -> InterventionReport:
    if elsewhere != (months is not None):
        raise typer.BadParameter("--months goes with --made-elsewhere, each with the other")
    if months is not None:
        return _compared(by, table, None, months)
    source = read_provenance(table, "cases", by.belongs)
    return _compared(by, table, source, source.months)


def _compared(
    by: Allowed, table: Path, source: TableProvenance | None, months: int
) -> InterventionReport:
    found = read_cases(table)
    if set(found.needs) - set(by.terms.needs):
        raise NotATable(f"{table.name}: needs that the agreement does not declare")
    return report_of(
        found, by.terms.hash, file_hash(table), source, months, by.terms.suppression_threshold
    )
