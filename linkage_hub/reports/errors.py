"""Why a report is not made, taken or shown."""

from linkage_hub.errors import HubError


class ReportError(HubError):
    """Base of the refusals about reports."""

    reason = "report"
    exit_code = 65  # EX_DATAERR


class UnknownReport(ReportError):
    """No such report that the caller may see."""

    reason = "report.unknown"


class NotTheseRuns(ReportError):
    """Runs of another agreement, in another order, or whose results are not kept."""

    reason = "report.runs"


class NoCatalogue(ReportError):
    """The hub does not have the criteria that the agreement names, or that were asked for."""

    reason = "report.catalogue"


class NotAReport(ReportError):
    """What was shared is no document of its kind, or not one that its program writes."""

    reason = "report.document"


class NotYours(ReportError):
    """A report of another organisation, which its own people take back."""

    reason = "report.not_yours"
