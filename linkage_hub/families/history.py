"""Where a family lived: addresses that at least half of its members share, oldest first."""

from collections.abc import Sequence

from linkage_hub.families.evidence import Spell
from linkage_hub.families.residence import Stay


def address_history(stays: Sequence[Sequence[Stay]]) -> tuple[Spell, ...]:
    """Spells of a family.

    Args:
        stays: of each member.
    """
    at: dict[bytes, list[Stay]] = {}
    for person in stays:
        for stay in person:
            at.setdefault(stay.household, []).append(stay)
    spells = [
        _spell(household, group) for household, group in at.items() if 2 * len(group) >= len(stays)
    ]
    return tuple(sorted(spells, key=lambda spell: (spell.first_month, spell.household)))


def _spell(household: bytes, group: Sequence[Stay]) -> Spell:
    ends = [stay.last_month for stay in group if stay.last_month is not None]
    return Spell(
        household,
        min(stay.first_month for stay in group),
        max(ends) if len(ends) == len(group) else None,
    )
