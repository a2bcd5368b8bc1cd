"""One approach as its entries give it: what is asked, the entries, and the state they lead to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from pydantic import BaseModel

from governance.agreements.policy import Standing
from governance.evidence.errors import NotCounted, NotInLedger
from governance.identity.envelope import Envelope
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import PAYLOADS, Decided, Requested, read_payload
from governance.ledger.state import LedgerState
from governance.release.errors import MembersChanged
from governance.release.models import Members
from governance.release.registry import RequestRecord

Placed = tuple[int, Event]
Payload = TypeVar("Payload", bound=BaseModel)


@dataclass(frozen=True)
class Question:
    """Which approach, of which log.

    Attributes:
        log: the log's name.
        request: hash of the request's exact bytes.
        members: the family as the request's digest names it, where it was given.
        same_ledger: whether the approver's checkpoint is known to be of this very log.
    """

    log: str
    request: str
    members: Members | None
    same_ledger: bool


def replay(log: str, entries: Sequence[Placed], before: int | None = None) -> LedgerState:
    """The state that chosen entries of a log give, each at its own place.

    Raises:
        NotCounted: one of them may not count.
    """
    state = LedgerState(log)
    for index, event in entries:
        if before is not None and index >= before:
            break
        state.size = index
        state.apply(event)
    for rejected in state.rejected:
        raise NotCounted(
            f"entry {rejected.index} may not count ({rejected.reason})",
            next_step="tell the ledger's operator and every partner",
        )
    return state


class Case:
    """A question, its entries in the ledger's order, and what they lead to.

    Raises:
        NotInLedger: the entries hold no such request.
        NotCounted: one of them may not count.
        MembersChanged: the members given are not those that the request names.
    """

    def __init__(self, question: Question, entries: Sequence[Placed]) -> None:
        self.question = question
        self.entries = entries
        self.state = replay(question.log, entries)
        for missing in self.state.consents.unopened.values():
            raise NotCounted(
                f"entry {missing.index} has no payload, and no entry says that it was erased",
                next_step="ask whoever made this for the whole; it may be a refusal",
            )
        record = self.state.releases.requests.get(question.request)
        if record is None:
            raise NotInLedger(
                "the ledger holds no request with this hash",
                next_step="governance release status shows the hash; take a newer export",
            )
        self.record: RequestRecord = record
        asked, given = record.request, question.members
        named = (asked.members, asked.family, asked.agreement)
        if given is not None and (given.digest, given.family, given.agreement) != named:
            raise MembersChanged(
                "the members given are not those that the request names",
                next_step="governance release members REQUEST fetches them from the hub",
            )

    @cached_property
    def standing(self) -> Standing:
        """The request's agreement, as the last entry leaves it."""
        return self.state.agreements.standing(self.record.request.agreement)

    @cached_property
    def request(self) -> tuple[int, Event, Envelope]:
        """The request's entry and envelope."""
        index, event, payload = next(self.of(EventType.RELEASE_REQUESTED, Requested))
        return index, event, payload.request

    @cached_property
    def approval(self) -> tuple[int, Event, Envelope] | None:
        """The decision's entry and envelope."""
        for kind in (EventType.RELEASE_APPROVED, EventType.RELEASE_DECLINED):
            for index, event, payload in self.of(kind, Decided):
                return index, event, payload.approval
        return None

    def of(self, kind: EventType, model: type[Payload]) -> Iterator[tuple[int, Event, Payload]]:
        """Entries of one type, with their payloads."""
        assert PAYLOADS[kind] is model  # noqa: S101 - a slip of the caller
        for index, event in self.entries:
            if event.leaf.type is kind:
                yield index, event, read_payload(event)

    def party(self, event: Event) -> str:
        """The party that wrote an entry."""
        return self.state.identities.party_key(event.leaf.author)[0]
