"""How an event is admitted: checked first against what was replayed so far, then applied."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel

from governance.errors import GovernanceError
from governance.ledger.events import Event, EventType
from governance.ledger.payloads import read_payload


class NotAdmissible(GovernanceError):
    """The event may not follow what the ledger already holds."""

    reason = "ledger.not_admissible"
    exit_code = 65  # EX_DATAERR


Payload = TypeVar("Payload", bound=BaseModel)


@dataclass(frozen=True)
class Entry:
    """An event at its place in the log."""

    index: int
    event: Event

    @property
    def kind(self) -> EventType:
        """Its type."""
        return self.event.leaf.type

    @property
    def author(self) -> str:
        """Thumbprint of the party's keys that signed it."""
        return self.event.leaf.author


Commit = Callable[[], None]
Handler = Callable[[Entry], Commit]
"""Checks an entry and returns what to do if it is admitted; raises GovernanceError if not."""


def payload_of(entry: Entry, model: type[Payload]) -> Payload:
    """The entry's payload as ``model``.

    Raises:
        FormatError: erased or of another form.
    """
    payload = read_payload(entry.event)
    if not isinstance(payload, model):
        raise NotAdmissible(f"expected a payload of {model.__name__}")
    return payload
