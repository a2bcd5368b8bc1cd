"""``linkage-hub reports``: reports that the hub shows staff, over HTTP.

Rules: what is shared are figures, which the hub checks and writes the report from; the page, the
workbook and the other files of a report stay where they are.
"""

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.canonical import parse_json
from governance.errors import FormatError
from governance.exchange.report_api import SHARED_MOST, ReportSummary, Shared
from governance.terminal import read_bytes, terminal
from linkage_hub.cli.runs import As, Passphrase, Url, client_of
from linkage_hub.errors import HubError

app = typer.Typer(no_args_is_help=True, help="Reports that the hub shows staff of an agreement.")
FORMATS: Final[dict[str, Shared]] = {
    "engagement-report/v1": "engagement",
    "intervention-report/v1": "interventions",
    "later-referral/v1": "later-referral",
}
"""Kinds of report by the format of their figures."""
Agreement = Annotated[str, typer.Option(help="hash of the agreement, sha256:...")]


class NotFigures(HubError):
    """A file that is none of those that can be shared."""

    reason = "report.not_figures"
    exit_code = 65  # EX_DATAERR


@app.command()
def share(
    context: typer.Context,
    figures: Annotated[
        Path,
        typer.Argument(help="engagement.json, interventions.json or later-referral.figures.json"),
    ],
    hub: Url,
    as_: As,
    passphrase_file: Passphrase = None,
) -> None:
    """Share a report's figures; staff of every party see it, and that you shared it."""
    kind, agreement, document = _read(figures)
    with client_of(hub, as_, passphrase_file) as client:
        found = client.share_report(agreement, kind, document)
    screen = terminal(context)
    screen.result(found.model_dump(mode="json"), lambda out: _show([found], out))
    screen.say("staff see it as shared by you, and not made by the hub")


@app.command("list")
def list_(
    context: typer.Context,
    hub: Url,
    as_: As,
    agreement: Agreement,
    passphrase_file: Passphrase = None,
) -> None:
    """The newest reports of an agreement."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.reports(agreement)
    terminal(context).result(found.model_dump(mode="json"), lambda out: _show(found.reports, out))


@app.command()
def withdraw(
    context: typer.Context,
    report: Annotated[str, typer.Argument(help="its hash, sha256:...")],
    hub: Url,
    as_: As,
    passphrase_file: Passphrase = None,
) -> None:
    """Destroy a report at the hub; copies that people have downloaded are not."""
    with client_of(hub, as_, passphrase_file) as client:
        client.withdraw_report(report)
    terminal(context).result({"withdrawn": report}, lambda out: out.print("withdrawn"))


def _read(path: Path) -> tuple[Shared, str, dict[str, Any]]:
    """A file's figures: their kind, the agreement that they name, all of it.

    Raises:
        NotFigures: it is something else, or too large.
        FileProblem: it cannot be read.
    """
    data = read_bytes(path)
    try:
        parsed = parse_json(data) if len(data) < SHARED_MOST else None
    except FormatError:
        parsed = None
    document: dict[str, Any] = parsed if isinstance(parsed, dict) else {}
    kind = FORMATS.get(str(document.get("format")))
    agreement = document.get("agreement")
    if kind is None or not isinstance(agreement, str):
        raise NotFigures(
            f"{path.name}: expected figures of {', '.join(FORMATS)}",
            next_step="linkage-hub engagement report, interventions report or needs follow-up",
        )
    return kind, agreement, document


def _show(found: Any, out: Console) -> None:
    table = Table("report", "kind", "runs", "made", "by")
    for each in found:
        summary: ReportSummary = each
        days = [run.finished[:10] for run in summary.runs]
        by = f"shared by {summary.party}" if summary.shared else "the hub"
        table.add_row(summary.id, summary.kind, f"{days[0]} to {days[-1]}", summary.made, by)
    out.print(table)
