"""How a count is published, so that no small one can be told from what is.

Rules: a count below the agreement's threshold, and never one of 7 or fewer, is published as one and
the same word, nought among them; a larger one is rounded to a multiple of a base that is no smaller
than the smallest that is shown. So what
is published of a count depends on that count and on nothing else, and two published numbers are the
same or differ by the threshold at least (DESIGN 10, invariant 21). No total is published beside its
parts: a reader adds up what is there, and learns no hidden part by it.
"""

from typing import Final

from governance.canonical import Frozen

LEAST: Final = 8
"""Counts of 1 to 7 are never shown, whatever an agreement says."""
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


def publish(count: int, threshold: int) -> Published:
    """A count, suppressed and rounded.

    Args:
        count: at least 0.
        threshold: of the agreement: counts below it are hidden, and so is all below 8.
    """
    least = max(LEAST, threshold)
    base = next(base for base in _BASES if base >= least)
    rounded = (count + base // 2) // base * base  # halves are rounded up
    return Published(about=None if count < least else max(rounded, base), most=least - 1, base=base)
