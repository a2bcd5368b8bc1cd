"""A small world whose programs run as processes: a ledger, a hub, two agents, some families."""

import contextlib
import json
import os
import signal
import threading
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import httpx
from sqlalchemy import insert

from examples.county.demo.processes import free_port
from governance.canonical import canonical_bytes, utc_now, write_time
from governance.ledger.database import Database, sqlite_url
from governance.ledger.events import WireEvent
from governance.ledger.store import LedgerStore
from linkage_hub.settings import HubSettings
from linkage_hub.store.tables import families, family_members, person_records, runs
from partner_agent.vault.occurrences import Occurrences
from partner_agent.vault.store import Row
from tests.governance.world import Staff
from tests.hub_world import ORIGIN, HubWorld, hub_world_in
from tests.scenarios.crash.nursery import Nursery

FAMILIES: Final = 9
READY_SECONDS: Final = 60
RELEASES_A_DAY: Final = 1_000_000
_RUN: Final = "0" * 32
_NOBODY: Final = 0


@dataclass(frozen=True)
class Family:
    """A mother, known to both partners, and her child, known to the council."""

    number: int

    @property
    def id(self) -> str:
        """As the hub calls it."""
        return f"f-{self.number:032x}"

    @property
    def records(self) -> tuple[tuple[str, str, bool], ...]:
        """Party, its own record id, and whether it is the mother's."""
        mother, child = f"A{self.number}", f"C{self.number}"
        return ("council", mother, True), ("council", child, False), ("police", mother, True)


@dataclass
class Program:
    """A program that stays, is killed, and is started again."""

    name: str
    words: tuple[object, ...]
    nursery: Nursery
    log: Path
    healthy: str | None
    pid: int = _NOBODY
    starts: int = 0

    def start(self) -> None:
        """Start it."""
        program, *words = self.words
        self.pid = self.nursery.start(str(program), words, self.log, self.log)
        self.starts += 1

    def kill(self) -> None:
        """``kill -9``, and see it gone."""
        if self.pid == _NOBODY:  # for os.kill this would be our own group
            return
        os.kill(self.pid, signal.SIGKILL)
        while (code := self.nursery.ended(self.pid)) is None:
            time.sleep(0.001)
        assert code == -signal.SIGKILL, f"{self.name} had ended by itself: {self.log.read_text()}"
        self.pid = _NOBODY

    def ready(self) -> None:
        """Wait until it works."""
        deadline = time.monotonic() + READY_SECONDS
        while not self._works():
            assert self.nursery.ended(self.pid) is None, f"{self.name} ended: {self._tail()}"
            assert time.monotonic() < deadline, f"{self.name} is not ready: {self._tail()}"
            time.sleep(0.01)

    def _works(self) -> bool:
        if self.healthy is None:
            return self.log.read_text().count('"started"') >= self.starts
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(self.healthy, timeout=5).status_code == httpx.codes.OK
        return False

    def _tail(self) -> str:
        return self.log.read_text()[-2_000:]


@dataclass
class CrashWorld:
    """Homes, addresses, staff and programs."""

    root: Path
    nursery: Nursery
    ledger_url: str
    hub_url: str
    vkey: str
    agreement: str
    staff: dict[str, Staff]
    programs: dict[str, Program]
    families: tuple[Family, ...] = tuple(map(Family, range(FAMILIES)))
    commands: dict[int, str] = field(default_factory=dict)
    """Commands that run now, by process id: they can be killed too."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def command(self, party: str, *words: object) -> dict[str, Any] | None:
        """A data officer's command: what it printed, or None where it printed no whole answer."""
        out = self.root / "out" / f"{time.monotonic_ns()}.json"
        words = ("--home", self.root / party, "--json", *words)
        with self.lock:
            pid = self.nursery.start("partner-agent", words, out, self.root / "commands.log")
            self.commands[pid] = party
        while True:
            with self.lock:  # a process id is killed only while the process is not waited for
                if self.nursery.ended(pid) is not None:
                    del self.commands[pid]
                    break
            time.sleep(0.01)
        with contextlib.suppress(ValueError, OSError):
            answer: dict[str, Any] = json.loads(out.read_text("utf-8"))
            return answer
        return None

    def kill_command(self) -> bool:
        """Kill a command that runs now, if one does."""
        with self.lock:
            for pid in self.commands:
                os.kill(pid, signal.SIGKILL)
                return True
        return False


def found(root: Path, nursery: Nursery) -> CrashWorld:
    """Found a world in an empty folder; its programs do not run yet."""
    ledger_port, hub_port = free_port(), free_port()
    ledger_url, hub_url = (f"http://127.0.0.1:{port}" for port in (ledger_port, hub_port))
    (root / "out").mkdir(parents=True)
    (root / "notice.txt").write_text("We would like to offer help. You may say no.\n")
    with hub_world_in(root, _many_releases) as world:
        _link(world, tuple(map(Family, range(FAMILIES))))
        for agent in world.agents.values():
            agent.remember(ledger_url=ledger_url, hub_url=hub_url)
        vkey = world.hub.settings.ledger_key
        agreement, staff = world.agreement.hash, world.staff
    HubSettings(ledger_url=ledger_url, ledger_key=vkey).save(root / "hub")
    _ledger_home(root)
    commands: dict[str, tuple[tuple[object, ...], str | None]] = {
        "ledger": (
            ("governance", "ledger", "serve", "--home", root, "--port", ledger_port),
            f"{ledger_url}/healthz",
        ),
        "hub": (
            ("linkage-hub", "--home", root / "hub", "serve", "--port", hub_port, "--no-worker"),
            f"{hub_url}/healthz",
        ),
        **{
            party: (("partner-agent", "--home", root / party, "run", "--every", "0.2"), None)
            for party in ("council", "police")
        },
    }
    programs = {
        name: Program(name, words, nursery, root / f"{name}.log", healthy)
        for name, (words, healthy) in commands.items()
    }
    return CrashWorld(root, nursery, ledger_url, hub_url, vkey, agreement, staff, programs)


def _many_releases(agreement: dict[str, Any]) -> None:
    agreement["limits"]["releases_per_party_per_day"] = RELEASES_A_DAY


def _ledger_home(root: Path) -> None:
    """What ``governance ledger init`` writes beside key and database."""
    store = LedgerStore(Database(sqlite_url(root / "ledger.db"), "log"), ORIGIN)
    (genesis,) = store.entries(0, 1)
    store.close()
    (root / "genesis.json").write_bytes(canonical_bytes(WireEvent.of(genesis)))
    (root / "origin").write_text(f"{ORIGIN}\n")


def _link(world: HubWorld, found: tuple[Family, ...]) -> None:
    """Rows in the vaults, and the run that made families of them, as if both had been."""
    with world.hub.database.writing() as connection:
        connection.execute(
            insert(runs).values(
                id=_RUN, agreement=world.agreement.hash, state="finished", is_current=True,
                created=write_time(utc_now()), sources=2, records=3 * FAMILIES,
                persons=2 * FAMILIES, families=FAMILIES, flagged=FAMILIES,
            )
        )  # fmt: skip
        for family in found:
            connection.execute(
                insert(families).values(
                    run=_RUN, family=family.id, confidence=1.0, reasons="[]", members=2, adults=1,
                    children=1, needs_met=2, needs_unknown=0, in_programme=False,
                    is_resident=True, flagged=True,
                )
            )  # fmt: skip
            for adult in (True, False):
                connection.execute(
                    insert(family_members).values(
                        run=_RUN, family=family.id, person=_person(family, adult=adult),
                        role="parent" if adult else "child", adult=adult, confidence=1.0,
                        is_primary=True,
                    )
                )  # fmt: skip
            for party, record_id, adult in family.records:
                connection.execute(
                    insert(person_records).values(
                        run=_RUN, handle=_hold(world, party, record_id, adult=adult),
                        person=_person(family, adult=adult), party=party,
                        source=f"{party}_records",
                    )
                )  # fmt: skip


def _person(family: Family, *, adult: bool) -> str:
    return f"p-{2 * family.number + adult:032x}"


def _hold(world: HubWorld, party: str, record_id: str, *, adult: bool) -> str:
    clean = {
        "first_name": f"name{record_id.lower()}",
        "surname": "quixwald",
        "date_of_birth": "1980-02-01" if adult else "2015-02-01",
        "address": "1 high street",
        "postcode": "ZE1 0AA",
    }
    row = Row(record_id, clean, {}, protected=False)
    (handle,) = world.agents[party].vault.put(
        f"{party}_records", [row], date(2026, 1, 1), Occurrences()
    )
    return handle.hex()
