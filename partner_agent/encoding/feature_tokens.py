"""Tokens of one feature's distinct values, as slots.

Two paths lead from values to slots. The compiled path takes values that are surely valid and
plain: ASCII strings compared by n-grams or as a whole, dates of a fixed width compared by n-grams,
numbers of few digits. The plain path of ``values`` takes all others, and alone decides that a
value is invalid.
"""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from partner_agent.encoding import kernels, number_kernels
from partner_agent.encoding.features import Exact, Feature, Ngram, Numeric
from partner_agent.encoding.positions import Texts, TokenSlots, TokenStore
from partner_agent.encoding.values import InvalidValueError, tokens_of

_CASES: Final = {
    "mixed": kernels.CASE_MIXED,
    "lower": kernels.CASE_LOWER,
    "upper": kernels.CASE_UPPER,
}
_DATE_PARTS: Final = {"%Y": range(4), "%m": range(4, 6), "%d": range(6, 8)}
_FIXED_DATE: Final = re.compile(r"(?:%[Ymd]|[-/.,:])*")  # separators that strptime takes literally
_NUMBER_BYTES: Final = 20  # longest text of a 64-bit number
_MOST_SCALE: Final = 6  # decimal digits of precision
_MOST_INTERVAL: Final = 1 << 40
_ANY: Final = 1 << 60  # beyond any integer of fifteen digits


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


@dataclass(frozen=True, slots=True)
class _Slots:
    """Slots of the values that were ready, in order, and the number of each value's."""

    slots: NDArray[np.int32]
    counts: NDArray[np.int64]


class FeatureTokens:
    """Cuts the values of one feature; slots are kept from chunk to chunk."""

    def __init__(self, feature: Feature, store: TokenStore) -> None:
        self._feature = feature
        self._date = _fixed_date(feature)
        comparison = feature.comparison
        self._ngram = comparison if isinstance(comparison, Ngram) else Ngram(1, positional=False)
        self._slots = TokenSlots(
            store, _unpack_numbers if isinstance(comparison, Numeric) else self._unpack_ngrams
        )
        self._compiled = _is_compiled(feature, self._date is not None)

    def clear(self) -> None:
        """Forget every slot, since the store has forgotten its rows."""
        self._slots.clear()

    def of(self, values: pa.LargeStringArray) -> ValueTokens:
        """Slots of distinct values without nulls."""
        text = self._text(values)
        found = self._cut(text)
        rest = np.flatnonzero(~text.ready)
        if not rest.size:
            return ValueTokens(_starts(found.counts), found.slots, {})
        plain, plain_counts, invalid = self._plain(rest, values.take(pa.array(rest)).to_pylist())
        counts = found.counts
        counts[rest] = plain_counts
        slots = np.empty(counts.sum(), dtype=np.int32)
        of_ready = np.repeat(text.ready, counts)
        slots[of_ready] = found.slots
        slots[~of_ready] = plain
        return ValueTokens(_starts(counts), slots, invalid)

    def _text(self, values: pa.LargeStringArray) -> _Text:
        offsets, data = _buffers(values)
        ready = np.zeros(len(values), dtype=np.bool_)
        text = _Text(offsets, data, ready)
        if not self._compiled:
            return text
        if self._date is not None:
            text = _compact_dates(text, *self._date)
        elif self._feature.kind == "integer":
            ready[:] = True
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

    def _cut(self, text: _Text) -> _Slots:
        comparison = self._feature.comparison
        if isinstance(comparison, Numeric):
            return self._grid(text, comparison)
        lengths = np.diff(text.offsets)
        if isinstance(comparison, Exact):
            counts = (text.ready & (lengths > 0)).astype(np.int64)
            return _Slots(self._slots.new_slots(_chosen(text, counts > 0)), counts)
        n = self._ngram.n
        counts = np.where(text.ready & (lengths > 0), lengths + n - 1, 0)
        starts = _starts(counts)
        keys = np.empty(starts[-1], dtype=np.uint64)
        kernels.pack_ngrams(
            text.offsets, text.data, text.ready, n, self._ngram.positional, starts, keys
        )
        return _Slots(self._slots.packed_slots(keys), counts)

    def _grid(self, text: _Text, comparison: Numeric) -> _Slots:
        size = text.ready.size
        centres = np.zeros(size, dtype=np.int64)
        if self._compiled:
            number_kernels.grid_centres(
                text.offsets,
                text.data,
                self._feature.kind == "string",
                comparison.precision,
                comparison.interval,
                comparison.resolution,
                text.ready,
                centres,
            )
            self._check_range(text)
        points = 2 * comparison.resolution + 1
        counts = np.where(text.ready & (np.diff(text.offsets) > 0), points, 0)
        keys = np.empty(counts.sum(), dtype=np.uint64)
        number_kernels.pack_grid(
            text.ready, counts, centres, comparison.interval, comparison.resolution, keys
        )
        return _Slots(self._slots.packed_slots(keys), counts)

    def _check_range(self, text: _Text) -> None:
        """Integers beyond the feature's limits, and the empty text, go the plain path."""
        if self._feature.kind == "integer":
            text.ready[np.diff(text.offsets) == 0] = False
            low, high = self._feature.minimum, self._feature.maximum
            number_kernels.within(
                text.offsets,
                text.data,
                -_ANY if low is None else max(low, -_ANY),
                _ANY if high is None else min(high, _ANY),
                text.ready,
            )

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

    def _unpack_ngrams(self, keys: NDArray[np.uint64]) -> Texts:
        offsets = np.empty(keys.size + 1, dtype=np.int64)
        data = np.empty(keys.size * (_NUMBER_BYTES + self._ngram.n), dtype=np.uint8)
        number_kernels.unpack_ngrams(
            keys, self._ngram.n, kernels.CHARACTER_BITS, kernels.PLACE_SHIFT, offsets, data
        )
        return offsets, data


def _unpack_numbers(keys: NDArray[np.uint64]) -> Texts:
    offsets = np.empty(keys.size + 1, dtype=np.int64)
    data = np.empty(keys.size * _NUMBER_BYTES, dtype=np.uint8)
    number_kernels.unpack_numbers(keys, offsets, data)
    return offsets, data


def _is_compiled(feature: Feature, fixed_date: bool) -> bool:
    """Whether some values of a feature can take the compiled path."""
    plain_text = feature.kind == "string" and feature.encoding in ("ascii", "utf-8")
    comparison = feature.comparison
    if isinstance(comparison, Exact):
        return plain_text
    if isinstance(comparison, Ngram):
        return comparison.n <= kernels.MAX_PACKED_N and (plain_text or fixed_date)
    return (
        (plain_text or feature.kind == "integer")
        and 0 < comparison.interval <= _MOST_INTERVAL
        and comparison.precision <= _MOST_SCALE
    )


def _fixed_date(feature: Feature) -> tuple[NDArray[np.int64], NDArray[np.uint8]] | None:
    """Places of a date's digits in ``YYYYMMDD``, and its literals, where its width is fixed."""
    text = feature.date_format
    if (
        feature.kind != "date"
        or not isinstance(feature.comparison, Ngram)
        or _FIXED_DATE.fullmatch(text) is None
        or any(text.count(part) != 1 for part in _DATE_PARTS)
    ):
        return None
    places: list[int] = []
    literals: list[int] = []
    for each in re.findall(r"%.|.", text):
        digits = _DATE_PARTS.get(each, (-1,))
        places += digits
        literals += [ord(each[0])] * len(digits)
    return np.array(places, dtype=np.int64), np.array(literals, dtype=np.uint8)


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


def _chosen(text: _Text, chosen: NDArray[np.bool_]) -> Texts:
    """The chosen texts alone."""
    lengths = np.diff(text.offsets)
    first, last = text.offsets[0], text.offsets[-1]
    data = text.data[first:last]
    if not chosen.all():
        data = data[np.repeat(chosen, lengths)]
    return _starts(lengths[chosen]), data


def _compact_dates(text: _Text, places: NDArray[np.int64], literals: NDArray[np.uint8]) -> _Text:
    digits = np.empty((text.ready.size, 8), dtype=np.uint8)
    kernels.compact_dates(text.offsets, text.data, places, literals, digits, text.ready)
    offsets = np.arange(text.ready.size + 1, dtype=np.int64) * 8
    return _Text(offsets, digits.reshape(-1), text.ready)
