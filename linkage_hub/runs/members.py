"""Families as flat tables, in the form in which results are stored."""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from governance.exchange.submission import AGE_BANDS, TOKEN_BYTES
from linkage_hub.families.columns import OPEN, Evidence
from linkage_hub.families.reasons import codes_of
from linkage_hub.families.result import ROLES, FamilyResult

_HEX = 2 * TOKEN_BYTES  # digits of a token
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


def tables_of(result: FamilyResult, evidence: Evidence) -> FamilyTables:
    """The flat form of a result."""
    members, addresses = result.members, result.addresses
    written = {
        mask: json.dumps(list(codes_of(mask))) for mask in np.unique(result.reasons).tolist()
    }
    tokens = result.tokens.tobytes().hex()
    return FamilyTables(
        result.count,
        result.confidence.round(4).tolist(),
        [written[mask] for mask in result.reasons.tolist()],
        members.family,
        members.person,
        [ROLES[role] for role in members.role.tolist()],
        members.confidence.round(4).tolist(),
        members.primary,
        addresses.family,
        [tokens[at * _HEX : (at + 1) * _HEX] for at in addresses.household.tolist()],
        addresses.first_month.tolist(),
        [None if month == OPEN else month for month in addresses.last_month.tolist()],
        [None if band < 0 else AGE_BANDS[band] for band in evidence.band.tolist()],
        evidence.is_child,
    )
