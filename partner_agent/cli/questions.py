"""``questions``: what the hub asked about pairs of records, and what was answered; counts only."""

from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from partner_agent.cli.context import agent_of, session

app = typer.Typer(
    no_args_is_help=False,
    invoke_without_command=True,
    help="Questions of the hub about pairs of records.",
)


@app.callback()
def default(context: typer.Context) -> None:
    """Every round of questions, and what became of it."""
    if context.invoked_subcommand is None:
        status(context)


@app.command()
def status(context: typer.Context) -> None:
    """Every round of questions: asked, answered, refused and why."""
    with agent_of(context) as agent:
        rounds = [asdict(note) for note in agent.rounds.all()]
    session(context).result({"rounds": rounds}, lambda out: _show(out, rounds))


@app.command()
def answer(context: typer.Context) -> None:
    """Answer what the hub asks now, once, and end."""
    with agent_of(context) as agent:
        agent.ledger.sync()
        agent.ledger.witness()
        later = [asdict(item) for item in agent.questions.answer_all(agent.hub)]
        rounds = [asdict(note) for note in agent.rounds.all()]
    data = {"rounds": rounds, "later": later}
    session(context).result(data, lambda out: _show(out, rounds))


def _show(out: Console, rounds: list[dict[str, Any]]) -> None:
    table = Table("round", "kind", "asked", "answered", "refused", "with the hub", "in the ledger")
    for item in rounds:
        refused = ", ".join(f"{count} {reason}" for reason, count in item["refused"].items())
        table.add_row(
            item["round"][:19],
            item["kind"],
            str(item["asked"]),
            str(item["answered"]),
            refused or "none",
            "yes" if item["delivered"] else "not yet",
            "yes" if item["logged"] else "not yet",
        )
    out.print(table)
