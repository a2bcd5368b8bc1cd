"""Whether people of an extract are so alike that their encodings would tell them apart by likeness.

An attacker with a list of people lays its graph of likeness over that of the encodings. Two noisy
graphs of n nodes can be laid over each other only where each node's signal, the sum of its squared
correlations over their noise, is some four times log n (Wu, Xu and Yu, Settling the sharp
reconstruction thresholds of random graph matching, IEEE Trans. Inf. Theory 68(8), 2022, for graphs
without structure). The agent knows everything that it takes: its own records, k, and the views. So
it measures the median record's signal in the unit of that threshold. The limit was set on a
handful of made-up populations (docs/adr/0008): over 1, a tenth known named a third to nearly all.
Below it people are not safe: at .5 to .6 the attack still named .14 to .23 of them.

Keys are made up, since what is measured does not hang on them: expected correlations are those of
single majorities (k = 1) to the k-th power, so little noise is left.
"""

import math
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.agreements.encoding import Hardening
from partner_agent.encoding.hardened import HardenedEncoder
from partner_agent.encoding.schema import LinkageSchema
from partner_agent.encoding.tokens import cleaned_column

TOO_ALIKE: Final = 1.0  # thresholds
MOST_RECORDS: Final = 500  # of a sample
FEWEST_RECORDS: Final = 50  # with fewer there is nothing to say
_KEYS: Final = tuple(bytes([number]) * 32 for number in range(6))
_PERSON: Final = ("first_name", "surname", "date_of_birth")


class LikenessMeter:
    """Measures an extract, chunk by chunk, by a sample that keeps postcodes whole.

    Whole postcodes, since relatives and neighbours are most alike. Which ones is decided by a
    digest of each, so neither the order of rows nor chance has a say.
    """

    def __init__(self, schema: LinkageSchema, hardening: Hardening) -> None:
        self._schema = schema
        self._hardening = hardening
        self._ranks: NDArray[np.uint64] = np.zeros(0, dtype=np.uint64)
        self._frame: pd.DataFrame | None = None

    def add(self, frame: pd.DataFrame) -> None:
        """Consider a chunk's accepted records, cleaned rows."""
        columns = dict.fromkeys((*self._schema.columns, *_PERSON, "postcode"))
        rows = pd.DataFrame({name: cleaned_column(frame, name) for name in columns})
        area = rows["postcode"].where(rows["postcode"] != "", rows["surname"] + rows["first_name"])
        ranks = np.asarray(pd.util.hash_pandas_object(area, index=False), dtype=np.uint64)
        if self._frame is None:
            both = rows
        else:
            near = ranks <= self._ranks[-1] if len(self._ranks) == MOST_RECORDS else ranks >= 0
            both = pd.concat([self._frame, rows[near]], ignore_index=True)
            ranks = np.concatenate([self._ranks, ranks[near]])
        once = np.flatnonzero(~both.duplicated(list(_PERSON)).to_numpy())
        kept = once[np.argsort(ranks[once], kind="stable")[:MOST_RECORDS]]
        self._frame, self._ranks = both.iloc[kept].reset_index(drop=True), ranks[kept]

    def thresholds(self) -> float | None:
        """Signal of the sample's median record in thresholds; None where records are too few."""
        if self._frame is None or len(self._frame) < FEWEST_RECORDS:
            return None
        single = self._hardening.model_copy(update={"k": 1})
        total: NDArray[np.float32] | None = None
        for key in _KEYS:
            encodings = HardenedEncoder(self._schema, single, key, workers=1).encode(self._frame)
            found = np.stack([_agreement(view) for view in encodings.encodings])
            total = found if total is None else total + found
        assert total is not None  # noqa: S101 - there are keys
        expected = (total / len(_KEYS)) ** self._hardening.k
        signal = sum(_signal(view, self._hardening.bits) for view in expected)
        return float(np.median(signal) / (4 * math.log(len(self._frame))))


def too_alike(source: str, thresholds: float | None) -> str | None:
    """What to tell the operator of a source whose people are too alike; None where they are not."""
    if thresholds is None or thresholds <= TOO_ALIKE:
        return None
    return (
        f"{source}: these people are so alike that somebody with a list of them could tell "
        f"encodings apart by likeness ({thresholds:.1f}; over {TOO_ALIKE:.0f} is too much). Ask "
        "the information governance lead for a larger k or fewer views (encoding.hardening in the "
        "agreement) before you submit."
    )


def _agreement(view: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean product of the bits of all pairs, taken for -1 and 1."""
    signs = np.unpackbits(view, axis=1).astype(np.float32) * 2.0 - 1.0
    return np.asarray(signs @ signs.T / signs.shape[1], dtype=np.float32)


def _signal(agreement: NDArray[np.float32], bits: int) -> NDArray[np.float64]:
    """Each record's squared correlations over their noise, what all have in common taken out."""
    rows = agreement.mean(axis=0, dtype=np.float64)
    found = agreement - rows[:, None] - rows[None, :] + rows.mean()
    scale = np.sqrt(np.maximum(np.diag(found), 1e-6))
    found /= scale[:, None] * scale[None, :]
    np.fill_diagonal(found, 0.0)
    found -= found.sum() / (found.size - len(found))
    np.fill_diagonal(found, 0.0)
    return np.asarray((found**2).sum(axis=1) * bits, dtype=np.float64)
