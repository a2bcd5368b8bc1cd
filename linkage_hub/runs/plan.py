"""How far a run is, and how long it still takes: over all its jobs.

Rules:
1. What each job costs is known beforehand from the records, views and mode (``planned``), in
   seconds of one machine. Only what the jobs cost beside each other is taken from it.
2. How fast this machine is, the job says that is at work: what it takes for the share that it has
   worked on. What an earlier worker had finished and this one took up is no work (``jobs.queue``).
3. What partners take to answer is theirs, and in no plan.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Final

from governance.exchange.hub_api import Mode

LINK, CALIBRATED, DECIDED, FINISH = "link", "link.calibrated", "link.decided", "link.finish"
KINDS: Final = (LINK, CALIBRATED, DECIDED, FINISH)
"""Of a run's jobs, in order."""

# Seconds of two cores of an Intel Xeon: docs/scale.md, docs/adr/0007-similarity-join.md.
PAIR_SECONDS: Final[Mapping[Mode, float]] = {"exact": 0.9e-9, "fast": 0.26e-9}
"""To compare a pair of records in one of several views; exact also where there is one view."""
FAST_SECONDS: Final = 26e-6  # a record, to compare it in fast mode under one view
READ_SECONDS: Final = 5e-6  # a record
ASK_SECONDS: Final = 10e-6  # a record, to choose what partners are asked
PERSON_SECONDS: Final = 20e-6  # a record
FAMILY_SECONDS: Final = 120e-6  # a record; results and their storing included
EFFECT_SECONDS: Final = 260e-6  # a record, for what errors of linkage do to figures (ADR 40)
FIXED_SECONDS: Final = 0.5  # a job, however few records
UNKNOWN: Final = {LINK: 50.0, CALIBRATED: 5.0, DECIDED: 15.0, FINISH: 30.0}
"""Before the records are known."""
Plan = Mapping[str, float]
"""Seconds by kind of job."""


def planned(sizes: Sequence[int], views: int, mode: Mode, *, questions: bool) -> dict[str, float]:
    """What a run's jobs cost.

    Args:
        sizes: records of each source.
        views: of each record, the full encoding included.
        mode: how candidate pairs are found.
        questions: whether partners are asked about pairs.
    """
    records = sum(sizes)
    if mode == "fast" and views == 1:
        comparing = FAST_SECONDS * records
    else:
        pairs = sum(first * second for first, second in combinations(sizes, 2))
        comparing = PAIR_SECONDS[mode] * pairs * views
    asking = ASK_SECONDS * records if questions else 0.0
    return {
        LINK: FIXED_SECONDS + READ_SECONDS * records + comparing + asking,
        CALIBRATED: FIXED_SECONDS + asking if questions else 0.0,
        DECIDED: FIXED_SECONDS + PERSON_SECONDS * records,
        FINISH: FIXED_SECONDS + (FAMILY_SECONDS + EFFECT_SECONDS) * records,
    }


def share_done(plan: Plan, kind: str, progress: float) -> float:
    """Share of the whole run, 0 to 1.

    Args:
        plan: of the run.
        kind: of the job that is at work; those before it are done.
        progress: of this job, 0 to 1.
    """
    before = sum(plan[each] for each in KINDS[: KINDS.index(kind)])
    return (before + plan[kind] * progress) / sum(plan.values())


def seconds_left(plan: Plan, kind: str, progress: float, pace: float | None) -> int | None:
    """Seconds until the run ends, without what partners take; None when nothing tells the pace.

    Args:
        plan: of the run.
        kind: of the job that is at work.
        progress: of this job, 0 to 1.
        pace: seconds that this job takes in all, as it goes; of a job that waits None.
    """
    if pace is None:
        return None
    later = sum(plan[each] for each in KINDS[KINDS.index(kind) + 1 :])
    return round(pace * (1.0 - progress) + later * pace / plan[kind])
