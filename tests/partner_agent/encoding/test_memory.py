"""Encoding a long file takes no more memory than a short one."""

import tracemalloc
from collections.abc import Iterator

import pyarrow as pa
import pytest

from partner_agent.encoding.clk import ClkEncoder
from partner_agent.encoding.hardened import HardenedEncoder
from partner_agent.encoding.person import default_hardening, default_schema
from partner_agent.encoding.schema import LinkageSchema

SCHEMA = LinkageSchema.parse(default_schema())
SECRET = bytes(range(32))
ROWS = 2_000


def batches(count: int) -> Iterator[pa.RecordBatch]:
    """Batches of rows whose values never repeat."""
    for batch in range(count):
        numbers = range(batch * ROWS, (batch + 1) * ROWS)
        columns = {name: [""] * ROWS for name in SCHEMA.columns}
        columns["surname"] = [f"quix{at:x}".replace("0", "o") for at in numbers]
        columns["address"] = [f"{at} high street" for at in numbers]
        yield pa.RecordBatch.from_pydict(columns)


@pytest.mark.parametrize("profile", ["clk", "hardened"])
def test_peak_memory_does_not_grow(profile: str) -> None:
    """The peak over sixteen batches is that over two, within a tenth."""
    encoder: ClkEncoder | HardenedEncoder = (
        ClkEncoder(SCHEMA, SECRET, workers=2)
        if profile == "clk"
        else HardenedEncoder(SCHEMA, default_hardening(default_schema()), SECRET, workers=2)
    )
    for _ in encoder.encode_batches(batches(2)):  # tokens of numbers and letters are known now
        pass
    peaks = []
    for count in (2, 16):
        tracemalloc.start()
        rows = sum(int(each.accepted.sum()) for each in encoder.encode_batches(batches(count)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert rows == count * ROWS
    assert peaks[1] < 1.1 * peaks[0] + 1_000_000
