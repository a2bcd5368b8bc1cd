"""``python -m benchmarks.attack``: how many people an attacker names without the secret.

The attacker holds every encoding of a source, and a complete, clean list of the very people, that
is the very rows that were encoded; it knows the agreement, and of some people which encoding is
theirs. It lays the list over the encodings by graph matching over all views at once. No attacker
in practice has as good a list; a cleverer attack, or a population more alike, may name more.
People are neighbours, whole households of one area of the synthetic county: relatives are what
such an attack lives on.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.attack.graphs import encoded, expected_layers, layers_of, own_secrets
from benchmarks.attack.matching import matched
from benchmarks.hardening.__main__ import profiles
from benchmarks.speed.county import SECRET, cleaned, county_schema, folder_for
from governance.agreements.encoding import Hardening

SOURCE: Final = "gp_registrations"  # holds nearly everybody
ROWS_A_PERSON: Final = 4  # records of the county for each person of that source, and to spare
KNOWN: Final = (0.0, 0.02, 0.1, 0.5)
app = typer.Typer(add_completion=False)


@app.command()
def attack(
    people: Annotated[int, typer.Option(help="how many people the source and the list hold")],
    known: Annotated[
        list[float] | None, typer.Option(help="share of them whose encoding is known")
    ] = None,
    profile: Annotated[str, typer.Option(help="only profiles whose name holds this")] = "",
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures here")] = None,
) -> None:
    """Print the share of people named, among those that were not known before."""
    document, rows = neighbours(people)
    shares = tuple(known) if known else KNOWN
    console = Console(highlight=False)
    table = Table("profile", "encodings", *(f"{share:.0%} known" for share in shares),
                  title=f"share of {len(rows):,} people named")  # fmt: skip
    figures = []
    for name, parameters in profiles(document).items():
        if profile not in name:
            continue
        found = named(document, parameters, rows, shares)
        figures.append({"profile": name, **dict(zip(map(str, shares), found, strict=True))})
        views = 1 if parameters is None else 1 + len(parameters.views)
        table.add_row(name, str(views), *(f"{each:.4f}" for each in found))
        console.print(f"{name}: {found}", style="dim")
    console.print(table)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def neighbours(people: int) -> tuple[dict[str, Any], pd.DataFrame]:
    """The county's schema document, and cleaned rows of people who live near each other."""
    folder = folder_for(people * ROWS_A_PERSON)
    rows = cleaned(folder)[SOURCE].sort_values(["postcode", "address", "row"])
    return county_schema(folder), rows.iloc[:people].sample(frac=1.0, random_state=1)


def named(
    document: dict[str, Any],
    parameters: Hardening | None,
    rows: pd.DataFrame,
    known: Sequence[float],
) -> list[float]:
    """Share of the people named, of those whose encoding was not known.

    Args:
        document: the agreement's linkage schema.
        parameters: of profile hardened; None is ``clk``.
        rows: cleaned rows in random order; the first are known.
        known: their share; each is tried.
    """
    people = expected_layers(document, parameters, rows, own_secrets())
    encodings = layers_of(encoded(document, parameters, rows, SECRET))
    found = []
    for share in known:
        seeds = int(share * len(rows))
        shuffled = np.random.default_rng(1).permutation(np.arange(seeds, len(rows)))
        order = np.concatenate([np.arange(seeds), shuffled])
        taken = matched(people, [layer[np.ix_(order, order)] for layer in encodings], seeds)
        found.append(float((order[taken] == np.arange(len(rows)))[seeds:].mean()))
    return found


if __name__ == "__main__":
    app()
