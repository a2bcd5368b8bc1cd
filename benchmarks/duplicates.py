"""``python -m benchmarks.duplicates --data DIR``: duplicates within each source of a folder.

Ours is the agent's ``DuplicateFinder``, at p >= .5 as it is submitted. Splink is trained without
truth on each source by itself and gives what its pairs connect, at p >= .5 and at the best of a
sweep, which is picked with the truth over all sources together. *Expected* is the mean probability
of the pairs that are told, which should be their precision.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import typer
from rich.console import Console

from benchmarks import splink_model
from benchmarks.quality.dataset import Dataset, load_dataset, read_truth
from benchmarks.quality.metrics import Score
from benchmarks.quality.peers import SPLINK, SWEEP
from benchmarks.quality.splink_peer import plain, pool
from partner_agent.cleansing.cleanser import Cleanser
from partner_agent.cleansing.uprn import UprnIndex
from partner_agent.duplicates.finding import LEAST, DuplicateFinder
from partner_agent.extracts.reader import open_extract

OURS: Final = "ours"
FEWEST: Final = 10  # rows that Splink is trained on
HEADINGS: Final = (
    "source", "rows", "true pairs", "who", "at", "told", "precision", "recall", "F1", "expected",
    "processor s",
)  # fmt: skip
app = typer.Typer(add_completion=False)


Labels = npt.NDArray[np.int64]


@dataclass
class Tally:
    """Pairs of rows, over one source or several.

    Attributes:
        rows: compared with one another.
        right: pairs that were told and are true.
        told: all that were told.
        true: all that are.
        expected: sum of the probabilities told.
        seconds: of a processor.
    """

    rows: int = 0
    right: int = 0
    told: int = 0
    true: int = 0
    expected: float = 0.0
    seconds: float = 0.0

    def add(self, other: "Tally") -> None:
        """Another source's."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def score(self) -> Score:
        """Precision and recall; who tells nothing is never wrong."""
        return Score(
            self.right / self.told if self.told else 1.0,
            self.right / self.true if self.true else 1.0,
        )


@dataclass
class Tallies:
    """Every line of the table: by source (``""``: all together), who, and probability."""

    found: dict[tuple[str, str, float], Tally] = field(default_factory=dict)

    def add(self, source: str, who: str, at: float, tally: Tally) -> None:
        """One source's, which counts for all together too."""
        for name in (source, ""):
            self.found.setdefault((name, who, at), Tally()).add(tally)

    def lines(self, source: str) -> list[tuple[str, str, Tally]]:
        """Who, at what, and the tally: ours, Splink at p >= .5, and at the sweep's best."""
        lines = [(OURS, f"p >= {LEAST}", self.found[source, OURS, LEAST])]
        cuts = {at: tally for (name, who, at), tally in self.found.items()
                if (name, who) == (source, SPLINK)}  # fmt: skip
        if cuts:
            best = max(cuts, key=lambda at: cuts[at].score.f1)
            lines.append((SPLINK, f"p >= {LEAST}", cuts[LEAST]))
            lines.append((SPLINK, f"best, {best:.4g}", cuts[best]))
        return lines


@app.command()
def duplicates(
    data: Annotated[Path, typer.Option(help="folder with the data")],
    splink: Annotated[bool, typer.Option(help="run Splink beside it")] = True,
    each: Annotated[bool, typer.Option(help="print every source too")] = True,
) -> None:
    """Print precision, recall and F1 of pairs within sources, ours beside Splink."""
    dataset = load_dataset(data)
    truth = read_truth(data, dataset).drop_duplicates(["source", "record_id"])
    persons = truth.set_index(["source", "record_id"]).person_id
    uprn = None if dataset.uprn is None else UprnIndex.from_csv(data / dataset.uprn)
    peer = splink and splink_model.available()
    tallies = Tallies()
    for name in dataset.sources:
        clean = cleaned(data, dataset, name, uprn)
        ids = pd.MultiIndex.from_product([[name], clean["source_record_id"]])
        person = pd.factorize(persons.reindex(ids).to_numpy())[0].astype(np.int64)
        ours(clean, person)  # compiles what was not compiled yet
        tallies.add(name, OURS, LEAST, ours(clean, person))
        if peer and len(clean) >= FEWEST:
            table = plain(data, dataset, name, clean)
            for cut, tally in splinks(name, table, person).items():
                tallies.add(name, SPLINK, cut, tally)
    print(markdown(dataset.name, tallies, list(dataset.sources) if each else []))
    if splink and not peer:
        Console(stderr=True).print("Splink is not installed: make bench-quality installs it")


def cleaned(folder: Path, dataset: Dataset, name: str, uprn: UprnIndex | None) -> pd.DataFrame:
    """A source's accepted rows as the agent has them before they are encoded."""
    source = dataset.sources[name]
    cleanser = Cleanser(source.mapping, today=dataset.day, uprn=uprn)
    extract = open_extract(folder / source.file, sheet=source.mapping.sheet)
    return pd.concat([cleanser.clean(chunk).table for chunk in extract], ignore_index=True)


def ours(clean: pd.DataFrame, person: Labels) -> Tally:
    """The agent's finder on one source."""
    began = time.process_time()
    finder = DuplicateFinder()
    finder.add(clean)
    found = finder.find()
    return Tally(
        len(clean),
        int((person[found.left] == person[found.right]).sum()),
        len(found.left),
        pairs_in(person),
        float(found.probability.sum()),
        time.process_time() - began,
    )


def splinks(name: str, table: pd.DataFrame, person: Labels) -> dict[float, Tally]:
    """Splink on one source, at every probability of the sweep; where it fails it tells nothing."""
    began = time.process_time()
    try:
        found = pool([table])
    except ValueError as error:  # of shares that underflow, where nearly nobody is held twice
        Console(stderr=True).print(f"{name}: Splink failed: {type(error).__name__}")
        nothing = Tally(len(table), true=pairs_in(person), expected=np.nan)
        return dict.fromkeys(SWEEP, nothing)
    seconds = time.process_time() - began
    tallies = {}
    for cut in SWEEP:
        group = found.groups(cut)
        tallies[cut] = Tally(
            len(table),
            pairs_in(list(zip(group, person.tolist(), strict=True))),
            pairs_in(group),
            pairs_in(person),
            np.nan,
            seconds,
        )
    return tallies


def pairs_in(labels: Sequence[object] | Labels) -> int:
    """Pairs of things with one label."""
    return sum(count * (count - 1) // 2 for count in Counter(list(labels)).values())


def markdown(name: str, tallies: Tallies, sources: list[str]) -> str:
    """A heading and a table that can be pasted into docs/quality.md."""
    lines = [f"### {name}", "", "| " + " | ".join(HEADINGS) + " |", "|" + "---|" * len(HEADINGS)]
    for source in (*sources, ""):
        for who, at, tally in tallies.lines(source):
            score = tally.score
            share = tally.expected / tally.told if tally.told else np.nan
            texts = (
                source or "all sources", f"{tally.rows}", f"{tally.true}", who, at,
                f"{tally.told}", f"{score.precision:.4f}", f"{score.recall:.4f}",
                f"{score.f1:.4f}", "" if np.isnan(share) else f"{share:.4f}",
                f"{tally.seconds:.2f}",
            )  # fmt: skip
            lines.append("| " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    app()
