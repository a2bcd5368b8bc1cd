"""What the protocol asks of the arithmetic of refinement; everything here is pure.

The rounds carry what the core writes and reads; which pairs are worth a question, what levels and
answers mean, is the core's alone.
"""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from governance.ledger.payloads import RoundKind
from linkage_hub.linkage.weighing import Weighed
from linkage_hub.refinement.pairs import Pairs

Answers = npt.NDArray[np.uint8]
"""Rows of answers, uint8 (n, answer_bytes)."""
Flags = npt.NDArray[np.bool_]
Counts = npt.NDArray[np.int64]


class Core(Protocol):
    """The hub's half of refinement."""

    def answer_bytes(self, kind: RoundKind, parameters: dict[str, Any]) -> int:
        """Size of one answer in a round of a kind."""
        ...

    def calibration_pairs(
        self, weighed: Sequence[Weighed], sizes: Sequence[int], share: float
    ) -> Pairs:
        """Pairs whose levels are asked for.

        No record is in two of them, and at most ``share`` of a source's records are in any.
        """
        ...

    def parameters(
        self,
        weighed: Sequence[Weighed],
        sizes: Sequence[int],
        profiles: Sequence[dict[str, Any] | None],
        pairs: Pairs,
        left: Answers,
        right: Answers,
    ) -> dict[str, Any] | None:
        """Parameters for decisions; None where too little was answered to decide anything."""
        ...

    def decide_levels(
        self, parameters: dict[str, Any], pairs: Pairs, left: Answers, right: Answers
    ) -> Flags:
        """Whether calibrated pairs match, bool (n,)."""
        ...

    def questions(
        self,
        weighed: Sequence[Weighed],
        sizes: Sequence[int],
        asked: Sequence[Counts],
        per_record: int,
        most: int,
        exclude: Pairs,
    ) -> Pairs:
        """Pairs that are worth a question.

        Args:
            weighed: what the first stage holds of every pair.
            sizes: records of each source.
            asked: for each source how often each of its records was asked about before, (n,).
            per_record: how often a record may be asked about in all.
            most: pairs in all.
            exclude: pairs that were asked about before.
        """
        ...

    def well_formed(self, answers: Answers) -> Flags:
        """Which answers to a decision an honest agent can have made, bool (n,)."""
        ...

    def decide(self, left: Answers, right: Answers) -> Flags:
        """Whether pairs match, from the answers of both ends, bool (n,)."""
        ...
