"""Whom the newest check of a source has let through, as keyed hashes.

Rules, in order: a list is of one source and replaces the one before it, whole or not at all, and
never one of a later day, since somebody may have opted out in between; only who was **let through**
is kept, so that nobody here holds a list of people who opted out, and a row whose number was never
checked counts as opted out; a list is used for ``MOST_DAYS`` after the day of the check, that day
included, and not before it; a row without a number that passes its check is rejected, since nobody
can say whether its person has opted out; a file that was prepared under an older check of the
source is not sent.
"""

import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from governance.agreements.models import Agreement
from governance.canonical import write_time
from partner_agent.extracts.mapping import SourceMapping
from partner_agent.opt_outs.errors import NoOptOutList, StaleOptOutList
from partner_agent.store.database import AgentDatabase
from partner_agent.store.tables import opt_out_lists, opt_out_passed, submissions
from partner_agent.vault.store import Vault

MOST_DAYS: Final = 21  # age of a check, in calendar days
_HASH_BYTES: Final = 16
_BATCH: Final = 20_000  # rows in one statement's parameters


@dataclass(frozen=True)
class OptOutList:
    """The newest check of a source."""

    source: str
    id: str
    checked: str
    imported: str
    numbers: int

    def days_left(self, today: date) -> int:
        """For how many days more the check may be used; negative: for none."""
        return MOST_DAYS - (today - date.fromisoformat(self.checked)).days


@dataclass(frozen=True)
class Passed:
    """Who may be used of a source; NHS numbers are asked for by their ten digits."""

    key: bytes
    list: str
    hashes: frozenset[bytes]

    def __contains__(self, number: object) -> bool:
        return isinstance(number, str) and _hash(self.key, number) in self.hashes


class OptOuts:
    """This partner's lists."""

    def __init__(self, database: AgentDatabase, vault: Vault) -> None:
        self._database = database
        self._key = vault.hash_key

    def replace(
        self, source: str, numbers: Iterable[str], checked: date, now: datetime
    ) -> OptOutList:
        """Take the answer of a check.

        Args:
            source: whose numbers were sent.
            numbers: that came back, ten digits each.
            checked: the day on which the service answered.
            now: the time.

        Raises:
            StaleOptOutList: the day is too long ago, not come yet, or before that of the list held.
        """
        _require_fresh(source, checked, now.date())
        hashes = {_hash(self._key, number) for number in numbers}
        id_ = secrets.token_hex(16)
        found = OptOutList(source, id_, checked.isoformat(), write_time(now), len(hashes))
        rows = [{"source": source, "hash": hash_} for hash_ in hashes]
        with self._database.writing() as connection:
            held = connection.scalar(
                select(opt_out_lists.c.checked).where(opt_out_lists.c.source == source)
            )
            if held is not None and found.checked < held:
                raise StaleOptOutList(
                    f"a check of {source} of a later day, {held}, was imported before",
                    next_step="import the newest answer of the service",
                )
            for table in (opt_out_passed, opt_out_lists):
                connection.execute(delete(table).where(table.c.source == source))
            for start in range(0, len(rows), _BATCH):
                connection.execute(insert(opt_out_passed), rows[start : start + _BATCH])
            connection.execute(insert(opt_out_lists).values(**vars(found)))
            connection.execute(  # what was prepared under the older check is not sent
                update(submissions)
                .where(
                    submissions.c.source == source, submissions.c.state.in_(("prepared", "sent"))
                )
                .values(state="replaced")
            )
        self._database.truncate_wal()
        return found

    def lists(self) -> list[OptOutList]:
        """The newest check of each source."""
        statement = select(opt_out_lists).order_by(opt_out_lists.c.source)
        with self._database.reading() as connection:
            return [OptOutList(*row) for row in connection.execute(statement)]

    def passed(self, agreement: Agreement, mapping: SourceMapping, today: date) -> Passed | None:
        """Who may be used of a source; None where its agreement does not ask for a check.

        Raises:
            NoOptOutList, StaleOptOutList: nothing of the source may be prepared now.
        """
        how = _how(agreement, mapping.source)
        if how == "column" and mapping.opt_out is None:
            raise NoOptOutList(
                f"the agreement says that a column of {mapping.source} holds opt-outs, and its "
                "mapping names none",
                next_step="add opt_out to the mapping",
            )
        if how != "check":
            return None
        if mapping.nhs_number_column is None:
            raise NoOptOutList(
                f"the mapping of {mapping.source} names no column with NHS numbers, by which "
                "opt-outs are known",
                next_step="add opt_out_nhs_number to the mapping: it is used for this alone",
            )
        found = self._list(mapping.source)
        _require_fresh(mapping.source, date.fromisoformat(found.checked), today)
        statement = select(opt_out_passed.c.hash).where(opt_out_passed.c.source == mapping.source)
        with self._database.reading() as connection:
            return Passed(self._key, found.id, frozenset(connection.scalars(statement)))

    def require_sendable(self, agreement: Agreement, source: str, today: date) -> None:
        """Check that opt-outs of a prepared file's source were checked lately.

        Raises:
            NoOptOutList, StaleOptOutList: they were not; check and prepare again.
        """
        if _how(agreement, source) == "check":
            checked = date.fromisoformat(self._list(source).checked)
            _require_fresh(source, checked, today)

    def _list(self, source: str) -> OptOutList:
        for found in self.lists():
            if found.source == source:
                return found
        raise NoOptOutList(
            f"the agreement upholds the national data opt-out for {source}, and no check of it "
            "was imported",
            next_step=f"partner-agent opt-outs export EXTRACT, have it checked over MESH, then "
            f"partner-agent opt-outs import ANSWER --source {source} --checked DATE",
        )


def require_newest(connection: Connection, source: str, passed: Passed) -> None:
    """Check within a transaction that nobody has imported another check meanwhile.

    Raises:
        StaleOptOutList: somebody has.
    """
    statement = select(opt_out_lists.c.id).where(opt_out_lists.c.source == source)
    if connection.scalar(statement) != passed.list:
        raise StaleOptOutList(
            f"another check of {source} was imported while its extract was prepared",
            next_step="prepare the extract again",
        )


def _how(agreement: Agreement, source: str) -> str | None:
    found = agreement.source(source)
    return None if found is None else found.opt_outs


def _require_fresh(source: str, checked: date, today: date) -> None:
    if checked > today:
        raise StaleOptOutList(
            f"the check of {source} is dated after today", next_step="look at the date, and clock"
        )
    if today - checked > timedelta(days=MOST_DAYS):
        raise StaleOptOutList(
            f"opt-outs of {source} were checked more than {MOST_DAYS} days ago",
            next_step="partner-agent opt-outs export EXTRACT, have it checked again, import it",
        )


def _hash(key: bytes, number: str) -> bytes:
    message = b"hearthlink/opt-outs/v1\0" + number.encode("utf-8", "surrogatepass")
    return hmac.digest(key, message, "sha256")[:_HASH_BYTES]
