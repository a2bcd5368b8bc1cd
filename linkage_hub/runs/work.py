"""What a run keeps on disk between its phases, in a folder of its own under the hub's home.

Rules: the submissions that a run started from are pinned by hard links, so that one that is
replaced meanwhile changes nothing in the run; every file appears whole or not at all; the folder
is destroyed when the run ends.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from governance.durable import durable, sync_folder
from linkage_hub.linkage.candidates import PairBlock
from linkage_hub.linkage.persons import LinkResult, SourcePair
from linkage_hub.linkage.threshold import Estimate

_CANDIDATES: Final = "candidates.npz"
_PERSONS: Final = "persons.npz"


class Work:
    """One run's folder, mode 0700."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def pin(self, id_: str, path: Path) -> None:
        """Keep a submission's file for as long as the run needs it."""
        target = self.pinned(id_)
        if not target.exists():
            os.link(path, target)
            sync_folder(self.folder)

    def pinned(self, id_: str) -> Path:
        """Where a pinned submission is."""
        return self.folder / f"{id_}.arrow"

    def save_candidates(self, blocks: Sequence[PairBlock]) -> None:
        """Keep candidate pairs."""
        columns: dict[str, Any] = {"count": np.array(len(blocks))}
        for number, block in enumerate(blocks):
            columns[f"{number}.place"] = np.array([block.first, block.second])
            columns[f"{number}.floor"] = np.array(block.floor)
            columns[f"{number}.similarity"] = block.similarity
            columns[f"{number}.left"] = block.left.astype(np.uint32)
            columns[f"{number}.right"] = block.right.astype(np.uint32)
            columns[f"{number}.views"] = block.views
        self._save(_CANDIDATES, columns)

    @property
    def has_candidates(self) -> bool:
        """Whether candidate pairs were found before."""
        return (self.folder / _CANDIDATES).exists()

    def candidates(self) -> list[PairBlock] | None:
        """Candidate pairs that were found before, if they were."""
        if not self.has_candidates:
            return None
        with np.load(self.folder / _CANDIDATES) as found:
            return [
                PairBlock(
                    int(found[f"{number}.place"][0]),
                    int(found[f"{number}.place"][1]),
                    found[f"{number}.similarity"],
                    found[f"{number}.left"].astype(np.int64),
                    found[f"{number}.right"].astype(np.int64),
                    float(found[f"{number}.floor"]),
                    found[f"{number}.views"],
                )
                for number in range(int(found["count"]))
            ]

    def save_persons(self, linked: LinkResult) -> None:
        """Keep persons."""
        columns: dict[str, Any] = {
            f"person.{number}": persons for number, persons in enumerate(linked.person_of)
        }
        columns["count"] = np.array([len(linked.person_of), linked.persons])
        columns["threshold"] = np.array(linked.threshold)
        columns["estimate"] = _row(linked.estimate)
        columns["conflicts"] = np.array(linked.conflicts, dtype=np.int64)
        columns["bonds"] = linked.bonds.astype(np.uint32)
        columns["places"] = np.array([(p.first, p.second) for p in linked.pairs]).reshape(-1, 2)
        columns["thresholds"] = np.array([pair.threshold for pair in linked.pairs])
        columns["estimates"] = np.array([_row(p.estimate) for p in linked.pairs]).reshape(-1, 4)
        for number, pair in enumerate(linked.pairs):
            columns[f"{number}.left"] = pair.left.astype(np.uint32)
            columns[f"{number}.right"] = pair.right.astype(np.uint32)
            columns[f"{number}.probability"] = pair.probability
        self._save(_PERSONS, columns)

    def persons(self) -> LinkResult | None:
        """Persons that were found before, if they were."""
        if not (self.folder / _PERSONS).exists():
            return None
        with np.load(self.folder / _PERSONS) as found:
            count, persons = found["count"].tolist()
            pairs = [
                SourcePair(
                    int(place[0]),
                    int(place[1]),
                    float(threshold),
                    _estimate(row),
                    found[f"{number}.left"].astype(np.int64),
                    found[f"{number}.right"].astype(np.int64),
                    found[f"{number}.probability"],
                )
                for number, (place, threshold, row) in enumerate(
                    zip(found["places"], found["thresholds"], found["estimates"], strict=True)
                )
            ]
            return LinkResult(
                [found[f"person.{number}"] for number in range(count)],
                persons,
                float(found["threshold"]),
                _estimate(found["estimate"]),
                pairs,
                found["conflicts"].tolist(),
                found["bonds"].astype(np.int64),
            )

    def remove(self) -> None:
        """Destroy the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _save(self, name: str, columns: dict[str, Any]) -> None:
        with durable(self.folder / name) as file:
            np.savez(file, **columns)


def _row(estimate: Estimate) -> Any:
    return np.array(list(asdict(estimate).values()), dtype=np.float64)


def _estimate(row: Any) -> Estimate:
    return Estimate(int(row[0]), float(row[1]), float(row[2]), float(row[3]))
