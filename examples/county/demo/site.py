"""Where everything of one demo lives, and the servers that run through it."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.county.demo.agreement import PARTNERS
from examples.county.demo.processes import PARALLEL, Recorder, Server, free_port, run


@contextlib.contextmanager
def place(keep: Path | None) -> Iterator["Site"]:
    """A new folder to work in, which stays afterwards if it was asked for."""
    if keep is not None:
        keep.mkdir(parents=True)
        yield Site(keep)
        return
    root = Path(tempfile.mkdtemp(prefix="hearthlink-county-"))
    try:
        yield Site(root)
    finally:
        shutil.rmtree(root, ignore_errors=True)


@dataclass(frozen=True)
class Site:
    """Folders of the county, the programs' homes and the staff."""

    root: Path

    @property
    def county(self) -> Path:
        """The generated county."""
        return self.root / "county"

    @property
    def hub(self) -> Path:
        """The hub's home."""
        return self.root / "hub"

    @property
    def ledger(self) -> Path:
        """The ledger's home."""
        return self.root / "ledger"

    @property
    def logs(self) -> Path:
        """What the programs wrote while they ran, and the recorded traffic."""
        return self.root / "logs"

    @property
    def vkey(self) -> Path:
        """The ledger's public key."""
        return self.ledger / "ledger.vkey"

    @property
    def audit(self) -> Path:
        """What an auditor is handed."""
        return self.root / "audit"

    @property
    def exported(self) -> Path:
        """The whole ledger in one file."""
        return self.audit / "ledger.jsonl"

    @property
    def pack(self) -> Path:
        """The evidence about the approach that was carried out."""
        return self.audit / "pack"

    def agent(self, party: str) -> Path:
        """A partner's home."""
        return self.root / "partners" / party

    def staff(self, role: str) -> Path:
        """A member of staff's folder."""
        return self.root / "staff" / role

    def extracts(self, party: str) -> list[Path]:
        """A partner's extracts."""
        folder = self.county / "partners" / party
        return sorted(
            path
            for path in folder.iterdir()
            if path.suffix in {".csv", ".xlsx", ".parquet"} and path.stem != "consents"
        )


@dataclass(frozen=True)
class Addresses:
    """Where the services answer, by way of the recorders, and the hub's process."""

    ledger: str
    hub: str
    hub_server: Server


def found(site: Site) -> None:
    """Make every party's keys, and the ledger that names them."""
    site.logs.mkdir(parents=True)
    operator = site.root / "ledger-operator"
    services_keys = [("ledger", "Ledger operator", operator), ("hub", "Linkage hub", site.hub)]
    commands: list[tuple[object, ...]] = [
        ("governance", "party", "init", "--json", "--party", party, "--name", name, "--home", home)
        for party, name, home in services_keys
    ]
    commands += [
        ("partner-agent", "--home", site.agent(party), "--json", "init", "--party", party,
         "--name", name)
        for party, name in PARTNERS.items()
    ]  # fmt: skip
    with ThreadPoolExecutor(PARALLEL) as pool:
        list(pool.map(lambda command: run(str(command[0]), *command[1:]), commands))
    keys = [site.hub / "hub.keys.json", *(site.agent(p) / f"{p}.keys.json" for p in PARTNERS)]
    named = [word for path in keys for word in ("--party", path)]
    run("governance", "ledger", "init", "--json", "--home", site.ledger,
        "--origin", "ledger.example.org/county", "--operator", operator / "party.secret",
        *named)  # fmt: skip


@contextlib.contextmanager
def services(site: Site) -> Iterator[Addresses]:
    """Ledger and hub as processes, each behind a recorder of its traffic."""
    ledger_port, hub_port = free_port(), free_port()
    ledger_relay = Recorder(ledger_port, site.logs / "ledger-traffic.bin")
    hub_relay = Recorder(hub_port, site.logs / "hub-traffic.bin")
    ledger = Server(
        "governance",
        ["ledger", "serve", "--home", site.ledger, "--port", ledger_port],
        log=site.logs / "ledger.log",
        healthy=f"http://127.0.0.1:{ledger_port}/healthz",
    )
    hub = Server(
        "linkage-hub",
        ["--home", site.hub, "serve", "--port", hub_port],
        log=site.logs / "hub.log",
        healthy=f"http://127.0.0.1:{hub_port}/healthz",
    )
    addresses = Addresses(
        f"http://127.0.0.1:{ledger_relay.port}", f"http://127.0.0.1:{hub_relay.port}", hub
    )
    with contextlib.ExitStack() as stack:
        stack.callback(ledger_relay.close)
        stack.callback(hub_relay.close)
        stack.enter_context(ledger)
        run("linkage-hub", "--home", site.hub, "--json", "init", "--ledger", addresses.ledger,
            "--ledger-key", site.vkey)  # fmt: skip
        stack.enter_context(hub)
        yield addresses


def agent_server(site: Site, party: str) -> Server:
    """A partner's agent as a process: it mirrors, witnesses and answers what is asked."""
    return Server(
        "partner-agent",
        ["--home", site.agent(party), "run", "--every", "2"],
        log=site.logs / f"agent-{party}.log",
    )


@contextlib.contextmanager
def agents(site: Site, parties: tuple[str, ...] = tuple(PARTNERS)) -> Iterator[None]:
    """Partners' agents as processes until the block ends."""
    with contextlib.ExitStack() as stack:
        for party in parties:
            stack.enter_context(agent_server(site, party))
        yield


def audited(site: Site) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an auditor finds in the folder that was handed over: by the pack, by the ledger.

    It asks no program of the county: they may all have ended.
    """
    keys = ("--keys", site.audit / "keys")
    pack = run("governance", "evidence", "verify", "--json", site.pack, "--export", site.exported,
               *keys)  # fmt: skip
    return pack, run("governance", "verify", "--json", site.exported, *keys)
