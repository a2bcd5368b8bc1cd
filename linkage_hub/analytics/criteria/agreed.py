"""Whether a catalogue is the one that an agreement names."""

from governance.agreements.criteria import Criteria
from governance.agreements.models import Agreement
from governance.canonical import hash_of
from linkage_hub.errors import HubError


class NotAgreed(HubError):
    """Another catalogue than all parties have signed."""

    reason = "catalogue.not_agreed"
    exit_code = 77  # EX_NOPERM


def require_named(criteria: Criteria, terms: Agreement) -> None:
    """Refuse another catalogue than the one that an agreement names, if it names one.

    One that asks for another number of needs than runs go by is not refused: an agreement in force
    is what it is. Those who draw up a new one are told (``require_agreed``).

    Raises:
        NotAgreed: it is another.
    """
    if terms.criteria is not None and hash_of(criteria) != terms.criteria:
        raise NotAgreed(
            f"{criteria.id} is not the catalogue that agreement {terms.id} names",
            next_step=f"use the one with hash {terms.criteria}, or agree a new version",
        )


def require_agreed(criteria: Criteria, terms: Agreement) -> None:
    """Refuse another catalogue than the agreement's, and one that it contradicts.

    Raises:
        NotAgreed: it is another, or asks for another number of needs than runs go by.
    """
    require_named(criteria, terms)
    if terms.criteria is not None and criteria.minimum != terms.minimum_needs:
        raise NotAgreed(
            f"{criteria.id} asks for {criteria.minimum} needs, agreement {terms.id} for "
            f"{terms.minimum_needs}, which runs go by",
            next_step="agree a new version",
        )


def differing(criteria: Criteria, terms: Agreement) -> str | None:
    """What to tell whoever uses a catalogue that asks for another number of needs than runs do."""
    if criteria.minimum == terms.minimum_needs:
        return None
    return (
        f"{criteria.id} asks for {criteria.minimum} needs, the agreement for "
        f"{terms.minimum_needs}: runs put families forward by the agreement"
    )
