"""Why the hub does not take an answer of a round, or cannot show one."""

from linkage_hub.errors import HubError


class RefinementError(HubError):
    """Base of the refusals about rounds."""

    reason = "refinement"


class UnknownRound(RefinementError):
    """No such round, or no such batch of it, for the caller."""

    reason = "refinement.unknown"


class RoundOver(RefinementError):
    """The round has closed."""

    reason = "refinement.closed"


class AnsweredOtherwise(RefinementError):
    """The batch was answered before, with other bytes."""

    reason = "refinement.answered"


class GarbageAnswers(RefinementError):
    """The answers cannot be the work of an agent that holds the linkage secret."""

    reason = "refinement.garbage"


class RoundStorage(RefinementError):
    """The answers could not be stored."""

    reason = "refinement.storage"
