"""``governance oversight``: what an information-governance lead reads from a copy of the ledger."""

from datetime import date
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import utc_now
from governance.cli.copies import Copy, KeyFile, Passphrase, Reader, Url
from governance.cli.overseen import Party, overseen
from governance.cli.oversight_public import public, risks
from governance.cli.oversight_work import due, request, requests, retention, rights, witnesses
from governance.consent.models import ConsentKind, ConsentState
from governance.identity.envelope import parse_model
from governance.oversight.consents import ConsentMonth, ConsentStates, states, trend
from governance.oversight.refusals import refusals as count_refusals
from governance.oversight.search import PAGE, Proven, Query
from governance.oversight.search import search as search_ledger
from governance.terminal import terminal

app = typer.Typer(no_args_is_help=True, help="What an information-governance lead looks after.")
for _command in (due, requests, request, rights, retention, witnesses, risks, public):
    app.command(_command.__name__)(_command)


@app.command()
def search(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    event: Annotated[str | None, typer.Option("--id", help="an event's id")] = None,
    leaf: Annotated[str | None, typer.Option(help="a leaf's hash, as proofs have it")] = None,
    request: Annotated[str | None, typer.Option(help="sha256:..., all about a request")] = None,
    family: Annotated[str | None, typer.Option(help="f-..., all requests about it")] = None,
    party: Annotated[str | None, typer.Option(help="who wrote the entry")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="for example consent.recorded")] = None,
    since: Annotated[str | None, typer.Option("--from", help="first day")] = None,
    until: Annotated[str | None, typer.Option("--to", help="last day")] = None,
    start: Annotated[int, typer.Option(min=0, help="pass over so many of the newest")] = 0,
    most: Annotated[int, typer.Option(min=1, max=1_000, help="entries shown")] = PAGE,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Find entries, each with its proof, which is verified before the entry is shown."""
    screen = terminal(context)
    asked = {
        "id": event, "leaf": leaf, "request": request, "family": family, "party": party,
        "kind": kind, "since": since, "until": until,
    }  # fmt: skip
    query = parse_model(asked, Query)
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        note, _ = found.mirror.cosigned()
        page = search_ledger(found.state, found.mirror, note, query, start, most)
    data = {
        "total": page.total,
        "entries": [entry.model_dump(mode="json") for entry in page.entries],
    }
    screen.result(data, lambda out: _show_entries(out, page.entries, page.total))


def _show_entries(out: Console, entries: tuple[Proven, ...], total: int) -> None:
    shown = Table("entry", "time", "type", "party", "id", "leaf hash")
    for entry in entries:
        kind = entry.kind.value + (" (does not count)" if not entry.counts else "")
        shown.add_row(
            str(entry.index), entry.time, kind, entry.party, entry.id, entry.leaf_hash[:12] + "..."
        )
    out.print(shown)
    size = f", each proved to be in the signed tree of {entries[0].size}" if entries else ""
    out.print(f"{len(entries)} of {total} entries{size}; --json has the proofs")


@app.command()
def consents(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    party: Party = None,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Consent records by state and party, and how they went month by month."""
    screen, today = terminal(context), utc_now().date()
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        figures = found.state.chronicle.consents
        now = [each for each in states(figures, today) if party in (None, each.party)]
        by_month = trend(figures, today, party)
    data = {
        "on": today.isoformat(),
        "states": [each.model_dump(mode="json") for each in now],
        "months": [each.model_dump(mode="json") for each in by_month],
    }
    screen.result(data, lambda out: _show_consents(out, now, by_month, today))


def _show_consents(
    out: Console, now: list[ConsentStates], by_month: list[ConsentMonth], today: date
) -> None:
    kept = [state for state in ConsentState if any(each.states[state] for each in now)]
    shown = Table("party", "kind", *(state.value for state in kept), "erased")
    for each in now:
        counts = (str(each.states[state]) for state in kept)
        shown.add_row(each.party, each.kind.value, *counts, str(each.erased))
    out.print(shown if now else "no consent is in the ledger")
    out.print(f"records at the end of {today.isoformat()}; one person may have several")
    months = Table("month", "given", "refused", "withdrawn", "permitting at its end")
    for month in by_month:
        months.add_row(
            month.month,
            str(month.recorded.get(ConsentState.GIVEN, 0)),
            str(month.recorded.get(ConsentState.REFUSED, 0)),
            str(month.changed.get(ConsentState.WITHDRAWN, 0)),
            str(month.permitting),
        )
    out.print(months)
    out.print(f"months: consents to {ConsentKind.APPROACH.value.replace('_', ' ')} only")


@app.command()
def refusals(
    context: typer.Context,
    url: Url,
    key_file: KeyFile,
    as_: Reader,
    party: Party = None,
    passphrase_file: Passphrase = None,
    copy: Copy = None,
) -> None:
    """Refusals with their reasons, by month and party."""
    screen = terminal(context)
    with overseen(screen, url, key_file, as_, passphrase_file, copy) as found:
        counts = count_refusals(found.state, party)

    def table(out: Console) -> None:
        shown = Table("month", "party", "what", "reason", "how often")
        for each in counts:
            shown.add_row(each.month, each.party, each.what, each.meaning, str(each.count))
        out.print(shown if counts else "nothing was refused")

    data: dict[str, Any] = {"refusals": [each.model_dump(mode="json") for each in counts]}
    screen.result(data, table)
