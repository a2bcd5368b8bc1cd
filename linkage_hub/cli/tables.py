"""``linkage-hub tables``: figures of a run that may leave the house."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.agreements.files import read_agreement
from governance.agreements.models import Action
from governance.agreements.policy import require_action
from governance.disclosure.counts import Published, publish
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import PublishedTable
from governance.terminal import FileProblem, terminal, write_bytes
from linkage_hub.analytics.exported import read_families, run_of
from linkage_hub.analytics.tables import published

HIDDEN: Final = "not shown"
ALL: Final = "all"
_HEADINGS: Final = ("table", "rows", "row", "columns", "column", "families")


def tables(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="a run's exported files")],
    agreement: Annotated[Path, typer.Option(help="agreement.yaml of that run")],
    register: Annotated[
        Path, typer.Option(help="what was released so far; made anew where it is missing")
    ],
    out: Annotated[Path, typer.Option(help="a .csv file for the tables")],
) -> None:
    """Write the fixed list of tables of a run, with small numbers hidden and the rest rounded."""
    screen = terminal(context)
    terms = read_agreement(agreement)
    require_action(terms, Action.ANALYSE)
    names = [indicator.id for indicator in terms.indicators]
    run, families = run_of(folder), read_families(folder, names)
    try:
        before = ReleaseRegister.read(register)
        found, after = published(run, families, names, terms.suppression_threshold, before)
        after.write(register)  # first: what is on disk and not in the register would not be known
    except OSError as error:
        raise FileProblem(f"{register.name} cannot be used: {error.strerror}") from None
    write_bytes(out, as_csv(found))
    screen.result(
        {"tables": [table.model_dump(mode="json") for table in found]},
        lambda console: _show(found, console),
    )
    most, base = _rule(terms.suppression_threshold)
    screen.say(
        f"rounded to {base}; {most} or fewer, nought among them, and what would give them away, "
        "is hidden; totals need not add up"
    )
    screen.hint(f"keep {register.name} as safe as the run's files, and use it for the next tables")


def as_csv(found: tuple[PublishedTable, ...]) -> bytes:
    """One line a number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADINGS)
    for table in found:
        for row, column, number in _numbers(table):
            shown = HIDDEN if number is None else str(number.about or number)
            columns = table.columns_are or ""
            writer.writerow((table.table, table.rows_are, row, columns, column, shown))
    return text.getvalue().encode()


def _numbers(table: PublishedTable) -> Iterator[tuple[str, str, Published | None]]:
    yield ALL, ALL, table.total
    names = [" or ".join(of) for of in table.columns]
    for name, number in zip(names, table.column_totals, strict=True):
        yield ALL, name, number
    for line in table.lines:
        row = " or ".join(line.of)
        yield row, ALL, line.total
        for at, name in enumerate(names):
            yield row, name, line.cells[at] if line.cells else None


def _rule(threshold: int) -> tuple[int, int]:
    nothing = publish(0, threshold)
    return nothing.most, nothing.base


def _show(found: tuple[PublishedTable, ...], out: Console) -> None:
    for table in found:
        names = [" or ".join(of) for of in table.columns]
        shown = Table(table.rows_are, *names, ALL, title=table.title)
        for line in table.lines:
            cells = [str(cell) for cell in line.cells] if line.cells else [HIDDEN] * len(names)
            shown.add_row(" or ".join(line.of), *cells, str(line.total))
        totals = [str(total) for total in table.column_totals]
        shown.add_row(ALL, *totals, str(table.total))
        out.print(shown)
