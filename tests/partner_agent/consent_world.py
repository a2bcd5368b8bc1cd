"""People in the council's vault and what they decided, without an extract or a link run."""

import contextlib
import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from governance.canonical import sha256, utc_now, write_time
from governance.terminal import run_cli
from partner_agent.app import Agent
from partner_agent.cli.main import app
from partner_agent.consents import consent_template
from partner_agent.vault.occurrences import Occurrences
from partner_agent.vault.store import Row
from tests.hub_world import HubWorld

NOTICE = sha256(b"notice")


def hold(world: HubWorld, *people: tuple[str, dict[str, str]], party: str = "council") -> None:
    """Put rows into a partner's vault: (own record id, cleaned columns)."""
    rows = [Row(record_id, clean, {}, protected=False) for record_id, clean in people]
    world.agents[party].vault.put(f"{party}_records", rows, date(2026, 1, 1), Occurrences())


@contextlib.contextmanager
def days_ago(agent: Agent, days: int) -> Iterator[datetime]:
    """What the agent writes into the ledger is so old; that day."""
    today, then = agent.ledger.author, utc_now() - timedelta(days=days)
    agent.ledger.author = replace(today, now=lambda: then)
    try:
        yield then
    finally:
        agent.ledger.author = today


def decide(world: HubWorld, record_id: str, party: str = "council", **changes: Any) -> list[str]:
    """Record what somebody decided; the numbers of the consents."""
    agent = world.agents[party]
    now = agent.ledger.author.now()
    fields = {
        "source": f"{party}_records",
        "kind": "approach",
        "method": "in_person",
        "captured": write_time(now),
        "expires": write_time(now + timedelta(days=300)),
    }
    template = consent_template(world.agreement, party, NOTICE, **(fields | changes))
    numbers = agent.consents.record(template, record_id)
    agent.ledger.sync()
    return numbers


def run(world: HubWorld, *words: object, party: str = "council") -> tuple[int, str, str]:
    """Run ``partner-agent`` as a process would; its exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    arguments = ["--home", str(world.root / party), *map(str, words)]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            run_cli(app, arguments)
        except SystemExit as end:
            code = 0 if end.code is None else int(end.code)
    return code, out.getvalue(), err.getvalue()
