"""``consent reaffirm``, ``invalidate``, ``terminate`` and ``milestones``."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from governance.consent.models import Capacity, ConsentState
from partner_agent.cli.context import agent_of, session
from partner_agent.consents import ConsentInputError, consent_number
from partner_agent.releases.milestones import milestones as find_milestones

Number = Annotated[str, typer.Argument(help="number of the consent")]


def reaffirm(context: typer.Context, consent: Number) -> None:
    """The person was asked again and says yes again; it ends on the same day as before."""
    _change(context, consent, ConsentState.REAFFIRMED)


def invalidate(context: typer.Context, consent: Number) -> None:
    """The consent was not asked for as it has to be, and does not count."""
    _change(context, consent, ConsentState.INVALIDATED)


def terminate(context: typer.Context, consent: Number) -> None:
    """The consent is not needed any more."""
    _change(context, consent, ConsentState.TERMINATED)


def _change(context: typer.Context, consent: str, to: ConsentState) -> None:
    number = consent_number(consent)
    with agent_of(context) as agent:
        grants = agent.consents.own(agent.ledger.sync(), agent.settings.party)
        grant = next((found for found in grants if found.id == number), None)
        if grant is None:
            raise ConsentInputError(
                "this party recorded no consent with this number",
                next_step="partner-agent consent list",
            )
        agent.consents.change(grant, to)
        state = agent.ledger.sync().consents.grants[number].state(agent.now()).value
        agent.ledger.witness()
    data = {"grant": number, "state": state}
    session(context).result(data, lambda out: out.print(f"{number}: {state}", highlight=False))


def milestones(
    context: typer.Context,
    within: Annotated[int, typer.Option(min=0, help="days from today")] = 90,
) -> None:
    """Parents' consents that stop to be enough, since a young person reaches 16 or 18."""
    screen = session(context)
    with agent_of(context) as agent:
        now = agent.now()
        here = agent.consents.withdrawn_here()
        grants = [
            grant
            for grant in agent.consents.own(agent.ledger.state, agent.settings.party)
            if grant.permits(now)
            and grant.id not in here
            and grant.record.capacity is Capacity.PARENTAL_RESPONSIBILITY
        ]
        rows = agent.vault.get_many(bytes.fromhex(grant.subject) for grant in grants)
        today = now.date()
        found, unknown = find_milestones(grants, rows, today, today + timedelta(days=within))
    data = {"milestones": [asdict(one) for one in found], "date_of_birth_unknown": unknown}
    screen.result(data, _shown(data))
    screen.hint("ask the young person, then: partner-agent consent record ... --capacity self")


def _shown(data: dict[str, Any]) -> Callable[[Console], None]:
    def show(out: Console) -> None:
        table = Table("consent", "source", "reaches", "month", "")
        for one in data["milestones"]:
            table.add_row(
                one["grant"], one["source"], str(one["years"]), one["month"],
                "a parent's yes does not do any more" if one["passed"] else "",
            )  # fmt: skip
        out.print(table)
        if data["date_of_birth_unknown"]:
            out.print(f"date of birth not known: {data['date_of_birth_unknown']} consents")

    return show
