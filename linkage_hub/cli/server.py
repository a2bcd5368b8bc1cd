"""``init``, ``serve`` and ``worker``: for the hub's operator."""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Annotated

import typer

from governance.terminal import terminal
from governance.web.logs import log_to_stderr
from linkage_hub.app import init_hub, open_hub
from linkage_hub.app import serve as serve_hub
from linkage_hub.cli.context import home_of


def init(
    context: typer.Context,
    ledger: Annotated[str, typer.Option(help="the ledger's address")],
    ledger_key: Annotated[Path, typer.Option(help="ledger.vkey, as it was handed to you")],
) -> None:
    """Pin the ledger's key and make the database; the home holds the hub's party.secret."""
    home = home_of(context)
    size = init_hub(home, ledger, ledger_key)
    screen = terminal(context)
    screen.result({"entries": size}, lambda out: out.print(f"{size} ledger entries mirrored"))
    screen.hint(f"linkage-hub --home {home} serve")


def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(help="address to listen at")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen at")] = None,
    worker: Annotated[bool, typer.Option(help="run a worker beside the service")] = True,
) -> None:
    """Run the service."""
    serve_hub(home_of(context), host, port, worker=worker)


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
    with open_hub(home_of(context)) as hub:
        os.nice(hub.settings.worker_nice)  # runs take both cores for long; pages a moment, now
        hub.worker().run(stopping)


def _end_with(parent: int) -> None:
    """End at once when the parent is gone; the job's lease runs out and it is taken up again."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
