"""What happened when: indexes that replay fills beside the state, so that no page reads the log.

Rules: every entry has its row in ``entries``; only what was admitted counts for anything else, the
clock included, so that nobody moves it by an entry that does not count; of a consent nothing is
kept that the state does not hold, so an erased one leaves only its number. The clock never goes
back: an entry that states an earlier time than one before it is counted, for
the public, in the month in which it came (``public.py`` says why).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

from governance.agreements.models import Action, Agreement
from governance.agreements.registry import AgreementRegistry
from governance.consent.registry import ConsentRegistry, Grant
from governance.errors import GovernanceError
from governance.evidence.choosing import request_of
from governance.ledger.events import Event, EventType
from governance.ledger.merkle import leaf_hash
from governance.ledger.payloads import (
    Decided,
    LinkRunFinished,
    Refused,
    ReleaseRefused,
    Requested,
    RetentionPurged,
    RightsClosed,
    Sealed,
    SubmissionOutcome,
    read_payload,
)
from governance.oversight.columns import Columns
from governance.oversight.consents import ConsentFigures
from governance.release.registry import ReleaseRegistry
from governance.rights.registry import RightsRegistry

FILES, RUNS, ANSWERS = "files", "runs", "releases"
"""Artefacts whose end the ledger can hold against their beginning, as ``retention.purged`` has it.
"""


def kept_days(agreement: Agreement) -> dict[str, int]:
    """For how long each artefact may be kept."""
    keep = agreement.retention
    return {
        FILES: keep.encodings_days, RUNS: keep.link_results_days, ANSWERS: keep.released_items_days,
    }  # fmt: skip


def scope(agreement: str, what: str) -> str:
    """The agreement whose artefacts a word that some were destroyed is about; empty for all."""
    return "" if what == ANSWERS else agreement


CONSENTS: Final = frozenset(kind for kind in EventType if kind.value.startswith("consent."))


@dataclass
class Approach:
    """What the ledger holds about a request.

    Attributes:
        entries: places, the oldest first.
        answers: of each party's answers: place, time, records released, reason.
    """

    entries: list[int] = field(default_factory=list)
    answers: list[tuple[str, int, str, int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Ran:
    """What a finished link run counted.

    Attributes:
        flagged: families put forward; None where the agreement does not name analysis, so that
            nobody looked, or that none may be told.
    """

    persons: int
    families: int
    flagged: int | None


@dataclass(frozen=True)
class Purge:
    """What a party has said that it destroyed."""

    agreement: str
    party: str
    time: str
    entry: int
    counts: dict[str, int]


@dataclass(frozen=True)
class Answered:
    """How a data subject was answered.

    Attributes:
        agreement: its id.
        kind: what was asked for.
        month: of the clock.
        entry: place of the answer; ``time`` is what it states.
        days: from receipt to answer.
        late: whether it was due before.
    """

    agreement: str
    kind: str
    month: str
    entry: int
    time: str
    days: int
    late: bool


@dataclass
class Chronicle:
    """The indexes.

    Attributes:
        clock: the latest time that an entry that counts has stated so far.
        begins: for each month of the clock, the place of its first entry.
        refused: refusals by month, party, what was refused, and reason.
        newest_refusal: of each party, about requests: place, time, reason, request.
        happened: for the public, by month of the clock, agreement's id and what.
        released: requests that were answered with sealed items; ``declined``: those refused first.
        undecided: requests that nobody has decided, the oldest first.
        runs: the last of each month of the clock, by month and agreement's id.
        made: days on which artefacts came to be, by agreement's hash, party and artefact.
        files: when the newest file of a source was accepted, by agreement's hash, hub and source.
        purged: when a party last said that it destroyed some, and the last day of what was due
            then, by agreement's hash, party, artefact; answers to requests, of which a party
            destroys those of all agreements by the one that it works under, without the hash.
        rights: of each request of a data subject, by its id, places.
    """

    entries: Columns = field(default_factory=Columns)
    consents: ConsentFigures = field(default_factory=ConsentFigures)
    clock: str = ""
    begins: dict[str, int] = field(default_factory=dict)
    requests: dict[str, Approach] = field(default_factory=dict)
    families: dict[str, list[str]] = field(default_factory=dict)
    refused: dict[tuple[str, str, str, str], int] = field(default_factory=dict)
    newest_refusal: dict[str, tuple[int, str, str, str]] = field(default_factory=dict)
    happened: dict[tuple[str, str, str], int] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    declined: set[str] = field(default_factory=set)
    undecided: dict[str, None] = field(default_factory=dict)
    runs: dict[tuple[str, str], Ran] = field(default_factory=dict)
    made: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    files: dict[tuple[str, str, str], str] = field(default_factory=dict)
    purged: dict[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    purges: list[Purge] = field(default_factory=list)
    rights: dict[str, list[int]] = field(default_factory=dict)
    answered: dict[str, Answered] = field(default_factory=dict)

    def take(self, index: int, event: Event, *, admitted: bool) -> None:
        """Give the next entry its row, and move the clock if it counts."""
        leaf = event.leaf
        self.entries.append(leaf, leaf_hash(event.leaf_bytes))
        if admitted:
            self.clock = max(self.clock, leaf.time)
            self.begins.setdefault(self.month, index)

    @property
    def month(self) -> str:
        """Of the clock."""
        return self.clock[:7]

    def happen(self, agreement: str, what: str, count: int = 1) -> None:
        """Count for the public."""
        key = (self.month, agreement, what)
        self.happened[key] = self.happened.get(key, 0) + count


class Clerk:
    """Fills the indexes from admitted events.

    Args:
        chronicle: the indexes.
        agreements: as replayed.
        consents: as replayed.
        releases: as replayed.
        rights: as replayed.
        party: the name that a thumbprint stands for.
    """

    def __init__(
        self,
        chronicle: Chronicle,
        agreements: AgreementRegistry,
        consents: ConsentRegistry,
        releases: ReleaseRegistry,
        rights: RightsRegistry,
        party: Callable[[str], str],
    ) -> None:
        self._chronicle = chronicle
        self._agreements = agreements
        self._consents = consents
        self._releases = releases
        self._rights = rights
        self._party = party

    def before(self, event: Event) -> list[Grant]:
        """Grants that an event may change: their shares as they are now are counted."""
        if event.leaf.type not in CONSENTS:
            return []
        grants = self._consents.grants
        found = [grants[ref] for ref in event.leaf.refs if ref in grants]
        for grant in found:
            self._chronicle.consents.count(grant, -1)
        return found

    def after(self, index: int, event: Event, changed: list[Grant], *, admitted: bool) -> None:
        """Count what an event did."""
        grants, figures = self._consents.grants, self._chronicle.consents
        for grant in changed:
            if grant.id in grants:
                figures.count(grant, 1)
        if not admitted:
            return
        if event.leaf.type is EventType.CONSENT_RECORDED:
            if event.leaf.id in grants:
                figures.count(grants[event.leaf.id], 1)
        elif event.leaf.type is EventType.CONSENT_ERASED:
            party = self._party(event.leaf.author)
            figures.erased[party] = figures.erased.get(party, 0) + len(event.leaf.refs)
        elif event.leaf.type not in CONSENTS:
            self._count(index, event)

    def _count(self, index: int, event: Event) -> None:
        payload, time = read_payload(event), event.leaf.time
        request = request_of(payload)
        if request is not None and not isinstance(payload, Refused):
            self._about_request(index, event, request, payload)
        kind, author = event.leaf.type, self._party(event.leaf.author)
        match payload:
            case SubmissionOutcome() if kind is EventType.SUBMISSION_ACCEPTED:
                self._chronicle.files[payload.agreement, author, payload.source] = time
            case SubmissionOutcome():
                self._refuse(time, payload.party, kind.value, payload.reason or "")
            case Refused():
                self._refuse(time, payload.party, payload.action, payload.reason)
            case LinkRunFinished():
                terms = self._agreements.standing(payload.agreement).agreement
                flagged = payload.flagged if Action.ANALYSE in terms.actions else None
                ran = Ran(payload.persons, payload.families, flagged)
                month = self._chronicle.month
                self._chronicle.runs[month, self._agreement_id(payload.agreement)] = ran
                self._make(payload.agreement, author, RUNS, time)
            case RetentionPurged():
                self._purge(index, payload, time)
            case _ if kind.value.startswith("rights."):
                self._about_rights(index, event, payload)

    def _about_request(self, index: int, event: Event, request: str, payload: object) -> None:
        chronicle, time = self._chronicle, event.leaf.time
        approach = chronicle.requests.setdefault(request, Approach())
        approach.entries.append(index)
        if isinstance(payload, Decided):
            chronicle.undecided.pop(request, None)
        match payload:
            case Requested():
                family = self._releases.requests[request].request.family
                chronicle.families.setdefault(family, []).append(request)
                chronicle.undecided[request] = None
            case Sealed():
                approach.answers.append((payload.party, index, time, payload.records, ""))
                self._answer(request, payload.party, time)
                if request not in chronicle.released:
                    chronicle.released.add(request)
                    self._happen(request, "released")
            case ReleaseRefused():
                approach.answers.append((payload.party, index, time, 0, payload.reason))
                self._answer(request, payload.party, time)
                newest = (index, time, payload.reason, request)
                chronicle.newest_refusal[payload.party] = newest
                self._refuse(time, payload.party, event.leaf.type.value, payload.reason)
                self._decline(request)
            case Decided() if event.leaf.type is EventType.RELEASE_DECLINED:
                record = self._releases.requests[request]
                party = record.approver.party if record.approver else ""
                reason = record.decision.reason if record.decision else ""
                self._refuse(time, party, event.leaf.type.value, reason)
                self._decline(request)

    def _make(self, agreement: str, party: str, what: str, time: str) -> None:
        self._chronicle.made.setdefault((agreement, party, what), set()).add(time[:10])

    def _purge(self, index: int, payload: RetentionPurged, time: str) -> None:
        chronicle, party = self._chronicle, payload.party
        counts = payload.model_dump(exclude={"agreement", "party"})
        chronicle.purges.append(Purge(payload.agreement, party, time, index, counts))
        periods = kept_days(self._agreements.standing(payload.agreement).agreement)
        for what, days in periods.items():
            if counts[what]:
                key = (scope(payload.agreement, what), party, what)
                due = (date.fromisoformat(time[:10]) - timedelta(days=days)).isoformat()
                last, until = chronicle.purged.get(key, ("", ""))
                chronicle.purged[key] = max(time, last), max(due, until)

    def _answer(self, request: str, party: str, time: str) -> None:
        record = self._releases.requests.get(request)  # a refusal may come before the request
        if record is not None:
            self._make(record.request.agreement, party, ANSWERS, time)

    def _decline(self, request: str) -> None:
        """Once a request, and only where nobody had released for it before."""
        chronicle = self._chronicle
        if request not in chronicle.declined and request not in chronicle.released:
            chronicle.declined.add(request)
            self._happen(request, "refused")

    def _happen(self, request: str, what: str) -> None:
        record = self._releases.requests.get(request)  # a refusal may come before the request
        if record is not None:
            self._chronicle.happen(self._agreement_id(record.request.agreement), what)

    def _refuse(self, time: str, party: str, what: str, reason: str) -> None:
        key = (time[:7], party, what, reason)
        self._chronicle.refused[key] = self._chronicle.refused.get(key, 0) + 1

    def _about_rights(self, index: int, event: Event, payload: object) -> None:
        chronicle = self._chronicle
        opening = event.leaf.type is EventType.RIGHTS_OPENED
        request = self._rights.requests[event.leaf.id if opening else event.leaf.refs[0]]
        places = chronicle.rights.setdefault(request.id, [])
        places.append(index)
        agreement = self._agreement_id(request.opened.agreement)
        if opening:
            chronicle.happen(agreement, f"rights.{request.opened.kind.value}")
        elif isinstance(payload, RightsClosed):
            day = date.fromisoformat(event.leaf.time[:10])
            days = (day - date.fromisoformat(request.opened.received)).days
            late = day.isoformat() > request.due
            chronicle.answered[request.id] = Answered(
                agreement, request.opened.kind.value, chronicle.month, index, event.leaf.time,
                max(days, 0), late,
            )  # fmt: skip

    def _agreement_id(self, hash_: str) -> str:
        try:
            return self._agreements.standing(hash_).agreement.id
        except GovernanceError:
            return ""
