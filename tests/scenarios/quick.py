"""The demo's commands without the second that each takes to import the programs."""

import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from examples.county.demo import processes
from tests.scenarios.crash.nursery import Nursery


@contextmanager
def quick_commands(folder: Path) -> Iterator[None]:
    """Start commands as children of a process that has imported the programs, until the block ends.

    They are processes of their own still, which share nothing. The first command of each program is
    started anew, as a user does; so is whatever stays or is killed (``processes.Server``).

    Args:
        folder: for what they say.
    """
    folder.mkdir()
    anew, seen, turn = processes.started, set[str](), threading.Lock()
    more = ("partner_agent.cli.extract", "partner_agent.cli.submit", "governance.cli.release")
    with pytest.MonkeyPatch.context() as patch, Nursery(*more) as nursery:

        def started(name: str, words: Sequence[object]) -> "subprocess.CompletedProcess[str]":
            with turn:
                first = name not in seen
                seen.add(name)
            return anew(name, words) if first else nursery.run(folder, name, *words)

        patch.setattr(processes, "started", started)
        yield
