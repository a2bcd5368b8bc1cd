"""Families in the programme: when they joined, and when progress was first known.

Rules: a family joins in the first month that shows it in the programme, if an earlier month shows
it outside; one that was in it when it was first seen has no known beginning and is left out, and so
is one of which no need is known to be met when it joins: there is nothing to make progress with.
Needs are those of the month in which it joined. Progress has come in the first month by which what
was met is known to be unmet, and has stayed so for as long as is asked; a month in which the family
is not seen breaks that. Whoever has made none is censored in the month in which it was last seen.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.terminal import FileProblem
from linkage_hub.analytics.needs import MET
from linkage_hub.analytics.outcomes.errors import NotATable
from linkage_hub.analytics.outcomes.months import NEVER, Ints, text_of
from linkage_hub.analytics.outcomes.panel import Panel, resolved
from linkage_hub.analytics.outcomes.tables import read_table, table_bytes
from linkage_hub.analytics.risk.features import Features, features_of

COLUMNS: Final = ("family", "joined", "seen_from", "seen_to", "progressed")
_TEAM_MOST: Final = 60

LEFT_OUT: Final = ("in the programme when first seen", "no need known to be met on joining")
"""Why a family that was ever seen in the programme is in no table."""


@dataclass(frozen=True, slots=True)
class Times:
    """When families came under observation and when that ended, months since joining.

    Attributes:
        entry: int64 (f,); 0 for those seen from the beginning. What happened by then was before
            anybody looked (left truncation).
        last: of progress, or of when the family was last seen, int64 (f,).
        event: whether it made progress then, bool (f,).
    """

    entry: Ints
    last: Ints
    event: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.last)

    def rows(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> "Times":
        """Some of the families."""
        return Times(self.entry[at], self.last[at], self.event[at])


@dataclass(frozen=True, slots=True)
class Spells:
    """Families in the programme.

    Attributes:
        family: pseudonyms, str (f,).
        team: short names, empty where none is said, str (f,): no file has them beside needs.
        joined, seen_from, seen_to: months, int64 (f,).
        progressed: month, or ``NEVER``, int64 (f,).
        needs: ids, k of them.
        state: when they joined, int8 (f, k).
    """

    family: NDArray[np.object_]
    team: NDArray[np.object_]
    joined: Ints
    seen_from: Ints
    seen_to: Ints
    progressed: Ints
    needs: tuple[str, ...]
    state: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.family)

    @property
    def met(self) -> Ints:
        """Needs met when they joined, int64 (f,)."""
        return np.asarray((self.state == MET).sum(axis=1), dtype=np.int64)

    @property
    def features(self) -> Features:
        """Needs as a model sees them: unknown has columns of its own."""
        return features_of(self.needs, self.state)

    @property
    def times(self) -> Times:
        """Months since joining."""
        event = self.progressed != NEVER
        last = np.where(event, self.progressed, self.seen_to) - self.joined
        return Times(self.seen_from - self.joined, last, event)

    def rows(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> "Spells":
        """Some of the families."""
        return Spells(
            self.family[at], self.team[at], self.joined[at], self.seen_from[at], self.seen_to[at],
            self.progressed[at], self.needs, self.state[at],
        )  # fmt: skip

    def as_known(self, month: int) -> "Spells":
        """Those who had joined by a month, as they were known then: what came later is not."""
        here = self.rows((self.joined <= month) & (self.seen_from <= month))
        known = (here.progressed != NEVER) & (here.progressed <= month)
        return Spells(
            here.family, here.team, here.joined, here.seen_from, np.minimum(here.seen_to, month),
            np.where(known, here.progressed, NEVER), here.needs, here.state,
        )  # fmt: skip


def spells_of(panel: Panel, *, every: bool, stays: int) -> tuple[Spells, dict[str, int]]:
    """Families that joined within a panel, and how many others did not get in, by reason.

    Args:
        panel: months side by side.
        every: whether all needs have to be resolved, or one.
        stays: months for which that has to last.
    """
    first = panel.in_programme.argmax(axis=0)
    column = np.arange(len(panel.family))
    enrolled = panel.in_programme[first, column]
    before = panel.seen.argmax(axis=0) < first
    state = panel.state[first, column]
    some = (state == MET).any(axis=1)
    left_out = {
        LEFT_OUT[0]: int((enrolled & ~before).sum()),
        LEFT_OUT[1]: int((enrolled & before & ~some).sum()),
    }
    at = np.flatnonzero(enrolled & before & some)
    joined = panel.months[first[at]]
    seen = panel.seen[:, at]
    seen_to = panel.months[len(panel.months) - 1 - seen[::-1].argmax(axis=0)]
    progressed = _progress(panel, at, first[at], every=every, stays=stays)
    spells = Spells(
        panel.family[at], np.full(len(at), "", dtype=object), joined, joined, seen_to, progressed,
        panel.needs, state[at],
    )  # fmt: skip
    return spells, left_out


def _progress(panel: Panel, at: Ints, first: Ints, *, every: bool, stays: int) -> Ints:
    """The month of progress of each family, ``NEVER`` without."""
    targets = panel.state[first, at] == MET
    since = np.full(len(at), NEVER, dtype=np.int64)
    found = np.full(len(at), NEVER, dtype=np.int64)
    for row, month in enumerate(panel.months.tolist()):
        done, _ = resolved(targets, panel.state[row, at], every=every)
        done &= row > first
        since = np.where(done, np.where(since == NEVER, month, since), NEVER)
        came = done & (found == NEVER) & (month - since >= stays)
        found[came] = month
    return found


def read_spells(path: Path) -> Spells:
    """A table of families in the programme.

    Raises:
        NotATable, FileProblem: see there.
    """
    table = read_table(path, COLUMNS)
    found = Spells(
        table.families(once=True), np.full(len(table), "", dtype=object), table.months("joined"),
        table.months("seen_from"), table.months("seen_to"),
        table.months("progressed", optional=True), table.needs, table.state(),
    )  # fmt: skip
    made = found.progressed != NEVER
    table.expect(found.joined <= found.seen_from, "joined no later than seen_from")
    table.expect(found.seen_from <= found.seen_to, "seen_from no later than seen_to")
    table.expect(~made | (found.progressed > found.seen_from), "progressed after seen_from")
    table.expect(~made | (found.progressed <= found.seen_to), "progressed no later than seen_to")
    table.expect(found.met > 0, "a need that is met")
    return found


def spells_bytes(spells: Spells) -> bytes:
    """The table as CSV."""
    columns: dict[str, list[object]] = {
        "family": spells.family.tolist(),
        **{
            name: [text_of(month) for month in months.tolist()]
            for name, months in (
                ("joined", spells.joined), ("seen_from", spells.seen_from),
                ("seen_to", spells.seen_to), ("progressed", spells.progressed),
            )
        },
    }  # fmt: skip
    return table_bytes(columns, spells.needs, spells.state)


def in_order_of(spells: Spells, needs: tuple[str, ...]) -> Spells:
    """The same families with their needs in another order.

    Raises:
        NotATable: the needs are others.
    """
    if set(needs) != set(spells.needs):
        raise NotATable("the table's needs are others than those asked for")
    order = [spells.needs.index(need) for need in needs]
    return Spells(
        spells.family, spells.team, spells.joined, spells.seen_from, spells.seen_to,
        spells.progressed, needs, spells.state[:, order],
    )  # fmt: skip


def with_teams(spells: Spells, path: Path) -> Spells:
    """The same families with their teams, from a CSV file of ``family`` and ``team``.

    Raises:
        NotATable, FileProblem: it is no such file.
    """
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    except OSError as error:
        raise FileProblem(f"{path.name} cannot be read: {error.strerror}") from None
    except ValueError as error:  # pandas' own errors are ValueErrors
        raise NotATable(f"{path.name} cannot be read: {type(error).__name__}") from None
    if list(frame.columns) != ["family", "team"] or frame["family"].duplicated().any():
        raise NotATable(f"{path.name}: expected the columns family and team, each family once")
    if (frame["team"].str.len() > _TEAM_MOST).any():
        raise NotATable(f"{path.name}: team: expected a short name")
    team = pd.Series(spells.family).map(dict(zip(frame["family"], frame["team"], strict=True)))
    return Spells(
        spells.family, team.fillna("").to_numpy(object), spells.joined, spells.seen_from,
        spells.seen_to, spells.progressed, spells.needs, spells.state,
    )  # fmt: skip
