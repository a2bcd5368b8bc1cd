"""``submit``."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from partner_agent.app import Agent
from partner_agent.cli.context import Session, agent_of, session
from partner_agent.steps.extracts import UNSENT, may_send, would_send
from partner_agent.submissions.errors import NothingToSubmitError
from partner_agent.submissions.upload import OutboxItem
from partner_agent.submissions.upload import submit as submit_item


def submit(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="one source")] = None,
    all_: Annotated[bool, typer.Option("--all", help="every prepared source")] = False,
    dry_run: Annotated[bool, typer.Option(help="show what would leave, and send nothing")] = False,
) -> None:
    """Send prepared submissions to the hub; after an interruption it goes on where it was."""
    screen = session(context)
    with agent_of(context) as agent:
        items = [item for item in agent.outbox.newest() if _wanted(item, source, all_=all_)]
        if not items:
            raise NothingToSubmitError(
                "nothing waits in the outbox",
                next_step="partner-agent prepare FILE, then submit --all or --source NAME",
            )
        if dry_run:
            planned = [would_send(item).as_json() for item in items]
            screen.result({"would_send": planned}, lambda out: _show_plan(out, planned))
            return
        may_send(agent, items)
        done = [_submit_one(screen, agent, item) for item in items]
    screen.result({"submitted": done}, lambda out: _show_submitted(out, done))
    screen.hint("partner-agent status")


def _wanted(item: OutboxItem, source: str | None, *, all_: bool) -> bool:
    if source is not None:
        return item.source == source
    return all_ and item.state in UNSENT


def _show_plan(out: Console, planned: list[dict[str, Any]]) -> None:
    table = Table("source", "records", "bytes", "columns that would leave")
    for item in planned:
        columns = ", ".join(item["columns"])
        table.add_row(item["source"], str(item["records"]), str(item["bytes"]), columns)
    out.print(table)


def _submit_one(screen: Session, agent: Agent, item: OutboxItem) -> dict[str, Any]:
    with screen.progress() as bar:
        task = bar.add_task(item.source, total=item.manifest.content_bytes)
        view = submit_item(
            agent.hub,
            agent.outbox,
            item,
            progress=lambda sent, _size: bar.update(task, completed=sent),
        )
    return {"source": item.source, "state": view.state, "records": view.records}


def _show_submitted(out: Console, done: list[dict[str, Any]]) -> None:
    table = Table("source", "records", "the hub says")
    for item in done:
        table.add_row(item["source"], str(item["records"]), item["state"])
    out.print(table)
