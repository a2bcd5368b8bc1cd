"""How many have made progress by a month, when some are not watched for so long.

Kaplan and Meier 1958 with delayed entry: a family counts among those at risk in a month if it was
watched before and is still without progress; of one month, progress comes before censoring. An
interval is that of a share (Wilson 1927) among as many families as would spread as Greenwood's
variance does (Rothman 1978): it stays within 0 and 1 and is there where nobody has made progress.

Rule: nothing is said of a month up to which fewer than ``AT_RISK_LEAST`` families were watched.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.analytics.engagement.spells import Times
from linkage_hub.analytics.outcomes.months import Ints
from linkage_hub.analytics.risk.features import Floats
from linkage_hub.analytics.risk.measures import Z95

AT_RISK_LEAST: Final = 10


@dataclass(frozen=True, slots=True)
class Chance:
    """A share of families with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Curve:
    """Progress by month since joining; month 1 is the first entry.

    Attributes:
        at_risk, progressed: in each month, int64 (m,).
        still: share without progress after it, float64 (m,).
        spread: Greenwood's sum, float64 (m,): variance of ``still`` over its square.
    """

    at_risk: Ints
    progressed: Ints
    still: Floats
    spread: Floats

    @property
    def followed(self) -> int:
        """The last month of which something is said; 0 where there is none."""
        enough = np.append(self.at_risk >= AT_RISK_LEAST, [False])
        return int(enough.argmin())

    def by(self, month: int) -> Chance | None:
        """Chance of progress by a month; None where too few were watched so long."""
        if not 1 <= month <= self.followed:
            return None
        still = float(self.still[month - 1])
        variance = still**2 * float(self.spread[month - 1])
        among = still * (1 - still) / variance if variance > 0 else self.at_risk[month - 1]
        return wilson(1 - still, float(among))

    def within(self, more: int, after: int) -> float | None:
        """Chance of progress in so many months more, of families without it after some."""
        if not 0 <= after < after + more <= self.followed:
            return None
        before = 1.0 if after == 0 else float(self.still[after - 1])
        return 1 - float(self.still[after + more - 1]) / before if before > 0 else None

    def median(self) -> int | None:
        """The month by which half have made progress; None where it was not watched for."""
        reached = np.flatnonzero(self.still[: self.followed] <= 0.5)  # noqa: PLR2004 - a half
        return int(reached[0]) + 1 if len(reached) else None


def kaplan_meier(times: Times) -> Curve:
    """Of some families."""
    at_risk, progressed = counts(times)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(at_risk > 0, progressed / at_risk, 0.0)
        spread = np.where(
            at_risk > progressed, progressed / (at_risk * (at_risk - progressed)), 0.0
        )
    return Curve(at_risk, progressed, np.cumprod(1 - share), np.cumsum(spread))


def counts(times: Times) -> tuple[Ints, Ints]:
    """At risk and making progress in each month, int64 (m,) each."""
    length = int(times.last.max(initial=0)) + 2
    watched = times.last > times.entry  # else there is no month in which anything could be seen
    begun = np.bincount(times.entry[watched] + 1, minlength=length)
    ended = np.bincount(times.last[watched] + 1, minlength=length)
    at_risk = np.cumsum(begun[:length] - ended[:length])
    events = np.bincount(times.last[watched & times.event], minlength=length)
    return at_risk[1:-1].astype(np.int64), events[1:-1].astype(np.int64)


def wilson(share: float, among: float) -> Chance:
    """A share among so many, which need not be a whole number, with its interval."""
    z = Z95
    middle = (share + z**2 / (2 * among)) / (1 + z**2 / among)
    half = z * np.sqrt(share * (1 - share) / among + z**2 / (4 * among**2)) / (1 + z**2 / among)
    return Chance(share, max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def groups_by_count(met: Ints, least: int) -> list[tuple[str, NDArray[np.bool_]]]:
    """Families by number of needs: each number alone, the most together until they are enough.

    Args:
        met: needs met, int64 (f,).
        least: families that a group has at least; where all are fewer there is one group.
    """
    fewest, most = (int(met.min()), int(met.max())) if len(met) else (0, 0)
    groups: list[tuple[int, int]] = []
    top = most
    for low in range(most, fewest - 1, -1):
        if int(((met >= low) & (met <= top)).sum()) >= least:
            groups.append((low, top))
            top = low - 1
    if top >= fewest:  # what is left goes with the group above it
        groups.append((fewest, groups.pop()[1] if groups else most))
    return [
        (_label(low, high, most), (met >= low) & (met <= high)) for low, high in reversed(groups)
    ]


def _label(low: int, high: int, most: int) -> str:
    if low == high:
        return f"{low} need" if low == 1 else f"{low} needs"
    return f"{low} or more needs" if high == most else f"{low} to {high} needs"
