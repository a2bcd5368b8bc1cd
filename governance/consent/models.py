"""Consent records.

Linkage rests on each party's public task; consent governs the approach. A record carries the
mandatory fields of ISO/IEC TS 27560:2023 (header, processing, parties, event) and the lawful basis
and special-category condition that the UK GDPR needs. The data subject is named by the capturing
party's own random record handle and by nothing else.

Signed format ``consent-record/v1``: fields are never reordered, renamed or removed.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from governance.canonical import Frozen, Hash, Hex128, Slug, Time, sha256

CONSENT_RECORD = "consent-record/v1"
_PLACE = "hearthlink/consent-place/v1"


class ConsentKind(StrEnum):
    """What is permitted."""

    APPROACH = "approach"
    CONFIDENTIALITY = "confidentiality"
    EXPLICIT_GDPR = "explicit_gdpr"


class ConsentState(StrEnum):
    """States of a record; only ``given`` and ``reaffirmed`` permit."""

    REQUESTED = "requested"
    GIVEN = "given"
    REFUSED = "refused"
    REAFFIRMED = "reaffirmed"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"
    TERMINATED = "terminated"


PERMITTING = frozenset({ConsentState.GIVEN, ConsentState.REAFFIRMED})


class Capacity(StrEnum):
    """Who gave it."""

    SELF = "self"
    PARENTAL_RESPONSIBILITY = "parental_responsibility"


class ParentalBasis(StrEnum):
    """How parental responsibility was established."""

    BIRTH_REGISTRATION = "birth_registration"
    COURT_ORDER = "court_order"
    ADOPTION = "adoption"
    AGREEMENT = "parental_responsibility_agreement"
    LOCAL_AUTHORITY = "care_order"


class ConsentRecord(Frozen):
    """One permission, asked of one person by one party."""

    format: Literal["consent-record/v1"] = "consent-record/v1"
    agreement: Hash
    party: Slug  # the controller that met the person
    source: Slug
    subject: Hex128  # that party's record handle (27560: PII principal id)
    kind: ConsentKind
    purpose: Slug
    items: tuple[Slug, ...]  # 27560: PII categories
    recipients: Annotated[tuple[Slug, ...], Field(min_length=1)]
    state: Literal[ConsentState.REQUESTED, ConsentState.GIVEN, ConsentState.REFUSED]
    capacity: Capacity
    parental_basis: ParentalBasis | None
    method: Literal["in_person", "paper_form", "telephone", "online"]
    notice: Hash  # the privacy notice that the person was shown
    notice_language: Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")]
    lawful_basis: Literal["public_task", "consent", "legal_obligation", "vital_interests"]
    special_category_condition: Slug
    jurisdiction: Literal["GB-EAW", "GB-SCT", "GB-NIR"]
    withdrawal_method: Slug
    captured: Time
    expires: Time

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        parental = self.capacity is Capacity.PARENTAL_RESPONSIBILITY
        if parental != (self.parental_basis is not None):
            raise ValueError("parental_basis is given exactly when a parent decides")
        if self.expires <= self.captured:  # times of one fixed form sort as text
            raise ValueError("expires must be after captured")
        return self


def place_of(party: str, handle: str, kind: ConsentKind) -> str:
    """The hash that stands for a party's record and a kind once their consents are erased.

    A handle has 128 random bits: who does not hold it learns nothing from its place. Persisted in
    ``consent.erased``: never changed.
    """
    return sha256(f"{_PLACE}\0{party}\0{handle}\0{kind.value}".encode("ascii"))
