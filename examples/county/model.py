"""What the county is made of: plain arrays, one row a person, family unit, dwelling or spell.

Days are integers since 1970-01-01. A unit is one family living together: its people are
contiguous rows, ``Units.first[u] : Units.first[u] + Units.size[u]``.
"""

import zlib
from dataclasses import dataclass
from datetime import date
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]

EPOCH = date(1970, 1, 1)
DAYS_A_YEAR = 365.25


def day(year: int, month: int = 1, of_month: int = 1) -> int:
    """Days since 1970-01-01."""
    return (date(year, month, of_month) - EPOCH).days


HISTORY_START = day(2010)
REFERENCE = day(2026, 10, 31)  # the day on which the extracts were cut
OPEN = day(2099)  # a spell that has not ended

NEEDS = (
    "school_absence",
    "out_of_work",
    "domestic_abuse",
    "offence",
    "health_visitor_concern",
    "debt_or_eviction",
    "neet",
    "mental_health",
    "substance_misuse",
)
NEED_INDEX = {need: index for index, need in enumerate(NEEDS)}


class Kind(IntEnum):
    """What sort of family a unit is."""

    SINGLE = 0
    COUPLE = 1
    COUPLE_CHILDREN = 2
    LONE_PARENT = 3
    BLENDED = 4
    THREE_GENERATIONS = 5
    CARE_HOME_RESIDENT = 6
    HOSTEL_RESIDENT = 7
    HOSTEL_FAMILY = 8
    STUDENT = 9


class Role(IntEnum):
    """A person's place in a unit, in the order in which people are laid out."""

    HEAD = 0
    PARTNER = 1
    GRANDPARENT = 2
    CHILD = 3  # of the head, and of the partner where there is one and the unit is not blended
    STEPCHILD = 4  # of the partner alone


class SpellKind(IntEnum):
    """Why a person is at an address."""

    HOME = 0
    SECOND_HOME = 1  # a child at the other parent's
    TERM_TIME = 2  # a student
    BEFORE_SEPARATION = 3  # a parent at the home that he or she has left


def stream(seed: int, name: str) -> np.random.Generator:
    """A generator of its own for each named part, so that parts do not disturb each other."""
    return np.random.Generator(np.random.PCG64([seed, zlib.crc32(name.encode())]))


@dataclass
class Units:
    """Family units, each of ``kind``; ``first`` and ``size`` point into the persons."""

    kind: Ints
    first: Ints
    size: Ints
    other_parent: Ints  # unit of the parent who lives elsewhere, else -1

    def __len__(self) -> int:
        return len(self.kind)


@dataclass
class Spells:
    """Who lived where and when; persons' spells are sorted by person, then start."""

    person: Ints
    dwelling: Ints
    start: Ints
    end: Ints  # exclusive; OPEN while it lasts
    kind: Ints


@dataclass
class Dwellings:
    """Addresses, part by part; ``""`` where a part is absent."""

    uprn: Texts
    flat: Texts  # "Flat 2"
    building: Texts  # "Kestrel Court"
    number: Texts  # "14" or "14A"
    street: Texts
    town: Texts
    postcode: Texts
    use: Ints  # addresses.Use
    deprivation: Floats  # mean 0, standard deviation about 1; shared by a street

    def __len__(self) -> int:
        return len(self.uprn)


@dataclass
class Names:
    """Names by person.

    ``former`` stood until ``changed``; ``native_*`` is the form before transliteration.
    """

    given: Texts
    middle: Texts
    surname: Texts
    former: Texts
    changed: Ints  # day of the change, or a day before every record
    native_given: Texts
    native_surname: Texts
    origin: Texts


@dataclass
class Population:
    """The county's people. Arrays have one row a person."""

    unit: Ints
    role: Ints
    sex: Texts  # "m" or "f"
    born: Ints
    present_from: Ints  # first and last day in the county
    present_to: Ints
    names: Names
    nhs: Texts
    nino: Texts
    upn: Texts
    phone: Texts
    email: Texts
    needs: Bools  # persons x NEEDS
    opted_out: Bools
    protected: Bools
    twin: Bools
    units: Units
    dwellings: Dwellings
    spells: Spells
    canaries: Ints  # persons planted in every extract, in order of their families

    def __len__(self) -> int:
        return len(self.unit)
