"""A request as it is shown: what was done here, and what the ledger proves of others."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from governance.ledger.state import LedgerState
from governance.rights.models import TAKES_OUT, RightsKind
from partner_agent.rights.store import Request, Subject


@dataclass(frozen=True)
class RightsView:
    """One request.

    Attributes:
        days_left: until it is due; negative once it is overdue.
        records: of this partner that it is about.
        in_ledger: whether the ledger has its opening.
        told, proven, unproven: parties that were told which records it is about; that have
            confirmed that they hold them no more; that have not.
        named_after: when the hub named a record that it had confirmed to be gone: it lied.
    """

    id: str
    kind: RightsKind
    received: str
    due: str
    days_left: int
    extended: bool
    records: int
    takes_out: bool
    in_ledger: bool
    carried_out: str | None
    told: tuple[str, ...]
    proven: dict[str, dict[str, int]]
    unproven: tuple[str, ...]
    named_after: str | None
    closed: str | None
    outcome: str | None
    lifted: str | None

    @property
    def next_step(self) -> str:
        """What to do next."""
        if self.named_after is not None:
            return "the hub used a record that it said was gone: tell your IG lead"
        if self.closed is not None:
            return ""
        if self.carried_out is None:
            verb = "report" if self.kind is RightsKind.ACCESS else "carry-out"
            return f"partner-agent rights {verb} {self.id}"
        if self.unproven:
            return "partner-agent run  (the hub's proof comes by the ledger), then rights show"
        return f"answer the person, then partner-agent rights close {self.id}"

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {**asdict(self), "kind": self.kind.value, "next": self.next_step}


def views(
    requests: Iterable[tuple[Request, list[Subject]]], state: LedgerState, today: date
) -> Iterator[RightsView]:
    """Requests beside what the ledger says of them."""
    for request, subjects in requests:
        logged = state.rights.requests.get(request.id)
        names = state.identities.parties
        confirmed = {} if logged is None else logged.confirmed
        unproven = frozenset() if logged is None else logged.unproven
        told = frozenset() if logged is None else logged.told
        yield RightsView(
            id=request.id,
            kind=request.kind,
            received=request.received,
            due=request.due,
            days_left=(date.fromisoformat(request.due) - today).days,
            extended=request.extended,
            records=len({each.handle for each in subjects if each.handle is not None}),
            takes_out=request.kind in TAKES_OUT,
            in_ledger=logged is not None,
            carried_out=request.carried_out,
            told=tuple(sorted(names[key].party for key in told)),
            proven={names[key].party: payload.model_dump() for key, payload in confirmed.items()},
            unproven=tuple(sorted(names[key].party for key in unproven)),
            named_after=request.named_after,
            closed=request.closed,
            outcome=request.outcome,
            lifted=request.lifted,
        )
