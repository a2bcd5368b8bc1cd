"""``register want``, ``move`` and ``show``: this party's steps with its data items."""

from pathlib import Path
from typing import Annotated

import typer

from governance.cli.register import show_register
from governance.identity.envelope import parse_model
from governance.ledger.events import EventType
from governance.ledger.payloads import RegisterMoved, RegisterWanted
from governance.register.models import Ground, Step
from partner_agent.cli.context import agent_of, session

app = typer.Typer(no_args_is_help=True, help="The register of data items.")


@app.command()
def want(
    context: typer.Context,
    item: Annotated[str, typer.Argument(help="a short name, for example attendance")],
    party: Annotated[str, typer.Option("--of", help="the party that would hold it")],
) -> None:
    """Say that an item of a party is wanted."""
    payload = parse_model({"party": party, "item": item}, RegisterWanted)
    with agent_of(context) as agent:
        agent.ledger.write(EventType.REGISTER_WANTED, payload)
        agent.ledger.sync()
    session(context).result(
        payload.model_dump(mode="json"), lambda out: out.print(f"{item} of {party} is wanted")
    )


@app.command()
def move(
    context: typer.Context,
    source: Annotated[str, typer.Argument(help="your system")],
    item: Annotated[str, typer.Argument(help="the item")],
    step: Annotated[Step, typer.Argument(help="the next step")],
    ground: Annotated[
        Ground | None, typer.Option(help="what a permission rests on, or why it is excluded")
    ] = None,
    document: Annotated[
        str | None, typer.Option(help="sha256:... of the notice, form or assessment")
    ] = None,
) -> None:
    """Take an item of your own system to its next step; signed and dated in the ledger."""
    with agent_of(context) as agent:
        payload = parse_model(
            {
                "party": agent.settings.party,
                "source": source,
                "item": item,
                "step": step,
                "ground": ground,
                "document": document,
            },
            RegisterMoved,
        )
        agent.ledger.write(EventType.REGISTER_MOVED, payload)
        agent.ledger.sync()
    session(context).result(
        payload.model_dump(mode="json"),
        lambda out: out.print(f"{item} of {source}: {step.value.replace('_', ' ')}"),
    )


@app.command()
def show(
    context: typer.Context,
    csv: Annotated[Path | None, typer.Option(help="write it here as CSV")] = None,
) -> None:
    """Every item: who wants it, where it is held, and whether an agreement may list it."""
    with agent_of(context) as agent:
        register = agent.ledger.sync().register
        show_register(session(context), register, csv)
