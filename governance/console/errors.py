"""Refusals of the console."""

from governance.errors import ReasonedError


class ConsoleError(ReasonedError):
    """Base of the errors of this package."""

    reason = "console"


class ConsoleNotSetUp(ConsoleError):
    """The folder is not a console's home."""

    reason = "console.not_set_up"
    exit_code = 78  # EX_CONFIG


class ConsoleStoreError(ConsoleError):
    """The console's database cannot be opened, read or written."""

    reason = "console.store"
    exit_code = 74  # EX_IOERR


class AuditBroken(ConsoleError):
    """Entries of the audit log were changed, or are gone."""

    reason = "console.audit_broken"
    exit_code = 65  # EX_DATAERR


class NotSignedIn(ConsoleError):
    """Nobody is signed in, or no longer."""

    reason = "console.not_signed_in"


class SignInAgain(NotSignedIn):
    """Whoever is signed in has been for too long, for what they ask."""

    reason = "console.sign_in_again"


class RoleRefused(ConsoleError):
    """The role of whoever is signed in may not do this."""

    reason = "console.role"
    exit_code = 77  # EX_NOPERM


class FormNotOurs(ConsoleError):
    """A form does not carry the token of this session."""

    reason = "console.form"


class InvitationRefused(ConsoleError):
    """A link that is unknown, used, revoked or too old; which of these is not told."""

    reason = "console.invitation"


class SignInRefused(ConsoleError):
    """A passkey that does not sign in here."""

    reason = "console.sign_in"


class UnknownAccount(ConsoleError):
    """There is no such account or invitation."""

    reason = "console.unknown_account"


class AccountRefused(ConsoleError):
    """An account cannot be changed like this."""

    reason = "console.account"


class ClocksApart(ConsoleError):
    """The ledger does not take what this console signs now, since one of two clocks is wrong."""

    reason = "console.clock"


class NotEnrolled(ConsoleError):
    """The keys of whoever is signed in are not in the ledger."""

    reason = "console.not_enrolled"


class NoEnrolments(ConsoleError):
    """The folder between console and agent is missing, or cannot be written to."""

    reason = "console.enrolments"
    exit_code = 78  # EX_CONFIG


class VouchingRefused(ConsoleError):
    """Nobody of this console's party can vouch for these keys."""

    reason = "console.vouching"


class TooManyAttempts(ConsoleError):
    """More attempts than a person makes."""

    reason = "console.too_many_attempts"


class NoHub(ConsoleError):
    """The settings name no hub."""

    reason = "console.no_hub"
    exit_code = 78  # EX_CONFIG


class PairNotListed(ConsoleError):
    """A pair of records that is not among those to rule on."""

    reason = "review.not_listed"


class NoRecord(ConsoleError):
    """A transparency record that is not there, or is of no agreement that all parties signed."""

    reason = "register.no_record"


class ModelNotShared(ConsoleError):
    """A model of risk that is not shared with whoever asks."""

    reason = "risk.not_shared"


class OpenIdUnavailable(ConsoleError):
    """The organisation's OpenID provider is away, or answers with something else."""

    reason = "console.openid"
    retry_after = 10  # seconds: a failure is remembered as long
