"""Why a data subject's request cannot be taken, carried out or closed."""

from partner_agent.errors import AgentError
from partner_agent.releases.errors import WithdrawnHere


class RightsError(AgentError):
    """Base of the errors about data subjects' requests."""

    reason = "rights"
    exit_code = 65  # EX_DATAERR


class UnknownRightsRequest(RightsError):
    """No such request was opened here."""

    reason = "rights.unknown"


class RightsInput(RightsError):
    """What was asked for does not fit the request."""

    reason = "rights.input"


class NotCorrected(RightsError):
    """The corrected row is not in an accepted submission yet."""

    reason = "rights.not_corrected"


class BlockedHere(WithdrawnHere):
    """A member of the family has a record that takes no part, as its subject has asked.

    The reason is that of a withdrawal: which right somebody used is nobody else's business.
    """


class NoRecordId(RightsError):
    """People of a source have objected, and its mapping does not say whose row is whose."""

    reason = "rights.no_record_id"
