"""Why the hub refuses around a release, beyond what governance says."""

from linkage_hub.errors import HubError


class ReleaseError(HubError):
    """Base of these refusals."""

    reason = "release"
    exit_code = 77  # EX_NOPERM


class UnknownFamily(ReleaseError):
    """No such family in the current results."""

    reason = "family.unknown"


class FamilyTooLarge(ReleaseError):
    """More people, or records of one, than a request may name."""

    reason = "family.too_large"


class UnknownRequest(ReleaseError):
    """No such request that the caller may see."""

    reason = "release.unknown_request"


class RequestDecided(ReleaseError):
    """The request was decided before, or is over."""

    reason = "release.decided"


class AnswerRefused(ReleaseError):
    """An answer that does not fit its order."""

    reason = "release.answer"
