"""What a submission's file must hold.

Rules, in order: no handle twice; as many views for each record as the agreement has; no encoding,
of a record or of a mention, with implausibly few or many bits set for the agreement's profile, and
no encoding shared by too many records (invariant 19: crafted encodings probe the link results);
what is said of records of one person, as ``duplicates`` has it; relations, age bands, indicators
and months from the closed lists of the agreement; no home that ends before it begins. Columns and
counts were checked before (``reading``).
"""

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from governance.agreements.encoding import Hardening
from governance.agreements.quality import Quality
from governance.exchange.sentinels import VALUES
from governance.exchange.submission import (
    AGE_BANDS,
    CLK_FILL_LEAST,
    ENCODING_BYTES,
    KIN_MOST,
    RELATIONS,
    Manifest,
)
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.submissions.duplicates import check_duplicates
from linkage_hub.submissions.errors import (
    CountMismatch,
    DuplicateEncodings,
    DuplicateHandles,
    ImplausibleEncodings,
    NotArrow,
    SyntheticNotAgreed,
    ValueNotAgreed,
    ViewsNotAgreed,
)

BITS: Final = ENCODING_BYTES * 8


class Shares(NamedTuple):
    """Plausible shares of bits set: of one encoding, and of a submission's mean."""

    row_least: float
    row_most: float
    mean_least: float
    mean_most: float


# Measured on the submissions of ``benchmarks.scale --records 100000``: 104,952 records fill .23 to
# .49, 21,354 mentions .28 to .46; schemas of more fields fill more. Agents send nothing below.
CLK_SHARES: Final = Shares(CLK_FILL_LEAST, 0.70, 0.20, 0.60)
# Bits of a hardened encoding are coins of a keyed function: standard deviation 1 / 64 of a row's
# share. 6.4 of them on either side refuse one honest row in 10 ** 10. Rows share tokens, so the
# mean over a submission may lie farther from a half than independent rows would.
HARDENED_SHARES: Final = Shares(0.40, 0.60, 0.45, 0.55)
SAME_ENCODING_MOST: Final = 0.02  # of a submission's records, and at least this many:
SAME_ENCODING_FREE: Final = 20
MEAN_FROM: Final = 20  # encodings; the mean of fewer says no more than each of them
HOUSEHOLDS_MOST: Final = 100  # of one record
MENTIONS_MOST: Final = 50
MONTH_LEAST, MONTH_MOST = 12 * 1900, 12 * 2200


def encodings_of(table: pa.Table) -> npt.NDArray[np.uint8]:
    """Encodings, uint8 (v, n, 128): the full one first, then the views; ``clk`` has none.

    Raises:
        ViewsNotAgreed: records differ in their number of views.
    """
    counts = pc.list_value_length(table.column("views"))
    views = pc.min_max(counts).as_py()
    if views["min"] != views["max"]:
        raise ViewsNotAgreed("records have different numbers of views")
    more = views["max"] or 0
    found = np.empty((1 + more, table.num_rows, ENCODING_BYTES), dtype=np.uint8)
    row = 0
    for batch in table.to_batches():
        stop = row + batch.num_rows
        found[0, row:stop] = _bytes_of(batch.column("encoding"))
        if more:
            flat = _bytes_of(batch.column("views").flatten())
            found[1:, row:stop] = flat.reshape(-1, more, ENCODING_BYTES).transpose(1, 0, 2)
        row = stop
    return found


def _bytes_of(column: pa.Array) -> npt.NDArray[np.uint8]:
    """A fixed-size binary column, uint8 (n, 128)."""
    data = np.frombuffer(column.buffers()[1] or b"", dtype=np.uint8)
    start = column.offset * ENCODING_BYTES
    return data[start : start + len(column) * ENCODING_BYTES].reshape(-1, ENCODING_BYTES)


def check_content(
    table: pa.Table,
    manifest: Manifest,
    indicators: Iterable[str],
    hardening: Hardening | None = None,
) -> None:
    """Check a submission's records; ``hardening`` is the agreement's, None for profile ``clk``.

    Raises:
        SubmissionError: by the first rule that fails; no message holds a value.
    """
    if table.num_rows != manifest.counts.in_file:
        raise CountMismatch(
            f"the file holds {table.num_rows} records, the manifest says {manifest.counts.in_file}"
        )
    for name in ARROW_SCHEMA.names:
        if not ARROW_SCHEMA.field(name).nullable and table.column(name).null_count:
            raise NotArrow(f"{name}: a value is missing")
    handles = table.column("handle")
    if pc.count_distinct(handles).as_py() != table.num_rows:
        raise DuplicateHandles("a record handle occurs twice")
    _check_views(encodings_of(table), hardening)
    check_duplicates(table)
    _check_lists(table, set(indicators))
    shares = HARDENED_SHARES if hardening else CLK_SHARES
    mentioned = _bytes_of(_flat(table, "mentions").field("encoding"))
    _check_fill(mentioned, "mentions.encoding", shares)


def check_synthetic(manifest: Manifest, quality: Quality | None) -> None:
    """Check that a submission's synthetic rows are those that the agreement asks for.

    Raises:
        SyntheticNotAgreed: it has some where there are none to be, too many, or does not commit to
            which they are.
    """
    counts = manifest.counts
    committed = manifest.synthetic_key is not None
    if quality is None and (committed or counts.synthetic):
        raise SyntheticNotAgreed("the agreement has no synthetic rows")
    if quality is not None and not committed:
        raise SyntheticNotAgreed(
            "the manifest does not commit to which rows are synthetic",
            next_step="prepare the extract again under the agreement in force",
        )
    if quality is not None and counts.synthetic > quality.most(counts.in_file):
        raise SyntheticNotAgreed(
            f"{counts.synthetic} of {counts.in_file} rows are synthetic: more than agreed"
        )


def _check_views(encodings: npt.NDArray[np.uint8], hardening: Hardening | None) -> None:
    views = hardening.views if hardening else ()
    if encodings.shape[1] and len(encodings) != 1 + len(views):
        raise ViewsNotAgreed(
            f"records have {len(encodings) - 1} views, the agreement has {len(views)}",
            next_step="prepare the extract again under the agreement in force",
        )
    shares = HARDENED_SHARES if hardening else CLK_SHARES
    names = ["encoding", *(f"view {view.id}" for view in views)]
    for each, name in zip(encodings, names, strict=False):
        _check_encodings(each, name, shares)


def check_bands(table: pa.Table, quality: Quality | None) -> None:
    """Check that records are banded only by what the agreement allows, from the closed lists.

    Raises:
        ValueNotAgreed: they are banded otherwise.
    """
    agreed = () if quality is None else quality.groups
    for name, values in VALUES.items():
        if name != "age_band":  # every record's, agreed or not
            allowed = set(values) if name in agreed else set()
            _closed(name, _distinct(table.column(name)), allowed)


def _check_encodings(encodings: npt.NDArray[np.uint8], what: str, shares: Shares) -> None:
    if not len(encodings):
        return
    _check_fill(encodings, what, shares)
    _, counts = np.unique(
        np.ascontiguousarray(encodings).view(f"V{ENCODING_BYTES}").ravel(), return_counts=True
    )
    most = int(counts.max())
    if most > max(SAME_ENCODING_FREE, SAME_ENCODING_MOST * len(encodings)):
        raise DuplicateEncodings(
            f"{what}: one encoding stands for {most} of {len(encodings)} records",
            next_step="look for placeholder rows in the extract",
        )


def _check_fill(encodings: npt.NDArray[np.uint8], what: str, shares: Shares) -> None:
    density = np.bitwise_count(encodings).sum(axis=1) / BITS
    wrong = int(((density < shares.row_least) | (density > shares.row_most)).sum())
    mean = float(density.mean()) if len(encodings) else 0.0
    strange = len(encodings) >= MEAN_FROM and not shares.mean_least <= mean <= shares.mean_most
    if wrong or strange:
        raise ImplausibleEncodings(
            f"{what}: {wrong} of {len(encodings)} encodings have an implausible share of bits "
            f"set; the mean share is {mean:.2f}",
            next_step="check that the agent encodes with the agreement's schema",
        )


def _check_lists(table: pa.Table, indicators: set[str]) -> None:
    for name, most in (
        ("households", HOUSEHOLDS_MOST),
        ("mentions", MENTIONS_MOST),
        ("indicators", len(indicators)),
    ):
        longest = pc.max(pc.list_value_length(table.column(name))).as_py() or 0
        if longest > most:
            raise ValueNotAgreed(f"{name}: a record has {longest}, at most {most} are agreed")
    _closed("age_band", _distinct(table.column("age_band")), set(AGE_BANDS))
    mentions = _flat(table, "mentions")
    _closed("mentions.relation", _distinct(mentions.field("relation")), set(RELATIONS))
    found = _flat(table, "indicators")
    _closed("indicators.indicator", _distinct(found.field("indicator")), indicators)
    homes = _flat(table, "households")
    longest = pc.max(pc.list_value_length(homes.field("kin"))).as_py() or 0
    if longest > KIN_MOST:
        raise ValueNotAgreed(f"households.kin: {longest} tokens, at most {KIN_MOST} are agreed")
    for name in ("first_month", "last_month"):
        extremes = pc.min_max(homes.field(name)).as_py()
        if extremes["min"] is not None and not (
            extremes["min"] >= MONTH_LEAST and extremes["max"] <= MONTH_MOST
        ):
            raise ValueNotAgreed(f"households.{name}: a month out of range")
    ended = pc.less(homes.field("last_month"), homes.field("first_month"))
    if pc.any(ended).as_py():
        raise ValueNotAgreed("households: a home ends before it begins")
    nulls = [
        f"{name}.{field.name}"
        for name, values in (("mentions", mentions), ("indicators", found), ("households", homes))
        for field in values.type
        if not field.nullable and values.field(field.name).null_count
    ]
    if nulls:
        raise NotArrow(f"{', '.join(nulls)}: a value is missing")


def _flat(table: pa.Table, name: str) -> Any:
    return table.column(name).combine_chunks().flatten()


def _distinct(column: Any) -> set[Any]:
    return {value for value in pc.unique(column).to_pylist() if value is not None}


def _closed(name: str, found: set[Any], allowed: set[str]) -> None:
    if not found <= allowed:
        raise ValueNotAgreed(
            f"{name}: {len(found - allowed)} values outside the agreement",
            next_step="prepare the extract again under the agreement in force",
        )
