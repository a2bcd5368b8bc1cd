"""A county that was kept, brought up again: ledger, hub, agents, and the council's console.

``make serve`` runs this over the folder of ``make demo KEEP=folder``. Ports are always the same, so
passkeys, which belong to an address, go on working.
"""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from examples.county.demo.processes import Server, run
from examples.county.demo.site import Addresses, Site, agents
from examples.county.demo.story import Story

COUNCIL = "council"
STAFF = {"ig_lead": "Alex Lead", "service_manager": "Sam Manager", "analyst": "Kim Analyst"}


@dataclass(frozen=True)
class Ports:
    """Where the services listen, on loopback."""

    ledger: int = 8100
    hub: int = 8200
    console: int = 8400


def console_home(site: Site) -> Path:
    """The council's console."""
    return site.root / "console"


@contextlib.contextmanager
def reopened(site: Site, ports: Ports) -> Iterator[Addresses]:
    """Ledger, hub, every partner's agent and the council's console, over what was kept.

    Raises:
        CommandFailed: one of them does not start.
    """
    ledger = Server(
        "governance",
        ["ledger", "serve", "--home", site.ledger, "--port", ports.ledger],
        log=site.logs / "ledger.log",
        healthy=f"http://127.0.0.1:{ports.ledger}/healthz",
    )
    hub = Server(
        "linkage-hub",
        ["--home", site.hub, "serve", "--port", ports.hub],
        log=site.logs / "hub.log",
        healthy=f"http://127.0.0.1:{ports.hub}/healthz",
    )
    at = Addresses(f"http://127.0.0.1:{ports.ledger}", f"http://127.0.0.1:{ports.hub}", hub)
    console = Server(
        "governance",
        ["console", "serve", "--home", console_home(site), "--port", ports.console],
        log=site.logs / "console.log",
        healthy=f"http://localhost:{ports.console}/healthz",
    )
    with contextlib.ExitStack() as stack:
        stack.enter_context(ledger)
        run("linkage-hub", "--home", site.hub, "--json", "init", "--ledger", at.ledger,
            "--ledger-key", site.vkey)  # fmt: skip
        stack.enter_context(hub)
        Story(site, at).connect()
        stack.enter_context(agents(site))
        if not console_home(site).exists():
            run("governance", "console", "init", "--json", "--home", console_home(site),
                "--party", COUNCIL, "--origin", f"http://localhost:{ports.console}",
                "--ledger", at.ledger, "--ledger-key", site.vkey, "--hub", at.hub)  # fmt: skip
        stack.enter_context(console)
        yield at


def invite(site: Site, role: str) -> str:
    """A link that opens a new account of the console, once."""
    found = run("governance", "console", "invite", "--json", "--home", console_home(site),
                "--role", role, "--name", STAFF[role])  # fmt: skip
    link: str = found["link"]
    return link


def confirm(site: Site, keys: Path) -> None:
    """The demo's lead, who has a key file, confirms a colleague's keys; the council logs them.

    Args:
        site: where everything is.
        keys: ``person.keys.json``, as its owner's console gave it.
    """
    enrolment = keys.with_name("person.enrolment.json")
    run("governance", "person", "countersign", "--json", keys,
        "--as", site.staff("ig_lead") / "person.secret", "--out", enrolment)  # fmt: skip
    run("partner-agent", "--home", site.agent(COUNCIL), "--json", "person", "enrol", enrolment)


app = typer.Typer(add_completion=False)


@app.command()
def serve(
    folder: Annotated[Path, typer.Argument(help="a county that the demo kept", exists=True)],
) -> None:
    """Bring a kept county up again, until Ctrl+C."""
    out = Console(highlight=False, soft_wrap=True)
    site, ports = Site(folder), Ports()
    first = not console_home(site).exists()
    with reopened(site, ports):
        out.print(f"The council's console: http://localhost:{ports.console}")
        for role in STAFF if first else ():
            out.print(f"  {STAFF[role]}, {role.replace('_', ' ')}: {invite(site, role)}")
        if first:
            out.print("Each link works once, in a browser that has or makes passkeys. Then:")
            out.print("  make your signing keys there, download their public half, and confirm it:")
            out.print(f"  {_words(folder, 'person.keys.json')}")
        else:
            out.print("Sign in with the passkeys that you made. A new link:")
            home = console_home(site)
            out.print(f"  governance console invite --home {home} --role ROLE --name NAME")
        out.print("Ctrl+C ends all of it; the same command brings it up again.")
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


@app.command(name="confirm")
def confirm_keys(
    folder: Annotated[Path, typer.Argument(help="the county", exists=True)],
    keys: Annotated[Path, typer.Argument(help="person.keys.json", exists=True)],
) -> None:
    """Confirm keys that a member of the council's staff made in the browser."""
    confirm(Site(folder), keys)


def _words(folder: Path, file: str) -> str:
    return f".venv/bin/python -m examples.county.demo.again confirm {folder} {file}"


if __name__ == "__main__":
    app()
