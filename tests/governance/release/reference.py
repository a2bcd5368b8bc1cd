"""Who may be re-identified, written a second time from DESIGN 8 and 9, and from nothing else.

The rule is told what happened in order, in its own words, and shares no code with the product:
plain lists, read from the beginning at each question. ``test_machine.py`` holds the product to it.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

YES, NO, ASKED = "given", "refused", "requested"
PARTNERS = {"police", "nhs", "council"}
MANAGERS = {"manager": "council", "other manager": "nhs"}
LEADS = {"lead": "council", "other lead": "nhs", "outsider": "hub"}


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
    number: str
    family: tuple[Person, ...]
    without: frozenset[str]
    items: frozenset[str]
    made: datetime
    until: datetime
    by: str
    to: str
    approver: str = ""
    approved: bool = False
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

    def moments(self, after: datetime, before: datetime) -> list[datetime]:
        """When something that was said or asked for begins or ends, soonest first."""
        found = {word.until for word in self.said.values()}
        found |= {when for asked in self.asked.values() for when in (asked.made, asked.until)}
        return sorted(when for when in found if after < when < before)

    def newest(self, partner: str, record: str) -> Said | None:
        """The last word about a record."""
        for word in reversed(self.words):
            found = self.said[word]
            if (found.partner, found.record) == (partner, record):
                return found
        return None

    def ask(self, asked: Asked) -> bool:
        """A request is made; whether the ledger may take it."""
        if (
            asked.by not in MANAGERS
            or asked.by in self.revoked
            or asked.to != asked.by
            or not timedelta(0) < asked.until - asked.made <= timedelta(hours=24)
            or any(asked.number == other.number for other in self.asked.values())
        ):
            return False
        self.asked[asked.id] = asked
        return True

    def decide(self, request: str, by: str, made: datetime, *, approve: bool) -> bool:
        """Somebody decides; whether the ledger may take it."""
        asked = self.asked.get(request)
        if (
            asked is None
            or asked.approver
            or LEADS.get(by) not in PARTNERS
            or by in self.revoked
            or made >= asked.until
        ):
            return False
        asked.approver, asked.approved = by, approve
        return True

    def may_release(self, request: str, partner: str, now: datetime) -> frozenset[str]:
        """The records that a partner may hand out for a request; none where it may not."""
        asked = self.asked[request]
        if not (
            asked.approved
            and not self.revoked & {asked.by, asked.approver}
            and asked.made <= now < asked.until
            and partner not in asked.answered_by
        ):
            return frozenset()
        found = self.may_approach(asked.family, asked.without, asked.items, MANAGERS[asked.by], now)
        return frozenset(record for holder, record in found if holder == partner)

    def may_approach(
        self,
        family: tuple[Person, ...],
        without: frozenset[str],
        items: frozenset[str],
        receiver: str,
        now: datetime,
    ) -> frozenset[tuple[str, str]]:
        """The records of a family that were said yes for; none where anybody's yes lacks."""
        names = {person.name for person in family}
        if (
            not self.in_force(now)
            or receiver != "council"
            or not items
            or not items <= {"first_name", "surname", "address"}
            or not without <= names
            or without == names
        ):
            return frozenset()
        found: set[tuple[str, str]] = set()
        for person in family:
            if person.name not in without:
                yes = self._yes(person, items, now)
                if not yes:
                    return frozenset()
                found |= yes
        return frozenset(found)

    def _yes(self, person: Person, items: frozenset[str], now: datetime) -> set[tuple[str, str]]:
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
                and items <= word.items
                and "council" in word.recipients
                and not (person.adult and word.by_parent)
            ):
                found.add((partner, record))
        return found
