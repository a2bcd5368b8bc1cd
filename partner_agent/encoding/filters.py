"""Bloom filters of one feature's distinct values.

Two paths lead from values to token slots. The compiled path takes values that are surely valid
and plain: ASCII strings and ISO dates compared by n-grams. The plain path of ``values`` takes all
others, and alone decides that a value is invalid.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from partner_agent.encoding import kernels
from partner_agent.encoding.features import Exact, Feature, Ngram
from partner_agent.encoding.positions import TokenPositions
from partner_agent.encoding.values import InvalidValueError, tokens_of

ISO_DATE: Final = "%Y-%m-%d"
_CASES: Final = {
    "mixed": kernels.CASE_MIXED,
    "lower": kernels.CASE_LOWER,
    "upper": kernels.CASE_UPPER,
}


@dataclass(frozen=True, slots=True)
class ValueFilters:
    """Filters of distinct values, shape (values, filter bytes), and why some have none."""

    filters: NDArray[np.uint8]
    invalid: dict[int, str]  # index of the value: reason code


@dataclass(frozen=True, slots=True)
class _Text:
    """Text of the compiled path: value ``i`` is ``data[offsets[i]:offsets[i + 1]]``."""

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]
    ready: NDArray[np.bool_]


class FeatureFilters:
    """Makes the filters of one feature; keeps token positions from chunk to chunk."""

    def __init__(self, feature: Feature, key: bytes, filter_bits: int) -> None:
        self._feature = feature
        self._filter_bits = filter_bits
        comparison = feature.comparison
        ngram = comparison if isinstance(comparison, Ngram) else Ngram(1, positional=False)
        self._ngram = ngram
        self._compiled = (
            isinstance(comparison, Ngram)
            and ngram.n <= kernels.MAX_PACKED_N
            and (
                (feature.kind == "string" and feature.encoding in ("ascii", "utf-8"))
                or (feature.kind == "date" and feature.date_format == ISO_DATE)
            )
        )
        self._tokens = TokenPositions(
            key, _most_bits(feature), filter_bits, n=ngram.n, positional=ngram.positional
        )

    def of(self, values: pa.LargeStringArray) -> ValueFilters:
        """Filters of distinct values without nulls."""
        self._tokens.trim()
        text = self._text(values)
        out = np.zeros((len(values), self._filter_bits // 8), dtype=np.uint8)
        if text.ready.any():
            self._set_compiled(text, out)
        rest = np.flatnonzero(~text.ready)
        plain = values.take(pa.array(rest)).to_pylist() if rest.size else []
        return ValueFilters(out, self._set_plain(rest, plain, out))

    def _text(self, values: pa.LargeStringArray) -> _Text:
        offsets, data = _buffers(values)
        ready = np.zeros(len(values), dtype=np.bool_)
        text = _Text(offsets, data, ready)
        if not self._compiled:
            return text
        if self._feature.kind == "date":
            text = _iso_dates(text)
        else:
            self._mark_strings(values, text)
        if self._feature.missing is not None:
            sentinel = pc.index(values, self._feature.missing.sentinel).as_py()
            if sentinel >= 0:
                text.ready[sentinel] = False
        return text

    def _mark_strings(self, values: pa.LargeStringArray, text: _Text) -> None:
        feature = self._feature
        high = kernels.MAX_PACKED_LENGTH
        kernels.ready_strings(
            text.offsets,
            text.data,
            _CASES[feature.case],
            feature.min_length or 0,
            high if feature.max_length is None else min(high, feature.max_length),
            text.ready,
        )
        if feature.pattern is not None:
            match = feature.pattern.fullmatch
            text.ready[:] &= [match(each) is not None for each in values.to_pylist()]

    def _set_compiled(self, text: _Text, out: NDArray[np.uint8]) -> None:
        n = self._ngram.n
        lengths = np.diff(text.offsets)
        counts = np.where(text.ready & (lengths > 0), lengths + n - 1, 0)
        starts = _starts(counts)
        keys = np.empty(starts[-1], dtype=np.uint64)
        kernels.pack_ngrams(
            text.offsets, text.data, text.ready, n, self._ngram.positional, starts, keys
        )
        self._set(starts, self._tokens.packed_slots(keys), out)

    def _set_plain(
        self, rows: NDArray[np.int64], values: Sequence[str], out: NDArray[np.uint8]
    ) -> dict[int, str]:
        slots: list[int] = []
        counts: list[int] = []
        invalid: dict[int, str] = {}
        slot = self._tokens.slot
        for row, value in zip(rows.tolist(), values, strict=True):
            before = len(slots)
            try:
                slots.extend(map(slot, tokens_of(self._feature, value)))
            except InvalidValueError as error:
                invalid[row] = error.reason
            counts.append(len(slots) - before)
        if slots:
            found = np.zeros((rows.size, out.shape[1]), dtype=np.uint8)
            self._set(_starts(np.array(counts)), np.array(slots, dtype=np.int32), found)
            out[rows] = found
        return invalid

    def _set(
        self, starts: NDArray[np.int64], slots: NDArray[np.int32], out: NDArray[np.uint8]
    ) -> None:
        strategy = self._feature.strategy
        kernels.set_bits(
            starts, slots, self._tokens.positions, strategy.per_token, strategy.per_feature, out
        )


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


def _starts(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    starts = np.zeros(counts.size + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    return starts


def _buffers(values: pa.LargeStringArray) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    _, offsets, data = values.buffers()
    if not len(values):
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    ends = np.frombuffer(offsets, dtype=np.int64)
    text = np.zeros(0, dtype=np.uint8) if data is None else np.frombuffer(data, dtype=np.uint8)
    return ends[values.offset : values.offset + len(values) + 1], text


def _iso_dates(text: _Text) -> _Text:
    digits = np.empty((text.ready.size, 8), dtype=np.uint8)
    kernels.compact_iso_dates(text.offsets, text.data, digits, text.ready)
    offsets = np.arange(text.ready.size + 1, dtype=np.int64) * 8
    return _Text(offsets, digits.reshape(-1), text.ready)
