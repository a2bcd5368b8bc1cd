"""What is compared: families as they were in a month, whether help began after it, what came.

Rules: a case is a family in a month in which it lives in the county, has the agreement's minimum of
needs and was never in the programme; it is helped if it is in the programme in the next month that
is looked at. Its needs are those of that month, before help began. ``outcome`` is progress with the
needs met then, so many months later, and ``before`` the same over as many months that end then:
help had not begun, so it can have no part in it. What is unknown is neither progress nor none. A
helped family is a case once, in the month before it joined; one that was not helped yet is a case
in every month, and stays what it is when it is helped later.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from linkage_hub.analytics.needs import MET
from linkage_hub.analytics.outcomes.errors import NotATable
from linkage_hub.analytics.outcomes.months import Ints, text_of
from linkage_hub.analytics.outcomes.panel import Panel, resolved
from linkage_hub.analytics.outcomes.tables import read_table, table_bytes

COLUMNS: Final = ("family", "month", "helped", "later", "before", "outcome")
NOT_KNOWN, NO, YES = -1, 0, 1
_THREE: Final = {"": NOT_KNOWN, "no": NO, "yes": YES}
_TWO: Final = {"no": NO, "yes": YES}
_WORDS: Final = {code: word for word, code in _THREE.items()}
Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class Cases:
    """Families in months.

    Attributes:
        family: pseudonyms, str (n,).
        month: in which its needs are these, int64 (n,).
        helped: help began after it, bool (n,).
        later: not helped then, and helped before the outcome was looked at, bool (n,).
        before: progress over the months before, int8 (n,): ``NOT_KNOWN``, ``NO`` or ``YES``.
        outcome: progress over the months after, int8 (n,).
        needs: ids, k of them.
        state: int8 (n, k), codes of ``STATES``.
    """

    family: NDArray[np.object_]
    month: Ints
    helped: NDArray[np.bool_]
    later: NDArray[np.bool_]
    before: Codes
    outcome: Codes
    needs: tuple[str, ...]
    state: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.family)

    @property
    def number(self) -> Ints:
        """Of each case's family, in order of pseudonyms, int64 (n,)."""
        return np.asarray(pd.factorize(self.family, sort=True)[0], dtype=np.int64)

    def rows(self, at: NDArray[np.int64] | NDArray[np.bool_]) -> "Cases":
        """Some of them."""
        return Cases(
            self.family[at], self.month[at], self.helped[at], self.later[at], self.before[at],
            self.outcome[at], self.needs, self.state[at],
        )  # fmt: skip

    def with_helped(self, helped: NDArray[np.bool_]) -> "Cases":
        """The same with others said to be helped: for a placebo."""
        return Cases(
            self.family, self.month, helped, self.later, self.before, self.outcome, self.needs,
            self.state,
        )  # fmt: skip


def cases_of(panel: Panel, minimum: int, months: int, *, every: bool) -> Cases:
    """Cases of a panel.

    Args:
        panel: months side by side.
        minimum: needs that a case has at least (agreement: minimum_needs).
        months: after which outcomes are looked at; a month whose later one is not in the panel has
            no cases.
        every: whether all needs have to be resolved, or one.

    Raises:
        NotATable: there is not a single case.
    """
    row_of = {month: row for row, month in enumerate(panel.months.tolist())}
    ever = np.logical_or.accumulate(panel.in_programme, axis=0)
    found = [
        _month(panel, ever, row, row_of[month + months], row_of.get(month - months), minimum,
               every=every)
        for month, row in row_of.items()
        if month + months in row_of
    ]  # fmt: skip
    if not found or not any(map(len, found)):
        raise NotATable(
            f"no family to compare: expected months that are {months} apart, and families in them "
            "that were never in the programme and have enough needs"
        )
    return Cases(
        np.concatenate([each.family for each in found]),
        np.concatenate([each.month for each in found]),
        np.concatenate([each.helped for each in found]),
        np.concatenate([each.later for each in found]),
        np.concatenate([each.before for each in found]),
        np.concatenate([each.outcome for each in found]),
        panel.needs,
        np.concatenate([each.state for each in found]),
    )


def _month(
    panel: Panel, ever: NDArray[np.bool_], row: int, after: int, ago: int | None, minimum: int,
    *, every: bool,
) -> Cases:  # fmt: skip
    targets = panel.state[row] == MET
    open_ = panel.seen[row] & panel.seen[row + 1] & panel.resident[row] & ~ever[row]
    at = np.flatnonzero(open_ & (targets.sum(axis=1) >= minimum))
    helped = panel.in_programme[row + 1, at]
    if ago is None:
        before = np.full(len(at), NOT_KNOWN, dtype=np.int8)
    else:
        before = _codes(panel.state[ago, at] == MET, panel.state[row, at], every=every)
    return Cases(
        panel.family[at], np.full(len(at), panel.months[row]), helped, ever[after, at] & ~helped,
        before, _codes(targets[at], panel.state[after, at], every=every), panel.needs,
        panel.state[row, at],
    )  # fmt: skip


def _codes(targets: NDArray[np.bool_], state: NDArray[np.int8], *, every: bool) -> Codes:
    done, not_done = resolved(targets, state, every=every)
    return np.where(done, YES, np.where(not_done, NO, NOT_KNOWN)).astype(np.int8)


def read_cases(path: Path) -> Cases:
    """A table of cases.

    Raises:
        NotATable, FileProblem: see there.
    """
    table = read_table(path, COLUMNS)
    found = Cases(
        table.families(once=False), table.months("month"), table.codes("helped", _TWO) == YES,
        table.codes("later", _TWO) == YES, table.codes("before", _THREE),
        table.codes("outcome", _THREE), table.needs, table.state(),
    )  # fmt: skip
    table.expect(~(found.helped & found.later), "later: no where helped")
    table.expect((found.state == MET).any(axis=1), "a need that is met")
    number = found.number
    help_began = np.full(int(number.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(help_began, number[found.helped], found.month[found.helped])
    table.expect(found.month <= help_began[number], "no month after help began")
    twice = pd.DataFrame({"family": number, "month": found.month}).duplicated()
    table.expect(~twice.to_numpy(np.bool_), "each family once a month")
    return found


def cases_bytes(cases: Cases) -> bytes:
    """The table as CSV."""
    columns: dict[str, list[object]] = {
        "family": cases.family.tolist(),
        "month": [text_of(month) for month in cases.month.tolist()],
        "helped": [_WORDS[int(code)] for code in cases.helped.tolist()],
        "later": [_WORDS[int(code)] for code in cases.later.tolist()],
        "before": [_WORDS[code] for code in cases.before.tolist()],
        "outcome": [_WORDS[code] for code in cases.outcome.tolist()],
    }
    return table_bytes(columns, cases.needs, cases.state)
