"""The audit log's chain shows what was changed, put in or taken out, on both databases."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from shutil import copy
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, text, update
from typer.testing import CliRunner

from governance.cli.main import app
from governance.console import console as consoles
from governance.console.app import init_console
from governance.console.audit import AuditHead, AuditLog, _chain
from governance.console.errors import AuditBroken
from governance.console.settings import ConsoleSettings
from governance.console.store import database as store
from governance.console.store import tables
from governance.console.store.database import ConsoleDatabase
from governance.identity.keys import SigningKey
from governance.ledger.note import KeyKind, VerifierKey
from governance.storage.database import Database, sqlite_url

KEY = VerifierKey("ledger.example.org/county", KeyKind.LOG, SigningKey.generate().public)
SETTINGS = {
    "party": "council",
    "origin": "https://console.example.org",
    "ledger_url": "http://127.0.0.1:9",
    "ledger_key": str(KEY),
}
START = datetime(2026, 11, 28, 23, 58, tzinfo=UTC)
AUDIT, HEAD = tables.audit, tables.audit_head


class Log(AuditLog):
    """An audit log whose clock goes a minute with each entry."""

    def __init__(self, database: ConsoleDatabase) -> None:
        self.time = START
        super().__init__(database, self._next)

    def _next(self) -> datetime:
        self.time += timedelta(minutes=1)
        return self.time

    def change(self, *statements: Any) -> None:
        """What whoever has the database does."""
        with self._database.writing() as connection:
            for statement in statements:
                connection.execute(statement)


@pytest.fixture
def log(database_url: str) -> Iterator[Log]:
    """Six entries."""
    database = ConsoleDatabase(database_url)
    found = Log(database)
    for number in range(6):
        found.write("a" * 32 if number % 2 else None, "GET /audit", f"é{number}")
    yield found
    database.close()


def made_anew(log: Log) -> None:
    """The whole chain and its head, as whoever has the database and the program can."""
    with log._database.writing() as connection:
        chain = "sha256:" + "0" * 64
        for entry in connection.execute(select(AUDIT).order_by(AUDIT.c.number)).mappings().all():
            chain = _chain(chain, entry)
            own = AUDIT.c.number == entry["number"]
            connection.execute(update(AUDIT).where(own).values(chain=chain))
            connection.execute(update(HEAD).values(number=entry["number"], chain=chain))


def test_a_log_that_nobody_changed_is_whole(log: Log) -> None:
    """To the head that was noted at any time, and to the one that is printed."""
    noted = log.head()
    assert noted.number == 6
    log.write(None, "POST /sign-in", refused=True)
    assert log.verify([noted, AuditHead.parse(str(noted))]) == log.head()
    assert log.verify([log.head()], since=noted).number == 7


at = AUDIT.c.number == 3
CHANGES: dict[str, tuple[Any, ...]] = {
    "route": (update(AUDIT).where(at).values(route="GET /"),),
    "account": (update(AUDIT).where(at).values(account="b" * 32),),
    "time": (update(AUDIT).where(at).values(at="2026-11-28T00:00:00Z"),),
    "object": (update(AUDIT).where(at).values(object="é3"),),
    "refused": (update(AUDIT).where(at).values(refused=True),),
    "chain": (update(AUDIT).where(at).values(chain="sha256:" + "0" * 64),),
    "no chain": (update(AUDIT).where(at).values(chain=None),),
    "moved": (update(AUDIT).where(at).values(number=10),),
}


def test_an_entry_that_was_changed_is_named(log: Log) -> None:
    """By its number: what stands before it is as it was written."""
    with log._database.reading() as connection:
        whole = [dict(row) for row in connection.execute(select(AUDIT)).mappings()]
    for what, statements in CHANGES.items():
        log.change(*statements)
        with pytest.raises(AuditBroken, match="entry 4" if what == "moved" else "entry 3"):
            log.verify()
        log.change(delete(AUDIT), insert(AUDIT).values(whole))
    assert log.verify().number == 6


def test_an_entry_that_is_gone_or_put_in_is_told(log: Log) -> None:
    """In the middle by the entry behind it, at the end by the head."""
    log.change(delete(AUDIT).where(AUDIT.c.number == 6))
    with pytest.raises(AuditBroken, match="after number 5 are gone"):
        log.verify()
    log.change(delete(AUDIT).where(AUDIT.c.number == 2))
    with pytest.raises(AuditBroken, match="between it and entry 1"):
        log.verify()
    log.change(insert(AUDIT).values(
        number=2, at="2026-11-29T00:00:00Z", route="GET /", object="", refused=False,
        chain="sha256:" + "1" * 64,
    ))  # fmt: skip
    with pytest.raises(AuditBroken, match="entry 2"):
        log.verify()


def test_a_log_that_was_made_anew_is_told_by_a_head_that_was_noted(log: Log) -> None:
    """The chain alone shows nothing then; a head from before, or from within, does."""
    noted = log.head()
    log.change(update(AUDIT).where(at).values(route="GET /"))
    made_anew(log)
    assert log.verify().number == 6
    with pytest.raises(AuditBroken, match="entry 6 is not the one"):
        log.verify([noted])
    with pytest.raises(AuditBroken, match="two heads"):
        log.verify([noted, log.head(), noted])
    log.change(delete(AUDIT).where(AUDIT.c.number == 6))
    made_anew(log)
    assert log.verify().number == 5
    with pytest.raises(AuditBroken, match="entry 6, whose head was noted, is gone"):
        log.verify([noted])


def test_what_the_organisation_deleted_is_left_out(log: Log) -> None:
    """The log begins behind a head that was noted then; behind another it is broken."""
    kept = log.head()
    log.write(None, "GET /")
    log.change(delete(AUDIT).where(AUDIT.c.number <= kept.number))
    with pytest.raises(AuditBroken, match="between it and entry 0"):
        log.verify()
    assert log.verify(since=kept).number == 7
    with pytest.raises(AuditBroken, match="entry 7"):
        log.verify(since=kept._replace(chain="sha256:" + "1" * 64))


def test_many_who_write_at_once_make_one_chain(log: Log) -> None:
    """Threads of one console; on PostgreSQL consoles too, which take the head's row in turn."""
    with ThreadPoolExecutor(4) as pool:
        for each in [pool.submit(log.write, None, "GET /") for _ in range(20)]:
            each.result(60)
    assert log.verify().number == 26


def test_an_entry_that_is_undone_leaves_no_gap(log: Log) -> None:
    """Within a transaction of others that fails."""

    def failing(connection: Connection) -> None:
        log.write(None, "POST /sign-in", within=connection)
        raise KeyError

    with pytest.raises(KeyError), log._database.writing() as connection:
        failing(connection)
    log.write(None, "GET /")
    assert log.verify().number == 7


def test_each_day_begins_with_the_last_ones_head_in_the_log(
    log: Log, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs are collected elsewhere, where whoever has the database does not reach."""
    before = log.head()
    with caplog.at_level(logging.INFO, "governance.console.audit"):
        log.write(None, "GET /")
        log.time += timedelta(days=1)
        log.write(None, "GET /")
        log.write(None, "GET /")
    (record,) = caplog.records
    told = AuditHead.parse(vars(record)["head"])
    assert told.number == before.number + 1
    assert log.verify([told])


def test_entries_from_before_there_was_a_chain_are_in_it(tmp_path: Path) -> None:
    """The newest migration chains them as they are then."""
    older = tmp_path / "older"
    older.mkdir()
    for path in sorted(store._VERSIONS.glob("000[1-3]*.py")):
        copy(path, older)
    url = sqlite_url(tmp_path / "console.db")
    before = Database(url, older, "console")
    with before.writing() as connection:
        for number in (1, 2, 5):
            connection.execute(
                text("INSERT INTO audit VALUES (:n, '2026-11-28T20:59:00Z', NULL, :r, 'é', 1)"),
                {"n": number, "r": f"GET /{number}"},
            )
    before.close()
    database = ConsoleDatabase(url)
    log = Log(database)
    log.write(None, "GET /")
    assert log.verify().number == 6
    log.change(update(AUDIT).where(AUDIT.c.number == 2).values(route="GET /5"))
    with pytest.raises(AuditBroken, match="entry 2"):
        log.verify()
    database.close()


def test_the_command_prints_the_head_to_note_and_holds_the_log_to_it(tmp_path: Path) -> None:
    """And says what nothing but a noted head can tell."""
    home = tmp_path / "console"
    init_console(home, ConsoleSettings.model_validate(SETTINGS))

    def command(*words: str) -> Any:
        return CliRunner().invoke(
            app, ["--json", "console", "audit", "verify", "--home", str(home), *words]
        )

    empty = command()
    assert json.loads(empty.stdout) == {"entries": 0, "head": "0:sha256:" + "0" * 64}
    database = consoles.open_database(home, ConsoleSettings.load(home))
    log = Log(database)
    log.write(None, "GET /")
    first = command()
    noted = json.loads(first.stdout)["head"]
    assert noted == str(log.head())
    assert "--head" in first.stderr
    held = command("--head", noted)
    assert (held.exit_code, held.stderr) == (0, "")
    log.change(update(AUDIT).values(route="GET /people"))
    made_anew(log)
    database.close()
    assert command().exit_code == 0
    assert isinstance(command("--head", noted).exception, AuditBroken)
    assert command("--head", "7").exit_code == 2
