"""Agents in one process: their very code, without the network between."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.quality.ours import Encoded
from governance.exchange.parameters import Parameters
from partner_agent.refinement.answers import Answerer

RECORD_KEY: Final = bytes(range(32))  # fixed, so that a run repeats
BATCH: Final = 5_000  # questions at a time

Answers = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int64]


def rows_of(source: Encoded) -> list[dict[str, str]]:
    """The cleaned rows of a source."""
    return [
        {str(key): value for key, value in row.items()} for row in source.clean.to_dict("records")
    ]


def answers_of(
    source: Encoded,
    records: Indices,
    keys: list[bytes],
    sides: list[int],
    parameters: Parameters | None,
    between: Sequence[tuple[int, int]],
) -> Answers:
    """A source's answers about some of its records, in the order of the questions.

    Args:
        source: whose rows are asked about, and whose values say what is rare.
        records: row of each question, int64 (n,).
        keys: of each pair.
        sides: 0 or 1 for each pair.
        parameters: of the round; None when it calibrates.
        between: numbers of each pair's two sources.
    """
    rows = rows_of(source)
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
                [] if parameters is None else [parameters.pair_odds(*between[at]) for at in batch],
            )
        )
    answers = np.concatenate(found) if found else answerer.answer([], [], [], [])
    out = np.empty_like(answers)
    out[order] = answers
    return out
