"""``person enrol``, ``person revoke`` and ``person leads``: staff in the ledger."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from governance.canonical import parse_json, write_time
from governance.errors import FormatError
from governance.identity.envelope import Envelope, parse_model, sign
from governance.identity.models import PERSON_ENROLMENT, PersonEnrolment, Role, read_person_keys
from governance.ledger.events import EventType
from governance.ledger.payloads import PersonEnrolled, PersonRevoked
from governance.terminal import read_bytes
from partner_agent.app import Agent
from partner_agent.cli.context import agent_of, session

app = typer.Typer(no_args_is_help=True, help="Members of staff of this party.")


@app.command()
def enrol(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="person.enrolment.json, or person.keys.json of the first IG lead")
    ],
) -> None:
    """Put a member of staff's keys into the ledger."""
    screen = session(context)
    data = parse_json(read_bytes(file))
    with agent_of(context) as agent:
        if isinstance(data, dict) and "enrolment" in data:
            enrolled = parse_model(data, PersonEnrolled)
        else:
            enrolled = _first_lead(agent, parse_model(data, Envelope))
        person = read_person_keys(enrolled.keys)
        agent.ledger.write(EventType.PERSON_ENROLLED, enrolled)
        agent.ledger.sync()
        agent.ledger.witness()
    screen.result(
        {"thumbprint": person.thumbprint, "role": person.role.value},
        lambda out: out.print(f"{person.role.value} {person.thumbprint} is enrolled"),
    )


def _first_lead(agent: Agent, envelope: Envelope) -> PersonEnrolled:
    keys = read_person_keys(envelope)
    if keys.role is not Role.IG_LEAD:
        raise FormatError(
            "only the first IG lead is enrolled without a countersignature",
            next_step="an IG lead runs: governance person countersign; where every IG lead of "
            "this party is revoked, IG leads of its partners do, for a new one",
        )
    enrolment = PersonEnrolment(
        keys=keys.thumbprint, role=keys.role, party=keys.party, created=write_time(agent.now())
    )
    signed = sign(
        PERSON_ENROLMENT, enrolment, agent.secrets.signing_key, agent.secrets.keys.thumbprint
    )
    return PersonEnrolled(keys=envelope, enrolment=signed)


@app.command()
def revoke(
    context: typer.Context,
    keys: Annotated[str, typer.Argument(help="thumbprint, sha256:...")],
    reason: Annotated[str, typer.Option(help="left, lost_key, role_changed or misuse")],
) -> None:
    """Stop relying on a member of staff's keys."""
    screen = session(context)
    payload = parse_model({"keys": keys, "reason": reason}, PersonRevoked)
    why = payload.reason
    with agent_of(context) as agent:
        agent.ledger.write(EventType.PERSON_REVOKED, payload)
        agent.ledger.sync()
        agent.ledger.witness()
        lost = agent.ledger.state.identities.lost_lead(agent.settings.party)
    screen.result({"revoked": keys, "reason": why}, lambda out: out.print(f"revoked: {why}"))
    if lost is not None and lost.keys.thumbprint == keys:
        screen.say(
            "that was the last IG lead of this party: IG leads of its partners bring one back, in "
            f"place of {keys}"
        )


@app.command()
def leads(
    context: typer.Context,
    party: Annotated[str, typer.Argument(help="a party's short name, as agreements have it")],
) -> None:
    """Show the IG leads of a party, of this one or another, and whose place a new one takes."""
    screen = session(context)
    with agent_of(context) as agent:
        agent.ledger.sync()
        identities = agent.ledger.state.identities
        identities.party_named(party)
        every, lost = identities.leads(party), identities.lost_lead(party)
    found = [
        {
            "thumbprint": each.keys.thumbprint,
            "revoked": each.revoked,
            "vouched_by": list(each.vouched_by),
            "lost_last": each is lost,
        }
        for each in every
    ]

    def show(out: Console) -> None:
        for each in every:
            state = "revoked" if each.revoked else "stands"
            by = f", vouched for by {', '.join(each.vouched_by)}" if each.vouched_by else ""
            last = ", lost last" if each is lost else ""
            out.print(f"{each.keys.thumbprint} {state}{by}{last}")

    screen.result({"party": party, "leads": found}, show)
