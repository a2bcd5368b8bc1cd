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
        if dry_run:
            done, consents = agent.retention.due(agreement), agent.consent_erasure.due(agreement)
        else:
            done, consents = agent.retention.purge(agreement), 0
            try:
                agent.retention.tell()
                consents = agent.consent_erasure.erase(agreement)
            except LedgerError:
                told = False
    words = "due" if dry_run else "destroyed"
    screen.result(
        {words: asdict(done) | {"consents": consents}, "told": told},
        lambda out: out.print(
            f"{words}: {done.rows} rows, {done.synthetic_rows} synthetic rows, {done.files} files,"
            f" {done.releases} answers to requests, {consents} consent records in the ledger",
            highlight=False,
        ),
    )
    if not told:
        screen.hint("partner-agent run: tells the ledger what was destroyed once it is reached")
