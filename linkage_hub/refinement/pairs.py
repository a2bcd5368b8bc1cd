"""Pairs of records as a round asks about them, and what each party is asked.

Rules: a pair is a record of one source and one of another, by source number and row; each pair
gives one question to the party of either record, two where both are one party's; a party's
questions are sorted by its own handle and then the other, so that their order says nothing about
similarity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from governance.exchange.refinement_bodies import QUESTION, Questions
from linkage_hub.linkage.candidates import Indices, PairBlock

PAIR: Final = np.dtype([("first", "<u2"), ("second", "<u2"), ("left", "<u4"), ("right", "<u4")])
Pairs = npt.NDArray[np.void]
"""Rows of ``PAIR``, shape (n,): source numbers and row numbers."""
ASKED: Final = np.dtype([("pair", "<u4"), ("end", "u1")])
Asked = npt.NDArray[np.void]
"""For each question of a party its pair's number, and which end (0 left, 1 right) is its own."""


@dataclass(frozen=True)
class PartySheet:
    """One party's questions, and the pairs that they are about, in one order."""

    party: str
    questions: Questions
    asked: Asked


def make_pairs(
    first: npt.ArrayLike, second: npt.ArrayLike, left: npt.ArrayLike, right: npt.ArrayLike
) -> Pairs:
    """Pairs from four columns of one length."""
    columns = np.broadcast_arrays(
        np.asarray(first), np.asarray(second), np.asarray(left), np.asarray(right)
    )
    pairs = np.zeros(columns[0].shape, dtype=PAIR)
    for name, column in zip(PAIR.names or (), columns, strict=True):
        pairs[name] = column
    return pairs


def place_of(block: PairBlock, left: Indices, right: Indices) -> Indices:
    """Where pairs stand in a block, int64 (n,); -1 for a pair that is not there."""
    if not len(block.left):
        return np.full(len(left), -1, dtype=np.int64)
    width = np.int64(max(block.right.max(initial=0), right.max(initial=0)) + 1)
    keys = block.left * width + block.right
    order = np.argsort(keys, kind="stable")
    wanted = left * width + right
    at = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(order) - 1)]
    return np.where(keys[at] == wanted, at, -1).astype(np.int64)


def sheets(
    pairs: Pairs, parties: Sequence[str], handles: Sequence[npt.NDArray[np.void]]
) -> list[PartySheet]:
    """What each party is asked.

    Args:
        pairs: what the round is about.
        parties: the party of each source.
        handles: of each source's rows, ``V16`` (n,).

    Returns:
        One sheet for each party that is asked anything, by name.
    """
    left = _handles(pairs["first"], pairs["left"], handles)
    right = _handles(pairs["second"], pairs["right"], handles)
    names = np.array(parties)
    numbers = np.arange(len(pairs))
    found = []
    for party in sorted(set(parties)):
        parts = []
        for end, own, other, mine, yours in (
            (0, left, right, "first", "second"),
            (1, right, left, "second", "first"),
        ):
            chosen = names[pairs[mine]] == party
            questions = np.zeros(int(chosen.sum()), dtype=QUESTION)
            questions["own"], questions["other"] = own[chosen], other[chosen]
            questions["own_submission"] = pairs[mine][chosen]
            questions["other_submission"] = pairs[yours][chosen]
            asked = np.zeros(len(questions), dtype=ASKED)
            asked["pair"], asked["end"] = numbers[chosen], end
            parts.append((questions, asked))
        questions = np.concatenate([part[0] for part in parts])
        asked = np.concatenate([part[1] for part in parts])
        if len(questions):
            order = _order(questions)
            found.append(PartySheet(party, questions[order], asked[order]))
    return found


def _handles(
    sources: npt.NDArray[np.uint16], rows: npt.NDArray[np.uint32], handles: Sequence[Questions]
) -> npt.NDArray[np.void]:
    found = np.zeros(len(rows), dtype="V16")
    for number, known in enumerate(handles):
        chosen = sources == number
        found[chosen] = known[rows[chosen]]
    return found


def _order(questions: Questions) -> npt.NDArray[np.int64]:
    words = [
        np.frombuffer(np.ascontiguousarray(questions[name]).tobytes(), dtype=">u8").reshape(-1, 2)
        for name in ("other", "own")
    ]
    # lexsort's last key counts most: own handle, then the other
    return np.lexsort((words[0][:, 1], words[0][:, 0], words[1][:, 1], words[1][:, 0]))
