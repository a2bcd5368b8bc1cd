"""Fixtures that several parts share: a PostgreSQL server and fresh databases on it.

Property tests have no deadline: a busy machine is no broken law. They draw the same examples each
time, so that a change is judged by what it changed; ``make explore`` draws others.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import Phase, settings

from tests.hub_world import HubWorld, hub_world_in

START_TIMEOUT = 30  # seconds

pytest_plugins = ("tests.invariants",)
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("exploring", deadline=None)
settings.register_profile("unshrunk", deadline=None, phases=(Phase.explicit, Phase.generate))
settings.load_profile("repeatable")


def _programs() -> Path | None:
    """The folder that holds initdb and postgres, the newest version first."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            return folder
    return None


def _user() -> pwd.struct_passwd | None:
    """Whom to run the server as: PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server's ``postgres`` database, started for this test session."""
    programs, user = _programs(), _user()
    if programs is None or user is None:
        pytest.skip("PostgreSQL is not installed here (no initdb and postgres, or no user for it)")
    folder = Path(tempfile.mkdtemp(prefix="hearthlink-postgres-"))
    as_root = os.geteuid() == 0
    if as_root:
        os.chown(folder, user.pw_uid, user.pw_gid)
    identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if as_root else {}
    data, port = folder / "data", _free_port()
    log = folder / "log"
    try:
        with log.open("wb") as output:
            subprocess.run(
                [programs / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "-N"],
                check=True,
                cwd=folder,
                stdout=output,
                stderr=output,
                **identity,  # type: ignore[call-overload]
            )
            server = subprocess.Popen(
                [
                    *(programs / "postgres", "-D", data, "-p", str(port)),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                    *("-c", "fsync=off"),  # the tests' machine does not lose power
                ],
                cwd=folder,
                stdout=output,
                stderr=output,
                **identity,  # type: ignore[call-overload]
            )
        try:
            url = f"postgresql+psycopg://test@127.0.0.1:{port}/postgres"
            _wait(url, server, log)
            yield url
        finally:
            server.terminate()
            server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while True:
        try:
            psycopg.connect(_libpq(url)).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        else:
            return


def _libpq(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database, dropped after the test."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(_libpq(postgres_url), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield postgres_url.rsplit("/", 1)[0] + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: each test that asks runs on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture(scope="module")
def hub_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubWorld]:
    """A ledger, a hub and two agents with an agreement in force, shared by a module's tests."""
    with hub_world_in(tmp_path_factory.mktemp("hub-world")) as world:
        yield world
