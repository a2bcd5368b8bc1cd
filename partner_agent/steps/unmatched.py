"""Records of one of the partner's own sources that match none of its others, from the vault.

Rules: rows are those of the vault, so whoever has opted out, objected or been erased is not among
them; protected rows are left out; nothing leaves the machine. What is written names records by the
partner's own record ids and fields by their names, and holds no value of any.
"""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from partner_agent.cleansing.rules import MET
from partner_agent.duplicates.texts import COLUMNS
from partner_agent.duplicates.unmatched import Unmatched, unmatched
from partner_agent.errors import AgentError
from partner_agent.vault.store import StoredRow, Vault

HEADINGS: Final = (
    "record_id", "what_stands_in_the_way", "correct", "missing", "nearest_source",
    "nearest_record_id", "likelihood",
)  # fmt: skip
WAYS: Final = ("correct", "several", "missing", "nobody")
"""One correction would match it; more than one is needed; no row comes near and it lacks
something; no row comes near."""


class NoRows(AgentError):
    """A source of which the vault holds nothing."""

    reason = "unmatched.no_rows"


class NothingToAsk(AgentError):
    """A question to which the answer would be that everything is well, whatever the rows hold."""

    reason = "unmatched.nothing_to_ask"


@dataclass(frozen=True)
class Cohort:
    """What was found.

    Attributes:
        asked: records that were asked about.
        protected: rows of protected people and homes, left out.
        lines: of ``HEADINGS``.
        ways: how many by ``WAYS``.
        corrections: how many records each correction alone would match.
    """

    asked: int
    protected: int
    lines: tuple[tuple[str, ...], ...]
    ways: dict[str, int]
    corrections: dict[str, int]

    @property
    def as_csv(self) -> bytes:
        """One record a line."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([HEADINGS, *self.lines])
        return text.getvalue().encode("utf-8", "surrogatepass")


def cohort(vault: Vault, source: str, against: Sequence[str], indicator: str | None) -> Cohort:
    """Records of a source that match none of other sources.

    Args:
        vault: the partner's.
        source: whose records are asked about.
        against: sources that they should be in.
        indicator: only records of which it is met, such as low attendance; all without it.

    Raises:
        NothingToAsk: a source beside itself, or an indicator that none of its rows has.
        NoRows: the vault holds nothing of one of them.
        VaultError: the key does not open a row.
    """
    if source in against:
        raise NothingToAsk(
            f"{source} beside itself: each record would match", next_step="name other sources"
        )
    own, hidden = _rows(vault, source)
    if indicator is not None and not any(f"indicator.{indicator}" in row.clean for row in own):
        raise NothingToAsk(
            f"no row of {source} says anything of that indicator",
            next_step="indicators of a source stand in the agreement",
        )
    others, more = [], hidden
    for each in against:
        rows, hidden = _rows(vault, each)
        others += rows
        more += hidden
    asked = np.array(
        [indicator is None or row.clean.get(f"indicator.{indicator}") == MET for row in own]
    )
    found = unmatched(_frame(own), _frame(others), asked)
    lines = [_line(own[each.row], others, each) for each in found]
    return Cohort(
        asked=int(asked.sum()),
        protected=more,
        lines=tuple(lines),
        ways={way: sum(line[1] == way for line in lines) for way in WAYS},
        corrections=dict(
            Counter(name for each in found for name in each.corrections).most_common()
        ),
    )


def _rows(vault: Vault, source: str) -> tuple[list[StoredRow], int]:
    """Open rows that are not protected, in order of their record ids, and how many are."""
    rows = list(vault.get_many(vault.handles(source)).values())
    if not rows:
        raise NoRows(
            f"the vault holds no row of {source}", next_step="partner-agent prepare its extract"
        )
    shown = [row for row in rows if not row.protected]
    return sorted(shown, key=lambda row: (_id(row), row.handle)), len(rows) - len(shown)


def _frame(rows: Sequence[StoredRow]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: [row.clean.get(name, "") for row in rows] for name in COLUMNS}, dtype=str
    )


def _id(row: StoredRow) -> str:
    return row.clean.get("source_record_id", "")


def _line(row: StoredRow, others: Sequence[StoredRow], each: Unmatched) -> tuple[str, ...]:
    near = None if each.near is None else others[each.near]
    if near is not None:
        way = "correct" if each.corrections else "several"
    else:
        way = "missing" if each.missing else "nobody"
    return (
        _id(row),
        way,
        " or ".join(each.corrections),
        " ".join(each.missing),
        "" if near is None else near.source_id,
        "" if near is None else _id(near),
        "" if near is None else f"{each.probability:.3f}",
    )
