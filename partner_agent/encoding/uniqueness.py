"""Whether every view is near-unique in this partner's own data.

A view that repeats for many people can be told by how often it comes, without any key. So the
agent counts, over a whole extract and before anything is signed, the records whose view is also
the view of somebody else, and refuses where they are too many (docs/adr/0008).

Two records are of one person where first name, surname and birth date are all there and equal,
or where the full encodings are equal: a person who moved within one source is no namesake.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.agreements.encoding import Hardening
from partner_agent.encoding.errors import ViewNotUniqueError
from partner_agent.encoding.tokens import cleaned_column

MOST_SHARED: Final = 0.05  # of an extract's records; measured: sound views .000 to .033
FREE_RECORDS: Final = 20  # that may share a view in any case, so that a small extract has a say
_NAMES: Final = ("first_name", "surname", "date_of_birth")
_ODD: Final = np.random.default_rng(20261124).integers(0, 2**63, 512, dtype=np.uint64) * 2 + 1


class ViewCounter:
    """Counts over an extract. Memory: 8 bytes for each record and view, and 8 more."""

    def __init__(self, hardening: Hardening) -> None:
        self._names = [view.id for view in hardening.views]
        self._views: list[list[NDArray[np.uint64]]] = [[] for _ in self._names]
        self._people: list[NDArray[np.uint64]] = []

    def add(self, encodings: NDArray[np.uint8], frame: pd.DataFrame) -> None:
        """Count a chunk's accepted records.

        Args:
            encodings: uint8 (v, n, width), the full encoding first.
            frame: their cleaned rows.
        """
        full, *views = (_digests(each) for each in encodings)
        for found, digests in zip(self._views, views, strict=True):
            found.append(digests)
        named = pd.DataFrame({name: cleaned_column(frame, name) for name in _NAMES})
        known = (named != "").all(axis=1).to_numpy()
        person = pd.util.hash_pandas_object(named, index=False).to_numpy()
        self._people.append(np.where(known, person, full))

    def shared(self) -> dict[str, int]:
        """For each view, the records that share it with somebody else."""
        if not self._people:
            return dict.fromkeys(self._names, 0)
        people = np.concatenate(self._people)
        return {
            name: _shared(np.concatenate(views), people)
            for name, views in zip(self._names, self._views, strict=True)
        }

    def check(self) -> None:
        """Check that every view is near-unique.

        Raises:
            ViewNotUniqueError: one is not, with its share of records.
        """
        records = sum(each.size for each in self._people)
        most = max(FREE_RECORDS, int(MOST_SHARED * records))
        for name, count in self.shared().items():
            if count > most:
                raise ViewNotUniqueError(
                    f"view {name}: {count} of {records} records ({count / records:.1%}) have the "
                    f"same encoding as somebody else's; at most {MOST_SHARED:.0%} may",
                    next_step="agree with the partners on a view that leaves out less, or that "
                    "needs more (encoding.hardening.views in the agreement)",
                )


def _shared(views: NDArray[np.uint64], people: NDArray[np.uint64]) -> int:
    """Records whose view is the view of more than one person."""
    order = np.lexsort((people, views))
    view, person = views[order], people[order]
    new_view = np.concatenate([[True], view[1:] != view[:-1]])
    new_person = new_view | np.concatenate([[True], person[1:] != person[:-1]])
    group = np.cumsum(new_view) - 1
    persons = np.bincount(group, weights=new_person)
    return int((persons[group] > 1).sum())


def _digests(encodings: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """One number for each row, equal for equal rows; others collide with chance 2 ** -63."""
    words = np.ascontiguousarray(encodings).view(np.uint64)
    return np.asarray((words * _ODD[: words.shape[1]]).sum(axis=1, dtype=np.uint64))
