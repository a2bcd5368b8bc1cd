"""Why nothing is worked out from families over time."""

from linkage_hub.errors import HubError


class OutcomesRefused(HubError):
    """Figures over time that may not be made or given out."""

    reason = "outcomes.refused"
    exit_code = 77  # EX_NOPERM


class NotATable(OutcomesRefused):
    """A file that is not a table of families over time."""

    reason = "outcomes.not_a_table"
    exit_code = 65  # EX_DATAERR


class NotProved(OutcomesRefused):
    """A file that is not what its provenance says, or that has none."""

    reason = "outcomes.provenance"
    exit_code = 65  # EX_DATAERR


class TooFew(OutcomesRefused):
    """Fewer families than anything can be said of, or may be."""

    reason = "outcomes.too_few"


class ComparisonWithheld(OutcomesRefused):
    """A comparison whose checks failed: they are shown, and it is not."""

    reason = "outcomes.withheld"
