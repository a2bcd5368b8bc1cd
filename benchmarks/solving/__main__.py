"""``python -m benchmarks.solving --records 1000000``: our solver beside anonlink's.

Candidate pairs are simulated with the county's sizes (20 sources, 1.65 records a person, one
duplicate within a source in 25 records) and known truth, so that only solving is measured: true
pairs and relatives have overlapping probabilities, and some true pairs are not among the
candidates. All solvers get the same pairs; anonlink's get the probability as the similarity and
those from even odds up, which is what its threshold does.
"""

import time
from collections.abc import Callable, Sequence
from typing import Annotated

import numpy as np
import typer
from anonlink.solving import greedy_solve, probabilistic_greedy_solve
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from linkage_hub.linkage.candidates import Floats, Indices, PairBlock, anonlink_pairs
from linkage_hub.linkage.clustering import Graph, clusters

SOURCES = 20
RECORDS_A_PERSON = 1.65
FAMILY = 3  # persons in one home, who look alike
SEEN = 0.97  # share of true pairs among the candidates
LOSS = 0.9  # what an absent pair speaks against one person
EVEN = 0.5
TWICE = 0.1  # share of a person's further records that are in the same source


def main(
    records: Annotated[int, typer.Option(help="records in all sources")] = 1_000_000,
    anonlink: Annotated[bool, typer.Option(help="run anonlink's solvers beside ours")] = True,
    seed: Annotated[int, typer.Option(help="of the simulation")] = 1,
) -> None:
    """Print time, precision and recall over pairs of records of one person."""
    person, source, left, right, probability = simulate(records, seed)
    table = Table("solver", "pairs", "seconds", "precision", "recall", title=f"{records:,} records")

    def ours() -> Indices:
        loss = np.full((SOURCES, SOURCES), -LOSS)
        return clusters(Graph(source, left, right, 2.0 * probability - 1.0, loss)).label

    ours()  # compiled before the clock starts
    runs: list[tuple[str, Callable[[], Indices]]] = [("average linkage in components", ours)]
    if anonlink:
        pairs, number = _for_anonlink(source, left, right, probability)

        def greedy() -> Indices:
            return _labels(greedy_solve(pairs), number, records)

        def probabilistic() -> Indices:
            groups = probabilistic_greedy_solve(pairs, deduplicated=False)
            return _labels(groups, number, records)

        runs += [("anonlink greedy", greedy), ("anonlink probabilistic", probabilistic)]
    for name, solve in runs:
        began = time.perf_counter()
        found = solve()
        seconds = time.perf_counter() - began
        precision, recall = _quality(found, person)
        table.add_row(name, f"{len(left):,}", f"{seconds:.2f}", f"{precision:.4f}", f"{recall:.4f}")
    Console().print(table)


def simulate(records: int, seed: int) -> tuple[Indices, Indices, Indices, Indices, Floats]:
    """Person and source of each record; left, right and probability of candidate pairs."""
    random = np.random.default_rng(seed)
    person = np.sort(random.integers(0, int(records / RECORDS_A_PERSON), records))
    source = random.integers(0, SOURCES, records)
    again = np.flatnonzero((np.diff(person, prepend=-1) == 0) & (random.random(records) < TWICE))
    source[again] = source[again - 1]
    parts = []
    for gap in range(1, 12):  # records of one person, and of one family, lie near each other
        a = np.arange(records - gap)
        b = a + gap
        true = person[a] == person[b]
        kin = ~true & (person[a] // FAMILY == person[b] // FAMILY)
        draw = random.random(len(a))
        likely = np.where(true, random.beta(12, 1, len(a)), random.beta(1, 8, len(a)))
        kept = (true & (draw < SEEN)) | kin
        parts.append((a[kept], b[kept], likely[kept]))
    strangers = records * 8
    a, b = random.integers(0, records, (2, strangers))
    kept = person[a] != person[b]
    parts.append((a[kept], b[kept], random.beta(1, 60, int(kept.sum()))))
    left, right, likely = (np.concatenate(column) for column in zip(*parts, strict=True))
    return person, source, np.minimum(left, right), np.maximum(left, right), likely


def _for_anonlink(
    source: Indices, left: Indices, right: Indices, probability: Floats
) -> tuple[object, list[Indices]]:
    """Anonlink's arrays of the pairs from even odds up, and the records of each source."""
    number = [np.flatnonzero(source == at) for at in range(SOURCES)]
    row = np.empty(len(source), dtype=np.int64)
    for rows in number:
        row[rows] = np.arange(len(rows))
    wanted = probability >= EVEN
    one, other, share = left[wanted], right[wanted], probability[wanted]
    turned = source[one] > source[other]
    one, other = np.where(turned, other, one), np.where(turned, one, other)
    blocks = []
    key = source[one] * SOURCES + source[other]
    for value in np.unique(key):
        at: NDArray[np.int64] = np.flatnonzero(key == value)
        at = at[np.argsort(-share[at], kind="stable")]
        views = share[at, None].astype(np.float32)
        first, second = divmod(int(value), SOURCES)
        blocks.append(
            PairBlock(first, second, share[at], row[one[at]], row[other[at]], EVEN, views)
        )
    return anonlink_pairs(blocks), number


def _labels(
    groups: Sequence[Sequence[tuple[int, int]]], number: list[Indices], records: int
) -> Indices:
    label = np.arange(records)
    for group in groups:
        rows = [int(number[source][row]) for source, row in group]
        label[rows] = rows[0]
    return label


def _quality(found: Indices, person: Indices) -> tuple[float, float]:
    both = np.unique(found * np.int64(len(person)) + person, return_counts=True)[1]
    mine, real = np.unique(found, return_counts=True)[1], np.bincount(person)
    hits = _pairs(both)
    return hits / max(1, _pairs(mine)), hits / max(1, _pairs(real))


def _pairs(sizes: Indices) -> int:
    return int((sizes * (sizes - 1) // 2).sum())


if __name__ == "__main__":
    typer.run(main)
