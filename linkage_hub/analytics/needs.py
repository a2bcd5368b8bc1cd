"""Needs of families, from their members' indicators.

Rules: a need is met when any source says so of any member, unmet when some source says that it is
not and none that it is, and otherwise unknown, which is never counted as unmet. A family is
flagged for professional consideration when at least the agreement's minimum of needs is met, it
lives in the county still as far as is known, and no member is in the programme already.

All families are assessed at once, in columns.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.agreements.models import IN_PROGRAMME

UNKNOWN, UNMET, MET = 0, 1, 2
STATES: Final = ("unknown", "unmet", "met")
"""Words for the codes above."""
UNSAID, SEVERAL = -1, -2
SEVERAL_NAMES: Final = "*"
"""Stored where a family's records name several areas equally often; no id of an indicator."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Said:
    """What sources say of families' members, one row a word of one source on one indicator.

    Attributes:
        family: number of the family, int64 (n,).
        indicator: index in ``names``, int64 (n,).
        source: number of the source system, int64 (n,).
        met: bool (n,).
        names: ids of indicators.
    """

    family: Ints
    indicator: Ints
    source: Ints
    met: Bools
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Categories:
    """Which area, team or length of engagement each family is of.

    Attributes:
        names: ids of indicators.
        of: place in ``names`` of each family, int64 (f,); ``UNSAID`` or ``SEVERAL`` elsewhere.
    """

    names: tuple[str, ...]
    of: Ints


@dataclass(frozen=True, slots=True)
class Assessments:
    """Every family's needs, and whether it is put forward.

    Attributes:
        needs: ids, in order of the columns below.
        state: of each family and need, int8 (f, k), as in ``STATES``.
        sources: how many source systems speak for that state, int64 (f, k).
        in_programme, resident, flagged: bool (f,).
    """

    needs: tuple[str, ...]
    state: NDArray[np.int8]
    sources: Ints
    in_programme: Bools
    resident: Bools
    flagged: Bools

    @property
    def met(self) -> Ints:
        """Needs that are met, int64 (f,)."""
        return np.asarray((self.state == MET).sum(axis=1), dtype=np.int64)

    @property
    def unknown(self) -> Ints:
        """Needs that nobody knows about, int64 (f,)."""
        return np.asarray((self.state == UNKNOWN).sum(axis=1), dtype=np.int64)


def assess(said: Said, needs: Sequence[str], minimum: int, resident: Bools) -> Assessments:
    """Assess all families.

    Args:
        said: of all their members.
        needs: ids of the agreement's indicators.
        minimum: how many needs must be met (agreement: minimum_needs).
        resident: whether each lives here still, or nobody tells that it has left, bool (f,).
    """
    wanted = tuple(need for need in needs if need != IN_PROGRAMME)
    count, width = len(resident), len(wanted)
    cell, met, source = _cells(said, wanted)
    state = np.zeros((count, width), dtype=np.int8)
    flat = state.reshape(-1)
    flat[cell] = UNMET
    flat[cell[met]] = MET
    counted = met | (flat[cell] != MET)  # of a need that is met, only who says so
    kinds = int(source.max(initial=0)) + 1
    pairs = np.unique(cell[counted] * kinds + source[counted])
    sources = np.bincount(pairs // kinds, minlength=count * width).astype(np.int64)
    in_programme = np.zeros(count, dtype=np.bool_)
    family, enrolled, _ = _cells(said, (IN_PROGRAMME,))
    in_programme[family[enrolled]] = True
    flagged = ((state == MET).sum(axis=1) >= minimum) & resident & ~in_programme
    return Assessments(
        wanted, state, sources.reshape(count, width), in_programme, resident, flagged
    )


def states_of(said: Said, indicator: str, count: int) -> NDArray[np.int8]:
    """What is known of one indicator of so many families, int8 (f,), codes of ``STATES``."""
    family, met, _ = _cells(said, (indicator,))
    state = np.full(count, UNKNOWN, dtype=np.int8)
    state[family] = UNMET
    state[family[met]] = MET
    return state


def categorised(said: Said, names: Sequence[str], count: int) -> Categories:
    """Which of several indicators families are counted under.

    The one that most words about members say is met; of two that as many say, neither.

    Args:
        said: of all their members.
        names: ids of indicators that exclude each other, at least one.
        count: how many families there are.
    """
    width = len(names)
    cell, met, _ = _cells(said, tuple(names))
    words = np.bincount(cell[met], minlength=count * width).reshape(count, width)
    most = words.max(axis=1, keepdims=True)
    of = words.argmax(axis=1).astype(np.int64)
    of[(words == most).sum(axis=1) > 1] = SEVERAL
    of[most[:, 0] == 0] = UNSAID
    return Categories(tuple(names), of)


def _cells(said: Said, wanted: tuple[str, ...]) -> tuple[Ints, Bools, Ints]:
    """Words about some indicators: family times their number plus place, met, source."""
    place = np.array(
        [wanted.index(name) if name in wanted else -1 for name in said.names], dtype=np.int64
    )
    column = place[said.indicator] if len(said.indicator) else np.zeros(0, dtype=np.int64)
    counts = column >= 0
    cell = said.family * len(wanted) + column
    return cell[counts], said.met[counts], said.source[counts]


def prevalence(found: Assessments) -> Mapping[str, Mapping[str, int]]:
    """How many families meet each need, do not, or are unknown."""
    return {
        need: {word: int((found.state[:, at] == code).sum()) for code, word in enumerate(STATES)}
        for at, need in enumerate(found.needs)
    }
