"""Two tests that have to find nothing, or the comparison is not given.

**Before**: the same pairs, and progress over as many months before help began. Help cannot have had
a part in it: a difference says that the two kinds of families were on different ways already, by
something that likeness was not measured by. **Pretended help**: of families that were not helped,
months are drawn after which they are said to have been, and everything is done with them as with
helped ones. That finds something one time in twenty by chance; more often, and the
way of comparing is wrong.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import binom

from linkage_hub.analytics.interventions.cases import NOT_KNOWN, YES, Cases
from linkage_hub.analytics.interventions.matching import Matched, clusters, match
from linkage_hub.analytics.interventions.paired import Difference, difference

TRIES: Final = 20
BY_CHANCE: Final = 0.05
_RARELY: Final = 0.001
"""So many finds, or more, have less than this chance where nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Pretended:
    """How often pretended help was found to go with progress, and the most that is let pass."""

    tries: int
    found: int

    @property
    def most(self) -> int:
        """Finds that chance explains."""
        return int(binom.isf(_RARELY, self.tries, BY_CHANCE)) if self.tries else 0

    @property
    def holds(self) -> bool:
        """Whether chance explains it; not where nothing could be tried."""
        return self.tries > 0 and self.found <= self.most


def before(cases: Cases, pairs: Matched, seed: int) -> Difference | None:
    """Difference in progress before help began, of pairs of which it is known; None of none."""
    known = (cases.before[pairs.helped] != NOT_KNOWN) & (cases.before[pairs.other] != NOT_KNOWN)
    some = pairs.where(known)
    if not len(some):
        return None
    return difference(
        cases.before[some.helped] == YES,
        cases.before[some.other] == YES,
        clusters(cases, some),
        seed,
    )


def pretended(cases: Cases, seed: int, tries: int) -> Pretended:
    """Pretend that some families that were never helped had been.

    Args:
        cases: of both kinds; those of families that are helped at any time are left out.
        seed: of the draws.
        tries: how often.
    """
    number = cases.number
    ever = np.bincount(number, cases.helped) > 0
    never = cases.rows(~ever[number])
    random = np.random.default_rng(seed)
    found = done = 0
    for one_more in range(tries):
        drawn = _draw(never, int(cases.helped.sum()), random)
        if drawn is None:
            break
        pairs = match(drawn, drawn.outcome != NOT_KNOWN)
        if not len(pairs):
            continue
        one, other = (drawn.outcome[at] == YES for at in (pairs.helped, pairs.other))
        found += not difference(one, other, clusters(drawn, pairs), seed + one_more).is_nothing
        done += 1
    return Pretended(done, found)


def _draw(never: Cases, many: int, random: np.random.Generator) -> Cases | None:
    """Cases as if about so many had been helped; their families' later months are gone.

    Every month of every family is drawn alike. A month drawn from a family's own would be the
    likelier the fewer it has, and those who make progress soon have few.
    """
    if not len(never):
        return None
    hit = random.random(len(never)) < min(0.5, many / len(never))
    family = never.number
    first = np.full(int(family.max()) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, family[hit], never.month[hit])
    kept = never.month <= first[family]
    helped = never.month == first[family]
    return never.rows(kept).with_helped(helped[kept]) if helped.any() else None
