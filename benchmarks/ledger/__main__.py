"""The ledger at a million leaves, on SQLite and PostgreSQL, beside pymerkle.

Run: ``python -m benchmarks.ledger [--leaves 1000000] [--databases sqlite postgresql]``; with
``--folder`` the filled log stays there, and another run begins with it. Everything
is as in production: one durable transaction for each append (PostgreSQL with ``fsync``), the
service as a process of its own, real HTTP on loopback; agents' mirrors are SQLite, whatever the
log's own database is. Both databases hold the very same leaves: one is filled, the other copied.
"""

import argparse
import contextlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from benchmarks.ledger.county import ORIGIN, Founded, beginnings, found_county
from benchmarks.ledger.filling import copy, fill, leaves_of
from benchmarks.postgresql import database_on, libpq, postgresql
from examples.county.demo.processes import Server, free_port
from governance.identity.files import write_secret
from governance.identity.keys import SigningKey
from governance.ledger.app import init_ledger
from governance.ledger.database import Database, sqlite_url
from governance.ledger.events import Event
from governance.ledger.replayed import NAME
from governance.ledger.settings import LedgerSettings
from governance.ledger.store import LedgerStore

STEPS: Final = {
    "sqlite": ("mirror", "catch-up", "replay", "verify"),
    "postgresql": ("mirror", "catch-up"),  # the rest is the agent's alone, on SQLite always
}
PEER: Final = "pymerkle==7.0.0"
_PEER_HOME: Final = Path(tempfile.gettempdir()) / "hearthlink-pymerkle"
_MEGABYTE: Final = 1_000_000


@dataclass
class Bench:
    """One benchmark's folder, its log's keys, and what was measured."""

    folder: Path
    founded: Founded
    rows: list[dict[str, Any]]

    def home(self, database: str) -> Path:
        """The folder of one database's service and mirror, begun with the same key and genesis."""
        return self.folder / database

    def begin(self, database: str, url: str) -> Path:
        """Make a service's home over an empty database."""
        home = self.home(database)
        (home / "agent").mkdir(parents=True)
        write_secret(home / "ledger.key", self.founded.key)
        settings = LedgerSettings(
            origin=ORIGIN,
            database_url=url,
            key_file=home / "ledger.key",
            genesis_file=home / "genesis.json",
        )
        (home / "ledger.vkey").write_text(f"{init_ledger(settings, self.founded.genesis)}\n")
        (home / "origin").write_text(f"{ORIGIN}\n")
        (home / "county.pickle").write_bytes(pickle.dumps(self.founded.county))
        return home

    def step(self, database: str, name: str, target: str) -> list[dict[str, Any]]:
        """Run one measurement, print its lines, and keep them."""
        command = [
            sys.executable,
            "-m",
            "benchmarks.ledger.step",
            name,
            self.home(database),
            target,
        ]
        return self.run(database, list(map(str, command)))

    def run(self, database: str, command: list[str]) -> list[dict[str, Any]]:
        """Run a program that writes JSON lines."""
        found = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            for line in process.stdout or ():
                row = {"database": database, **json.loads(line)}
                self.rows.append(row)
                found.append(row)
                show(row)
        if process.returncode:
            raise SystemExit(f"{' '.join(command[:4])} failed")
        return found

    def tell(self, database: str, what: str, **more: Any) -> None:
        """Keep and print a line of this process's own."""
        row = {"database": database, "what": what, "count": 1, "seconds": 0.0, **more}
        self.rows.append(row)
        show(row)


def main() -> None:
    """Fill the logs, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--folder", type=Path, help="where the databases lie while it runs")
    options = parser.parse_args()
    rows: list[dict[str, Any]] = []
    with contextlib.ExitStack() as stack:
        kept = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        filled = kept / "filled.db"
        founded = filled_log(kept, filled, options.leaves)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=kept)))
        bench = Bench(folder, founded, rows)
        whole(bench, filled)
        for database in options.databases:
            url = stack.enter_context(database_of(database, folder))
            bench.begin(database, url)
            measure(bench, database, url, filled)
        peer(bench, filled)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def filled_log(kept: Path, filled: Path, leaves: int) -> Founded:
    """The log in a folder, brought to so many leaves; begun where there is none."""
    path = kept / "founded.pickle"
    if path.exists():
        founded: Founded = pickle.loads(path.read_bytes())  # noqa: S301 - made here
    else:
        kept.mkdir(parents=True, exist_ok=True)
        county = found_county(kept / "county")
        genesis, *others = beginnings(county)
        founded = Founded(county, genesis, SigningKey.generate().seed)
        append(sqlite_url(filled), [genesis, *others])
        path.write_bytes(pickle.dumps(founded))
    fill(filled, founded.county, leaves)
    return founded


def whole(bench: Bench, filled: Path) -> None:
    """One replay of the whole log: services and agents then start from what it gave."""
    url = sqlite_url(filled)
    bench.begin("filled", url)
    bench.step("filled", "whole", url)


def measure(bench: Bench, database: str, url: str, filled: Path) -> None:
    """Everything about one database."""
    copy(filled, url)
    for place in (".", "agent"):  # the same tree and the same keys: it may be used
        kept = bench.home("filled") / place / NAME
        shutil.copy(kept, bench.home(database) / place)
    bench.tell(database, "log: size of the database", megabytes=size_of(url))
    bench.step(database, "store", url)
    home, port = bench.home(database), free_port()
    address = f"http://127.0.0.1:{port}"
    os.environ["HEARTHLINK_LEDGER_DATABASE_URL"] = url
    words = ["ledger", "serve", "--home", home, "--port", port]
    (home / "started").touch()
    with Server("governance", words, log=bench.folder / "service.log") as service:
        for step in ("service", *STEPS[database]):
            bench.step(database, step, address)
        bench.tell(database, "service: peak memory", megabytes=service.peak_megabytes())
    mirror = sqlite_url(home / "agent" / "mirror.db")
    bench.tell(database, "mirror: size of the database", megabytes=size_of(mirror))


def peer(bench: Bench, filled: Path) -> None:
    """The same work by pymerkle, over the same leaves, in its own environment; its root is ours."""
    python = _PEER_HOME / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", _PEER_HOME], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", PEER], check=True)
    leaves = bench.folder / "leaves"
    with leaves.open("wb") as file:
        for leaf in leaves_of(filled):
            file.write(len(leaf).to_bytes(4, "big") + leaf)
    store = LedgerStore(Database(sqlite_url(filled), "log"), ORIGIN)
    head = store.head()
    store.close()
    script = Path(__file__).with_name("pymerkle_peer.py")
    command = [python, script, leaves, bench.folder / "pymerkle.db"]
    found = bench.run("pymerkle", list(map(str, command)))[-1]
    if (found["root"], found["size"]) != (head.root.hex(), head.size):
        raise SystemExit("pymerkle computes another root")


def append(url: str, events: list[Event]) -> None:
    """Append the beginnings."""
    store = LedgerStore(Database(url, "log"), ORIGIN)
    for event in events:
        store.append(event)
    store.close()


@contextlib.contextmanager
def database_of(name: str, folder: Path) -> Iterator[str]:
    """The URL of an empty database of one kind."""
    if name == "sqlite":
        yield sqlite_url(folder / "sqlite.db")
        return
    with postgresql(durable=True) as server, database_on(server) as url:
        yield url


def size_of(url: str) -> int:
    """Megabytes on disk."""
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).stat().st_size // _MEGABYTE
    with psycopg.connect(libpq(url)) as connection:
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(row[0]) // _MEGABYTE if row else 0


def show(row: dict[str, Any]) -> None:
    """One line of the table."""
    count, seconds = row.get("count", 0), row.get("seconds", 0.0)
    figure = f"{count:>9,} in {seconds:>9.3f} s {count / seconds:>10,.0f} /s" if seconds else ""
    more: dict[str, Any] = {key: row[key] for key in ("megabytes", "root", "size") if key in row}
    if "processor" in row:
        more["processor"] = f"{row['processor']:.3f} s"
    words = " ".join(f"{key} {value}" for key, value in more.items())
    print(f"{row['database']:<10} {row['what']:<55} {figure} {words}", flush=True)


if __name__ == "__main__":
    main()
