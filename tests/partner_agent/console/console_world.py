"""A console as its program serves it, over real HTTP, and somebody who has the link."""

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn

from governance.web.logs import JsonFormatter
from partner_agent.console.app import create_app
from partner_agent.console.door import Door
from partner_agent.console.server import HOST, Running, listen
from partner_agent.console.state import Console
from tests import http_server

WORD = "0123456789abcdef0123456789abcdef"
LOOK_AGAIN = 0.05  # seconds
_TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """All that the program has logged, as it writes it, with each record's own fields."""
    # of the test's own browser, and of uvicorn, which the program has told to log no request
    others = ("httpx", "httpcore", "uvicorn.access")
    ours = [each for each in caplog.records if not each.name.startswith(others)]
    return "\n".join(map(JsonFormatter().format, ours))


@dataclass
class Officer:
    """Somebody at a browser, without one: the cookie and the headers that a browser would send."""

    running: Running
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base, follow_redirects=False, timeout=120)

    @property
    def origin(self) -> str:
        """The console's own origin."""
        return f"http://{HOST}:{self.running.port}"

    @property
    def base(self) -> str:
        """The address before every page."""
        return f"{self.origin}/{self.running.word}"

    def enter(self) -> httpx.Response:
        """Open the session by a new link."""
        key = self.running.new_link().partition("key=")[2]
        return self.http.post("/open", data={"key": key}, headers={"origin": self.origin})

    def get(self, path: str) -> httpx.Response:
        """Open a page, and every page that it leads on to; a task is looked at until it ends."""
        answer = self.http.get(path)
        while answer.status_code == 303 or "Look again" in answer.text:
            after = answer.headers.get("location")
            if after is None:
                time.sleep(LOOK_AGAIN)  # the task and the hub's work are in this very process
            answer = self.http.get(str(answer.url) if after is None else self.origin + after)
        return answer

    def token(self) -> str:
        """The session's token, as a form has it."""
        found = _TOKEN.search(self.http.get("/").text)
        assert found is not None
        return found[1]

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form, and open what it leads to."""
        answer = self.http.post(
            path, data={"csrf": self.token(), **fields}, headers={"origin": self.origin}
        )
        return self.get(self._on(answer)) if answer.status_code == 303 else answer

    def upload(self, source: str, name: str, content: bytes) -> httpx.Response:
        """Hand a file over as the page's form does."""
        answer = self.http.post(
            f"/extracts/new/{source}",
            data={"csrf": self.token()},
            files={"file": (name, content)},
            headers={"origin": self.origin},
        )
        return self.get(self._on(answer)) if answer.status_code == 303 else answer

    def _on(self, answer: httpx.Response) -> str:
        return answer.headers["location"].removeprefix(f"/{self.running.word}")


@contextlib.contextmanager
def serving(home: Path) -> Iterator[Officer]:
    """A console of a home, on a free port; an officer who has not used the link yet."""
    console = Console(home, Door())
    opened = listen(0)
    running = Running(console, opened.getsockname()[1], WORD)
    config = uvicorn.Config(
        create_app(console, WORD, running.port), lifespan="off", log_config=None,
        access_log=False, server_header=False,
    )  # fmt: skip
    officer = Officer(running)
    try:
        with http_server.running(config, [opened]):
            yield officer
    finally:
        officer.http.close()
        console.close()
