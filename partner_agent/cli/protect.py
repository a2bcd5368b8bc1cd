"""``protect add``, ``remove`` and ``list``: people and homes that are never released."""

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from governance.terminal import read_bytes
from partner_agent.cli.context import agent_of, session
from partner_agent.extracts.yaml_file import parse_yaml
from partner_agent.protection.errors import ProtectionInput

app = typer.Typer(no_args_is_help=True, help="People and homes that are never released.")
_HOME = {"uprn", "address", "postcode"}
Source = Annotated[str | None, typer.Option(help="source system of the person's record")]
RecordId = Annotated[str | None, typer.Option(help="your own id of the record")]


@app.command()
def add(
    context: typer.Context,
    source: Source = None,
    record_id: RecordId = None,
    home: Annotated[
        Path | None,
        typer.Option(
            allow_dash=True, help="YAML with uprn, or address and postcode; - reads it from stdin"
        ),
    ] = None,
) -> None:
    """Protect a person by a record of yours, or a home and everybody there. It counts at once."""
    screen = session(context)
    with agent_of(context) as agent:
        now = agent.now()
        if home is not None:
            entry = agent.protections.add_home(**_read_home(home), now=now)
        elif source is not None and record_id is not None:
            entry = agent.protections.add_person(source, record_id, now)
        else:
            raise ProtectionInput(
                "expected a person or a home",
                next_step="give --source and --record-id, or --home FILE",
            )
    screen.result({"entry": entry}, lambda out: out.print(f"entry {entry}", highlight=False))
    screen.hint("prepare and submit the source again, so that the hub forgets the home as well")


def _read_home(file: Path) -> dict[str, str]:
    dash = str(file) == "-"
    data: Any = parse_yaml(
        (sys.stdin.buffer.read() if dash else read_bytes(file)).decode("utf-8", "replace"),
        "the home",
    )
    texts = isinstance(data, dict) and all(isinstance(value, str) for value in data.values())
    if not texts or not set(data) <= _HOME:
        raise ProtectionInput("expected the keys uprn, address and postcode, each with a text")
    return {key: data.get(key, "") for key in sorted(_HOME)}


@app.command()
def remove(
    context: typer.Context,
    entry: Annotated[int, typer.Argument(help="number of the entry, as list shows it")],
    yes: Annotated[bool, typer.Option(help="do not ask")] = False,
) -> None:
    """End a protection. The person or home may be released again where people agreed."""
    screen = session(context)
    screen.confirm(f"end the protection of entry {entry}?", yes=yes)
    with agent_of(context) as agent:
        agent.protections.remove(entry)
    screen.result({"removed": entry}, lambda out: out.print(f"entry {entry} is removed"))


@app.command("list")
def list_(context: typer.Context, source: Source = None, record_id: RecordId = None) -> None:
    """The entries; with --source and --record-id, those that name that record."""
    with agent_of(context) as agent:
        entries = agent.protections.entries()
        if source is not None and record_id is not None:
            wanted = agent.protections.entries_of(source, record_id)
            entries = [entry for entry in entries if entry.entry in wanted]
    rows = [asdict(entry) for entry in entries]
    session(context).result({"protected": rows}, lambda out: _show(out, rows))


def _show(out: Console, rows: list[dict[str, Any]]) -> None:
    table = Table("entry", "what", "source", "added")
    for row in rows:
        table.add_row(str(row["entry"]), row["what"], row["source"], row["added"])
    out.print(table)
