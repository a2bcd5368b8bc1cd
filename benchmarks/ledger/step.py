"""One measurement in a process of its own, so that its memory is its own; JSON lines on stdout.

Run by ``python -m benchmarks.ledger``, never by hand.
"""

import json
import pickle
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks.ledger.county import ORIGIN, County
from benchmarks.ledger.mix import Mix
from benchmarks.memory import mebibytes
from governance.canonical import utc_now
from governance.exchange.http import RequestSigner
from governance.identity.files import read_secret
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database, sqlite_url
from governance.ledger.errors import LedgerUnavailableError
from governance.ledger.events import Event
from governance.ledger.merkle import leaf_hash, verify_consistency, verify_inclusion
from governance.ledger.mirror import Mirror
from governance.ledger.note import parse_vkey
from governance.ledger.party import PartyLedger
from governance.ledger.replayed import NAME, KeptState
from governance.ledger.state import LedgerState
from governance.ledger.store import LedgerStore

APPENDS: Final = 500
PROOFS: Final = 500
READ: Final = 1_000  # entries at once
HTTP_APPENDS: Final = 200
DAY: Final = 1_000  # events
THREADS: Final = 4


class Step:
    """What every measurement starts from.

    Args:
        home: the benchmark's folder, with keys and mirrors.
        target: the log's database URL, or the service's address.
    """

    def __init__(self, home: Path, target: str) -> None:
        self.home = home
        self.target = target
        self.county: County = pickle.loads((home / "county.pickle").read_bytes())  # noqa: S301
        self.log_key = parse_vkey((home / "ledger.vkey").read_text().strip())

    def store(self) -> None:
        """Appends and proofs in the log's own database."""
        store = LedgerStore(Database(self.target, "log"), ORIGIN)
        events = Mix(self.county, -1).events(APPENDS)
        with told("durable appends into the store", len(events)):
            for event in events:
                store.append(event)
        size, rng = store.head().size, random.Random(1)
        places = [rng.randrange(size) for _ in range(PROOFS)]
        with told("inclusion proofs", PROOFS):
            proofs = [store.inclusion_proof(place, size) for place in places]
        root = store.head().root
        for place, proof in zip(places, proofs, strict=True):
            (event,) = store.entries(place, place + 1)
            verify_inclusion(leaf_hash(event.leaf_bytes), place, size, proof, root)
        sizes = [rng.randrange(1, size) for _ in range(PROOFS)]
        with told("consistency proofs", PROOFS):
            paths = [store.consistency_proof(first, size) for first in sizes]
        for first, path in zip(sizes, paths, strict=True):
            verify_consistency(first, size, path, store.root(first), root)
        tell("root", 0, 0.0, root=root.hex(), size=size)
        store.close()

    def whole(self) -> None:
        """The whole log replayed once; what it gives is kept for the service and for an agent."""
        store = LedgerStore(Database(self.target, "log"), ORIGIN)
        size, before = store.head().size, mebibytes("VmRSS")
        state = LedgerState(ORIGIN)
        with told("replay: the whole log", size):
            for start in range(0, size, READ):
                state.replay(store.entries(start, min(size, start + READ)))
        if state.rejected or state.size != size:
            raise SystemExit(f"{len(state.rejected)} events were rejected")
        tell("replay: memory of the state", 1, 0.0, megabytes=mebibytes("VmRSS") - before)
        seeds = {
            self.home: read_secret(self.home / "ledger.key"),
            self.home / "agent": self.county.partners["council"].signing_key.seed,
        }
        for home, seed in seeds.items():
            path = home / NAME
            with told("replay: keeping the state", 1):
                KeptState(path, seed, self.log_key).write(state, store.root)
            kept = path.stat().st_size // 1_000_000
            tell("replay: kept state on disk", 1, 0.0, megabytes=kept)
        store.close()

    def service(self) -> None:
        """Signed appends over HTTP, one at a time and from several clients."""
        client = self._client()
        first, *events = Mix(self.county, -2).events(HTTP_APPENDS)
        patiently(lambda: client.append(first))
        self._tell_start()
        times = []
        with told("HTTP: signed appends with verified receipt", len(events)):
            for event in events:
                began = time.perf_counter()
                client.append(event)
                times.append(time.perf_counter() - began)
        tell("HTTP: median of one append", 1, statistics.median(times))
        alone = Mix(self.county, -4).events(HTTP_APPENDS, ("upkeep",))  # in any order
        with (
            told(f"HTTP: the same from {THREADS} clients", len(alone)),
            ThreadPoolExecutor(THREADS) as pool,
        ):
            list(pool.map(self._append_all, [alone[at::THREADS] for at in range(THREADS)]))

    def mirror(self) -> None:
        """A first synchronisation over HTTP."""
        mirror = self._mirror()
        client = self._client()
        with told("mirror: first synchronisation over HTTP", 0) as note:
            mirror.sync(client)
            note["count"] = mirror.size()
        with told("mirror: nothing new", 1):
            mirror.sync(client)
        tell("mirror: peak memory", 1, 0.0, megabytes=mebibytes())
        mirror.close()

    def verify(self) -> None:
        """The root recomputed from a mirror's stored bytes."""
        mirror = self._mirror()
        with told("mirror: root recomputed from stored bytes", mirror.size()):
            mirror.verify()
        mirror.close()

    def replay(self) -> None:
        """An agent's start: the state that its mirror gives, from what it kept where it did."""
        before = mebibytes("VmRSS")
        ledger = self._party()
        with told("agent: start, from the kept state", ledger.mirror.size()):
            state = ledger.state
        if state.rejected or state.size != ledger.mirror.size():
            raise SystemExit(f"{len(state.rejected)} events were rejected")
        tell("agent: memory of the state", 1, 0.0, megabytes=mebibytes("VmRSS") - before)
        tell("agent: most memory while it started", 1, 0.0, megabytes=mebibytes())
        ledger.close()

    def catch_up(self) -> None:
        """A day's events: written by the partners, then mirrored by one agent."""
        mirror, client = self._mirror(), self._client()
        for event in Mix(self.county, -3).events(DAY):
            client.append(event)
        before = mirror.size()
        with told("mirror: catch-up", 0) as note:
            mirror.sync(client)
            note["count"] = mirror.size() - before
        mirror.close()

    def _tell_start(self) -> None:
        """Seconds since the benchmark started the service."""
        seconds = time.time() - (self.home / "started").stat().st_mtime
        tell("service: from its start to its first answered append", 1, seconds)

    def _append_all(self, events: list[Event]) -> None:
        with self._client() as client:
            for event in events:
                client.append(event)

    def _client(self) -> LedgerClient:
        council = self.county.partners["council"]
        auth = RequestSigner(council.keys.thumbprint, council.signing_key)
        return LedgerClient(self.target, self.log_key, auth)

    def _mirror(self) -> Mirror:
        return Mirror(
            Database(sqlite_url(self.home / "agent" / "mirror.db"), "mirror"), self.log_key
        )

    def _party(self) -> PartyLedger:
        council = self.county.partners["council"]
        return PartyLedger(
            self.home / "agent" / "mirror.db",
            self.target,
            str(self.log_key),
            council.keys.thumbprint,
            council.signing_key,
            utc_now,
        )


def patiently(append: Callable[[], object]) -> None:
    """Try again while the service replays its log, as an agent's loop does."""
    while True:
        try:
            append()
        except LedgerUnavailableError:
            continue
        return


def tell(what: str, count: int, seconds: float, **more: Any) -> None:
    """One line for the benchmark."""
    print(json.dumps({"what": what, "count": count, "seconds": seconds, **more}), flush=True)


@contextmanager
def told(what: str, count: int) -> Iterator[dict[str, int]]:
    """Time the block, and tell of it; ``processor``: seconds that this process itself used."""
    note = {"count": count}
    began, used = time.perf_counter(), time.process_time()
    yield note
    tell(what, note["count"], time.perf_counter() - began, processor=time.process_time() - used)


def main(name: str, home: str, target: str) -> None:
    """Run one step."""
    steps: dict[str, Callable[[Step], None]] = {
        "store": Step.store,
        "service": Step.service,
        "whole": Step.whole,
        "mirror": Step.mirror,
        "verify": Step.verify,
        "replay": Step.replay,
        "catch-up": Step.catch_up,
    }
    steps[name](Step(Path(home), target))


if __name__ == "__main__":
    main(*sys.argv[1:])
