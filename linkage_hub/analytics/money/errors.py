"""Refusals to work out money."""

from linkage_hub.errors import HubError


class UnknownCost(HubError):
    """A statement names a cost that its catalogue lacks."""

    reason = "money.unknown_cost"
    exit_code = 65  # EX_DATAERR


class NoDeflator(HubError):
    """A cost cannot be carried to another year's prices."""

    reason = "money.no_deflator"
    exit_code = 65  # EX_DATAERR


class TooLarge(HubError):
    """A line comes to more pounds than can be worked out."""

    reason = "money.too_large"
    exit_code = 65  # EX_DATAERR
