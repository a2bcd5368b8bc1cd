"""The plaintext peer: Splink on the pooled, cleaned extracts of the same county.

``python -m benchmarks.scale.splink_peer clean COUNTY FILE`` writes the cleaned rows with their
true persons, and is not counted; ``... link FILE`` trains, predicts and groups in a process of its
own, whose memory is then Splink's and DuckDB's. The set-up is that of ``benchmarks.splink_model``.
Splink sees every name. It is reported at its own probabilities; "best" is picked with the truth.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import pandas as pd
import typer

from benchmarks.memory import mebibytes
from benchmarks.quality.metrics import pairwise
from benchmarks.splink_model import COLUMNS, clusters, predictions, table_of, train
from partner_agent.cleansing.cleanser import Cleanser
from partner_agent.extracts.mapping import load_mapping
from partner_agent.extracts.reader import open_extract

DAY: Final = date(2026, 10, 31)
SURE: Final = (0.5, 0.9, 0.99)
SWEEP: Final = (0.999, 0.9999, 0.99999, 0.999999)
PAIRS_A_RECORD: Final = 3  # of one blocking rule
U_PAIRS: Final = 1e6  # Splink's own default
MEMORY_MB: Final = 8_000
app = typer.Typer(add_completion=False)


@app.command()
def clean(county: Path, file: Path) -> None:
    """Cleaned rows of all sources with their true persons, into a Parquet file."""
    truth = pd.read_csv(county / "truth" / "records.csv", dtype=str, encoding="utf-8-sig")
    person = {
        name: dict(zip(rows["record_id"], rows["person_id"], strict=True))
        for name, rows in truth.groupby("source")
    }
    parts = []
    for described in sorted((county / "partners").glob("*/*.yaml")):
        mapping = load_mapping(described)
        extract = next(
            path for path in described.parent.glob(f"{described.stem}.*") if path != described
        )
        cleanser = Cleanser(mapping, today=DAY)
        for chunk in open_extract(extract, sheet=mapping.sheet):
            table = cleanser.clean(chunk).table
            part = table[list(COLUMNS)].astype(object)
            part["person"] = table["source_record_id"].map(person[mapping.source])
            parts.append(part)
    pd.concat(parts, ignore_index=True).to_parquet(file)


@app.command()
def link(
    file: Path,
    pairs: Annotated[int, typer.Option(help="pairs a record that one blocking rule may make")] = (
        PAIRS_A_RECORD
    ),
) -> None:
    """Train, predict and group; seconds, memory and quality as JSON."""
    print(json.dumps(_run(file, pairs)))


def _run(file: Path, pairs: int) -> dict[str, Any]:
    import splink  # noqa: F401, PLC0415 - an optional peer; to import it is not counted

    rows = pd.read_parquet(file)
    person = rows["person"].tolist()
    table = table_of(rows)
    before = mebibytes()
    seconds: dict[str, dict[str, float]] = {}
    with _timed("train", seconds):
        model = train(
            [table],
            most=pairs * len(table),
            u_pairs=U_PAIRS,
            threads=os.cpu_count() or 1,
            memory_mb=MEMORY_MB,
        )
    with _timed("predict", seconds):
        predicted = predictions(model, min(SURE))
    with _timed("group", seconds):  # once, as we group once
        groups = {SURE[0]: clusters(model, predicted, SURE[0])}
    peak = mebibytes()
    groups |= {cut: clusters(model, predicted, cut) for cut in (*SURE[1:], *SWEEP)}
    scores = {cut: pairwise(each, person) for cut, each in groups.items()}
    best = max(scores, key=lambda cut: scores[cut].f1)
    return {
        "records": len(table),
        "rules": model.rules,
        "rules_left_out": model.left_out,
        "wall": {name: each["wall"] for name, each in seconds.items()},
        "processor": {name: each["processor"] for name, each in seconds.items()},
        "wall_all": round(sum(each["wall"] for each in seconds.values()), 1),
        "processor_all": round(sum(each["processor"] for each in seconds.values()), 1),
        "peak_mb": peak,
        "mb_before": before,
        "quality": {f"p >= {cut}": scores[cut].figures() for cut in SURE}
        | {f"best, p >= {best}": scores[best].figures()},
    }


@contextmanager
def _timed(name: str, seconds: dict[str, dict[str, float]]) -> Iterator[None]:
    """Wall-clock seconds, and processor seconds of all threads."""
    wall, processor = time.monotonic(), time.process_time()
    yield
    seconds[name] = {
        "wall": round(time.monotonic() - wall, 1),
        "processor": round(time.process_time() - processor, 1),
    }


if __name__ == "__main__":
    app()
