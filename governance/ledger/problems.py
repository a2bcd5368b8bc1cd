"""Which HTTP status each refusal of the ledger has."""

from collections.abc import Mapping
from typing import Final

from governance.errors import FormatError, GovernanceError, ReasonedError, SignatureError
from governance.ledger.admission import NotAdmissible
from governance.ledger.errors import (
    DuplicateEventError,
    EventTooLargeError,
    ForeignCheckpointError,
    OutOfRangeError,
    RateLimitError,
    StoreError,
)
from governance.web.signed import RequestSignatureError

# the first class that an error is an instance of decides
STATUS: Final[Mapping[type[ReasonedError], int]] = {
    RequestSignatureError: 401,
    EventTooLargeError: 413,
    FormatError: 400,
    SignatureError: 403,
    DuplicateEventError: 409,
    ForeignCheckpointError: 409,
    NotAdmissible: 422,
    OutOfRangeError: 404,
    RateLimitError: 429,
    StoreError: 503,
    GovernanceError: 422,
}
