"""The base of every refusal of the hub."""

from governance.errors import ReasonedError


class HubError(ReasonedError):
    """A refusal or failure of the linkage hub; subclasses carry their own reason code."""

    reason = "hub"


class NotAnExport(HubError):
    """A folder that does not hold a run's files as the hub writes them."""

    reason = "analytics.not_an_export"
    exit_code = 65  # EX_DATAERR
