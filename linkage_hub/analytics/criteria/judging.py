"""Which families meet which needs of a catalogue, and what another catalogue would change.

Rules: a need is met where enough of its indicators are met, unmet where too few are left that could
be, and unknown otherwise (Kleene's strong logic): what becomes known later turns unknown into met
or unmet, and never one of these into the other. A family is put forward when enough needs are met,
it lives in the county still as far as is known, nobody in it is in the programme, and, where the
catalogue asks for it, a child is known to belong to it. Who would be put forward but for a child
that nobody knows of, or but for needs that nobody knows about, is counted apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from governance.agreements.criteria import Criteria, Rule
from linkage_hub.analytics.held import FamilyColumns
from linkage_hub.analytics.needs import MET, STATES, UNKNOWN, UNMET

States = NDArray[np.int8]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Judged:
    """All families under one catalogue.

    Attributes:
        state: int8 (f, k), a column a need, codes of ``STATES``.
        flagged: put forward, bool (f,).
        child_unknown: would be, but no child is known, bool (f,).
        undecided: would be if needs that nobody knows about were met, bool (f,).
        below: would be with one need more, and meets one at least, bool (f,).
    """

    criteria: Criteria
    state: States
    flagged: Bools
    child_unknown: Bools
    undecided: Bools
    below: Bools

    @property
    def met(self) -> NDArray[np.int64]:
        """Needs that are met, int64 (f,)."""
        return np.asarray((self.state == MET).sum(axis=1), dtype=np.int64)


def eligible(rule: Rule, indicators: Mapping[str, States]) -> States:
    """State of a need, int8 (f,): met where enough of the rule's indicators are met.

    Args:
        rule: the need's eligibility.
        indicators: state of each, int8 (f,).
    """
    held = np.stack([indicators[name] for name in rule.of])
    met, unknown = (held == MET).sum(axis=0), (held == UNKNOWN).sum(axis=0)
    found = np.full(held.shape[1], UNKNOWN, dtype=np.int8)
    found[met + unknown < rule.at_least] = UNMET
    found[met >= rule.at_least] = MET
    return found


def succeeded(rule: Rule, indicators: Mapping[str, States]) -> States:
    """Whether a need is resolved, int8 (f,): enough of the indicators are known to be unmet."""
    turned = {name: np.array([UNKNOWN, MET, UNMET], dtype=np.int8)[indicators[name]]
              for name in rule.of}  # fmt: skip
    return eligible(rule, turned)


def judge(criteria: Criteria, families: FamilyColumns) -> Judged:
    """Judge all families; an indicator that no family has is unknown."""
    nobody = np.full(len(families.family), UNKNOWN, dtype=np.int8)
    held = {
        name: families.state[:, families.needs.index(name)] if name in families.needs else nobody
        for name in criteria.indicators
    }
    state = np.stack([eligible(need.eligibility, held) for need in criteria.needs], axis=1)
    met, unknown = (state == MET).sum(axis=1), (state == UNKNOWN).sum(axis=1)
    open_to = families.resident & ~families.in_programme
    enough = (met >= criteria.minimum) & open_to
    child = (families.children > 0) | (criteria.dependent_child == "not_required")
    fewer = (met < criteria.minimum) & open_to & child
    return Judged(
        criteria,
        state,
        flagged=enough & child,
        child_unknown=enough & ~child,
        undecided=fewer & (met + unknown >= criteria.minimum),
        below=fewer & (met == criteria.minimum - 1) & (met > 0),
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """Families under two catalogues.

    Attributes:
        both, only_first, only_second, neither: how many are put forward.
        changed: rows of families that only one puts forward, int64.
    """

    both: int
    only_first: int
    only_second: int
    neither: int
    changed: NDArray[np.int64]


def difference(first: Judged, second: Judged) -> Difference:
    """Who is put forward by which."""
    return Difference(
        both=int((first.flagged & second.flagged).sum()),
        only_first=int((first.flagged & ~second.flagged).sum()),
        only_second=int((~first.flagged & second.flagged).sum()),
        neither=int((~first.flagged & ~second.flagged).sum()),
        changed=np.flatnonzero(first.flagged != second.flagged).astype(np.int64),
    )


def prevalence(found: Judged) -> dict[str, dict[str, int]]:
    """How many families meet each need, do not, or are unknown."""
    return {
        need.id: {word: int((found.state[:, at] == code).sum()) for code, word in enumerate(STATES)}
        for at, need in enumerate(found.criteria.needs)
    }
