"""Needs of a family, from its members' indicators.

Rules: a need is met when any source says so of any member, unmet when some source says that it is
not and none that it is, and otherwise unknown, which is never counted as unmet. A family is
flagged for professional consideration when at least the agreement's minimum of needs is met, it
lives in the county still as far as is known, and no member is in the programme already.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

IN_PROGRAMME: Final = "in_programme"
"""Reserved indicator: the family is in the programme already; not a need."""

State = Literal["met", "unmet", "unknown"]


@dataclass(frozen=True)
class Evidence:
    """One source's word on one indicator of one member."""

    indicator: str
    met: bool
    source: str


@dataclass(frozen=True)
class Need:
    """A family's need and how many source systems speak of it."""

    id: str
    state: State
    sources: int


@dataclass(frozen=True)
class Assessment:
    """A family's needs, and whether it is put forward."""

    needs: tuple[Need, ...]
    in_programme: bool
    resident: bool
    flagged: bool

    @property
    def met(self) -> int:
        """Needs that are met."""
        return sum(need.state == "met" for need in self.needs)

    @property
    def unknown(self) -> int:
        """Needs that nobody knows about."""
        return sum(need.state == "unknown" for need in self.needs)


def assess(
    evidence: Iterable[Evidence], needs: Iterable[str], minimum: int, *, resident: bool
) -> Assessment:
    """Assess one family.

    Args:
        evidence: of all its members.
        needs: ids of the agreement's indicators.
        minimum: how many needs must be met (agreement: minimum_needs).
        resident: whether it lives at a known address still, or no address is known.
    """
    by_indicator: dict[str, list[Evidence]] = {}
    for item in evidence:
        by_indicator.setdefault(item.indicator, []).append(item)
    found = tuple(_need(need, by_indicator.get(need, [])) for need in needs if need != IN_PROGRAMME)
    enrolled = any(item.met for item in by_indicator.get(IN_PROGRAMME, ()))
    met = sum(need.state == "met" for need in found)
    flagged = met >= minimum and resident and not enrolled
    return Assessment(found, enrolled, resident, flagged)


def _need(id_: str, evidence: list[Evidence]) -> Need:
    if any(item.met for item in evidence):
        return Need(id_, "met", len({item.source for item in evidence if item.met}))
    state: State = "unmet" if evidence else "unknown"
    return Need(id_, state, len({item.source for item in evidence}))


def prevalence(assessments: Iterable[Assessment]) -> Mapping[str, Mapping[State, int]]:
    """How many families meet each need, do not, or are unknown."""
    counts: dict[str, dict[State, int]] = {}
    for assessment in assessments:
        for need in assessment.needs:
            by_state = counts.setdefault(need.id, {"met": 0, "unmet": 0, "unknown": 0})
            by_state[need.state] += 1
    return counts
