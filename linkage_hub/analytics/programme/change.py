"""What became of families between two runs: in the programme, and on the list.

Rules: families are followed by their people, so that one that was merged, or has split, is not
taken for one that joined or left; a person's first home is the family that counts. A family that
was on the list and is not any more is told with the reason, and one whose sources have fallen
silent is told apart from one whose needs are known to be met no longer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.analytics.needs import MET, UNMET
from linkage_hub.analytics.programme.month import Bools, Month

ADDED: Final = ("new_family", "left_programme", "living_here_again", "more_needs", "otherwise")
"""Why a family is put forward now that was not; the first that holds. ``otherwise``: two families
became one, or a need that the catalogue lacks."""
DROPPED: Final = (
    "gone", "joined_programme", "moved_away", "needs_resolved", "needs_unknown", "otherwise",
)  # fmt: skip
"""Why one is not any more; the first that holds. ``otherwise``: one family became two, or a need
that the catalogue lacks."""
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Followed:
    """Families of two runs that share people, one row a pair.

    Attributes:
        before, now: rows in each, int64 (n,).
        older, newer: how many families there are in each, b and f.
    """

    before: Ints
    now: Ints
    older: int
    newer: int

    @classmethod
    def of(cls, before: Month, now: Month) -> "Followed":
        """By the people whose first home they are; those that are nobody's among themselves."""
        both = before.people.merge(now.people, on=["person", "first"])
        pairs = both[["family_x", "family_y"]].drop_duplicates()
        return cls(
            pairs["family_x"].to_numpy(np.int64),
            pairs["family_y"].to_numpy(np.int64),
            len(before.families.family),
            len(now.families.family),
        )

    def back(self, values: Bools) -> Bools:
        """Whether any of a family's earlier ones has it: (b, ...) to (f, ...)."""
        return _any(values[self.before], self.now, self.newer)

    def onward(self, values: Bools) -> Bools:
        """Whether any of a family's later ones has it: (f, ...) to (b, ...)."""
        return _any(values[self.now], self.before, self.older)


@dataclass(frozen=True)
class Changed:
    """Two runs beside each other; arrays of ``now`` are (f,), those of ``before`` (b,).

    Attributes:
        followed: which families are which.
        known: families now whose people were in a family before.
        was_in: families now of which one was in the programme before.
        there: families before whose people are in a family now.
        still_in, known_out: of these, in the programme now; known not to be, and none is in it.
        new_needs: needs met now and not before, bool (f, k).
        was_unknown: of these, needs of which nobody spoke before.
        lost_needs: needs met before and not now, bool (b, k).
        now_unknown: of these, needs of which nobody speaks now.
        added, dropped: index in ``ADDED`` (f,) and in ``DROPPED`` (b,); -1 for others.
    """

    followed: Followed
    known: Bools
    was_in: Bools
    there: Bools
    still_in: Bools
    known_out: Bools
    new_needs: Bools
    was_unknown: Bools
    lost_needs: Bools
    now_unknown: Bools
    added: NDArray[np.int8]
    dropped: NDArray[np.int8]


def change(before: Month, now: Month) -> Changed:
    """What became of families between two runs of one agreement, the earlier first."""
    followed = Followed.of(before, now)
    back, onward = followed.back, followed.onward
    was, is_ = before.judged.state, now.judged.state
    new_needs = (is_ == MET) & ~back(was == MET)
    lost_needs = (was == MET) & ~onward(is_ == MET)
    resolved = lost_needs & onward(is_ == UNMET)
    still_in = onward(now.in_programme)
    return Changed(
        followed=followed,
        known=back(np.ones(followed.older, dtype=np.bool_)),
        was_in=back(before.in_programme),
        there=onward(np.ones(followed.newer, dtype=np.bool_)),
        still_in=still_in,
        known_out=~still_in & onward(now.left),
        new_needs=new_needs,
        was_unknown=new_needs & ~back(was == UNMET),
        lost_needs=lost_needs,
        now_unknown=lost_needs & ~resolved,
        added=_added(before, now, followed, new_needs),
        dropped=_dropped(before, now, followed, lost_needs, resolved),
    )


def _any(values: Bools, place: Ints, count: int) -> Bools:
    found = np.zeros((count, *values.shape[1:]), dtype=np.bool_)
    np.logical_or.at(found, place, values)
    return found


def _added(before: Month, now: Month, followed: Followed, needs: Bools) -> NDArray[np.int8]:
    back = followed.back
    forward = now.families.flagged & ~back(before.families.flagged)
    reasons = {
        "new_family": ~back(np.ones(followed.older, dtype=np.bool_)),
        "left_programme": back(before.in_programme),
        "living_here_again": ~back(before.families.resident),
        "more_needs": needs.any(axis=1),
    }
    return _first(forward, reasons, ADDED)


def _dropped(
    before: Month, now: Month, followed: Followed, lost: Bools, resolved: Bools
) -> NDArray[np.int8]:
    onward = followed.onward
    off = before.families.flagged & ~onward(now.families.flagged)
    reasons = {
        "gone": ~onward(np.ones(followed.newer, dtype=np.bool_)),
        "joined_programme": onward(now.in_programme),
        "moved_away": ~onward(now.families.resident),
        "needs_resolved": resolved.any(axis=1),
        "needs_unknown": lost.any(axis=1),
    }
    return _first(off, reasons, DROPPED)


def _first(
    families: Bools, reasons: Mapping[str, Bools | np.bool_], names: Sequence[str]
) -> NDArray[np.int8]:
    """Index in ``names`` of the first reason that holds, the last where none does; -1 outside."""
    held = [reasons[name] for name in names[:-1]]
    found = np.argmax(np.stack([*held, np.ones(len(families), dtype=np.bool_)]), axis=0)
    return np.where(families, found, -1).astype(np.int8)
