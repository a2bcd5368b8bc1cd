"""Refusals of the linkage."""

from linkage_hub.errors import HubError


class LinkageError(HubError):
    """Encodings that cannot be linked as they are."""

    reason = "linkage.input"
    exit_code = 65  # EX_DATAERR
