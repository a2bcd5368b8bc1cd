"""What a run keeps for analysts, and its cost: ``python -m benchmarks.kept_pairs --records N``.

Made-up persons of one to a few records in twenty sources, with a probability for each two records
of one person and as many unlikely pairs beside them as ``--unlikely`` says; encodings of noise.
Prints seconds and bytes of what the hub does beside storing results: pairs and records that are
alone into SQLite, and the table of other thresholds.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from sqlalchemy import insert

from governance.storage.database import sqlite_url
from linkage_hub.analytics.alone import barriers_of, write_unlinked
from linkage_hub.analytics.evidence import pairs_to_keep, write_links
from linkage_hub.analytics.thresholds import FamilyMembers, threshold_rows
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.duplicates import Duplicates
from linkage_hub.linkage.persons import LinkResult, SourcePair
from linkage_hub.linkage.threshold import Estimate, estimate_of
from linkage_hub.runs.inputs import SourceData
from linkage_hub.store.database import HubDatabase
from linkage_hub.store.tables import runs

SOURCES = 20
RUN = "1" * 32


def made_up(records: int, unlikely: float, seed: int) -> tuple[list[SourceData], LinkResult]:
    """Sources and persons: 1.6 records a person, as in the county of docs/scale.md."""
    rng = np.random.default_rng(seed)
    size = records // SOURCES
    person = rng.integers(0, int(records / 1.6), size * SOURCES)
    _, person = np.unique(person, return_inverse=True)
    person_of = list(person.reshape(SOURCES, size))
    sources = []
    for number in range(SOURCES):
        handles = np.frombuffer(rng.bytes(16 * size), dtype="V16").copy()
        encodings = rng.integers(0, 256, (1, size, 128), dtype=np.uint8)
        bands = pa.table({"age_band": pa.array(["25_44"] * size, pa.string())})
        source = SourceData(
            "council", f"s{number}", f"m{number}", handles, encodings, Duplicates.none(), bands
        )
        sources.append(source)
    pairs = []
    for first in range(SOURCES):
        for second in range(first + 1, SOURCES):
            _, left, right = np.intersect1d(
                person_of[first], person_of[second], return_indices=True
            )
            more = int(unlikely * len(left))
            likely = rng.beta(20, 1, len(left))
            strangers = rng.beta(1, 12, more)
            probability = np.concatenate([likely, strangers])
            left = np.concatenate([left, rng.integers(0, size, more)])
            right = np.concatenate([right, rng.integers(0, size, more)])
            _, once = np.unique(left * size + right, return_index=True)
            left, right, probability = left[once], right[once], probability[once]
            pairs.append(
                SourcePair(first, second, 0.8, estimate_of(probability), left, right, probability)
            )
    count = int(person.max()) + 1
    return sources, LinkResult(person_of, count, 0.8, Estimate(0, 0.0, 0.98, 0.95), pairs)


def main() -> None:
    """Print what it takes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--unlikely", type=float, default=2.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    sources, linked = made_up(options.records, options.unlikely, options.seed)
    pairs = sum(len(pair.left) for pair in linked.pairs)
    print(f"{options.records:,} records, {linked.persons:,} persons, {pairs:,} weighed pairs")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hub.db"
        database = HubDatabase(sqlite_url(path))
        empty = path.stat().st_size
        with database.writing() as connection:
            connection.execute(
                insert(runs).values(
                    id=RUN, agreement="a", state="running", is_current=False, created="",
                    sources=0, records=0, persons=0, families=0, flagged=0,
                )
            )  # fmt: skip
            begun = time.perf_counter()
            write_links(connection, RUN, sources, pairs_to_keep(sources, linked))
        print(f"pairs stored in {time.perf_counter() - begun:.1f} s")
        database.close()
        print(f"{(path.stat().st_size - empty) / 1e6:,.0f} MB on disk")
        database = HubDatabase(sqlite_url(path))
        begun = time.perf_counter()
        with database.writing() as connection:
            found = barriers_of(sources, linked, hardened=False)
            write_unlinked(connection, RUN, sources, found)
        print(f"records that are alone in {time.perf_counter() - begun:.1f} s")
        database.close()
    every = np.arange(linked.persons)
    families = FamilyMembers(every // 2, every, np.zeros(linked.persons // 2 + 1, dtype=np.bool_))
    begun = time.perf_counter()
    rows = threshold_rows(linked, PairAnswers.none(), families, 0.98, 0.95)
    print(f"{len(rows)} thresholds in {time.perf_counter() - begun:.1f} s")


if __name__ == "__main__":
    main()
