"""Which HTTP status each refusal has as a page of the console."""

from collections.abc import Mapping
from typing import Final

from governance.agreements.errors import AgreementRefusal, AgreementUnknown
from governance.consent.errors import ConsentRefusal
from governance.console.errors import (
    AccountRefused,
    ClocksApart,
    ConsoleError,
    ConsoleStoreError,
    FormNotOurs,
    InvitationRefused,
    ModelNotShared,
    NoEnrolments,
    NoHub,
    NoRecord,
    NotEnrolled,
    OpenIdUnavailable,
    PairNotListed,
    RoleRefused,
    SignInRefused,
    TooManyAttempts,
    UnknownAccount,
    VouchingRefused,
)
from governance.errors import FormatError, ReasonedError, SignatureError
from governance.exchange.hub_client import HubAnswerError, HubRefused, HubUnavailable
from governance.ledger.admission import NotAdmissible
from governance.ledger.errors import LedgerError
from governance.release.errors import ReleaseRefusal
from governance.storage.database import StoreError

# the first class that an error is an instance of decides
STATUS: Final[Mapping[type[ReasonedError], int]] = {
    RoleRefused: 403,
    FormNotOurs: 403,
    InvitationRefused: 403,
    SignInRefused: 403,
    UnknownAccount: 404,
    PairNotListed: 404,
    NoRecord: 404,
    ModelNotShared: 404,
    AccountRefused: 409,
    NotEnrolled: 409,
    VouchingRefused: 409,
    NotAdmissible: 409,
    TooManyAttempts: 429,
    ClocksApart: 503,
    NoHub: 503,
    NoEnrolments: 503,
    OpenIdUnavailable: 503,
    ConsoleStoreError: 503,
    ConsoleError: 400,
    FormatError: 400,
    SignatureError: 403,
    AgreementUnknown: 404,
    AgreementRefusal: 403,
    ConsentRefusal: 403,
    ReleaseRefusal: 403,
    HubRefused: 409,
    HubAnswerError: 503,
    HubUnavailable: 503,
    LedgerError: 503,
    StoreError: 503,
}
