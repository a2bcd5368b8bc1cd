"""How many bands families are away from a need's target, now and when they joined.

Rules: a band is known where it is met and the next is known to be unmet; a family is as far as the
farthest of its members, since any source's word on any member is enough; where two sources are at
odds the farther band counts; what is not known is no distance, and is compared with none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.agreements.criteria import Distance
from linkage_hub.analytics.needs import MET, UNMET
from linkage_hub.analytics.programme.month import Month, States

NOT_KNOWN: Final = -1
Steps = NDArray[np.int8]


@dataclass(frozen=True)
class Distances:
    """Of all families, int8 (f,): 0 at the target, then the band, or ``NOT_KNOWN``."""

    now: Steps
    start: Steps


def distances(month: Month, distance: Distance) -> Distances:
    """Of one need that is measured."""
    return Distances(
        steps([month.said(band.indicator) for band in distance.bands]),
        steps([month.said(band.at_start) for band in distance.bands]),
    )


def steps(bands: Sequence[States]) -> Steps:
    """The band of each family.

    Args:
        bands: states, int8 (f,), the target's own band first; one at least.
    """
    state = np.stack(bands)
    places = np.arange(1, len(bands) + 1)[:, None]
    least = np.where(state == MET, places, 0).max(axis=0)
    beyond = np.vstack([state, np.full(state.shape[1], UNMET, dtype=np.int8)])
    known = beyond[least, np.arange(len(least))] == UNMET
    return np.where(known, least, NOT_KNOWN).astype(np.int8)


def labels(distance: Distance) -> tuple[str, ...]:
    """The bands in words, the target first."""
    ends = [f"{band.short_of:f}" for band in distance.bands]
    between = [f"between {near} and {far}" for near, far in pairwise(ends)]
    return (f"at the target of {ends[0]}", *between, f"farther than {ends[-1]}")
