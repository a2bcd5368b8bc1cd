"""Later referral: of families that a run put forward, who was referred by the usual route since.

Rules: followed are families that were open to the programme at the first run and known not to have
been referred within the time that the indicator looks back on; who was referred already, and of
whom it was not known, are counted apart. A family is referred within a horizon once a run by then
says so; it is not where runs say so whose looking back leaves no gap up to the horizon; it is gone
where the last run of the horizon has no family of that pseudonym (it moved, or was joined to
another), and unknown otherwise. Runs count up to ``GRACE`` days late, since no month is exact. A
horizon that no run reaches is not reported.

Shares are of those of whom it is known; beside them stands between what they would be were all
others not referred, or referred. Families put forward differ from others in much, so a difference
does not tell that putting forward, or help, made it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import numpy as np
from dateutil.relativedelta import relativedelta
from numpy.typing import NDArray

from governance.reports.models import Cell, Dot, Dots, Estimate, Part, Report, Table
from linkage_hub.analytics.figures.documents import NOTE, part_of
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.quality.intervals import Interval, wilson

HORIZONS: Final = (3, 6, 12)
"""Months."""
GRACE: Final = timedelta(days=15)
ESTIMATES: Final = ("share", "difference")
"""Headings of columns with intervals."""
GROUPS: Final = ("put forward", "not put forward")
ABSENT: Final = -1
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Seen:
    """A run's families, and the day that it finished."""

    day: date
    families: FamilyColumns


@dataclass(frozen=True, slots=True)
class Followed:
    """What became of one group within one horizon: numbers of families."""

    horizon: int
    group: str
    referred: int
    not_referred: int
    unknown: int
    gone: int

    @property
    def families(self) -> int:
        """All that were followed."""
        return self.referred + self.not_referred + self.unknown + self.gone

    @property
    def share(self) -> Interval | None:
        """Referred, of those of whom it is known; None of nobody."""
        known = self.referred + self.not_referred
        return wilson(self.referred / known, known) if known else None


@dataclass(frozen=True, slots=True)
class FollowUp:
    """Families of one run, followed.

    Attributes:
        followed: for each horizon that runs reach, families put forward and others.
        already: open to the programme, and referred before.
        not_known: open to the programme, and not known to be referred or not.
    """

    followed: tuple[Followed, ...]
    already: int
    not_known: int


def follow(first: Seen, later: Sequence[Seen], window_months: int) -> FollowUp:
    """Follow a run's families.

    Args:
        first: the run that put families forward.
        later: runs after it, of the same agreement, in any order.
        window_months: how far the indicator of referral looks back.
    """
    open_ = first.families.resident & ~first.families.in_programme
    cohort = open_ & (first.families.referred == UNMET)
    names = first.families.family[cohort]
    runs = sorted((run for run in later if run.day > first.day), key=lambda run: run.day)
    states = [_states(names, run.families) for run in runs]
    flagged = first.families.flagged[cohort]
    found = []
    for horizon in HORIZONS:
        end = first.day + relativedelta(months=horizon)
        used = [at for at, run in enumerate(runs) if run.day <= end + GRACE]
        if not used or runs[used[-1]].day < end - GRACE:
            continue
        days = [runs[at].day for at in used]
        kinds = _became([states[at] for at in used], days, first.day, end, window_months)
        for group, which in zip(GROUPS, (flagged, ~flagged), strict=True):
            found.append(Followed(horizon, group, *(int((kind & which).sum()) for kind in kinds)))
    return FollowUp(
        tuple(found),
        int((open_ & (first.families.referred == MET)).sum()),
        int((open_ & (first.families.referred == UNKNOWN)).sum()),
    )


def _states(names: NDArray[np.object_], families: FamilyColumns) -> NDArray[np.int8]:
    """What a later run says of some families, int8 (f,); ``ABSENT`` where it lacks them."""
    at = {name: place for place, name in enumerate(families.family.tolist())}
    place = np.array([at.get(name, -1) for name in names.tolist()], dtype=np.int64)
    said = np.append(families.referred, np.int8(ABSENT))
    return np.asarray(said[place], dtype=np.int8)


def _became(
    states: Sequence[NDArray[np.int8]],
    days: Sequence[date],
    begin: date,
    end: date,
    window_months: int,
) -> tuple[Bools, Bools, Bools, Bools]:
    """Referred, not referred, unknown, gone: bool (f,) each, and each family in one of them."""
    size = len(states[0])
    referred = np.zeros(size, dtype=np.bool_)
    clear = np.full(size, begin.toordinal(), dtype=np.int64)  # known not to be referred up to here
    for state, day in zip(states, days, strict=True):
        referred |= state == MET
        since = (day - relativedelta(months=window_months) - GRACE).toordinal()
        clear[(state == UNMET) & (clear >= since)] = day.toordinal()
    gone = ~referred & (states[-1] == ABSENT)
    not_referred = ~referred & ~gone & (clear >= (end - GRACE).toordinal())
    return referred, not_referred, ~referred & ~gone & ~not_referred, gone


def difference(one: Followed, other: Followed) -> Interval | None:
    """Share of the one less that of the other, 95 % (Newcombe, Stat. Med. 17, 1998, method 10)."""
    first, second = one.share, other.share
    if first is None or second is None:
        return None
    apart = first.value - second.value
    down = math.hypot(first.value - first.low, second.high - second.value)
    up = math.hypot(first.high - first.value, second.value - second.low)
    return Interval(apart, max(-1.0, apart - down), min(1.0, apart + up))


_OF_KNOWN: Final = (
    "The share is of those of whom it is known, with its interval of 95 %. Were none of the others "
    "referred, it would be the share at least; were all, at most. Gone: the last run has no such "
    f"family. Runs count up to {GRACE.days} days late; a horizon that none reaches is left out."
)
_APART: Final = (
    "Families put forward differ from others in much: a difference says that they were referred "
    "more or less often, and not why."
)


def document_of(
    parts: Sequence[Part],
    *,
    agreement: str,
    runs: Sequence[str],
    made_on: date,
    program: str,
    inputs: Mapping[str, str],
) -> Report:
    """A report to read, of what became of families.

    Args:
        parts: as ``parts_of`` has them.
        agreement: its hash.
        runs: ids: the one that put families forward, then those that followed.
        made_on: today.
        program: hash of the one that makes it.
        inputs: hashes of what it was made from, by what that is.
    """
    return Report(
        kind="later-referral",
        title="Later referral of families put forward",
        lead=(f"Of run {runs[0][:8]}, followed by {len(runs) - 1} later ones.", NOTE),
        agreement=agreement,
        runs=tuple(runs),
        made_on=made_on.isoformat(),
        program=program,
        inputs=dict(inputs),
        parts=tuple(parts),
    )


def parts_of(found: FollowUp, window_months: int) -> tuple[Part, Part]:
    """What became of families put forward and of others, and the difference."""
    cohort = (
        f"Families open to the programme and known not to be referred in the {window_months} "
        f"months before. Left out: {found.already:,} referred already, {found.not_known:,} of whom "
        "it was not known."
    )
    since = Table(
        id="later-referral",
        title="Referred by the usual route since",
        notes=(cohort, _OF_KNOWN),
        headings=(
            "within", "group", "families", "referred", "not referred", "unknown", "gone", "share",
            "at least", "at most",
        ),
        rows=tuple(_row(each) for each in found.followed),
        forms=dict.fromkeys(("share", "at least", "at most"), "share"),
    )  # fmt: skip
    pairs = zip(found.followed[::2], found.followed[1::2], strict=True)
    apart = Table(
        id="later-referral-difference",
        title="Families put forward, less the others",
        notes=(_APART,),
        headings=("within", "difference"),
        rows=tuple((_within(one), _estimate(difference(one, other))) for one, other in pairs),
        forms={"difference": "points"},
    )
    return part_of(since, _chart(found)), part_of(apart)


def _chart(found: FollowUp) -> Dots:
    return Dots(
        label="Share referred since, families put forward and others; the table below has it",
        axis="share referred",
        series=GROUPS,
        points=tuple(
            Dot(
                line=_within(each), series=each.group, value=share.value, low=share.low,
                high=share.high,
            )
            for each in found.followed
            if (share := each.share) is not None
        ),
    )  # fmt: skip


def _row(each: Followed) -> tuple[Cell, ...]:
    everybody = max(1, each.families)
    return (
        _within(each),
        each.group,
        each.families,
        each.referred,
        each.not_referred,
        each.unknown,
        each.gone,
        _estimate(each.share),
        each.referred / everybody,
        (each.families - each.not_referred) / everybody,
    )


def _within(each: Followed) -> str:
    return f"{each.horizon} months"


def _estimate(found: Interval | None) -> Estimate | None:
    if found is None:
        return None
    return Estimate(value=found.value, low=found.low, high=found.high)
