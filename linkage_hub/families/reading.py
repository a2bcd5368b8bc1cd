"""From submissions' Arrow columns and the person of each record to flat evidence."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from governance.exchange.submission import AGE_BANDS, ENCODING_BYTES, NEAR_TOKENS, TOKEN_BYTES
from linkage_hub.families.columns import (
    OPEN,
    RELATION_CODES,
    UNKNOWN,
    Bools,
    Bytes,
    Evidence,
    Ints,
    Mentions,
    Records,
    Statements,
)


class _Numbered(NamedTuple):
    """Number of each token, -1 for null, and the tokens by number, ascending."""

    numbers: Ints
    tokens: Bytes


def read_evidence(
    tables: Sequence[pa.Table],
    person_of: Sequence[Ints],
    persons: int,
    hardening: int | None = None,
) -> Evidence:
    """Evidence of all persons.

    Args:
        tables: one for each source, with the columns of ``ARROW_SCHEMA``.
        person_of: person of each record of each source, int64 (n,).
        persons: how many there are.
        hardening: k of profile ``hardened``; None for ``clk``.
    """
    homes = [_flat(table, "households") for table in tables]
    owners = [person_of[at][rows] for at, (rows, _) in enumerate(homes)]
    household = _numbered([each.field("household") for _, each in homes])
    near = [_numbered([each.field(name) for _, each in homes]).numbers for name in NEAR_TOKENS]
    kin_of, kin = _kin([each.field("kin") for _, each in homes])
    statements = Statements(
        person=_joined(owners),
        household=household.numbers,
        near=np.stack(near, axis=1),
        first=_months([each.field("first_month") for _, each in homes]),
        last=_months([each.field("last_month") for _, each in homes]),
        source=_joined([np.full(len(each), at, dtype=np.int64) for at, each in enumerate(owners)]),
        kin_of=kin_of,
        kin=kin,
    )
    records = Records(
        _joined(person_of),
        _stacked([fixed_bytes(_whole(table, "encoding"), ENCODING_BYTES) for table in tables]),
        _joined([np.full(len(each), at, dtype=np.int64) for at, each in enumerate(person_of)]),
        np.concatenate(
            [np.zeros(0, dtype=np.bool_),
             *(_marked(len(each), rows) for each, (rows, _) in zip(person_of, homes, strict=True))]
        ),
    )  # fmt: skip
    band = _bands([_whole(table, "age_band") for table in tables], person_of, persons)
    mentions = _mentions(tables, person_of)
    return Evidence(persons, statements, mentions, records, band, household.tokens, hardening)


def with_persons(evidence: Evidence, person: Ints, persons: int) -> Evidence:
    """Evidence of records, each read as a person of its own, as evidence of other persons.

    Args:
        evidence: by ``read_evidence``, where every record was a person.
        person: the person of each record over all sources, int64 (r,).
        persons: how many there are.
    """
    return replace(
        evidence,
        persons=persons,
        statements=replace(evidence.statements, person=person[evidence.statements.person]),
        mentions=replace(evidence.mentions, person=person[evidence.mentions.person]),
        records=replace(evidence.records, person=person[evidence.records.person]),
        band=_usual_band(evidence.band, person, persons),
    )


def fixed_bytes(values: pa.Array, width: int) -> Bytes:
    """Values of a fixed-size binary column, uint8 (n, width); a null's bytes mean nothing."""
    data = values.buffers()[1]
    if not len(values) or data is None:
        return np.zeros((len(values), width), dtype=np.uint8)
    size = len(values) * width
    found = np.frombuffer(data, dtype=np.uint8, count=size, offset=values.offset * width)
    return found.reshape(-1, width)


def _whole(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks else pa.array([], column.type)
    return column


def _marked(count: int, rows: Ints) -> Bools:
    found = np.zeros(count, dtype=np.bool_)
    found[rows] = True
    return found


def _flat(table: pa.Table, name: str) -> tuple[Ints, pa.StructArray]:
    """Row of each element of a list column, and the elements."""
    column = _whole(table, name)
    rows = pc.list_parent_indices(column).to_numpy(zero_copy_only=False).astype(np.int64)
    return rows, column.flatten()


def _mentions(tables: Sequence[pa.Table], person_of: Sequence[Ints]) -> Mentions:
    named = [_flat(table, "mentions") for table in tables]
    relations = [_codes(each.field("relation"), RELATION_CODES) for _, each in named]
    return Mentions(
        _joined([person_of[at][rows] for at, (rows, _) in enumerate(named)]),
        _joined(relations),
        _stacked([fixed_bytes(each.field("encoding"), ENCODING_BYTES) for _, each in named]),
    )


def _bands(columns: Sequence[pa.Array], person_of: Sequence[Ints], persons: int) -> Ints:
    """The band that most of a person's records give, of equals the younger; -1 for none."""
    bands = _joined([_codes(column, AGE_BANDS) for column in columns])
    return _usual_band(bands, _joined(person_of), persons)


def _usual_band(bands: Ints, person: Ints, persons: int) -> Ints:
    known = bands >= 0
    key = person[known] * len(AGE_BANDS) + bands[known]
    counts = np.bincount(key, minlength=persons * len(AGE_BANDS)).reshape(persons, len(AGE_BANDS))
    found: Ints = counts.argmax(axis=1).astype(np.int64)
    found[counts.max(axis=1, initial=0) == 0] = UNKNOWN
    return found


def _codes(column: pa.Array, words: Sequence[str]) -> Ints:
    found = pc.fill_null(pc.index_in(column, value_set=pa.array(words)), UNKNOWN)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=np.int64)


def _kin(columns: Sequence[pa.ListArray]) -> tuple[Ints, Ints]:
    """Statement of each kin token, and its number."""
    rows = _joined([np.asarray(pc.list_value_length(each), dtype=np.int64) for each in columns])
    found = _numbered([each.flatten() for each in columns])
    return np.repeat(np.arange(len(rows)), rows), found.numbers


def _months(columns: Sequence[pa.Array]) -> Ints:
    filled = [pc.fill_null(column, OPEN).to_numpy(zero_copy_only=False) for column in columns]
    return _joined([each.astype(np.int64) for each in filled])


def _numbered(columns: Sequence[pa.Array]) -> _Numbered:
    whole = pa.chunked_array(columns, pa.binary(TOKEN_BYTES)).combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    coded = whole.dictionary_encode()
    tokens = fixed_bytes(coded.dictionary, TOKEN_BYTES)
    order = np.lexsort(tokens.view(">u8").reshape(-1, 2).T[::-1]) if len(tokens) else np.arange(0)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    codes = pc.fill_null(coded.indices, UNKNOWN).to_numpy(zero_copy_only=False).astype(np.int64)
    numbers = np.where(codes >= 0, rank[codes] if len(rank) else 0, UNKNOWN)
    return _Numbered(numbers, tokens[order])


def _joined(parts: Sequence[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, dtype=np.int64), *parts])


def _stacked(parts: Sequence[Bytes]) -> Bytes:
    return np.concatenate([np.zeros((0, ENCODING_BYTES), dtype=np.uint8), *parts])
