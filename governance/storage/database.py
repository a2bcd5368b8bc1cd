"""An engine with the project's settings: SQLite by default, PostgreSQL by URL.

Rules: a commit is on disk before it is answered (SQLite: WAL, ``synchronous=FULL``); one writer at
a time across threads and processes (SQLite: ``BEGIN IMMEDIATE``; PostgreSQL: a row lock that the
caller takes); who reads sees one state, whatever is written meanwhile (SQLite: WAL; PostgreSQL:
``REPEATABLE READ``); what is deleted is overwritten (SQLite: ``secure_delete``); a database of the
newest schema is opened without Alembic, which takes longer to load than a command to run.
"""

import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError

from governance.errors import ReasonedError

BUSY_TIMEOUT_MS: Final = 30_000
CACHE_KIB: Final = 65_536  # of a connection; an index of a million random keys grows within it
_ENVIRONMENT: Final = Path(__file__).parent
_IMMEDIATE: Final = "hearthlink_immediate"
_SNAPSHOT: Final = {"isolation_level": "REPEATABLE READ"}  # SQLite's WAL gives it unasked
_REVISION: Final = re.compile(r'^revision = "(\w+)"$', re.MULTILINE)


def sqlite_url(path: Path) -> str:
    """The database URL of a SQLite file."""
    return f"sqlite:///{path}"


class StoreError(ReasonedError):
    """A database cannot be opened, read or written."""

    reason = "store"
    exit_code = 74  # EX_IOERR


class Database:
    """An engine with the project's settings, migrated to the newest schema.

    Args:
        url: ``sqlite:///FILE`` or ``postgresql+psycopg://...``.
        versions: folder of Alembic versions.
        label: what the database is for, in messages and in the name of the version table.

    Raises:
        StoreError: it cannot be opened.
    """

    error: ClassVar[type[ReasonedError]] = StoreError

    def __init__(self, url: str, versions: Path, label: str) -> None:
        try:
            self.engine = create_engine(url, pool_pre_ping=True, hide_parameters=True)
            if self.is_sqlite:
                _configure_sqlite(self.engine)
            _migrate(self.engine, versions, label)
        except (SQLAlchemyError, ImportError, sqlite3.Error) as error:
            if hasattr(self, "engine"):
                self.engine.dispose()
            raise self.error(
                f"the {label} database cannot be opened ({type(error).__name__})",
                next_step="check the database URL, and that its folder exists and can be written",
            ) from error
        self._writers = threading.Lock()

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection in one read transaction, whose statements all see one state."""
        with self._translated(), self.engine.connect() as plain:
            yield plain if self.is_sqlite else plain.execution_options(**_SNAPSHOT)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A connection in one write transaction: committed at the end, undone on any error."""
        with self._translated(), self._writers, self.engine.connect() as plain:
            connection = plain.execution_options(**{_IMMEDIATE: True})
            with connection.begin():
                yield connection

    def truncate_wal(self) -> None:
        """Empty SQLite's write-ahead log, so that what was erased is in no file."""
        if self.is_sqlite:
            with self._translated(), self.engine.connect() as connection:
                raw: Any = connection.connection.driver_connection
                raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise self.error(
                f"the database is busy, full or away ({type(error.orig).__name__})",
                next_step="check free disk space and that the database answers, then try again",
            ) from error
        except DBAPIError as error:
            raise self.error(
                f"the database refused a statement ({type(error).__name__})"
            ) from error


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy's "begin" event below decides
        for setting in (
            f"busy_timeout={BUSY_TIMEOUT_MS}",
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "secure_delete=ON",
            f"cache_size=-{CACHE_KIB}",
        ):
            connection.execute(f"PRAGMA {setting}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get(_IMMEDIATE)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def newest_revision(versions: Path) -> str:
    """The revision of the last of the numbered files in a folder of Alembic versions.

    It is the one that no other follows: a test holds every folder to that.
    """
    last = max(versions.glob("[0-9]*.py"), key=lambda path: path.name)
    (found,) = _REVISION.findall(last.read_text("utf-8"))
    return str(found)


def _migrate(engine: Engine, versions: Path, label: str) -> None:
    with engine.connect() as connection:
        if _revision(connection, f"{label}_version") == newest_revision(versions):
            return
    _upgrade(engine, versions, label)


def _revision(connection: Connection, table: str) -> str | None:
    """What a version table says; None where there is no table, or nothing in it."""
    if not inspect(connection).has_table(table):
        return None
    statement = text(f"SELECT version_num FROM {table}")  # noqa: S608 - a name of our own
    found: str | None = connection.scalar(statement)
    return found


def _upgrade(engine: Engine, versions: Path, label: str) -> None:
    from alembic import command  # noqa: PLC0415 - slow to load
    from alembic.config import Config  # noqa: PLC0415 - likewise

    config = Config()
    config.set_main_option("script_location", str(_ENVIRONMENT))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", str(versions))
    with engine.connect().execution_options(**{_IMMEDIATE: True}) as connection, connection.begin():
        config.attributes["connection"] = connection
        config.attributes["version_table"] = f"{label}_version"
        command.upgrade(config, "head")
