"""The base of every error that a user or another program may see.

Rules: a failed check raises; the reason code is stable and dotted; the message says what was
expected, what was got and where; it never holds a value from an extract.
"""

from typing import ClassVar


class ReasonedError(Exception):
    """A refusal or failure with a stable reason code and a next step.

    Attributes:
        reason: dotted code, for example ``agreement.expired``; stable across releases.
        next_step: what the reader can do now, or an empty string.
        retry_after: seconds after which another try is worth it (RFC 9110, 10.2.3); 0: not known.
    """

    reason: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    retry_after: ClassVar[int] = 0

    def __init__(self, message: str, *, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    @property
    def told(self) -> str:
        """The reason that a page tells: another program's own, where that one refused."""
        return self.reason

    def __str__(self) -> str:
        return f"{self.message} [{self.told}]"


class GovernanceError(ReasonedError):
    """Base of the errors of this package."""

    reason = "governance"


class FormatError(GovernanceError):
    """Bytes from outside do not have the form that was agreed."""

    reason = "format.invalid"
    exit_code = 65  # EX_DATAERR


class SignatureError(GovernanceError):
    """A signature is missing, wrong, or by a key that is not known."""

    reason = "signature.invalid"
    exit_code = 77  # EX_NOPERM


def plain(text: str) -> str:
    """What another program said, without what could steer a terminal or break a line of a log."""
    return "".join(char for char in text if char.isprintable())
