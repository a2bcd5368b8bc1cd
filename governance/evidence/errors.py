"""Why evidence does not hold."""

from governance.errors import GovernanceError


class EvidenceError(GovernanceError):
    """Base of the errors of evidence."""

    reason = "evidence"
    exit_code = 65  # EX_DATAERR


class KeysMissing(EvidenceError):
    """Public keys that a verification needs were not given, or are not what they should be."""

    reason = "evidence.keys"


class PackDamaged(EvidenceError):
    """A file of a pack is missing, too many, or not in its form."""

    reason = "evidence.pack"


class PackAltered(EvidenceError):
    """A pack says something else than its entries prove."""

    reason = "evidence.altered"


class PackIncomplete(EvidenceError):
    """A pack leaves out an entry of the ledger that belongs to it."""

    reason = "evidence.incomplete"


class NotInLedger(EvidenceError):
    """The ledger does not hold what was asked for."""

    reason = "evidence.not_in_ledger"


class NotCounted(EvidenceError):
    """An entry that the evidence needs is one that may not count."""

    reason = "evidence.not_counted"
