"""The worker: what costs a job an attempt, and what keeps its lease."""

import threading
from collections.abc import Callable, Iterator

import pytest

from governance.ledger.errors import LedgerUnavailableError
from linkage_hub.jobs import worker as worker_module
from linkage_hub.jobs.queue import ATTEMPTS_MOST, LEASE_SECONDS, Job, JobQueue, enqueue
from linkage_hub.jobs.worker import LEDGER_SECONDS, Progress, Worker
from linkage_hub.linkage.similarity.running import TAKEN_UP
from linkage_hub.store.database import HubDatabase


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """The time."""
        return self.now


@pytest.fixture
def database(database_url: str) -> Iterator[HubDatabase]:
    """An empty hub database."""
    opened = HubDatabase(database_url)
    yield opened
    opened.close()


def started(
    database: HubDatabase, handler: Callable[[str, Progress], None]
) -> tuple[JobQueue, Worker, Clock, list[str]]:
    """A queue with one job, its worker, and what was given up."""
    clock, abandoned = Clock(), []
    queue = JobQueue(database, clock)
    with database.writing() as connection:
        enqueue(connection, "link", "run", clock())

    def abandon(subject: str, _reason: str) -> None:
        abandoned.append(subject)

    return queue, Worker(queue, {"link": handler}, {"link": abandon}), clock, abandoned


def test_a_ledger_that_is_away_costs_no_attempt(database: HubDatabase) -> None:
    """The job waits, is tried again as often as it takes, and ends well when the ledger answers."""
    away = [True] * (ATTEMPTS_MOST + 2)

    def handler(_subject: str, _progress: Progress) -> None:
        if away:
            away.pop()
            raise LedgerUnavailableError("the ledger does not answer")

    queue, worker, clock, abandoned = started(database, handler)
    while away:
        assert worker.step()
        assert not worker.step()  # it waits
        clock.now += LEDGER_SECONDS
    assert worker.step()
    view = queue.view("link", "run")
    assert view is not None
    assert (view.state, abandoned) == ("done", [])


def test_other_failures_cost_attempts(database: HubDatabase) -> None:
    """A handler that fails every time is given up after the attempts that it has."""
    tried = []

    def handler(_subject: str, _progress: Progress) -> None:
        tried.append(1)
        raise OSError

    _, worker, _, abandoned = started(database, handler)
    while worker.step():
        pass
    assert (len(tried), abandoned) == (ATTEMPTS_MOST, ["run"])


def test_a_queue_that_fails_does_not_end_the_worker(
    database: HubDatabase, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever fails beside a handler is told without its words, and work goes on."""
    monkeypatch.setattr(worker_module, "FAILED_SECONDS", 0.01)
    stopping, broken = threading.Event(), [True]
    queue, worker, _, _ = started(database, lambda _subject, _progress: stopping.set())
    lease = queue.lease

    def failing(name: str) -> Job | None:
        if broken:
            broken.pop()
            raise OSError("Ada Quixwald")
        return lease(name)

    monkeypatch.setattr(queue, "lease", failing)
    worker.run(stopping)
    view = queue.view("link", "run")
    assert view is not None
    assert view.state == "done"
    assert not any("Quixwald" in str(vars(each)) for each in caplog.records)


def test_a_silent_step_keeps_its_lease(
    database: HubDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a handler works without a word, no other worker takes the job."""
    monkeypatch.setattr(worker_module, "_RENEW_SECONDS", 0.01)
    taken: list[object] = []
    renewed, renew = threading.Event(), JobQueue.renew

    def renewing(queue: JobQueue, job: Job, worker: str) -> None:
        renew(queue, job, worker)
        renewed.set()

    monkeypatch.setattr(JobQueue, "renew", renewing)

    def handler(_subject: str, _progress: Progress) -> None:
        clock.now += LEASE_SECONDS - 1
        for _ in range(2):  # one of them began after the clock went on
            renewed.clear()
            assert renewed.wait(60)
        clock.now += LEASE_SECONDS - 1
        taken.append(queue.lease("another"))

    queue, worker, clock, _ = started(database, handler)
    assert worker.step()
    assert taken == [None]


def test_what_an_earlier_worker_finished_says_nothing_of_the_pace(database: HubDatabase) -> None:
    """After a restart the pace is that of the work done since, and none before there was any."""
    paces: list[float | None] = []

    def pace() -> float | None:
        view = queue.view("link", "run")
        assert view is not None
        return view.pace

    def handler(_subject: str, progress: Progress) -> None:
        paces.append(pace())
        progress(0.01, "reading")
        progress(0.5, TAKEN_UP)
        paces.append(pace())
        clock.now += 40
        progress(0.6, "comparing")
        paces.append(pace())

    queue, worker, clock, _ = started(database, handler)
    first = queue.lease("one that is killed")
    assert first is not None
    clock.now += 100
    queue.report(first, "one that is killed", 0.5, "comparing")
    assert pace() == pytest.approx(200)
    clock.now += LEASE_SECONDS + 1
    assert worker.step()
    assert paces == [None, None, pytest.approx(40 / 0.11)]
