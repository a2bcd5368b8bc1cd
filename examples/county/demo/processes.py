"""Programs as real processes: commands that finish, servers that stay, traffic that is recorded."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import httpx

PARALLEL = 2  # commands at once: the demo is made for two cores
START_SECONDS = 180
STOP_SECONDS = 15
COMMAND_SECONDS = 600
_CHUNK = 65_536  # bytes


class CommandFailed(Exception):
    """A command ended with another exit code than expected; holds what it said."""


def program(name: str) -> str:
    """The installed program of this environment."""
    return str(Path(sys.executable).parent / name)


def environment() -> dict[str, str]:
    """What programs inherit: no prompt, no colour, one thread each for two cores."""
    return os.environ | {"NO_COLOR": "1", "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}


def run(name: str, *arguments: object, fails: bool = False) -> dict[str, Any]:
    """Run a command with ``--json`` and return what it answered.

    Args:
        name: the program.
        arguments: its words.
        fails: the command is expected to refuse; what it said is returned under ``refused``.

    Raises:
        CommandFailed: it ended otherwise than expected.
    """
    done = started(name, arguments)
    if (done.returncode != 0) is not fails:
        words = " ".join(map(str, arguments))
        raise CommandFailed(f"{name} {words}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    if fails:
        return {"refused": done.stderr.strip() or done.stdout.strip(), "code": done.returncode}
    return json.loads(done.stdout) if done.stdout.strip().startswith(("{", "[")) else {}


def started(name: str, arguments: Sequence[object]) -> "subprocess.CompletedProcess[str]":
    """Run a command to its end."""
    return subprocess.run(
        [program(name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
        env=environment(),
    )


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A program that stays until the block ends; it may be killed and started again.

    Args:
        name: the program.
        arguments: its words.
        log: the file that what it says is added to.
        healthy: a URL that answers once the program is ready; without it nothing is waited for.
    """

    def __init__(
        self, name: str, arguments: Sequence[object], *, log: Path, healthy: str | None = None
    ) -> None:
        self._command = [program(name), *map(str, arguments)]
        self._log = log
        self._healthy = healthy
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it is ready.

        Raises:
            CommandFailed: it ended, or is not ready in time.
        """
        with self._log.open("ab") as output:
            process = self._process = subprocess.Popen(
                self._command,
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                env=environment(),
            )
        if self._healthy is not None:
            try:
                _wait_for(self._healthy, process, self._log)
            except CommandFailed:
                self.stop()
                raise

    def send(self, number: signal.Signals) -> None:
        """Send a signal to it, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def peak_megabytes(self) -> int:
        """The most memory that it has held; 0 where it does not run or ``/proc`` is not there."""
        if self._process is None:
            return 0
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{self._process.pid}/status").read_text("ascii").splitlines():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) // 1024
        return 0

    def kill(self) -> None:
        """End it at once, as ``kill -9`` does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self.kill()


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(url, timeout=2).status_code == httpx.codes.OK:
                return
        time.sleep(0.1)
    raise CommandFailed(f"{url} did not answer; its log says:\n{log.read_text()[-2_000:]}")


class Recorder:
    """A relay on loopback that keeps a copy of every byte in both directions."""

    def __init__(self, target: int, record: Path) -> None:
        self._target = target
        self._record = record.open("ab")
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop accepting, and finish the record."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()
        with self._lock:
            self._record.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        """Relay one connection in both directions until both have ended."""
        with client:
            try:
                upstream = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return  # the program is away, and the caller sees that
            with upstream:
                back = threading.Thread(target=self._relay, args=(upstream, client), daemon=True)
                back.start()
                self._relay(client, upstream)
                back.join()

    def _relay(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := source.recv(_CHUNK):
                with self._lock:
                    self._record.write(data)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
