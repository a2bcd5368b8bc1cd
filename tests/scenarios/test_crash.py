"""Invariant 17 with real processes: ``kill -9`` at random instants, all the time, of everything.

Ledger, hub and both agents run as processes, and data officers' commands beside them. Three desks
work through consents, withdrawals, requests, approvals, releases and outcomes without a pause,
while one program after another is killed at an instant drawn from a seed and started again. Then
the killing stops and everything has to finish: what anybody was told has been done is done, and
nothing was released twice (``crash/laws.py``).

``HEARTHLINK_CRASH_KILLS`` says how often (``make crash``: 1,000), ``HEARTHLINK_CRASH_SEED`` how the
instants are drawn.
"""

import contextlib
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import pytest

from tests.scenarios.crash.laws import hold
from tests.scenarios.crash.nursery import Nursery
from tests.scenarios.crash.work import Told, Worker
from tests.scenarios.crash.world import FAMILIES, CrashWorld, found

KILLS: Final = int(os.environ.get("HEARTHLINK_CRASH_KILLS", "10"))
SEED: Final = int(os.environ.get("HEARTHLINK_CRASH_SEED", "1"))
KILLS_A_WORLD: Final = 100
"""After so many kills a new world begins: a long log makes every start slower."""
DESKS: Final = 3
GAP_SECONDS: Final = 1.2  # between a program that is ready and the next kill, at most
VICTIMS: Final = {"ledger": 3, "hub": 3, "council": 2, "police": 1, "command": 2}
TIMEOUT: Final = 600 + 10 * KILLS


@pytest.fixture
def nursery() -> Iterator[Nursery]:
    """What starts the programs."""
    with Nursery() as started:
        yield started


@pytest.mark.slow
@pytest.mark.timeout(TIMEOUT)
@pytest.mark.invariant(17, "ledger, hub, agents and commands killed at random instants")
def test_nothing_told_is_lost_and_nothing_released_twice(
    tmp_path: Path, nursery: Nursery, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever was killed and when."""
    began = time.monotonic()
    totals: dict[str, Counter[str]] = {"killed": Counter(), "requests": Counter()}
    for at in range(0, KILLS, KILLS_A_WORLD):
        world = found(tmp_path / f"world-{at}", nursery)
        told = Told()
        totals["killed"] += _run(world, min(KILLS_A_WORLD, KILLS - at), SEED + at, told)
        totals["requests"] += told.stories
        minutes = (time.monotonic() - began) / 60
        with capsys.disabled():
            kills = totals["killed"].total()
            sys.stdout.write(f"\n{kills} kills in {minutes:.1f} minutes: {totals}\n")
    assert totals["killed"].total() == KILLS


def _run(world: CrashWorld, kills: int, seed: int, told: Told) -> Counter[str]:
    """One world: everything works, is killed, works again, and is held to the laws."""
    workers = [
        Worker(world, world.families[at:FAMILIES:DESKS], seed + at, told) for at in range(DESKS)
    ]
    try:
        for program in world.programs.values():
            program.start()
        for program in world.programs.values():
            program.ready()
        with _working(workers) as stopping:
            killed = _kill(world, kills, random.Random(seed), stopping)
        hold(world, told)
        workers[0].receive_again()
    finally:
        for program in world.programs.values():
            program.kill()
        for worker in workers:
            worker.close()
    return killed


@contextlib.contextmanager
def _working(workers: list[Worker]) -> Iterator[threading.Event]:
    """Desks at work until the block ends; then each ends the story that it is in.

    Raises:
        AssertionError: what a desk met.
    """
    stopping = threading.Event()

    def work(worker: Worker) -> None:
        try:
            while not stopping.is_set():
                worker.story()
        finally:
            stopping.set()

    with ThreadPoolExecutor(len(workers)) as pool:
        desks = [pool.submit(work, worker) for worker in workers]
        try:
            yield stopping
        finally:
            stopping.set()
    for desk in desks:
        desk.result()


def _kill(
    world: CrashWorld, kills: int, rng: random.Random, stopping: threading.Event
) -> Counter[str]:
    """Kill one program after another, each at a random instant after the last one works again."""
    killed: Counter[str] = Counter()
    while killed.total() < kills and not stopping.is_set():
        (name,) = rng.choices(list(VICTIMS), list(VICTIMS.values()))
        stopping.wait(rng.uniform(0, GAP_SECONDS))
        if name == "command":
            killed[name] += world.kill_command()
            continue
        program = world.programs[name]
        program.kill()
        killed[name] += 1
        program.start()
        program.ready()
    return killed
