"""What a lead's pages cost over a large ledger, and what the indexes cost replay.

Run: ``python -m benchmarks.oversight [--leaves 1000000] [--events 5000]``. So many real events of
``benchmarks.ledger``'s mix are replayed without and with the indexes; then the columns that search
reads are filled up to so many leaves with rows of fresh ids and hashes, and each page's function is
timed: the best of five, in milliseconds. What the other pages read grows with months, parties and
open requests and not with leaves, so it is what the real events made.
"""

import argparse
import secrets
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from benchmarks.ledger.county import ORIGIN, beginnings, found_county
from benchmarks.ledger.mix import Mix
from benchmarks.memory import mebibytes
from governance.canonical import utc_now, write_time
from governance.ledger.events import Event, EventType, Leaf
from governance.ledger.state import LedgerState
from governance.oversight.agreements import due
from governance.oversight.consents import states, trend
from governance.oversight.public import public_register
from governance.oversight.refusals import refusals
from governance.oversight.requests import waiting
from governance.oversight.retention import destroyed, retention
from governance.oversight.rights import rights
from governance.oversight.search import Query, find
from governance.oversight.state import Overseen

_TIMES: Final = 5


def main() -> None:
    """Replay, fill, time, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--leaves", type=int, default=1_000_000)
    parser.add_argument("--events", type=int, default=5_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        county = found_county(Path(folder) / "county")
    events = [*beginnings(county), *Mix(county, 1).events(options.events)]
    without = replayed(LedgerState(ORIGIN), events)
    state = Overseen(ORIGIN)
    having = replayed(state, events)
    print(f"replay of {len(events)} events: {without:.2f} s, with indexes {having:.2f} s")
    before = mebibytes("VmRSS")
    fill(state, events, options.leaves)
    print(f"columns of {state.chronicle.entries.size} leaves: {mebibytes('VmRSS') - before} MiB")
    for what, page in pages(state, events).items():
        print(f"{what:<45} {best(page) * 1_000:>8.1f} ms")


def replayed(state: LedgerState, events: list[Event]) -> float:
    """Processor seconds of a replay, none of which may be refused."""
    begun = time.process_time()
    state.replay(events)
    if state.rejected:
        raise SystemExit(f"{len(state.rejected)} events were rejected")
    return time.process_time() - begun


def fill(state: Overseen, events: list[Event], leaves: int) -> None:
    """Rows of the columns, up to so many: each like a real one a while later."""
    columns, start = state.chronicle.entries, datetime(2026, 1, 1, tzinfo=UTC)
    for at in range(columns.size, leaves):
        like = events[at % len(events)].leaf
        leaf = Leaf.model_construct(
            type=like.type,
            id=secrets.token_hex(16),
            time=write_time(start + timedelta(seconds=30 * at)),
            author=like.author,
            refs=(),
            payload_sha256="",
            signature="",
        )
        columns.append(leaf, secrets.token_bytes(32))


def pages(state: Overseen, events: list[Event]) -> dict[str, Callable[[], Any]]:
    """Each page's function, by what it shows."""
    now, columns, figures = utc_now(), state.chronicle.entries, state.chronicle.consents
    today, middle = now.date(), columns.size // 2
    id_ = columns.id(middle)
    digest = columns.digest(middle).hex()
    family = next(iter(state.chronicle.families))
    party = state.party(events[-1].leaf.author)
    june = datetime(2026, 6, 1, tzinfo=UTC).date()
    searches = {
        "search: by id": Query(id=id_),
        "search: by leaf hash": Query(leaf=f"sha256:{digest}"),
        "search: by family": Query(family=family),
        "search: by party and type": Query(party=party, kind=EventType.CONSENT_RECORDED),
        "search: a type, in some days": Query(
            kind=EventType.RELEASE_REFUSED, since=june, until=june + timedelta(days=30)
        ),
        "search: everything": Query(),
    }
    found: dict[str, Callable[[], Any]] = {
        name: lambda query=query: find(state, query, columns.size)  # type: ignore[misc]
        for name, query in searches.items()
    }
    return found | {
        "what is due": lambda: due(state, now),
        "requests that wait": lambda: waiting(state, now),
        "consents by state": lambda: states(figures, today),
        "consents by month": lambda: trend(figures, today),
        "refusals": lambda: refusals(state),
        "rights": lambda: rights(state, today),
        "retention": lambda: (retention(state, now), destroyed(state)),
        "public register": lambda: public_register(state, now),
    }


def best(page: Callable[[], Any]) -> float:
    """The shortest of some runs, in seconds."""
    found = []
    for _ in range(_TIMES):
        begun = time.perf_counter()
        page()
        found.append(time.perf_counter() - begun)
    return min(found)


if __name__ == "__main__":
    main()
