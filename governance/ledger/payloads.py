"""What each event's payload holds. Ids, hashes, counts and words from closed lists: no free text.

Formats are persisted: fields are never renamed or removed.
"""

from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, Field, StringConstraints

from governance.agreements.models import Agreement, IsoDate
from governance.canonical import Base64, Frozen, Hash, Hex128, Slug
from governance.consent.models import ConsentRecord
from governance.identity.envelope import Envelope, Signature, parse_model
from governance.ledger.events import Event, EventType
from governance.register.models import Ground, Step
from governance.release.models import CheckpointRef
from governance.rights.models import RightsKind

Reason = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]+(\.[a-z0-9_]+)*$", max_length=80)]
Count = Annotated[int, Field(ge=0)]


class Genesis(Frozen):
    """The log's name and its first parties; the first of them operates the ledger."""

    origin: Annotated[str, Field(pattern=r"^[a-z0-9.\-/]{3,100}$")]
    parties: Annotated[tuple[Envelope, ...], Field(min_length=1)]


class PartyAdmitted(Frozen):
    """A further party's self-signed keys."""

    keys: Envelope


class PersonEnrolled(Frozen):
    """A person's self-signed keys and the countersigned enrolment."""

    keys: Envelope
    enrolment: Envelope


class PersonRevoked(Frozen):
    """A person's keys that must not be relied on any more."""

    keys: Hash
    reason: Literal["left", "lost_key", "role_changed", "misuse"]


class AgreementProposed(Frozen):
    """A whole agreement."""

    agreement: Agreement


class AgreementSigned(Frozen):
    """A party's signature over an agreement's canonical bytes."""

    agreement: Hash
    signature: Signature


class AgreementStopped(Frozen):
    """An agreement suspended or resumed by a party."""

    agreement: Hash
    reason: Slug


class RegisterWanted(Frozen):
    """An item of a party is wanted; its author wants it."""

    party: Slug
    item: Slug


class RegisterMoved(Frozen):
    """A party takes an item of one of its systems to its next step.

    ``document`` is the hash of the notice, form or assessment that the step rests on.
    """

    party: Slug
    source: Slug
    item: Slug
    step: Step
    ground: Ground | None
    document: Hash | None


class RegisterOverridden(Frozen):
    """A party signs an agreement although the register does not show so many items as usable."""

    agreement: Hash
    party: Slug
    items: Annotated[int, Field(ge=1)]


class SubmissionOutcome(Frozen):
    """What the hub did with a submission."""

    submission: Hex128
    manifest: Hash
    agreement: Hash
    party: Slug
    source: Slug
    records: Count
    reason: Reason | None


class LinkRunFinished(Frozen):
    """Counts of a link run and a digest of every family's members."""

    run: Hex128
    agreement: Hash
    submissions: tuple[Hash, ...]
    persons: Count
    families: Count
    flagged: Count
    results_sha256: Hash


class RoundKind(StrEnum):
    """What a round of refinement asks about pairs of records."""

    CALIBRATE = "calibrate"
    DECIDE = "decide"


class RefinementOpened(Frozen):
    """The hub asks partners about pairs: the hash of the signed round, and how many of each."""

    round: Hash
    run: Hex128
    agreement: Hash
    kind: RoundKind
    questions: dict[Slug, Count]


class RefinementAnswered(Frozen):
    """What a partner did with the questions of a round; ``refused`` counts by reason.

    ``profiles`` of its submissions were told in a round that calibrates; left out where none was.
    """

    round: Hash
    run: Hex128
    agreement: Hash
    kind: RoundKind
    party: Slug
    asked: Count
    answered: Count
    refused: dict[Reason, Count]
    profiles: Count = Field(default=0, exclude_if=lambda value: not value)


class SentinelsOpened(Frozen):
    """A run's persons are fixed; partners may say which records of it do not exist.

    ``submissions`` are manifests' hashes; ``persons_sha256`` is over every record's person.
    """

    run: Hex128
    agreement: Hash
    submissions: tuple[Hash, ...]
    persons_sha256: Hash


class ReviewRuled(Frozen):
    """An analyst has ruled whether two records are one person; it binds runs of the agreement.

    ``pair_sha256`` is over a salt that the hub keeps and both handles, so that no partner learns
    from the ledger which of its records another holds as well.
    """

    agreement: Hash
    run: Hex128
    party: Slug
    person: Hash
    same: bool
    pair_sha256: Hash


class RetentionPurged(Frozen):
    """A partner or a hub has destroyed what it kept for as long as agreed; counts.

    ``runs`` and ``rulings`` are a hub's; ``releases`` are a hub's requests and sealed items that
    nobody fetched, or a partner's answers to requests; ``reports`` are a hub's, and so are
    ``tables``, populations of several runs whose true counts behind published tables are gone: both
    absent in words of before hubs kept any.
    """

    agreement: Hash
    party: Slug
    rows: Count
    synthetic_rows: Count
    files: Count
    runs: Count = 0
    rulings: Count = 0
    releases: Count = 0
    reports: Count = Field(default=0, exclude_if=lambda value: not value)
    tables: Count = Field(default=0, exclude_if=lambda value: not value)


class EpsilonSpent(Frozen):
    """A hub is about to train a private model, and what that costs, in whole units, rounded up.

    Never handed back: of trainings that came to nothing there is this word too.
    """

    agreement: Hash
    party: Slug
    outcome: Slug
    epsilon_millionths: Annotated[int, Field(ge=1)]
    delta_trillionths: Annotated[int, Field(ge=1)]


class ConsentChange(Frozen):
    """A grant reaffirmed, withdrawn, invalidated or terminated; ``refs`` names it in clear."""

    grant: Hex128


class ConsentErased(Frozen):
    """Records whose payloads are erased; ``refs`` names them, by who recorded them.

    ``place`` of them all (``governance.consent.models.place_of``); under which ``agreement``.
    """

    agreement: Hash
    place: Hash


class Requested(Frozen):
    """A request signed by a service manager."""

    request: Envelope


class Decided(Frozen):
    """An IG lead's approval or refusal."""

    approval: Envelope


class Sealed(Frozen):
    """A partner's receipt: it sealed so many records for this request.

    ``checkpoint``: the state of the ledger that it verified the order at; older receipts lack it.
    """

    request: Hash
    order: Hash
    party: Slug
    records: Count
    ciphertext_sha256: Hash
    checkpoint: CheckpointRef | None = None


class ReleaseRefused(Frozen):
    """A partner or the hub did not release."""

    request: Hash
    party: Slug
    reason: Reason


class Outcome(Frozen):
    """What came of an approach."""

    request: Hash
    outcome: Literal["helped", "declined", "wrong_family", "not_needed"]


class RightsOpened(Frozen):
    """Somebody asks for what the UK GDPR gives; who it is, only the partner knows."""

    agreement: Hash
    party: Slug
    kind: RightsKind
    received: IsoDate
    due: IsoDate


class RightsExtended(Frozen):
    """More time, which the person was told of (Article 12(3)); ``refs`` names the request."""

    due: IsoDate
    reason: Literal["complex", "many_requests"]


class SealedHandles(Frozen):
    """Which records a request is about, sealed to who holds them (``governance.rights.seal``)."""

    recipient: Hash
    ciphertext: Annotated[Base64, Field(max_length=64 * 1024)]


class RightsCarriedOut(Frozen):
    """What the partner did itself, in counts, and whom it told; ``refs`` names the request.

    ``replaced_by`` is the manifest of the submission that holds the corrected rows.
    """

    rows: Count
    consents: Count
    files: Count
    replaced_by: Hash | None
    sealed: Annotated[tuple[SealedHandles, ...], Field(max_length=8)]


class RightsConfirmed(Frozen):
    """What who was told has taken out; ``refs`` names the request.

    ``records`` of those named that it held, in so many ``files`` and results of ``runs``: nothing
    that depends on other partners' records, or the count would say who is held elsewhere.
    """

    records: Count
    files: Count
    runs: Count


class RightsClosed(Frozen):
    """The person was answered; ``refs`` names the request. ``reason`` is that of a refusal."""

    outcome: Literal["done", "not_proven", "refused", "withdrawn"]
    reason: Literal["unfounded", "excessive", "exempt", "compelling_grounds", "unidentified"] | None


class RightsLifted(Frozen):
    """Records that took no part may take part again; ``refs`` names the request."""

    reason: Literal["person_asked", "restriction_ended", "objection_not_upheld"]


class Refused(Frozen):
    """Any other refusal."""

    party: Slug
    action: Slug
    reason: Reason
    about: Hash | None


PAYLOADS: Final[dict[EventType, type[BaseModel]]] = {
    EventType.GENESIS: Genesis,
    EventType.PARTY_ADMITTED: PartyAdmitted,
    EventType.PERSON_ENROLLED: PersonEnrolled,
    EventType.PERSON_REVOKED: PersonRevoked,
    EventType.AGREEMENT_PROPOSED: AgreementProposed,
    EventType.AGREEMENT_SIGNED: AgreementSigned,
    EventType.AGREEMENT_SUSPENDED: AgreementStopped,
    EventType.AGREEMENT_RESUMED: AgreementStopped,
    EventType.REGISTER_WANTED: RegisterWanted,
    EventType.REGISTER_MOVED: RegisterMoved,
    EventType.REGISTER_OVERRIDDEN: RegisterOverridden,
    EventType.SUBMISSION_ACCEPTED: SubmissionOutcome,
    EventType.SUBMISSION_REFUSED: SubmissionOutcome,
    EventType.LINK_RUN_FINISHED: LinkRunFinished,
    EventType.REFINEMENT_OPENED: RefinementOpened,
    EventType.REFINEMENT_ANSWERED: RefinementAnswered,
    EventType.SENTINELS_OPENED: SentinelsOpened,
    EventType.REVIEW_RULED: ReviewRuled,
    EventType.RETENTION_PURGED: RetentionPurged,
    EventType.EPSILON_SPENT: EpsilonSpent,
    EventType.CONSENT_RECORDED: ConsentRecord,
    EventType.CONSENT_REAFFIRMED: ConsentChange,
    EventType.CONSENT_WITHDRAWN: ConsentChange,
    EventType.CONSENT_INVALIDATED: ConsentChange,
    EventType.CONSENT_TERMINATED: ConsentChange,
    EventType.CONSENT_ERASED: ConsentErased,
    EventType.RELEASE_REQUESTED: Requested,
    EventType.RELEASE_APPROVED: Decided,
    EventType.RELEASE_DECLINED: Decided,
    EventType.RELEASE_SEALED: Sealed,
    EventType.RELEASE_REFUSED: ReleaseRefused,
    EventType.RELEASE_OUTCOME: Outcome,
    EventType.RIGHTS_OPENED: RightsOpened,
    EventType.RIGHTS_EXTENDED: RightsExtended,
    EventType.RIGHTS_CARRIED_OUT: RightsCarriedOut,
    EventType.RIGHTS_CONFIRMED: RightsConfirmed,
    EventType.RIGHTS_CLOSED: RightsClosed,
    EventType.RIGHTS_LIFTED: RightsLifted,
    EventType.REFUSED: Refused,
}


def read_payload(event: Event) -> Any:
    """The typed payload of an event.

    Raises:
        FormatError: erased, or not of the form that the event's type has.
    """
    return parse_model(event.payload_data(), PAYLOADS[event.leaf.type])
