"""How a count is published, so that no small one can be told from what is.

Rules: a count below the least that is shown, nought among them, is published as one and the same
word; a larger one is rounded to a multiple of a base that is no smaller. So what is published of a
count depends on that count and on nothing else, and two published numbers are the same or differ
by the threshold at least (DESIGN 10, invariant 21). What two published numbers say of the
difference of the counts behind them always leaves room for nought or for the threshold: that it is
one of the small numbers between can never be told (ADR 30).
"""

from typing import Final

from governance.canonical import Frozen

LEAST: Final = 8
"""1 to 7 are never published, whatever an agreement says (DESIGN 11)."""
_BASES: Final = (10, 20, 25, 50, 100)
"""The threshold of an agreement is at most 100."""


class Published(Frozen):
    """A count as it is published.

    Attributes:
        about: rounded; None where it is ``most`` or fewer.
        most: the largest count that is hidden.
        base: what larger ones are rounded to.
    """

    about: int | None
    most: int
    base: int

    def __str__(self) -> str:
        return f"{self.most} or fewer" if self.about is None else f"about {self.about}"


def least_shown(threshold: int) -> int:
    """The smallest count that is shown (agreement: suppression_threshold)."""
    return max(LEAST, threshold)


def publish(count: int, threshold: int) -> Published:
    """A count, suppressed and rounded.

    Args:
        count: at least 0.
        threshold: of the agreement: counts below it are hidden.
    """
    least = least_shown(threshold)
    base = next(base for base in _BASES if base >= least)
    rounded = (count + base // 2) // base * base  # halves are rounded up
    about = None if count < least else max(rounded, base)
    return Published(about=about, most=least - 1, base=base)
