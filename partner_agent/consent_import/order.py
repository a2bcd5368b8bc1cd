"""Which decision is the newest word: what an imported one may still say.

Rules, in order: a decision that is older than the newest one about the record is refused; so is a
yes of the very day on which the person said no or withdrew, since nobody knows which came first; a
withdrawal takes back every consent of its day or before; where there is none to take back and no
other decision, it is a no; said again, it changes nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from governance.consent.models import PERMITTING, ConsentState
from governance.consent.registry import Grant
from partner_agent.consent_import.mapping import WITHDRAWN


class Step(StrEnum):
    """What to do with a decision."""

    RECORD = "record"
    WITHDRAW = "withdraw"
    NOTHING = "nothing"
    OLDER = "consent_row.older"


@dataclass(frozen=True)
class Known:
    """What is known about one record and kind."""

    newest: str = ""
    """Day of the newest decision; empty: none."""
    against: bool = False
    """Whether one of that day was a no or a withdrawal."""
    standing: tuple[tuple[str, str], ...] = ()
    """(id, day) of consents that can be withdrawn."""

    @classmethod
    def of(cls, grants: Iterable[Grant], withdrawn: Mapping[str, str]) -> "Known":
        """From what the ledger says and what was withdrawn here.

        Args:
            grants: of the record and kind.
            withdrawn: the day on which the person withdrew, by consent.
        """
        known = cls()
        for grant in grants:
            record = grant.record
            known = known.seen(record.captured[:10], against=record.state is ConsentState.REFUSED)
            changed = [when for when, state in grant.changes if state is ConsentState.WITHDRAWN]
            if grant.id in withdrawn or changed:
                known = known.seen(withdrawn.get(grant.id) or changed[-1][:10], against=True)
            elif record.state is not ConsentState.REFUSED:
                standing = (*known.standing, (grant.id, record.captured[:10]))
                known = replace(known, standing=standing)
        return known

    def step(self, state: str, day: str) -> Step:
        """What to do with a decision of a day."""
        if state == WITHDRAWN:
            if any(given <= day for _, given in self.standing):
                return Step.WITHDRAW
            if not self.newest:
                return Step.RECORD
            return Step.NOTHING if self.against else Step.OLDER
        if day < self.newest:
            return Step.OLDER
        if day == self.newest and self.against and state in PERMITTING:
            return Step.OLDER
        return Step.RECORD

    def to_withdraw(self, day: str) -> list[str]:
        """Ids of the consents that a withdrawal of a day takes back."""
        return [id_ for id_, given in self.standing if given <= day]

    def after(self, step: Step, state: str, day: str, id_: str) -> "Known":
        """What is known once a decision is recorded under an id."""
        if step is Step.WITHDRAW:
            left = tuple(item for item in self.standing if item[1] > day)
            return replace(self.seen(day, against=True), standing=left)
        if step is not Step.RECORD:
            return self
        against = state in {ConsentState.REFUSED, WITHDRAWN}
        known = self.seen(day, against=against)
        return known if against else replace(known, standing=(*known.standing, (id_, day)))

    def seen(self, day: str, *, against: bool) -> "Known":
        """With one decision more."""
        if day > self.newest:
            return replace(self, newest=day, against=against)
        if day == self.newest:
            return replace(self, against=self.against or against)
        return self
