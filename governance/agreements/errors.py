"""Why an agreement refuses."""

from governance.errors import GovernanceError


class AgreementRefusal(GovernanceError):
    """Base of every refusal for which the agreement is the reason."""

    reason = "agreement"
    exit_code = 77  # EX_NOPERM


class AgreementUnknown(AgreementRefusal):
    """No agreement with this hash is in the ledger."""

    reason = "agreement.unknown"


class AgreementUnsigned(AgreementRefusal):
    """A party has not signed."""

    reason = "agreement.unsigned"


class AgreementNotYetValid(AgreementRefusal):
    """Before valid_from."""

    reason = "agreement.not_yet_valid"


class AgreementExpired(AgreementRefusal):
    """After expires."""

    reason = "agreement.expired"


class AgreementReviewOverdue(AgreementRefusal):
    """After review_by."""

    reason = "agreement.review_overdue"


class AgreementSuspended(AgreementRefusal):
    """A party has suspended it."""

    reason = "agreement.suspended"


class AgreementSuperseded(AgreementRefusal):
    """A later version is in force."""

    reason = "agreement.superseded"


class AgreementNotWitnessed(AgreementRefusal):
    """Its last signature is not in a checkpoint that enough partners witnessed."""

    reason = "agreement.not_witnessed"


class PartyNotListed(AgreementRefusal):
    """The party is not a signatory."""

    reason = "agreement.party_not_listed"


class PurposeNotListed(AgreementRefusal):
    """The purpose is not in the agreement, or does not serve this action."""

    reason = "agreement.purpose_not_listed"


class ActionNotAllowed(AgreementRefusal):
    """The action is not in the agreement."""

    reason = "agreement.action_not_allowed"


class SourceNotListed(AgreementRefusal):
    """The source is not in the agreement, or is another party's."""

    reason = "agreement.source_not_listed"


class ItemNotListed(AgreementRefusal):
    """A column or indicator outside the agreement."""

    reason = "agreement.item_not_listed"


class IndicatorNotAgreed(AgreementRefusal):
    """A mapping works an indicator out in another way than the agreement."""

    reason = "agreement.indicator_rule"


class ItemNotReleasable(AgreementRefusal):
    """An item that may be hashed but not released."""

    reason = "agreement.item_not_releasable"


class RecipientNotListed(AgreementRefusal):
    """The requester's organisation may not receive released items."""

    reason = "agreement.recipient_not_listed"


class PrivacyNotAgreed(AgreementRefusal):
    """A model or a table with noise, under an agreement without a budget of privacy."""

    reason = "agreement.privacy_not_agreed"


class PrivacySpent(AgreementRefusal):
    """What would cost more than is left of the year's budget of privacy."""

    reason = "agreement.privacy_spent"


class VolumeExceeded(AgreementRefusal):
    """More records or calls than the agreement allows."""

    reason = "agreement.volume_exceeded"
