"""``consent withdraw``: one step, which counts before the network is asked for anything.

In order: what this machine's own copy of the ledger knows is withdrawn on its disk; that is said;
only then is the ledger asked whether there is more, and told.
"""

from typing import Annotated, Any

import typer
from rich.console import Console

from partner_agent.cli.context import agent_of, session
from partner_agent.steps.withdrawing import (
    Whose,
    newly_known,
    withdraw_everywhere,
    withdraw_here,
    withdrawable,
)


def withdraw(
    context: typer.Context,
    grant: Annotated[
        str | None, typer.Argument(help="number of a receipt; spaces do not matter")
    ] = None,
    source: Annotated[str | None, typer.Option(help="or the source ...")] = None,
    record_id: Annotated[str | None, typer.Option(help="... and your own id")] = None,
    dry_run: Annotated[bool, typer.Option(help="show what would be withdrawn")] = False,
) -> None:
    """Withdraw at once: it counts here from now on, and in the ledger as soon as that answers.

    A number withdraws every consent of its kind about the same person's record, older and newer.
    """
    screen = session(context)
    whose = Whose(grant, source, record_id)
    with agent_of(context) as agent:
        if dry_run:
            known = withdrawable(agent, agent.ledger.state, whose)
        elif known := withdraw_here(agent, whose):
            screen.say(f"{len(known)} withdrawn: it counts here from now on")
        found = newly_known(agent, whose, known, screen.say)
        if dry_run:
            screen.result({"would_withdraw": found}, lambda out: out.print("\n".join(found)))
            return
        done = withdraw_everywhere(agent, found, screen.say)
    data = [{"grant": item.grant, "in_the_ledger": item.logged} for item in done]
    screen.result({"withdrawn": data}, lambda out: _show(out, data))


def _show(out: Console, data: list[dict[str, Any]]) -> None:
    for item in data:
        where = "here and in the ledger" if item["in_the_ledger"] else "here; the ledger is waiting"
        out.print(f"{item['grant']}: withdrawn {where}")
