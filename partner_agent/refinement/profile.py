"""What a source tells about its own values before calibration: shares, never a value.

Rules: a share that fewer than ``FEWEST`` pairs make up is given as that many pairs' share; all
are rounded to two digits; what people of one home have in common is told only where at least
``FEWEST_AT_HOME`` pairs of them show it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Final

from governance.exchange.parameters import LEVELS, FieldProfile, SourceProfile
from partner_agent.refinement.facets import Facet, facet, field_value
from partner_agent.refinement.rarity import FEWEST, Rarity

FEWEST_AT_HOME: Final = 100  # pairs
MOST_AT_HOME: Final = 20_000  # pairs that are looked at
LARGEST_HOME: Final = 8  # records at one address; more are an institution
_DIGITS: Final = 2

Row = Mapping[str, str]


def source_profile(rows: Iterable[Row]) -> SourceProfile:
    """The profile of one source.

    Args:
        rows: its cleaned rows.
    """
    held = list(rows)
    rarity = Rarity(held)
    pairs, shared = _at_home(held)
    total = max(1, len(held) * (len(held) - 1) // 2)
    return SourceProfile(
        records=_rounded(len(held)),
        shared_home=_suppressed(shared, total),
        fields=tuple(
            FieldProfile(
                field=field,
                missing=_suppressed(len(held) - rarity.held(field), max(1, len(held))),
                chance=rarity.chance(field),
                home=_home(pairs, field),
            )
            for field in LEVELS
            if rarity.held(field)
        ),
    )


def agreement_level(field: str, one: Facet, other: Facet) -> int:
    """The strongest level at which two values of a field agree; the number of levels for none."""
    for level in range(len(LEVELS[field])):
        if not set(one[level]).isdisjoint(other[level]):
            return level
    return len(LEVELS[field])


def _at_home(rows: Sequence[Row]) -> tuple[list[tuple[Row, Row]], int]:
    """Pairs of two people at one address, and how many there are altogether."""
    homes: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if row.get("address"):
            homes[(row["address"], row.get("postcode", ""))].append(row)
    pairs: list[tuple[Row, Row]] = []
    shared = 0
    for home in homes.values():
        if len(home) > LARGEST_HOME:
            shared += len(home) * (len(home) - 1) // 2
            continue
        for one, other in combinations(home, 2):
            if not _one_person(one, other):
                shared += 1
                if len(pairs) < MOST_AT_HOME:
                    pairs.append((one, other))
    return pairs, shared


def _one_person(one: Row, other: Row) -> bool:
    """Whether two rows of one address look like duplicates."""
    same = [
        one.get(column, "") == other.get(column, "") for column in ("first_name", "date_of_birth")
    ]
    return all(same)


def _home(pairs: Sequence[tuple[Row, Row]], field: str) -> tuple[float, ...]:
    counts = [0] * (len(LEVELS[field]) + 1)
    for one, other in pairs:
        values = field_value(one, field), field_value(other, field)
        if values[0] is not None and values[1] is not None:
            counts[agreement_level(field, facet(field, values[0]), facet(field, values[1]))] += 1
    total = sum(counts)
    if total < FEWEST_AT_HOME:
        return ()
    return tuple(_suppressed(count, total) for count in counts)


def _suppressed(count: float, total: int) -> float:
    """A share to two digits, of no fewer than ``FEWEST``; nothing stays nothing."""
    if not count:
        return 0.0
    return _rounded_share(min(1.0, max(count, FEWEST) / total))


def _rounded_share(share: float) -> float:
    return float(f"{share:.{_DIGITS}g}")


def _rounded(count: int) -> int:
    return int(float(f"{count:.{_DIGITS}g}"))
