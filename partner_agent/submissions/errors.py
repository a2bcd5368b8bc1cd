"""What can go wrong between an extract and the hub."""

from partner_agent.errors import AgentError


class NothingToSubmitError(AgentError):
    """No row of the extract was accepted, or nothing is prepared."""

    reason = "submission.nothing"
    exit_code = 65  # EX_DATAERR


class OutboxError(AgentError):
    """A prepared file is missing or was changed."""

    reason = "submission.outbox"
    exit_code = 74  # EX_IOERR


class SubmissionRefusedError(AgentError):
    """The hub verified the submission and refused it."""

    reason = "submission.refused"
    exit_code = 65  # EX_DATAERR


class StillVerifyingError(AgentError):
    """The hub holds the file and has not verified it yet."""

    reason = "submission.verifying"
    exit_code = 75  # EX_TEMPFAIL


class TooLittleMemoryError(AgentError):
    """The extract has more rows than this machine has memory for."""

    reason = "submission.memory"
    exit_code = 71  # EX_OSERR
