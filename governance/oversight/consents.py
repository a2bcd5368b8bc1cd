"""Consents in numbers: by state, and how they went month by month.

Rules: what is counted is records, of which one person may have several; a record that was erased
counts as erased and as nothing else, whoever saw it before; a permission counts as expired from
the beginning of its last day, hours before agents refuse it; months are those that the entries
state.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from governance.canonical import Frozen
from governance.consent.models import PERMITTING, ConsentKind, ConsentState
from governance.consent.registry import Grant
from governance.oversight.months import month_of, months

MONTHS: Final = 120  # shown at most
Months = dict[tuple[str, str, str, str], int]


class ConsentStates(Frozen):
    """How many records of one party, of one kind, are in each state."""

    party: str
    kind: ConsentKind
    states: dict[ConsentState, int]
    erased: int


class ConsentMonth(Frozen):
    """What happened to records in a month, and how many permitted an approach at its end.

    Attributes:
        recorded: new records, by what was decided.
        changed: records that were changed, by what to.
        permitting: records that permit, at the end of the month, or of today in this one.
    """

    month: str
    recorded: dict[ConsentState, int]
    changed: dict[ConsentState, int]
    permitting: int


@dataclass
class ConsentFigures:
    """Counts that follow each consent event; every grant's share can be taken out again.

    Attributes:
        standing: by party, kind, state, and the day on which a permission ends (else empty).
        recorded: by month, party, kind and state.
        changed: by month, party, kind and what to.
        began: permissions that began (and, below zero, ended) by day, party, kind.
        erased: by party.
    """

    standing: Months = field(default_factory=dict)
    recorded: Months = field(default_factory=dict)
    changed: Months = field(default_factory=dict)
    permitting: Months = field(default_factory=dict)
    erased: dict[str, int] = field(default_factory=dict)

    def count(self, grant: Grant, sign: int) -> None:
        """Add a grant's share, or take it out with a sign of -1."""
        for counts, key, number in self._shares(grant):
            total = counts.get(key, 0) + sign * number
            if total:
                counts[key] = total
            else:
                counts.pop(key, None)

    def _shares(self, grant: Grant) -> Iterator[tuple[Months, tuple[str, str, str, str], int]]:
        party, kind, first = grant.party, grant.terms.kind.value, grant.terms.state
        last = grant.changed_to or first
        ends = grant.expires[:10]
        yield self.standing, (party, kind, last.value, ends if last in PERMITTING else ""), 1
        yield self.recorded, (grant.recorded[:7], party, kind, first.value), 1
        for time, state in grant.changes:
            yield self.changed, (time[:7], party, kind, state.value), 1
        if first in PERMITTING:
            ended = (time[:10] for time, state in grant.changes if state not in PERMITTING)
            over = min(ends, next(ended, ends))
            if (began := grant.recorded[:10]) < over:
                yield self.permitting, (began, party, kind, ""), 1
                yield self.permitting, (over, party, kind, ""), -1


def states(figures: ConsentFigures, today: date) -> list[ConsentStates]:
    """Records by party and kind, each in the state that it has at the end of a day."""
    found: dict[tuple[str, str], dict[ConsentState, int]] = {}
    for (party, kind, state, ends), count in figures.standing.items():
        over = ends and ends <= today.isoformat()
        shown = ConsentState.EXPIRED if over else ConsentState(state)
        counts = found.setdefault((party, kind), dict.fromkeys(ConsentState, 0))
        counts[shown] += count
    erased = dict(figures.erased)
    for party in erased:  # what kind they were is not known any more
        found.setdefault((party, ConsentKind.APPROACH.value), dict.fromkeys(ConsentState, 0))
    return [
        ConsentStates(
            party=party,
            kind=ConsentKind(kind),
            states=counts,
            erased=erased.get(party, 0) if kind == ConsentKind.APPROACH.value else 0,
        )
        for (party, kind), counts in sorted(found.items())
    ]


def trend(
    figures: ConsentFigures,
    today: date,
    party: str | None = None,
    kind: ConsentKind = ConsentKind.APPROACH,
) -> list[ConsentMonth]:
    """Every month from the first record to this one, the oldest first; ten years at most.

    Args:
        figures: as the ledger has them.
        today: permissions that end later than today count as they are now.
        party: of this party's records only.
        kind: of this kind only.
    """

    def chosen(counts: Months, month_at: slice) -> Iterator[tuple[str, str, int]]:
        for (time, who, what, state), count in counts.items():
            if what == kind.value and party in (None, who):
                yield time[month_at], state, count

    recorded = list(chosen(figures.recorded, slice(7)))
    changed = list(chosen(figures.changed, slice(7)))
    known = [month for month, _, _ in (*recorded, *changed)]
    by_month: dict[str, int] = {}
    for day, _, count in chosen(figures.permitting, slice(10)):
        if day <= today.isoformat():
            by_month[day[:7]] = by_month.get(day[:7], 0) + count
    shown = months(min(known, default=month_of(today)), month_of(today), MONTHS)
    permitting = sum(count for month, count in by_month.items() if month < shown[0])
    found = []
    for month in shown:
        permitting += by_month.get(month, 0)
        found.append(
            ConsentMonth(
                month=month,
                recorded=_of(recorded, month),
                changed=_of(changed, month),
                permitting=permitting,
            )
        )
    return found


def _of(counts: list[tuple[str, str, int]], month: str) -> dict[ConsentState, int]:
    found: dict[ConsentState, int] = {}
    for when, state, count in counts:
        if when == month:
            found[ConsentState(state)] = found.get(ConsentState(state), 0) + count
    return found
