"""Why a ruling is refused."""

from linkage_hub.errors import HubError


class UnknownRecord(HubError):
    """A ruling names a record that the agreement's current run does not hold."""

    reason = "run.unknown_record"
