"""Two lists for professional consideration: a short-term team's, and families that may take longer.

Rules: nobody is put anywhere by a list; each line has a figure, what it rests on and what is
unknown of the family; where no figure can be given the family is on no list, and is counted. A list
holds pseudonyms: it is for staff of the agreement.
"""

import csv
import io
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from linkage_hub.analytics.engagement.chances import Chances
from linkage_hub.analytics.engagement.spells import Spells
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, UNKNOWN
from linkage_hub.analytics.risk.features import Floats

SHORT_TERM: Final = 6
"""Months that a short-term team works with a family at most."""
COLUMNS: Final = ("family", "needs_met", "needs_unknown", "months", "chance", "rests_on")


@dataclass(frozen=True, slots=True)
class Listed:
    """A list.

    Attributes:
        rows: as ``COLUMNS``, sorted by the figure, then by pseudonym.
        considered: families that could have been on it.
        without: those among them of which no figure can be given.
    """

    rows: tuple[tuple[str, int, int, int, str, str], ...]
    considered: int
    without: int

    def as_csv(self) -> bytes:
        """The list."""
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([COLUMNS, *self.rows])
        return text.getvalue().encode()


def short_term(families: FamilyColumns, chances: Chances, minimum: int, at_least: float) -> Listed:
    """Families outside the programme that are likely to make progress within six months.

    Args:
        families: of the newest run, with the needs of ``chances``.
        chances: what figures rest on.
        minimum: needs that put a family forward (agreement: minimum_needs).
        at_least: the least chance.
    """
    met = (families.state == MET).sum(axis=1)
    at = np.flatnonzero(families.resident & ~families.in_programme & (met >= minimum))
    state = families.state[at]
    nothing = np.zeros(len(at), dtype=np.int64)
    chance = chances.by(state, SHORT_TERM, nothing)
    return _listed(families.family[at], state, nothing, chance, chance >= at_least, chances)


def unlikely(spells: Spells, chances: Chances, months: int, at_most: float) -> Listed:
    """Families in the programme that are unlikely to make progress before its length is over.

    Args:
        spells: families in the programme, with the needs of ``chances``.
        chances: what figures rest on.
        months: the programme's length.
        at_most: the highest chance.
    """
    times = spells.times
    still = ~times.event & (spells.seen_to == spells.seen_to.max()) & (times.last < months)
    at = np.flatnonzero(still)
    past = times.last[at]
    chance = chances.by(spells.state[at], months, past)
    return _listed(
        spells.family[at], spells.state[at], past, chance, chance <= at_most, chances, lowest=True
    )


def _listed(
    family: NDArray[np.object_],
    state: NDArray[np.int8],
    past: NDArray[np.int64],
    chance: Floats,
    chosen: NDArray[np.bool_],
    chances: Chances,
    *,
    lowest: bool = False,
) -> Listed:
    at = np.flatnonzero(chosen)  # what is not a number is neither
    order = at[np.lexsort((family[at].astype(str), chance[at] if lowest else -chance[at]))]
    reasons = np.array(chances.reasons(state), dtype=object) if len(state) else family
    rows = tuple(
        (
            str(family[row]), int((state[row] == MET).sum()), int((state[row] == UNKNOWN).sum()),
            int(past[row]), f"{chance[row]:.2f}", str(reasons[row]),
        )
        for row in order.tolist()
    )  # fmt: skip
    return Listed(rows, len(family), int(np.isnan(chance).sum()))
