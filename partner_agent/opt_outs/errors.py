"""Why an extract may not be prepared, or a file not sent, because of the national data opt-out."""

from partner_agent.errors import AgentError


class OptOutError(AgentError):
    """Base of the errors about opt-outs."""

    reason = "opt_out"
    exit_code = 77  # EX_NOPERM


class NoOptOutList(OptOutError):
    """The source was never checked, or its mapping does not say how opt-outs are known."""

    reason = "opt_out.no_list"


class StaleOptOutList(OptOutError):
    """The source was checked too long ago, or after the file was prepared."""

    reason = "opt_out.stale"


class NotAnOptOutList(OptOutError):
    """The file is not an answer of the check."""

    reason = "opt_out.not_a_list"
    exit_code = 65  # EX_DATAERR
