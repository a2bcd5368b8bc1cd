"""Threads that ask for the same at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

import pytest

from governance.ledger.together import Together


class Slow:
    """A work that says when it began, and ends when it is told to."""

    def __init__(self) -> None:
        self.began: SimpleQueue[int] = SimpleQueue()
        self.end = threading.Semaphore(0)
        self.times = 0
        self.fails = False

    def __call__(self) -> None:
        """Work."""
        self.times += 1
        self.began.put(self.times)
        assert self.end.acquire(timeout=60)
        if self.fails:
            raise ValueError("away")


@pytest.mark.parametrize("fails", [False, True])
def test_who_asks_while_one_is_asking_shares_the_next_question(fails: bool) -> None:
    """None is answered by a question from before theirs; of those that wait, one asks for all."""
    work = Slow()
    together = Together(work)
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(together.run)
        assert work.began.get(timeout=60) == 1
        work.fails = fails
        later = [pool.submit(together.run) for _ in range(7)]
        while together._next is None:  # until one of them waits for its turn
            threading.Event().wait(0.001)
        assert not any(each.done() for each in later)
        work.fails = False
        work.end.release()
        first.result(10)
        assert work.began.get(timeout=60) == 2  # begun only now
        work.fails = fails
        for _ in range(7):  # who came too late to share asks again
            work.end.release()
        for each in later:
            if fails:
                with pytest.raises(ValueError, match="away"):
                    each.result(10)
            else:
                each.result(10)
    assert 2 <= work.times <= 8


def test_after_a_question_is_answered_the_next_is_asked_anew() -> None:
    """Nothing is kept."""
    times: list[int] = []
    together = Together(lambda: times.append(1))
    together.run()
    together.run()
    assert len(times) == 2
