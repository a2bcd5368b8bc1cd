"""What a submission says of rows of one person keeps within its bounds and says no more."""

import secrets

import numpy as np
import pyarrow as pa

from governance.exchange.submission import DUPLICATES_MOST, GROUP_MOST, HANDLE_BYTES
from governance.exchange.submission_file import ARROW_SCHEMA
from linkage_hub.submissions.duplicates import check_duplicates, duplicates_of, handles_of
from partner_agent.duplicates.finding import Duplicates
from partner_agent.submissions.duplicates import DuplicatesColumn, bounded


def found(*pairs: tuple[int, int], probability: float = 0.9) -> Duplicates:
    """As the finder says it."""
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Duplicates(left, right, np.full(len(left), probability, dtype=np.float32))


def batch(handles: list[bytes]) -> pa.RecordBatch:
    """Rows with nothing but a handle."""
    columns = [
        pa.array(handles, field.type)
        if field.name == "handle"
        else pa.array([[]] * len(handles), field.type)
        if pa.types.is_list(field.type)
        else pa.array([b"\1" * 128] * len(handles), field.type)
        if field.name == "encoding"
        else pa.nulls(len(handles), field.type)
        for field in ARROW_SCHEMA
    ]
    return pa.RecordBatch.from_arrays(columns, schema=ARROW_SCHEMA)


def test_the_hub_reads_the_pairs_that_the_finder_found() -> None:
    """Over several batches, whatever the handles; each at the smaller one, in their order."""
    handles = [secrets.token_bytes(HANDLE_BYTES) for _ in range(40)]
    handles[5] = bytes(HANDLE_BYTES)
    wanted = {(0, 39), (5, 6), (5, 30), (6, 30), (12, 13)}
    column = DuplicatesColumn(b"".join(handles), found(*wanted, probability=0.8349), 40)
    named = [column.named(batch(handles[at : at + 13]), at) for at in range(0, 40, 13)]
    table = pa.Table.from_batches(named, ARROW_SCHEMA).combine_chunks()
    check_duplicates(table)
    read = duplicates_of(table, handles_of(table))
    assert set(zip(read.left.tolist(), read.right.tolist(), strict=True)) == wanted
    assert np.allclose(read.probability, 0.83)
    for own, said in zip(handles, table.column("duplicates").to_pylist(), strict=True):
        others = [each["handle"] for each in said]
        assert others == sorted(others)
        assert all(own < each for each in others)


def test_no_pair_joins_a_real_row_and_a_synthetic_one() -> None:
    """Among synthetic rows pairs stay, as they do among real ones."""
    kept = bounded(found((0, 1), (1, 5), (5, 6), (0, 6)), 8, 5)
    assert kept.tolist() == [0, 2]


def test_the_likeliest_pairs_fill_the_bounds() -> None:
    """A crowd of rows is cut to what the hub takes, and others keep theirs."""
    crowd = 130
    pairs = [(a, b) for a in range(crowd) for b in range(a + 1, crowd)] + [(200, 201)]
    given = found(*pairs)
    given.probability[-1] = 0.6
    kept = bounded(given, 210, 210)
    left, right = given.left[kept], given.right[kept]
    assert np.bincount(np.concatenate([left, right])).max() == DUPLICATES_MOST
    assert len(pairs) - 1 in kept
    handles = [secrets.token_bytes(HANDLE_BYTES) for _ in range(210)]
    column = DuplicatesColumn(b"".join(handles), given, 210)
    check_duplicates(pa.Table.from_batches([column.named(batch(handles), 0)], ARROW_SCHEMA))
    chain = bounded(found(*((at, at + 1) for at in range(300))), 301, 301)
    assert len(chain) == 300 - 300 // GROUP_MOST
