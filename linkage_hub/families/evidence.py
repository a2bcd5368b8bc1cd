"""What is known of each person, and what comes out: small frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from governance.exchange.submission import AGE_BANDS, CHILD_BANDS

Role = Literal["child", "parent", "grandparent", "partner", "other_adult"]
Relation = Literal["parent", "child", "partner", "guardian"]


@dataclass(frozen=True, slots=True)
class Residence:
    """One record's statement that a person lived at a household.

    Attributes:
        household: token of the address, 16 bytes.
        family: token of address and surname, 16 bytes; None where the surname is missing.
        first_month, last_month: ``12 * year + (month - 1)``, both inclusive; ``last_month`` is
            None while the address is current.
    """

    household: bytes
    family: bytes | None
    first_month: int
    last_month: int | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A person whom a record names; ``parent`` says that the named one is the record's parent.

    Attributes:
        encoding: uint8 (width,).
    """

    relation: str
    encoding: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class PersonEvidence:
    """Everything that the records of one person say.

    Attributes:
        encodings: of its records, uint8 (k, width); needed only to recognise mentions.
        residences: one for each statement; several records may say the same.
        mentions: people whom its records name.
        age_bands: bands that its records give.
    """

    encodings: NDArray[np.uint8]
    residences: Sequence[Residence] = ()
    mentions: Sequence[Mention] = ()
    age_bands: Sequence[str] = ()

    @property
    def age_band(self) -> str | None:
        """The band that most records give; of equals the younger."""
        known = [band for band in self.age_bands if band in AGE_BANDS]
        if not known:
            return None
        return max(sorted(set(known), key=AGE_BANDS.index), key=known.count)

    @property
    def is_child(self) -> bool:
        """Whether the person is under 18 as far as is known."""
        return self.age_band in CHILD_BANDS


@dataclass(frozen=True, slots=True)
class Member:
    """One person in one family.

    Attributes:
        person: index in the evidence.
        role: in this family.
        confidence: that the person belongs to it, 0 to 1.
        reasons: codes of the evidence, sorted.
        primary: False where the person's first home is with another family.
    """

    person: int
    role: Role
    confidence: float
    reasons: tuple[str, ...]
    primary: bool = True


@dataclass(frozen=True, slots=True)
class Spell:
    """Months in which most of a family lived at a household."""

    household: bytes
    first_month: int
    last_month: int | None


@dataclass(frozen=True, slots=True)
class Family:
    """Members, where they lived, and how sure that is.

    Attributes:
        members: by person number.
        addresses: oldest first.
        confidence: the mean over members, 0 to 1.
        reasons: codes of all evidence used, sorted.
    """

    members: tuple[Member, ...]
    addresses: tuple[Spell, ...]
    confidence: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """Families of all persons.

    Attributes:
        families: each person is a primary member of exactly one.
        family_of: index of each person's primary family, int64 (n,).
        household_of: number of each person's current home, int64 (n,); -1 where none is known.
        institutional: household tokens above the size limit.
        links: (person, person, relation) of recognised mentions, the second is the named one.
    """

    families: list[Family]
    family_of: NDArray[np.int64]
    household_of: NDArray[np.int64]
    institutional: frozenset[bytes]
    links: list[tuple[int, int, str]] = field(default_factory=list)
