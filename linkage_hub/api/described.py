"""What each route of the hub takes, gives and refuses: its OpenAPI document.

``python -m scripts.openapi`` writes it to docs/openapi/hub.json; a test says when it is stale.
"""

from typing import Any, Final

from fastapi import FastAPI

from governance.agreements.errors import AgreementRefusal
from governance.consent.errors import ConsentRefusal
from governance.errors import ReasonedError, SignatureError
from governance.exchange.hub_api import RulingPost, RunPost, SecretPost, SubmissionPost
from governance.exchange.refinement import ProfilesPost, RoundRefusal
from governance.exchange.release_api import AnswerPost, ApprovalPost, OutcomePost, RequestPost
from governance.exchange.report_api import ReportPost, SharePost
from governance.identity.envelope import Envelope
from governance.identity.passkeys import CounterNotRisen
from governance.ledger.errors import LedgerError
from governance.release.errors import ReleaseRefusal
from governance.storage.database import StoreError
from governance.web.openapi import BYTES, JSON, Described, document
from governance.web.signed import RequestSignatureError, RequestTimeError
from linkage_hub.analytics.criteria.agreed import NotAgreed
from linkage_hub.analytics.risk.errors import NothingShared
from linkage_hub.api.access import BodyTooLarge, NotAllowed, TooFast
from linkage_hub.api.problems import STATUS
from linkage_hub.quality.errors import RevealError
from linkage_hub.refinement.errors import RefinementError
from linkage_hub.releases.errors import FamilyTooLarge, ReleaseError, UnknownFamily
from linkage_hub.reports.errors import (
    NoCatalogue,
    NotAReport,
    NotTheseRuns,
    NotYours,
    UnknownReport,
)
from linkage_hub.review.errors import UnknownRecord
from linkage_hub.runs.errors import RunError, UnknownPerson, UnknownRun
from linkage_hub.secrets import UnknownSecret
from linkage_hub.store.database import HubStoreError
from linkage_hub.submissions.errors import SubmissionError

SIGNED: Final = (
    "Every request but /healthz is signed (RFC 9421) by the keys of a party or a person of the "
    "ledger: docs/architecture.md. Refusals are problem details (RFC 9457) with a stable reason."
)
VERSION: Final = "1"


def _signed(
    *refusals: type[ReasonedError],
    body: Any = None,
    answer: Any = None,
    media: tuple[str, ...] = (),
) -> Described:
    everywhere = (
        RequestSignatureError, RequestTimeError, TooFast, NotAllowed, BodyTooLarge, SignatureError,
        LedgerError, StoreError, HubStoreError,
    )  # fmt: skip
    return Described((*everywhere, *refusals), body, answer, media)


_RELEASE: Final = (
    CounterNotRisen, AgreementRefusal, ConsentRefusal, ReleaseRefusal, ReleaseError,
)  # fmt: skip
ROUTES: Final[dict[str, Described]] = {
    "GET /healthz": Described((StoreError, HubStoreError, LedgerError)),
    "POST /v1/secrets": _signed(AgreementRefusal, body=SecretPost),
    "GET /v1/secrets/{agreement}/{epoch}": _signed(UnknownSecret, answer=Envelope),
    "POST /v1/submissions": _signed(AgreementRefusal, SubmissionError, body=SubmissionPost),
    "GET /v1/submissions": _signed(),
    "GET /v1/submissions/{id_}": _signed(SubmissionError),
    "PATCH /v1/submissions/{id_}": _signed(SubmissionError, body=BYTES),
    "GET /v1/orders": _signed(),
    "POST /v1/orders/{request_hash}/answer": _signed(*_RELEASE, body=AnswerPost),
    "GET /v1/rounds": _signed(),
    "GET /v1/rounds/{round_hash}/questions/{batch}": _signed(RefinementError, media=(BYTES,)),
    "POST /v1/rounds/{round_hash}/answers/{batch}": _signed(RefinementError, body=BYTES),
    "POST /v1/rounds/{round_hash}/profiles": _signed(RefinementError, body=ProfilesPost),
    "POST /v1/rounds/{round_hash}/refusal": _signed(RefinementError, body=RoundRefusal),
    "GET /v1/reveals": _signed(),
    "POST /v1/runs/{run}/reveals/{submission}": _signed(RevealError, body=BYTES),
    "POST /v1/runs": _signed(AgreementRefusal, RunError, body=RunPost),
    "GET /v1/runs": _signed(),
    "GET /v1/runs/{run}": _signed(UnknownRun),
    "GET /v1/runs/{run}/exports/{name}": _signed(
        UnknownRun, AgreementRefusal, media=("text/csv", JSON)
    ),
    "GET /v1/runs/{run}/quality": _signed(UnknownRun),
    "GET /v1/runs/{run}/effects": _signed(RunError, AgreementRefusal),
    "GET /v1/runs/{run}/thresholds": _signed(UnknownRun, AgreementRefusal),
    "GET /v1/runs/{run}/comparison/{other}": _signed(RunError, AgreementRefusal),
    "GET /v1/runs/{run}/persons": _signed(UnknownRun, AgreementRefusal),
    "GET /v1/runs/{run}/persons/{person}": _signed(UnknownRun, UnknownPerson, AgreementRefusal),
    "GET /v1/runs/{run}/unlinked": _signed(UnknownRun, AgreementRefusal),
    "GET /v1/agreements/{agreement}/sources": _signed(AgreementRefusal),
    "GET /v1/agreements/{agreement}/reports": _signed(AgreementRefusal),
    "GET /v1/agreements/{agreement}/reports/choices": _signed(AgreementRefusal),
    "POST /v1/agreements/{agreement}/reports": _signed(
        AgreementRefusal, NotTheseRuns, NoCatalogue, NotAgreed, body=ReportPost
    ),
    "POST /v1/agreements/{agreement}/reports/shared": _signed(
        AgreementRefusal, NotAReport, NotTheseRuns, body=SharePost
    ),
    "GET /v1/reports/{report}": _signed(AgreementRefusal, UnknownReport),
    "DELETE /v1/reports/{report}": _signed(AgreementRefusal, UnknownReport, NotYours),
    "GET /v1/review/{agreement}": _signed(AgreementRefusal),
    "GET /v1/review/{agreement}/rulings": _signed(AgreementRefusal),
    "POST /v1/review/{agreement}/rulings": _signed(
        AgreementRefusal, UnknownRecord, body=RulingPost
    ),
    "GET /v1/risk": _signed(),
    "GET /v1/risk/{model}/families": _signed(NothingShared, UnknownRun, AgreementRefusal),
    "GET /v1/areas": _signed(),
    "GET /v1/families": _signed(),
    "GET /v1/families/{family}": _signed(UnknownFamily, FamilyTooLarge, AgreementRefusal),
    "POST /v1/requests": _signed(*_RELEASE, body=RequestPost),
    "GET /v1/requests": _signed(),
    "GET /v1/requests/{request_hash}": _signed(ReleaseError),
    "POST /v1/requests/{request_hash}/approval": _signed(*_RELEASE, body=ApprovalPost),
    "GET /v1/requests/{request_hash}/release": _signed(*_RELEASE),
    "POST /v1/requests/{request_hash}/outcome": _signed(*_RELEASE, body=OutcomePost),
}
"""Every route; a test holds it to the matrix of who may call what."""


def openapi(app: FastAPI) -> dict[str, Any]:
    """The hub's OpenAPI document."""
    return document(app, ROUTES, STATUS, version=VERSION, signed=SIGNED)
