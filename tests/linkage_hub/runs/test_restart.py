"""A worker that is killed: the next one goes on with the tiles that it had not finished."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import insert, select, update

from governance.canonical import sha256, utc_now, write_time
from governance.exchange.submission_file import ARROW_SCHEMA
from governance.ledger.events import EventType
from governance.ledger.payloads import SubmissionOutcome
from linkage_hub.runs.service import Runs
from linkage_hub.store.tables import jobs, runs, submissions
from tests.hub_world import HubWorld

RECORDS = 40_000  # of each source: a join of a few seconds, in more than a handful of tiles
WAIT_SECONDS = 280


def accepted(world: HubWorld, number: int, source: str) -> None:
    """A submission as if it had been verified: random encodings, half of them in both sources."""
    rng = np.random.default_rng(5)
    shared = rng.random((RECORDS, 1024), dtype=np.float32) < 0.3
    own = np.random.default_rng(number).random((RECORDS, 1024), dtype=np.float32) < 0.3
    own[: RECORDS // 2] = shared[: RECORDS // 2]
    encodings = np.packbits(own, axis=1)
    handles = np.random.default_rng(number).bytes(16 * RECORDS)
    columns = []
    for field in ARROW_SCHEMA:
        if field.name == "handle":
            column = pa.FixedSizeBinaryArray.from_buffers(
                field.type, RECORDS, [None, pa.py_buffer(handles)]
            )
        elif field.name == "encoding":
            data = pa.py_buffer(encodings.tobytes())
            column = pa.FixedSizeBinaryArray.from_buffers(field.type, RECORDS, [None, data])
        elif pa.types.is_list(field.type):
            column = pa.array([[]] * RECORDS, field.type)
        else:
            column = pa.nulls(RECORDS, field.type)
        columns.append(column)
    id_ = f"{number:032x}"
    path = world.hub.files.path(id_)
    with pa.ipc.new_file(path, ARROW_SCHEMA) as writer:
        writer.write_table(pa.Table.from_arrays(columns, schema=ARROW_SCHEMA))
    now, party = write_time(utc_now()), source.split("_", maxsplit=1)[0]
    verdict = SubmissionOutcome(
        submission=id_, manifest=sha256(id_.encode()), agreement=world.agreement.hash, party=party,
        source=source, records=RECORDS, reason=None,
    )  # fmt: skip
    world.hub.ledger.write(EventType.SUBMISSION_ACCEPTED, verdict)
    with world.hub.database.writing() as connection:
        connection.execute(
            insert(submissions).values(
                id=id_, party=party, source=source,
                agreement=world.agreement.hash, epoch=1, state="accepted", message="",
                next_step="", manifest=b"", manifest_hash=verdict.manifest,
                key_check_value="", test_vectors="", content_sha256="",
                size=path.stat().st_size, received_bytes=path.stat().st_size, records=RECORDS,
                received=now, created=now,
            )
        )  # fmt: skip


@contextmanager
def worker(world: HubWorld) -> Iterator["subprocess.Popen[bytes]"]:
    """The hub's worker as a process of its own, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "linkage_hub.cli.main", "--home", str(world.hub.home), "worker"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"PYTHONWARNINGS": "ignore"},
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def tiles(folder: Path) -> dict[str, int]:
    """Finished tiles and when each was written, in nanoseconds."""
    found = {}
    for path in folder.rglob("*.tile"):
        try:
            found[path.name] = path.stat().st_mtime_ns
        except FileNotFoundError:
            continue
    return found


def test_a_killed_worker_is_followed_from_its_last_tile(hub_world: HubWorld) -> None:
    """After kill -9 no finished tile is made anew, and the run ends as if nothing had been."""
    world = hub_world
    world.hub.settings.save(world.hub.home)  # for the worker's process
    for number, source in enumerate(sorted(s.id for s in world.agreement.sources)):
        accepted(world, number + 1, source)
    service: Runs = world.hub.runs
    run = service.start(world.agreement.hash).id
    folder = world.hub.runs_folder / run
    deadline = time.monotonic() + WAIT_SECONDS
    with worker(world) as process:
        while len(tiles(folder)) < 2:
            assert time.monotonic() < deadline, "no tile was finished"
            time.sleep(0.01)
        gives_way = world.hub.settings.worker_nice
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == min(19, os.nice(0) + gives_way)
    before = tiles(folder)
    assert before
    assert service.view(run).state == "running"
    with world.hub.database.writing() as connection:  # its lease runs out
        connection.execute(update(jobs).values(lease=0.0))
    remade = set()
    with worker(world):
        while service.view(run).state not in {"finished", "failed"}:
            assert time.monotonic() < deadline, "the run did not end"
            now = tiles(folder)
            remade |= {name for name in before if now.get(name, before[name]) != before[name]}
            time.sleep(0.1)
        while folder.exists():
            assert time.monotonic() < deadline, "the run's folder was left"
            time.sleep(0.02)
    assert remade == set()
    with world.hub.database.reading() as connection:
        row = connection.execute(select(runs).where(runs.c.id == run)).one()
    assert (row.state, row.records, row.is_current) == ("finished", 2 * RECORDS, True)
    assert row.persons <= 2 * RECORDS - RECORDS // 4
