"""Which HTTP status each refusal of the hub has."""

from collections.abc import Mapping
from typing import Final

from governance.agreements.errors import AgreementRefusal, AgreementUnknown
from governance.consent.errors import ConsentRefusal
from governance.errors import FormatError, ReasonedError, SignatureError
from governance.ledger.errors import LedgerError
from governance.release.errors import ReleaseRefusal
from governance.storage.database import StoreError
from governance.web.signed import RequestSignatureError
from linkage_hub.analytics.criteria.agreed import NotAgreed
from linkage_hub.analytics.risk.errors import NothingShared
from linkage_hub.api.access import BodyTooLarge, NotAllowed, TooFast
from linkage_hub.quality.errors import NotTheKey, UnknownReveal
from linkage_hub.refinement.errors import (
    AnsweredOtherwise,
    GarbageAnswers,
    RefinementError,
    RoundOver,
    RoundStorage,
    UnknownRound,
)
from linkage_hub.releases.errors import (
    AnswerRefused,
    FamilyTooLarge,
    ReleaseError,
    RequestDecided,
    UnknownFamily,
    UnknownRequest,
)
from linkage_hub.reports.errors import NotAReport, NotYours, ReportError, UnknownReport
from linkage_hub.review.errors import UnknownRecord
from linkage_hub.runs.errors import RunError, UnknownPerson, UnknownRun
from linkage_hub.secrets import UnknownSecret
from linkage_hub.store.database import HubStoreError
from linkage_hub.submissions.errors import (
    DiskFull,
    QuotaExceeded,
    SubmissionError,
    TooManyBytes,
    UnknownSubmission,
    WrongOffset,
)

# the first class that an error is an instance of decides
STATUS: Final[Mapping[type[ReasonedError], int]] = {
    RequestSignatureError: 401,
    BodyTooLarge: 413,
    TooFast: 429,
    TooManyBytes: 413,
    FormatError: 400,
    SignatureError: 403,
    NotAllowed: 403,
    AgreementUnknown: 404,
    UnknownSubmission: 404,
    UnknownSecret: 404,
    UnknownFamily: 404,
    UnknownRequest: 404,
    UnknownRun: 404,
    UnknownPerson: 404,
    UnknownRecord: 404,
    UnknownRound: 404,
    UnknownReveal: 404,
    UnknownReport: 404,
    NotYours: 403,
    NotAReport: 422,
    ReportError: 409,
    NotAgreed: 409,
    NothingShared: 404,
    NotTheKey: 422,
    RoundOver: 409,
    AnsweredOtherwise: 409,
    GarbageAnswers: 422,
    RoundStorage: 507,
    RefinementError: 409,
    WrongOffset: 409,
    RequestDecided: 409,
    FamilyTooLarge: 409,
    AnswerRefused: 409,
    QuotaExceeded: 429,
    DiskFull: 507,
    AgreementRefusal: 403,
    ConsentRefusal: 403,
    ReleaseRefusal: 403,
    ReleaseError: 403,
    SubmissionError: 422,
    RunError: 409,
    LedgerError: 503,
    StoreError: 503,
    HubStoreError: 503,
}
