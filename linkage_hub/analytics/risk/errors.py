"""Why no model is trained, or none is given out."""

from linkage_hub.errors import HubError


class RiskRefused(HubError):
    """A model that may not be made or used."""

    reason = "risk.refused"
    exit_code = 77  # EX_NOPERM


class AccountantsDiffer(RiskRefused):
    """The two accountants of privacy say different things."""

    reason = "risk.accountants_differ"


class NoSuchOutcome(RiskRefused):
    """Something to learn that no run of the agreement says."""

    reason = "risk.no_such_outcome"
    exit_code = 65  # EX_DATAERR


class TooFewFamilies(RiskRefused):
    """Fewer families than a model earns its place with: the rule alone."""

    reason = "risk.too_few"


class PackagesMissing(RiskRefused):
    """The set of packages for private models is not installed."""

    reason = "risk.packages"
    exit_code = 69  # EX_UNAVAILABLE


class ModelNotPaid(RiskRefused):
    """A model that this hub has not trained, or that nobody has paid for."""

    reason = "risk.not_paid"


class NothingShared(RiskRefused):
    """No such model is shared with the caller."""

    reason = "risk.not_shared"
    exit_code = 66  # EX_NOINPUT


class MembershipTold(RiskRefused):
    """A model without privacy tells who was among those that it was trained on."""

    reason = "risk.membership"
