"""What a pack of evidence about one approach says.

Every statement names the ledger's entry that it rests on; a verifier derives the whole anew from
the entries alone. Items by name, counts, and pseudonyms; no value, and no name of a member of
staff.

Persisted format ``evidence/v1``: fields are never renamed or removed.
"""

from typing import Annotated, Literal

from pydantic import Field

from governance.canonical import Base64, Frozen, Hash, Hex128, Slug, Time

Index = Annotated[int, Field(ge=0)]
EVIDENCE = "evidence/v1"


class Staff(Frozen):
    """A member of staff, by the random id and the role that the ledger has."""

    person: Hex128
    role: Slug
    party: Slug
    keys: Hash
    signed_with: Literal["passkey", "key_file"]


class Signed(Frozen):
    """A party's signature of an agreement."""

    party: Slug
    time: Time
    entry: Index


class Legal(Frozen):
    """What one party rests its part on, as it states it in the agreement."""

    party: Slug
    name: str
    role: str
    legal_gateway: str
    article_6_basis: str
    article_9_condition: str
    article_10_condition: str
    common_law_route: str


class UnderAgreement(Frozen):
    """The agreement of an approach, and how it stood when it was asked."""

    hash: Hash
    id: Slug
    version: int
    title: str
    entry: Index
    signed: tuple[Signed, ...]
    state_when_asked: str
    valid_from: str
    review_by: str
    expires: str
    dpia_reference: str
    dpia_outcome: str
    dpia_approved_on: str
    legal: tuple[Legal, ...]


class Asked(Frozen):
    """The request."""

    hash: Hash
    entry: Index
    logged: Time
    by: Staff
    purpose: Slug
    purpose_in_words: str
    family: str
    items: tuple[str, ...]
    left_out: int
    created: Time
    expires: Time


class Decision(Frozen):
    """The decision, and the state of the ledger that it was taken at."""

    entry: Index
    logged: Time
    decision: Literal["approve", "decline"]
    why: Slug
    by: Staff
    checkpoint_size: int
    checkpoint_root: Base64


class Permission(Frozen):
    """One consent record at one moment."""

    entry: Index
    kind: Slug
    state: str
    recorded: Time
    captured: Time
    expires: Time
    capacity: str
    parental_basis: str | None
    method: str
    notice: Hash
    changed_by: tuple[Index, ...]


class Erasure(Frozen):
    """A consent record that was erased, at a moment or since: its entry, who says so, and when."""

    record: Index
    entry: Index
    time: Time


class Held(Frozen):
    """What a party held about one member in one source, at a moment."""

    party: Slug
    source: Slug
    permissions: tuple[Permission, ...]
    erased: tuple[Erasure, ...] = Field(default=(), exclude_if=lambda value: not value)


class MemberThen(Frozen):
    """A member of the family at a moment; numbered as in the request's list."""

    number: int
    person: str
    adult: bool
    left_out: bool
    records: int
    held: tuple[Held, ...]


class Check(Frozen):
    """One rule of release, looked at again.

    ``reason`` is empty where it held, and where ``erased`` says why that cannot be told any more.
    """

    rule: str
    reason: str
    erased: Erasure | None = Field(default=None, exclude_if=lambda value: value is None)


class Moment(Frozen):
    """Rules and permissions by replay of the first ``size`` entries, as of a time."""

    what: Literal["approval", "answer"]
    party: Slug
    size: int
    time: Time
    checks: tuple[Check, ...]
    members: tuple[MemberThen, ...]


class Answer(Frozen):
    """What a party did about the request."""

    party: Slug
    entry: Index
    time: Time
    answer: Literal["sealed", "refused"]
    reason: str
    records: int
    checkpoint_size: int | None
    order: Hash | None
    ciphertext: Hash | None


class Came(Frozen):
    """What came of the approach."""

    outcome: str
    entry: Index
    time: Time


class Purged(Frozen):
    """What was destroyed, as the party that did says."""

    party: Slug
    entry: Index
    time: Time
    counts: dict[str, int]


class Approach(Frozen):
    """Everything about one approach."""

    asked: Asked
    agreement: UnderAgreement
    decision: Decision | None
    members: Hash
    members_given: bool
    answers: tuple[Answer, ...]
    moments: tuple[Moment, ...]
    outcomes: tuple[Came, ...]
    released_items_days: int
    purged: tuple[Purged, ...]


class Evidence(Frozen):
    """``evidence.json`` of a pack."""

    format: Literal["evidence/v1"] = "evidence/v1"
    log: str
    size: int
    root: Base64
    witnessed: dict[Slug, Time]
    entries: tuple[Index, ...]
    approach: Approach
