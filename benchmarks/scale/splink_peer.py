"""The plaintext peer: Splink on the pooled, cleaned extracts of the same county.

``python -m benchmarks.scale.splink_peer COUNTY``, in a process of its own so that its memory is
its own. Cleansing is ours and is not counted. Splink sees every name; thresholds are reported at
its own probabilities .5, .9 and .99, none is picked on truth.
"""

import json
import logging
import resource
import sys
import time
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.quality.metrics import pairwise
from partner_agent.cleansing.cleanser import Cleanser
from partner_agent.extracts.mapping import load_mapping
from partner_agent.extracts.reader import open_extract

DAY: Final = date(2026, 10, 31)
COLUMNS: Final = ("first_name", "surname", "date_of_birth", "sex", "postcode", "address")
THRESHOLDS: Final = (0.5, 0.9, 0.99)
BLOCKING: Final = (
    ("first_name", "surname"),
    ("surname", "date_of_birth"),
    ("first_name", "date_of_birth"),
    ("date_of_birth", "postcode"),
    ("surname", "postcode"),
)


def pooled(county: Path) -> pd.DataFrame:
    """Cleaned rows of all sources with their true persons."""
    truth = pd.read_csv(county / "truth" / "records.csv", dtype=str, encoding="utf-8-sig")
    person = {
        name: dict(zip(rows["record_id"], rows["person_id"], strict=True))
        for name, rows in truth.groupby("source")
    }
    parts = []
    for file in sorted((county / "partners").glob("*/*.yaml")):
        mapping = load_mapping(file)
        extract = next(
            path for path in file.parent.glob(f"{file.stem}.*") if path.suffix != ".yaml"
        )
        cleanser = Cleanser(mapping, today=DAY)
        for chunk in open_extract(extract, sheet=mapping.sheet):
            table = cleanser.clean(chunk).table
            part = table[["source_record_id", *COLUMNS]].astype(object)
            part["person"] = part["source_record_id"].map(person[mapping.source])
            parts.append(part.drop(columns=["source_record_id"]))
    frame = pd.concat(parts, ignore_index=True)
    frame = frame.where(frame != "", None)
    frame.insert(0, "unique_id", range(len(frame)))
    return frame


def run(county: Path) -> dict[str, Any]:
    """Train, predict and cluster; seconds, memory and quality."""
    import splink.comparison_library as compare  # noqa: PLC0415 - an optional peer
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on  # noqa: PLC0415

    logging.getLogger("splink").setLevel(logging.ERROR)
    frame = pooled(county)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    began = time.monotonic()
    api = DuckDBAPI()
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            compare.JaroWinklerAtThresholds("first_name", [0.92, 0.8]),
            compare.JaroWinklerAtThresholds("surname", [0.92, 0.8]),
            compare.LevenshteinAtThresholds("date_of_birth", [1, 2]),
            compare.ExactMatch("sex"),
            compare.LevenshteinAtThresholds("postcode", [1, 2]),
            compare.JaroWinklerAtThresholds("address", [0.92, 0.8]),
        ],
        blocking_rules_to_generate_predictions=[block_on(*rule) for rule in BLOCKING],
    )
    table: Any = api.register(frame[["unique_id", *COLUMNS]])
    linker = Linker(table, settings)
    deterministic: list[Any] = [block_on("first_name", "surname", "date_of_birth")]
    linker.training.estimate_probability_two_random_records_match(deterministic, recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
    for rule in (("first_name", "surname"), ("date_of_birth",)):
        linker.training.estimate_parameters_using_expectation_maximisation(block_on(*rule))
    predicted: Any = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    quality = {}
    seconds = 0.0
    for threshold in THRESHOLDS:
        clustered: Any = linker.clustering.cluster_pairwise_predictions_at_threshold(
            predicted, threshold_match_probability=threshold
        )
        found = clustered.as_pandas_dataframe()[["unique_id", "cluster_id"]]
        seconds = seconds or time.monotonic() - began  # to the first grouping, as we make one
        found = found.sort_values("unique_id")
        quality[str(threshold)] = pairwise(
            found["cluster_id"].tolist(), frame["person"].tolist()
        ).figures()
    return {
        "records": len(frame),
        "seconds": round(seconds, 1),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "mb_before": before,
        "quality": quality,
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]))))
