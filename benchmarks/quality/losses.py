"""Where true pairs of two files are lost on their way to one person.

``python -m benchmarks.quality.losses --data DIR [--profile clk|hardened]``

Each true pair that ends in two persons is counted at the first place that lost it: it was no
candidate; it was none of its records' likeliest, which alone are weighed; nobody was asked about
it; the agents said no; they said yes, and something likelier held one of its records.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.hardening.profiles import hardening_of
from benchmarks.quality.dataset import load_dataset, read_truth
from benchmarks.quality.ours import Encoded, encode_sources
from benchmarks.quality.stages import linked
from linkage_hub.linkage.weighing import first_stage
from partner_agent.encoding.person import DEFAULT_K, schema_for
from partner_agent.submissions.scope import mapping_items

PLACES = ("no candidate", "not weighed", "not asked", "answered no", "answered yes")


def main(
    data: Annotated[Path, typer.Option(help="folder with known truth")],
    profile: Annotated[str, typer.Option(help="clk or hardened")] = "hardened",
) -> None:
    """Print a table with a row for every two files."""
    dataset = load_dataset(data)
    truth = read_truth(data, dataset)
    items = {item for each in dataset.sources.values() for item in mapping_items(each.mapping)}
    hardening = None if profile == "clk" else hardening_of(schema_for(items), DEFAULT_K)
    encoded = encode_sources(data, dataset, hardening)
    table = Table("files", "true pairs", "found", *PLACES, title=f"{dataset.name}, {profile}")
    for task in dataset.tasks:
        if task.kind == "one_to_one":
            first, second = (encoded[name] for name in task.sources)
            table.add_row(" x ".join(task.sources), *losses(first, second, truth))
    Console(width=120).print(table)


def losses(first: Encoded, second: Encoded, truth: pd.DataFrame) -> list[str]:
    """The number of true pairs, the share found, and the share lost at each place."""
    true = _rows(first, truth).merge(_rows(second, truth), on="person_id")
    pairs = pd.MultiIndex.from_arrays([true.row_x, true.row_y])
    stages = linked([first, second])
    if stages.refined is None or stages.asked is None:
        raise typer.BadParameter("two files are expected")
    one, other = stages.refined.person_of
    found = one[true.row_x] == other[true.row_y]
    held = [source.data.duplicates for source in (first, second)]
    encodings = [source.encodings for source in (first, second)]
    weighed = first_stage(stages.blocks, stages.sizes, encodings, held)[0].block
    answers = stages.asked.answers
    yes = answers.yes.astype(bool)
    asked = pd.MultiIndex.from_arrays([answers.left, answers.right])
    reached = [
        pairs.isin(pd.MultiIndex.from_arrays([each.left, each.right]))
        for each in (stages.blocks[0], weighed)
    ]
    reached += [pairs.isin(asked), pairs.isin(asked[yes])]
    left, shares = ~found, []
    for passed in reached:
        shares.append((left & ~passed).mean())
        left = left & passed
    return [f"{len(true):,}", *(f"{share:.4f}" for share in (found.mean(), *shares, left.mean()))]


def _rows(source: Encoded, truth: pd.DataFrame) -> pd.DataFrame:
    """Row and person of each record of a source."""
    rows = pd.DataFrame({"record_id": source.record_ids, "row": np.arange(len(source.record_ids))})
    return rows.merge(truth[truth.source == source.name], on="record_id")[["row", "person_id"]]


if __name__ == "__main__":
    typer.run(main)
