"""``python -m benchmarks.quality --data DIR``: links a folder of data with known truth.

Ours goes through the same code as the agents and the hub. "chosen" is the threshold that the hub
chose without truth; "best" is the best of a sweep, picked with the truth, for comparison only.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.families.measure import family_rows, reference_of
from benchmarks.quality import metrics, naive, splink_peer
from benchmarks.quality.agents import InProcess
from benchmarks.quality.dataset import Dataset, load_dataset, read_truth
from benchmarks.quality.ours import (
    Encoded,
    encode_sources,
    link_two,
    sweep,
)
from benchmarks.quality.rounds import ask
from governance.exchange.parameters import TOKEN_BYTES
from linkage_hub.linkage.candidates import find_candidates
from linkage_hub.linkage.one_to_one import solve
from linkage_hub.linkage.persons import LinkResult, link_candidates
from linkage_hub.refinement.two_files import Refined, refined_one_to_one
from partner_agent.encoding.person import default_hardening, schema_for
from partner_agent.submissions.scope import mapping_items

SPLINK_SURE = (0.5, 0.9, 0.99)
SPLINK_SWEEP = (
    1e-6,
    1e-5,
    1e-4,
    1e-3,
    0.01,
    0.03,
    0.1,
    0.3,
    0.5,
    0.7,
    0.9,
    0.97,
    0.99,
    0.999,
    0.9999,
)
FEW = 5  # sources of a task that are named in its label
app = typer.Typer(add_completion=False)
Row = dict[str, Any]
Pairs = set[tuple[str, str]]


@app.command()
def quality(
    data: Annotated[Path, typer.Option(help="folder with the data")],
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures here")] = None,
    splink: Annotated[bool, typer.Option(help="run Splink beside it")] = True,
    only: Annotated[str, typer.Option(help="tasks of this kind: one_to_one or persons")] = "",
) -> None:
    """Print precision, recall and F1, ours beside its peers in one run."""
    dataset = load_dataset(data)
    truth = read_truth(data, dataset)
    encoded = encode_sources(data, dataset)
    items = {item for each in dataset.sources.values() for item in mapping_items(each.mapping)}
    hardened = encode_sources(data, dataset, default_hardening(schema_for(items)))
    profiles = {"ours, clk": encoded, "ours, hardened": hardened}
    rows: list[Row] = []
    for task in dataset.tasks:
        if only and task.kind != only:
            continue
        sources = [encoded[name] for name in task.sources]
        few = len(task.sources) <= FEW
        label = " x ".join(task.sources) if few else f"{len(task.sources)} sources"
        if task.kind == "one_to_one":
            true = true_pairs(truth, *task.sources)
            for who, held in profiles.items():
                both = [held[name] for name in task.sources]
                rows += [{"task": label, **row} for row in one_to_one_rows(who, both, true)]
            rows += [
                {"task": label, **row} for row in naive_rows(data, dataset, task.sources, true)
            ]
            if splink and splink_peer.available():
                rows += [{"task": label, **row} for row in splink_rows(sources, true)]
        else:
            for who, held in profiles.items():
                both = [held[name] for name in task.sources]
                stages = linked_stages(who, both)
                rows += [{"task": label, **row} for row in person_rows(who, both, truth, stages)]
                if held is encoded:
                    rows += [{"task": label, **row} for row in home_rows(both, truth, stages[""])]
    show(dataset.name, rows)
    if splink and not splink_peer.available():
        Console(stderr=True).print("Splink is not installed: make bench-quality installs it")
    if json_file is not None:
        document = {"dataset": dataset.name, "rows": rows}
        json_file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def true_pairs(truth: pd.DataFrame, first: str, second: str) -> Pairs:
    """Pairs of records of one person across two sources."""
    both = truth[truth.source == first].merge(truth[truth.source == second], on="person_id")
    return set(zip(both.record_id_x, both.record_id_y, strict=True))


def one_to_one_rows(who: str, sources: list[Encoded], true: Pairs) -> list[Row]:
    """Ours, by what each stage adds."""
    first, second = sources
    found = link_two(first, second)
    by_dice = solve(found.candidates, found.candidates.similarity >= found.threshold)
    rows = [
        _row(who, "Dice alone", "chosen", found.threshold,
             metrics.links(_named(first, second, *by_dice), true)),
        _row(who, "with calibration", "p >= .5", 0.5,
             metrics.links(_named(first, second, found.left, found.right), true)),
    ]  # fmt: skip
    refined = refined_one_to_one(first.encodings, second.encodings, InProcess(first, second))
    links = refined.links
    rows.append(
        _row(who, "with refinement", "p >= .5", links.threshold,
             metrics.links(_named(first, second, links.left, links.right), true))
    )  # fmt: skip
    rows.append(_best(who, first.record_ids, second.record_ids, sweep(found), true))
    Console(stderr=True).print(cost_of(who, refined, first, second, true))
    return rows


def cost_of(who: str, refined: Refined, first: Encoded, second: Encoded, true: Pairs) -> str:
    """What refinement took, and what the counts of common tokens show."""
    block = refined.links.candidates
    asked = block.where(refined.asked)
    real = np.array([pair in true for pair in _named(first, second, asked.left, asked.right)])
    common = refined.common[real & (refined.common > 0)] if len(real) else refined.common
    spread = np.quantile(common, (0.05, 0.25, 0.5, 0.75, 0.95)).astype(int).tolist()
    smaller = min(len(first.record_ids), len(second.record_ids))
    size = refined.parameters.tokens * TOKEN_BYTES
    expected = refined.links.estimate
    predicted = f"{expected.precision:.4f}, {expected.recall:.4f}" if expected else "unknown"
    return (
        f"{who}: {len(refined.asked)} questions, {len(refined.asked) / smaller:.2f} a record of "
        f"the smaller file, {refined.calibrated} calibration pairs, {refined.parameters.tokens} "
        f"tokens ({size} bytes) an answer; common tokens of true pairs, 5/25/50/75/95 percent: "
        f"{spread}; predicted precision and recall {predicted}"
    )


def naive_rows(folder: Path, dataset: Dataset, names: tuple[str, ...], true: Pairs) -> list[Row]:
    """Clkhash and anonlink on the raw columns."""
    frames = [
        pd.read_csv(folder / dataset.sources[name].file, dtype=str, keep_default_na=False)
        for name in names
    ]
    mapped = [_raw(frame, dataset, name) for frame, name in zip(frames, names, strict=True)]
    columns = [str(column) for column in mapped[0] if column in mapped[1]]
    encodings = [naive.naive_encodings(frame, columns) for frame in mapped]
    ids = [frame["record_id"].tolist() for frame in frames]
    return [_best("clkhash + anonlink", ids[0], ids[1], naive.best_links(*encodings), true)]


def _raw(frame: pd.DataFrame, dataset: Dataset, name: str) -> pd.DataFrame:
    """Raw columns under the mapping's names."""
    found = {}
    for item, column in dataset.sources[name].mapping.columns:
        if column is None:
            continue
        parts = column if isinstance(column, tuple) else (column,)
        if not isinstance(column, str | tuple):
            parts = (column.year, column.month, column.day)
        found[item] = frame[list(parts)].agg(" ".join, axis=1)
    return pd.DataFrame(found)


def splink_rows(sources: list[Encoded], true: Pairs) -> list[Row]:
    """Splink on plaintext, where it is sure and at its best threshold."""
    scored = splink_peer.predict(sources[0].clean, sources[1].clean)
    rows = []
    for sure in SPLINK_SURE:
        score = metrics.links(((a, b) for a, b, p in scored if p >= sure), true)
        rows.append(_row("Splink 5, plaintext", "one-to-one", f"p >= {sure}", sure, score))
    tried = {
        cut: metrics.links(((a, b) for a, b, p in scored if p >= cut), true) for cut in SPLINK_SWEEP
    }
    cut = max(tried, key=lambda value: tried[value].f1)
    rows.append(_row("Splink 5, plaintext", "one-to-one", "best", cut, tried[cut]))
    return rows


def linked_stages(who: str, sources: list[Encoded]) -> dict[str, LinkResult]:
    """Persons by the first stage (``""``), and with refinement."""
    encodings = [source.encodings for source in sources]
    sizes = [len(source.record_ids) for source in sources]
    blocks = find_candidates(encodings)
    stages = {"": link_candidates(blocks, sizes, encodings=encodings)}
    asked = ask(sources, blocks)
    stages[", with refinement"] = link_candidates(
        blocks, sizes, encodings=encodings, decisions=asked.answers
    )
    Console(stderr=True).print(
        f"{who}: {asked.questions} questions, {asked.questions / sum(sizes):.2f} a record, "
        f"{asked.calibrated} of them calibrate"
    )
    return stages


def person_rows(
    who: str, sources: list[Encoded], truth: pd.DataFrame, stages: dict[str, LinkResult]
) -> list[Row]:
    """Ours over several sources, by what each stage adds: persons."""
    person = _real(sources, truth).person_id.tolist()
    rows = []
    for stage, linked in stages.items():
        found = np.concatenate(linked.person_of).tolist()
        rows += [
            _row(who, what + stage, "chosen", linked.threshold, score(found, person))
            for what, score in (
                ("person pairs", metrics.pairwise),
                ("persons, B-cubed", metrics.b_cubed),
                ("persons, exact", metrics.exact),
            )
        ]
    return rows


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


def _named(first: Encoded, second: Encoded, left: Any, right: Any) -> list[tuple[str, str]]:
    return [(first.record_ids[a], second.record_ids[b]) for a, b in zip(left, right, strict=True)]


def _best(who: str, first: list[str], second: list[str], tried: Any, true: Pairs) -> Row:
    scores = {
        threshold: metrics.links(
            ((first[a], second[b]) for a, b in zip(left, right, strict=True)), true
        )
        for threshold, (left, right) in tried.items()
    }
    threshold = max(scores, key=lambda value: scores[value].f1)
    return _row(who, "one-to-one", "best", threshold, scores[threshold])


def _row(who: str, what: str, threshold: str, value: float, score: metrics.Score) -> Row:
    return {
        "who": who,
        "what": what,
        "threshold": threshold,
        "at": round(float(value), 4),
        **score.figures(),
    }


def show(name: str, rows: list[Row]) -> None:
    """The table on the terminal."""
    table = Table("task", "who", "what", "threshold", "at", "precision", "recall", "F1", title=name)
    for row in rows:
        table.add_row(
            *(str(row[key]) for key in ("task", "who", "what", "threshold")),
            *(f"{row[key]:.4f}" for key in ("at", "precision", "recall", "f1")),
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    app()
