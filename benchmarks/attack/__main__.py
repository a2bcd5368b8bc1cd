"""``python -m benchmarks.attack``: how many people an attacker names without the secret.

The attacker holds every encoding of a source and a list of the people; it knows the agreement, and
of some people which encoding is theirs. It lays the list over the encodings by graph matching over
all views at once. By default the list is complete and clean, the very rows that were encoded: no
attacker in practice has as good a one; ``--list`` tries worse ones. A cleverer attack, or a
population more alike, may name more. Several secrets, each with other people known: mean, and
range in brackets. "truth" is the true arrangement's fit over that of the one found with fewest
known: over 1 a better search would name more, under 1 the encodings do not tell.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from benchmarks.attack.graphs import made_up_secrets
from benchmarks.attack.lists import SITUATIONS, county_target
from benchmarks.attack.measure import Named, named
from benchmarks.hardening.profiles import MAJORITIES, VIEW_SETS, profiles

KNOWN: Final = (0.0, 0.02, 0.1, 0.5)
app = typer.Typer(add_completion=False)


@app.command()
def attack(
    people: Annotated[int, typer.Option(help="how many people the source and the list hold")],
    known: Annotated[
        list[float] | None, typer.Option(help="share of them whose encoding is known")
    ] = None,
    profile: Annotated[str, typer.Option(help="only profiles whose name holds this")] = "",
    lists: Annotated[
        str, typer.Option("--list", help=f"one of {', '.join(SITUATIONS)}, or all")
    ] = "complete, clean",
    secrets: Annotated[int, typer.Option(help="secrets to try, each with other people known")] = 3,
    json_file: Annotated[Path | None, typer.Option("--json", help="write the figures here")] = None,
) -> None:
    """Print the share of people named, among those that were not known before."""
    shares = tuple(known) if known else KNOWN
    console = Console(highlight=False)
    table = Table("list", "profile", *(f"{share:.0%} known" for share in shares), "truth",
                  title=f"share of {people:,} people named")  # fmt: skip
    figures = []
    for situation in SITUATIONS if lists == "all" else [lists]:
        document, _ = county_target(people, 1, SITUATIONS[situation])
        for name, parameters in profiles(document, MAJORITIES, tuple(VIEW_SETS)).items():
            if profile not in name:
                continue
            runs = []
            for seed, secret in enumerate(made_up_secrets(b"agreement", secrets), 1):
                document, target = county_target(people, seed, SITUATIONS[situation])
                runs.append(named(document, parameters, target, shares, secret))
                console.print(f"{situation}, {name}: {runs[-1]}", style="dim")
            table.add_row(situation, name, *shown(runs), f"{runs[0][0].truth:.2f}")
            figures.append(
                {
                    "list": situation,
                    "profile": name,
                    "runs": [[asdict(each) for each in run] for run in runs],
                }
            )
    console.print(table)
    if json_file is not None:
        json_file.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")


def shown(runs: Sequence[Sequence[Named]]) -> list[str]:
    """Mean share named over the runs for each share known, and the range."""
    found = []
    for column in zip(*runs, strict=True):
        every: Any = [each.share for each in column]
        found.append(f"{np.mean(every):.3f} ({min(every):.3f} to {max(every):.3f})")
    return found


if __name__ == "__main__":
    app()
