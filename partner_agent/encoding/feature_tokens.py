"""Tokens of one feature's distinct values, as slots.

Two paths lead from values to slots. The compiled path takes values that are surely valid and
plain: ASCII strings and ISO dates compared by n-grams. The plain path of ``values`` takes all
others, and alone decides that a value is invalid.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from partner_agent.encoding import kernels
from partner_agent.encoding.features import Feature, Ngram
from partner_agent.encoding.positions import TokenSlots, TokenStore
from partner_agent.encoding.values import InvalidValueError, tokens_of

ISO_DATE: Final = "%Y-%m-%d"
_CASES: Final = {
    "mixed": kernels.CASE_MIXED,
    "lower": kernels.CASE_LOWER,
    "upper": kernels.CASE_UPPER,
}


@dataclass(frozen=True, slots=True)
class ValueTokens:
    """Slots of distinct values in order: value ``i`` has ``slots[starts[i]:starts[i + 1]]``.

    Attributes:
        starts: int64 (values + 1,).
        slots: int32, repetitions included.
        invalid: index of a value that has no tokens, and its reason code.
    """

    starts: NDArray[np.int64]
    slots: NDArray[np.int32]
    invalid: dict[int, str]


@dataclass(frozen=True, slots=True)
class _Text:
    """Text of the compiled path: value ``i`` is ``data[offsets[i]:offsets[i + 1]]``."""

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]
    ready: NDArray[np.bool_]


class FeatureTokens:
    """Cuts the values of one feature; slots are kept from chunk to chunk."""

    def __init__(self, feature: Feature, store: TokenStore) -> None:
        self._feature = feature
        comparison = feature.comparison
        self._ngram = comparison if isinstance(comparison, Ngram) else Ngram(1, positional=False)
        self._slots = TokenSlots(store, n=self._ngram.n, positional=self._ngram.positional)
        self._compiled = (
            isinstance(comparison, Ngram)
            and self._ngram.n <= kernels.MAX_PACKED_N
            and (
                (feature.kind == "string" and feature.encoding in ("ascii", "utf-8"))
                or (feature.kind == "date" and feature.date_format == ISO_DATE)
            )
        )

    def clear(self) -> None:
        """Forget every slot, since the store has forgotten its rows."""
        self._slots.clear()

    def of(self, values: pa.LargeStringArray) -> ValueTokens:
        """Slots of distinct values without nulls."""
        text = self._text(values)
        packed, packed_counts = self._packed(text)
        rest = np.flatnonzero(~text.ready)
        if not rest.size:
            return ValueTokens(_starts(packed_counts), packed, {})
        plain, plain_counts, invalid = self._plain(rest, values.take(pa.array(rest)).to_pylist())
        counts = packed_counts
        counts[rest] = plain_counts
        slots = np.empty(counts.sum(), dtype=np.int32)
        of_ready = np.repeat(text.ready, counts)
        slots[of_ready] = packed
        slots[~of_ready] = plain
        return ValueTokens(_starts(counts), slots, invalid)

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

    def _packed(self, text: _Text) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        n = self._ngram.n
        lengths = np.diff(text.offsets)
        counts = np.where(text.ready & (lengths > 0), lengths + n - 1, 0)
        starts = _starts(counts)
        keys = np.empty(starts[-1], dtype=np.uint64)
        kernels.pack_ngrams(
            text.offsets, text.data, text.ready, n, self._ngram.positional, starts, keys
        )
        return self._slots.packed_slots(keys), counts

    def _plain(
        self, rows: NDArray[np.int64], values: list[str]
    ) -> tuple[list[int], list[int], dict[int, str]]:
        slots: list[int] = []
        counts: list[int] = []
        invalid: dict[int, str] = {}
        slot = self._slots.slot
        for row, value in zip(rows.tolist(), values, strict=True):
            before = len(slots)
            try:
                slots.extend(map(slot, tokens_of(self._feature, value)))
            except InvalidValueError as error:
                invalid[row] = error.reason
            counts.append(len(slots) - before)
        return slots, counts, invalid


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
