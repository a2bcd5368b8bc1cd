"""Hardened encodings: each bit is the XOR of k majorities over keyed random votes of the tokens.

The idea of SAUL (Armknecht and Schaefer, PoPETs 2026(2), 6-19), written from the paper's idea with
a 256-bit key and SHAKE-256; one paper is its only security evidence.

A token votes for or against each place with a weight, so that a long address does not drown a
date. In a weighted majority a feature's influence is the sum of its tokens' squared weights. That
sum is made the feature's ``bitsPerFeature``, the weight that the linkage schema has for it
already: a token weighs 4 sqrt(bitsPerFeature / tokens of the value), rounded down, at least 1;
with ``bitsPerToken``, 4 sqrt(bitsPerToken). Ties are broken by a keyed bit for each place.

Every view has a key of its own, drawn from everything that the agreement says of it.
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import pyarrow as pa
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from governance.agreements.encoding import DAY_MONTH, FULL_VIEW, YEAR, Hardening
from governance.canonical import canonical_bytes
from partner_agent.encoding import majority
from partner_agent.encoding.clk import (
    MIN_SECRET_BYTES,
    EncodedChunk,
    InvalidField,
    default_workers,
    invalid_rows,
)
from partner_agent.encoding.columns import ColumnChunks, Columns, DistinctValues
from partner_agent.encoding.errors import SchemaUnsupportedError, SecretError
from partner_agent.encoding.feature_tokens import FeatureTokens, ValueTokens
from partner_agent.encoding.features import Feature, Ngram
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.votes import KEY_BYTES, FeatureVotes, VoteStore

CHUNK_ROWS: Final = 1 << 14
_LABEL: Final = b"hearthlink/encoding/v1/hardened-view\n"
_DATE_CHARACTERS: Final = 8  # YYYYMMDD
_YEAR_CHARACTERS: Final = 4


class HardenedEncoder:
    """Encodes tables under one schema, hardening and secret. Not for several threads at once.

    Rows are shared among threads. Memory is bounded by the chunk of rows and the cache of votes,
    whatever the table's length; only the result grows.

    Raises:
        SecretError: the secret is shorter than 16 bytes.
        SchemaUnsupportedError: weights are too large, a view keeps part of a date whose n-grams
            have no places, or names a feature that the schema does not have.
    """

    def __init__(
        self,
        schema: LinkageSchema,
        hardening: Hardening,
        secret: bytes,
        *,
        workers: int | None = None,
    ) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise SecretError(f"a secret of at least {MIN_SECRET_BYTES} bytes is expected")
        self.schema = schema
        self.hardening = hardening
        self._workers = workers or default_workers()
        self._weights = np.stack([_weights(each) for each in schema.features])
        _check_sum(schema, self._weights)
        self._kept = np.stack(
            [_kept(schema, each) for each in ((), *(view.leaves_out for view in hardening.views))]
        )
        self._needs = np.array(
            [
                [each.identifier in needs for each in schema.features]
                for needs in ((), *(view.needs for view in hardening.views))
            ]
        )
        self._store = VoteStore(view_keys(schema, hardening, secret), hardening.k * hardening.bits)
        self._ties = self._store.ties()
        self._tokens = [
            FeatureTokens(each, FeatureVotes(self._store, each.index)) for each in schema.features
        ]

    def encode(self, columns: Columns) -> EncodedChunk:
        """Encode every row in every view. A row with an invalid field is reported and stays zero.

        Raises:
            ColumnMissingError: a column of the schema is not there.
        """
        source = ColumnChunks(columns, self.schema.columns)
        shape = (len(self._kept), source.rows, self.hardening.bits // 8)
        encodings = np.zeros(shape, dtype=np.uint8)
        accepted = np.ones(source.rows, dtype=np.bool_)
        invalid: list[InvalidField] = []
        with ThreadPoolExecutor(self._workers) as threads:
            for rows, distinct in source.chunks(CHUNK_ROWS):
                invalid.extend(self._encode_chunk(rows, distinct, encodings, threads))
        accepted[[each.row for each in invalid]] = False
        encodings[:, ~accepted] = 0
        return EncodedChunk(encodings, accepted, invalid)

    def encode_batches(self, batches: Iterable[pa.RecordBatch]) -> Iterator[EncodedChunk]:
        """Encode batch by batch, in constant memory; rows count from 0 in each batch."""
        for each in batches:
            yield self.encode(each)

    def _encode_chunk(
        self,
        rows: slice,
        columns: dict[str, DistinctValues],
        out: NDArray[np.uint8],
        threads: ThreadPoolExecutor,
    ) -> list[InvalidField]:
        if self._store.full:
            self._store.clear()
            for each in self._tokens:
                each.clear()
        invalid: list[InvalidField] = []
        found: list[ValueTokens] = []
        codes: list[NDArray[np.int32]] = []
        for feature, tokens in zip(self.schema.features, self._tokens, strict=True):
            column = columns[feature.identifier]
            values = tokens.of(column.values)
            long = np.flatnonzero(np.diff(values.starts) > majority.MAX_TOKENS)
            wrong = dict.fromkeys(long.tolist(), "field.too_long") | values.invalid
            invalid.extend(invalid_rows(feature, column, wrong, rows.start))
            found.append(values)
            codes.append(column.codes)
        arguments = (
            np.stack(codes),
            np.cumsum([0, *(each.starts.size for each in found[:-1])]),
            np.concatenate(_shifted([each.starts for each in found], found)),
            np.concatenate([each.slots for each in found]),
            self._store.rows,
            self._kept,
            self._needs,
            self._weights,
            self._ties,
            out.view(np.uint64)[:, rows],
        )
        size = rows.stop - rows.start
        step = -(-size // self._workers)
        jobs = [
            threads.submit(majority.encode_rows, view, first, min(first + step, size), *arguments)
            for view in range(len(self._kept))
            for first in range(0, size, step)
        ]
        for job in jobs:
            job.result()
        return sorted(invalid)


def view_keys(schema: LinkageSchema, hardening: Hardening, secret: bytes) -> list[bytes]:
    """Key of each view by HKDF-SHA256 (RFC 5869), bound to schema, k, bits and the view itself."""
    views = [{"id": FULL_VIEW, "leaves_out": [], "needs": []}] + [
        view.model_dump(mode="json") for view in hardening.views
    ]
    return [
        HKDF(
            hashes.SHA256(),
            KEY_BYTES,
            salt=None,
            info=_LABEL
            + canonical_bytes(
                {"schema": schema.hash, "k": hardening.k, "bits": hardening.bits, "view": view}
            ),
        ).derive(secret)
        for view in views
    ]


def _weights(feature: Feature) -> NDArray[np.int64]:
    """Weight of a token by the number of tokens of its value, (MAX_TOKENS + 1,)."""
    strategy = feature.strategy
    return np.array(
        [
            max(1, math.isqrt(16 * strategy.per_token or 16 * strategy.per_feature // max(1, size)))
            for size in range(majority.MAX_TOKENS + 1)
        ],
        dtype=np.int64,
    )


def _check_sum(schema: LinkageSchema, weights: NDArray[np.int64]) -> None:
    most = int((weights * np.arange(majority.MAX_TOKENS + 1)).max(axis=1).sum())
    if most > majority.MAX_SUM:
        raise SchemaUnsupportedError(
            f"the weights of {len(schema.features)} features could add up to {most}; the hardened "
            f"profile holds {majority.MAX_SUM}",
            next_step="lower bitsPerFeature in all features alike",
        )


def _kept(schema: LinkageSchema, leaves_out: Sequence[str]) -> NDArray[np.int64]:
    """Tokens of each feature that a view counts: from, to, and the number wanted (0: any)."""
    parts = dict(each.partition(".")[::2] for each in leaves_out)
    unknown = set(parts) - set(schema.columns)
    if unknown:
        raise SchemaUnsupportedError(f"views leave out what is no feature: {sorted(unknown)}")
    found = []
    for feature in schema.features:
        part = parts.get(feature.identifier)
        if part is None:
            found.append((0, majority.MAX_TOKENS, 0))
        elif part:
            found.append(_date_tokens(feature, part))
        else:
            found.append((0, 0, 0))
    return np.array(found, dtype=np.int64)


def _date_tokens(feature: Feature, part: str) -> tuple[int, int, int]:
    """Tokens of a date that hold no character of one part."""
    comparison = feature.comparison
    if feature.kind != "date" or not isinstance(comparison, Ngram) or not comparison.positional:
        raise SchemaUnsupportedError(
            f"feature {feature.identifier}: a part of a date can be left out only where positional "
            "n-grams are compared"
        )
    tokens = _DATE_CHARACTERS + comparison.n - 1  # token t holds characters t - n + 1 to t
    if part == YEAR:
        return _YEAR_CHARACTERS + comparison.n - 1, tokens, tokens
    assert part == DAY_MONTH  # noqa: S101 - the agreement's model knows no other
    return 0, _YEAR_CHARACTERS, tokens


def _shifted(
    starts: Sequence[NDArray[np.int64]], found: Sequence[ValueTokens]
) -> list[NDArray[np.int64]]:
    offsets = np.cumsum([0, *(each.slots.size for each in found[:-1])])
    return [each + offset for each, offset in zip(starts, offsets, strict=True)]
