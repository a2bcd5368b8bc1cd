"""The ledger read once from end to end for a period: consents are counted, all else is replayed.

Leaves hold no person and are public to every party, so a pack holds all of them: their root shows
that none is missing, and their types, in clear, that no refusal, suspension or release is left out.
Of consents the leaf is enough (type, author, time); what somebody decided stays out of the pack.
"""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta

from governance.agreements.policy import Standing
from governance.canonical import parse_json
from governance.errors import FormatError
from governance.evidence.errors import PackDamaged
from governance.ledger.events import Event, EventType, read_event
from governance.ledger.export import RawEntry
from governance.ledger.state import LedgerState

COUNTED = frozenset(kind.value for kind in EventType if kind.value.startswith("consent."))
"""Types of which a period shows numbers only."""


@dataclass(frozen=True)
class Days:
    """A period: from the first day to the last, both whole, UTC."""

    first: date
    last: date

    @classmethod
    def of(cls, first: str, last: str) -> "Days":
        """From ISO dates.

        Raises:
            FormatError: not dates, or the last day comes before the first.
        """
        try:
            days = cls(date.fromisoformat(first), date.fromisoformat(last))
        except ValueError:
            raise FormatError("a day looks like 2026-04-01") from None
        if days.last < days.first:
            raise FormatError("the last day comes before the first")
        return days

    @property
    def start(self) -> str:
        """Its first second; times of this form sort as text."""
        return f"{self.first.isoformat()}T00:00:00Z"

    @property
    def end(self) -> str:
        """The first second after it."""
        return f"{(self.last + timedelta(days=1)).isoformat()}T00:00:00Z"

    def holds(self, time: str) -> bool:
        """Whether a time lies in it."""
        return self.start <= time < self.end


@dataclass
class Stream:
    """What was read so far.

    Attributes:
        events: every replayed entry, also before and after the period: answers may be later.
        kinds: how many entries of the period are of each type.
        counted: consents of the period by type, then by the author's thumbprint.
        at_start: how agreements stood when the period began; ``at_end`` when it had ended.
        until: the newest time in the ledger.
        inside: entries of the period.
    """

    log: str
    days: Days
    state: LedgerState = field(init=False)
    events: list[tuple[int, Event]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    counted: dict[str, Counter[str]] = field(default_factory=dict)
    at_start: dict[str, Standing] = field(default_factory=dict)
    at_end: dict[str, Standing] = field(default_factory=dict)
    until: str = ""
    inside: int = 0
    _began: bool = False
    _ended: bool = False

    def __post_init__(self) -> None:
        self.state = LedgerState(self.log)

    def read(self, entry: RawEntry) -> bool:
        """Take the next entry of the log; whether its payload belongs into a pack.

        Raises:
            PackDamaged: not a leaf, or its payload is missing or another's.
        """
        seen = glance(entry.leaf)
        self._mark(seen.time)
        self.until = max(self.until, seen.time)
        if inside := self.days.holds(seen.time):
            self.inside += 1
            self.kinds[seen.kind] += 1
        if seen.kind in COUNTED:
            if inside:
                self.counted.setdefault(seen.kind, Counter())[seen.author] += 1
            return False
        try:
            event = read_event(entry.leaf, entry.salt, entry.payload)
        except FormatError as error:
            raise PackDamaged(f"entry {entry.index}: {error.message}") from None
        if event.payload is None:
            raise PackDamaged(f"entry {entry.index} has no payload")
        self.state.size = entry.index
        self.state.apply(event)
        self.events.append((entry.index, event))
        return True

    def close(self) -> None:
        """The last entry was read."""
        self._mark(self.days.start)
        self._mark(self.days.end)

    def _mark(self, time: str) -> None:
        """Note how agreements stand when the period begins, and when it has ended."""
        if not self._began and time >= self.days.start:
            self._began, self.at_start = True, self._standings()
        if not self._ended and time >= self.days.end:
            self._ended, self.at_end = True, self._standings()

    def _standings(self) -> dict[str, Standing]:
        return {hash_: self.state.agreements.standing(hash_) for hash_ in self.state.agreements}


@dataclass(frozen=True)
class Glance:
    """What a leaf says in clear, of which nothing is verified."""

    kind: str
    time: str
    author: str
    id: str
    refs: frozenset[str]


def glance(leaf: bytes) -> Glance:
    """What a leaf says in clear.

    Raises:
        PackDamaged: it lacks a field of a leaf.
    """
    try:
        data = parse_json(leaf)
        kind, time, author, id_ = (str(data[name]) for name in ("type", "time", "author", "id"))
        return Glance(kind, time, author, id_, frozenset(map(str, data["refs"])))
    except (FormatError, KeyError, TypeError):
        raise PackDamaged("a leaf of the ledger lacks a field that every leaf has") from None
