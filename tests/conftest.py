"""Fixtures that several parts share: a PostgreSQL server and fresh databases on it.

Property tests have no deadline: a busy machine is no broken law. They draw the same examples each
time, so that a change is judged by what it changed; ``make explore`` draws others. What is marked
``slow`` comes first: beside it the other worker does hundreds of small ones.
"""

import contextlib
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest
from hypothesis import Phase, settings

from benchmarks.postgresql import NotInstalled, database_on, postgresql
from governance.storage import database
from tests.schemas import upgrade

if TYPE_CHECKING:
    from tests.hub_world import HubWorld

pytest_plugins = ("tests.invariants", "tests.recorded")
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("exploring", deadline=None)
settings.register_profile(
    "unshrunk", deadline=None, derandomize=True, phases=(Phase.explicit, Phase.generate)
)
settings.load_profile("repeatable")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Slow tests first, each group in the order of its files."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_sessionfinish() -> None:
    """End the browser, if a test has started one."""
    if chromium := sys.modules.get("tests.chromium"):
        chromium.close_browser()


@pytest.fixture(scope="session", autouse=True)
def schemas() -> Iterator[None]:
    """Migrate once, and copy: see ``tests/schemas.py``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "_upgrade", upgrade)
        yield


@pytest.fixture(scope="session", autouse=True)
def certificates() -> Iterator[None]:
    """Read the authorities' certificates once, and not for each client of each test (30 ms)."""
    once = functools.cache(httpx.create_ssl_context)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def patience() -> Iterator[None]:
    """Give each answer that a test asks for a minute, where it says nothing else."""
    with pytest.MonkeyPatch.context() as patch:
        for step in ("connect", "read", "write", "pool"):
            patch.setattr(httpx._config.DEFAULT_TIMEOUT_CONFIG, step, 60.0)
        yield


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server's ``postgres`` database, started for this test session."""
    with contextlib.ExitStack() as stack:
        try:
            url = stack.enter_context(postgresql(durable=False))
        except NotInstalled as error:
            pytest.skip(str(error))
        yield url


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database, dropped after the test."""
    with database_on(postgres_url) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: each test that asks runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture(scope="module")
def hub_world(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[HubWorld]":
    """A ledger, a hub and two agents with an agreement in force, shared by a module's tests."""
    from tests.hub_world import hub_world_in  # noqa: PLC0415 - takes seconds; few files need it

    with hub_world_in(tmp_path_factory.mktemp("hub-world")) as world:
        yield world
