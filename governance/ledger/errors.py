"""Errors of the ledger: each has a stable reason code and, where one exists, a next step."""

from governance.errors import FormatError, GovernanceError, SignatureError


class LedgerError(GovernanceError):
    """Base of the errors of the ledger, its client and its mirrors."""

    reason = "ledger"


class ProofError(LedgerError):
    """A Merkle proof does not prove what it should."""

    reason = "ledger.proof"
    exit_code = 65  # EX_DATAERR


class ProofShapeError(ProofError):
    """A proof has the wrong length, a hash of the wrong size, or impossible positions."""

    reason = "ledger.proof.shape"


class RootMismatchError(ProofError):
    """A proof is well formed and leads to another root."""

    reason = "ledger.proof.root"


class NoteFormatError(FormatError):
    """Text is not a C2SP signed note, checkpoint or verifier key."""

    reason = "ledger.note.format"


class NoteSignatureError(SignatureError):
    """A note carries no valid signature of the key that it must carry."""

    reason = "ledger.note.signature"


class QuorumError(LedgerError):
    """Too few known witnesses cosigned a checkpoint."""

    reason = "ledger.quorum"
    exit_code = 77  # EX_NOPERM


class StaleCheckpointError(QuorumError):
    """Enough witnesses cosigned, too long ago."""

    reason = "ledger.checkpoint.stale"


class WithdrawalMissingError(LedgerError):
    """The log does not hold a withdrawal that was accepted longer ago than the merge delay."""

    reason = "ledger.withdrawal_missing"
    exit_code = 77


class StoreError(LedgerError):
    """The ledger's database cannot do what was asked."""

    reason = "ledger.store"
    exit_code = 74  # EX_IOERR


class OutOfRangeError(LedgerError):
    """An index or a size is past the end of the log."""

    reason = "ledger.range"
    exit_code = 65


class DuplicateEventError(LedgerError):
    """An event id is already in the log with other bytes."""

    reason = "ledger.event.duplicate"
    exit_code = 65


class EventFormatError(FormatError):
    """An event does not have the form of a leaf with its salt and payload."""

    reason = "ledger.event.format"


class EventTooLargeError(EventFormatError):
    """An event is larger than the ledger takes."""

    reason = "ledger.event.size"


class UnknownAuthorError(SignatureError):
    """An event's author has no key that is in force in the ledger."""

    reason = "ledger.author.unknown"


class ClockSkewError(LedgerError):
    """An event's time is too far from the ledger's clock."""

    reason = "ledger.event.time"
    exit_code = 65


class RateLimitError(LedgerError):
    """An author sends more events than the ledger takes."""

    reason = "ledger.rate"
    exit_code = 75  # EX_TEMPFAIL


class UnknownWitnessError(SignatureError):
    """A cosignature is by a key that is no party's witness key."""

    reason = "ledger.witness.unknown"


class WitnessRefusedError(LedgerError):
    """A witness from outside does not cosign what the ledger shows."""

    reason = "ledger.witness_refused"
    exit_code = 76  # EX_PROTOCOL


class ForeignCheckpointError(LedgerError):
    """A cosigned checkpoint is not one that this log issued."""

    reason = "ledger.checkpoint.foreign"
    exit_code = 65


class LedgerUnavailableError(LedgerError):
    """The ledger cannot be reached or does not answer in time."""

    reason = "ledger.unavailable"
    exit_code = 69  # EX_UNAVAILABLE


class LedgerRefusedError(LedgerError):
    """The ledger refused a request; ``code`` is the reason that it gave."""

    reason = "ledger.refused"
    exit_code = 65

    def __init__(self, message: str, *, code: str, status: int, next_step: str = "") -> None:
        super().__init__(message, next_step=next_step)
        self.code = code
        self.status = status


class NotShownError(LedgerError):
    """The ledger says that it holds an event of this party's, and shows none or another's."""

    reason = "ledger.not_shown"
    exit_code = 76  # EX_PROTOCOL


class AnswerError(LedgerError):
    """The ledger's answer is too large or has another form than agreed."""

    reason = "ledger.answer"
    exit_code = 76  # EX_PROTOCOL


class MirrorError(LedgerError):
    """What the ledger shows differs from what this mirror has seen or computes."""

    reason = "mirror"
    exit_code = 76


class RollbackError(MirrorError):
    """The ledger shows a smaller tree than this mirror holds."""

    reason = "mirror.rollback"


class ForkError(MirrorError):
    """The ledger signed two trees of one size; the two notes prove it to anyone."""

    reason = "mirror.fork"


class InconsistentError(MirrorError):
    """The ledger does not prove that its tree continues the one that this mirror holds."""

    reason = "mirror.inconsistent"


class AlteredEntryError(MirrorError):
    """Entries do not lead to the signed root, or a payload does not match its leaf."""

    reason = "mirror.altered"


class WithheldPayloadError(MirrorError):
    """The ledger shows a leaf without its payload: what it did cannot be known."""

    reason = "mirror.withheld"


class MirrorEmptyError(MirrorError):
    """The mirror holds no checkpoint yet."""

    reason = "mirror.empty"
