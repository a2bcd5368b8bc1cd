"""Fields by which two rows are compared, and what their levels mean before any data is seen.

Shares are of true pairs (``match``) and of relatives and others of one home (``kin``), level 1
first. They are where learning begins and what few data cannot move far: orders of magnitude that
hold for administrative records, not figures of any file.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from partner_agent.duplicates import comparing
from partner_agent.duplicates.source import IDENTIFIERS, Source

Levels = NDArray[np.uint8]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Field:
    """One comparison.

    Attributes:
        name: of its column.
        match: share of each level among pairs of one person, strongest first.
        kin: the same among relatives, None where they are like strangers but for ``kin_equal``.
        kin_equal: share of relatives that agree fully where ``kin`` is None.
        rare: whether agreement on a rare value says more.
        most: share of pairs of one person that may differ: beyond it they are no person.
    """

    name: str
    match: tuple[float, ...]
    stranger: tuple[float, ...]
    kin: tuple[float, ...] | None = None
    kin_equal: float = 0.0
    rare: bool = False
    most: float = 1.0


FIELDS: Final = (
    Field("first_name", (0.80, 0.03, 0.08, 0.04, 0.02, 0.03),
          (0.005, 0.001, 0.004, 0.02, 0.12, 0.85), kin_equal=0.01, rare=True, most=0.15),
    Field("surname", (0.84, 0.01, 0.07, 0.03, 0.01, 0.04),
          (0.001, 0.0001, 0.002, 0.01, 0.1, 0.887),
          kin=(0.75, 0.01, 0.05, 0.02, 0.02, 0.15), rare=True, most=0.15),
    Field("middle_name", (0.70, 0.20, 0.04, 0.06), (0.02, 0.07, 0.02, 0.89), kin_equal=0.02,
          rare=True),
    Field("date_of_birth", (0.87, 0.07, 0.03, 0.01, 0.02), (0.00004, 0.0006, 0.006, 0.02, 0.973),
          kin_equal=0.02, rare=True, most=0.3),
    Field("sex", (0.97, 0.03), (0.5, 0.5)),
    *(Field(name, (0.94, 0.03, 0.03), (1e-7, 1e-6, 1.0), kin_equal=0.002) for name in IDENTIFIERS),
    Field("address", (0.45, 0.15, 0.05, 0.03, 0.02, 0.30),
          (0.0005, 0.0005, 0.002, 0.002, 0.02, 0.975),
          kin=(0.60, 0.20, 0.05, 0.02, 0.01, 0.12), rare=True, most=0.5),
    Field("phone", (0.60, 0.05, 0.35), (1e-6, 1e-5, 1.0), kin=(0.30, 0.01, 0.69), rare=True),
    Field("email", (0.60, 0.05, 0.35), (1e-6, 1e-4, 1.0),
          kin=(0.15, 0.03, 0.82), rare=True),
)  # fmt: skip
NAMES: Final = ("first_name", "surname")
_AGREEING: Final = 3  # levels of first names that are one name


def held(source: Source) -> list[Field]:
    """Fields that any two rows hold."""
    texts = source.texts
    return [
        field
        for field in FIELDS
        if texts[field.name].held > 1
        or (field.name == "address" and texts["postcode"].held + texts["uprn"].held > 1)
    ]


class Comparer:
    """Compares rows of one source.

    Args:
        source: its rows.
    """

    def __init__(self, source: Source) -> None:
        self.fields = held(source)
        self._source = source
        self._made: dict[str, Callable[[Rows, Rows, Levels], None]] = {
            field.name: self._maker(field.name) for field in self.fields
        }
        self._swap: Any = comparing.swapped
        self._at = {field.name: number for number, field in enumerate(self.fields)}

    def levels(self, left: Rows, right: Rows) -> tuple[Levels, Levels]:
        """Levels of each pair, uint8 (fields, m), and whether names are swapped, uint8 (m,)."""
        found = np.zeros((len(self.fields), len(left)), dtype=np.uint8)
        for field, out in zip(self.fields, found, strict=True):
            self._made[field.name](left, right, out)
        turned = np.zeros(len(left), dtype=np.uint8)
        if set(NAMES) <= set(self._at):
            first, last = (self._source.texts[name] for name in NAMES)
            self._swap(
                first.codes, first.data, first.starts, first.ends(),
                last.codes, last.data, last.starts, last.ends(),
                left, right, *(found[self._at[name]] for name in NAMES), turned,
            )  # fmt: skip
        self._sex_of_names(found)
        return found, turned

    def _sex_of_names(self, found: Levels) -> None:
        """A given name has its sex: where names agree, the sex says nothing more."""
        if {"sex", "first_name"} <= set(self._at):
            named = found[self._at["first_name"]]
            found[self._at["sex"], (named > 0) & (named <= _AGREEING)] = 0

    def _maker(self, name: str) -> Callable[[Rows, Rows, Levels], None]:
        texts = self._source.texts
        column = texts[name]
        given: tuple[Any, ...] = (column.codes, column.data, column.starts)
        call: Any
        if name in NAMES:
            kinds = np.full(len(column.counts), -1, dtype=np.int64)
            given = (*given, self._source.kinds if name == "first_name" else kinds)
            call = comparing.names
        elif name == "middle_name":
            call = comparing.middle_names
        elif name == "date_of_birth":
            given, call = (column.codes, self._source.births), comparing.dates
        elif name == "sex":
            given, call = given[:1], comparing.sexes
        elif name == "address":
            words = words_of(column.values())
            given = (*given, *words, texts["postcode"].codes, texts["uprn"].codes)
            call = comparing.addresses
        elif name == "email":
            users = column.derived(lambda value: value.split("@", maxsplit=1)[0])
            given, call = (*given, users), comparing.emails
        else:
            call = comparing.identifiers
        return lambda left, right, out: call(*given, left, right, out)


def words_of(lines: list[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Sorted numbers of the words of each line, one line after another, and where each begins."""
    known: dict[str, int] = {}
    numbers: list[int] = []
    edges = [0]
    for line in lines:
        numbers += sorted({known.setdefault(word, len(known)) for word in line.split()})
        edges.append(len(numbers))
    return np.array(numbers, dtype=np.int64), np.array(edges, dtype=np.int64)
