"""The worker as a process beside the service."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_STOP_SECONDS: Final = 10
_RESTART_SECONDS: Final = 1.0


@contextmanager
def worker_process(home: Path) -> Iterator[None]:
    """A worker in a process of its own, begun again whenever it ends, until the block ends."""
    stopping = threading.Event()
    command = [sys.executable, "-m", "linkage_hub.cli.main", "--home", str(home), "worker"]
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stopping.is_set():
            process = subprocess.Popen(  # noqa: S603 - this very program
                [*command, "--parent", str(os.getpid())], stdin=subprocess.DEVNULL
            )
            running[:] = [process]
            process.wait()
            stopping.wait(_RESTART_SECONDS)

    thread = threading.Thread(target=keep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        for process in running:
            process.terminate()
        thread.join(_STOP_SECONDS)
