"""Refusals to publish; none says a count."""

from governance.errors import GovernanceError


class DisclosureRefused(GovernanceError):
    """A table that cannot be published as it was asked for."""

    reason = "disclosure.refused"
    exit_code = 65  # EX_DATAERR


class NotListed(DisclosureRefused):
    """A table that is not on the fixed list."""

    reason = "disclosure.not_listed"


class WouldDisclose(DisclosureRefused):
    """Beside what was released already, the table gives a small number away."""

    reason = "disclosure.difference"


class NoLongerPublished(DisclosureRefused):
    """What the table would be held against is gone."""

    reason = "disclosure.over"


class ReleasedOtherwise(DisclosureRefused):
    """The same table, or the same number in another, was released with other content."""

    reason = "disclosure.released_otherwise"
