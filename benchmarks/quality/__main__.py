"""``python -m benchmarks.quality --data DIR``: links a folder of data with known truth.

Ours goes through the same code as the agents and the hub. "chosen" is the threshold that the hub
chose without truth; "best" is the best of a sweep, picked with the truth, for comparison only.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from rich.console import Console

from benchmarks import splink_model
from benchmarks.families.measure import family_rows, reference_of
from benchmarks.hardening.profiles import ALL, VIEW_SETS, hardening_of
from benchmarks.quality import metrics, splink_peer
from benchmarks.quality.dataset import Dataset, Task, load_dataset, read_truth
from benchmarks.quality.greedy import Labels, swept
from benchmarks.quality.ours import Encoded, encode_sources
from benchmarks.quality.peers import (
    NAIVE,
    SPLINK,
    best_link_row,
    links_of,
    naive_link_rows,
    naive_person_rows,
    splink_link_rows,
    splink_person_rows,
)
from benchmarks.quality.rows import Pairs, Row, markdown, person_rows, row
from benchmarks.quality.stages import Stages, linked
from governance.exchange.parameters import TOKEN_BYTES
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.linkage.threshold import MATCH
from partner_agent.encoding.person import DEFAULT_K, schema_for
from partner_agent.submissions.scope import mapping_items

FEW = 5  # sources of a task that are named in its label
ALONE = "Dice alone"
REFINED = "with refinement"
BY_ANONLINK = "with refinement, by anonlink's solver"
SPREAD = (0.05, 0.25, 0.5, 0.75, 0.95)
app = typer.Typer(add_completion=False)


@dataclass(frozen=True)
class Folder:
    """A folder, read: truth, both profiles by source, and Splink's tables (none without it)."""

    path: Path
    dataset: Dataset
    truth: pd.DataFrame
    profiles: dict[str, dict[str, Encoded]]
    tables: dict[str, pd.DataFrame]


@app.command()
def quality(
    data: Annotated[Path, typer.Option(help="folder with the data")],
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures here")] = None,
    splink: Annotated[bool, typer.Option(help="run Splink beside it")] = True,
    only: Annotated[str, typer.Option(help="tasks of this kind: one_to_one or persons")] = "",
    k: Annotated[int, typer.Option(help="majorities of profile hardened")] = DEFAULT_K,
    views: Annotated[str, typer.Option(help=f"its views: {', '.join(VIEW_SETS)}")] = ALL,
) -> None:
    """Print precision, recall and F1, ours beside its peers in one run."""
    dataset = load_dataset(data)
    truth = read_truth(data, dataset)
    encoded = encode_sources(data, dataset)
    items = {item for each in dataset.sources.values() for item in mapping_items(each.mapping)}
    hardened = encode_sources(data, dataset, hardening_of(schema_for(items), k, views))
    profiles = {"ours, clk": encoded, "ours, hardened": hardened}
    peer = splink and splink_model.available()
    tables = {
        name: splink_peer.plain(data, dataset, name, each.clean)
        for name, each in encoded.items()
        if peer
    }
    folder = Folder(data, dataset, truth, profiles, tables)
    rows: list[Row] = []
    for task in dataset.tasks:
        if only and task.kind != only:
            continue
        few = len(task.sources) <= FEW
        label = " x ".join(task.sources) if few else f"{len(task.sources)} sources"
        for who, make in parts_of(folder, task).items():
            began = time.process_time()
            rows += [{"task": label, **each} for each in make()]
            seconds = time.process_time() - began
            Console(stderr=True).print(f"{label}, {who}: {seconds:.0f} processor seconds")
    print(markdown(dataset.name, rows))
    if splink and not peer:
        Console(stderr=True).print("Splink is not installed: make bench-quality installs it")
    if json_file is not None:
        document = {"dataset": dataset.name, "rows": rows}
        json_file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def parts_of(folder: Folder, task: Task) -> dict[str, Callable[[], list[Row]]]:
    """What makes the rows of a task, by whose they are."""
    truth, tables = folder.truth, folder.tables
    held = {
        who: [encoded[name] for name in task.sources] for who, encoded in folder.profiles.items()
    }
    clk = next(iter(held.values()))
    parts: dict[str, Callable[[], list[Row]]] = {}
    if task.kind == "one_to_one":
        true = true_pairs(truth, *task.sources)
        parts |= {who: partial(link_rows, who, both, true) for who, both in held.items()}
        parts[NAIVE] = partial(naive_link_rows, folder.path, folder.dataset, clk, true)
        if tables:
            parts[SPLINK] = partial(splink_link_rows, tables, clk, true)
        return parts
    for who, sources in held.items():
        parts[who] = partial(our_person_rows, who, sources, truth, homes=sources is clk)
    parts[NAIVE] = partial(naive_person_rows, folder.path, folder.dataset, clk, truth)
    if tables:
        person = _real(clk, truth).person_id.tolist()
        parts[SPLINK] = partial(splink_person_rows, tables, clk, person)
    return parts


def true_pairs(truth: pd.DataFrame, first: str, second: str) -> Pairs:
    """Pairs of records of one person across two sources."""
    both = truth[truth.source == first].merge(truth[truth.source == second], on="person_id")
    return set(zip(both.record_id_x, both.record_id_y, strict=True))


def link_rows(who: str, sources: list[Encoded], true: Pairs) -> list[Row]:
    """Ours over two files, by what each stage adds: pairs of records of one person."""
    ids = [source.record_ids for source in sources]
    stages = linked(sources)
    first = stages.calibrated
    found = {
        ALONE: (first.threshold, stages.alone),
        "with calibration": (MATCH, labels_of(first)),
        REFINED: (MATCH, labels_of(stages.refined)),
        BY_ANONLINK: (MATCH, labels_of(stages.by_anonlink)),
    }
    rows = [
        row(who, what, "chosen", at, metrics.links(links_of(ids, groups), true))
        for what, (at, groups) in found.items()
        if groups is not None
    ]
    tell_cost(who, stages, sources, true)
    return [*rows, best_link_row(who, ids, swept(stages.blocks, stages.sizes), true)]


def labels_of(found: LinkResult | None) -> Labels | None:
    """The person of every record over all sources."""
    return None if found is None else np.concatenate(found.person_of)


def tell_cost(who: str, stages: Stages, sources: list[Encoded], true: Pairs) -> None:
    """What questions about two files took, and what the counts of common tokens show."""
    asked = stages.asked
    if asked is None or asked.parameters is None or stages.refined is None:
        return
    answers, first = asked.answers, asked.calibrated
    pairs = zip(answers.left[first:].tolist(), answers.right[first:].tolist(), strict=True)
    one, other = (source.record_ids for source in sources)
    real = np.array([(one[a], other[b]) in true for a, b in pairs], dtype=bool)
    shared = asked.common[real & (asked.common > 0)]
    spread = np.quantile(shared, SPREAD).astype(int).tolist() if len(shared) else "none"
    tokens, expected = asked.parameters.tokens, stages.refined.estimate
    Console(stderr=True).print(
        f"{who}: {asked.questions} questions, {asked.questions / min(stages.sizes):.2f} a record "
        f"of the smaller file, {asked.calibrated} of them calibrate, {tokens} tokens "
        f"({tokens * TOKEN_BYTES} bytes) an answer; common tokens of true pairs, 5/25/50/75/95 "
        f"percent: {spread}; predicted precision and recall {expected.precision:.4f}, "
        f"{expected.recall:.4f}"
    )


def our_person_rows(
    who: str, sources: list[Encoded], truth: pd.DataFrame, *, homes: bool
) -> list[Row]:
    """Ours over one source or several, by what each stage adds: persons, and ``homes``."""
    stages = linked(sources)
    first, asked = stages.calibrated, stages.asked
    person = _real(sources, truth).person_id.tolist()
    found = {
        f", {ALONE}": stages.alone,
        "": labels_of(first),
        f", {REFINED}": labels_of(stages.refined),
        f", {BY_ANONLINK}": labels_of(stages.by_anonlink),
    }
    rows = [
        each
        for stage, groups in found.items()
        if groups is not None
        for each in person_rows(who, stage, "chosen", first.threshold, groups.tolist(), person)
    ]
    if asked is not None:
        Console(stderr=True).print(
            f"{who}: {asked.questions} questions, {asked.questions / sum(stages.sizes):.2f} a "
            f"record, {asked.calibrated} of them calibrate"
        )
    return rows + (home_rows(sources, truth, first) if homes else [])


def home_rows(sources: list[Encoded], truth: pd.DataFrame, linked: LinkResult) -> list[Row]:
    """Homes and families on linked persons, profile ``clk``, where the truth knows them."""
    if "household" not in _real(sources, truth):
        return []
    return [
        {
            "who": row["who"],
            "what": f"{row['what']}, {row['of']}",
            "threshold": "chosen",
            "at": linked.threshold,
            **{name: row[name] for name in ("precision", "recall", "f1")},
        }
        for row in family_rows(sources, reference_of(sources, truth), linked.person_of)
    ]


def _real(sources: list[Encoded], truth: pd.DataFrame) -> pd.DataFrame:
    """The truth of every record, in the order of the sources."""
    index = [(source.name, id_) for source in sources for id_ in source.record_ids]
    return truth.set_index(["source", "record_id"]).loc[index]


if __name__ == "__main__":
    app()
