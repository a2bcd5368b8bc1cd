"""``rights``: requests of the people whom records are about."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from governance.errors import FormatError
from governance.rights.models import RightsKind
from partner_agent.app import Agent
from partner_agent.cli.context import Session, agent_of, session
from partner_agent.rights.errors import RightsInput
from partner_agent.rights.page import forget_report, report_folder
from partner_agent.rights.view import RightsView
from partner_agent.steps import rights as steps

app = typer.Typer(no_args_is_help=True, help="What people ask for who have a right to it.")

Id = Annotated[str, typer.Argument(help="id of the request")]


@app.command("open")
def open_(
    context: typer.Context,
    kind: Annotated[
        RightsKind,
        typer.Option(help="access, rectification, erasure, restriction or objection"),
    ],
    source: Annotated[list[str], typer.Option(help="source system; repeat for each record")],
    record_id: Annotated[list[str], typer.Option(help="your own id of the record; likewise")],
    received: Annotated[str | None, typer.Option(help="ISO date; today otherwise")] = None,
) -> None:
    """Take a request and start its clock: one calendar month."""
    if len(source) != len(record_id):
        raise RightsInput("each --record-id goes with a --source, in the same order")
    screen = session(context)
    with agent_of(context) as agent:
        state = agent.ledger.sync_if_possible()
        day = agent.now().date() if received is None else _date(received)
        found = agent.rights.open(
            agent.standing(state).agreement,
            kind,
            list(zip(source, record_id, strict=True)),
            day,
        )
        agent.ledger.sync_if_possible()
        view = _view(agent, found.id)
    _show(screen, view)


@app.command("list")
def list_(
    context: typer.Context,
    all_: Annotated[bool, typer.Option("--all", help="closed ones too")] = False,
) -> None:
    """Requests that are open, the one that is due first comes first."""
    with agent_of(context) as agent:
        agent.ledger.sync_if_possible()
        views = [view for view in agent.rights_views() if all_ or view.closed is None]
    session(context).result(
        {"requests": [view.as_json() for view in views]}, lambda out: _table(out, views)
    )


@app.command()
def show(context: typer.Context, request: Id) -> None:
    """A request: what was done, what is proven, and what is not."""
    with agent_of(context) as agent:
        agent.ledger.sync_if_possible()
        view = _view(agent, request)
    _show(session(context), view)


@app.command()
def report(
    context: typer.Context,
    request: Id,
    out: Annotated[
        Path | None, typer.Option(help="a folder; by default rights in the agent's own")
    ] = None,
) -> None:
    """Write what you hold of the person: a page to print, and JSON. Readable by you alone."""
    screen = session(context)
    with agent_of(context) as agent:
        files = steps.report(agent, request, out)
    screen.result(
        {"files": [str(file) for file in files]},
        lambda console: console.print("\n".join(map(str, files))),
    )
    screen.hint(
        f"look through it, hand it over, then: partner-agent rights close {request}  "
        "(which destroys the files in the agent's folder)"
    )


@app.command("carry-out")
def carry_out(
    context: typer.Context,
    request: Id,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """Do what is asked: here at once, and at the hub as soon as it has read the ledger."""
    screen = session(context)
    with agent_of(context) as agent:
        agent.ledger.sync_if_possible()
        before = _view(agent, request)
        if before.takes_out and not before.carried_out:
            screen.confirm(
                f"withdraw consents and take {before.records} records out for good?", yes=yes
            )
        agent.rights.carry_out(request, agent.ledger.state)
        agent.ledger.sync_if_possible()
        view = _view(agent, request)
    _show(screen, view)


@app.command()
def extend(
    context: typer.Context,
    request: Id,
    reason: Annotated[str, typer.Option(help="complex or many_requests")],
) -> None:
    """Take two further months; tell the person why within the first."""
    with agent_of(context) as agent:
        agent.rights.extend(request, reason)
        agent.ledger.sync_if_possible()
        view = _view(agent, request)
    _show(session(context), view)


@app.command()
def close(
    context: typer.Context,
    request: Id,
    outcome: Annotated[str, typer.Option(help="done, not_proven, refused or withdrawn")] = "done",
    reason: Annotated[
        str | None,
        typer.Option(
            help="of a refusal: unfounded, excessive, exempt, compelling_grounds, unidentified"
        ),
    ] = None,
) -> None:
    """Note that the person was answered."""
    with agent_of(context) as agent:
        agent.ledger.sync_if_possible()
        agent.rights.close(request, outcome, reason, agent.ledger.state)
        forget_report(request, report_folder(agent.home))
        view = _view(agent, request)
    _show(session(context), view)


@app.command()
def lift(
    context: typer.Context,
    request: Id,
    reason: Annotated[
        str, typer.Option(help="person_asked, restriction_ended or objection_not_upheld")
    ],
) -> None:
    """Let the records take part again from the next extract on; tell the person before."""
    with agent_of(context) as agent:
        agent.rights.lift(request, reason)
        agent.ledger.sync_if_possible()
        view = _view(agent, request)
    _show(session(context), view)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise FormatError("a day looks like 2026-11-22") from None


def _view(agent: Agent, request: str) -> RightsView:
    return next(view for view in agent.rights_views(request))


def _table(out: Console, views: list[RightsView]) -> None:
    names = ("kind", "due", "days left", "carried out", "proven")
    table = Table(Column("request", no_wrap=True, min_width=32), *names)
    for view in views:
        table.add_row(
            view.id, view.kind, view.due, _days(view),
            "" if view.carried_out is None else view.carried_out[:10], _proven(view),
        )  # fmt: skip
    out.print(table)


def _days(view: RightsView) -> str:
    if view.closed is not None:
        return f"closed: {view.outcome}"
    return f"{view.days_left}" if view.days_left >= 0 else f"overdue by {-view.days_left}"


def _proven(view: RightsView) -> str:
    if view.carried_out is None or not view.told:
        return ""
    return "yes" if not view.unproven else f"not by {', '.join(view.unproven)}"


def _lines(view: RightsView) -> Iterator[str]:
    """A request in words."""
    extended = ", extended" if view.extended else ""
    yield f"{view.kind}, request {view.id}, about {view.records} records"
    yield f"received {view.received}, due {view.due}{extended}; days left: {_days(view)}"
    if not view.in_ledger:
        yield "the ledger does not have it yet"
    if view.carried_out is not None:
        yield f"carried out here {view.carried_out}"
    for party, counts in view.proven.items():
        yield (
            f"{party} has confirmed that it holds them no more: {counts['records']} records, taken "
            f"out of {counts['files']} files and the results of {counts['runs']} runs"
        )
    for party in view.unproven:
        yield f"not proven by {party}"
    if view.named_after is not None:
        yield f"the hub named a record on {view.named_after}, after it had confirmed"
    if view.closed is not None:
        yield f"closed {view.closed}: {view.outcome}"
    if view.lifted is not None:
        yield f"lifted {view.lifted}"


def _show(screen: Session, view: RightsView) -> None:
    text = "\n".join(_lines(view))
    screen.result(view.as_json(), lambda out: out.print(text, highlight=False, markup=False))
    if view.next_step:
        screen.hint(view.next_step)
