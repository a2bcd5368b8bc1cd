"""The profiles that are compared: how many majorities, and which of the default views."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from governance.agreements.encoding import Hardening
from partner_agent.encoding.person import default_hardening

ALL: Final = "all"
VIEW_SETS: Final[Mapping[str, frozenset[str] | None]] = {
    "no": frozenset(),
    "few": frozenset({"without_surname", "without_address"}),
    "three": frozenset({"without_surname", "without_birth_date", "without_address"}),
    ALL: None,
}
MAJORITIES: Final = (1, 2, 3, 4)


def hardening_of(document: Mapping[str, Any], k: int, views: str = ALL) -> Hardening:
    """A profile over a schema.

    Args:
        document: the linkage schema.
        k: how many majorities make a bit.
        views: name of a set of ``VIEW_SETS``.

    Raises:
        KeyError: there is no such set.
    """
    kept = VIEW_SETS[views]
    found = default_hardening(document, k)
    chosen = [view for view in found.views if kept is None or view.id in kept]
    return Hardening(k=k, bits=found.bits, views=tuple(chosen))


def profiles(
    document: Mapping[str, Any],
    majorities: Sequence[int] = MAJORITIES,
    views: Sequence[str] = ("no", ALL),
) -> dict[str, Hardening | None]:
    """What is compared, by its name in the tables; None is profile ``clk``."""
    found: dict[str, Hardening | None] = {"clk": None}
    for k in majorities:
        for each in views:
            found[name_of(k, each)] = hardening_of(document, k, each)
    return found


def name_of(k: int, views: str) -> str:
    """A profile's name in the tables."""
    return f"k = {k}, {views} views"
