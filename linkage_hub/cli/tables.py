"""``linkage-hub tables``: figures of a run that may leave the house."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.disclosure.counts import Published, publish
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import PublishedTable
from governance.terminal import terminal, write_bytes
from linkage_hub.analytics.permission import analysed_run
from linkage_hub.analytics.tables import listed
from linkage_hub.app import open_hub
from linkage_hub.cli.context import home_of

HIDDEN: Final = "not shown"
ALL: Final = "all"
_HEADINGS: Final = ("table", "rows", "row", "columns", "column", "families")


app = typer.Typer(no_args_is_help=True, help="Figures of a run that may leave the house.")


@app.command("publish")
def publish_(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="id of a run")],
    out: Annotated[Path, typer.Option(help="a .csv file for the tables")],
) -> None:
    """Write the fixed list of tables of a run, with small numbers hidden and the rest rounded."""
    with open_hub(home_of(context)) as hub:
        hub.ledger.sync_if_possible()
        _, terms = analysed_run(hub.database, hub.ledger, run, hub.now())
        found = hub.tables.publish(run, terms)
    uses = {each.used_as for each in terms.indicators if each.used_as is not None}
    listed_ = [kind.id for kind in listed(terms.needs, uses)]
    held = sorted(set(listed_) - {table.table for table in found})
    write_bytes(out, as_csv(found))
    screen = terminal(context)
    screen.result(
        {"tables": [table.model_dump(mode="json") for table in found], "held_back": held},
        lambda console: _show(found, console),
    )
    most, base = _rule(terms.suppression_threshold)
    screen.say(
        f"rounded to {base}; {most} or fewer, nought among them, and what would give them away, "
        "is hidden; totals need not add up"
    )
    if held:
        screen.say(
            f"{len(held)} tables are held back: beside those of earlier runs they would tell of a "
            f"small change ({', '.join(held)})"
        )


@app.command("import")
def import_(
    context: typer.Context,
    register: Annotated[Path, typer.Argument(help="a register file of an earlier version")],
) -> None:
    """Take in what was released before the hub kept the register itself."""
    with open_hub(home_of(context)) as hub:
        new = hub.tables.take_in(ReleaseRegister.read(register))
    terminal(context).result(
        {"tables": new}, lambda console: console.print(f"{new} tables taken in", highlight=False)
    )


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
