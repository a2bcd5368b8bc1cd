"""Rounds of questions over many sources in one process, as a run of the hub has them.

The hub's half is ``FellegiSunter``, which the hub's own phases call; the agents' half is the code
of the agents. Left out is what lies between: signatures, ledger, network, and who asks whom first.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from benchmarks.quality.agents import Answers, Indices, answers_of, rows_of
from benchmarks.quality.ours import Encoded
from governance.exchange.parameters import Parameters, answer_size
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.candidates import PairBlock
from linkage_hub.linkage.weighing import first_stage
from linkage_hub.refinement.decisions import common_tokens
from linkage_hub.refinement.fellegi_sunter import FellegiSunter
from linkage_hub.refinement.pairs import Pairs
from partner_agent.refinement.profile import source_profile

PER_RECORD: Final = 4  # questions about a record, as in the demo's agreement
SHARE: Final = 0.05  # of the records that calibrate, the same
PAIRS_AT_ONCE: Final = 20_000


@dataclass(frozen=True)
class Asked:
    """What the agents of all sources were asked and said.

    Attributes:
        answers: about every pair, calibrated ones included and first; none where nothing could be
            asked.
        calibrated: how many of them calibrated.
        parameters: of the questions; None where nothing could be asked.
        common: tokens that the two answers to each of the other pairs share, int64 (n,).
    """

    answers: PairAnswers
    calibrated: int = 0
    parameters: Parameters | None = None
    common: Indices = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @property
    def questions(self) -> int:
        """How many pairs were asked about."""
        return len(self.answers)


def ask(sources: Sequence[Encoded], blocks: Sequence[PairBlock]) -> Asked:
    """Calibrate, then ask about what the encodings leave open.

    Args:
        sources: as encoded by their agents.
        blocks: candidate pairs, one block for each pair of sources.
    """
    core = FellegiSunter()
    sizes = [len(source.record_ids) for source in sources]
    weighed = first_stage(
        blocks,
        sizes,
        [source.encodings for source in sources],
        [source.data.duplicates for source in sources],
    )
    sample = core.calibration_pairs(weighed, sizes, SHARE)
    left, right = _both(sources, sample, None)
    profiles = [source_profile(rows_of(source)).model_dump(mode="json") for source in sources]
    told = core.parameters(weighed, sizes, profiles, sample, left, right)
    if told is None:
        return Asked(PairAnswers.none())
    parameters = Parameters.model_validate(told)
    known = core.decide_levels(told, sample, left, right)
    counts = [np.zeros(size, dtype=np.int64) for size in sizes]
    for number, record in (("first", "left"), ("second", "right")):
        for at, count in enumerate(counts):
            np.add.at(count, sample[record][sample[number] == at].astype(np.int64), 1)
    pairs = core.questions(weighed, sizes, counts, PER_RECORD, sum(sizes) * PER_RECORD, sample)
    common = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        part = pairs[start : start + PAIRS_AT_ONCE]
        common.append(common_tokens(*_both(sources, part, parameters)))
    shared = np.concatenate(common)
    every = np.concatenate([sample, pairs])
    first, second, left_record, right_record = (
        every[name].astype(np.int64) for name in ("first", "second", "left", "right")
    )
    yes = np.concatenate([known, shared > 0])
    answers = PairAnswers(first, second, left_record, right_record, yes)
    return Asked(answers, len(sample), parameters, shared)


def _both(
    sources: Sequence[Encoded], pairs: Pairs, parameters: Parameters | None
) -> tuple[Answers, Answers]:
    """Answers of both ends of each pair."""
    keys = [hashlib.sha256(pair.tobytes()).digest() for pair in pairs]
    sides = np.array([key[0] & 1 for key in keys], dtype=np.int64)  # as random handles would fall
    ends = []
    for number, record, side in (("first", "left", sides), ("second", "right", 1 - sides)):
        size = answer_size(parameters, "calibrate" if parameters is None else "decide")
        out = np.empty((len(pairs), size), dtype=np.uint8)
        for at, source in enumerate(sources):
            own = np.flatnonzero(pairs[number] == at)
            out[own] = answers_of(
                source,
                pairs[record][own].astype(np.int64),
                [keys[row] for row in own],
                side[own].tolist(),
                parameters,
                [(int(pairs["first"][row]), int(pairs["second"][row])) for row in own],
            )
        ends.append(out)
    return ends[0], ends[1]
