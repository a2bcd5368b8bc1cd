"""The register, by replay of the ledger.

Rules: any party says that it wants an item of a party; from then on that party alone, about its own
systems, takes the item step by step, in the order of ``models``; a permission names what it rests
on, and an exclusion why. Every step is a leaf: dated, and signed by the party concerned.
"""

from dataclasses import dataclass, field
from typing import Final

from governance.agreements.models import Agreement
from governance.errors import GovernanceError
from governance.identity.registry import IdentityRegistry
from governance.ledger.admission import Commit, Entry, Handler, NotAdmissible, payload_of
from governance.ledger.events import EventType
from governance.ledger.payloads import RegisterMoved, RegisterOverridden, RegisterWanted
from governance.register.models import Ground, Step, next_steps

_PERMITS: Final = frozenset({Ground.PRIVACY_NOTICE, Ground.CONSENT_FORM, Ground.STATUTE})


class RegisterNotReady(GovernanceError):
    """An agreement lists items that the register does not show as permitted or in use."""

    reason = "register.not_ready"
    exit_code = 77  # EX_NOPERM


@dataclass(frozen=True)
class Taken:
    """One step: which, on what ground, when, and in which entry."""

    step: Step
    ground: Ground | None
    document: str | None
    time: str
    entry: int


@dataclass
class RegisterItem:
    """An item of a system, with every step that was taken."""

    party: str
    source: str
    item: str
    permitted: bool = False
    steps: list[Taken] = field(default_factory=list)

    @property
    def step(self) -> Step | None:
        """Where it is."""
        return self.steps[-1].step if self.steps else None

    @property
    def usable(self) -> bool:
        """Whether an agreement may list it: in use, or its permission is held."""
        assessed = self.step is Step.ASSESSED and self.permitted
        return assessed or self.step in (Step.IN_USE, Step.PERMISSION_HELD)


@dataclass(frozen=True)
class Wanted:
    """Who wanted an item of a party, and when."""

    by: str
    time: str
    entry: int


class DataItemRegister:
    """Items wanted, by party and item; items of systems, by party, source and item."""

    def __init__(self, identities: IdentityRegistry) -> None:
        self._identities = identities
        self.wanted: dict[tuple[str, str], Wanted] = {}
        self.items: dict[tuple[str, str, str], RegisterItem] = {}

    @property
    def handlers(self) -> dict[EventType, Handler]:
        """What each event type does here."""
        return {
            EventType.REGISTER_WANTED: self._want,
            EventType.REGISTER_MOVED: self._move,
            EventType.REGISTER_OVERRIDDEN: self._overridden,
        }

    def _want(self, entry: Entry) -> Commit:
        payload = payload_of(entry, RegisterWanted)
        by, _ = self._identities.party_key(entry.author)
        self._identities.party_named(payload.party)
        key = (payload.party, payload.item)
        if key in self.wanted:
            raise NotAdmissible("this item is wanted already")
        wanted = Wanted(by, entry.event.leaf.time, entry.index)
        return lambda: self.wanted.update({key: wanted})

    def _move(self, entry: Entry) -> Commit:
        payload = payload_of(entry, RegisterMoved)
        if self._identities.party_key(entry.author)[0] != payload.party:
            raise NotAdmissible("a party takes steps for its own systems")
        if (payload.party, payload.item) not in self.wanted:
            raise NotAdmissible("an item is wanted before it is located")
        key = (payload.party, payload.source, payload.item)
        item = self.items.get(key) or RegisterItem(*key)
        following = next_steps(item.step, permitted=item.permitted)
        if payload.step not in following:
            raise NotAdmissible(
                f"the step does not follow: expected {', '.join(sorted(following))}"
            )
        _check_ground(payload)
        taken = Taken(
            payload.step, payload.ground, payload.document, entry.event.leaf.time, entry.index
        )

        def commit() -> None:
            item.steps.append(taken)
            if taken.step is Step.PERMISSION_HELD:
                item.permitted = True
            elif taken.step not in (Step.ASSESSED, Step.IN_USE):
                item.permitted = False
            self.items[key] = item

        return commit

    def _overridden(self, entry: Entry) -> Commit:
        payload = payload_of(entry, RegisterOverridden)
        if self._identities.party_key(entry.author)[0] != payload.party:
            raise NotAdmissible("a party overrides the register for itself")
        return lambda: None


def _check_ground(payload: RegisterMoved) -> None:
    permits = payload.ground in _PERMITS
    if (payload.step is Step.PERMISSION_HELD) != permits:
        raise NotAdmissible("a permission, and nothing else, rests on a notice, form or statute")
    if (payload.step is Step.EXCLUDED) != (payload.ground is not None and not permits):
        raise NotAdmissible("an exclusion, and nothing else, says why")


def not_ready(
    register: DataItemRegister, agreement: Agreement, party: str
) -> list[tuple[str, str, Step | None]]:
    """A party's items in an agreement that the register does not show as usable.

    Returns:
        Source, item, and where it is: None where the register does not have it.
    """
    found = []
    for source in agreement.sources:
        if source.party == party:
            for name in (*source.items, *source.indicators):
                item = register.items.get((party, source.id, name))
                if item is None or not item.usable:
                    found.append((source.id, name, None if item is None else item.step))
    return found


def require_ready(register: DataItemRegister, agreement: Agreement, party: str) -> None:
    """Check that a party may sign: all that it would hash is in use or permitted.

    Raises:
        RegisterNotReady: with the first items that are not.
    """
    missing = not_ready(register, agreement, party)
    if missing:
        some = "; ".join(
            f"{item} of {source} is {(step or 'not in the register').replace('_', ' ')}"
            for source, item, step in missing[:5]
        )
        more = f"; and {len(missing) - 5} more" if len(missing) > 5 else ""  # noqa: PLR2004
        raise RegisterNotReady(
            f"the register does not show as in use or permitted: {some}{more}",
            next_step="partner-agent register move takes them there; or sign --despite-register, "
            "which the ledger records",
        )
