"""What may be claimed for families, and what stands in the way.

Rules: a claim is for the needs that a family had when it joined; each of them is known to be
resolved, and known to have stayed so for as long as the catalogue asks; no need is met now, nor has
one been within that long. What is unknown is never taken for resolved: it stands in the way, under
a name of its own. A need that was not there at the start, and of which nobody speaks now or spoke
the month before, neither stands in the way nor is claimed for; one whose sources have fallen silent
since stands in the way, since it may have come up, and so does one that is known to be unmet now
and may have been met within that long for all that is known.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.agreements.criteria import Need
from linkage_hub.analytics.criteria.judging import succeeded
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.programme.distance import distances
from linkage_hub.analytics.programme.month import Bools, Month

BARS: Final = ("still_met", "not_lasted", "start_unknown", "now_unknown", "lasting_unknown")
"""What can stand in the way of a claim, for one need; the first that holds."""
NOTHING, ACHIEVED = 0, 1
_FIRST_BAR: Final = 2
STILL_MET, NOT_LASTED, START_UNKNOWN, NOW_UNKNOWN, LASTING_UNKNOWN = range(_FIRST_BAR, 7)


@dataclass(frozen=True)
class Claims:
    """Families' claims.

    Attributes:
        standing: int8 (f, k), of each need of the catalogue: ``NOTHING``, ``ACHIEVED``, or what
            stands in the way.
        scope: families that are in the programme or left it lately, bool (f,).
        full: of these, those for which a claim may be made, bool (f,).
        travelled: needs with a distance that is known to have become less since the start, without
            being none, of families in scope without a full claim, bool (f, k).
    """

    standing: NDArray[np.int8]
    scope: Bools
    full: Bools
    travelled: Bools

    @property
    def bars(self) -> NDArray[np.int64]:
        """How many needs stand in the way, int64 (f,)."""
        return np.asarray((self.standing >= _FIRST_BAR).sum(axis=1), dtype=np.int64)

    def barred(self, reason: str) -> Bools:
        """Needs that stand in the way for one reason, bool (f, k)."""
        return np.asarray(self.standing == _FIRST_BAR + BARS.index(reason))


def claims(month: Month, before: Bools | None = None) -> Claims:
    """Of all families of a run.

    Args:
        month: the run.
        before: needs of which somebody spoke the month before, bool (f, k); None without one.
    """
    needs, state = month.criteria.needs, month.judged.state
    silent = np.zeros(state.shape, dtype=np.bool_)
    if before is not None:
        silent = (state == UNKNOWN) & before
    standing = np.stack(
        [_standing(month, need, state[:, at], silent[:, at]) for at, need in enumerate(needs)],
        axis=1,
    )
    scope = month.in_programme | month.closed
    barred = (standing >= _FIRST_BAR).any(axis=1)
    full = scope & ~barred & (standing == ACHIEVED).any(axis=1)
    travelled = np.stack([_travelled(month, need) for need in needs], axis=1)
    return Claims(standing, scope, full, travelled & (scope & ~full)[:, None])


def spoken(month: Month) -> Bools:
    """Needs of which somebody speaks, or says that they were met lately, bool (f, k)."""
    lately = [month.said(need.sustain.known_by) == MET for need in month.criteria.needs]
    return np.asarray((month.judged.state != UNKNOWN) | np.stack(lately, axis=1))


def _standing(month: Month, need: Need, now: NDArray[np.int8], silent: Bools) -> NDArray[np.int8]:
    start = month.said(need.baseline)
    resolved = succeeded(need.success, {name: month.said(name) for name in need.success.of})
    within = month.said(need.sustain.known_by)
    found = np.full(len(now), NOTHING, dtype=np.int8)
    found[start == MET] = ACHIEVED
    found[(start == MET) & (within == UNKNOWN)] = LASTING_UNKNOWN
    found[((start == MET) & (resolved != MET)) | silent] = NOW_UNKNOWN
    found[(start == UNMET) & (now == UNMET) & (within == UNKNOWN)] = LASTING_UNKNOWN
    found[start == UNKNOWN] = START_UNKNOWN
    found[within == MET] = NOT_LASTED
    found[(now == MET) | ((start == MET) & (resolved == UNMET))] = STILL_MET
    return found


def _travelled(month: Month, need: Need) -> Bools:
    if need.distance is None or not need.distance.bands or need.distance_travelled is None:
        return np.zeros(len(month.families.family), dtype=np.bool_)
    found = distances(month, need.distance)
    return np.asarray((found.now > 0) & (found.start > found.now))
