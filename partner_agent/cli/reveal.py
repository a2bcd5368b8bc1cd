"""``reveal``."""

from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from partner_agent.cli.context import agent_of, session


def reveal(context: typer.Context) -> None:
    """Tell the hub which records of a finished linkage do not exist, once; ``run`` does it too."""
    with agent_of(context) as agent:
        done = [asdict(item) for item in agent.reveals.reveal_all(agent.hub)]
    session(context).result({"revealed": done}, lambda out: _show(out, done))


def _show(out: Console, done: list[dict[str, Any]]) -> None:
    table = Table("run", "submission", "told")
    for item in done:
        table.add_row(item["run"], item["submission"], item["reason"] or "yes")
    out.print(table)
