"""The agent's arithmetic of refinement as the desk calls it.

Rules: parameters are parsed and held against the agents' own bounds before anything is answered
under them.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from governance.errors import FormatError
from governance.exchange.parameters import Answers, Parameters, answer_size, check_parameters
from governance.identity.envelope import parse_model
from governance.ledger.payloads import RoundKind
from governance.refinement.errors import ParametersRefused
from partner_agent.refinement.answers import Answerer
from partner_agent.refinement.core import CleanRow, PairAnswerer
from partner_agent.refinement.profile import source_profile

KINDS: Final[dict[RoundKind, Answers]] = {
    RoundKind.CALIBRATE: "calibrate",
    RoundKind.DECIDE: "decide",
}


class FellegiSunter:
    """Agreement patterns whose weight clears the round's threshold (docs/adr/0009)."""

    def check(self, kind: RoundKind, parameters: dict[str, Any]) -> int:
        """Bytes of one answer under these parameters.

        Raises:
            ParametersRefused: they are outside what an agent accepts.
        """
        if kind is RoundKind.CALIBRATE:
            if parameters:
                raise ParametersRefused("a round that calibrates has no parameters")
            return answer_size(None, KINDS[kind])
        try:
            read = parse_model(parameters, Parameters)
            check_parameters(read)
        except FormatError as error:
            raise ParametersRefused(error.message) from None
        except ValueError as error:
            raise ParametersRefused(str(error)) from None
        return answer_size(read, KINDS[kind])

    def profile(self, rows: Iterable[CleanRow]) -> dict[str, Any]:
        """What a submission says about itself."""
        found: dict[str, Any] = source_profile(rows).model_dump(mode="json")
        return found

    def answerer(
        self,
        kind: RoundKind,
        parameters: dict[str, Any],
        record_key: bytes,
        background: Iterable[CleanRow],
    ) -> PairAnswerer:
        """What answers for one submission."""
        read = None if kind is RoundKind.CALIBRATE else parse_model(parameters, Parameters)
        return _Questions(read, Answerer(record_key, read, KINDS[kind], background))


class _Questions:
    """Questions of one submission, each with the prior odds of its two submissions."""

    def __init__(self, parameters: Parameters | None, answerer: Answerer) -> None:
        self._parameters = parameters
        self._answerer = answerer

    def answer(
        self,
        handles: Sequence[bytes],
        rows: Sequence[CleanRow],
        pair_keys: Sequence[bytes],
        sides: Sequence[int],
        submissions: Sequence[tuple[int, int]],
    ) -> npt.NDArray[np.uint8]:
        """Answers in the order of the questions, uint8 (n, answer_bytes).

        Raises:
            ParametersRefused: they do not cover two submissions that are asked about.
        """
        parameters = self._parameters
        if parameters is None:
            return self._answerer.answer(handles, rows, pair_keys, sides)
        try:
            known = {pair: parameters.pair_odds(*pair) for pair in set(submissions)}
        except KeyError:
            raise ParametersRefused("no prior odds for two submissions of a question") from None
        odds = [known[pair] for pair in submissions]
        return self._answerer.answer(handles, rows, pair_keys, sides, odds)
