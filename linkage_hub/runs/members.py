"""Families and households as flat tables, in the form in which results are stored."""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from governance.exchange.submission import AGE_BANDS
from linkage_hub.families.columns import OPEN, Evidence
from linkage_hub.families.reasons import codes_of
from linkage_hub.families.result import ROLES, FamilyResult
from linkage_hub.runs.pseudonyms import HouseholdPseudonyms

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class HouseholdTable:
    """Who lived where and when, one row a person and household; int64 or bool (s,) each.

    Attributes:
        person: number of the person.
        household: number of the household.
        first_month: ``12 * year + (month - 1)``, the earliest that any record states.
        last_month: ``OPEN`` while the address holds.
        dated: whether some source says since when; else ``first_month`` is that of an extract.
        home: whether this is the person's home.
        institutional: whether more people than make a family lived there at one time.
        names: pseudonym of each household.
    """

    person: Ints
    household: Ints
    first_month: Ints
    last_month: Ints
    dated: Bools
    home: Bools
    institutional: Bools
    names: list[str]


@dataclass(frozen=True)
class FamilyTables:
    """Families, members and addresses, each by number of the family.

    Attributes:
        count: how many families there are.
        confidence: of each family, rounded to four places.
        reasons: of each family, a JSON list of codes.
        member_family, member_person: int64 (m,), by family.
        role: of each member. member_confidence: rounded to four places.
        member_reasons: of each member, a JSON list of codes.
        primary: whether the member's first home is with this family, bool (m,).
        address_family: int64 (a,), by family, oldest first.
        household: pseudonym of each address.
        first_month, last_month: ``12 * year + (month - 1)``; None while the address holds.
        band: age band of each person. is_child: bool (persons,).
        households: where each person lived and when.
    """

    count: int
    confidence: list[float]
    reasons: list[str]
    member_family: Ints
    member_person: Ints
    role: list[str]
    member_confidence: list[float]
    member_reasons: list[str]
    primary: Bools
    address_family: Ints
    household: list[str]
    first_month: list[int]
    last_month: list[int | None]
    band: list[str | None]
    is_child: Bools
    households: HouseholdTable


def tables_of(
    result: FamilyResult, evidence: Evidence, pseudonyms: HouseholdPseudonyms
) -> FamilyTables:
    """The flat form of a result."""
    members, addresses = result.members, result.addresses
    masks = np.unique(np.concatenate([result.reasons, members.reasons])).tolist()
    written = {mask: json.dumps(list(codes_of(mask))) for mask in masks}
    homes = pseudonyms.of(result.tokens)
    return FamilyTables(
        result.count,
        result.confidence.round(4).tolist(),
        [written[mask] for mask in result.reasons.tolist()],
        members.family,
        members.person,
        [ROLES[role] for role in members.role.tolist()],
        members.confidence.round(4).tolist(),
        [written[mask] for mask in members.reasons.tolist()],
        members.primary,
        addresses.family,
        [homes[at] for at in addresses.household.tolist()],
        addresses.first_month.tolist(),
        [None if month == OPEN else month for month in addresses.last_month.tolist()],
        [None if band < 0 else AGE_BANDS[band] for band in evidence.band.tolist()],
        evidence.is_child,
        _households(result, homes),
    )


def _households(result: FamilyResult, names: list[str]) -> HouseholdTable:
    stays = result.stays
    closed = np.zeros(len(names), dtype=np.bool_)
    closed[result.institutional] = True
    return HouseholdTable(
        stays.person,
        stays.household,
        stays.first,
        stays.last,
        stays.dated,
        result.household_of[stays.person] == stays.household,
        closed[stays.household],
        names,
    )
