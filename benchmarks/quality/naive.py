"""The naive peer: raw columns in lower case, plain bigrams, clkhash, anonlink's greedy solver.

No cleansing, no missing-value rule, every field weighted alike: what somebody gets who follows
clkhash's and anonlink's own tutorials. The best threshold is picked with the truth.
"""

import csv
import io
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from clkhash import clk
from clkhash.schema import from_json_dict

from benchmarks.quality.greedy import SWEEP, swept
from benchmarks.quality.splink_peer import connected
from linkage_hub.linkage.candidates import PER_RECORD, find_candidates

BITS_A_FEATURE: Final = 200


def naive_encodings(frame: pd.DataFrame, columns: list[str]) -> npt.NDArray[np.uint8]:
    """CLKs of raw columns, uint8 (n, 128)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(frame[columns].apply(lambda column: column.str.lower()).to_numpy().tolist())
    schema = from_json_dict(_schema(columns))
    text.seek(0)
    found = clk.generate_clk_from_csv(
        text, "naive", schema, validate=False, header=True, progress_bar=False, max_workers=1
    )
    return np.stack([np.frombuffer(bits.tobytes(), dtype=np.uint8) for bits in found])


def best_groups(
    encodings: list[npt.NDArray[np.uint8]],
) -> Iterator[tuple[float, npt.NDArray[np.int64]]]:
    """The group of every record at each threshold of the sweep.

    Of several sources they are anonlink's greedy groups, which hold at most one record of each;
    within one source anonlink has no solver, and they are what similar pairs connect.
    """
    sizes = [len(each) for each in encodings]
    if len(sizes) > 1:
        yield from swept(find_candidates([each[None] for each in encodings]), sizes)
        return
    alone = encodings[0][None]  # compared with itself: every pair comes twice
    blocks = find_candidates([alone, alone], per_record=2 * PER_RECORD)
    for threshold in SWEEP:
        kept = [block.where(block.similarity >= threshold) for block in blocks]
        pairs = [np.stack([block.left, block.right], axis=1) for block in kept]
        every = np.concatenate([np.empty((0, 2), dtype=np.int64), *pairs])
        yield threshold, np.array(connected(every, sizes[0]), dtype=np.int64)


def _schema(columns: list[str]) -> dict[str, Any]:
    return {
        "version": 3,
        "clkConfig": {
            "l": 1024,
            "kdf": {"type": "HKDF", "hash": "SHA256", "keySize": 64},
        },
        "features": [
            {
                "identifier": column,
                "format": {"type": "string", "encoding": "utf-8"},
                "hashing": {
                    "hash": {"type": "blakeHash"},
                    "comparison": {"type": "ngram", "n": 2},
                    "strategy": {"bitsPerFeature": BITS_A_FEATURE},
                },
            }
            for column in columns
        ],
    }
