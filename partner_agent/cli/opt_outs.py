"""``opt-outs export``, ``import`` and ``status``: the national data opt-out."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from governance.errors import FormatError
from partner_agent.cleansing.identifiers import clean_nhs_number
from partner_agent.cli.context import agent_of, session
from partner_agent.extracts.mapping import SourceMapping, load_mapping
from partner_agent.extracts.model import Extract
from partner_agent.extracts.reader import open_extract
from partner_agent.opt_outs.errors import NoOptOutList
from partner_agent.opt_outs.mesh import read_numbers, write_numbers
from partner_agent.opt_outs.register import MOST_DAYS, OptOutList

app = typer.Typer(no_args_is_help=True, help="The national data opt-out, checked over MESH.")


@app.command()
def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="the extract")],
    out: Annotated[Path, typer.Option(help="FILE.dat, to be sent over MESH; mode 0600")],
    mapping: Annotated[Path | None, typer.Option(help="by default FILE.yaml beside it")] = None,
) -> None:
    """Write the NHS numbers of an extract, one a line, as the check takes them."""
    source = load_mapping(mapping or file.with_suffix(".yaml"))
    with agent_of(context) as agent:
        chunk_rows = agent.settings.chunk_rows
    extract = open_extract(file, sheet=source.sheet, chunk_rows=chunk_rows)
    source.check_columns(extract.columns)
    count = write_numbers(out, _numbers(extract, source))
    screen = session(context)
    screen.result(
        {"source": source.source, "numbers": count, "file": str(out)},
        lambda terminal: terminal.print(f"{out}: {count} NHS numbers", highlight=False),
    )
    screen.hint(
        f"send it over MESH (workflow SPINE_NTT_UPHOLDING), delete it, then: partner-agent "
        f"opt-outs import ANSWER --source {source.source} --checked DATE"
    )


def _numbers(extract: Extract, source: SourceMapping) -> Iterator[str]:
    column = source.nhs_number_column
    if column is None:
        raise NoOptOutList(
            f"the mapping of {source.source} names no column with NHS numbers",
            next_step="add opt_out_nhs_number to the mapping: it is used for this alone",
        )
    for chunk in extract:
        yield from filter(None, (clean_nhs_number(cell).value for cell in chunk.table[column]))


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="the answer of the check")],
    source: Annotated[str, typer.Option(help="whose NHS numbers were checked")],
    checked: Annotated[str, typer.Option(help="ISO date on which the service answered")],
) -> None:
    """Take the numbers that came back; those that did not are opted out. Delete the file then."""
    try:
        day = date.fromisoformat(checked)
    except ValueError:
        raise FormatError("--checked: expected a date like 2026-11-22") from None
    screen = session(context)
    with agent_of(context) as agent:
        standing = agent.standing(agent.ledger.state)
        listed = standing.agreement.source(source)
        if listed is None or listed.party != agent.settings.party:
            raise FormatError("--source: the agreement lists no such source of this party")
        found = agent.opt_outs.replace(source, read_numbers(file), day, agent.now())
    screen.result(asdict(found), lambda out: _show(out, [found]))
    screen.hint("delete the file, prepare the extract again, then submit")


@app.command()
def status(context: typer.Context) -> None:
    """The newest check of each source, and until when it may be used."""
    with agent_of(context) as agent:
        found = agent.opt_outs.lists()
    rows = [asdict(item) for item in found]
    session(context).result({"opt_outs": rows}, lambda out: _show(out, found))


def _show(out: Console, found: list[OptOutList]) -> None:
    table = Table("source", "checked", "numbers let through", f"may be used for {MOST_DAYS} days")
    for item in found:
        until = date.fromordinal(date.fromisoformat(item.checked).toordinal() + MOST_DAYS)
        table.add_row(item.source, item.checked, str(item.numbers), f"until {until}")
    out.print(table)
