"""How weights and places of a model are said.

Rules: a weight is said as times the odds, and whether that is more or less; no word says that a
need brings something about; a family's place is a band, and one that has none says why.
"""

from collections.abc import Sequence
from math import exp
from typing import Final

from fastapi import Request

from governance.agreements.models import IN_PROGRAMME
from governance.console.console import Console
from governance.console.labels import Labels, labels_of, name_of
from governance.console.looking import looking
from governance.exchange.risk_api import FamilyRank, RankPart
from governance.ui.words import Words

_HARDLY: Final = 0.01
"""Times the odds that differ from 1 by less are said as hardly anything."""


def labels_by(console: Console, request: Request, agreements: Sequence[str]) -> dict[str, Labels]:
    """What codes of some agreements are called, by agreement."""
    with looking(console, request) as state:
        return {
            hash_: labels_of(state.agreements.standing(hash_).agreement, console.pages.words)
            for hash_ in agreements
        }


def outcome_of(console: Console, outcome: str, labels: Labels) -> str:
    """What a model was trained to expect."""
    if outcome == IN_PROGRAMME:
        return console.pages.words("risk.outcome.in_programme")
    return name_of(labels, "needs", outcome)


def weight(words: Words, adds: float) -> str:
    """What adds to the log odds, as times the odds."""
    times = exp(adds)
    if abs(times - 1) < _HARDLY:
        return words("risk.weight.hardly")
    return words("risk.weight.up" if times > 1 else "risk.weight.down", times=f"{times:.2f}")


def part_words(words: Words, part: RankPart, labels: Labels) -> str:
    """One need of a family and its weight, in few words."""
    need, times = name_of(labels, "needs", part.need), f"{exp(part.adds):.2f}"
    return words(f"risk.part.{part.state}", need=need, times=times)


def place_of(words: Words, rank: FamilyRank | None) -> str:
    """Where a family stands in a model's order."""
    if rank is None:
        return words("risk.band.no_model")
    if rank.band is None:
        return words(f"risk.no_place.{rank.why}")
    return words(f"risk.band.{rank.band}")
