"""``agreement import``, ``sign``, ``show``, ``suspend`` and ``resume``."""

from pathlib import Path
from typing import Annotated

import typer

from governance.agreements.files import read_agreement
from governance.agreements.life import life
from governance.agreements.signing import (
    require_named,
    require_plain_text,
    sign_agreement,
)
from governance.cli.agreement import life_data, show_agreement, show_lives
from governance.ledger.events import EventType
from governance.ledger.payloads import (
    AgreementProposed,
    AgreementSigned,
    AgreementStopped,
    RegisterOverridden,
)
from governance.ledger.state import LedgerState
from governance.register.registry import not_ready, require_ready
from partner_agent.cli.context import agent_of, session

app = typer.Typer(no_args_is_help=True, help="The data-sharing agreement.")


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="agreement.yaml")],
) -> None:
    """Check an agreement, propose it in the ledger unless it is there, and work under it."""
    screen = session(context)
    agreement = read_agreement(file)
    with agent_of(context) as agent:
        require_named(agreement, agent.secrets.keys)
        require_plain_text(agreement)
        state = agent.ledger.sync()
        proposed = agreement.hash not in set(state.agreements)
        if proposed:
            agent.ledger.write(EventType.AGREEMENT_PROPOSED, AgreementProposed(agreement=agreement))
            agent.ledger.sync()
        agent.remember(agreement=agreement.hash)
    screen.result(
        {"agreement": agreement.hash, "proposed": proposed},
        lambda out: show_agreement(out, agreement),
    )
    screen.hint("read it, then: partner-agent agreement sign")


@app.command()
def sign(
    context: typer.Context,
    yes: Annotated[bool, typer.Option(help="do not ask")] = False,
    despite_register: Annotated[
        bool,
        typer.Option(help="although the register shows items as not usable; the ledger says so"),
    ] = False,
) -> None:
    """Sign the agreement for this party, if the register shows its items as in use or permitted."""
    screen = session(context)
    with agent_of(context) as agent:
        state = agent.ledger.sync()
        standing = agent.standing(state)
        agreement = standing.agreement
        require_named(agreement, agent.secrets.keys)
        require_plain_text(agreement)
        if agent.settings.party not in standing.signed_by:
            if not despite_register:
                require_ready(state.register, agreement, agent.settings.party)
            screen.confirm(f"Sign {agreement.id} version {agreement.version}?", yes=yes)
            if missing := not_ready(state.register, agreement, agent.settings.party):
                agent.ledger.write(
                    EventType.REGISTER_OVERRIDDEN,
                    RegisterOverridden(
                        agreement=agreement.hash, party=agent.settings.party, items=len(missing)
                    ),
                )
            payload = AgreementSigned(
                agreement=agreement.hash, signature=sign_agreement(agreement, agent.secrets)
            )
            agent.ledger.write(EventType.AGREEMENT_SIGNED, payload)
            state = agent.ledger.sync()
        agent.ledger.witness()
        signed = sorted(agent.standing(state).signed_by)
    unsigned = sorted({party.party for party in agreement.parties} - set(signed))
    screen.result(
        {"agreement": agreement.hash, "signed_by": signed, "missing": unsigned},
        lambda out: out.print(
            f"signed by {', '.join(signed)}; missing: {', '.join(unsigned) or '-'}"
        ),
    )


@app.command()
def show(context: typer.Context) -> None:
    """Show the agreement and who has signed it."""
    screen = session(context)
    with agent_of(context) as agent:
        standing = agent.standing(agent.ledger.sync())
        found = life(standing, agent.now())
    data = {
        "agreement": standing.agreement.model_dump(mode="json"),
        "hash": standing.agreement.hash,
        "signed_by": sorted(standing.signed_by),
        "suspended_by": sorted(standing.suspended_by),
        "superseded": standing.superseded,
        "life": life_data(standing, found),
    }
    screen.result(data, lambda out: show_agreement(out, standing.agreement))
    screen.say(f"signed by {', '.join(sorted(standing.signed_by)) or 'nobody'}")
    screen.say(f"state: {found.state.value.replace('_', ' ')}")
    if found.next_step:
        by = f", by {found.by}" if found.by else ""
        screen.say(f"to do: {found.next_step} ({', '.join(found.who) or 'nobody'}{by})")


@app.command("list")
def list_(context: typer.Context) -> None:
    """Every agreement in the ledger: its state, who has to do what next, and by when."""
    with agent_of(context) as agent:
        known = agent.ledger.sync().agreements
        standings = [known.standing(found) for found in known]
        now = agent.now()
    show_lives(session(context), standings, now)


@app.command()
def suspend(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="a word for why, for example dpia-review")],
    yes: Annotated[bool, typer.Option(help="do not ask")] = False,
) -> None:
    """Suspend the agreement: nobody encodes, links or releases under it until it is resumed."""
    session(context).confirm("Suspend the agreement for every party?", yes=yes)
    _stop(context, EventType.AGREEMENT_SUSPENDED, reason)


@app.command()
def resume(
    context: typer.Context,
    reason: Annotated[str, typer.Option(help="a word for why")] = "resolved",
) -> None:
    """Take this party's suspension back."""
    _stop(context, EventType.AGREEMENT_RESUMED, reason)


def _stop(context: typer.Context, kind: EventType, reason: str) -> None:
    screen = session(context)
    with agent_of(context) as agent:
        agreement = agent.standing(agent.ledger.sync()).agreement.hash
        agent.ledger.write(kind, AgreementStopped(agreement=agreement, reason=reason))
        state: LedgerState = agent.ledger.sync()
        agent.ledger.witness()
        suspended = sorted(agent.standing(state).suspended_by)
    screen.result(
        {"agreement": agreement, "suspended_by": suspended},
        lambda out: out.print(f"suspended by: {', '.join(suspended) or 'nobody'}"),
    )
