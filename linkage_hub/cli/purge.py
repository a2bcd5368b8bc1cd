"""``purge``."""

from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console

from governance.ledger.errors import LedgerError
from governance.terminal import terminal
from linkage_hub.app import open_hub
from linkage_hub.cli.context import home_of
from linkage_hub.retention import Purged


def purge(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option(help="only say what is due")] = False,
) -> None:
    """Destroy what agreements' retention ends, once; a worker does it every day."""
    screen, told = terminal(context), True
    with open_hub(home_of(context)) as hub:
        hub.ledger.sync_if_possible()
        done = hub.retention.due() if dry_run else hub.retention.purge()
        if not dry_run:
            try:
                hub.retention.tell()
            except LedgerError:
                told = False
    words = "due" if dry_run else "destroyed"
    screen.result(
        {words: {agreement: asdict(each) for agreement, each in done.items()}, "told": told},
        lambda out: _show(out, words, done),
    )
    if not told:
        screen.hint("linkage-hub worker: tells the ledger what was destroyed once it is reached")


def _show(out: Console, words: str, done: dict[str, Purged]) -> None:
    for agreement, each in done.items():
        out.print(
            f"{agreement[:19]} {words}: {each.rows} records in {each.files} files, "
            f"{each.runs} runs, {each.rulings} rulings, {each.releases} requests and answers, "
            f"{each.reports} reports, counts of {each.tables} published tables of several runs",
            highlight=False,
        )
    if not done:
        out.print(f"{words}: nothing")
