"""What is done before a service listens."""

import logging
import threading

import pytest

from governance.web.ready import make_ready


def test_what_fails_is_logged_without_its_words_and_the_rest_is_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The service goes on; no value that an error holds is told."""
    done: list[str] = []

    def fails() -> None:
        raise ValueError("Ada Quixwald")

    with caplog.at_level(logging.WARNING):
        make_ready({"ledger": fails, "charts": lambda: done.append("charts")})
    assert done == ["charts"]
    (record,) = caplog.records
    assert vars(record)["work"] == "ledger"
    assert vars(record)["error"] == "ValueError"
    assert "Quixwald" not in str(vars(record))


def test_what_takes_too_long_does_not_keep_a_service_from_listening() -> None:
    """The thread goes on while the service listens."""
    goes_on, done = threading.Event(), threading.Event()

    def slow() -> None:
        goes_on.wait(60)
        done.set()

    make_ready({"charts": slow}, within=0.01)
    assert not done.is_set()
    goes_on.set()
    assert done.wait(60)
