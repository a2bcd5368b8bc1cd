"""The program: one socket on 127.0.0.1, a link for its owner, and an end.

Rules: it listens on 127.0.0.1 and on nothing else; one console a home; the link is shown on the
terminal that the program was started from, and given to a browser in a file that its owner alone
can read, since every user of a computer can read the arguments of its programs; whoever has the
terminal gets another link by pressing Enter; no log has an address, a form or a name.
"""

import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Final

import uvicorn

from governance.canonical import utc_now
from governance.durable import write_durably
from partner_agent.consent_import.desk import ImportUnderWay, alone
from partner_agent.console.app import create_app
from partner_agent.console.door import LINK_MINUTES, Door
from partner_agent.console.state import Console
from partner_agent.errors import AgentError
from partner_agent.leftovers import sweep

HOST: Final = "127.0.0.1"
LOCK: Final = "console.lock"
OPENER: Final = "open-console.html"
SWEEP_SECONDS: Final = 600.0
_WORD_BYTES: Final = 16


class ConsoleRunning(AgentError):
    """Another console of this home runs, or something else has its port."""

    reason = "console.running"
    exit_code = 75  # EX_TEMPFAIL


class Running:
    """A console that listens."""

    def __init__(self, console: Console, port: int, word: str) -> None:
        self.console = console
        self.port = port
        self.word = word

    def new_link(self) -> str:
        """A link that is good once; the one before is void."""
        key = self.console.door.new_link()
        return f"http://{HOST}:{self.port}/{self.word}/open?key={key}"


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Keep a second console of the same home out.

    Raises:
        ConsoleRunning: there is one.
    """
    try:
        with alone(home / LOCK, 0):
            yield
    except ImportUnderWay:
        raise ConsoleRunning(
            "a console of this folder runs already",
            next_step="press Enter in its window: it shows a new link",
        ) from None


def listen(port: int) -> socket.socket:
    """A socket on 127.0.0.1.

    Args:
        port: 0 for any that is free.

    Raises:
        ConsoleRunning: something else has the port.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if sys.platform != "win32":  # there it would let another program take the port as well
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen()  # before the link is shown: who opens it at once waits, and is not refused
    except OSError as error:
        found.close()
        raise ConsoleRunning(
            f"port {port} of {HOST} cannot be used: {error.strerror}",
            next_step="choose another in HEARTHLINK_AGENT_CONSOLE_PORT, or 0 for any",
        ) from None
    return found


def serve(home: Path, port: int | None, begun: Callable[[Running], None]) -> None:
    """Serve a home's console until the process is told to end.

    Args:
        home: the agent's folder.
        port: instead of that of the settings.
        begun: called once it is about to listen.

    Raises:
        ConsoleRunning: there is one already, or the port is taken.
        NotSetUpError: the folder is not an agent's home.
    """
    console = Console(home, Door())
    with only_one(home):
        sweep(home, utc_now(), begun=True)
        opened = listen(console.settings.console_port if port is None else port)
        running = Running(console, opened.getsockname()[1], secrets.token_hex(_WORD_BYTES))
        app = create_app(console, running.word, running.port)
        config = uvicorn.Config(
            app, lifespan="off", log_config=None, access_log=False, server_header=False,
            proxy_headers=False, ws="none", timeout_graceful_shutdown=5,
        )  # fmt: skip
        stopping = threading.Event()
        sweeper = threading.Thread(target=_sweep, args=(console, stopping), daemon=True)
        try:
            sweeper.start()
            begun(running)
            uvicorn.Server(config).run(sockets=[opened])
        finally:
            stopping.set()
            opened.close()
            (home / OPENER).unlink(missing_ok=True)
            console.close()


def _sweep(console: Console, stopping: threading.Event) -> None:
    while not stopping.wait(SWEEP_SECONDS):
        sweep(console.home, utc_now())


def open_browser(home: Path, link: str) -> bool:
    """Give the link to the user's browser; whether there seems to be one."""
    page = home / OPENER
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>hearthlink</title>'
        f'<meta http-equiv="refresh" content="0; url={escape(link)}">'
        f'<p><a href="{escape(link)}">Open the console</a></p></html>'
    )
    write_durably(page, body.encode())
    forget = threading.Timer(LINK_MINUTES * 60, page.unlink, kwargs={"missing_ok": True})
    forget.daemon = True
    forget.start()
    return webbrowser.open(page.resolve().as_uri())


def ask_for_links(running: Running, say: Callable[[str], None]) -> None:
    """Show another link whenever somebody presses Enter at the terminal, in the background."""

    def wait() -> None:
        for _line in sys.stdin:
            say(running.new_link())

    threading.Thread(target=wait, daemon=True).start()
