"""What is known of persons' homes and relations: flat columns, one row a statement or a mention.

Persons and tokens are numbers from 0; the tokens themselves are kept
aside, since only results need them.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from governance.exchange.submission import AGE_BANDS, CHILD_BANDS

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]

UNKNOWN: Final = -1
_OLDEST: Final = (4, 10, 15, 17)  # years, of the bands of children
OPEN: Final = 1_000_000  # month of an end that is not known: the address holds still
LEFT, UNTOLD, HERE = 0, 1, 2
RESIDENCE: Final = ("left", "untold", "here")
"""Words for the codes above: whether a family lives in the county still (``whereabouts``)."""
NEVER: Final = -1  # month of what nobody tells
RELATION_CODES: Final = ("parent", "child", "partner", "guardian")
PARENT, CHILD, PARTNER, GUARDIAN = range(len(RELATION_CODES))
ADULT: Final = len(CHILD_BANDS)  # the first band of adults
assert frozenset(AGE_BANDS[:ADULT]) == CHILD_BANDS  # noqa: S101 - bands are in order of age


@dataclass(frozen=True, slots=True)
class Statements:
    """What records say of where people lived, one row a statement.

    Attributes:
        person: int64 (s,).
        household: number of the address's token, int64 (s,); -1 where only an area is known.
        near: numbers of the tokens of a surname and an address without its number, street or
            postcode, and of a surname and an area, int64 (s, 4); -1 where there is none.
        first, last: months, ``12 * year + (month - 1)``, inclusive, int64 (s,); ``last`` is
            ``OPEN`` while the address holds.
        source: int64 (s,).
        kin_of: row of each token of a home and a part of a surname, ascending, int64 (k,).
        kin: number of that token, int64 (k,).
    """

    person: Ints
    household: Ints
    near: Ints
    first: Ints
    last: Ints
    source: Ints
    kin_of: Ints
    kin: Ints


@dataclass(frozen=True, slots=True)
class Mentions:
    """People whom records name, one row a mention.

    Attributes:
        person: whose record names, int64 (m,).
        relation: index in ``RELATION_CODES``, int64 (m,); ``parent`` says that the named one is
            the person's parent.
        encoding: uint8 (m, width).
    """

    person: Ints
    relation: Ints
    encoding: Bytes


@dataclass(frozen=True, slots=True)
class Records:
    """Encodings of all records, to recognise who is mentioned.

    Attributes:
        person: int64 (r,).
        encoding: uint8 (r, width).
        source: int64 (r,).
        placed: whether the record says anything of an address, bool (r,).
    """

    person: Ints
    encoding: Bytes
    source: Ints
    placed: Bools


@dataclass(frozen=True)
class Evidence:
    """Everything that the records of all persons say.

    Attributes:
        persons: how many there are.
        band: index in ``AGE_BANDS`` of the band that most of a person's records give, of equals
            the younger, int64 (n,); -1 where none is known.
        tokens: the household tokens by number, uint8 (h, 16).
        hardening: k of profile ``hardened``; None for ``clk``.
    """

    persons: int
    statements: Statements
    mentions: Mentions
    records: Records
    band: Ints
    tokens: Bytes
    hardening: int | None = None

    @cached_property
    def earliest(self) -> Ints:
        """Month before which each person was not born, int64 (n,); 0 for adults."""
        known = self.statements.first
        newest = int(known.max(initial=0))
        months = np.array([newest - 12 * (years + 2) for years in _OLDEST])  # a year to spare
        return np.where(self.is_child, months[np.clip(self.band, 0, ADULT - 1)], 0)

    @cached_property
    def is_child(self) -> Bools:
        """Whether each person is under 18 as far as is known, bool (n,)."""
        return (self.band >= 0) & (self.band < ADULT)
