"""The hub's arithmetic of refinement as its phases call it.

All of it goes by the first stage that persons are made by (``linkage.weighing.first_stage``): which
pairs calibrate, what the prior odds between two sources are, and what is worth a question.
"""

import logging
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from governance.errors import FormatError
from governance.exchange.parameters import (
    LEVELS,
    Answers,
    Parameters,
    SourceProfile,
    answer_size,
    check_parameters,
)
from governance.identity.envelope import parse_model
from governance.ledger.payloads import RoundKind
from linkage_hub.linkage.weighing import Weighed
from linkage_hub.refinement.calibration import (
    MISSING,
    NAMES,
    SWAPPED_CHANCE,
    estimate,
    observed_levels,
)
from linkage_hub.refinement.core import Answers as Rows
from linkage_hub.refinement.core import Counts, Flags
from linkage_hub.refinement.decisions import decide, repeats
from linkage_hub.refinement.pairs import Pairs, make_pairs, place_of
from linkage_hub.refinement.questions import persons_questions
from linkage_hub.refinement.selection import (
    calibration_pairs,
    chance_of,
    prior_odds,
)

KINDS: Final[dict[RoundKind, Answers]] = {
    RoundKind.CALIBRATE: "calibrate",
    RoundKind.DECIDE: "decide",
}

_LOG: Final = logging.getLogger(__name__)
IMAGINED: Final = 2_048  # matches that tell in how many ways matches agree
ANSWER_TOKENS: Final = (128, 256, 512, 1024)
COVERED: Final = 0.97  # of the imagined matches that clear the threshold
TOKENS_A_WAY: Final = 2.5  # of an answer, for each way in which a match agrees


class FellegiSunter:
    """Parameters without truth, and decisions by common tokens (docs/adr/0009)."""

    def answer_bytes(self, kind: RoundKind, parameters: dict[str, Any]) -> int:
        """Size of one answer in a round of a kind."""
        read = None if kind is RoundKind.CALIBRATE else parse_model(parameters, Parameters)
        return answer_size(read, KINDS[kind])

    def calibration_pairs(
        self, weighed: Sequence[Weighed], sizes: Sequence[int], share: float
    ) -> Pairs:
        """Pairs whose levels are asked for."""
        most = [int(share * size) for size in sizes]
        return make_pairs(*calibration_pairs(_between(weighed), sizes, most))

    def parameters(
        self,
        weighed: Sequence[Weighed],
        sizes: Sequence[int],
        profiles: Sequence[dict[str, Any] | None],
        pairs: Pairs,
        left: Rows,
        right: Rows,
    ) -> dict[str, Any] | None:
        """Parameters for decisions; None where too little was answered to decide anything."""
        odds = {}
        drawn = np.ones(len(pairs))
        for each in _between(weighed):
            block = each.block
            odds[block.first, block.second] = prior_odds(each, sizes)
            own = (pairs["first"] == block.first) & (pairs["second"] == block.second)
            ends = (pairs[name][own].astype(np.int64) for name in ("left", "right"))
            drawn[own] = chance_of(each, place_of(block, *ends))
        try:
            found = estimate(
                [_profile(told, size) for told, size in zip(profiles, sizes, strict=True)],
                _levels(left, right),
                odds,
                list(zip(pairs["first"].tolist(), pairs["second"].tolist(), strict=True)),
                drawn=drawn,
            )
            found = with_room(found)
            check_parameters(found)
        except ValueError as error:  # what agents would refuse; its text may show figures
            _LOG.warning(
                "no parameters: nothing is decided by questions",
                extra={
                    "error": type(error).__name__,
                    "sources": len(sizes),
                    "pairs": len(pairs),
                },
            )
            return None
        return found.model_dump(mode="json")

    def decide_levels(
        self, parameters: dict[str, Any], pairs: Pairs, left: Rows, right: Rows
    ) -> Flags:
        """Whether calibrated pairs match, bool (n,)."""
        read = parse_model(parameters, Parameters)
        return level_odds(read, pairs, _levels(left, right)) >= read.threshold

    def questions(
        self,
        weighed: Sequence[Weighed],
        sizes: Sequence[int],
        asked: Sequence[Counts],
        per_record: int,
        most: int,
        exclude: Pairs,
    ) -> Pairs:
        """Pairs that are worth a question."""
        before = np.column_stack(
            [exclude[name].astype(np.int64) for name in ("first", "second", "left", "right")]
        )
        found = persons_questions(
            weighed,
            sizes,
            asked=[np.asarray(each, dtype=np.int64) for each in asked],
            per_record=per_record,
            most=most,
            exclude=before,
        )
        return make_pairs(*found.T)

    def well_formed(self, answers: Rows) -> Flags:
        """Answers without a repeated token, bool (n,): an agent never repeats one.

        A repeated token would pass for one that two answers share.
        """
        return ~repeats(answers)

    def decide(self, left: Rows, right: Rows) -> Flags:
        """Whether pairs match, from the answers of both ends, bool (n,)."""
        return decide(left, right)


def _between(weighed: Sequence[Weighed]) -> list[Weighed]:
    """Without the pairs within sources, about which their agents have said all that they know."""
    return [each for each in weighed if not each.inside]


def _levels(left: Rows, right: Rows) -> npt.NDArray[np.int8]:
    """Levels of calibrated pairs, of which there may be none."""
    if not len(left):
        return np.zeros((0, len(LEVELS) + 1), dtype=np.int8)
    return observed_levels(left, right)


def _profile(data: dict[str, Any] | None, size: int) -> SourceProfile:
    """A source's profile; an empty one where it told none, or told nonsense.

    A source weighs by no more records than it has submitted, so that none drowns the others.
    """
    try:
        told = parse_model(data, SourceProfile)
    except FormatError:
        return SourceProfile(records=0, shared_home=0.0, fields=())
    return told.model_copy(update={"records": min(told.records, size)})


def with_room(parameters: Parameters) -> Parameters:
    """The parameters with an answer large enough for the ways in which matches agree.

    Dirty records agree in many ways, each of which takes tokens; clean ones in few.
    """
    needed, seen = 1, set()
    for odds in parameters.odds:
        compared = parameters.between(odds.first, odds.second).fields
        kind = tuple(each.field for each in compared)
        if kind in seen:
            continue
        seen.add(kind)
        levels, clears = _imagined(parameters, odds.first, odds.second)
        if clears.any():
            _, counts = np.unique(levels[clears], axis=0, return_counts=True)
            held = np.cumsum(np.sort(counts)[::-1])
            needed = max(needed, int(np.searchsorted(held, COVERED * held[-1])) + 1)
    room = [size for size in ANSWER_TOKENS if size >= TOKENS_A_WAY * needed]
    return parameters.model_copy(update={"tokens": room[0] if room else ANSWER_TOKENS[-1]})


def _imagined(
    parameters: Parameters, first: int, second: int
) -> tuple[npt.NDArray[np.int8], Flags]:
    """Levels of imagined matches between two submissions, and which clear the threshold."""
    draw = np.random.default_rng(1)
    levels = np.full((IMAGINED, len(LEVELS) + 1), MISSING, dtype=np.int8)
    for field in parameters.between(first, second).fields:
        shares = np.array(field.match)
        column = draw.choice(len(shares), size=IMAGINED, p=shares / shares.sum())
        held = draw.random(IMAGINED) < np.prod(1.0 - np.array(field.missing))
        levels[held, list(LEVELS).index(field.field)] = column[held]
    levels[:, -1] = draw.random(IMAGINED) < parameters.swapped
    pair = np.zeros(IMAGINED, dtype=np.int64)
    odds = level_odds(parameters, make_pairs(pair + first, pair + second, pair, pair), levels)
    return levels, odds >= parameters.threshold


def level_odds(
    parameters: Parameters, pairs: Pairs, levels: npt.NDArray[np.int8]
) -> npt.NDArray[np.float64]:
    """Log2 posterior odds of calibrated pairs by their levels, without rarity, float64 (n,).

    Args:
        parameters: of the run's decisions.
        pairs: by the numbers of their submissions.
        levels: from ``observed_levels``.
    """
    swapped = levels[:, -1] == 1
    likelihood = np.zeros((3, len(levels)))  # match, home, chance
    for field in parameters.fields:
        seen = levels[:, list(LEVELS).index(field.field)].astype(np.int64)
        held = (seen != MISSING) & ~(swapped & (field.field in NAMES))
        for row, shares in enumerate((field.match, field.home, field.chance)):
            likelihood[row, held] += np.log2(shares)[seen[held]]
    likelihood[0] += np.log2(np.where(swapped, parameters.swapped, 1 - parameters.swapped))
    likelihood[1:] += np.log2(np.where(swapped, SWAPPED_CHANCE, 1 - SWAPPED_CHANCE))
    odds = [
        parameters.pair_odds(int(first), int(second))
        for first, second in zip(pairs["first"], pairs["second"], strict=True)
    ]
    match = likelihood[0] + [each.match for each in odds]
    home = likelihood[1] + [each.home for each in odds]
    return np.asarray(match - np.logaddexp2(home, likelihood[2]), dtype=np.float64)
