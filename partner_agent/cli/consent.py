"""``consent record``, ``import``, ``withdraw``, ``list``, ``receipt`` and ``check-receipt``."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import sha256, write_time
from governance.consent.models import PERMITTING
from governance.consent.registry import Grant
from governance.terminal import read_bytes
from partner_agent.app import Agent
from partner_agent.cli.consent_import import import_
from partner_agent.cli.consent_states import invalidate, milestones, reaffirm, terminate
from partner_agent.cli.consent_withdraw import withdraw
from partner_agent.cli.context import agent_of, session
from partner_agent.cli.receipts import check_receipt, receipt
from partner_agent.steps.deciding import record as record_decision

app = typer.Typer(no_args_is_help=True, help="Consent to be approached, as people gave it.")
app.command()(receipt)
app.command("check-receipt")(check_receipt)
app.command("import")(import_)
for command in (withdraw, reaffirm, invalidate, terminate, milestones):
    app.command()(command)

_LIVE: Final = {state.value for state in PERMITTING}
Notice = Annotated[Path, typer.Option(help="the privacy notice that the person was shown")]


@app.command()
def record(
    context: typer.Context,
    source: Annotated[str, typer.Option(help="source system of the person's record")],
    record_id: Annotated[str, typer.Option(help="your own id of the record")],
    expires: Annotated[str, typer.Option(help="ISO date")],
    method: Annotated[str, typer.Option(help="in_person, paper_form, telephone or online")],
    notice: Notice,
    kind: Annotated[
        str, typer.Option(help="approach, confidentiality, explicit_gdpr")
    ] = "approach",
    state: Annotated[str, typer.Option(help="requested, given or refused")] = "given",
    purpose: Annotated[str | None, typer.Option(help="a purpose of the agreement")] = None,
    items: Annotated[str | None, typer.Option(help="separated by commas")] = None,
    capacity: Annotated[str, typer.Option(help="self or parental_responsibility")] = "self",
    parental_basis: Annotated[str | None, typer.Option(help="how it was established")] = None,
) -> None:
    """Record what a person decided."""
    screen = session(context)
    with agent_of(context) as agent:
        fields: dict[str, Any] = {
            "source": source,
            "kind": kind,
            "state": state,
            "method": method,
            "capacity": capacity,
            "parental_basis": parental_basis,
            "expires": expires,
        }
        if purpose is not None:
            fields["purpose"] = purpose
        if items is not None:
            fields["items"] = sorted({item.strip() for item in items.split(",")})
        shown = sha256(read_bytes(notice))
        grants = record_decision(agent, record_id, shown, fields, screen.say)
    screen.result({"grants": grants}, lambda out: out.print("\n".join(grants)))


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="only grants in this state")] = None,
    expiring: Annotated[
        int | None, typer.Option(min=0, help="only grants that end within so many days")
    ] = None,
) -> None:
    """What this party recorded, and where each grant stands today."""
    screen = session(context)
    with agent_of(context) as agent:
        replayed = agent.ledger.sync()
        here = agent.consents.withdrawn_here()
        rows = [
            _row(grant, agent, here) for grant in agent.consents.own(replayed, agent.settings.party)
        ]
    rows = [row for row in rows if state is None or row["state"] == state]
    if expiring is not None:
        until = write_time(agent.now() + timedelta(days=expiring))
        rows = [row for row in rows if row["state"] in _LIVE and row["expires"] <= until]
        rows.sort(key=lambda row: (row["expires"], row["grant"]))
    screen.result({"grants": rows}, lambda out: _show_grants(out, rows))


def _row(grant: Grant, agent: Agent, here: set[str]) -> dict[str, Any]:
    return {
        "grant": grant.id,
        "source": grant.record.source,
        "subject": grant.record.subject,
        "kind": grant.record.kind.value,
        "state": "withdrawn" if grant.id in here else grant.state(agent.now()).value,
        "expires": grant.record.expires,
    }


def _show_grants(out: Console, rows: list[dict[str, Any]]) -> None:
    table = Table("grant", "source", "kind", "state", "expires")
    for row in rows:
        table.add_row(*(row[name] for name in ("grant", "source", "kind", "state", "expires")))
    out.print(table)
