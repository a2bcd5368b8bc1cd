"""What can go wrong with the register of protected people and homes."""

from partner_agent.errors import AgentError


class ProtectionInput(AgentError):
    """What is to be protected was not named so that it can be known again."""

    reason = "protection.input"
    exit_code = 65  # EX_DATAERR
