"""``consent withdraw``: one step, which counts before the network is asked for anything.

In order: what this machine's own copy of the ledger knows is withdrawn on its disk; that is said;
only then is the ledger asked whether there is more, and told.
"""

from typing import Annotated, Any

import typer
from rich.console import Console

from governance.errors import ReasonedError
from governance.ledger.state import LedgerState
from partner_agent.app import Agent
from partner_agent.cli.context import agent_of, session
from partner_agent.consents import ConsentInputError, consent_number


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
    with agent_of(context) as agent:
        known = _withdrawable(agent, agent.ledger.state, grant, source, record_id)
        if not dry_run and known:
            agent.consents.accept_withdrawals(known, agent.now())
            screen.say(f"{len(known)} withdrawn: it counts here from now on")
        try:
            state = agent.ledger.sync()
        except ReasonedError as error:
            state = agent.ledger.state
            screen.say(f"the ledger is away and is told later: {error.message}")
        found = sorted({*known, *_withdrawable(agent, state, grant, source, record_id)})
        if grant is not None and (gone := state.consents.erased.get(consent_number(grant))):
            raise ConsentInputError(
                f"the record of this consent was erased on {gone.since[:10]}: it permits nothing "
                "any more, as if it had been withdrawn",
                next_step="tell the person so; partner-agent consent withdraw --source SOURCE "
                "--record-id ID takes back what was recorded since",
            )
        if not found:
            raise ConsentInputError(
                "this party recorded no consent that this would withdraw",
                next_step="partner-agent consent list",
            )
        if dry_run:
            screen.result({"would_withdraw": found}, lambda out: out.print("\n".join(found)))
            return
        done = agent.consents.withdraw(found, agent.now())
        try:
            agent.ledger.sync()
            agent.ledger.witness()
        except ReasonedError as error:
            screen.say(f"not cosigned: {error.message}")
    data = [{"grant": item.grant, "in_the_ledger": item.logged} for item in done]
    screen.result({"withdrawn": data}, lambda out: _show(out, data))


def _withdrawable(
    agent: Agent,
    state: LedgerState,
    number: str | None,
    source: str | None,
    record_id: str | None,
) -> list[str]:
    party = agent.settings.party
    if source is not None and record_id is not None:
        return agent.consents.withdrawable_of(state, party, source, record_id)
    if number is None:
        raise ConsentInputError(
            "expected a number, or a source and your own record id",
            next_step="partner-agent consent withdraw NUMBER",
        )
    return agent.consents.withdrawable_with(state, party, consent_number(number))


def _show(out: Console, data: list[dict[str, Any]]) -> None:
    for item in data:
        where = "here and in the ledger" if item["in_the_ledger"] else "here; the ledger is waiting"
        out.print(f"{item['grant']}: withdrawn {where}")
