"""JSON bodies about families, requests and releases; the rest of the hub's are in ``hub_api``.

Nothing here is a value of a record: handles and ids are pseudonyms, and what partners release is
sealed to whoever asked.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from governance.canonical import Frozen, Hash, Slug, Time
from governance.exchange.hub_api import Count, Share
from governance.exchange.risk_api import FamilyRank, FamilyRisk
from governance.identity.envelope import Envelope
from governance.ledger.payloads import Reason
from governance.release.models import FamilyId, Members, Order


class NeedView(Frozen):
    """A need of a family; ``unknown`` is never counted as ``unmet``."""

    id: Slug
    state: Literal["met", "unmet", "unknown"]
    sources: Count  # source systems that hold evidence


Month = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
AgeBand = Annotated[str, StringConstraints(pattern=r"^[0-9a-z_]{1,10}$")]
FAMILIES_MOST: Final = 1_000


class FamilyQuery(Frozen):
    """Which families ``GET /v1/families`` lists; every condition holds, null asks for nothing.

    Attributes:
        flagged: only those put forward: several needs, in the area, not in the programme.
        need: this need is met.
        people: at least so many members.
        children: at least so many of them children.
        age_band: a member is of this age.
        confidence: at least so sure that the members belong together.
        in_programme: whether a member is in the programme already.
        approachable: whether everybody whose permission is needed has given it.
        order: by how many needs are met, or by the model that is shared; where none is, by needs.

    No area: needs stand beside these pseudonyms (docs/adr/0048-the-managers-list.md).
    """

    flagged: bool = True
    need: Slug | None = None
    people: Annotated[int, Field(ge=0, le=1_000)] = 0
    children: Annotated[int, Field(ge=0, le=1_000)] = 0
    age_band: AgeBand | None = None
    confidence: Share = 0.0
    in_programme: bool | None = None
    approachable: bool | None = None
    order: Literal["needs", "model"] = "needs"
    offset: Annotated[int, Field(ge=0, lt=2**31)] = 0
    limit: Annotated[int, Field(ge=1, le=FAMILIES_MOST)] = 100


class FamilySummary(Frozen):
    """One line of the list for professional consideration."""

    family: FamilyId
    members: Count
    adults: Count
    children: Count
    needs_met: Count
    needs_unknown: Count
    flagged: bool
    in_programme: bool
    confidence: Share
    may_be_approached: bool
    reason: Reason | None  # why not; never whose choice
    met: tuple[Slug, ...] = ()  # needs that are met
    age_bands: tuple[AgeBand, ...] = ()  # of its members, as far as known; each once
    residence: Literal["here", "untold", "left"] | None = None  # null in runs of before 2026-11-29
    told: Month | None = None  # last month for which a source tells of an address
    rank: FamilyRank | None = None  # in a list by the model that is shared


class FamilyList(Frozen):
    """``GET /v1/families``, by a :class:`FamilyQuery`.

    Attributes:
        order: by which the list is; ``needs`` where no model is shared.
        models: hashes of those that are shared, by which the list can be.
        too_little_known: of all that were asked for, those that a list by a model has last, by
            needs, since too little is known of them for the model.
    """

    families: tuple[FamilySummary, ...]
    total: Count
    order: Literal["needs", "model"] = "needs"
    models: tuple[Hash, ...] = ()
    too_little_known: Count = 0


class MemberView(Frozen):
    """A member as an analyst or manager sees one: role and age band, no value."""

    person: str
    role: Literal["parent", "child", "grandparent", "partner", "other_adult"]
    age_band: str | None
    sources: Count
    confidence: Share = 0.0  # that the person belongs to the family
    reasons: tuple[str, ...] = ()  # codes of the evidence for it


class SourceView(Frozen):
    """A source system that holds records of a family's members, and how fresh they are."""

    party: Slug
    source: Slug
    records: Count
    received: Time  # when the hub was given them
    indicators: tuple[Slug, ...]  # needs that it may speak of, by the agreement


class EarlierRequest(Frozen):
    """An earlier request about a family, whoever asked."""

    created: Time
    state: Literal["waiting_for_approval", "approved", "declined", "answered", "refused", "expired"]
    outcome: str | None
    own: bool  # the caller's


class FamilyView(Frozen):
    """``GET /v1/families/{id}``; ``document`` is what a request's digest names."""

    summary: FamilySummary
    members: tuple[MemberView, ...]
    needs: tuple[NeedView, ...]
    reasons: tuple[str, ...]
    document: Members
    digest: Hash
    sources: tuple[SourceView, ...] = ()
    earlier: tuple[EarlierRequest, ...] = ()  # newest first
    risk: FamilyRisk | None = None  # by the model that is shared


class RequestPost(Frozen):
    """``POST /v1/requests``: a request (``release-request/v1``) signed by a service manager."""

    request: Envelope


class ApprovalPost(Frozen):
    """``POST /v1/requests/{hash}/approval``: a decision signed by an IG lead."""

    approval: Envelope


class PartyAnswer(Frozen):
    """How one partner answered."""

    party: Slug
    state: Literal["waiting", "sealed", "refused"]
    reason: Reason | None


class RequestView(Frozen):
    """A request and what became of it; ``id`` is the hash of the request's exact bytes."""

    id: Hash
    family: FamilyId
    state: Literal["waiting_for_approval", "approved", "declined", "answered", "refused", "expired"]
    request: Envelope
    approval: Envelope | None
    document: Members
    answers: tuple[PartyAnswer, ...]
    reason: Reason | None
    created: Time
    expires: Time
    outcome: str | None


class RequestList(Frozen):
    """``GET /v1/requests``: a manager's own, or, for an IG lead, all under the party's agreements.

    Newest first.
    """

    requests: tuple[RequestView, ...]


class OrderItem(Frozen):
    """An order that the calling party has to answer."""

    request: Hash
    order: Order


class OrderList(Frozen):
    """``GET /v1/orders``."""

    orders: tuple[OrderItem, ...]


class AnswerPost(Frozen):
    """``POST /v1/orders/{request hash}/answer``: sealed items, or a refusal; exactly one."""

    sealed: Envelope | None = None
    refusal: Reason | None = None


class ReleaseView(Frozen):
    """``GET /v1/requests/{hash}/release``: every partner's signed, sealed items."""

    request: Hash
    sealed: tuple[Envelope, ...]
    answers: tuple[PartyAnswer, ...]


class OutcomePost(Frozen):
    """``POST /v1/requests/{hash}/outcome``: what came of an approach."""

    outcome: Literal["helped", "declined", "wrong_family", "not_needed"]
