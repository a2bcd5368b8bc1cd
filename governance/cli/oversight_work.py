"""Commands of ``governance oversight``: what waits for somebody, and what may be late."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import utc_now
from governance.cli.copies import Copy, KeyFile, Passphrase, Reader, Url, read_who
from governance.cli.overseen import Party, overseen
from governance.identity.files import PersonSecrets
from governance.oversight.agreements import due as list_due
from governance.oversight.judging import RuleName
from governance.oversight.requests import Dossier, dossier, waiting
from governance.oversight.retention import Destroyed, Due, destroyed
from governance.oversight.retention import retention as list_retention
from governance.oversight.rights import rights as list_rights
from governance.oversight.witnesses import Health, Seen, health, newest_notes, wanted
from governance.release.models import Members
from governance.terminal import read_document, terminal


def due(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Everything that waits for somebody, the most urgent first."""
    screen = terminal(context)
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        lines = list_due(found.state, utc_now())

    def table(out: Console) -> None:
        shown = Table("what", "by", "late", "who")
        for each in lines:
            late = "late" if each.late else ""
            what = f"{each.kind.value} ({each.name}): {each.detail.replace('_', ' ')}"
            shown.add_row(what, each.by, late, ", ".join(each.who))
        out.print(shown if lines else "nothing waits for anybody")

    screen.result({"due": [each.model_dump(mode="json") for each in lines]}, table)


def requests(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Requests that your organisation may decide and nobody has decided yet."""
    screen, who = terminal(context), read_who(as_, passphrase_file)
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        lines = waiting(found.state, utc_now(), who.keys.party)

    def table(out: Console) -> None:
        shown = Table("request", "party", "purpose", "items", "until")
        for each in lines:
            until = each.expires + (" (over)" if each.expired else "")
            shown.add_row(each.request, each.party, each.purpose, ", ".join(each.items), until)
        out.print(shown if lines else "no request waits for a decision")

    screen.result({"requests": [each.model_dump(mode="json") for each in lines]}, table)
    screen.hint("governance release members REQUEST, then governance oversight request REQUEST")


def request(
    context: typer.Context,
    request_hash: Annotated[str, typer.Argument(metavar="REQUEST", help="sha256:...")],
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    members: Annotated[Path | None, typer.Option(help="from governance release members")] = None,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Everything that deciding one request needs, each rule judged now."""
    screen, who = terminal(context), read_who(as_, passphrase_file)
    family = None if members is None else read_document(members, Members)
    lead = who.keys if isinstance(who, PersonSecrets) else None
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        told = dossier(found.state, found.mirror, request_hash, family, lead, utc_now())
    screen.result(told.model_dump(mode="json"), lambda out: _show_dossier(out, told))
    if family is None:
        screen.say("without --members nothing is said of permissions")
    screen.hint(f"governance release approve {request_hash}")


_RULES: Final = {
    RuleName.SIGNED: "A service manager signed it, whose keys still hold",
    RuleName.ALIVE: "The request has begun and has not expired",
    RuleName.AGREED: "The agreement is in force and permits purpose, recipient and items",
    RuleName.KIND: "It and your decision are signed with what the agreement accepts",
    RuleName.CONSENT: "Every permission that the family rule asks for is live",
    RuleName.SECOND: "You are a lead of a partner, and not who asks",
}


def _show_dossier(out: Console, told: Dossier) -> None:
    out.print(
        f"{told.party} asks for {', '.join(told.items)}, to {told.purpose} "
        f"({told.purpose_words}), until {told.expires}; {told.agreement_id} version {told.version}"
    )
    for rule in told.rules:
        name = _RULES[rule.rule]
        out.print(f"! {name}: no, {rule.meaning}" if rule.reason else f"- {name}: yes")
    if told.holds:
        out.print(
            "Every rule that the ledger can show holds; partners judge again, with what they "
            "alone know"
        )
    people = Table("member", "", "partner", "source", "consent", "until")
    for member in told.members or ():
        role = ("adult" if member.adult else "child") + (", left out" if member.left_out else "")
        for record in member.records:
            state = "erased" if record.erased else record.state.value if record.state else "none"
            covers = "" if record.covers or record.state is None else " (not for this)"
            people.add_row(
                member.person[:10], role, record.party, record.source, state + covers,
                record.expires or "",
            )  # fmt: skip
    if told.members is not None:
        out.print(people)
    for partner in told.partners:
        if partner.asked is False:
            out.print(f"{partner.party} recorded nobody's agreement to this: it passes nothing on")
        if partner.refusal:
            where = "this family" if partner.refusal_here else "another family"
            out.print(
                f"{partner.party} last refused on {partner.refusal_time[:10]}, {where}: "
                f"{partner.refusal_meaning}"
            )
    for earlier in told.earlier:
        refused = ", ".join(f"{party} refused" for party in earlier.refused)
        done = ", ".join(filter(None, (*earlier.released, refused)))
        out.print(
            f"asked before on {earlier.time[:10]}: {earlier.decision or 'not decided'}; "
            f"{done or 'nobody answered'}; {earlier.outcome or 'no outcome'}"
        )


def rights(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    party: Party = None,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Requests of data subjects and their deadlines."""
    screen = terminal(context)
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        lines = list_rights(found.state, utc_now().date(), party)

    def table(out: Console) -> None:
        shown = Table("request", "party", "right", "received", "due", "days left", "state")
        for each in lines:
            left = "" if each.days_left is None else str(each.days_left)
            state = (each.outcome or "open") + (", late" if each.late else "")
            shown.add_row(
                each.id[:8], each.party, each.kind.value, each.received, each.due, left, state
            )
        out.print(shown if lines else "nobody has asked")

    screen.result({"rights": [each.model_dump(mode="json") for each in lines]}, table)


def retention(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    party: Party = None,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """What was destroyed and when, and what is past its period and nobody said is gone."""
    screen = terminal(context)
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        lines = [
            each for each in list_retention(found.state, utc_now()) if party in (None, each.party)
        ]
        gone = destroyed(found.state, party)
    data = {
        "kept": [each.model_dump(mode="json") for each in lines],
        "destroyed": [each.model_dump(mode="json") for each in gone],
    }
    screen.result(data, lambda out: _show_retention(out, lines, gone))


def _show_retention(out: Console, lines: list[Due], gone: list[Destroyed]) -> None:
    shown = Table("party", "what", "days", "next due", "overdue since", "last destroyed")
    for each in lines:
        shown.add_row(
            each.party, each.what, str(each.days), each.next, each.overdue_since, each.last
        )
    out.print(shown)
    done = Table("time", "party", "destroyed", "entry")
    for one in gone:
        counts = ", ".join(f"{count} {name}" for name, count in one.counts.items())
        done.add_row(one.time, one.party, counts.replace("_", " "), str(one.entry))
    out.print(done if gone else "nobody has destroyed anything yet")


def witnesses(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Who has witnessed the ledger, how lately, and forks that this copy has noticed."""
    screen = terminal(context)
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        now = utc_now()
        notes = newest_notes(found.client, *wanted(found.state, now))
        told = health(found.state, found.mirror, notes, now)
    data: dict[str, Any] = told.model_dump(mode="json")
    screen.result(data | {"well": told.well}, lambda out: _show_health(out, told))


def _said(state: Seen) -> str:
    return state.value.replace("_", " ")


def _show_health(out: Console, told: Health) -> None:
    shown = Table("party", "counts", "state", "cosigned at", "minutes ago", "entries behind")
    for one in told.witnesses:
        shown.add_row(
            one.party, "yes" if one.partner else "no", _said(one.state), one.time,
            "" if one.minutes is None else str(one.minutes),
            "" if one.behind is None else str(one.behind),
        )  # fmt: skip
    out.print(shown)
    for each in told.quorums:
        out.print(
            f"{'!' if each.reason else '-'} {each.id} version {each.version}: "
            f"{each.meaning or 'a release would find its quorum'} ({each.needed} partners, none "
            f"longer ago than {each.max_age_minutes} minutes)"
        )
    for fork in told.forks:
        out.print(f"! {fork.time}: {fork.detail} ({fork.reason})")
