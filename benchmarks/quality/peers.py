"""The peers' rows: naive clkhash with anonlink, and Splink on plaintext."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from benchmarks.quality import metrics, naive, splink_peer
from benchmarks.quality.dataset import Dataset, read_raw
from benchmarks.quality.greedy import Labels
from benchmarks.quality.ours import Encoded
from benchmarks.quality.rows import GROUPS, Pairs, Row, person_rows, row

NAIVE: Final = "clkhash + anonlink"
SPLINK: Final = "Splink 5, plaintext"
SURE: Final = (0.5, 0.9, 0.99)  # probabilities at which Splink's own answer is reported
SWEEP: Final = (
    *(10.0**power for power in (-6, -5, -4, -3.5, -3, -2.5)),
    *(0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 0.9999, 0.99999, 0.999999),
)


def naive_link_rows(
    folder: Path, dataset: Dataset, sources: list[Encoded], true: Pairs
) -> list[Row]:
    """Clkhash and anonlink on the raw columns of two files, at the best threshold."""
    encodings, ids = _naive(folder, dataset, sources)
    return [best_link_row(NAIVE, ids, naive.best_groups(encodings), true)]


def naive_person_rows(
    folder: Path, dataset: Dataset, sources: list[Encoded], truth: pd.DataFrame
) -> list[Row]:
    """The same over one source or several, in persons."""
    encodings, ids = _naive(folder, dataset, sources)
    index = [(each.name, id_) for each, own in zip(sources, ids, strict=True) for id_ in own]
    person = truth.set_index(["source", "record_id"]).person_id.loc[index].tolist()
    tried = {
        threshold: (metrics.pairwise(groups.tolist(), person), groups.tolist())
        for threshold, groups in naive.best_groups(encodings)
    }
    threshold = max(tried, key=lambda value: tried[value][0].f1)
    return person_rows(NAIVE, "", "best", threshold, tried[threshold][1], person)


def splink_link_rows(
    tables: dict[str, pd.DataFrame], sources: list[Encoded], true: Pairs
) -> list[Row]:
    """Splink on two files: its candidates, where it is sure, and its best threshold."""
    found = splink_peer.link(sources[0], sources[1], [tables[each.name] for each in sources])
    rows = [
        row(SPLINK, "candidates", f"{found.rules} rules", 0, metrics.links(found.candidates, true))
    ]
    tried = {
        cut: metrics.links(((a, b) for a, b, p in found.scored if p >= cut), true) for cut in SWEEP
    }
    rows += [row(SPLINK, "links", f"p >= {sure}", sure, tried[sure]) for sure in SURE]
    cut = max(tried, key=lambda value: tried[value].f1)
    return [*rows, row(SPLINK, "links", "best", cut, tried[cut])]


def splink_person_rows(
    tables: dict[str, pd.DataFrame], sources: list[Encoded], person: list[str]
) -> list[Row]:
    """Splink on all records of all sources, in persons: what its pairs connect."""
    found = splink_peer.pool([tables[each.name] for each in sources])
    who = pd.factorize(np.array(person))[0]
    hits = int((who[found.pairs[:, 0]] == who[found.pairs[:, 1]]).sum())
    sizes = np.bincount(who)
    true = int((sizes * (sizes - 1) // 2).sum())
    candidates = metrics.Score(hits / max(1, len(found.pairs)), hits / max(1, true))
    rows = [row(SPLINK, "candidates", f"{found.rules} rules", 0, candidates)]
    groups = {cut: found.groups(cut) for cut in SWEEP}
    pairs = {cut: metrics.pairwise(groups[cut], person) for cut in SWEEP}
    rows += [row(SPLINK, GROUPS[0][0], f"p >= {sure}", sure, pairs[sure]) for sure in SURE]
    cut = max(pairs, key=lambda value: pairs[value].f1)
    return rows + person_rows(SPLINK, "", "best", cut, groups[cut], person)


def best_link_row(
    who: str, ids: list[list[str]], tried: Iterable[tuple[float, Labels]], true: Pairs
) -> Row:
    """The best threshold of a sweep, picked with the truth.

    Args:
        who: for the row.
        ids: record ids of both files.
        tried: thresholds, and the groups of both files' records at each.
        true: pairs of record ids.
    """
    scores = {threshold: metrics.links(links_of(ids, groups), true) for threshold, groups in tried}
    threshold = max(scores, key=lambda value: scores[value].f1)
    return row(who, "links", "best", threshold, scores[threshold])


def links_of(ids: list[list[str]], groups: Labels) -> list[tuple[str, str]]:
    """Pairs of records of the two files that are in one group.

    Args:
        ids: record ids of both files.
        groups: of every record, those of the first file first, int64 (n,).
    """
    first, second = (
        pd.DataFrame({"id": own, "group": part})
        for own, part in zip(ids, np.split(groups, [len(ids[0])]), strict=True)
    )
    both = first.merge(second, on="group")
    return list(zip(both.id_x, both.id_y, strict=True))


def _naive(
    folder: Path, dataset: Dataset, sources: list[Encoded]
) -> tuple[list[Any], list[list[str]]]:
    """Naive encodings of the columns that all sources have, and record ids."""
    raw = [read_raw(folder, dataset, source.name) for source in sources]
    mapped = [_mapped(each, dataset, own.name) for each, own in zip(raw, sources, strict=True)]
    columns = [str(item) for item in mapped[0] if all(item in each for each in mapped)]
    ids = [
        _ids(each, dataset.sources[own.name].mapping.record_id)
        for each, own in zip(raw, sources, strict=True)
    ]
    return [naive.naive_encodings(each, columns) for each in mapped], ids


def _ids(frame: pd.DataFrame, column: str | None) -> list[str]:
    """Record ids, numbers of rows where the source has none, as the agent counts them."""
    if column is None:
        return [str(number) for number in range(1, len(frame) + 1)]
    found: list[str] = frame[column].tolist()
    return found


def _mapped(frame: pd.DataFrame, dataset: Dataset, name: str) -> pd.DataFrame:
    """Raw columns under the mapping's names."""
    found = {}
    for item, column in dataset.sources[name].mapping.columns:
        if column is None:
            continue
        parts = column if isinstance(column, tuple) else (column,)
        if not isinstance(column, str | tuple):
            parts = tuple(part for part in (column.year, column.month, column.day) if part)
        found[item] = frame[list(parts)].agg(" ".join, axis=1)
    return pd.DataFrame(found)
