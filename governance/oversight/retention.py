"""Retention: what was destroyed and when, and what is due and not said to be destroyed.

Rules: what the ledger knows of an artefact is when it came to be: a submission's file at the hub, a
run's results, a party's answers to requests. Each is due when the period of its agreement is over
(answers: of its newest version that every partner has signed, under which the party works), and
agents and hub destroy once a day, so a day later the ledger has to hold their word
(``retention.purged``); where it does not, the artefact is overdue. A word is about all that was due
by the period of the agreement that it names, however long other versions would have kept it. Of
rows in vaults and of consent records the ledger cannot say when they are due: the partner's own
agent does. A destruction told without being done cannot be seen here.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final

from governance.agreements.models import Agreement
from governance.agreements.registry import may_replace
from governance.canonical import Frozen
from governance.oversight.chronicle import ANSWERS, FILES, kept_days, scope
from governance.oversight.state import Overseen

GRACE: Final = timedelta(days=1)
"""Agents and the hub destroy once a day."""


class Destroyed(Frozen):
    """What a party has said that it destroyed; counts of more than nothing."""

    time: str
    entry: int
    party: str
    agreement: str
    counts: dict[str, int]


class Due(Frozen):
    """One kind of artefact at one party under one agreement; days are UTC.

    Attributes:
        what: ``files`` of submissions and results of ``runs`` at a hub, or a party's answers to
            requests (``releases``), as ``retention.purged`` counts them.
        days: how long it may be kept.
        newest: day on which the newest that the ledger knows of came to be.
        next: when the next is due; empty where nothing is ahead.
        overdue_since: since when something is due that nobody said was destroyed; else empty.
        last: when this party last said that it destroyed some; empty if never.
    """

    agreement: str
    version: int
    party: str
    what: str
    days: int
    newest: str
    next: str
    overdue_since: str
    last: str


def destroyed(state: Overseen, party: str | None = None, most: int = 100) -> list[Destroyed]:
    """What was destroyed, the newest first."""
    found = []
    for purge in reversed(state.chronicle.purges):
        if party in (None, purge.party):
            found.append(
                Destroyed(
                    time=purge.time,
                    entry=purge.entry,
                    party=purge.party,
                    agreement=state.agreements.standing(purge.agreement).agreement.id,
                    counts={name: count for name, count in purge.counts.items() if count},
                )
            )
        if len(found) == most:
            break
    return found


def retention(state: Overseen, now: datetime) -> list[Due]:
    """Every kind of artefact that the ledger knows of, what is overdue first."""
    chronicle, found = state.chronicle, []
    for (hash_, party, what), days in chronicle.made.items():
        found.append(_due(state, hash_, party, what, days, now))
    files: dict[tuple[str, str], set[str]] = {}
    for (hash_, hub, _), time in chronicle.files.items():  # an older one went when it was replaced
        files.setdefault((hash_, hub), set()).add(time[:10])
    for (hash_, hub), days in files.items():
        found.append(_due(state, hash_, hub, FILES, days, now))
    return sorted(found, key=lambda each: (not each.overdue_since, each.next or "9", each.party))


def _due(state: Overseen, hash_: str, party: str, what: str, days: set[str], now: datetime) -> Due:
    agreement, today = state.agreements.standing(hash_).agreement, now.astimezone(UTC).date()
    kept = kept_days(_working(state, agreement) if what == ANSWERS else agreement)[what]
    last, until = state.chronicle.purged.get((scope(hash_, what), party, what), ("", ""))
    ends = [date.fromisoformat(day) + timedelta(days=kept) for day in sorted(days) if day > until]
    over = [end for end in ends if end + GRACE < today]
    ahead = [end for end in ends if end + GRACE >= today]
    return Due(
        agreement=agreement.id,
        version=agreement.version,
        party=party,
        what=what,
        days=kept,
        newest=max(days),
        next=ahead[0].isoformat() if ahead else "",
        overdue_since=over[0].isoformat() if over else "",
        last=last,
    )


def _working(state: Overseen, agreement: Agreement) -> Agreement:
    """The newest version that may replace an agreement and that all have signed, or else itself.

    Some of its partners alone cannot move the others' period: theirs replaces nothing.
    """
    standings = (state.agreements.standing(hash_) for hash_ in state.agreements)
    signed = [
        each.agreement
        for each in standings
        if each.complete_at is not None and may_replace(each.agreement, agreement)
    ]
    return max(signed, key=lambda each: each.version, default=agreement)
