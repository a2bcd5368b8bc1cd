"""Bloom filters of one feature's distinct values."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from partner_agent.encoding import kernels
from partner_agent.encoding.feature_tokens import FeatureTokens
from partner_agent.encoding.features import Exact, Feature, Ngram
from partner_agent.encoding.positions import TokenPositions


@dataclass(frozen=True, slots=True)
class ValueFilters:
    """Filters of distinct values, shape (values, filter bytes), and why some have none."""

    filters: NDArray[np.uint8]
    invalid: dict[int, str]  # index of the value: reason code


class FeatureFilters:
    """Makes the filters of one feature; keeps token positions from chunk to chunk."""

    def __init__(self, feature: Feature, key: bytes, filter_bits: int) -> None:
        self._strategy = feature.strategy
        self._filter_bits = filter_bits
        self._positions = TokenPositions(key, _most_bits(feature), filter_bits)
        self._tokens = FeatureTokens(feature, self._positions)

    def of(self, values: pa.LargeStringArray) -> ValueFilters:
        """Filters of distinct values without nulls."""
        if self._positions.full:
            self._positions.clear()
            self._tokens.clear()
        tokens = self._tokens.of(values)
        out = np.zeros((len(values), self._filter_bits // 8), dtype=np.uint8)
        kernels.set_bits(
            tokens.starts,
            tokens.slots,
            self._positions.rows,
            self._strategy.per_token,
            self._strategy.per_feature,
            out,
        )
        return ValueFilters(out, tokens.invalid)


def _most_bits(feature: Feature) -> int:
    """The most bits that one token of a feature can set."""
    if feature.strategy.per_token:
        return feature.strategy.per_token
    comparison = feature.comparison
    if isinstance(comparison, Exact):
        fewest = 1
    elif isinstance(comparison, Ngram):
        fewest = comparison.n
    else:
        fewest = 2 * comparison.resolution + 1
    return -(-feature.strategy.per_feature // fewest)
