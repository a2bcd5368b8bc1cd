"""The base of every refusal of the hub."""

from governance.errors import ReasonedError


class HubError(ReasonedError):
    """A refusal or failure of the linkage hub; subclasses carry their own reason code."""

    reason = "hub"
