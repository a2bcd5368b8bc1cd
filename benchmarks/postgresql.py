"""A PostgreSQL server of one's own on a free loopback port, for tests and benchmarks."""

import contextlib
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
from typing import Any, Final

import psycopg

START_SECONDS: Final = 30


class NotInstalled(Exception):
    """There is no PostgreSQL here, or nobody whom it may run as."""


class StartFailed(Exception):
    """The server did not start; holds what it said."""


@contextlib.contextmanager
def postgresql(*, durable: bool) -> Iterator[str]:
    """The URL of a server's ``postgres`` database until the block ends; its data are then removed.

    Args:
        durable: whether a commit waits until it is on disk, as it has to in production. Tests go
            without: their machine does not lose power.

    Raises:
        NotInstalled, StartFailed: see there.
    """
    installed, user = programs(), _user()
    if installed is None or user is None:
        raise NotInstalled("PostgreSQL is not installed here (no initdb and postgres, or no user)")
    folder = Path(tempfile.mkdtemp(prefix="hearthlink-postgres-"))
    identity: dict[str, Any] = {}
    if os.geteuid() == 0:
        os.chown(folder, user.pw_uid, user.pw_gid)
        identity = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    data, log, port = folder / "data", folder / "log", _free_port()
    try:
        with log.open("wb") as output:
            subprocess.run(
                [installed / "initdb", "-D", data, "-U", "test", "-A", "trust", "-E", "UTF8", "-N"],
                check=True,
                cwd=folder,
                stdout=output,
                stderr=output,
                **identity,
            )
            server = subprocess.Popen(
                [
                    *(installed / "postgres", "-D", data, "-p", str(port)),
                    *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
                    *("-c", f"fsync={'on' if durable else 'off'}"),
                ],
                cwd=folder,
                stdout=output,
                stderr=output,
                **identity,
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


@contextlib.contextmanager
def database_on(server: str) -> Iterator[str]:
    """The URL of a fresh, empty database on a server, dropped after the block."""
    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(libpq(server), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield server.rsplit("/", 1)[0] + f"/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def libpq(url: str) -> str:
    """The URL as ``psycopg`` itself takes it."""
    return url.replace("postgresql+psycopg://", "postgresql://")


def programs() -> Path | None:
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


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(libpq(url)).close()
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise StartFailed(f"PostgreSQL did not start:\n{log.read_text()[-2000:]}") from None
            time.sleep(0.05)
        else:
            return
