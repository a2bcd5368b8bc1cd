"""A process that starts the project's programs as its children, each within some hundredths.

It imports everything once and forks for each start. What it starts are processes of their own that
run the installed programs' entry points and can be killed like any other; only the seconds of
importing are saved, without which a thousand kills would take hours.

Rules: one thread, no database, no connection is open here, so that a child inherits none.
"""

import gc
import importlib
import json
import os
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NoReturn, Self

ENTRIES: Final = {
    "governance": "governance.cli.main",
    "linkage-hub": "linkage_hub.cli.main",
    "partner-agent": "partner_agent.cli.main",
}
_PRELOADED: Final = (
    *ENTRIES.values(),
    "governance.cli.ledger",
    "linkage_hub.cli.server",
    "partner_agent.app",
    "partner_agent.cli.consent",
    "partner_agent.cli.releases",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.lifespan.on",
    "uvicorn.loops.asyncio",
)
_LOOK: Final = 0.01  # seconds


class Nursery:
    """The nursery as the test sees it; safe to call from several threads.

    Args:
        more: modules that are imported once too.
    """

    def __init__(self, *more: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.crash.nursery", *more],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"NO_COLOR": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"},
        )
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(60)

    def start(self, program: str, words: Sequence[object], out: Path, log: Path) -> int:
        """Start a program; its process id. What it says is added to two files."""
        files = {"out": str(out), "log": str(log)}
        return int(self._ask({"start": [program, *map(str, words)], **files}))

    def run(self, folder: Path, program: str, *words: object) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, as ``subprocess.run`` does; its output is files of a folder."""
        name = secrets.token_hex(8)
        out, log = folder / f"{name}.out", folder / f"{name}.err"
        pid = self.start(program, words, out, log)
        while (code := self.ended(pid)) is None:
            time.sleep(_LOOK)
        said = (out.read_text("utf-8"), log.read_text("utf-8"))
        return subprocess.CompletedProcess([program, *map(str, words)], code, *said)

    def ended(self, pid: int) -> int | None:
        """The exit code of a child that has ended, negative if by a signal; else None."""
        code = self._ask({"ended": pid})
        return None if code is None else int(code)

    def _ask(self, question: dict[str, Any]) -> Any:
        with self._lock:
            assert self._process.stdin is not None
            assert self._process.stdout is not None
            self._process.stdin.write(json.dumps(question).encode() + b"\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())


def main() -> None:
    """Serve questions, one line each, until standard input ends; children end with it."""
    entries = {name: importlib.import_module(module) for name, module in ENTRIES.items()}
    for module in (*_PRELOADED, *sys.argv[1:]):
        importlib.import_module(module)
    gc.freeze()  # what is shared stays shared
    children: set[int] = set()
    for line in sys.stdin.buffer:
        question = json.loads(line)
        if "start" in question:
            child = os.fork()
            if child == 0:
                _become(entries[question["start"][0]].run, question)
            children.add(child)
            answer: int | None = child
        else:
            pid, status = os.waitpid(question["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
            children.discard(pid)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    for pid in children:
        os.kill(pid, signal.SIGKILL)


def _become(run: Any, question: dict[str, Any]) -> NoReturn:
    """Be the program from here on."""
    code = 1
    try:
        os.setsid()
        for name, number in (("out", 1), ("log", 2)):
            file = os.open(question[name], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            os.dup2(file, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.closerange(3, 64)
        sys.argv = question["start"]
        run()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
