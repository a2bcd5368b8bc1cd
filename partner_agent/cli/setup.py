"""``init``, ``connect`` and ``status``."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.table import Table

from governance.ledger.note import parse_vkey
from governance.terminal import read_bytes
from partner_agent.app import init_agent
from partner_agent.cli.context import agent_of, session
from partner_agent.steps.status import SOON_DAYS, status_now


def init(
    context: typer.Context,
    party: Annotated[str, typer.Option(help="short name, for example police")],
    name: Annotated[str, typer.Option(help="full name of the organisation")],
    vault_key: Annotated[
        str, typer.Option(help="where to keep the vault's key: file or keyring")
    ] = "file",
    passphrase_file: Annotated[
        Path | None,
        typer.Option(envvar="HEARTHLINK_AGENT_PASSPHRASE_FILE", help="encrypts the key files"),
    ] = None,
) -> None:
    """Make this agent's keys, vault and database."""
    screen = session(context)
    kind: Literal["file", "keyring"] = "keyring" if vault_key == "keyring" else "file"
    secrets, public = init_agent(screen.home, party, name, kind, passphrase_file)
    screen.result(
        {"party": party, "thumbprint": secrets.keys.thumbprint, "keys": str(public)},
        lambda out: out.print(f"{party}: {secrets.keys.thumbprint}\n{public}"),
    )
    screen.hint(
        f"hand {public.name} to the ledger's operator and compare the thumbprint by phone; then "
        "partner-agent connect"
    )


def connect(
    context: typer.Context,
    ledger: Annotated[str, typer.Option(help="the ledger's address")],
    ledger_key: Annotated[Path, typer.Option(help="ledger.vkey, as it was handed to you")],
    hub: Annotated[str, typer.Option(help="the hub's address")],
) -> None:
    """Pin the ledger's key, take a first copy of the ledger, and remember the hub."""
    screen = session(context)
    with agent_of(context) as agent:
        key = parse_vkey(read_bytes(ledger_key).decode("utf-8", "replace").strip())
        agent.remember(ledger_url=ledger, ledger_key=str(key), hub_url=hub)
        state = agent.ledger.sync()
        known = agent.secrets.keys.thumbprint in state.identities.parties
        witnessed = agent.ledger.witness() if known else ()
    screen.result(
        {"entries": state.size, "known": known, "witnessed": bool(witnessed)},
        lambda out: out.print(f"{key.name}: {state.size} entries mirrored"),
    )
    if not known:
        screen.say("the ledger does not know this party's keys yet")
    screen.hint("partner-agent agreement import agreement.yaml")


def status(context: typer.Context) -> None:
    """Where everything stands, and what to do next."""
    screen = session(context)
    with agent_of(context) as agent:
        data = status_now(agent)
    screen.result(data, lambda out: _show(out, data))
    if data["next"]:
        screen.hint(data["next"])


def _show(out: Console, data: dict[str, Any]) -> None:
    agreement = data["agreement"]
    ledger = data["ledger"]
    out.print(f"{data['party']}: {ledger['entries']} ledger entries mirrored", highlight=False)
    if ledger["away"]:
        out.print(f"the ledger cannot be reached now ({ledger['away']})")
    if ledger["inadmissible"]:
        out.print(f"{ledger['inadmissible']} ledger entries may not count: tell the other partners")
    verdict = "in force" if agreement["in_force"] else f"not in force: {agreement.get('reason')}"
    out.print(f"agreement: {verdict}")
    table = Table("source", "records", "state", "reason", "rows in the vault")
    for item in data["submissions"]:
        table.add_row(
            item["source"],
            str(item["records"]),
            item["state"],
            item["reason"] or "",
            str(data["vault"].get(item["source"], 0)),
        )
    out.print(table)
    out.print(
        f"{data['grants']} grants recorded ({data['grants_ending_soon']} end within {SOON_DAYS} "
        f"days), {data['withdrawals_waiting']} withdrawals and {data['decisions_waiting']} "
        f"imported decisions wait for the ledger, {data['answers']} releases answered",
        highlight=False,
    )
    for found in data["opt_outs"]:
        left = found["days_left"]
        out.print(
            f"opt-outs of {found['source']}: "
            + (f"check again within {left} days" if left >= 0 else "checked too long ago"),
            highlight=False,
            style="" if left >= 0 else "bold",
        )
    rights = data["rights"]
    out.print(
        f"{rights['open']} requests of data subjects are open, {rights['overdue']} are overdue",
        highlight=False,
        style="bold" if rights["overdue"] else "",
    )
