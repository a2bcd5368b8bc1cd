"""Families as flat tables, and one at a time as small values."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, overload

import numpy as np

from linkage_hub.families.columns import OPEN, Bools, Bytes, Floats, Ints
from linkage_hub.families.reasons import codes_of
from linkage_hub.families.residence import Stays

Role = Literal["child", "parent", "grandparent", "partner", "other_adult"]
ROLES: Final[tuple[Role, ...]] = ("child", "parent", "grandparent", "partner", "other_adult")
IS_CHILD, IS_PARENT, IS_GRANDPARENT, IS_PARTNER, IS_OTHER = range(len(ROLES))


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
    """Months in which most of a family lived at a household; ``last_month`` None while it does."""

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
class Memberships:
    """One row a person and family, by family, then person; every person is primary in one.

    Attributes:
        family, person: int64 (m,).
        role: index in ``ROLES``, int64 (m,).
        confidence: float64 (m,).
        reasons: bit mask, int64 (m,).
        primary: bool (m,).
    """

    family: Ints
    person: Ints
    role: Ints
    confidence: Floats
    reasons: Ints
    primary: Bools


@dataclass(frozen=True, slots=True)
class Addresses:
    """Address histories, one row a family and household, by family, then beginning.

    Attributes:
        family, household: int64 (a,).
        first_month, last_month: int64 (a,); ``OPEN`` while it holds.
    """

    family: Ints
    household: Ints
    first_month: Ints
    last_month: Ints


@dataclass(frozen=True)
class FamilyResult:
    """Families of all persons.

    Attributes:
        count: how many families there are.
        members: every membership.
        addresses: every address history.
        family_of: each person's primary family, int64 (n,).
        household_of: number of each person's home, int64 (n,); -1 where none is known.
        stated: household of each statement of the evidence, int64 (s,), slips put right; -1 for
            none.
        stays: who lived where and when, slips in addresses put right.
        institutional: household numbers above the size limit, int64.
        tokens: household tokens by number, uint8 (h, 16).
    """

    count: int
    members: Memberships
    addresses: Addresses
    family_of: Ints
    household_of: Ints
    stated: Ints
    stays: Stays
    institutional: Ints
    tokens: Bytes

    @property
    def families(self) -> Sequence[Family]:
        """Families one at a time, made as they are asked for."""
        return _Families(self)

    @cached_property
    def member_starts(self) -> Ints:
        """Row at which each family's memberships begin, int64 (count + 1,)."""
        return np.searchsorted(self.members.family, np.arange(self.count + 1))

    @cached_property
    def spell_starts(self) -> Ints:
        """Row at which each family's address history begins, int64 (count + 1,)."""
        return np.searchsorted(self.addresses.family, np.arange(self.count + 1))

    @cached_property
    def confidence(self) -> Floats:
        """Mean confidence of each family's members, float64 (count,)."""
        total = np.bincount(self.members.family, self.members.confidence, self.count)
        return np.asarray(total / np.bincount(self.members.family, minlength=self.count))

    @cached_property
    def reasons(self) -> Ints:
        """Bit mask of each family's evidence, int64 (count,)."""
        found = np.zeros(self.count, dtype=np.int64)
        np.bitwise_or.at(found, self.members.family, self.members.reasons)
        return found

    def family(self, number: int) -> Family:
        """One family."""
        rows = range(int(self.member_starts[number]), int(self.member_starts[number + 1]))
        members = tuple(self._member(row) for row in rows)
        spells = range(int(self.spell_starts[number]), int(self.spell_starts[number + 1]))
        return Family(
            members,
            tuple(self._spell(row) for row in spells),
            sum(member.confidence for member in members) / len(members),
            tuple(sorted({reason for member in members for reason in member.reasons})),
        )

    def _member(self, row: int) -> Member:
        table = self.members
        return Member(
            int(table.person[row]),
            ROLES[int(table.role[row])],
            float(table.confidence[row]),
            codes_of(int(table.reasons[row])),
            primary=bool(table.primary[row]),
        )

    def _spell(self, row: int) -> Spell:
        last = int(self.addresses.last_month[row])
        return Spell(
            self.tokens[self.addresses.household[row]].tobytes(),
            int(self.addresses.first_month[row]),
            None if last == OPEN else last,
        )


class _Families(Sequence[Family]):
    """All families of a result, each made when it is asked for."""

    def __init__(self, result: FamilyResult) -> None:
        self._result = result

    def __len__(self) -> int:
        return self._result.count

    def __iter__(self) -> Iterator[Family]:
        return (self._result.family(number) for number in range(len(self)))

    @overload
    def __getitem__(self, at: int) -> Family: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Family]: ...
    def __getitem__(self, at: int | slice) -> Family | Sequence[Family]:
        if isinstance(at, slice):
            return [self._result.family(number) for number in range(len(self))[at]]
        return self._result.family(range(len(self))[at])
