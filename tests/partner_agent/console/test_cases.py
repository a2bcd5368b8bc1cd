"""A person's case, on which two pages of a session work at once."""

import contextlib
import threading

from partner_agent.console.cases import Case


def test_what_is_recorded_is_one_decision() -> None:
    """What a page reads stays as it was, name and answers, while another page answers."""
    case = Case("a", "council_records", "1")
    case.answer("state", "given")
    shown = case.now()
    case.answer("state", "refused")
    assert (shown.answers, case.answers) == ({"state": "given"}, {"state": "refused"})
    assert shown.decision != case.decision
    case.answer("state", "refused")
    again = case.now()
    case.begin()
    assert again.answers == {"state": "refused"}
    assert case.answers == {}


def test_a_try_after_midnight_is_of_the_day_of_the_first() -> None:
    """The same answers were given then, and are one decision; others are another's."""
    case = Case("a", "council_records", "1")
    case.answer("state", "given")
    first, next_day = "2026-11-22T23:59:59Z", "2026-11-23T00:00:01Z"
    assert case.captured(case.decision, first) == first
    assert case.captured(case.decision, next_day) == first
    before = case.decision
    case.answer("state", "refused")
    assert case.captured(before, next_day) == next_day
    assert case.captured(case.decision, next_day) == next_day


def test_answers_that_come_at_once_are_all_kept() -> None:
    """Neither page's is lost to the other's."""
    case, met = Case("a", "council_records", "1"), threading.Barrier(2, timeout=0.05)

    class Slow(str):
        __slots__ = ()

        def __ne__(self, other: object) -> bool:
            with contextlib.suppress(threading.BrokenBarrierError):
                met.wait()  # as if the other page came in just here
            return True

    pages = [
        threading.Thread(target=case.answer, args=(question, Slow("x")))
        for question in ("state", "kind")
    ]
    for page in pages:
        page.start()
    for page in pages:
        page.join()
    assert set(case.answers) == {"state", "kind"}
