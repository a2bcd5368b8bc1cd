"""Why a request of a data subject is not confirmed yet."""

from linkage_hub.errors import HubError


class StillHeld(HubError):
    """Something still holds a record that has to go; it is looked at again."""

    reason = "rights.still_held"
