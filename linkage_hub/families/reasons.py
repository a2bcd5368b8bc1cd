"""Codes of the evidence on which a membership rests; a bit mask holds several."""

from typing import Final

import numpy as np

from linkage_hub.families.columns import RELATION_CODES, Ints
from linkage_hub.families.pairs import ALIKE, MOVED, TIMES, TOGETHER, Pairs

REASONS: Final = (
    "alone",
    "same_surname",
    "same_address",
    "moved_in_together",
    "moved_together",
    *(f"mention_{relation}" for relation in RELATION_CODES),
    "second_home_same_surname",
    "second_home_mention",
)
"""Codes by bit. ``same_surname`` is at one address; ``moved_in_together`` began there within a
month of each other; ``moved_together`` were seen at several addresses."""
ALONE, SAME_SURNAME, SAME_ADDRESS, MOVED_IN, MOVED_ON = (1 << bit for bit in range(5))
MENTION = tuple(1 << (5 + at) for at in range(len(RELATION_CODES)))
SECOND_SURNAME, SECOND_MENTION = (1 << bit for bit in (9, 10))

_BY_TIME = np.full(TIMES, 0, dtype=np.int64)
_BY_TIME[TOGETHER], _BY_TIME[MOVED] = MOVED_IN, MOVED_ON


def codes_of(mask: int) -> tuple[str, ...]:
    """Codes of a bit mask, sorted."""
    return tuple(sorted(code for bit, code in enumerate(REASONS) if mask >> bit & 1))


def reasons_of(pairs: Pairs) -> Ints:
    """Bit mask of each pair seen at one address, int64 (m,)."""
    return np.where(pairs.name == ALIKE, SAME_SURNAME, SAME_ADDRESS) | _BY_TIME[pairs.time]
