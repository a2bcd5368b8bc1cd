"""``governance agreement``: complete, check, show and compare agreement files."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from governance.agreements.criteria import read_criteria, require_explained
from governance.agreements.differences import differences, meaning
from governance.agreements.files import parse_yaml, read_agreement, write_agreement
from governance.agreements.life import Life, life
from governance.agreements.models import Agreement
from governance.agreements.policy import Standing
from governance.agreements.signing import require_plain_text
from governance.canonical import hash_of, utc_now
from governance.cli.agreement_new import CriteriaFile, new
from governance.cli.copies import (
    Copy,
    KeyFile,
    Passphrase,
    Reader,
    Url,
    read_vkey,
    read_who,
    replayed,
)
from governance.errors import FormatError
from governance.identity.envelope import Envelope, parse_model
from governance.identity.models import read_party_keys
from governance.terminal import Terminal, read_bytes, read_document, terminal, write_bytes

app = typer.Typer(no_args_is_help=True, help="Data-sharing agreements as files.")


app.command("new")(new)


@app.command()
def complete(
    context: typer.Context,
    template: Annotated[Path, typer.Argument(help="agreement with the parties' keys left empty")],
    keys: Annotated[list[Path], typer.Option(help="each party's .keys.json")],
    out: Annotated[Path, typer.Option(help="where to write the agreement")],
    criteria: CriteriaFile = None,
) -> None:
    """Fill in thumbprints of the parties' keys and hash of the catalogue, and check the whole."""
    known = {found.party: found for found in (read_party_keys(_envelope(path)) for path in keys)}
    data = parse_yaml(_text(template))
    if not isinstance(data, dict) or not isinstance(data.get("parties"), list):
        raise FormatError(f"{template.name}: expected an agreement with a list of parties")
    for party in data["parties"]:
        name = party.get("party") if isinstance(party, dict) else None
        if name not in known:
            raise FormatError(
                f"{template.name}: no keys were given for one of its parties",
                next_step="name every party's .keys.json with --keys",
            )
        party["keys"] = known[name].thumbprint
    catalogue = None if criteria is None else read_criteria(criteria)
    if catalogue is not None and data.get("criteria") is None:
        data["criteria"] = hash_of(catalogue)
    agreement = parse_model(data, Agreement)
    require_explained(agreement, catalogue)
    write_bytes(out, write_agreement(agreement).encode())
    screen = terminal(context)
    screen.result({"agreement": agreement.hash, "file": str(out)}, lambda c: _summary(c, agreement))
    screen.hint(f"partner-agent agreement import {out}")


@app.command()
def check(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="agreement.yaml")],
    criteria: CriteriaFile = None,
) -> None:
    """Check a file and print its hash, which is what every party signs."""
    agreement = read_agreement(file)
    require_plain_text(agreement)
    if criteria is not None:
        require_explained(agreement, read_criteria(criteria))
    screen = terminal(context)
    screen.result(
        {"agreement": agreement.hash, "valid": True}, lambda out: _summary(out, agreement)
    )
    if criteria is None and agreement.criteria is not None:
        screen.say("not held against the catalogue that it names: name its file with --criteria")


@app.command()
def show(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="agreement.yaml")],
) -> None:
    """Show an agreement in words."""
    agreement = read_agreement(file)
    terminal(context).result(
        agreement.model_dump(mode="json"), lambda out: show_agreement(out, agreement)
    )


@app.command()
def diff(
    context: typer.Context,
    older: Annotated[Path, typer.Argument(help="the version in force")],
    newer: Annotated[Path, typer.Argument(help="the version proposed")],
) -> None:
    """What changes from one version to the next."""
    old, new = read_agreement(older), read_agreement(newer)
    changes = differences(old.model_dump(mode="json"), new.model_dump(mode="json"))
    sentences = meaning(old, new)

    def table(out: Console) -> None:
        for sentence in sentences:
            out.print(f"- {sentence}", markup=False)
        shown = Table("where", "was", "will be")
        for change in changes:
            shown.add_row(change["where"], change["was"], change["will_be"])
        out.print(shown if changes else "no difference")

    terminal(context).result({"meaning": sentences, "changes": changes}, table)


@app.command("list")
def list_(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Every agreement in the ledger: its state, who has to do what next, and by when."""
    screen, who = terminal(context), read_who(as_, passphrase_file)
    state, _ = replayed(screen, url, read_vkey(key_file), who, copy)
    standings = [state.agreements.standing(found) for found in state.agreements]
    show_lives(screen, standings, utc_now())


def show_lives(screen: Terminal, standings: list[Standing], now: datetime) -> None:
    """Agreements with their lives."""
    lives = [(standing, life(standing, now)) for standing in standings]
    data = [life_data(standing, found) for standing, found in lives]

    def table(out: Console) -> None:
        shown = Table("agreement", "version", "state", "next", "who", "by")
        for standing, found in lives:
            shown.add_row(
                standing.agreement.id,
                str(standing.agreement.version),
                found.state.value.replace("_", " "),
                found.next_step or "-",
                ", ".join(found.who) or "-",
                found.by.isoformat() if found.by else "-",
            )
        out.print(shown if lives else "the ledger holds no agreement")

    screen.result({"agreements": data}, table)


def life_data(standing: Standing, found: Life) -> dict[str, Any]:
    """An agreement's life as plain data."""
    return {
        "id": standing.agreement.id,
        "version": standing.agreement.version,
        "agreement": standing.agreement.hash,
        "state": found.state.value,
        "permits": found.permits,
        "reason": found.reason,
        "next_step": found.next_step,
        "who": list(found.who),
        "by": found.by.isoformat() if found.by else None,
        "signed_by": sorted(standing.signed_by),
        "suspended_by": sorted(standing.suspended_by),
    }


def _text(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FormatError(f"{path.name}: not UTF-8") from None


def _envelope(path: Path) -> Envelope:
    return read_document(path, Envelope)


def _summary(out: Console, agreement: Agreement) -> None:
    out.print(f"{agreement.id} version {agreement.version}: {agreement.hash}")


def show_agreement(out: Console, agreement: Agreement) -> None:
    """An agreement's main terms as tables."""
    out.print(f"[bold]{agreement.title}[/bold]")
    _summary(out, agreement)
    out.print(
        f"from {agreement.valid_from}, review by {agreement.review_by}, "
        f"ends before {agreement.expires}; DPIA {agreement.dpia.reference} {agreement.dpia.outcome}"
    )
    parties = Table("party", "role", "legal gateway", "keys", title="Parties")
    for party in agreement.parties:
        parties.add_row(party.name, party.role, party.gateway.legal_gateway, party.keys[7:19])
    out.print(parties)
    purposes = Table("purpose", "what for", "leads to an approach", title="Purposes")
    for purpose in agreement.purposes:
        purposes.add_row(purpose.id, purpose.description, "yes" if purpose.approach else "no")
    out.print(purposes)
    sources = Table("source", "party", "items", "indicators", title="Sources")
    for source in agreement.sources:
        sources.add_row(
            source.id, source.party, ", ".join(source.items), ", ".join(source.indicators)
        )
    out.print(sources)
    released = ", ".join(item.id for item in agreement.items if item.releasable)
    out.print(f"released for an approach: {released}; to: {', '.join(agreement.recipients)}")
    signed = " or ".join(kind.value.replace("_", " ") for kind in agreement.staff_signatures)
    out.print(f"requests and approvals are signed by {signed}")
    _show_uses(out, agreement)
    budget = agreement.privacy_budget
    out.print(
        "no model may learn from families, and no table with noise be made"
        if budget is None
        else f"models and tables with noise may cost in a calendar year: {budget.words}",
        highlight=False,
    )


def _show_uses(out: Console, agreement: Agreement) -> None:
    """What is signed about indicators: which are needs, what the others are, what explains them."""
    out.print(f"needs: {', '.join(agreement.needs) or 'none'}", highlight=False, soft_wrap=True)
    for each in agreement.indicators:
        if each.used_as is not None or each.detail_of is not None:
            what = each.used_as or f"tells more of {each.detail_of}"
            out.print(f"no need: {each.id} ({what})", highlight=False, soft_wrap=True)
    if agreement.criteria is not None:
        out.print(f"explained by catalogue {agreement.criteria}", highlight=False, soft_wrap=True)
