"""The agent's loop outlives whatever goes wrong in one of its tasks."""

import threading
from itertools import pairwise

import pytest

from partner_agent.errors import AgentError
from partner_agent.loop import TASK_WAITS_MOST, Loop


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_a_task_that_fails_ends_neither_the_loop_nor_another_task(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """An unexpected error is told without its words, and waits longer each time."""
    clock, tried, others = Clock(), [], []

    def broken() -> None:
        tried.append(clock.now)
        raise KeyError("Ada Quixwald")

    loop = Loop({"broken": broken, "other": lambda: others.append(clock.now)}, 10.0, clock)
    for _ in range(100):
        loop.once()
        clock.now += 10.0
    assert len(others) == 100
    waits = [after - before for before, after in pairwise(tried)]
    assert waits[:4] == [10.0, 20.0, 40.0, 60.0]
    assert max(waits) <= TASK_WAITS_MOST
    record = caplog.records[0]
    assert (record.step, record.reason, record.error) == (  # type: ignore[attr-defined]
        "broken", "internal", "KeyError",
    )  # fmt: skip
    assert "test_loop.py" in record.where  # type: ignore[attr-defined]
    assert not any("Quixwald" in str(vars(each)) for each in caplog.records)


def test_a_task_that_works_again_keeps_its_pace(caplog: pytest.LogCaptureFixture) -> None:
    """A refusal is told with its reason, and forgotten once the task works."""
    clock, failing, done = Clock(), [True, True], []

    def task() -> None:
        done.append(clock.now)
        if failing:
            failing.pop()
            raise AgentError("away")

    loop = Loop({"task": task}, 10.0, clock)
    for _ in range(8):
        loop.once()
        clock.now += 10.0
    assert done == [0.0, 10.0, 30.0, 40.0, 50.0, 60.0, 70.0]
    assert {each.reason for each in caplog.records} == {"agent"}  # type: ignore[attr-defined]


def test_the_loop_ends_when_it_is_told_to() -> None:
    """Stopping is not held up by the wait between rounds."""
    stopping = threading.Event()
    Loop({"stop": stopping.set}, 0.01).run(stopping)
