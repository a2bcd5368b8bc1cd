"""Why a run cannot be started or shown."""

from governance.exchange.analysis_api import NO_EFFECTS
from linkage_hub.errors import HubError


class RunError(HubError):
    """Base of the refusals about runs."""

    reason = "run"


class UnknownRun(RunError):
    """No such run, or no such export of it."""

    reason = "run.unknown"


class NothingToLink(RunError):
    """No submission under the agreement was accepted yet."""

    reason = "run.nothing_to_link"


class NotRevealed(RunError):
    """A partner did not say in time which of its records do not exist: no families are made."""

    reason = "run.not_revealed"


class RunInProgress(RunError):
    """Another run under the agreement has not ended."""

    reason = "run.in_progress"


class UnknownPerson(RunError):
    """A run holds no such person."""

    reason = "run.unknown_person"


class NotComparable(RunError):
    """Two runs that are not to be compared."""

    reason = "run.not_comparable"


class NoEffects(RunError):
    """A run of which nobody worked out what errors of linkage do to its figures."""

    reason = NO_EFFECTS


class AnotherRun(RunError):
    """The id that a caller gave a run is another run's."""

    reason = "run.another"
