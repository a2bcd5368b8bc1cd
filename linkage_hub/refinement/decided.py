"""Decisions about pairs, kept for as long as both submissions are in use.

Agents answer about a pair once while the submissions stay the same, so what was decided in one run
holds in the next. One file for each pair of submissions, named by their manifests: since a
manifest pins its records, rows name them. Of a pair of which one submission was replaced, what was
decided is destroyed; which rows of the other were asked about is kept with it, since its agent
counts them against the agreement's limit for as long as that submission is the same.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from governance.canonical import canonical_bytes, hash_of, parse_json
from governance.durable import durable, write_durably
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.refinement.pairs import PAIR, Pairs

NO, YES, UNDECIDED = 0, 1, 2
_SPENT: Final = ".asked"
_ROW: Final = np.dtype([("left", "<u4"), ("right", "<u4"), ("state", "u1")])


@dataclass(frozen=True)
class Decided:
    """Pairs that were asked about and what is known of each (``NO``, ``YES``, ``UNDECIDED``)."""

    pairs: Pairs
    state: npt.NDArray[np.uint8]

    @property
    def known(self) -> npt.NDArray[np.bool_]:
        """Which pairs are decided."""
        return np.asarray(self.state != UNDECIDED)

    def answers(self) -> PairAnswers:
        """The pairs that are decided, as linkage takes them."""
        pairs = self.pairs[self.known]
        first, second, left, right = (
            pairs[name].astype(np.int64) for name in ("first", "second", "left", "right")
        )
        return PairAnswers(first, second, left, right, self.state[self.known] == YES)


class DecisionFiles:
    """Decisions under the hub's home."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, manifests: Sequence[str]) -> Decided:
        """What is known about pairs of these submissions, numbered in this order."""
        pairs, states = [np.zeros(0, dtype=PAIR)], [np.zeros(0, dtype=np.uint8)]
        for first in range(len(manifests)):
            for second in range(first + 1, len(manifests)):
                found = self._read(manifests[first], manifests[second])
                part = np.zeros(len(found), dtype=PAIR)
                part["first"], part["second"] = first, second
                part["left"], part["right"] = found["left"], found["right"]
                pairs.append(part)
                states.append(found["state"])
        return Decided(np.concatenate(pairs), np.concatenate(states))

    def add(self, manifests: Sequence[str], decided: Decided) -> None:
        """Keep decisions; the same ones again change nothing."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = decided.pairs["first"].astype(np.int64) * len(manifests) + decided.pairs["second"]
        for value in np.unique(key):
            first, second = divmod(int(value), len(manifests))
            rows = np.zeros(int((key == value).sum()), dtype=_ROW)
            for name in ("left", "right"):
                rows[name] = decided.pairs[name][key == value]
            rows["state"] = decided.state[key == value]
            known = self._read(manifests[first], manifests[second])
            merged = np.concatenate([rows, known])
            _, at = np.unique(_place(merged["left"], merged["right"]), return_index=True)
            with durable(self._path(manifests[first], manifests[second])) as file:
                np.save(file, merged[at])

    def keep_parameters(self, names: Sequence[str], parameters: dict[str, Any]) -> None:
        """Keep what these sources, in this order, were calibrated to."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_durably(self._parameters(names), canonical_bytes(parameters))

    def parameters(self, names: Sequence[str]) -> dict[str, Any] | None:
        """What these sources were calibrated to before, if they were."""
        try:
            found: dict[str, Any] = parse_json(self._parameters(names).read_bytes())
        except FileNotFoundError:
            return None
        return found

    def times_asked(self, manifest: str, size: int) -> npt.NDArray[np.int64]:
        """How many pairs each record of a submission was asked about, others replaced since too.

        Args:
            manifest: of the submission.
            size: its records.

        Returns:
            int64 (size,).
        """
        name = _name(manifest)
        rows = [self._side(path, name) for path in self._folder.glob(f"*{name}*.npy")]
        for path in self._folder.glob(f"{name}-*{_SPENT}"):
            other = path.stem.removeprefix(f"{name}-")
            if not any(self._path(*pair).exists() for pair in ((name, other), (other, name))):
                rows.append(np.load(path))
        found = np.zeros(size, dtype=np.int64)
        for part in rows:
            np.add.at(found, part[part < size], 1)
        return found

    def forget_others(self, manifests: Sequence[str]) -> None:
        """Destroy decisions about submissions that are in use no more."""
        names = {_name(manifest) for manifest in manifests}
        for path in self._folder.glob("*.npy"):
            pair = path.stem.split("-")
            if set(pair) <= names:
                continue
            for kept in set(pair) & names:
                other = pair[1 - pair.index(kept)]
                with durable(self._folder / f"{kept}-{other}{_SPENT}") as file:
                    np.save(file, self._side(path, kept))
            path.unlink(missing_ok=True)
        for path in self._folder.glob(f"*{_SPENT}"):
            if path.name.partition("-")[0] not in names:
                path.unlink(missing_ok=True)

    def forget_rows(self, manifest: str, rows: Collection[int]) -> None:
        """Destroy decisions about some rows of a submission."""
        name, wanted = _name(manifest), np.array(sorted(rows), dtype=np.int64)
        for path in self._folder.glob(f"*{name}*.npy"):
            gone = np.isin(self._side(path, name), wanted)
            if gone.any():
                found: npt.NDArray[np.void] = np.load(path)
                with durable(path) as file:
                    np.save(file, found[~gone])
        for path in self._folder.glob(f"{name}-*{_SPENT}"):
            asked: npt.NDArray[np.int64] = np.load(path)
            with durable(path) as file:
                np.save(file, asked[~np.isin(asked, wanted)])

    @staticmethod
    def _side(path: Path, name: str) -> npt.NDArray[np.int64]:
        """Rows of a submission in the file of a pair that it is one of."""
        found: npt.NDArray[np.void] = np.load(path)
        side = "left" if path.stem.startswith(name) else "right"
        return np.asarray(found[side].astype(np.int64))

    def _parameters(self, names: Sequence[str]) -> Path:
        return self._folder / f"{_name(hash_of(list(names)))}.json"

    def _read(self, first: str, second: str) -> npt.NDArray[np.void]:
        path = self._path(first, second)
        if not path.exists():
            return np.zeros(0, dtype=_ROW)
        found: npt.NDArray[np.void] = np.load(path)
        return found

    def _path(self, first: str, second: str) -> Path:
        return self._folder / f"{_name(first)}-{_name(second)}.npy"


def _place(left: npt.NDArray[Any], right: npt.NDArray[Any]) -> npt.NDArray[np.uint64]:
    return left.astype(np.uint64) << np.uint64(32) | right.astype(np.uint64)


def _name(manifest: str) -> str:
    return manifest.removeprefix("sha256:")
