"""Why the hub does not take a submission."""

from linkage_hub.errors import HubError


class SubmissionError(HubError):
    """Base of the refusals of a submission."""

    reason = "submission"
    exit_code = 65  # EX_DATAERR


class HubNotNamed(SubmissionError):
    """The agreement names its processors, and this hub is none of them."""

    reason = "submission.hub_not_named"
    exit_code = 77  # EX_NOPERM


class UnknownSubmission(SubmissionError):
    """The caller has announced no such submission."""

    reason = "submission.unknown"


class WrongOffset(SubmissionError):
    """The bytes do not begin where the hub's copy ends."""

    reason = "submission.offset"


class TooManyBytes(SubmissionError):
    """More bytes than the manifest announced, or in one piece than allowed."""

    reason = "submission.too_large"


class ContentMismatch(SubmissionError):
    """The file is not the one that was signed."""

    reason = "submission.content_mismatch"


class NotArrow(SubmissionError):
    """The file is not Arrow with the agreed columns."""

    reason = "submission.not_arrow"


class SchemaMismatch(SubmissionError):
    """Another linkage schema or epoch than the agreement's."""

    reason = "submission.schema_mismatch"


class SecretMismatch(SubmissionError):
    """Another linkage secret than the partners' earlier submissions."""

    reason = "submission.secret_mismatch"


class CountMismatch(SubmissionError):
    """The file holds another number of records than the manifest says."""

    reason = "submission.count_mismatch"


class DuplicateHandles(SubmissionError):
    """A record handle occurs twice."""

    reason = "submission.duplicate_handles"


class ForeignHandles(SubmissionError):
    """A record handle that a submission of another source holds."""

    reason = "submission.foreign_handles"


class TooMuchContent(SubmissionError):
    """The file would expand to more than its records may take."""

    reason = "submission.too_much_content"


class DuplicateEncodings(SubmissionError):
    """Too many records have one encoding."""

    reason = "submission.duplicate_encodings"


class ImplausibleEncodings(SubmissionError):
    """Encodings with far too few or too many bits set."""

    reason = "submission.bit_density"


class ViewsNotAgreed(SubmissionError):
    """Another number of views than the agreement has."""

    reason = "submission.views"


class ValueNotAgreed(SubmissionError):
    """An indicator, relation, age band or month outside what was agreed."""

    reason = "submission.value_not_agreed"


class DuplicatesNotAgreed(SubmissionError):
    """Records said to be one person that the file does not hold, or more of them than may be."""

    reason = "submission.duplicates"


class SyntheticNotAgreed(SubmissionError):
    """Synthetic rows where the agreement has none, more than agreed, or none committed to."""

    reason = "submission.synthetic"


class QuotaExceeded(SubmissionError):
    """More submissions of a source in a day than agreed."""

    reason = "submission.quota"


class DiskFull(SubmissionError):
    """The hub cannot store the file now; what it has is kept."""

    reason = "submission.storage"
