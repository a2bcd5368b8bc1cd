"""Why a release is refused."""

from governance.errors import GovernanceError


class ReleaseRefusal(GovernanceError):
    """Base of every refusal of a release that is neither the agreement's nor consent's."""

    reason = "release"
    exit_code = 77  # EX_NOPERM


class RequestNotLogged(ReleaseRefusal):
    """The request, or its approval, is not in the witnessed ledger."""

    reason = "release.not_logged"


class AnswersLeftOut(ReleaseRefusal):
    """An answer to a request cannot be read, or is not what was asked for."""

    reason = "release.answer_left_out"
    exit_code = 65  # EX_DATAERR


class RequestExpired(ReleaseRefusal):
    """The request's time is over, or was longer than allowed."""

    reason = "release.request_expired"


class TooManyChoices(ReleaseRefusal):
    """Requests about a family leave people out in more ways than a day takes."""

    reason = "release.choices"


class NotAServiceManager(ReleaseRefusal):
    """The requester does not hold that role."""

    reason = "release.requester_role"


class NotApproved(ReleaseRefusal):
    """No IG lead approved, or one declined."""

    reason = "release.not_approved"


class SignatureKindNotAccepted(ReleaseRefusal):
    """A request or approval is signed with what the agreement does not accept."""

    reason = "release.signature_kind"


class SamePerson(ReleaseRefusal):
    """Requester and approver are one person."""

    reason = "release.same_person"


class MembersChanged(ReleaseRefusal):
    """The members are not those that were requested and approved."""

    reason = "release.members_changed"


class AlreadyReleased(ReleaseRefusal):
    """This request was answered before; a request is used once."""

    reason = "release.already_released"


class RecipientMismatch(ReleaseRefusal):
    """The items would be sealed to another key than the requester's own."""

    reason = "release.recipient_mismatch"


class CheckpointMismatch(ReleaseRefusal):
    """The approval's checkpoint is not on this party's mirror."""

    reason = "release.checkpoint_mismatch"


class NothingToRelease(ReleaseRefusal):
    """This party captured no consent for any record of the family."""

    reason = "release.nothing_captured"
