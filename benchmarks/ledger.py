"""How fast the ledger appends, and how fast an agent mirrors, proves and replays it.

Run: ``python -m benchmarks.ledger [--leaves 20000] [--appends 500] [--database URL]``. Everything
is as in production: one durable transaction for each append, real HTTP on loopback.
"""

import argparse
import secrets
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from governance.canonical import b64, utc_now
from governance.exchange.http import RequestSigner
from governance.identity.files import PartySecrets, new_party
from governance.identity.models import publish_party_keys
from governance.ledger.app import create_app, init_ledger
from governance.ledger.client import LedgerClient
from governance.ledger.database import Database, sqlite_url
from governance.ledger.events import Author, Event, EventType
from governance.ledger.merkle import leaf_hash, verify_inclusion
from governance.ledger.mirror import Mirror
from governance.ledger.payloads import Genesis, Refused
from governance.ledger.settings import LedgerSettings
from governance.ledger.state import LedgerState
from governance.ledger.store import LedgerStore

ORIGIN = "ledger.example.org/benchmark"
BATCH = 1_000  # events in one transaction while the log is filled


def main() -> None:
    """Fill a log, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=20_000)
    parser.add_argument("--appends", type=int, default=500)
    parser.add_argument("--database", help="database URL; a temporary SQLite file otherwise")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), options.leaves, options.appends, options.database)


def measure(folder: Path, leaves: int, appends: int, database: str | None) -> None:
    """Print one line for each measurement."""
    party = new_party("council", "Council")
    author = Author(party.keys.thumbprint, party.signing_key, utc_now, ORIGIN)
    genesis = author.write(
        EventType.GENESIS,
        Genesis(origin=ORIGIN, parties=(publish_party_keys(party.keys, party.signing_key),)),
    )
    settings = LedgerSettings(
        database_url=database or sqlite_url(folder / "ledger.db"),
        key_file=folder / "ledger.key",
        origin=ORIGIN,
        requests_per_second=1e9,
        request_burst=10**9,
        genesis_file=folder / "genesis.json",
    )
    log_key = init_ledger(settings, genesis)
    store = LedgerStore(Database(settings.database_url, "log"), ORIGIN)
    events = [make_event(author) for _ in range(appends)]
    report("store: durable appends", appends, timed(lambda: [store.append(e) for e in events]))
    fill(store, author, leaves)
    size = store.head().size
    positions = [secrets.randbelow(size) for _ in range(200)]
    report(
        f"store: inclusion proofs of {size:,}",
        len(positions),
        timed(lambda: [store.inclusion_proof(at, size) for at in positions]),
    )
    with serving(create_app(settings)) as url:
        auth = RequestSigner(party.keys.thumbprint, party.signing_key)
        with LedgerClient(url, log_key, auth) as client:
            client.append(make_event(author))  # the service replays the log before the clock runs
            over_http(client, author, appends)
            mirror(client, folder, party)
    store.close()


def over_http(client: LedgerClient, author: Author, appends: int) -> None:
    """Appends with signed requests, admission by replay, and verified receipts."""
    events = [make_event(author) for _ in range(appends)]
    times = [timed(lambda e=event: client.append(e)) for event in events]  # type: ignore[misc]
    report("HTTP: signed appends with verified receipts", appends, sum(times))
    print(f"{'  median of one':<46} {1000 * statistics.median(times):>12.1f} ms")


def mirror(client: LedgerClient, folder: Path, party: PartySecrets) -> None:
    """A first synchronisation, its replay, and one that has nothing to fetch."""
    copy = Mirror(Database(sqlite_url(folder / "mirror.db"), "mirror"), client.log_key)
    seconds = timed(lambda: copy.sync(client))
    size = copy.size()
    report("mirror: first synchronisation", size, seconds)
    report("mirror: nothing new", 1, timed(lambda: copy.sync(client)))
    report("mirror: recomputed from stored bytes", size, timed(copy.verify))
    state = LedgerState()
    report("mirror: replay to a state", size, timed(lambda: state.replay(copy.entries())))
    root = copy.root(size)
    event = next(copy.entries(size // 2, size // 2 + 1))
    digest, proof = leaf_hash(event.leaf_bytes), copy.inclusion_proof(size // 2, size)
    verify_inclusion(digest, size // 2, size, proof, root)
    print(
        f"state: {len(state.rejected)} events rejected; {b64(root)} at {size:,}; {party.keys.party}"
    )
    copy.close()


def make_event(author: Author) -> Event:
    """One small signed event."""
    payload = Refused(party="council", action="prepare", reason="benchmark", about=None)
    return author.write(EventType.REFUSED, payload)


def fill(store: LedgerStore, author: Author, leaves: int) -> None:
    """Append events in large transactions until the log has so many."""
    while (missing := leaves - store.head().size) > 0:
        events = [make_event(author) for _ in range(min(missing, BATCH))]
        with store.writing() as writer:
            for event in events:
                writer.append(event)


def timed(run: Callable[[], Any]) -> float:
    """Seconds."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def report(what: str, count: int, seconds: float) -> None:
    """One line."""
    print(f"{what:<46} {count:>9,} in {seconds:>7.2f} s {count / seconds:>10,.0f} /s")


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve on a free loopback port."""
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, ws="none", access_log=False)
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)


if __name__ == "__main__":
    main()
