"""The base of every error of the partner agent.

Each subpackage has its own ``errors.py`` below this one. The command line translates an error
once, into a message, a next step and an exit code.
"""

from governance.errors import ReasonedError


class AgentError(ReasonedError):
    """Base of the errors of the partner agent."""

    reason = "agent"
