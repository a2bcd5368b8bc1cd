"""Prepared files without the records that take no part.

Rules: a file that was not sent yet is destroyed, since its signature would not cover what is left;
one that was sent is rewritten, and so keeps saying which records this partner sent.
"""

from collections.abc import Collection, Container
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import literal_column, select, update

from governance.canonical import parse_json
from governance.identity.envelope import Envelope, parse_model
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import submissions

if TYPE_CHECKING:
    import pyarrow as pa


class OutboxFiles:
    """The outbox, as requests of data subjects see it.

    Args:
        home: the agent's folder.
        database: the agent's.
    """

    def __init__(self, home: Path, database: AgentDatabase) -> None:
        self._folder = home / "outbox"
        self._database = database

    def take_out(self, sources: Collection[str], handles: Collection[bytes]) -> int:
        """Take records out of every prepared file of these sources; how many files held any."""
        from governance.exchange.left_out import leave_out, rewrite  # noqa: PLC0415 - slow to load

        found = 0
        for row in self._rows(sources):
            path = self._folder / f"{row.id}.arrow"
            if not path.exists():
                continue
            table = read(path)
            if not set(handles) & set(table.column("handle").to_pylist()):
                continue
            found += 1
            if row.state == "prepared":
                path.unlink()
                self._mark_replaced(row.id)
            else:
                rewrite(path, leave_out(table, handles))
        return found

    def holding(
        self, sources: Collection[str], handles: Collection[bytes], accepted: Container[str]
    ) -> list[tuple[str, str, bool]]:
        """Source, time and acceptance of each file that was sent and holds any of the records."""
        found = []
        for row in self._rows(sources):
            path = self._folder / f"{row.id}.arrow"
            if row.state == "prepared" or not path.exists():
                continue
            if set(handles) & set(read(path).column("handle").to_pylist()):
                manifest = parse_model(parse_json(row.manifest), Envelope).payload_hash
                found.append((row.source, row.created, manifest in accepted))
        return found

    def accepted(self, source: str, since: str, accepted: Container[str]) -> str | None:
        """Manifest of the newest submission of a source, if made after some time and accepted."""
        rows = self._rows({source})
        if not rows or rows[-1].created <= since:
            return None
        manifest = parse_model(parse_json(rows[-1].manifest), Envelope).payload_hash
        return manifest if manifest in accepted else None

    def manifests(self) -> list[str]:
        """Hashes of all manifests that this agent has made."""
        with self._database.reading() as connection:
            found = connection.scalars(select(submissions.c.manifest)).all()
        return [parse_model(parse_json(each), Envelope).payload_hash for each in found]

    def _rows(self, sources: Collection[str]) -> list[Any]:
        statement = (
            select(submissions)
            .where(submissions.c.source.in_(sources))
            .order_by(literal_column("rowid"))
        )
        with self._database.reading() as connection:
            return list(connection.execute(statement))

    def _mark_replaced(self, id_: str) -> None:
        with self._database.writing() as connection:
            connection.execute(
                update(submissions).where(submissions.c.id == id_).values(state="replaced")
            )


def read(path: Path) -> "pa.Table":
    """The records of a file that this agent made."""
    import pyarrow as pa  # noqa: PLC0415 - slow to load

    with pa.ipc.open_file(pa.memory_map(str(path))) as reader:
        return reader.read_all()
