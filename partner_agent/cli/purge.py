"""``purge``."""

from dataclasses import asdict
from typing import Annotated

import typer

from governance.ledger.errors import LedgerError
from partner_agent.cli.context import agent_of, session


def purge(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option(help="only say what is due")] = False,
) -> None:
    """Destroy what the agreement's retention ends, once; ``run`` does it every day."""
    screen, told = session(context), True
    with agent_of(context) as agent:
        agreement = agent.standing(agent.ledger.state).agreement
        done = agent.retention.due(agreement) if dry_run else agent.retention.purge(agreement)
        if not dry_run:
            try:
                agent.retention.tell()
            except LedgerError:
                told = False
    words = "due" if dry_run else "destroyed"
    screen.result(
        {words: asdict(done), "told": told},
        lambda out: out.print(
            f"{words}: {done.rows} rows, {done.synthetic_rows} synthetic rows, {done.files} files,"
            f" {done.releases} answers to requests",
            highlight=False,
        ),
    )
    if not told:
        screen.hint("partner-agent run: tells the ledger what was destroyed once it is reached")
