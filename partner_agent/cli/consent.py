"""``consent record``, ``import``, ``withdraw``, ``list``, ``receipt`` and ``check-receipt``."""

import csv
import io
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import parse_time, sha256, write_time
from governance.consent.registry import Grant
from governance.errors import FormatError, ReasonedError
from governance.terminal import read_bytes
from partner_agent.app import Agent
from partner_agent.cli.context import Session, agent_of, session
from partner_agent.cli.receipts import check_receipt, receipt
from partner_agent.consents import ConsentInputError, consent_number, consent_template

app = typer.Typer(no_args_is_help=True, help="Consent to be approached, as people gave it.")
app.command()(receipt)
app.command("check-receipt")(check_receipt)

_COLUMNS: Final = {
    "source", "record_id", "kind", "state", "date", "expires", "capacity", "parental_basis",
    "method",
}  # fmt: skip
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
            "captured": write_time(agent.now()),
            "expires": _midnight(expires),
        }
        if purpose is not None:
            fields["purpose"] = purpose
        if items is not None:
            fields["items"] = sorted({item.strip() for item in items.split(",")})
        template = _template(agent, notice, fields)
        grants = agent.consents.record(template, record_id)
        _witness(screen, agent)
    screen.result({"grants": grants}, lambda out: out.print("\n".join(grants)))


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV with one decision a row")],
    notice: Notice,
    kind: Annotated[str, typer.Option(help="the kind to take; others are left out")] = "approach",
) -> None:
    """Record many decisions from a case system, oldest first; a wrong row stops nothing."""
    screen = session(context)
    rows = [row for row in _read(file) if row[1]["kind"] == kind]
    recorded = withdrawn = 0
    rejected: list[dict[str, Any]] = []
    with agent_of(context) as agent, screen.progress() as bar:
        agent.standing(agent.ledger.sync())
        task = bar.add_task("consents", total=len(rows))
        for number, row in sorted(rows, key=lambda item: (item[1]["date"], item[0])):
            try:
                if row["state"] == "withdrawn":
                    withdrawn += _withdraw_row(agent, row)
                else:
                    recorded += _record_row(agent, notice, row)
            except ConsentInputError as error:
                rejected.append({"row": number, "reason": error.reason})
            except FormatError as error:
                rejected.append({"row": number, "reason": error.reason})
            bar.advance(task)
        _witness(screen, agent)
    data = {"recorded": recorded, "withdrawn": withdrawn, "rejected": rejected}
    screen.result(
        data,
        lambda out: out.print(
            f"{recorded} recorded, {withdrawn} withdrawn, {len(rejected)} rows rejected"
        ),
    )


def _read(file: Path) -> list[tuple[int, dict[str, str]]]:
    try:
        reader = csv.DictReader(io.StringIO(read_bytes(file).decode("utf-8-sig"), newline=""))
        missing = _COLUMNS - set(reader.fieldnames or ())
        if missing:
            raise FormatError(f"{file.name}: no column {', '.join(sorted(missing))}")
        return [
            (number, {name: row[name] or "" for name in _COLUMNS})
            for number, row in enumerate(reader, start=1)
        ]
    except (UnicodeDecodeError, csv.Error):
        raise FormatError(f"{file.name}: not CSV in UTF-8") from None


def _record_row(agent: Agent, notice: Path, row: dict[str, str]) -> int:
    fields = {
        "source": row["source"],
        "kind": row["kind"],
        "state": row["state"],
        "method": row["method"],
        "capacity": row["capacity"],
        "parental_basis": row["parental_basis"] or None,
        "captured": _midnight(row["date"]),
        "expires": _midnight(row["expires"]),
    }
    return len(agent.consents.record(_template(agent, notice, fields), row["record_id"]))


def _withdraw_row(agent: Agent, row: dict[str, str]) -> int:
    state = agent.ledger.sync()
    grants = agent.consents.grants_of(state, row["source"], row["record_id"])
    return len(agent.consents.withdraw(grants, agent.now()))


def _template(agent: Agent, notice: Path, fields: dict[str, Any]) -> dict[str, object]:
    agreement = agent.standing(agent.ledger.state).agreement
    return consent_template(agreement, agent.settings.party, sha256(read_bytes(notice)), **fields)


def _midnight(day: str) -> str:
    """A date as the time at which it begins."""
    return write_time(parse_time(f"{day}T00:00:00Z"))


@app.command()
def withdraw(
    context: typer.Context,
    grant: Annotated[str | None, typer.Argument(help="id of the grant")] = None,
    source: Annotated[str | None, typer.Option(help="or the source ...")] = None,
    record_id: Annotated[str | None, typer.Option(help="... and your own id")] = None,
    dry_run: Annotated[bool, typer.Option(help="show what would be withdrawn")] = False,
) -> None:
    """Withdraw at once: it counts here from now on, and in the ledger as soon as that answers."""
    screen = session(context)
    with agent_of(context) as agent:
        try:
            state = agent.ledger.sync()
        except ReasonedError:
            state = agent.ledger.state  # away: what is mirrored is enough to withdraw
        if source is not None and record_id is not None:
            grants = agent.consents.grants_of(state, source, record_id)
        else:
            own = agent.consents.own(state, agent.settings.party)
            grants = [found for found in own if found.id == consent_number(grant or "")]
        if not grants:
            raise ConsentInputError(
                "this party recorded no such grant", next_step="partner-agent consent list"
            )
        if dry_run:
            ids = [found.id for found in grants]
            screen.result({"would_withdraw": ids}, lambda out: out.print("\n".join(ids)))
            return
        done = agent.consents.withdraw(grants, agent.now())
        _witness(screen, agent)
    data = [{"grant": item.grant, "in_the_ledger": item.logged} for item in done]
    screen.result({"withdrawn": data}, lambda out: _show_withdrawn(out, data))


def _witness(screen: Session, agent: Agent) -> None:
    """Cosign; what was recorded stands where that fails, and the loop of ``run`` tries again."""
    try:
        agent.ledger.sync()
        agent.ledger.witness()
    except ReasonedError as error:
        screen.say(f"not cosigned: {error.message}")


def _show_withdrawn(out: Console, data: list[dict[str, Any]]) -> None:
    for item in data:
        where = "here and in the ledger" if item["in_the_ledger"] else "here; the ledger is waiting"
        out.print(f"{item['grant']}: withdrawn {where}")


@app.command("list")
def list_(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="only grants in this state")] = None,
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
