"""What a run holds grows with its records by a bounded number of bytes each."""

import tracemalloc
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa

from governance.exchange.submission import TOKEN_BYTES
from governance.exchange.submission_file import ARROW_SCHEMA
from governance.identity.keys import SigningKey
from linkage_hub.linkage.identity import KnownIds
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.linkage.threshold import Estimate
from linkage_hub.runs.inputs import Previous, SourceData
from linkage_hub.runs.pipeline import run_pipeline
from linkage_hub.runs.pseudonyms import HouseholdPseudonyms
from linkage_hub.runs.results import results_digest
from tests.governance.world import World

RECORDS = 20_000  # of each of two sources
BYTES_A_RECORD = 2_500  # 4 GB is 4,000 a record at a million


def table(number: int) -> pa.Table:
    """Records with handles, encodings and a home for each, four people to a home."""
    rng = np.random.default_rng(number)
    columns = []
    for field in ARROW_SCHEMA:
        if pa.types.is_fixed_size_binary(field.type):
            data = rng.bytes(field.type.byte_width * RECORDS)
            column = pa.FixedSizeBinaryArray.from_buffers(
                field.type, RECORDS, [None, pa.py_buffer(data)]
            )
        elif field.name == "households":
            nested: dict[str, Any] = {
                each.name: [] if pa.types.is_list(each.type) else None
                for each in field.type.value_type
            }
            column = pa.array(
                [
                    [nested | {"household": (at // 4).to_bytes(TOKEN_BYTES), "first_month": 24_000}]
                    for at in range(RECORDS)
                ],
                field.type,
            )
        elif pa.types.is_list(field.type):
            column = pa.array([[]] * RECORDS, field.type)
        else:
            column = pa.nulls(RECORDS, field.type)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=ARROW_SCHEMA)


def test_memory_grows_by_a_bounded_number_of_bytes_a_record() -> None:
    """From persons to a digest of all results, nothing is an object for each record."""
    sources = []
    for number in range(2):
        content = table(number)
        sources.append(SourceData.of("p", f"s{number}", "", content))
    persons = [np.arange(RECORDS), np.arange(RECORDS)]
    linked = LinkResult(persons, RECORDS, 0.8, Estimate(1, 1, 1.0, 1.0))
    agreement = World().agreement
    previous = Previous(KnownIds.none(), KnownIds.none())
    names = HouseholdPseudonyms(SigningKey.generate(), agreement.hash)
    day = date(2026, 11, 24)

    def run() -> None:
        results = run_pipeline(
            sources, linked, agreement, previous, names, day, lambda _a, _b: None
        )
        results_digest(results)

    run()  # compiled code is loaded here and not counted
    tracemalloc.start()
    try:
        run()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < BYTES_A_RECORD * 2 * RECORDS
