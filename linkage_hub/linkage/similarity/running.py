"""Tiles on an executor, with progress, and from the last finished tile after a stop."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np

from governance.durable import write_durably
from linkage_hub.linkage.similarity.tiles import Pairs

Progress = Callable[[float, str], None]

PENDING: Final = 64  # tiles handed to the executor at once
DIGEST_BYTES: Final = 32
TAKEN_UP: Final = "taking up what was finished"
"""The step of a share of work that was found done."""


@dataclass(frozen=True, slots=True)
class Task:
    """One tile: a function on picklable arguments, and the share of all work that it is."""

    run: Callable[..., Pairs]
    arguments: tuple[Any, ...]
    size: int


class TileFolder:
    """Finished tiles of one join in a folder; a damaged or foreign file counts as absent.

    Args:
        folder: made when absent.
        key: digest of everything that the tiles depend on.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder / key.hex()[:32]
        self._key = key
        self._folder.mkdir(parents=True, exist_ok=True)

    def load(self, number: int) -> Pairs | None:
        """A finished tile."""
        try:
            data = self._path(number).read_bytes()
        except FileNotFoundError:
            return None
        digest, payload = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
        if digest != self._digest(number, payload):
            return None
        return np.frombuffer(payload, dtype="<i4").reshape(-1, 3).astype(np.int32)

    def save(self, number: int, found: Pairs) -> None:
        """Keep a tile: whole on the disk or not there at all."""
        payload = found.astype("<i4").tobytes()
        write_durably(self._path(number), self._digest(number, payload) + payload)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.tile"

    def _digest(self, number: int, payload: bytes) -> bytes:
        return blake2b(
            number.to_bytes(8, "little") + payload, key=self._key, digest_size=DIGEST_BYTES
        ).digest()


def run_tasks(
    tasks: Sequence[Task], executor: Executor | None, folder: TileFolder | None, progress: Progress
) -> Iterator[Pairs]:
    """Results in the order of the tasks, few of them in memory at once.

    Args:
        tasks: what to do.
        executor: runs them; a thread for each processor when None.
        folder: tiles finished before are taken from here, and new ones kept.
        progress: told the share done; of what was found finished, as step ``TAKEN_UP``.
    """
    if executor is None:
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as threads:
            yield from run_tasks(tasks, threads, folder, progress)
        return
    count = _Count(sum(task.size for task in tasks), progress)
    waiting: deque[tuple[int, Future[Pairs] | Pairs]] = deque()
    try:
        for number, task in enumerate(tasks):
            known = folder.load(number) if folder else None
            waiting.append(
                (number, executor.submit(task.run, *task.arguments) if known is None else known)
            )
            if len(waiting) > PENDING:
                yield _finished(waiting.popleft(), tasks, folder, count)
        while waiting:
            yield _finished(waiting.popleft(), tasks, folder, count)
    finally:
        for _, each in waiting:
            if isinstance(each, Future):
                each.cancel()


class _Count:
    """Tells progress, and what of it was worked on."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._total, self._progress, self._done = max(1, total), progress, 0

    def add(self, size: int, *, worked: bool) -> None:
        """One tile more."""
        self._done += size
        self._progress(self._done / self._total, "comparing encodings" if worked else TAKEN_UP)


def _finished(
    item: tuple[int, "Future[Pairs] | Pairs"],
    tasks: Sequence[Task],
    folder: TileFolder | None,
    count: _Count,
) -> Pairs:
    number, result = item
    worked = isinstance(result, Future)
    found = result.result() if isinstance(result, Future) else result
    if worked and folder:
        folder.save(number, found)
    count.add(tasks[number].size, worked=worked)
    return found
