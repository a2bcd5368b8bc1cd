"""Errors of transparency records."""

from governance.errors import GovernanceError


class OtherAgreement(GovernanceError):
    """What was written is about parties or sources that the agreement does not have."""

    reason = "transparency.other_agreement"
