"""What the desk asks of the arithmetic of refinement; everything here is pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from governance.ledger.payloads import RoundKind

CleanRow = Mapping[str, str]
"""A row of the cleaned table, as the vault keeps it."""


class PairAnswerer(Protocol):
    """Answers the questions of one round about the rows of one submission."""

    def answer(
        self,
        handles: Sequence[bytes],
        rows: Sequence[CleanRow],
        pair_keys: Sequence[bytes],
        sides: Sequence[int],
        submissions: Sequence[tuple[int, int]],
    ) -> npt.NDArray[np.uint8]:
        """Answers in the order of the questions, uint8 (n, answer_bytes).

        Args:
            handles: of the own records; one handle may occur often.
            rows: their cleaned rows.
            pair_keys: 32 bytes each, the same at both agents.
            sides: 0 for the end with the lower handle, else 1.
            submissions: numbers of the own and of the other submission in the round.
        """
        ...


class Core(Protocol):
    """The agent's half of refinement."""

    def check(self, kind: RoundKind, parameters: dict[str, Any]) -> int:
        """Bytes of one answer under these parameters.

        Raises:
            ParametersRefused: they are outside what an agent accepts.
        """
        ...

    def profile(self, rows: Iterable[CleanRow]) -> dict[str, Any]:
        """What a submission says about itself: rounded shares, nothing about any one record."""
        ...

    def answerer(
        self,
        kind: RoundKind,
        parameters: dict[str, Any],
        record_key: bytes,
        background: Iterable[CleanRow],
    ) -> PairAnswerer:
        """What answers for one submission.

        Args:
            kind: of the round.
            parameters: checked before.
            record_key: 32 bytes, the same for every agent and submission of the round.
            background: the submission's rows, for the rarity of their values.
        """
        ...
