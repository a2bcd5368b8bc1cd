"""Whether every encoding of an extract is near-unique in this partner's own data.

An encoding that repeats for many people can be told by how often it comes, without any key. So over
a whole extract, and before anything is signed, the agent counts for the full encoding and for each
view the records that share theirs with somebody else, and refuses where they are too many. Where
they are few, records that share the *full* encoding with somebody else are left out: what is known
of them, names alone as a rule, tells no two people apart (docs/adr/0008).

A record's person is what the first rule that it fits says, so that two records are of one person
where those values are equal: first name, surname and birth date (who moved within a source is no
namesake); first name, surname and address, or birth date, address and one name; an identifier. A
birth date on the first of January may be a year alone and counts for nothing. Every other record is
somebody of its own, or namesakes of whom a source has names alone would be one person.
"""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from governance.agreements.encoding import FULL_VIEW, Hardening
from partner_agent.encoding.errors import ViewNotUniqueError
from partner_agent.encoding.tokens import cleaned_column

MOST_SHARED: Final = 0.05  # of an extract's records; measured: sound views .000 to .033
FREE_RECORDS: Final = 20  # that may share an encoding in any case: a small extract has a say
_PERSON: Final = ("first_name", "surname", "date_of_birth", "address", "postcode")
_IDENTIFIERS: Final = ("nhs_number", "nino", "upn")
YEAR_ALONE: Final = "-01-01"
"""How a date of birth ends that may be a year and nothing more."""
_ODD: Final = np.random.default_rng(20261124).integers(0, 2**63, 512, dtype=np.uint64) * 2 + 1

Mask = NDArray[np.bool_]


class ViewCounter:
    """Counts over an extract. Memory: 8 bytes for each record and encoding, and 8 more.

    Args:
        hardening: of profile ``hardened``; None for ``clk``, whose only encoding is the full one.
    """

    def __init__(self, hardening: Hardening | None) -> None:
        views = () if hardening is None else hardening.views
        self._names = [FULL_VIEW, *(view.id for view in views)]
        self._views: list[list[NDArray[np.uint64]]] = [[] for _ in self._names]
        self._people: list[NDArray[np.uint64]] = []
        self._records = 0

    def add(self, encodings: NDArray[np.uint8], frame: pd.DataFrame) -> None:
        """Count a chunk's accepted records.

        Args:
            encodings: uint8 (v, n, width), the full encoding first.
            frame: their cleaned rows.
        """
        for found, view in zip(self._views, encodings, strict=True):
            found.append(_digests(view))
        self._people.append(_people(frame, self._records))
        self._records += len(frame)

    def shared(self) -> dict[str, int]:
        """For each encoding, the records that share it with somebody else."""
        if not self._people:
            return dict.fromkeys(self._names, 0)
        people = np.concatenate(self._people)
        return {
            name: int(_shared(np.concatenate(views), people).sum())
            for name, views in zip(self._names, self._views, strict=True)
        }

    def namesakes(self) -> Mask:
        """Which records share their full encoding with somebody else, in the order they came."""
        if not self._people:
            return np.zeros(0, dtype=np.bool_)
        return _shared(np.concatenate(self._views[0]), np.concatenate(self._people))

    def check(self) -> None:
        """Check that every encoding is near-unique.

        Raises:
            ViewNotUniqueError: one is not, with its share of records.
        """
        most = max(FREE_RECORDS, int(MOST_SHARED * self._records))
        for name, count in self.shared().items():
            if count > most:
                raise ViewNotUniqueError(
                    f"{_called(name)}: {count} of {self._records} records "
                    f"({count / self._records:.1%}) have the same encoding as somebody else's; "
                    f"at most {MOST_SHARED:.0%} may",
                    next_step=_FULL_NEXT if name == FULL_VIEW else _VIEW_NEXT,
                )


_FULL_NEXT: Final = (
    "map a date of birth or an address beside the names, if the source has them; else leave rows "
    "that hold names alone out of the extract"
)
_VIEW_NEXT: Final = (
    "agree with the partners on a view that leaves out less, or that needs more "
    "(encoding.hardening.views in the agreement)"
)


def _called(name: str) -> str:
    return "the full encoding" if name == FULL_VIEW else f"view {name}"


def _people(frame: pd.DataFrame, first: int) -> NDArray[np.uint64]:
    """A number for the person of each row, uint64 (n,); ``first``: rows that came before."""
    values = pd.DataFrame({name: cleaned_column(frame, name) for name in _PERSON})
    values["date_of_birth"] = [
        "" if date.endswith(YEAR_ALONE) else date for date in values["date_of_birth"]
    ]
    ids = pd.DataFrame({name: cleaned_column(frame, name) for name in _IDENTIFIERS})
    given, family, born, home, _ = ((values[name] != "").to_numpy() for name in _PERSON)
    rules: list[tuple[Mask, pd.DataFrame]] = [
        ((ids != "").any(axis=1).to_numpy(), ids),
        ((given & family & home) | (born & home & (given | family)), values),
        (given & family & born, values[["first_name", "surname", "date_of_birth"]]),
    ]
    people: NDArray[np.uint64] = np.arange(first, first + len(frame), dtype=np.uint64) * _ODD[0]
    for number, (fits, columns) in enumerate(rules, start=1):  # the first rule is written last
        rows = np.flatnonzero(fits)
        hashed = pd.util.hash_pandas_object(columns.iloc[rows], index=False).to_numpy(np.uint64)
        people[rows] = hashed ^ np.uint64(number)
    return people


def _shared(views: NDArray[np.uint64], people: NDArray[np.uint64]) -> Mask:
    """Which records' view is the view of more than one person, bool (n,)."""
    order = np.lexsort((people, views))
    view, person = views[order], people[order]
    new_view = np.concatenate([[True], view[1:] != view[:-1]])
    new_person = new_view | np.concatenate([[True], person[1:] != person[:-1]])
    group = np.cumsum(new_view) - 1
    persons = np.bincount(group, weights=new_person)
    found = np.zeros(len(views), dtype=np.bool_)
    found[order] = persons[group] > 1
    return found


def _digests(encodings: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """One number for each row, equal for equal rows; others collide with chance 2 ** -63."""
    words = np.ascontiguousarray(encodings).view(np.uint64)
    return np.asarray((words * _ODD[: words.shape[1]]).sum(axis=1, dtype=np.uint64))
