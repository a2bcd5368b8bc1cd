"""What questions bring: precision, recall and F1 by how many are asked.

``python -m benchmarks.quality.budgets --data DIR``

Questions are asked in the order of their worth, so that a smaller budget is the beginning of a
larger one: the answers are got once, at the budget of a record of the demo's agreement, and
persons are made anew from each share of them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.hardening.profiles import hardening_of
from benchmarks.quality import metrics
from benchmarks.quality.dataset import load_dataset, read_truth
from benchmarks.quality.ours import Encoded, encode_sources
from benchmarks.quality.rounds import ask
from governance.exchange.parameters import TOKEN_BYTES
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.candidates import find_candidates
from linkage_hub.linkage.persons import link_candidates
from partner_agent.encoding.person import DEFAULT_K, schema_for
from partner_agent.submissions.scope import mapping_items

SHARES: Final = (0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0)  # questions a record, at most


def main(
    data: Annotated[Path, typer.Option(help="folder with known truth")],
    sources: Annotated[int, typer.Option(help="only tasks of so many sources; all when 0")] = 0,
) -> None:
    """Print a table for each profile and task of several sources."""
    dataset = load_dataset(data)
    truth = read_truth(data, dataset).set_index(["source", "record_id"]).person_id
    items = {item for each in dataset.sources.values() for item in mapping_items(each.mapping)}
    for profile in ("clk", "hardened"):
        hardening = hardening_of(schema_for(items), DEFAULT_K) if profile != "clk" else None
        encoded = encode_sources(data, dataset, hardening)
        for names in dict.fromkeys(task.sources for task in dataset.tasks):
            if len(names) > 1 and sources in {0, len(names)}:
                held = [encoded[name] for name in names]
                person = [truth[each.name, id_] for each in held for id_ in each.record_ids]
                title = f"{profile}, " + " x ".join(names)
                table = Table("questions", "a record", "bytes", "P", "R", "F1", title=title)
                for row in rows(held, person):
                    table.add_row(*row)
                Console(width=100).print(table)


def rows(sources: list[Encoded], person: list[str]) -> Iterator[tuple[str, ...]]:
    """One row a budget: pairs of records of one person."""
    encodings = [source.encodings for source in sources]
    sizes = [len(source.record_ids) for source in sources]
    blocks = find_candidates(encodings)
    asked = ask(sources, blocks)
    tokens = asked.parameters.tokens if asked.parameters else 0
    before = 0
    for share in SHARES:
        count = min(asked.questions, asked.calibrated + round(share * sum(sizes))) if share else 0
        if count <= before and share:
            break
        before = count
        found = link_candidates(
            blocks,
            sizes,
            encodings=encodings,
            duplicates=[source.data.duplicates for source in sources],
            decisions=first_of(asked.answers, count),
        )
        score = metrics.pairwise(np.concatenate(found.person_of).tolist(), person)
        yield (
            f"{count:,}",
            f"{count / sum(sizes):.3f}",
            f"{2 * tokens * TOKEN_BYTES * max(0, count - asked.calibrated):,}",
            *(f"{value:.4f}" for value in (score.precision, score.recall, score.f1)),
        )


def first_of(answers: PairAnswers, count: int) -> PairAnswers:
    """The first so many answers."""
    return PairAnswers(
        answers.first[:count],
        answers.second[:count],
        answers.left[:count],
        answers.right[:count],
        answers.yes[:count],
    )


if __name__ == "__main__":
    typer.run(main)
