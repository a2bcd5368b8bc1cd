"""Two files that hold each person once, linked with the agents' help.

In order: candidates and the first stage's probabilities; calibration; questions about what is not
sure; the answers weighed together with the probabilities; the likeliest pairs first, each record
once.
"""

from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from governance.exchange.parameters import Parameters, SourceProfile
from linkage_hub.linkage.answered import share_of_yes
from linkage_hub.linkage.candidates import (
    Encodings,
    Floats,
    Indices,
    PairBlock,
    Progress,
    empty_block,
    find_candidates,
    silent,
)
from linkage_hub.linkage.one_to_one import PER_RECORD, OneToOne, solve
from linkage_hub.linkage.threshold import MATCH, estimate_of, fit_block
from linkage_hub.refinement import calibration, decisions, selection
from linkage_hub.refinement.fellegi_sunter import expected_yes, level_odds, with_room
from linkage_hub.refinement.pairs import make_pairs, place_of

QUESTIONS_PER_RECORD: Final = 5
CALIBRATION_SHARE: Final = 0.02  # of the records of each file

Answers = NDArray[np.uint8]


class TwoAgents(Protocol):
    """The agents that hold the two files."""

    def profiles(self) -> tuple[SourceProfile, SourceProfile]:
        """What each says of its own values."""

    def calibrate(self, left: Indices, right: Indices) -> tuple[Answers, Answers]:
        """Calibration answers about pairs of records of the two files."""

    def decide(
        self, left: Indices, right: Indices, parameters: Parameters
    ) -> tuple[Answers, Answers]:
        """Answers about pairs of records of the two files."""


@dataclass(frozen=True, slots=True)
class Refined:
    """Links of two files, and what they took.

    Attributes:
        links: the links; ``threshold`` is of probability here.
        parameters: of the questions.
        asked: positions of the pairs that were asked about among the candidates, int64 (n,).
        common: tokens that the two answers to each share, int64 (n,).
        calibrated: number of calibration pairs.
    """

    links: OneToOne
    parameters: Parameters
    asked: Indices
    common: Indices
    calibrated: int


def refined_one_to_one(
    first: Encodings,
    second: Encodings,
    agents: TwoAgents,
    *,
    per_record: int = QUESTIONS_PER_RECORD,
    share: float = CALIBRATION_SHARE,
    progress: Progress = silent,
) -> Refined:
    """Link each record of one file to at most one of the other.

    Args:
        first: encodings, uint8 (v, n, width).
        second: encodings of the other file.
        agents: the holders of the two files.
        per_record: questions that a record may be in.
        share: of the records of the smaller file that calibrate.
        progress: told the share done, 0 to 1.

    Raises:
        LinkageError: the encodings do not fit together.
    """
    sizes = (first.shape[1], second.shape[1])
    found = find_candidates([first, second], per_record=PER_RECORD, progress=progress)
    block = found[0] if found else empty_block(0, 1, 1.0, len(first))
    fit = fit_block(block, first, second)
    sure = selection.sure_pairs(fit)
    odds = selection.prior_odds(fit, sure, sizes)

    most = [int(share * min(sizes))] * 2
    pairs = selection.calibration_pairs([block], sizes, most, fits=[fit])
    levels = calibration.observed_levels(*agents.calibrate(pairs.left, pairs.right))
    told = place_of(block, pairs.left, pairs.right)
    parameters = calibration.estimate(
        agents.profiles(),
        levels,
        {(0, 1): odds},
        [(0, 1)] * len(levels),
        drawn=selection.chance_of(fit)[told],
    )
    parameters = with_room(parameters)
    known = level_odds(parameters, make_pairs(*pairs), levels) >= parameters.threshold

    asked = selection.grey_of_block(block, fit, sure, sizes, per_record)
    asked = asked[~np.isin(asked, told)]
    common = decisions.common_tokens(
        *agents.decide(block.left[asked], block.right[asked], parameters)
    )
    positions, yes = np.concatenate([asked, told]), np.concatenate([common > 0, known])
    shown = share_of_yes(fit.probability[positions], yes)
    probability = decisions.updated(
        fit.probability,
        (block.left, block.right),
        positions,
        yes,
        min(shown, expected_yes(parameters, 0, 1)),
    )
    return Refined(_solved(block, probability), parameters, asked, common, len(told))


def _solved(block: PairBlock, probability: Floats) -> OneToOne:
    """The likeliest pairs first, each record once."""
    wanted = np.flatnonzero(probability >= MATCH)
    order = wanted[np.argsort(-probability[wanted], kind="stable")]
    ranked = PairBlock(
        block.first,
        block.second,
        probability[order],
        block.left[order],
        block.right[order],
        MATCH,
        block.views[order],
    )
    left, right = solve(ranked, np.ones(len(order), dtype=bool))
    return OneToOne(left, right, MATCH, estimate_of(probability), block)
