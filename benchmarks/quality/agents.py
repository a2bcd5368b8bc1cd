"""Two agents in one process: the very code of the agents, without the network between."""

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.quality.ours import Encoded
from governance.exchange.parameters import Parameters, SourceProfile
from partner_agent.refinement.answers import Answerer
from partner_agent.refinement.profile import source_profile

RECORD_KEY: Final = bytes(range(32))  # fixed, so that a run repeats
BATCH: Final = 5_000  # questions at a time

Answers = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class InProcess:
    """Both holders of two files."""

    first: Encoded
    second: Encoded

    def profiles(self) -> tuple[SourceProfile, SourceProfile]:
        """What each says of its own values."""
        one, other = (source_profile(_rows(each)) for each in (self.first, self.second))
        return one, other

    def calibrate(self, left: Indices, right: Indices) -> tuple[Answers, Answers]:
        """Calibration answers about pairs of records of the two files."""
        return self._ask(left, right, None)

    def decide(
        self, left: Indices, right: Indices, parameters: Parameters
    ) -> tuple[Answers, Answers]:
        """Answers about pairs of records of the two files."""
        return self._ask(left, right, parameters)

    def _ask(
        self, left: Indices, right: Indices, parameters: Parameters | None
    ) -> tuple[Answers, Answers]:
        pairs = list(zip(left.tolist(), right.tolist(), strict=True))
        keys = [hashlib.sha256(b"%d %d" % pair).digest() for pair in pairs]
        sides = [key[0] & 1 for key in keys]  # as the order of random handles would fall
        one = _answers(self.first, left, keys, sides, parameters)
        other = _answers(self.second, right, keys, [1 - side for side in sides], parameters)
        return one, other


def _rows(source: Encoded) -> list[dict[str, str]]:
    return [
        {str(key): value for key, value in row.items()} for row in source.clean.to_dict("records")
    ]


def _answers(
    source: Encoded,
    records: Indices,
    keys: list[bytes],
    sides: list[int],
    parameters: Parameters | None,
) -> Answers:
    rows = _rows(source)
    kind = "calibrate" if parameters is None else "decide"
    answerer = Answerer(RECORD_KEY, parameters, kind, rows)  # type: ignore[arg-type]
    order = np.argsort(records, kind="stable")
    found: list[Answers] = []
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        found.append(
            answerer.answer(
                [b"%d" % records[at] for at in batch],
                [rows[records[at]] for at in batch],
                [keys[at] for at in batch],
                [sides[at] for at in batch],
                [] if parameters is None else [parameters.pair_odds(0, 1)] * len(batch),
            )
        )
    answers = np.concatenate(found) if found else answerer.answer([], [], [], [])
    out = np.empty_like(answers)
    out[order] = answers
    return out
