"""Memory and progress of the job's processes while it runs."""

import contextlib
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

EVERY: Final = 0.2  # seconds between two looks
_PROC: Final = Path("/proc")


class Watch:
    """Looks at the processes of one site and at the hub's jobs until it is stopped.

    Attributes:
        steps: seconds in which each step of the hub's jobs was seen, in order of appearance.
        memory: most megabytes that all processes of a kind held at once: ``hub``, ``agents``,
            ``ledger``; resident, so that shared libraries count once for each process.
        hub_by_step: the hub's most megabytes in each step.
    """

    def __init__(self, root: Path) -> None:
        self._root = str(root)
        self._database = root / "hub" / "hub.db"
        self._stopping = threading.Event()
        self.steps: dict[str, float] = defaultdict(float)
        self.memory: dict[str, int] = defaultdict(int)
        self.hub_by_step: dict[str, int] = defaultdict(int)

    def run(self) -> None:
        """Look until stopped; called in a thread."""
        before = time.monotonic()
        while not self._stopping.wait(EVERY):
            now = time.monotonic()
            step = self._step()
            held = self._held()
            for kind, megabytes in held.items():
                self.memory[kind] = max(self.memory[kind], megabytes)
            if step:
                self.steps[step] += now - before
                self.hub_by_step[step] = max(self.hub_by_step[step], held["hub"])
            before = now

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

    def _held(self) -> dict[str, int]:
        found: dict[str, int] = defaultdict(int)
        for status in _PROC.glob("[0-9]*/status"):
            with contextlib.suppress(OSError, ValueError):
                command = (status.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if self._root not in command:
                    continue
                kind = (
                    "hub"
                    if "linkage" in command
                    else "agents"
                    if "partner-agent" in command
                    else "ledger"
                )
                for line in status.read_text().splitlines():
                    if line.startswith("VmRSS:"):
                        found[kind] += int(line.split()[1]) // 1024
        return found


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
