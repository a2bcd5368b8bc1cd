"""``python -m benchmarks.families --data DIR``: households and families against the truth.

``DIR`` is a folder that ``benchmarks.quality`` can describe (for a synthetic county run
``python -m benchmarks.county DIR`` first). All sources that the last task of kind ``persons``
names are pooled. Families are built on the true persons, which shows their own error, under both
profiles and with perfect answers to what agents could be asked about families, and on the persons
that the hub links under the chosen one.
"""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.families.measure import (
    evidence_of,
    family_rows,
    reference_of,
    reliability,
    split,
    true_rows,
)
from benchmarks.families.perfect import perfect_rows
from benchmarks.quality.dataset import load_dataset, read_truth
from benchmarks.quality.ours import encode_sources, link_persons
from linkage_hub.families.build import build_families
from partner_agent.encoding.person import default_hardening, schema_for
from partner_agent.submissions.scope import mapping_items

app = typer.Typer(add_completion=False)


@app.command()
def families(
    data: Annotated[Path, typer.Option(help="folder with the data")],
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures here")] = None,
    hardened: Annotated[bool, typer.Option(help="profile hardened, default k and views")] = False,
    linked: Annotated[bool, typer.Option(help="also on the persons that the hub links")] = True,
) -> None:
    """Print pairwise and exact figures beside the peers, and how confidence holds."""
    dataset = load_dataset(data)
    items = {item for source in dataset.sources.values() for item in mapping_items(source.mapping)}
    both = (None, default_hardening(schema_for(items)))
    hardening = both[hardened]
    encoded = encode_sources(data, dataset, hardening)
    task = [task for task in dataset.tasks if task.kind == "persons"][-1]
    sources = [encoded[name] for name in task.sources]
    truth = read_truth(data, dataset)
    reference = reference_of(sources, truth)
    persons = link_persons(sources).person_of if linked else None
    rows = family_rows(sources, reference, persons, hardening)
    other = encode_sources(data, dataset, both[not hardened])
    rows += true_rows(
        f"ours, true persons, {'clk' if hardened else 'hardened'}",
        [other[name] for name in task.sources],
        reference,
        both[not hardened],
    )
    rows += perfect_rows(sources, reference, truth, hardening)
    person_of = split(reference.person, sources)
    evidence = evidence_of(sources, person_of, reference.persons, hardening)
    began = time.perf_counter()
    result = build_families(evidence)
    seconds = time.perf_counter() - began
    calibration = reliability(result, reference.groups["family"])
    show(f"{dataset.name}, {'hardened' if hardened else 'clk'}", rows)
    show("confidence of memberships, true persons", calibration)
    records = int(np.sum([len(each) for each in person_of]))
    Console().print(f"families of {records:,} records: {seconds:.1f} s on one core")
    if json_file is not None:
        document = {"dataset": dataset.name, "rows": rows, "reliability": calibration}
        json_file.write_text(json.dumps(document, indent=2) + "\n", "utf-8")


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """A table on the terminal."""
    table = Table(*rows[0], title=title)
    for row in rows:
        table.add_row(*(f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(width=120).print(table)


if __name__ == "__main__":
    app()
