"""``governance release``: a service manager asks and opens; an IG lead approves or declines."""

import os
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import b64, canonical_bytes, utc_now, write_time
from governance.cli.copies import Copy, KeyFile, Url, read_vkey, replayed
from governance.errors import FormatError
from governance.exchange.hub_client import HubClient
from governance.exchange.release_api import (
    FamilyQuery,
    FamilySummary,
    FamilyView,
    OutcomePost,
    RequestView,
)
from governance.exchange.risk_api import FamilyRank
from governance.identity.envelope import parse_model, sign
from governance.identity.files import PersonSecrets, read_person_secrets
from governance.release.errors import AnswersLeftOut, MembersChanged, RequestNotLogged
from governance.release.models import (
    APPROVAL,
    REQUEST,
    Approval,
    ReleasedRecord,
    Request,
)
from governance.release.opening import asked_of, opened_answers
from governance.release.registry import read_request
from governance.terminal import FileProblem, passphrase, terminal

app = typer.Typer(no_args_is_help=True, help="Ask to re-identify one family; decide; open.")

Hub = Annotated[str, typer.Option("--hub", help="the hub's address")]
As = Annotated[Path, typer.Option("--as", help="your person.secret")]
Passphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="opens your keys")]
REQUEST_HOURS = 12


def _client(hub: str, who: PersonSecrets) -> HubClient:
    return HubClient(hub, who.keys.thumbprint, who.signing_key)


@app.command()
def families(
    context: typer.Context,
    hub: Hub,
    as_: As,
    passphrase_file: Passphrase = None,
    flagged: Annotated[bool, typer.Option(help="only those with several needs")] = True,
    need: Annotated[str | None, typer.Option(help="only those in which it is met")] = None,
    people: Annotated[int, typer.Option(min=0, help="at least so many members")] = 0,
    children: Annotated[int, typer.Option(min=0, help="at least so many children")] = 0,
    confidence: Annotated[float, typer.Option(min=0, max=1, help="at least so sure")] = 0.0,
    approachable: Annotated[
        bool | None, typer.Option(help="only those that may be approached, or that may not")
    ] = None,
    by_model: Annotated[
        bool, typer.Option("--by-model", help="in the order of the model that is shared")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000)] = 50,
) -> None:
    """Families for professional consideration, under pseudonyms."""
    who = read_person_secrets(as_, passphrase(passphrase_file))
    with _client(hub, who) as client:
        found = client.families(
            parse_model(
                {
                    "flagged": flagged,
                    "need": need,
                    "people": people,
                    "children": children,
                    "confidence": confidence,
                    "approachable": approachable,
                    "order": "model" if by_model else "needs",
                    "limit": limit,
                },
                FamilyQuery,
            )
        )

    def table(out: Console) -> None:
        place = ["place"] if found.order == "model" else []
        shown = Table(
            "family", "people", "children", "needs met", "unknown", *place, "lives here",
            "may be approached",
        )  # fmt: skip
        for family in found.families:
            shown.add_row(
                family.family,
                str(family.members),
                str(family.children),
                str(family.needs_met),
                str(family.needs_unknown),
                *([_place(family.rank)] if place else []),
                _home(family),
                "yes" if family.may_be_approached else f"no: {family.reason}",
            )
        out.print(shown)
        out.print(f"{len(found.families)} of {found.total} families")

    screen = terminal(context)
    screen.result(found.model_dump(mode="json"), table)
    if by_model and found.order != "model":
        screen.say("no model is shared: by needs")
    if found.order == "model":
        screen.say(
            "by a model, for professional consideration; nothing is decided by it, and who has no "
            "place is not behind"
        )
    if not found.total:
        screen.say("families are seen while an agreement of yours is in force: agreement list")
    screen.hint("governance release show FAMILY" if found.total else "governance agreement list")


def _place(rank: FamilyRank | None) -> str:
    """Where a family stands in a model's order, or why it does not."""
    if rank is None:
        return "none"
    if rank.band is None:
        why = "not here as far as known" if rank.why == "moved_away" else str(rank.why)
        return f"none: {why.replace('_', ' ')}"
    _, _, first = rank.band.partition("_")
    return f"first {first} in 100" if first else "behind them"


def _home(family: FamilySummary) -> str:
    """Whether a family lives here still, as far as any source tells."""
    since = f" since {family.told}" if family.told else ""
    return {
        "here": "yes", "untold": f"not known{since}", "left": "no, as far as known",
        None: "not worked out",
    }[family.residence]  # fmt: skip


@app.command()
def show(
    context: typer.Context,
    family: Annotated[str, typer.Argument(help="f-...")],
    hub: Hub,
    as_: As,
    passphrase_file: Passphrase = None,
) -> None:
    """One family: roles, needs met, unmet and unknown, and whether it may be approached."""
    who = read_person_secrets(as_, passphrase(passphrase_file))
    with _client(hub, who) as client:
        view = client.family(family)
    terminal(context).result(view.model_dump(mode="json"), lambda out: _show_family(out, view))


def _show_family(out: Console, view: FamilyView) -> None:
    summary = view.summary
    out.print(f"{summary.family}: {summary.members} people, confidence {summary.confidence:.2f}")
    out.print(f"lives here still: {_home(summary)}")
    members = Table("member", "role", "age band", "sources", "belongs", "because")
    for member in view.members:
        members.add_row(
            member.person, member.role, member.age_band or "?", str(member.sources),
            f"{member.confidence:.2f}", ", ".join(member.reasons),
        )  # fmt: skip
    out.print(members)
    needs = Table("need", "state", "sources with evidence")
    for need in view.needs:
        needs.add_row(need.id, need.state, str(need.sources))
    out.print(needs)
    for reason in view.reasons:
        out.print(f"- {reason}")
    verdict = "may be approached" if summary.may_be_approached else f"not now: {summary.reason}"
    out.print(f"consent ledger: {verdict}")


@app.command()
def request(
    context: typer.Context,
    family: Annotated[str, typer.Argument(help="f-...")],
    hub: Hub,
    as_: As,
    purpose: Annotated[str, typer.Option(help="a purpose of the agreement")],
    items: Annotated[str, typer.Option(help="what you need, separated by commas")],
    without: Annotated[list[str] | None, typer.Option(help="leave a member out: p-...")] = None,
    hours: Annotated[int, typer.Option(min=1, max=24, help="how long it stands")] = REQUEST_HOURS,
    passphrase_file: Passphrase = None,
) -> None:
    """Ask to re-identify one family. You sign exactly what you ask for."""
    who = read_person_secrets(as_, passphrase(passphrase_file))
    now = utc_now()
    with _client(hub, who) as client:
        view = client.family(family)
        document = parse_model(
            {
                "id": secrets.token_hex(16),
                "agreement": view.document.agreement,
                "purpose": purpose,
                "family": family,
                "members": _own_digest(view),
                "without": sorted(without or []),
                "items": sorted({item.strip() for item in items.split(",")}),
                "recipient": who.keys.thumbprint,
                "created": write_time(now),
                "expires": write_time(now + timedelta(hours=hours)),
            },
            Request,
        )
        signed = sign(REQUEST, document, who.signing_key, who.keys.thumbprint)
        answer = client.post_request(signed)
    screen = terminal(context)
    screen.result(answer.model_dump(mode="json"), lambda out: _show_request(out, answer))
    screen.hint(f"an IG lead runs: governance release approve {answer.id}")


def _own_digest(view: FamilyView) -> str:
    """The digest of the members that were shown; never the hub's word for it."""
    if view.digest != view.document.digest:
        raise MembersChanged("the hub's digest is not that of the members it shows")
    return view.document.digest


@app.command()
def status(
    context: typer.Context,
    request_hash: Annotated[str, typer.Argument(metavar="REQUEST", help="sha256:...")],
    hub: Hub,
    as_: As,
    passphrase_file: Passphrase = None,
) -> None:
    """Where a request stands."""
    who = read_person_secrets(as_, passphrase(passphrase_file))
    with _client(hub, who) as client:
        view = client.request(request_hash)
    terminal(context).result(view.model_dump(mode="json"), lambda out: _show_request(out, view))


def _show_request(out: Console, view: RequestView) -> None:
    out.print(f"request {view.id}\nfamily {view.family}: {view.state.replace('_', ' ')}")
    if view.reason:
        out.print(f"reason: {view.reason}")
    if view.outcome:
        out.print(f"outcome: {view.outcome.replace('_', ' ')}")
    for answer in view.answers:
        out.print(
            f"- {answer.party}: {answer.state}" + (f" ({answer.reason})" * bool(answer.reason))
        )


@app.command()
def members(
    context: typer.Context,
    request_hash: Annotated[str, typer.Argument(metavar="REQUEST", help="sha256:...")],
    hub: Hub,
    as_: As,
    out: Annotated[Path, typer.Option(help="members.json, readable by you only")],
    passphrase_file: Passphrase = None,
) -> None:
    """Fetch the family's list of pseudonyms that a request names, for a pack of evidence."""
    who = read_person_secrets(as_, passphrase(passphrase_file))
    with _client(hub, who) as client:
        view = client.request(request_hash)
    asked_of(view, request_hash)
    _write_private(out, canonical_bytes(view.document))
    terminal(context).result(
        {"file": str(out), "members": len(view.document.members)},
        lambda console: console.print(f"{len(view.document.members)} members in {out}"),
    )


@app.command()
def approve(
    context: typer.Context,
    request_hash: Annotated[str, typer.Argument(metavar="REQUEST", help="sha256:...")],
    hub: Hub,
    as_: As,
    url: Url,
    key_file: KeyFile,
    decline: Annotated[bool, typer.Option(help="decline instead")] = False,
    reason: Annotated[str, typer.Option(help="a word for why")] = "proportionate",
    yes: Annotated[bool, typer.Option(help="do not ask")] = False,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Decide a request. You sign its hash together with the ledger that you verified yourself."""
    who = read_person_secrets(as_, passphrase(passphrase_file))
    screen = terminal(context)
    with _client(hub, who) as client:
        view = client.request(request_hash)
        state, checkpoint = replayed(screen, url, read_vkey(key_file), who, copy)
        if view.request.payload_hash != request_hash:
            raise FormatError("the hub showed another request than the one named")
        asked, requester = read_request(view.request, state.identities)
        if request_hash not in state.releases.requests:
            raise RequestNotLogged("the request is not in the ledger")
        if asked.members != view.document.digest:
            raise MembersChanged("the members shown are not those that the request names")
        screen.say(
            f"{requester.role.value} of {requester.party} asks for {', '.join(asked.items)} of "
            f"{len(view.document.members) - len(asked.without)} people, to {asked.purpose}, "
            f"until {asked.expires}"
        )
        screen.confirm("Decline it?" if decline else "Approve it?", yes=yes)
        approval = parse_model(
            {
                "request": request_hash,
                "decision": "decline" if decline else "approve",
                "reason": reason,
                "checkpoint": {"size": checkpoint.size, "root": b64(checkpoint.root)},
                "created": write_time(utc_now()),
            },
            Approval,
        )
        signed = sign(APPROVAL, approval, who.signing_key, who.keys.thumbprint)
        answer = client.post_approval(request_hash, signed)
    screen.result(answer.model_dump(mode="json"), lambda out: _show_request(out, answer))


@app.command("open")
def open_release(
    context: typer.Context,
    request_hash: Annotated[str, typer.Argument(metavar="REQUEST", help="sha256:...")],
    hub: Hub,
    as_: As,
    url: Url,
    key_file: KeyFile,
    out: Annotated[Path | None, typer.Option(help="write it here, readable by you only")] = None,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Open what the partners sealed to your key. This is where names appear, and nowhere else.

    An answer that cannot be read hides nobody else's: it is left out, and the command fails.
    """
    who = read_person_secrets(as_, passphrase(passphrase_file))
    with _client(hub, who) as client:
        view = client.request(request_hash)
        release = client.release(request_hash)
    asked = asked_of(view, request_hash)
    screen = terminal(context)
    state, _ = replayed(screen, url, read_vkey(key_file), who, copy)
    parties, found, left_out = opened_answers(release, view, asked, who, state)
    data = {
        "request": request_hash,
        "parties": parties,
        "left_out": left_out,
        "records": [record.model_dump(mode="json") for record in found],
    }
    if out is not None:
        _write_private(out, canonical_bytes(data) + b"\n")
        screen.result(
            data | {"records": len(found), "file": str(out)},
            lambda console: console.print(f"{len(found)} records in {out}"),
        )
    else:
        screen.result(data, lambda console: _contact_sheet(console, found))
    if left_out:
        raise AnswersLeftOut(
            "left out: " + "; ".join(f"{party} [{reason}]" for party, reason in left_out.items()),
            next_step="tell your information-governance lead; what was shown are the other answers",
        )
    screen.hint(f"governance release outcome {request_hash} helped")


def _contact_sheet(out: Console, records: list[ReleasedRecord]) -> None:
    items = list(dict.fromkeys(item for record in records for item in record.items))
    sheet = Table("member", "source", *(item.replace("_", " ") for item in items))
    for record in records:
        values = (record.items.get(item, "") for item in items)
        sheet.add_row(record.person[:10], record.source, *values)
    out.print(sheet)


def _write_private(path: Path, data: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except OSError as error:
        raise FileProblem(f"{path.name} cannot be written: {error.strerror}") from None


@app.command()
def outcome(
    context: typer.Context,
    request_hash: Annotated[str, typer.Argument(metavar="REQUEST", help="sha256:...")],
    result: Annotated[str, typer.Argument(help="helped, declined, wrong_family or not_needed")],
    hub: Hub,
    as_: As,
    passphrase_file: Passphrase = None,
) -> None:
    """Record what came of the approach."""
    who = read_person_secrets(as_, passphrase(passphrase_file))
    body = parse_model({"outcome": result}, OutcomePost)
    with _client(hub, who) as client:
        view = client.post_outcome(request_hash, body)
    terminal(context).result(view.model_dump(mode="json"), lambda out: _show_request(out, view))
