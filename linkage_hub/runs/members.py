"""Families as flat tables, in the form in which results are stored."""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linkage_hub.families.evidence import FamilyResult, PersonEvidence

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class FamilyTables:
    """Families, members and addresses, each by number of the family.

    Attributes:
        count: how many families there are.
        confidence: of each family, rounded to four places.
        reasons: of each family, a JSON list of codes.
        member_family, member_person: int64 (m,), by family.
        role: of each member. member_confidence: rounded to four places.
        primary: whether the member's first home is with this family, bool (m,).
        address_family: int64 (a,), by family, oldest first.
        household: token of each address, 32 hexadecimal digits.
        first_month, last_month: ``12 * year + (month - 1)``; None while the address holds.
        band: age band of each person. is_child: bool (persons,).
    """

    count: int
    confidence: list[float]
    reasons: list[str]
    member_family: Ints
    member_person: Ints
    role: list[str]
    member_confidence: list[float]
    primary: Bools
    address_family: Ints
    household: list[str]
    first_month: list[int]
    last_month: list[int | None]
    band: list[str | None]
    is_child: Bools

    def resident(self, month: int) -> Bools:
        """Whether some address holds still, bool (f,); so too where none is known."""
        holds = np.array([end is None or end >= month for end in self.last_month], dtype=np.bool_)
        known = np.zeros(self.count, dtype=np.bool_)
        known[self.address_family] = True
        found = ~known
        found[self.address_family[holds]] = True
        return found


def tables_of(result: FamilyResult, evidence: Sequence[PersonEvidence]) -> FamilyTables:
    """The flat form of a result."""
    families = result.families
    members = [(at, member) for at, family in enumerate(families) for member in family.members]
    spells = [(at, spell) for at, family in enumerate(families) for spell in family.addresses]
    written = {
        reasons: json.dumps(list(reasons)) for reasons in {family.reasons for family in families}
    }
    return FamilyTables(
        len(families),
        [round(family.confidence, 4) for family in families],
        [written[family.reasons] for family in families],
        np.array([at for at, _ in members], dtype=np.int64),
        np.array([member.person for _, member in members], dtype=np.int64),
        [member.role for _, member in members],
        [round(member.confidence, 4) for _, member in members],
        np.array([member.primary for _, member in members], dtype=np.bool_),
        np.array([at for at, _ in spells], dtype=np.int64),
        [spell.household.hex() for _, spell in spells],
        [spell.first_month for _, spell in spells],
        [spell.last_month for _, spell in spells],
        [person.age_band for person in evidence],
        np.array([person.is_child for person in evidence], dtype=np.bool_),
    )
