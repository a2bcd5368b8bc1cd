"""``linkage-hub runs``: for an analyst, over HTTP."""

import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from governance.agreements.errors import ActionNotAllowed
from governance.canonical import hash_of
from governance.exchange.hub_api import EXPORTS, Mode, QualityTable, RunView, Solver
from governance.exchange.hub_client import HubClient, HubRefused
from governance.identity.files import PersonSecrets, read_person_secrets
from governance.terminal import (
    Terminal,
    passphrase,
    terminal,
    whole_file,
    write_bytes,
    write_document,
)
from governance.transparency.code import installed
from linkage_hub.analytics.provenance import PROVENANCE, Provenance, file_hash
from linkage_hub.errors import HubError
from linkage_hub.quality.render import EXPLAINED, HEADINGS, as_csv, as_page, cells

POLL_SECONDS: Final = 0.5

NOT_TOLD: Final = "not told"
app = typer.Typer(no_args_is_help=True, help="Link runs, as an analyst.")

Url = Annotated[str, typer.Option("--hub", help="the hub's address")]
As = Annotated[Path, typer.Option("--as", help="your person.secret")]
Passphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="opens your keys")]


class NotMeasured(HubError):
    """A run whose agreement has no synthetic records."""

    reason = "run.not_measured"


class RunFailed(HubError):
    """The run that was waited for failed."""

    reason = "run.failed"


def client_of(hub: str, as_: Path, passphrase_file: Path | None) -> HubClient:
    """A client of the hub with a person's keys."""
    who: PersonSecrets = read_person_secrets(as_, passphrase(passphrase_file))
    return HubClient(hub, who.keys.thumbprint, who.signing_key)


@app.command()
def start(
    context: typer.Context,
    hub: Url,
    as_: As,
    agreement: Annotated[str, typer.Option(help="hash of the agreement, sha256:...")],
    wait: Annotated[bool, typer.Option(help="stay until it has finished")] = False,
    mode: Annotated[
        Mode | None,
        typer.Option(help="exact compares every pair, fast may miss a few in a thousand"),
    ] = None,
    questions: Annotated[
        bool, typer.Option(help="ask partners about pairs, where the agreement allows it")
    ] = True,
    solver: Annotated[
        Solver,
        typer.Option(help="what makes persons of pairs: average linkage, or anonlink's solver"),
    ] = "average",
    passphrase_file: Passphrase = None,
) -> None:
    """Start a link run over the newest accepted submission of every source."""
    screen = terminal(context)
    with client_of(hub, as_, passphrase_file) as client:
        view = client.start_run(agreement, mode, questions=questions, solver=solver)
        if wait:
            view = _wait(screen, client, view)
    screen.result(view.model_dump(mode="json"), lambda out: _show([view], out))
    if view.state == "failed":
        raise RunFailed(f"the run failed ({view.reason})", next_step="tell the hub's operator")
    screen.hint(f"linkage-hub runs export {view.id} --out FOLDER")


def _wait(screen: Terminal, client: HubClient, view: RunView) -> RunView:
    with screen.progress() as bar:
        task = bar.add_task("linking", total=1.0)
        while view.state in {"queued", "running", "waiting"}:
            time.sleep(POLL_SECONDS)
            view = client.run(view.id)
            bar.update(task, completed=view.progress, description=_doing(view))
    return view


def _doing(view: RunView) -> str:
    if view.waiting_for:
        return f"waiting for {', '.join(view.waiting_for)}"
    left = "" if view.seconds_left is None else f", about {view.seconds_left} s left"
    return f"{view.step or 'linking'}{left}"


@app.command("list")
def list_(context: typer.Context, hub: Url, as_: As, passphrase_file: Passphrase = None) -> None:
    """Every run, newest first."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.runs()
    terminal(context).result(
        found.model_dump(mode="json"), lambda out: _show(list(found.runs), out)
    )


@app.command()
def show(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="id of the run")],
    hub: Url,
    as_: As,
    passphrase_file: Passphrase = None,
) -> None:
    """A run: how far it is, or what it found."""
    with client_of(hub, as_, passphrase_file) as client:
        view = client.run(run)
    terminal(context).result(view.model_dump(mode="json"), lambda out: _show([view], out))


@app.command()
def quality(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="id of the run")],
    hub: Url,
    as_: As,
    out: Annotated[Path | None, typer.Option(help="a .html or .csv file for it")] = None,
    passphrase_file: Passphrase = None,
) -> None:
    """How good a run's links are, by group: for an analyst or an IG lead."""
    with client_of(hub, as_, passphrase_file) as client:
        found = client.quality(run)
    if not found.rows:
        raise NotMeasured(
            "the run's agreement has no synthetic records to measure by",
            next_step="see quality in the agreement",
        )
    if out is not None:
        page = as_csv(found) if out.suffix == ".csv" else as_page(found, run)
        write_bytes(out, page)
    terminal(context).result(
        found.model_dump(mode="json"), lambda console: _show_quality(found, console)
    )


def _show_quality(found: QualityTable, out: Console) -> None:
    table = Table(*HEADINGS)
    for row in found.rows:
        table.add_row(*cells(row))
    out.print(table)
    out.print(EXPLAINED)


@app.command()
def export(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="id of the run")],
    hub: Url,
    as_: As,
    out: Annotated[Path, typer.Option(help="folder for the files")],
    file: Annotated[
        list[str] | None, typer.Option(help="one of them, by name; may be repeated; all without it")
    ] = None,
    passphrase_file: Passphrase = None,
) -> None:
    """Write a run's results as files: pseudonyms, counts and codes."""
    names = file or list(EXPORTS)
    if unknown := set(names) - set(EXPORTS):
        raise typer.BadParameter(
            f"{len(unknown)} of no run; one of {', '.join(EXPORTS)}", param_hint="--file"
        )
    with client_of(hub, as_, passphrase_file) as client:
        agreement = client.run(run).agreement
        left_out = [name for name in names if not _written(client, run, out / name, bool(file))]
    provenance = Provenance(
        run=run,
        agreement=agreement,
        program=installed(),
        files={name: file_hash(out / name) for name in names if name not in left_out},
    )
    write_document(out / PROVENANCE, provenance)
    paths = [str(out / name) for name in (*provenance.files, PROVENANCE)]
    screen = terminal(context)
    screen.result(
        {"files": paths, "hash": hash_of(provenance)},
        lambda console: console.print("\n".join(paths)),
    )
    if left_out:
        screen.say(f"not written, since the agreement does not allow it: {', '.join(left_out)}")


def _written(client: HubClient, run: str, path: Path, wanted: bool) -> bool:
    """Write one file of a run; False for one that the agreement keeps back and nobody named."""
    try:
        with whole_file(path) as target:
            client.export(run, path.name, target)
    except HubRefused as refused:
        if wanted or refused.hub_reason != ActionNotAllowed.reason:
            raise
        return False
    return True


def _show(found: list[RunView], out: Console) -> None:
    table = Table(
        "run", "state", "records", "persons", "families", "flagged", "precision", "recall"
    )
    for view in found:
        table.add_row(
            view.id,
            view.state if view.state != "running" else f"{view.progress:.0%} {view.step}",
            *(str(count) for count in (view.records, view.persons, view.families)),
            NOT_TOLD if view.flagged is None else str(view.flagged),
            "" if view.estimated_precision is None else f"{view.estimated_precision:.3f}",
            "" if view.estimated_recall is None else f"{view.estimated_recall:.3f}",
        )
    out.print(table)
    out.print("precision and recall are estimates made without truth")
