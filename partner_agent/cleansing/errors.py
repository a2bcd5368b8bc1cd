"""Why cleansing or its outputs cannot go on. A fault of one row is a reject, never one of these."""

from partner_agent.errors import AgentError


class CleansingError(AgentError):
    """Base of the errors of cleansing."""

    reason = "cleansing"
    exit_code = 65  # EX_DATAERR


class UprnReferenceError(CleansingError):
    """The UPRN reference file lacks columns or rows."""

    reason = "uprn.reference_invalid"


class OutputNotWrittenError(CleansingError):
    """A file could not be written; nothing half-written is left under its name."""

    reason = "output.not_written"
    exit_code = 73  # EX_CANTCREAT
