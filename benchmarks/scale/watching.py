"""Memory, processor seconds and progress of the job's processes while it runs."""

import contextlib
import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

EVERY: Final = 0.2  # seconds between two looks
_PROC: Final = Path("/proc")
_TICKS: Final = os.sysconf("SC_CLK_TCK")


class Watch:
    """Looks at the processes of one site and at the hub's jobs until it is stopped.

    Attributes:
        steps: seconds in which each step of the hub's jobs was seen, in order of appearance.
        memory: most megabytes that all processes of a kind held at once: ``hub``, ``agents``,
            ``ledger``; resident, so that shared libraries count once for each process.
        processor: processor seconds of the hub's processes in each step of its jobs.
        hub_by_step: the hub's most megabytes in each step.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._database = root / "hub" / "hub.db"
        self._stopping = threading.Event()
        self.steps: dict[str, float] = defaultdict(float)
        self.memory: dict[str, int] = defaultdict(int)
        self.hub_by_step: dict[str, int] = defaultdict(int)
        self.processor: dict[str, float] = defaultdict(float)

    def run(self) -> None:
        """Look until stopped; called in a thread."""
        before, used = time.monotonic(), 0.0
        while not self._stopping.wait(EVERY):
            processes = list(self._processes())
            now, spent = time.monotonic(), _processor(processes, "hub")
            step = self._step()
            held = _held(processes)
            for kind, megabytes in held.items():
                self.memory[kind] = max(self.memory[kind], megabytes)
            if step:
                self.steps[step] += now - before
                self.processor[step] += max(0.0, spent - used)  # a process that ended takes its own
                self.hub_by_step[step] = max(self.hub_by_step[step], held["hub"])
            before, used = now, spent

    def stop(self) -> None:
        """End the watch."""
        self._stopping.set()

    def _step(self) -> str:
        """What the hub's worker says that it does, without the figures in it."""
        if not self._database.exists():
            return ""
        with (
            contextlib.suppress(sqlite3.Error),
            contextlib.closing(
                sqlite3.connect(f"file:{self._database}?mode=ro", uri=True, timeout=1)
            ) as connection,
        ):
            row = connection.execute(
                "SELECT kind, step FROM jobs WHERE state = 'running' ORDER BY started DESC LIMIT 1"
            ).fetchone()
            if row is not None:
                words = str(row[1]).split(",")[0].split(":")[0]
                return f"{row[0]}: {' '.join(w for w in words.split() if not w[0].isdigit())}"
        return ""

    def processor_seconds(self) -> float:
        """Processor seconds so far of all living processes, and of their ended children."""
        return _processor(self._processes())

    def _processes(self) -> Iterator[tuple[Path, str]]:
        """Folder and kind of each process of the site."""
        for folder in _PROC.glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if self._root not in command or int(folder.name) == os.getpid():
                    continue
                hub, agent = "linkage" in command, "partner-agent" in command
                yield folder, "hub" if hub else "agents" if agent else "ledger"


def _processor(processes: Iterable[tuple[Path, str]], kind: str = "") -> float:
    """Processor seconds so far of processes of one kind, or of all."""
    ticks = 0
    for folder, found in processes:
        with contextlib.suppress(OSError, ValueError):
            if kind in {"", found}:
                fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
                ticks += sum(map(int, fields[11:15]))  # own and awaited children's
    return ticks / _TICKS


def _held(processes: Iterable[tuple[Path, str]]) -> dict[str, int]:
    held: dict[str, int] = defaultdict(int)
    for folder, kind in processes:
        with contextlib.suppress(OSError, ValueError):
            for line in (folder / "status").read_text().splitlines():
                if line.startswith("VmRSS:"):
                    held[kind] += int(line.split()[1]) // 1024
    return held


@contextlib.contextmanager
def watching(root: Path) -> Iterator[Watch]:
    """A watch over a site's processes, in a thread of its own, until the block ends."""
    watch = Watch(root)
    thread = threading.Thread(target=watch.run, daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        watch.stop()
        thread.join()
