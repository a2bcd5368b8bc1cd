"""Whether a catalogue is the one that an agreement names."""

from governance.agreements.models import Agreement
from governance.canonical import hash_of
from linkage_hub.analytics.criteria.models import Criteria
from linkage_hub.errors import HubError


class NotAgreed(HubError):
    """Another catalogue than all parties have signed."""

    reason = "catalogue.not_agreed"
    exit_code = 77  # EX_NOPERM


def require_agreed(criteria: Criteria, terms: Agreement) -> None:
    """Refuse another catalogue than the agreement's, and one that it contradicts.

    Raises:
        NotAgreed: it is another, or asks for another number of needs than runs go by.
    """
    if terms.criteria is None:
        return
    if hash_of(criteria) != terms.criteria:
        raise NotAgreed(
            f"{criteria.id} is not the catalogue that agreement {terms.id} names",
            next_step=f"use the one with hash {terms.criteria}, or agree a new version",
        )
    if criteria.minimum != terms.minimum_needs:
        raise NotAgreed(
            f"{criteria.id} asks for {criteria.minimum} needs, agreement {terms.id} for "
            f"{terms.minimum_needs}, which runs go by",
            next_step="agree a new version",
        )
