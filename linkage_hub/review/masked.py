"""Pairs to rule on as they are stored: two records side by side, masked.

Rules: nothing is told but what the hub holds already, and never a value: the similarity of every
view of the two encodings to two places, which shows what the records agree on by what each view
leaves out; what the partners' agents answered, if they were asked; and how many records a ruling
would bring together or part. Two records of one source are compared by its agent alone, so of
those there is its word and no similarity.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, delete, insert

from governance.agreements.encoding import FULL_VIEW, Encoding
from governance.exchange.hub_api import ViewSimilarity
from linkage_hub.linkage.candidates import view_similarities
from linkage_hub.linkage.persons import LinkResult
from linkage_hub.refinement.decided import NO, UNDECIDED, YES, Decided
from linkage_hub.review.queue import doubtful_pairs
from linkage_hub.runs.inputs import SourceData
from linkage_hub.store.tables import review_pairs

_ANSWERS: Final = {NO: "no", YES: "yes", UNDECIDED: "undecided"}
_Place = tuple[int, int]


@dataclass(frozen=True)
class Answered:
    """What partners' agents answered, and the sources by which it numbers records."""

    sources: Sequence[SourceData]
    decided: Decided

    def of(self, handles: Collection[tuple[str, str]]) -> Mapping[tuple[str, str], str]:
        """Answers about pairs of handles, as far as they were asked about."""
        place = places_of(self.sources, {handle for pair in handles for handle in pair})
        wanted = {
            tuple(sorted(place[handle] for handle in pair)): pair
            for pair in handles
            if all(handle in place for handle in pair)
        }
        pairs, rows = self.decided.pairs, [row for ends in wanted for _, row in ends]
        near = np.flatnonzero(np.isin(pairs["left"], rows) & np.isin(pairs["right"], rows))
        found = {}
        for at in near.tolist():
            first, second, left, right = pairs[at].tolist()
            pair = wanted.get(tuple(sorted(((first, left), (second, right)))))
            if pair is not None:
                found[pair] = _ANSWERS[int(self.decided.state[at])]
        return found


def pairs_to_rule_on(
    run: str,
    sources: Sequence[SourceData],
    linked: LinkResult,
    encoding: Encoding,
    answered: Answered | None = None,
) -> list[dict[str, Any]]:
    """A run's pairs to rule on, as they are stored.

    Args:
        run: a run's id.
        sources: in the order of ``linked``.
        linked: persons.
        encoding: the agreement's, which names the views.
        answered: what was asked about; None where nobody was asked.
    """
    found = doubtful_pairs(linked)
    table = np.column_stack([found.first, found.left, found.second, found.right]).tolist()
    figures = zip(found.probability.tolist(), found.changes.tolist(), strict=True)
    size = np.bincount(np.concatenate([np.empty(0, dtype=np.int64), *linked.person_of]))
    rows = []
    for position, (ends, (probability, changes)) in enumerate(zip(table, figures, strict=True)):
        places = sorted((tuple(ends[:2]), tuple(ends[2:])), key=lambda at: _handle(sources, at))
        (left, right), person = places, [int(linked.person_of[at[0]][at[1]]) for at in places]
        rows.append(
            {
                "run": run,
                "position": position,
                "left": _handle(sources, left),
                "right": _handle(sources, right),
                "left_source": sources[left[0]].source,
                "right_source": sources[right[0]].source,
                "probability": round(probability, 4),
                "changes": round(changes, 2),
                "together": person[0] == person[1],
                "left_records": int(size[person[0]]),
                "right_records": int(size[person[1]]),
                "views": json.dumps(_views(sources, left, right, encoding)),
            }
        )
    answers = {} if answered is None else answered.of([(row["left"], row["right"]) for row in rows])
    return [{**row, "answer": answers.get((row["left"], row["right"]))} for row in rows]


def write_review(connection: Connection, run: str, rows: Sequence[dict[str, Any]]) -> None:
    """Store a run's pairs to rule on, in a write transaction."""
    connection.execute(delete(review_pairs).where(review_pairs.c.run == run))
    if rows:
        connection.execute(insert(review_pairs), rows)


def places_of(sources: Sequence[SourceData], handles: Collection[str]) -> dict[str, _Place]:
    """Source and row of each record that is there."""
    known = np.array([bytes.fromhex(handle) for handle in sorted(handles)], dtype="V16")
    found: dict[str, _Place] = {}
    for number, source in enumerate(sources if handles else ()):
        for at in np.flatnonzero(np.isin(_sortable(source.handles), _sortable(known))):
            found[_handle(sources, (number, int(at)))] = (number, int(at))
    return found


def _views(
    sources: Sequence[SourceData], left: _Place, right: _Place, encoding: Encoding
) -> list[dict[str, Any]]:
    if left[0] == right[0]:
        return []
    one, other = (sources[source].encodings[:, [row]] for source, row in (left, right))
    alone = np.zeros(1, dtype=np.int64)
    similarities = view_similarities(one, other, alone, alone)[0]
    views = [] if encoding.hardening is None else list(encoding.hardening.views)
    names = [(FULL_VIEW, ()), *((view.id, view.leaves_out) for view in views)]
    return [
        ViewSimilarity(
            view=name, leaves_out=gone, similarity=round(float(similarity), 2)
        ).model_dump(mode="json")
        for (name, gone), similarity in zip(names, similarities, strict=True)
    ]


def _handle(sources: Sequence[SourceData], place: _Place) -> str:
    return bytes(sources[place[0]].handles[place[1]]).hex()


def _sortable(handles: npt.NDArray[np.void]) -> npt.NDArray[np.str_]:
    """Handles as text: rows of raw bytes have no order."""
    words = handles.tobytes().hex()
    return np.array([words[at : at + 32] for at in range(0, len(words), 32)], dtype="U32")
