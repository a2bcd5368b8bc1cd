"""Why what a partner reveals is not taken."""

from linkage_hub.errors import HubError


class RevealError(HubError):
    """Base of the refusals about revealed records."""

    reason = "reveal"


class UnknownReveal(RevealError):
    """No run waits for this of the caller."""

    reason = "reveal.unknown"


class NotTheKey(RevealError):
    """It is not what the submission's manifest commits to, or does not fit the submission."""

    reason = "reveal.not_the_key"
