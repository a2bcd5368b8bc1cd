"""``python -m benchmarks.hardening --data DIR``: profile hardened beside ``clk``, k = 1 to 4.

For data with known truth: the share of true pairs among a record's five best candidates (every
pair of a sample of the first source with the whole second source is compared), by the views
together as the hub compares them, by their mean and by the largest; the share of true pairs with
some view over a floor; the largest share of records that share a view with somebody else; records
encoded a second on one core. It says nothing of security: see docs/adr/0008.
"""

import json
import time
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from benchmarks.hardening.profiles import profiles
from benchmarks.hardening.ranking import (
    COMBINATIONS,
    recall_of_best,
    recall_over,
    similarity_of_all,
)
from benchmarks.quality.dataset import Dataset, Task, load_dataset, read_truth
from benchmarks.quality.ours import Encoded, encode_sources
from governance.agreements.encoding import Hardening
from partner_agent.encoding.clk import ClkEncoder
from partner_agent.encoding.hardened import HardenedEncoder
from partner_agent.encoding.person import schema_for
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.uniqueness import ViewCounter
from partner_agent.submissions.scope import mapping_items

SECRET: Final = bytes(range(32))
FLOORS: Final = (0.60, 0.65, 0.70)
Row = dict[str, Any]
app = typer.Typer(add_completion=False)


@app.command()
def hardening(
    data: Annotated[Path, typer.Option(help="folder with one folder for each data set")],
    sets: Annotated[str, typer.Option(help="names of data sets")] = (
        "essnet_uk_dev pseudopeople_dev anonlink_5party febrl4"
    ),
    sample: Annotated[int, typer.Option(help="records of each first source")] = 2_000,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures here")] = None,
) -> None:
    """Print what each k costs and finds, with views and without."""
    rows: list[Row] = []
    for name in sets.split():
        folder = data / name
        dataset = load_dataset(folder)
        truth = read_truth(folder, dataset)
        schema = _schema(dataset)
        encoded = encode_sources(folder, dataset)
        for task in dataset.tasks:
            if task.kind == "one_to_one":
                rows += task_rows(name, task, encoded, truth, schema, sample)
    show(rows)
    if json_file is not None:
        json_file.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


def _schema(dataset: Dataset) -> dict[str, Any]:
    mappings = [source.mapping for source in dataset.sources.values()]
    return schema_for({item for mapping in mappings for item in mapping_items(mapping)})


def task_rows(
    name: str,
    task: Task,
    encoded: dict[str, Encoded],
    truth: pd.DataFrame,
    document: dict[str, Any],
    sample: int,
) -> list[Row]:
    """One row for each profile."""
    first, second = (encoded[source] for source in task.sources)
    person = truth.set_index(["source", "record_id"]).person_id
    ids = [
        person.loc[[(each.name, id_) for id_ in each.record_ids]].to_numpy()
        for each in (first, second)
    ]
    rng = np.random.default_rng(1)
    known = np.flatnonzero(np.isin(ids[0], ids[1]))
    chosen = np.sort(rng.permutation(known)[:sample])
    same = ids[0][chosen][:, None] == ids[1][None, :]
    schema = LinkageSchema.parse(document)
    rows = []
    for profile, parameters in profiles(document).items():
        encodings, seconds, shared = _encode(schema, parameters, [first.clean, second.clean])
        views = similarity_of_all(encodings[0][:, chosen], encodings[1])
        row: Row = {
            "data": name,
            "task": " x ".join(task.sources),
            "profile": profile,
            "views": len(views),
            "records_a_second": (len(first.clean) + len(second.clean)) / seconds,
            "most_shared": shared,
            "pairs": int(same.sum()),
        }
        for combination, combine in COMBINATIONS.items():
            row[combination] = recall_of_best(combine(views), same)
        for floor in FLOORS:
            row[f"over {floor:.2f}"] = recall_over(views, same, floor)
        rows.append(row)
    return rows


def _encode(
    schema: LinkageSchema, parameters: Hardening | None, frames: list[pd.DataFrame]
) -> tuple[list[NDArray[np.uint8]], float, float]:
    """Encodings of two sources, seconds of one core, and the most shared view's share."""
    absent = [
        frame.assign(**dict.fromkeys([c for c in schema.columns if c not in frame], ""))
        for frame in frames
    ]
    if parameters is None:
        encoder: ClkEncoder | HardenedEncoder = ClkEncoder(schema, SECRET, workers=1)
    else:
        encoder = HardenedEncoder(schema, parameters, SECRET, workers=1)
    encoder.encode(absent[0].iloc[:10])  # compile
    began = time.process_time()
    encodings = [encoder.encode(frame).encodings for frame in absent]
    seconds = time.process_time() - began
    most = 0.0
    if parameters is not None:
        for each, frame in zip(encodings, absent, strict=True):
            counter = ViewCounter(parameters)
            counter.add(each, frame)
            most = max([most, *(count / len(frame) for count in counter.shared().values())])
    return encodings, seconds, most


def show(rows: list[Row]) -> None:
    """The table on the terminal."""
    combinations = list(COMBINATIONS)
    floors = [f"over {floor:.2f}" for floor in FLOORS]
    table = Table(
        "task", "profile", "encodings", "records/s",
        *(f"best 5, {each}" for each in combinations), *floors, "most shared",
        title="share of true pairs found; records sharing a view with somebody else",
    )  # fmt: skip
    for row in rows:
        table.add_row(
            f"{row['data']} {row['task']}",
            row["profile"],
            str(row["views"]),
            f"{row['records_a_second']:,.0f}",
            *(f"{row[each]:.4f}" for each in (*combinations, *floors)),
            f"{row['most_shared']:.4f}",
        )
    Console(width=150).print(table)


if __name__ == "__main__":
    app()
