"""Rows of one source of a partner's own that match none of its others, and what would match them.

Rules: all of it in plaintext, at the partner, over its own rows, so that nobody is told what
another party holds (DESIGN 10, invariant 20); the model is that of duplicates, learned from all
rows together; a row is matched when some row of the other sources is likelier of the same person
than not. For one that is not, the likeliest row is looked at: a correction is named where it alone
would match the two, of a field that they do not agree on or that either lacks, or of names that
stand in each other's place. Where no row comes near, what the row lacks is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from partner_agent.duplicates.fields import NAMES, Field, Rows
from partner_agent.duplicates.finding import Learned, learned
from partner_agent.duplicates.model import Compared
from partner_agent.duplicates.source import Source
from partner_agent.duplicates.texts import Columns

NEAR: Final = -6.9
"""Log odds from which a row is worth looking at: one in a thousand."""
WANTED: Final = ("first_name", "surname", "date_of_birth", "postcode", "address")
"""What a row is told to lack, where its source holds it at all."""
SWAPPED: Final = "names_swapped"
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A row that matches none of the others.

    Attributes:
        row: its number among the source's rows.
        near: number of the likeliest row among the others; None where none comes near.
        probability: that these two are one person.
        corrections: fields of which agreement would match the two, the fewest needed alone.
        missing: of ``WANTED``, what the row lacks.
    """

    row: int
    near: int | None
    probability: float
    corrections: tuple[str, ...]
    missing: tuple[str, ...]


def unmatched(own: pd.DataFrame, others: pd.DataFrame, asked: Bools) -> list[Unmatched]:
    """Rows of a source that match no row of others, in order.

    Args:
        own: cleaned rows of the source.
        others: cleaned rows of the partner's other sources, one after the other.
        asked: which of the source's rows are asked about, bool (rows,).
    """
    columns = Columns()
    columns.add(own)
    columns.add(others)
    source = Source.of(columns)
    judged = learned(source)
    best, near = _likeliest(judged, len(own), source.rows)
    alone = np.flatnonzero(asked & (best <= 0))
    corrections = _corrections(judged, alone, near[alone], best[alone])
    blank = {name: (own[name] == "").to_numpy(np.bool_) for name in WANTED if name in own}
    lacks = {name: rows for name, rows in blank.items() if not rows.all()}  # the source has it
    found = []
    for at, fixes in zip(alone.tolist(), corrections, strict=True):
        is_near = best[at] > NEAR
        found.append(
            Unmatched(
                row=at,
                near=int(near[at]) - len(own) if is_near else None,
                probability=float(1 / (1 + np.exp(-best[at]))) if is_near else 0.0,
                corrections=fixes if is_near else (),
                missing=tuple(name for name, rows in lacks.items() if rows[at]),
            )
        )
    return found


def _likeliest(judged: Learned, size: int, rows: int) -> tuple[NDArray[np.float64], Rows]:
    """Of each of the first rows the log odds of its likeliest partner among the others, and it."""
    best, near = np.full(size, -np.inf), np.full(size, -1, dtype=np.int64)
    for left, right in judged.parts():
        across = (left < size) & (right >= size)
        one, other = left[across], right[across]
        odds = judged.model.log_odds(judged.compared(one, other))
        order = np.argsort(odds, kind="stable")  # the likeliest is written last
        better = odds[order] > best[one[order]]
        ends, values = one[order][better], odds[order][better]
        best[ends] = values
        near[ends] = other[order][better]
    assert rows >= size  # noqa: S101 - rows of the others come after
    return best, near


def _corrections(
    judged: Learned, one: Rows, other: Rows, odds: NDArray[np.float64]
) -> Sequence[tuple[str, ...]]:
    """Which single corrections would match each pair; of pairs that come near."""
    found: list[list[str]] = [[] for _ in one]
    at = np.flatnonzero(odds > NEAR)
    if not len(at):
        return [tuple(each) for each in found]
    compared = judged.compared(one[at], other[at])
    swapped = compared.swapped > 0
    turned = Compared(compared.levels, np.zeros_like(compared.swapped), compared.rarity)
    for place in at[swapped & (judged.model.log_odds(turned) > 0)].tolist():
        found[place].append(SWAPPED)
    for number, field in enumerate(judged.fields):
        level = compared.levels[number]
        wrong = (level != 1) & ~(swapped & (field.name in NAMES))
        would = judged.model.log_odds(_agreeing(compared, number, field))
        for place in at[wrong & (would > 0)].tolist():
            found[place].append(field.name)
    return [tuple(each) for each in found]


def _agreeing(compared: Compared, number: int, field: Field) -> Compared:
    """The same pairs, were they to agree on a field."""
    levels = compared.levels.copy()
    changed = levels[number] != 1
    levels[number] = 1
    chance = np.where(changed & field.rare, np.log(field.stranger[0]), 0.0)
    return Compared(levels, compared.swapped, compared.rarity + chance)
