"""``linkage-hub``: for the hub's operator and for analysts."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Annotated, Final

import platformdirs
import typer
from rich.console import Console
from rich.table import Table

from governance.exchange.hub_api import RunView
from governance.exchange.hub_client import HubClient
from governance.identity.files import PersonSecrets, read_person_secrets
from governance.terminal import Terminal, passphrase, run_cli, terminal, write_bytes
from governance.web.logs import log_to_stderr
from linkage_hub.analytics.exports import NAMES
from linkage_hub.app import init_hub, open_hub
from linkage_hub.app import serve as serve_hub
from linkage_hub.errors import HubError

POLL_SECONDS: Final = 0.5
_DEFAULT_HOME: Final = Path(platformdirs.user_data_dir("hearthlink-hub"))

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Receive submissions, link them, and relay releases. Never learns a name.",
)
runs = typer.Typer(no_args_is_help=True, help="Link runs, as an analyst.")
app.add_typer(runs, name="runs")

Home = Annotated[Path, typer.Option(envvar="HEARTHLINK_HUB_HOME", help="the hub's folder")]
Url = Annotated[str, typer.Option("--hub", help="the hub's address")]
As = Annotated[Path, typer.Option("--as", help="your person.secret")]
Passphrase = Annotated[Path | None, typer.Option("--passphrase-file", help="opens your keys")]


class RunFailed(HubError):
    """The run that was waited for failed."""

    reason = "run.failed"


@app.callback()
def options(
    context: typer.Context,
    home: Home = _DEFAULT_HOME,
    json: Annotated[bool, typer.Option(help="results as JSON on stdout")] = False,
    quiet: Annotated[bool, typer.Option(help="no messages")] = False,
    no_input: Annotated[bool, typer.Option(help="never ask")] = False,
) -> None:
    """Options of every command."""
    context.obj = Terminal(json=json, quiet=quiet, no_input=no_input)
    context.meta["home"] = home


@app.command()
def init(
    context: typer.Context,
    ledger: Annotated[str, typer.Option(help="the ledger's address")],
    ledger_key: Annotated[Path, typer.Option(help="ledger.vkey, as it was handed to you")],
) -> None:
    """Pin the ledger's key and make the database; the home holds the hub's party.secret."""
    home: Path = context.meta["home"]
    size = init_hub(home, ledger, ledger_key)
    screen = terminal(context)
    screen.result({"entries": size}, lambda out: out.print(f"{size} ledger entries mirrored"))
    screen.hint(f"linkage-hub --home {home} serve")


@app.command()
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="address to listen at")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen at")] = None,
    worker: Annotated[bool, typer.Option(help="run a worker beside the service")] = True,
) -> None:
    """Run the service."""
    serve_hub(context.meta["home"], host, port, worker=worker)


@app.command()
def worker(
    context: typer.Context,
    parent: Annotated[int | None, typer.Option(hidden=True, help="end with this process")] = None,
) -> None:
    """Run a worker: it verifies submissions and does link runs."""
    log_to_stderr()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    with open_hub(context.meta["home"]) as hub:
        hub.worker().run(stopping)


def _end_with(parent: int) -> None:
    """End at once when the parent is gone; the job's lease runs out and it is taken up again."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _client(hub: str, as_: Path, passphrase_file: Path | None) -> HubClient:
    who: PersonSecrets = read_person_secrets(as_, passphrase(passphrase_file))
    return HubClient(hub, who.keys.thumbprint, who.signing_key)


@runs.command()
def start(
    context: typer.Context,
    hub: Url,
    as_: As,
    agreement: Annotated[str, typer.Option(help="hash of the agreement, sha256:...")],
    wait: Annotated[bool, typer.Option(help="stay until it has finished")] = False,
    passphrase_file: Passphrase = None,
) -> None:
    """Start a link run over the newest accepted submission of every source."""
    screen = terminal(context)
    with _client(hub, as_, passphrase_file) as client:
        view = client.start_run(agreement)
        if wait:
            view = _wait(screen, client, view)
    screen.result(view.model_dump(mode="json"), lambda out: _show([view], out))
    if view.state == "failed":
        raise RunFailed(f"the run failed ({view.reason})", next_step="tell the hub's operator")
    screen.hint(f"linkage-hub runs export {view.id} --out FOLDER")


def _wait(screen: Terminal, client: HubClient, view: RunView) -> RunView:
    with screen.progress() as bar:
        task = bar.add_task("linking", total=1.0)
        while view.state in {"queued", "running"}:
            time.sleep(POLL_SECONDS)
            view = client.run(view.id)
            bar.update(task, completed=view.progress, description=view.step or "linking")
    return view


@runs.command("list")
def list_(context: typer.Context, hub: Url, as_: As, passphrase_file: Passphrase = None) -> None:
    """Every run, newest first."""
    with _client(hub, as_, passphrase_file) as client:
        found = client.runs()
    terminal(context).result(
        found.model_dump(mode="json"), lambda out: _show(list(found.runs), out)
    )


@runs.command()
def show(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="id of the run")],
    hub: Url,
    as_: As,
    passphrase_file: Passphrase = None,
) -> None:
    """A run: how far it is, or what it found."""
    with _client(hub, as_, passphrase_file) as client:
        view = client.run(run)
    terminal(context).result(view.model_dump(mode="json"), lambda out: _show([view], out))


@runs.command()
def export(
    context: typer.Context,
    run: Annotated[str, typer.Argument(help="id of the run")],
    hub: Url,
    as_: As,
    out: Annotated[Path, typer.Option(help="folder for the files")],
    passphrase_file: Passphrase = None,
) -> None:
    """Write a run's results as files: pseudonyms, counts and codes."""
    with _client(hub, as_, passphrase_file) as client:
        for name in NAMES:
            write_bytes(out / name, client.export(run, name))
    terminal(context).result(
        {"files": [str(out / name) for name in NAMES]},
        lambda console: console.print("\n".join(str(out / name) for name in NAMES)),
    )


def _show(found: list[RunView], out: Console) -> None:
    table = Table(
        "run", "state", "records", "persons", "families", "flagged", "precision", "recall"
    )
    for view in found:
        table.add_row(
            view.id,
            view.state if view.state != "running" else f"{view.progress:.0%} {view.step}",
            *(str(count) for count in (view.records, view.persons, view.families, view.flagged)),
            "" if view.estimated_precision is None else f"{view.estimated_precision:.3f}",
            "" if view.estimated_recall is None else f"{view.estimated_recall:.3f}",
        )
    out.print(table)
    out.print("precision and recall are estimates made without truth")


def run() -> None:
    """Entry point."""
    run_cli(app)


if __name__ == "__main__":
    run()
