"""The county of the state machine: partners, staff and families, and the rule beside them."""

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

from governance.errors import GovernanceError
from governance.identity.models import Role
from governance.ledger.events import Event, EventType
from governance.release.models import Members
from tests.governance.release.reference import Person, Reference
from tests.governance.world import NOON, Party, Staff, World

ITEMS: Final = ("first_name", "surname", "address", "date_of_birth")
PARTNERS: Final = ("police", "nhs", "council")
PEOPLE: Final = {"1": True, "2": False, "3": True}
"""Whether each is an adult."""


def handle_of(person: str, party: str) -> str:
    """The handle of a person's record at a party."""
    return hashlib.sha256(f"{person}{party}".encode()).hexdigest()[:32]


def _family(*members: tuple[str, tuple[str, ...]]) -> tuple[Person, ...]:
    return tuple(
        Person(name, PEOPLE[name], tuple((party, handle_of(name, party)) for party in parties))
        for name, parties in members
    )


FAMILIES: Final = (
    _family(("1", ("police", "council")), ("2", ("council",))),
    _family(("1", ("council",)), ("2", ("council", "nhs")), ("3", ("nhs",))),
    _family(("1", ("police", "nhs", "council"))),
    _family(("3", ("nhs", "council")), ("2", ("council",))),
)


class County:
    """Three partners, one agreement, and the reference rule beside them.

    The council's manager and lead sign with passkeys, the others with key files.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world = world = World(passkeys=True)
        self.staff = {
            "manager": world.manager,
            "lead": world.lead,
            "other manager": Staff("nhs", Role.SERVICE_MANAGER, "c" * 32),
            "other lead": Staff("nhs", Role.IG_LEAD, "d" * 32),
            "outsider": Staff("hub", Role.IG_LEAD, "e" * 32),
        }
        for name in ("other lead", "outsider"):
            party = self.party(self.staff[name].party)
            world.enrol(self.staff[name], party.signing, party.keys.thumbprint)
        lead = self.staff["other lead"]
        world.enrol(self.staff["other manager"], lead.signing, lead.keys.thumbprint)
        starts, review_by, ends = (
            datetime.fromisoformat(day).replace(tzinfo=UTC)
            for day in (
                world.agreement.valid_from, world.agreement.review_by, world.agreement.expires
            )
        )  # fmt: skip
        self.rule = Reference(starts=starts, review_by=review_by, ends=ends)
        self.now = NOON
        self.documents = [self.members_of(family) for family in FAMILIES]

    def party(self, name: str) -> Party:
        """A partner, or the hub, by its name."""
        parties = (self.world.hub, *self.world.partners)
        return next(party for party in parties if party.name == name)

    def members_of(self, people: tuple[Person, ...]) -> Members:
        """A family as the hub shows it."""
        return self.world.members(
            *(
                (person.name, person.adult, [(self.party(p), h) for p, h in person.records])
                for person in people
            )
        )

    def tried(
        self, author: Party, kind: EventType, payload: Any, refs: tuple[str, ...] = ()
    ) -> Event | None:
        """Append an event if the ledger admits it; else None."""
        try:
            return self.world.write(author, kind, payload, refs, self.now)
        except GovernanceError:
            return None
