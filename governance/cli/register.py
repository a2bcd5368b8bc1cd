"""``governance register``: the register of data items, as the ledger has it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from governance.cli.copies import (
    Copy,
    KeyFile,
    Passphrase,
    Reader,
    Url,
    read_vkey,
    read_who,
    replayed,
)
from governance.register.registry import DataItemRegister
from governance.register.table import as_csv, rows
from governance.terminal import Terminal, terminal, write_bytes

app = typer.Typer(no_args_is_help=True, help="The register of data items.")

_SHOWN = ("party", "item", "source", "step", "since", "ground", "may_be_listed")


@app.command()
def show(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    passphrase_file: Passphrase = None,
    csv: Annotated[Path | None, typer.Option(help="write it here as CSV")] = None,
    copy: Copy = None,
) -> None:
    """Every item: who wants it, where it is held, and whether an agreement may list it."""
    screen, who = terminal(context), read_who(as_, passphrase_file)
    state, _ = replayed(screen, url, read_vkey(key_file), who, copy)
    show_register(screen, state.register, csv)


def show_register(screen: Terminal, register: DataItemRegister, csv: Path | None) -> None:
    """The register on the screen, and as CSV where a file is named."""
    found = rows(register)
    if csv is not None:
        write_bytes(csv, as_csv(register))

    def table(out: Console) -> None:
        shown = Table(*(name.replace("_", " ") for name in _SHOWN))
        for row in found:
            shown.add_row(*(row[name].replace("_", " ") for name in _SHOWN))
        out.print(shown if found else "the register is empty")

    screen.result({"items": found}, table)
