"""Why consent refuses an approach. No message says whose choice it was."""

from governance.errors import GovernanceError


class ConsentRefusal(GovernanceError):
    """Base of every refusal for which consent is the reason."""

    reason = "consent"
    exit_code = 77  # EX_NOPERM


class ConsentMissing(ConsentRefusal):
    """A member's permission was never recorded."""

    reason = "consent.missing"


class ConsentRefused(ConsentRefusal):
    """A member said no."""

    reason = "consent.refused"


class ConsentWithdrawn(ConsentRefusal):
    """A member withdrew."""

    reason = "consent.withdrawn"


class ConsentExpired(ConsentRefusal):
    """A member's permission has run out."""

    reason = "consent.expired"


class ConsentInvalidated(ConsentRefusal):
    """A member's permission was found not to be valid, or was ended."""

    reason = "consent.invalidated"


class SubsetNotAllowed(ConsentRefusal):
    """The agreement does not let a request leave members out, or it leaves out too many."""

    reason = "consent.subset_not_allowed"
