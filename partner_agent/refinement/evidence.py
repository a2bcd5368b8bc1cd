"""How far agreement singles a person out, by the agent's own counts.

The parameters of a round come from the hub, which may lie. So that no lie turns a question into one
about a single field, a pattern is answered with only where what it says agrees would be met in few
other rows, in bits: log2 of one over the share of strangers' rows that show it. Rules:

1. The share is the larger of what the parameters say and half of what this source's own rows say,
   so that an honest hub's figure is what both sides of a pair use, and a dishonest one gains a bit
   a field at most.
2. A common value counts by the rows that hold it or one like it. Small sources lean on ``USUAL``.
3. Sex counts for nothing, since first names tell it. *Missing* and *whatever* count for nothing.
4. What people of one home share (surname, address, telephone, e-mail) singles no person out of
   them, so some bits must come from other fields.
5. More than one field, or one official identifier that no other row of the source holds.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from governance.exchange.parameters import IDENTIFIERS, LEVELS, evidence_needed
from partner_agent.refinement.facets import facet
from partner_agent.refinement.rarity import FEWEST_HELD, LARGEST_HOME, Rarity

USUAL: Final[dict[str, tuple[float, ...]]] = {
    "first_name": (0.007, 0.02, 0.03, 0.1),
    "middle_name": (0.01, 0.1),
    "surname": (0.002, 0.004, 0.01),
    "date_of_birth": (4e-5, 0.003, 0.006),
    "sex": (0.5,),
    "address": (1e-5, 1e-4, 1e-3),
    "nhs_number": (1e-7,),
    "nino": (1e-7,),
    "upn": (1e-7,),
    "phone": (1e-6,),
    "email": (1e-6,),
}
"""Share of two strangers that agree at each level or a stronger one: round figures for a large
population, of which no more than a source of a hundred rows takes notice."""

USUAL_PAIRS: Final = 5_000.0  # pairs of rows that ``USUAL`` counts for
NEAR_ENOUGH: Final = 1.0  # bits that the parameters may claim above the agent's own
UNIQUE: Final = 64.0  # bits of an identifier that no other row holds
A_FIELD: Final = 4.0  # bits of a whole field; fewer are a part of one
PERSON: Final = 2.0  # bits that must come from what people of one home do not share
ENOUGH, PLENTY = 1.75, 2.0
"""Fields: a whole one and three bits of others are enough, and so is a unique identifier alone; but
that alone makes no stronger pattern superfluous, since to the other side it may not be unique."""
SPARE: Final = 3.0
"""Bits above the floor from which a pattern makes a stronger one superfluous: the other side,
by its own counts, may hold it for too weak and send the stronger one only."""

_NO_PERSON: Final = frozenset({"surname", "address", "phone", "email"})


class Bits(NamedTuple):
    """What one option adds to a pattern: bits in all, bits beyond the home, and fields."""

    all: float
    person: float
    fields: float


NONE: Final = Bits(0.0, 0.0, 0.0)


class Evidence:
    """Bits of agreement by the own rows.

    Args:
        rarity: counts of the source's values.
    """

    def __init__(self, rarity: Rarity) -> None:
        self._rarity = rarity
        self._least = evidence_needed(rarity.rows)
        self._average = {
            field: _blended(field, rarity.at_least(field), rarity.held(field)) for field in LEVELS
        }

    def floors(self, told: float) -> NDArray[np.float64]:
        """What a pattern must hold to be answered with, and to make stronger ones superfluous.

        Args:
            told: bits that the round asks for; the own rows may ask for more.

        Returns:
            float64 (2, 3): ``Bits``, for the one and for the other.
        """
        least = max(told, self._least)
        return np.array([(least, PERSON, ENOUGH), (least + SPARE, PERSON + SPARE, PLENTY)])

    def levels(self, field: str, value: tuple[str, ...], told: Sequence[float]) -> list[Bits]:
        """For each level of a field what agreement of this value at it adds.

        Args:
            field: a key of ``LEVELS``.
            value: its columns as ``field_value`` gives them.
            told: shares of strangers at each level by the parameters, strongest first.
        """
        if field == "sex":
            return [NONE]
        found = []
        own = stated = 0.0
        for level, share in enumerate(told):
            stated = min(1.0, stated + share)
            own = max(own, self._average[field][level], self._share(field, value, level))
            bits = min(-float(np.log2(stated)), NEAR_ENOUGH - float(np.log2(own)))
            found.append(_bits(field, max(bits, 0.0)))
        if field in IDENTIFIERS and self._rarity.unique(field, value):
            found[0] = Bits(UNIQUE, UNIQUE, ENOUGH)
        return found

    def _share(self, field: str, value: tuple[str, ...], level: int) -> float:
        """Share of the own other rows that agree with a value at a level; 0 where few do."""
        spared = LARGEST_HOME if field == "address" else 1
        others = sum(
            max(0, hits - spared)
            for hits in self._rarity.hits(field, facet(field, value)[level], level)
        )
        return 0.0 if others < FEWEST_HELD else min(1.0, others / self._rarity.held(field))


def swapped(field: str, alike: Bits) -> Bits:
    """What one name adds where both stand in each other's place: together they are one field.

    Args:
        field: of the name.
        alike: what the name adds at the weakest level that swapped names agree at.
    """
    return Bits(alike.all, alike.person, alike.fields if field == "first_name" else 0.0)


def _bits(field: str, bits: float) -> Bits:
    return Bits(bits, 0.0 if field in _NO_PERSON else bits, min(1.0, bits / A_FIELD))


def _blended(field: str, pairs: Sequence[float], held: int) -> tuple[float, ...]:
    """Share of the source's own pairs that agree at least so well, held by ``USUAL``."""
    total = held * (held - 1) / 2.0
    return tuple(
        min(1.0, (count + USUAL_PAIRS * usual) / (total + USUAL_PAIRS))
        for count, usual in zip(pairs, USUAL[field], strict=True)
    )
