"""``python -m benchmarks.hardening.choice --data DIR ...``: what a profile finds, what it shows.

For every k and set of views one row: F1 after refinement at the threshold that the hub chooses
itself (links of two files; persons by B-cubed with ``--kind persons``), and the share of people
whom the attack names under several secrets (mean, and range in brackets), with a complete and
clean list. It is the table of docs/adr/0008.
"""

import re
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.attack.__main__ import shown
from benchmarks.attack.graphs import made_up_secrets
from benchmarks.attack.lists import Situation, county_target
from benchmarks.attack.measure import named
from benchmarks.hardening.profiles import VIEW_SETS, profiles
from benchmarks.quality.__main__ import link_rows, our_person_rows, true_pairs
from benchmarks.quality.dataset import load_dataset, read_truth
from benchmarks.quality.ours import encode_sources
from governance.agreements.encoding import Hardening
from partner_agent.encoding.person import schema_for
from partner_agent.submissions.scope import mapping_items

KNOWN: Final = (0.02, 0.1)
REFINED: Final = {
    "one_to_one": "with refinement",
    "persons": "persons, B-cubed, with refinement",
}
app = typer.Typer(add_completion=False)


@app.command()
def choice(
    data: Annotated[list[Path], typer.Option(help="folder with known truth; may be repeated")],
    kind: Annotated[str, typer.Option(help="tasks: one_to_one or persons")] = "one_to_one",
    people: Annotated[int, typer.Option(help="people of the attacked source; 0 leaves it")] = 1_000,
    secrets: Annotated[int, typer.Option(help="to attack")] = 3,
    profile: Annotated[str, typer.Option(help="pattern of the profiles' names")] = "clk|k = [34]",
) -> None:
    """Print quality and attack side by side."""
    console = Console(highlight=False)
    rows: dict[str, list[str]] = {}
    names: list[str] = []
    for name in profiles(schema_of(data[0]), views=tuple(VIEW_SETS)):
        if re.search(profile, name):
            found = {
                task: f1
                for folder in data
                for task, f1 in final(
                    folder, profiles(schema_of(folder), views=tuple(VIEW_SETS))[name], kind
                ).items()
            }
            names = list(found)
            rows[name] = [f"{f1:.4f}" for f1 in found.values()]
            rows[name] += attacked(name, people, secrets) if people else []
            console.print(f"{name}: {rows[name]}", style="dim")
    table = Table("profile", *names, *(f"{share:.0%} known" for share in KNOWN if people))
    for name, cells in rows.items():
        table.add_row(name, *cells)
    console.print(table)


def schema_of(folder: Path) -> dict[str, Any]:
    """The schema document that an agreement over all sources of a folder has."""
    mappings = [source.mapping for source in load_dataset(folder).sources.values()]
    return schema_for({item for mapping in mappings for item in mapping_items(mapping)})


def final(folder: Path, parameters: Hardening | None, kind: str) -> dict[str, float]:
    """F1 after refinement of every task of one kind, by the task's name.

    Args:
        folder: with data of known truth.
        parameters: of profile hardened; None is ``clk``.
        kind: a key of ``REFINED``.
    """
    dataset = load_dataset(folder)
    truth = read_truth(folder, dataset)
    encoded = encode_sources(folder, dataset, parameters)
    found = {}
    for task in dataset.tasks:
        if task.kind != kind:
            continue
        sources = [encoded[name] for name in task.sources]
        if kind == "one_to_one":
            rows = link_rows("", sources, true_pairs(truth, *task.sources))
            label = " x ".join(task.sources)
        else:
            rows = our_person_rows("", sources, truth, homes=False)
            label = f"{len(sources)} sources"
        row = next(each for each in rows if each["what"] == REFINED[kind])
        found[f"{folder.name} {label}"] = float(row["f1"])
    return found


def attacked(name: str, people: int, secrets: int) -> list[str]:
    """Share named at each share known, as the attack's own table has it."""
    runs = []
    for seed, secret in enumerate(made_up_secrets(b"agreement", secrets), 1):
        document, target = county_target(people, seed, Situation())
        parameters = profiles(document, views=tuple(VIEW_SETS))[name]
        runs.append(named(document, parameters, target, KNOWN, secret))
    return shown(runs)


if __name__ == "__main__":
    app()
