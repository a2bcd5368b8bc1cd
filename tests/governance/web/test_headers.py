"""What hub and ledger say to a browser that should not be there."""

import json
import logging
from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI

from governance.web.headers import ServiceHeaders
from governance.web.logs import JsonFormatter
from governance.web.problems import add_problem_handlers
from tests.browsing import served


def service(public_url: str | None) -> FastAPI:
    """A service with one route that works and one that does not."""
    app = FastAPI(openapi_url=None)
    app.add_middleware(ServiceHeaders, public_url=public_url)
    add_problem_handlers(app, {}, public_url)

    @app.get("/fine")
    def fine() -> str:
        return "fine"

    @app.get("/count/{number}")
    def count(number: int) -> int:
        return number

    @app.get("/broken")
    def broken() -> None:
        raise RuntimeError("Jane Doe")

    return app


@pytest.fixture(scope="module")
def at() -> Iterator[str]:
    """Where one is served without TLS."""
    with served(lambda _: service(None)) as origin:
        yield origin


@pytest.mark.parametrize(("path", "status"), [("/fine", 200), ("/none", 404), ("/broken", 500)])
def test_every_answer_carries_the_headers(at: str, path: str, status: int) -> None:
    """Refusals and failures too."""
    answer = httpx.get(at + path)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


def test_a_failure_is_logged_without_its_words(at: str, caplog: pytest.LogCaptureFixture) -> None:
    """The kind of error and its lines are there for whoever runs the service."""
    with caplog.at_level(logging.ERROR, logger="governance.web.problems"):
        httpx.get(f"{at}/broken")
    line = JsonFormatter().format(next(each for each in caplog.records if each.msg == "failed"))
    assert json.loads(line)["error"] == "RuntimeError"
    assert "broken" in json.loads(line)["where"]
    assert "Jane" not in line


def test_input_of_another_form_is_logged(at: str, caplog: pytest.LogCaptureFixture) -> None:
    """By status and reason, without saying what was expected of which field."""
    with caplog.at_level(logging.INFO, logger="governance.web.problems"):
        assert httpx.get(f"{at}/count/two").status_code == 400
    (record,) = [each for each in caplog.records if each.msg == "refused"]
    assert (record.status, record.reason) == (400, "format.invalid")  # type: ignore[attr-defined]


def test_browsers_are_held_to_tls_where_there_is_tls() -> None:
    """For a year, below the name as well; by a failure too."""
    with served(lambda _: service("https://hub.example.org")) as origin:
        answers = [httpx.get(f"{origin}/{path}") for path in ("fine", "broken")]
    held = {answer.headers["strict-transport-security"] for answer in answers}
    assert held == {"max-age=31536000; includeSubDomains"}
