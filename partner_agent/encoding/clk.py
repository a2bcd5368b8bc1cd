"""Encode records as cryptographic long-term keys, bit for bit as clkhash 0.18 does.

Schnell, Bachteler and Reiher, "A Novel Error-Tolerant Anonymous Linking Code" (2011). The work is
cut by what repeats: few distinct n-grams exist, so each is hashed once for each feature; few
distinct values exist in a chunk, so each is cut and OR-ed once; what remains for a record is one
OR of a filter for each feature.
"""

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from partner_agent.encoding import kernels
from partner_agent.encoding.columns import CHUNK_ROWS, ColumnChunks, Columns, DistinctValues
from partner_agent.encoding.errors import SecretError
from partner_agent.encoding.features import Feature
from partner_agent.encoding.filters import FeatureFilters
from partner_agent.encoding.schema import KEYS_PER_FEATURE, LinkageSchema

MIN_SECRET_BYTES: Final = 16


@dataclass(frozen=True, slots=True, order=True)
class InvalidField:
    """Why one field of one row could not be encoded; never what it holds.

    Attributes:
        row: zero-based row of the table that was handed in.
        feature: identifier of the feature.
        reason: code such as ``field.too_long``.
    """

    row: int
    feature: str
    reason: str


@dataclass(frozen=True, slots=True)
class EncodedChunk:
    """Encodings of a table's rows.

    Attributes:
        encodings: (views, n, bits / 8) uint8; zero where not accepted. The first view is the full
            encoding, and a CLK's only one.
        accepted: (n,) bool.
        invalid: what was wrong with the others, in order of rows.
    """

    encodings: NDArray[np.uint8]
    accepted: NDArray[np.bool_]
    invalid: list[InvalidField]


class ClkEncoder:
    """Encodes tables under one schema and secret. Not for use by several threads at once.

    Features, then rows, are shared among threads. Memory is bounded by the chunk of rows and the
    token caches, whatever the table's length; only the result grows.

    Raises:
        SecretError: the secret is shorter than 16 bytes.
    """

    def __init__(self, schema: LinkageSchema, secret: bytes, *, workers: int | None = None) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise SecretError(f"a secret of at least {MIN_SECRET_BYTES} bytes is expected")
        self.schema = schema
        self._workers = workers or default_workers()
        keys = feature_keys(schema, secret)
        self._filters = [
            (each, FeatureFilters(each, keys[each.index], schema.filter_bits))
            for each in schema.features
        ]

    def encode(self, columns: Columns) -> EncodedChunk:
        """Encode every row. A row with an invalid field is reported and stays zero.

        Raises:
            ColumnMissingError: a column of the schema is not there.
        """
        source = ColumnChunks(columns, self.schema.columns)
        encodings = np.zeros((1, source.rows, self.schema.bits // 8), dtype=np.uint8)
        accepted = np.ones(source.rows, dtype=np.bool_)
        invalid: list[InvalidField] = []
        with ThreadPoolExecutor(self._workers) as threads:
            for rows, distinct in source.chunks(CHUNK_ROWS):
                found, problems = self._encode_chunk(rows, distinct, threads)
                encodings[0, rows] = found
                accepted[[each.row for each in problems]] = False
                invalid.extend(problems)
        encodings[:, ~accepted] = 0
        return EncodedChunk(encodings, accepted, invalid)

    def encode_batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[EncodedChunk]:
        """Encode batch by batch, in constant memory; rows count from 0 in each batch."""
        for each in batches:
            yield self.encode(each)

    def _encode_chunk(
        self, rows: slice, columns: dict[str, DistinctValues], threads: ThreadPoolExecutor
    ) -> tuple[NDArray[np.uint8], list[InvalidField]]:
        size = rows.stop - rows.start
        out = np.zeros((size, self.schema.filter_bits // 8), dtype=np.uint8)
        invalid: list[InvalidField] = []
        parts = [
            slice(*each) for each in pairwise(np.linspace(0, size, self._workers + 1, dtype=int))
        ]
        made = threads.map(
            lambda each: each[1].of(columns[each[0].identifier].values), self._filters
        )
        for (feature, _), found in zip(self._filters, made, strict=True):
            column = columns[feature.identifier]
            jobs = [
                threads.submit(kernels.or_rows, column.codes[part], found.filters, out[part])
                for part in parts
            ]
            invalid.extend(invalid_rows(feature, column, found.invalid, rows.start))
            wait(jobs)
        return _fold(out, self.schema.folds), sorted(invalid)


def default_workers() -> int:
    """Processors that this process may use; ``NUMBA_NUM_THREADS`` lowers it."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(available or 1, int(os.environ.get("NUMBA_NUM_THREADS", available or 1))))


def feature_keys(schema: LinkageSchema, secret: bytes) -> list[bytes]:
    """One key for each feature, ignored ones included, by HKDF (RFC 5869) as clkhash makes them."""
    settings = schema.kdf
    algorithm = hashes.SHA256() if settings.hash == "SHA256" else hashes.SHA512()
    step = settings.key_bytes * KEYS_PER_FEATURE
    material = HKDF(
        algorithm=algorithm,
        length=step * schema.feature_count,
        salt=settings.salt,
        info=settings.info,
    ).derive(secret)
    return [material[start : start + settings.key_bytes] for start in range(0, len(material), step)]


def invalid_rows(
    feature: Feature, column: DistinctValues, invalid: dict[int, str], first: int
) -> Iterator[InvalidField]:
    """Rows of a chunk, from row ``first`` of the table, that hold an invalid value."""
    for at in column.unencodable.tolist():
        yield InvalidField(first + at, feature.identifier, "field.unencodable")
    if not invalid:
        return
    wrong = np.isin(column.codes, np.fromiter(invalid, dtype=np.int32))
    known = set(column.unencodable.tolist())
    for at in np.flatnonzero(wrong).tolist():
        if at not in known:
            reason = invalid[int(column.codes[at])]
            yield InvalidField(first + at, feature.identifier, reason)


def _fold(filters: NDArray[np.uint8], folds: int) -> NDArray[np.uint8]:
    """XOR the halves of each filter, ``folds`` times."""
    for _ in range(folds):
        half = filters.shape[1] // 2
        filters = filters[:, :half] ^ filters[:, half:]
    return filters
