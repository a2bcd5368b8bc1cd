"""From families to the figures of a report."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.agreements.criteria import Need
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.programme.change import ADDED, DROPPED, Changed
from linkage_hub.analytics.programme.claims import ACHIEVED, BARS, Claims
from linkage_hub.analytics.programme.distance import NOT_KNOWN, Steps, distances, labels
from linkage_hub.analytics.programme.models import (
    ClaimsFigures,
    DistanceFigures,
    ForwardFigures,
    ListedFamily,
    Membership,
    Named,
    NeedChange,
    NeedClaims,
)
from linkage_hub.analytics.programme.month import Bools, Month

UNKNOWN_WORD: Final = "unknown"


def membership(now: Month, changed: Changed | None, before: Month | None) -> Membership:
    """Who is in the programme, who joined and who left."""
    inside = now.in_programme
    figures: dict[str, int | None] = dict.fromkeys(
        ("stayed", "joined", "new_families", "before", "still_in", "left", "not_told", "gone")
    )
    if changed is not None and before is not None:
        was = before.in_programme
        figures = {
            "stayed": _count(inside & changed.was_in),
            "joined": _count(inside & changed.known & ~changed.was_in),
            "new_families": _count(inside & ~changed.known),
            "before": _count(was),
            "still_in": _count(was & changed.still_in),
            "left": _count(was & changed.known_out),
            "not_told": _count(was & changed.there & ~changed.still_in & ~changed.known_out),
            "gone": _count(was & ~changed.there),
        }
    return Membership(
        worked_with=_count(inside), left_lately=_count(now.closed), time=_time(now), **figures
    )


def _time(now: Month) -> Named:
    """Families in the programme by the months since they joined, the shortest band first."""
    bands = () if now.criteria.programme is None else now.criteria.programme.joined
    left, found = now.in_programme, {}
    for band in bands:
        within = left & (now.said(band.indicator) == MET)
        found[f"within {band.months} months"] = _count(within)
        left = left & ~within
    if bands:
        longer = left & (now.said(bands[-1].indicator) == UNMET)
        found[f"more than {bands[-1].months} months ago"] = _count(longer)
        left = left & ~longer
    return found | {"at a time not known": _count(left)}


def claim_figures(now: Month, found: Claims, full_before: Bools | None) -> ClaimsFigures:
    """What may be claimed and why not.

    Args:
        now: the month.
        found: its claims.
        full_before: families now of which one could be claimed for the month before, bool (f,).
    """
    scope, bars = found.scope, found.bars
    return ClaimsFigures(
        scope=_count(scope),
        full=_count(found.full),
        new=None if full_before is None else _count(found.full & ~full_before),
        one_bar=_count(scope & (bars == 1)),
        several_bars=_count(scope & (bars > 1)),
        nothing_at_start=_count(scope & (bars == 0) & ~found.full),
        travelled=_count(found.travelled.any(axis=1)),
        needs=tuple(_of_need(now, found, at, need) for at, need in enumerate(now.criteria.needs)),
    )


def _of_need(now: Month, found: Claims, at: int, need: Need) -> NeedClaims:
    start, scope = now.said(need.baseline), found.scope
    barred = {reason: scope & found.barred(reason)[:, at] for reason in BARS}
    return NeedClaims(
        need=need.id,
        title=need.title,
        at_start=_count(scope & (start == MET)),
        unknown_at_start=_count(scope & (start == UNKNOWN)),
        claimed=_count(found.full & (found.standing[:, at] == ACHIEVED)),
        bars={reason: _count(families) for reason, families in barred.items()},
        sole={reason: _count(families & (found.bars == 1)) for reason, families in barred.items()},
        travelled=_count(found.travelled[:, at]),
    )


def distance_figures(
    now: Month, before: Month | None, changed: Changed | None
) -> Iterator[DistanceFigures]:
    """Every need that is measured in bands, over families in the programme now."""
    inside = np.flatnonzero(now.in_programme)
    rows = np.zeros((0, 2), dtype=np.int64)
    if before is not None and changed is not None:  # in the programme in both
        pairs = np.stack([changed.followed.before, changed.followed.now], axis=1)
        rows = pairs[before.in_programme[pairs[:, 0]] & now.in_programme[pairs[:, 1]]]
    for need in now.criteria.needs:
        distance = need.distance
        if distance is None or not distance.bands:
            continue
        found = distances(now, distance)
        words = labels(distance)
        earlier = None if before is None else distances(before, distance).now
        yield DistanceFigures(
            need=need.id,
            title=need.title,
            measure=distance.measure,
            unit=distance.unit,
            now=_bands(found.now[inside], words),
            at_start=_bands(found.start[inside], words),
            before=None
            if earlier is None or before is None
            else _bands(earlier[before.in_programme], words),
            since_start=_moved(found.start[inside], found.now[inside]),
            since_before=None
            if earlier is None
            else _moved(earlier[rows[:, 0]], found.now[rows[:, 1]]),
        )


def _bands(steps: Steps, words: Sequence[str]) -> Named:
    counted = {word: _count(steps == at) for at, word in enumerate(words)}
    return counted | {UNKNOWN_WORD: _count(steps == NOT_KNOWN)}


def _moved(first: Steps, second: Steps) -> Named:
    known = (first != NOT_KNOWN) & (second != NOT_KNOWN)
    return {
        "nearer": _count(known & (second < first)),
        "same": _count(known & (second == first)),
        "farther": _count(known & (second > first)),
        UNKNOWN_WORD: _count(~known),
    }


def forward_figures(before: Month, now: Month, changed: Changed) -> ForwardFigures:
    """Who is put forward now that was not, and who is no longer."""
    added, dropped = changed.added >= 0, changed.dropped >= 0
    flagged, was = now.families.flagged, before.families.flagged
    return ForwardFigures(
        now=_count(flagged),
        stayed=_count(flagged & ~added),
        added={why: _count(changed.added == at) for at, why in enumerate(ADDED)},
        before=_count(was),
        kept=_count(was & ~dropped),
        dropped={why: _count(changed.dropped == at) for at, why in enumerate(DROPPED)},
        needs=tuple(_need_changes(now, changed)),
        added_families=tuple(
            _listed(now, row, ADDED[changed.added[row]], changed.new_needs, changed.was_unknown)
            for row in np.flatnonzero(added).tolist()
        ),
        dropped_families=tuple(
            _listed(
                before, row, DROPPED[changed.dropped[row]], changed.lost_needs, changed.now_unknown
            )
            for row in np.flatnonzero(dropped).tolist()
        ),
    )


def _need_changes(now: Month, changed: Changed) -> Iterator[NeedChange]:
    known, there = changed.known[:, None], changed.there[:, None]
    for at, need in enumerate(now.criteria.needs):
        yield NeedChange(
            need=need.id,
            title=need.title,
            came=_count((changed.new_needs & known)[:, at]),
            known_since=_count((changed.was_unknown & known)[:, at]),
            went=_count((changed.lost_needs & there)[:, at]),
            silent=_count((changed.now_unknown & there)[:, at]),
        )


def _listed(month: Month, row: int, why: str, needs: Bools, unknown: Bools) -> ListedFamily:
    ids = [need.id for need in month.criteria.needs]
    return ListedFamily(
        family=str(month.families.family[row]),
        reason=why,
        needs=tuple(name for name, is_ in zip(ids, needs[row], strict=True) if is_),
        unknown=tuple(name for name, is_ in zip(ids, unknown[row], strict=True) if is_),
    )


def _count(families: NDArray[np.bool_] | np.bool_) -> int:
    return int(families.sum())
