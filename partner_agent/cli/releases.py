"""``releases`` and ``run``: orders answered by hand, or by the loop that also witnesses."""

import logging
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.web.logs import log_to_stderr
from partner_agent.app import Agent
from partner_agent.cli.context import agent_of, session
from partner_agent.enrolments import Enrolments
from partner_agent.loop import Loop

app = typer.Typer(no_args_is_help=False, invoke_without_command=True, help="Releases.")
_LOG: Final = logging.getLogger("partner_agent.run")


@app.callback()
def default(context: typer.Context) -> None:
    """Every answer that this party gave."""
    if context.invoked_subcommand is None:
        list_(context)


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every answer that this party gave."""
    with agent_of(context) as agent:
        answers = [asdict(answer) for answer in agent.desk.answers()]
    session(context).result({"answers": answers}, lambda out: _show(out, answers))


@app.command()
def answer(context: typer.Context) -> None:
    """Answer what the hub has for this party, once, and end."""
    with agent_of(context) as agent:
        agent.ledger.sync()
        agent.ledger.witness()
        given, later = agent.desk.answer_all(agent.hub)
    data = [asdict(item) for item in given]
    waiting = [asdict(item) for item in later]
    session(context).result({"answers": data, "later": waiting}, lambda out: _show(out, data))


def _show(out: Console, answers: list[dict[str, Any]]) -> None:
    table = Table("request", "answered", "answer", "with the hub", "destroyed")
    for item in answers:
        table.add_row(
            item["request"][:19],
            item["answered"],
            "sealed" if item["sealed"] else f"refused: {item['reason']}",
            _with_the_hub(item),
            (item["destroyed"] or "")[:10],
        )
    out.print(table)


def _with_the_hub(item: dict[str, Any]) -> str:
    if item["given_up"]:
        return f"given up {item['given_up'][:10]}"
    return "yes" if item["delivered"] else "not yet"


def run(
    context: typer.Context,
    every: Annotated[float, typer.Option(min=0.2, help="seconds between rounds")] = 10.0,
) -> None:
    """Stay: mirror and witness the ledger, hand in decisions, enrol, reveal, answer, purge."""
    log_to_stderr()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with agent_of(context) as agent:
        _LOG.info("started", extra={"party": agent.settings.party})
        Loop(tasks(agent), every).run(stopping)
    _LOG.info("stopped")


def tasks(agent: Agent) -> dict[str, Callable[[], object]]:
    """What ``run`` does each round, in this order."""
    from partner_agent.leftovers import sweep  # noqa: PLC0415 - slow to load

    return {
        "withdrawals": agent.consents.log_withdrawals,
        "rights": lambda: _tell_rights(agent),
        "mirror": agent.ledger.sync,
        "imports": agent.imports.hand_in,
        "enrolments": lambda: _enrol(agent),
        "witness": agent.ledger.witness,
        "reveals": lambda: agent.reveals.reveal_all(agent.hub),
        "orders": lambda: _answer(agent),
        "questions": lambda: _answer_questions(agent),
        "retention": lambda: _end_retention(agent),
        "leftovers": lambda: sweep(agent.home, agent.now()),
    }


def _tell_rights(agent: Agent) -> None:
    agent.rights.tell()
    if overdue := agent.rights.overdue():
        _LOG.warning("overdue", extra={"requests": overdue})


def _enrol(agent: Agent) -> None:
    if (folder := agent.settings.enrolments) is not None:
        Enrolments(folder, agent.ledger, agent.settings.party).log_all()


def _answer(agent: Agent) -> None:
    for later in agent.desk.answer_all(agent.hub)[1]:
        _LOG.info("later", extra={"request": later.request, "reason": later.reason})


def _answer_questions(agent: Agent) -> None:
    for later in agent.questions.answer_all(agent.hub):
        _LOG.info("later", extra={"round": later.round, "reason": later.reason})


def _end_retention(agent: Agent) -> None:
    if agent.settings.agreement is not None:
        agreement = agent.standing(agent.ledger.state).agreement
        agent.retention.daily(agreement)
        agent.consent_erasure.daily(agreement)
