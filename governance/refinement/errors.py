"""Why a round of refinement, or one question of it, is not answered."""

from governance.errors import GovernanceError


class RefinementRefusal(GovernanceError):
    """Base of the refusals about a round."""

    reason = "refinement"
    exit_code = 77  # EX_NOPERM


class RoundNotLogged(RefinementRefusal):
    """The round is not in the ledger as this party mirrors it."""

    reason = "refinement.not_logged"


class RoundAltered(RefinementRefusal):
    """The round is not the one that was logged, or its questions are not the signed ones."""

    reason = "refinement.altered"


class RoundClosed(RefinementRefusal):
    """The time to answer is over."""

    reason = "refinement.closed"


class BudgetExceeded(RefinementRefusal):
    """More questions than the agreement allows in a run, or in all runs within 24 hours."""

    reason = "refinement.budget"


class TooManyParameters(RefinementRefusal):
    """Decisions were asked for under as many different parameters as an agent answers."""

    reason = "refinement.parameter_sets"


class ParametersRefused(RefinementRefusal):
    """Parameters outside the bounds that agents accept."""

    reason = "refinement.parameters"
