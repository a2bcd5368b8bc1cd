"""What a profile finds in the end: linked, asked, and decided at the hub's own threshold."""

from pathlib import Path
from typing import Any

from benchmarks.quality.__main__ import (
    one_to_one_rows,
    our_person_rows,
    true_pairs,
)
from benchmarks.quality.dataset import load_dataset, read_truth
from benchmarks.quality.ours import encode_sources
from governance.agreements.encoding import Hardening
from partner_agent.encoding.person import schema_for
from partner_agent.submissions.scope import mapping_items

REFINED = "with refinement"
ONE_TO_ONE = "one_to_one"


def schema_of(folder: Path) -> dict[str, Any]:
    """The schema document that an agreement over all sources of a folder has."""
    mappings = [source.mapping for source in load_dataset(folder).sources.values()]
    return schema_for({item for mapping in mappings for item in mapping_items(mapping)})


def final_rows(folder: Path, parameters: Hardening | None, kind: str) -> list[dict[str, Any]]:
    """Precision, recall and F1 after refinement of every task of one kind.

    Args:
        folder: with data of known truth.
        parameters: of profile hardened; None is ``clk``.
        kind: ``one_to_one`` or ``persons`` (B-cubed).
    """
    dataset = load_dataset(folder)
    truth = read_truth(folder, dataset)
    encoded = encode_sources(folder, dataset, parameters)
    found = []
    for task in dataset.tasks:
        if task.kind != kind:
            continue
        sources = [encoded[name] for name in task.sources]
        if kind == ONE_TO_ONE:
            rows = one_to_one_rows("", sources, true_pairs(truth, *task.sources))
            row = next(each for each in rows if each["what"] == REFINED)
        else:
            rows = our_person_rows("", sources, truth, homes=False)
            row = next(each for each in rows if each["what"] == f"persons, B-cubed, {REFINED}")
        label = " x ".join(task.sources) if kind == ONE_TO_ONE else f"{len(sources)} sources"
        found.append({"task": f"{folder.name} {label}", **row})
    return found
