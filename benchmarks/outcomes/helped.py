"""Synthetic families month by month, some of them helped, with what help truly does known.

Nothing here was fitted to a result. What it is made of, and why:

- ten needs come and go. One that is there ends in a month with a chance that is its own, less under
  hardship and, where the world has it, more by a family's readiness, which nobody records; a need
  begins likelier under hardship;
- each need is held by one service; whether it knows the family is drawn once, likelier under
  hardship, and a quarter of families is seldom met. Unknown stays unknown;
- in each month a family that is known to have two needs or more may be helped, from the second year
  on: likelier with more known needs and with domestic abuse (measured), and, where the world has
  it, with readiness (unmeasured);
- a family that is helped resolves each need at log odds that are ``effect`` higher from the next
  month on. What would have come had help not begun then (it may begin later, as for the others) is
  drawn from the same random numbers, so what beginning then does is known for each family.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.outcomes.engaged import KNOWN, NEEDS, SHARE
from linkage_hub.analytics.interventions.cases import Cases, cases_of
from linkage_hub.analytics.needs import MET, UNKNOWN, UNMET
from linkage_hub.analytics.outcomes.panel import Panel

MONTHS: Final = 42
HELP_BEGINS: Final = 18
HORIZON: Final = 12
MINIMUM: Final = 2
FIRST: Final = 12 * 2022
_ENDS: Final = 0.045
_HARDSHIP: Final = 0.35
_BEGINS: Final = 0.018
_HELP: Final = 0.012
_ABUSE: Final = 3


@dataclass(frozen=True, slots=True)
class Setting:
    """What is true of a world.

    Attributes:
        effect: log odds of a need's end that help adds.
        hidden: how strongly readiness, which nobody records, moves both help and progress.
        measured: how strongly known needs move help.
    """

    effect: float = 0.0
    hidden: float = 0.0
    measured: float = 0.45


@dataclass(frozen=True, slots=True)
class Drawn:
    """A world's cases, and the truth.

    Attributes:
        cases: as the hub makes them.
        truth: mean over helped cases of progress as it came less progress had help not begun then.
    """

    cases: Cases
    truth: float


def draw(families: int, setting: Setting, seed: int) -> Drawn:
    """Draw a world."""
    random = np.random.default_rng(seed)
    hardship, ready = random.standard_normal((2, families))
    seldom = random.random(families) < 0.25  # noqa: PLR2004 - a quarter
    odds = np.log(KNOWN / (1 - KNOWN)) + 0.3 * hardship[:, None] - 0.6 * seldom[:, None]
    known = random.random((families, len(NEEDS))) < _chance(odds)
    numbers = random.random((MONTHS, families, len(NEEDS)))
    chances = random.random((MONTHS, families))
    start = random.random((families, len(NEEDS))) < SHARE * np.exp(0.4 * hardship)[:, None] * 0.8
    there, inside = _live(setting, start, known, hardship, ready, numbers, chances, None)
    when = np.where(inside.any(axis=0), inside.argmax(axis=0), MONTHS)
    without, _ = _live(setting, start, known, hardship, ready, numbers, chances, when)
    cases = cases_of(_panel(there, known, inside), MINIMUM, HORIZON, every=False)
    return Drawn(cases, _truth(there, without, known, when))


def _live(
    setting: Setting,
    start: NDArray[np.bool_],
    known: NDArray[np.bool_],
    hardship: NDArray[np.float64],
    ready: NDArray[np.float64],
    numbers: NDArray[np.float64],
    chances: NDArray[np.float64],
    without: NDArray[np.int64] | None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Needs and help by month, bool (m, f, k) and (m, f).

    With ``without`` nobody is helped in that month of theirs, nor before; later as it falls.
    """
    there = np.zeros(numbers.shape, dtype=np.bool_)
    inside = np.zeros(chances.shape, dtype=np.bool_)
    there[0] = start
    begins = _BEGINS * SHARE / SHARE.mean() * np.exp(_HARDSHIP * hardship)[:, None]
    base = np.log(_ENDS / (1 - _ENDS)) - _HARDSHIP * hardship + setting.hidden * ready
    for month in range(1, MONTHS):
        before = there[month - 1]
        ends = _chance(base + setting.effect * inside[month - 1])[:, None]
        there[month] = np.where(before, numbers[month] >= ends, numbers[month] < begins)
        inside[month] = inside[month - 1]
        if month >= HELP_BEGINS:
            seen = before & known
            odds = np.log(_HELP / (1 - _HELP)) + setting.measured * (seen.sum(axis=1) - 3)
            odds += setting.measured * seen[:, _ABUSE] + setting.hidden * ready
            may = seen.sum(axis=1) >= MINIMUM
            if without is not None:
                may &= month > without
            inside[month] |= may & (chances[month] < _chance(odds))
    return there, inside


def _chance(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-odds)))


def _panel(there: NDArray[np.bool_], known: NDArray[np.bool_], inside: NDArray[np.bool_]) -> Panel:
    state = np.where(known, np.where(there, MET, UNMET), UNKNOWN).astype(np.int8)
    everywhere = np.ones(inside.shape, dtype=np.bool_)
    names = np.array([f"f-{at:032x}" for at in range(inside.shape[1])], dtype=object)
    return Panel(FIRST + np.arange(MONTHS), names, NEEDS, state, everywhere, inside, everywhere)


def _truth(
    there: NDArray[np.bool_],
    without: NDArray[np.bool_],
    known: NDArray[np.bool_],
    when: NDArray[np.int64],
) -> float:
    """What help did to the families that were helped and watched for long enough."""
    found = []
    for month in range(HELP_BEGINS, MONTHS - HORIZON + 1):
        at = np.flatnonzero(when == month)  # seen without help in the month before
        later = month - 1 + HORIZON
        targets = there[month - 1, at] & known[at]
        one, other = (
            (targets & ~each[later, at]).any(axis=1).astype(float) for each in (there, without)
        )
        found.append(one - other)
    return float(np.concatenate(found).mean())
