"""Where each person lives and lived, from what several records say.

Statements about one address are joined. An address is current while any record leaves it open.
Of several, the home is the one that most of the person's records name, then the one begun last,
then the one where most other people live: an address with a mistake in it has no neighbours. An
address with more people than the size limit is institutional.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from linkage_hub.families.evidence import PersonEvidence, Residence


@dataclass(frozen=True, slots=True)
class Stay:
    """One person at one address.

    Attributes:
        families: tokens of address and surname that records gave.
        first_month: earliest stated.
        last_month: None while current.
        records: statements joined.
    """

    household: bytes
    families: frozenset[bytes]
    first_month: int
    last_month: int | None
    records: int

    @property
    def current(self) -> bool:
        """Whether the address is still open."""
        return self.last_month is None


def stays_of(person: PersonEvidence) -> list[Stay]:
    """Stays of a person: current ones first, the main home at the head."""
    by_household: dict[bytes, list[Residence]] = {}
    for residence in person.residences:
        by_household.setdefault(residence.household, []).append(residence)
    stays = [_joined(group) for group in by_household.values()]
    return sorted(stays, key=_rank)


def settle_ties(stays: Sequence[list[Stay]], size_limit: int) -> None:
    """Order each person's stays anew, equal ones by how many people live at the address.

    Args:
        stays: of each person, from ``stays_of``; changed in place.
        size_limit: an address with more residents draws nobody.
    """
    residents = Counter(stay.household for person in stays for stay in person if stay.current)
    drawn = {token: count if count <= size_limit else 0 for token, count in residents.items()}
    for person in stays:
        person.sort(
            key=lambda stay: (*_rank(stay)[:-1], -drawn.get(stay.household, 0), stay.household)
        )


def institutional_households(stays: Sequence[Sequence[Stay]], size_limit: int) -> frozenset[bytes]:
    """Households where more than ``size_limit`` people live now."""
    residents: Counter[bytes] = Counter()
    for person in stays:
        residents.update(stay.household for stay in person if stay.current)
    return frozenset(token for token, count in residents.items() if count > size_limit)


def _joined(group: Sequence[Residence]) -> Stay:
    ends = [residence.last_month for residence in group]
    closed = [end for end in ends if end is not None]
    return Stay(
        group[0].household,
        frozenset(residence.family for residence in group if residence.family is not None),
        min(residence.first_month for residence in group),
        max(closed) if len(closed) == len(ends) else None,
        len(group),
    )


def _rank(stay: Stay) -> tuple[bool, int, int, int, bytes]:
    ended = stay.last_month if stay.last_month is not None else 0
    return (not stay.current, -ended, -stay.records, -stay.first_month, stay.household)
