"""Cleaned rows and their handles as a record batch of a submission.

The batch has the columns of ``governance.exchange.submission.ARROW_SCHEMA`` and nothing else: no
name, date of birth, address or identifier of the source.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from governance.agreements.encoding import Hardening
from governance.exchange.submission import AGE_BANDS, ENCODING_BYTES, HANDLE_BYTES
from governance.exchange.submission_file import ARROW_SCHEMA
from partner_agent.encoding.clk import InvalidField
from partner_agent.encoding.errors import EncodingError, SchemaUnsupportedError
from partner_agent.encoding.home_tokens import token_columns
from partner_agent.encoding.likeness import LikenessMeter
from partner_agent.encoding.mentions import filled, mentions_of
from partner_agent.encoding.profiles import mention_encoder, record_encoder
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.tokens import LinkageKeys, cleaned_column, month_interval
from partner_agent.encoding.uniqueness import ViewCounter

TOO_LITTLE: Final = "row.too_little_to_encode"
_BAND_STARTS: Final = (0, 5, 11, 16, 18, 25, 45, 65)  # years, one for each of AGE_BANDS
_OLDEST: Final = 125  # years; an older person is a wrong date
_BANDED: Final = ("sex", "name_origin", "mover")
_INDICATOR: Final = "indicator."
_MET: Final = {"met": True, "unmet": False}


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """What became of one chunk of a cleaned table.

    Attributes:
        batch: accepted rows in order, with the columns of ``ARROW_SCHEMA``.
        accepted: (n,) bool over the rows of the chunk.
        invalid: fields that the schema refused, rows counted from 0 in the chunk.
    """

    batch: pa.RecordBatch
    accepted: np.ndarray[Any, np.dtype[np.bool_]]
    invalid: list[InvalidField]


class SubmissionEncoder:
    """Encodes cleaned chunks of one source under one agreement.

    Args:
        schema: the agreement's linkage schema, of 1,024 bits.
        keys: the agreement's keys.
        reference_date: the day of the extract; ages and unknown beginnings refer to it.
        hardening: of profile ``hardened``; None for ``clk``.
        bands: the agreed bands of cleaned rows (agreement: quality.groups), by group; none when
            None.

    Raises:
        SchemaUnsupportedError: the schema's encodings do not have 1,024 bits, or the schema does
            not fit the hardening.
    """

    def __init__(
        self,
        schema: LinkageSchema,
        keys: LinkageKeys,
        reference_date: date,
        hardening: Hardening | None = None,
        bands: Callable[[pd.DataFrame], Sequence[Mapping[str, str]]] | None = None,
    ) -> None:
        if schema.bits != ENCODING_BYTES * 8:
            raise SchemaUnsupportedError(f"encodings of {ENCODING_BYTES * 8} bits are expected")
        self._encoder = record_encoder(schema, keys, hardening)
        self._mention_encoder = mention_encoder(schema, keys, hardening)
        self._views = ViewCounter(hardening)
        self._likeness = None if hardening is None else LikenessMeter(schema, hardening)
        self._keys = keys
        self._reference_date = reference_date
        self._bands = bands

    def encode(self, frame: pd.DataFrame, handles: Sequence[bytes]) -> EncodedRows:
        """Encode one chunk of a cleaned table.

        Args:
            frame: cleaned columns (docs/architecture.md, "Cleaned table"); a schema's column that
                the source does not have counts as missing.
            handles: the 16-byte handle of each row.

        Raises:
            EncodingError: there is not one handle of 16 bytes for each row.
        """
        if len(handles) != len(frame) or any(len(each) != HANDLE_BYTES for each in handles):
            raise EncodingError(f"one handle of {HANDLE_BYTES} bytes for each row is expected")
        chunk = self._encoder.encode(self._with_schema_columns(frame))
        invalid = list(chunk.invalid)
        accepted = chunk.accepted
        if self._likeness is None:  # profile clk
            sparse = accepted & ~filled(chunk.encodings[0])
            accepted = accepted & ~sparse
            invalid += [
                InvalidField(row, "", TOO_LITTLE) for row in np.flatnonzero(sparse).tolist()
            ]
        kept = np.flatnonzero(accepted)
        rows = frame.iloc[kept].reset_index(drop=True)
        self._views.add(chunk.encodings[:, kept], rows)
        if self._likeness is not None:
            self._likeness.add(rows)
        columns: dict[str, Any] = {
            "handle": [handles[at] for at in kept.tolist()],
            "encoding": _binary(chunk.encodings[0, kept]),
            "views": _views(chunk.encodings[1:, kept]),
            "households": self._households(rows),
            "mentions": [
                [{"relation": relation, "encoding": encoding} for relation, encoding in each]
                for each in mentions_of(self._mention_encoder, rows)
            ],
            "age_band": [
                age_band(each, self._reference_date)
                for each in cleaned_column(rows, "date_of_birth")
            ],
            "duplicates": [[]] * len(rows),  # known once all rows are (partner_agent.submissions)
            "indicators": indicators_of(rows),
        }
        bands: Sequence[Mapping[str, str]] = (
            [{}] * len(rows) if self._bands is None else self._bands(rows)
        )
        columns |= {name: [each.get(name) for each in bands] for name in _BANDED}
        arrays = [_array(columns[each.name], each.type) for each in ARROW_SCHEMA]
        batch = pa.RecordBatch.from_arrays(arrays, schema=ARROW_SCHEMA)
        return EncodedRows(batch, accepted, sorted(invalid))

    def check_views(self) -> None:
        """Check that every encoding is near-unique among all rows encoded so far.

        Raises:
            ViewNotUniqueError: one is not; nothing of the extract may leave.
        """
        self._views.check()

    def namesakes(self) -> NDArray[np.bool_]:
        """Which rows encoded so far may not leave: their full encoding is somebody else's too."""
        return self._views.namesakes()

    def likeness(self) -> float | None:
        """How alike the people encoded so far are (``LikenessMeter.thresholds``).

        None for profile ``clk``, which hides no likeness, and where records are too few.
        """
        return None if self._likeness is None else self._likeness.thresholds()

    def _with_schema_columns(self, frame: pd.DataFrame) -> pd.DataFrame:
        names = self._encoder.schema.columns
        absent = [name for name in names if name not in frame]
        return frame.assign(**dict.fromkeys(absent, ""))[list(names)] if absent else frame

    def _households(self, frame: pd.DataFrame) -> list[list[dict[str, Any]]]:
        tokens = token_columns(self._keys, frame)
        begins = cleaned_column(frame, "address_from")
        ends = cleaned_column(frame, "address_to")
        found: list[list[dict[str, Any]]] = []
        for home, begin, end in zip(tokens, begins, ends, strict=True):
            if home.household is None and home.near_area is None:
                found.append([])
                continue
            first, last = month_interval(begin, end, self._reference_date)
            found.append([{**home._asdict(), "first_month": first, "last_month": last}])
        return found


def _array(values: Any, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array) else pa.array(values, kind)


def _binary(encodings: NDArray[np.uint8]) -> pa.Array:
    """Encodings (n, bytes) as an Arrow column that shares their memory."""
    data = pa.py_buffer(np.ascontiguousarray(encodings))
    return pa.Array.from_buffers(pa.binary(ENCODING_BYTES), len(encodings), [None, data])


def _views(encodings: NDArray[np.uint8]) -> pa.Array:
    """Views (v, n, bytes) as a list of v for each record."""
    views, records, _ = encodings.shape
    offsets = pa.array(np.arange(records + 1, dtype=np.int32) * views)
    items = _binary(encodings.transpose(1, 0, 2).reshape(-1, ENCODING_BYTES))
    return pa.ListArray.from_arrays(offsets, items, type=ARROW_SCHEMA.field("views").type)


def age_band(date_of_birth: str, on: date) -> str | None:
    """The band of a person's age in whole years; None where it is not known or not possible."""
    try:
        born = date.fromisoformat(date_of_birth)
    except ValueError:
        return None
    years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
    if not 0 <= years <= _OLDEST:
        return None
    for band, (low, high) in zip(AGE_BANDS, pairwise((*_BAND_STARTS, _OLDEST + 1)), strict=True):
        if low <= years < high:
            return band
    return None


def indicators_of(frame: pd.DataFrame) -> list[list[dict[str, Any]]]:
    """Indicators of each row that are met or unmet; unknown ones are left out."""
    found: list[list[dict[str, Any]]] = [[] for _ in range(len(frame))]
    for column in frame.columns:
        if not str(column).startswith(_INDICATOR):
            continue
        name = str(column).removeprefix(_INDICATOR)
        for row, state in zip(found, cleaned_column(frame, column), strict=True):
            if state in _MET:
                row.append({"indicator": name, "met": _MET[state]})
    return found
