"""``linkage-hub tables``: figures of a run that may leave the house."""

import csv
import importlib.util
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.agreements.privacy import LEAST_EPSILON, MOST_EPSILON
from governance.canonical import sha256
from governance.disclosure.counts import Published, publish
from governance.disclosure.register import ReleaseRegister
from governance.disclosure.tables import PublishedTable
from governance.terminal import terminal, write_bytes
from linkage_hub.analytics.held import all_categories_of, families_of
from linkage_hub.analytics.made import NotMadeSo, read_made, require_same, write_made
from linkage_hub.analytics.permission import analysed_run
from linkage_hub.analytics.risk.errors import PackagesMissing
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
        hub.ledger.sync()
        _, terms = analysed_run(hub.database, hub.ledger, run, hub.now())
        found = hub.tables.publish(run, terms)
    listed_ = [kind.id for kind in listed(terms.needs, terms.uses)]
    held = sorted(set(listed_) - {table.table for table in found})
    write_made(out, {out: as_csv(found)}, "tables", run=run, agreement=terms.hash)
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


@app.command()
def private(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="id of a run")],
    table: Annotated[list[str], typer.Option(help="a table of the list; may be repeated")],
    epsilon: Annotated[
        float, typer.Option(min=LEAST_EPSILON, max=MOST_EPSILON, help="for all of them together")
    ],
    out: Annotated[Path, typer.Option(help="a .csv file for the tables")],
) -> None:
    """Write tables with noise, for what that costs of the year's budget; the cost stays."""
    if importlib.util.find_spec("opendp") is None:
        raise PackagesMissing("tables with noise need packages of their own", next_step="make dp")
    from linkage_hub.analytics.private_tables import (  # noqa: PLC0415 - only here
        DELTA,
        OUTCOME,
        chosen,
        noised,
    )
    from linkage_hub.analytics.risk.private.counts import mechanism  # noqa: PLC0415

    with open_hub(home_of(context)) as hub:
        hub.ledger.sync()
        _, terms = analysed_run(hub.database, hub.ledger, run, hub.now())
        kinds = chosen(table, listed(terms.needs, terms.uses))
        by = mechanism(len(kinds), epsilon)
        hub.epsilon.spend(terms.hash, OUTCOME, max(epsilon, by.epsilon), DELTA)
        with hub.database.reading() as connection:
            families = families_of(connection, run, terms.needs)
            categories = all_categories_of(connection, run, terms, families)
        found = noised(families, kinds, categories, by)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*_HEADINGS, "off_by_at_most_in_95_of_100"))
    for cell in found:
        writer.writerow((*cell.model_dump().values(), by.error))
    write_made(
        out,
        {out: text.getvalue().encode()},
        "private-tables",
        run=run,
        agreement=terms.hash,
        options={"epsilon": f"{epsilon:g}", "tables": " ".join(table)[:200]},
    )
    screen = terminal(context)
    screen.result(
        {"run": run, "epsilon": epsilon, "scale": by.scale, "error": by.error,
         "cells": [cell.model_dump(mode="json") for cell in found]},
        lambda console: console.print(
            f"{len(found)} numbers, of which 95 in 100 are off by {by.error} families at most",
            highlight=False,
        ),
    )  # fmt: skip
    screen.say(
        "numbers have noise; those below nought are written as nought, so that sums of many small "
        "ones come out too large"
    )
    screen.hint(f"linkage-hub risk budget {terms.hash}")


@app.command()
def verify(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="a .csv file that tables publish has written")],
) -> None:
    """Whether a file is as it was written, and what the register has of its run."""
    made = read_made(file, "tables")
    with open_hub(home_of(context)) as hub:
        require_same(file, as_csv(hub.tables.of_run(str(made.run))))
    terminal(context).result(
        {"run": made.run, "same": True},
        lambda console: console.print(f"as published of run {made.run}", highlight=False),
    )


@app.command()
def rebuild(
    context: typer.Context,
    hash_: Annotated[str, typer.Argument(metavar="HASH", help="of the file, sha256:...")],
    out: Annotated[Path, typer.Option(help="a .csv file for the tables")],
) -> None:
    """Write the tables whose file has a hash, from the register."""
    with open_hub(home_of(context)) as hub:
        found = hub.tables.released()
    giving = [run for run, tables in found.items() if sha256(as_csv(tables)) == hash_]
    if not giving:
        raise NotMadeSo("nothing that was published has a file of that hash")
    run = giving[0]
    write_bytes(out, as_csv(found[run]))
    terminal(context).result(
        {"run": run, "file": str(out)},
        lambda console: console.print(f"{out} of run {run}", highlight=False),
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
