"""``governance evidence`` and ``governance verify``: what an auditor is handed, and checks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import write_time
from governance.cli.copies import counted, opened
from governance.cli.ledger import LedgerDistrustedError
from governance.evidence.folder import PAGE_FILE, write_pack
from governance.evidence.keys import AuditKeys, read_keys
from governance.evidence.models import Approach, Evidence
from governance.evidence.pack import build_approach, compare_whole, verify_pack
from governance.evidence.period_models import PeriodEvidence
from governance.evidence.period_pack import LEAVES_FILE, build_period, verify_period
from governance.evidence.stream import Days
from governance.evidence.whole import verify_whole
from governance.evidence.words import words
from governance.ledger.export import LedgerExport, write_export
from governance.release.models import Members
from governance.terminal import FileProblem, read_document, terminal, whole_file

app = typer.Typer(no_args_is_help=True, help="Packs of evidence for an auditor.")

Keys = Annotated[
    list[Path],
    typer.Option("--keys", help="ledger.vkey and each party's .keys.json, or their folder"),
]
Export = Annotated[Path | None, typer.Option("--export", help="from governance ledger export")]
MirrorFile = Annotated[Path | None, typer.Option("--mirror", help="an agent's mirror.db")]
Witnesses = Annotated[
    int | None, typer.Option("--witnesses", min=1, help="cosignatures wanted, if not the quorum")
]
Out = Annotated[Path, typer.Option("--out", help="a new folder")]


@contextmanager
def _ledger(keys: AuditKeys, export: Path | None, mirror: Path | None) -> Iterator[LedgerExport]:
    """The whole ledger from an export, or from a party's own copy."""
    if (export is None) == (mirror is None):
        raise FileProblem("expected either --export FILE or --mirror FILE")
    if export is not None:
        yield LedgerExport(export, keys.log)
        return
    if mirror is None or not mirror.is_file():
        raise FileProblem("--mirror names no file", next_step="name an agent's mirror.db")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.jsonl"
        with opened(mirror, keys.log) as copy, whole_file(path) as file:
            note, checkpoint = copy.cosigned()
            write_export(file, note, checkpoint, copy.entries(0, checkpoint.size), packed=False)
        yield LedgerExport(path, keys.log)


@app.command()
def approach(
    context: typer.Context,
    request_hash: Annotated[str, typer.Argument(metavar="REQUEST", help="sha256:...")],
    keys: Keys,
    out: Out,
    export: Export = None,
    mirror: MirrorFile = None,
    members: Annotated[
        Path | None, typer.Option(help="the family, from governance release members")
    ] = None,
    witnesses: Witnesses = None,
) -> None:
    """Everything about one approach, each line with its proof: a folder to hand over."""
    audit = read_keys(keys)
    family = None if members is None else read_document(members, Members)
    with _ledger(audit, export, mirror) as ledger:
        files = build_approach(ledger, audit, request_hash, family, witnesses)
    write_pack(out, files)
    evidence = verify_pack(out, audit, witnesses)
    screen = terminal(context)
    screen.result(
        {"folder": str(out), "entries": len(evidence.entries), "page": str(out / PAGE_FILE)},
        lambda console: _show(console, evidence),
    )
    if family is None:
        screen.say("without --members the pack says nothing of permissions")
    screen.hint(f"open {out / PAGE_FILE}; governance evidence verify {out} --keys FOLDER")


@app.command()
def period(
    context: typer.Context,
    first: Annotated[str, typer.Option("--from", help="first day, for example 2026-04-01")],
    last: Annotated[str, typer.Option("--to", help="last day, for example 2026-06-30")],
    keys: Keys,
    out: Out,
    export: Export = None,
    mirror: MirrorFile = None,
    witnesses: Witnesses = None,
) -> None:
    """All refusals, releases, agreements, submissions, runs and deletions of some days."""
    audit, days = read_keys(keys), Days.of(first, last)
    with _ledger(audit, export, mirror) as ledger:
        evidence = build_period(ledger, audit, days, out, witnesses)
    screen = terminal(context)
    screen.result(
        {"folder": str(out), "size": evidence.size, "page": str(out / PAGE_FILE)},
        lambda console: _show_period(console, evidence),
    )
    screen.hint(f"open {out / PAGE_FILE}; governance evidence verify {out} --keys FOLDER")


@app.command()
def verify(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="a pack")],
    keys: Keys,
    export: Export = None,
    witnesses: Witnesses = None,
) -> None:
    """Check every line of a pack again, offline; with the whole ledger, that none is left out."""
    audit = read_keys(keys)
    if (folder / LEAVES_FILE).exists():
        _verify_period(context, folder, audit, witnesses)
        return
    evidence = verify_pack(folder, audit, witnesses)
    if export is not None:
        compare_whole(folder, LedgerExport(export, audit.log))
    screen = terminal(context)
    screen.result(
        {
            "verified": True,
            "entries": len(evidence.entries),
            "size": evidence.size,
            "witnessed": evidence.witnessed,
            "compared_with_whole_ledger": export is not None,
        },
        lambda console: _show(console, evidence),
    )
    if export is None:
        screen.say(
            "every line is proved; that nothing was left out is shown by --export, the whole ledger"
        )


def _verify_period(
    context: typer.Context, folder: Path, audit: AuditKeys, witnesses: int | None
) -> None:
    """A pack about a period is complete in itself: it holds every leaf."""
    evidence = verify_period(folder, audit, witnesses)
    terminal(context).result(
        {
            "verified": True,
            "size": evidence.size,
            "witnessed": {each.party: each.time for each in evidence.witnesses},
            "compared_with_whole_ledger": True,
        },
        lambda console: _show_period(console, evidence),
    )


def _show_period(out: Console, evidence: PeriodEvidence) -> None:
    told = evidence.period
    out.print(
        f"{told.first_day} to {told.last_day}: {told.entries_in_period} of the ledger's "
        f"{evidence.size} entries; "
        f"approaches: {len(told.approaches)}, refusals: {len(told.refusals)}"
    )
    for reason, count in told.reasons.items():
        out.print(f"- {count} refused: {words(reason)}")
    for each in evidence.witnesses:
        out.print(f"{each.party}: {each.time or 'has not signed this ledger'}")


def _show(out: Console, evidence: Evidence) -> None:
    out.print(
        f"{len(evidence.entries)} entries are in the ledger of {evidence.size}, "
        f"cosigned by {', '.join(evidence.witnessed)}"
    )
    told: Approach = evidence.approach
    decision = told.decision.decision if told.decision else "not decided"
    out.print(f"request {told.asked.hash}\n{decision}")
    for answer in told.answers:
        out.print(
            f"- {answer.party}: released {answer.records} records"
            if answer.answer == "sealed"
            else f"- {answer.party}: refused, {words(answer.reason)}"
        )
    for moment in told.moments:
        for check in moment.checks:
            if check.erased:
                out.print(
                    f"? {moment.party}: {check.rule}: not known, a permission was erased on "
                    f"{check.erased.time}, by entry {check.erased.entry}"
                )
            elif check.reason:
                out.print(f"! {moment.party}: {check.rule}: no, {words(check.reason)}")


def verify_export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="from governance ledger export")],
    keys: Keys,
    witnesses: Witnesses = None,
) -> None:
    """Verify the whole ledger from a file, offline: nothing is needed but it and public keys.

    Every event is replayed, which takes minutes at a million entries.
    """
    audit, screen = read_keys(keys), terminal(context)
    export = LedgerExport(file, audit.log)
    size = export.checkpoint.size
    found = verify_whole(export, audit, witnesses, lambda events: counted(screen, events, size))
    data = {
        "origin": audit.log.name,
        "size": found.checkpoint.size,
        "root": found.checkpoint.root.hex(),
        "witnessed": {party: write_time(time) for party, time in found.witnessed.items()},
        "events": found.events,
        "erased": found.erased,
        "inadmissible": [
            {"index": index, "reason": reason} for index, reason in found.inadmissible
        ],
    }

    def table(out: Console) -> None:
        out.print(
            f"{found.checkpoint.size} entries lead to the signed root {found.checkpoint.root.hex()}"
        )
        for party, time in found.witnessed.items():
            out.print(f"cosigned by {party} at {write_time(time)}")
        shown = Table("event", "how often")
        for kind, count in found.events.items():
            shown.add_row(kind, str(count))
        out.print(shown)

    screen.result(data, table)
    if found.inadmissible:
        raise LedgerDistrustedError(
            f"{len(found.inadmissible)} events in the ledger may not count",
            next_step="tell the ledger's operator and every partner",
        )
