"""Who may be re-identified, written a second time from DESIGN 8 and 9, and from nothing else.

The rule is told what happened in order, in its own words, and shares no code with the product:
plain lists, read from the beginning at each question. ``test_machine.py`` holds the product to it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

YES, NO, ASKED = "given", "refused", "requested"


@dataclass
class Said:
    """Somebody's word about one record, as a partner wrote it down."""

    id: str
    partner: str
    record: str
    answer: str
    by_parent: bool
    purpose: str
    items: frozenset[str]
    recipients: frozenset[str]
    until: datetime
    ended: str = ""  # withdrawn, invalidated or terminated


@dataclass(frozen=True)
class Person:
    """A member of a family as a request names it: the records that it has at partners."""

    name: str
    adult: bool
    records: tuple[tuple[str, str], ...]


@dataclass
class Asked:
    """A manager's request, and what was decided."""

    id: str
    family: tuple[Person, ...]
    without: frozenset[str]
    items: frozenset[str]
    made: datetime
    until: datetime
    by_manager: bool = True
    to_own_keys: bool = True
    logged: bool = False
    approved: bool = False
    approver: str = ""
    answered_by: set[str] = field(default_factory=set)


class Reference:
    """The whole history, and the rule."""

    def __init__(self, *, starts: datetime, review_by: datetime, ends: datetime) -> None:
        self.starts, self.review_by, self.ends = starts, review_by, ends
        self.stopped = False
        self.revoked: set[str] = set()
        self.said: dict[str, Said] = {}
        self.words: list[str] = []
        """Ids of what was said, each time that somebody's own word was written down."""
        self.asked: dict[str, Asked] = {}

    def in_force(self, now: datetime) -> bool:
        """Whether the agreement holds on that day."""
        day = now.date()
        return (
            self.starts.date() <= day <= self.review_by.date()
            and day < self.ends.date()
            and not self.stopped
        )

    def say(self, word: Said, now: datetime) -> bool:
        """Write a word down; a yes needs an agreement in force. Whether it counts."""
        if word.answer == YES and not self.in_force(now):
            return False
        self.said[word.id] = word
        if word.answer != ASKED:
            self.words.append(word.id)
        return True

    def change(self, word: str, partner: str, how: str) -> bool:
        """Say it again, withdraw, invalidate or terminate, by the partner that wrote it down only.

        Only what was a yes and has not ended can be said again.
        """
        found = self.said[word]
        if found.partner != partner:
            return False
        if how == "reaffirmed":
            return found.answer == YES and not found.ended
        if found.ended != "withdrawn":
            found.ended = how
        if how == "withdrawn":
            self.words.append(word)  # the person spoke again
        return True

    def newest(self, partner: str, record: str) -> Said | None:
        """The last word about a record."""
        for word in reversed(self.words):
            found = self.said[word]
            if (found.partner, found.record) == (partner, record):
                return found
        return None

    def may_release(self, request: str, partner: str, now: datetime) -> frozenset[str]:
        """The records that a partner may hand out for a request; none where it may not."""
        asked = self.asked[request]
        if not (
            asked.by_manager
            and asked.to_own_keys
            and asked.logged
            and asked.approved
            and asked.approver == "lead"
            and not self.revoked & {"manager", "lead"}
            and asked.made <= now < asked.until
            and asked.until - asked.made <= timedelta(hours=24)
            and partner not in asked.answered_by
            and self.in_force(now)
            and asked.items <= {"first_name", "surname", "address"}
            and asked.items
        ):
            return frozenset()
        names = {person.name for person in asked.family}
        if not asked.without <= names or asked.without == names:
            return frozenset()
        found: set[str] = set()
        for person in asked.family:
            if person.name in asked.without:
                continue
            yes = self._yes(person, asked, now)
            if not yes:
                return frozenset()
            found |= {record for holder, record in yes if holder == partner}
        return frozenset(found)

    def _yes(self, person: Person, asked: Asked, now: datetime) -> set[tuple[str, str]]:
        """Records of a person that a live yes covers; none where any record's last word is no."""
        found = set()
        for partner, record in person.records:
            word = self.newest(partner, record)
            if word is None:
                continue
            if word.ended in ("withdrawn", "invalidated") or (word.answer == NO and not word.ended):
                return set()
            if (
                word.answer == YES
                and not word.ended
                and now < word.until
                and word.purpose == "offer-help"
                and asked.items <= word.items
                and "council" in word.recipients
                and not (person.adult and word.by_parent)
            ):
                found.add((partner, record))
        return found
