"""The data-sharing agreement.

Rules: every party states its own legal gateway and conditions, since none covers another; items
and indicators are closed lists; each date, limit and retention is explicit; what is not listed is
not permitted. The document is reduced to RFC 8785 bytes and signed by every party over those.

Signed format ``agreement/v1``: fields are never reordered, renamed or removed.
"""

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from governance.agreements.encoding import Encoding
from governance.agreements.indicators import IndicatorRule
from governance.agreements.privacy import PrivacyBudget
from governance.agreements.quality import Quality
from governance.canonical import Frozen, Hash, Slug, hash_of

AGREEMENT = "agreement/v1"

Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
SOURCES_MOST = 200
"""Sources of an agreement: a round of refinement says something about each two of them."""
Days = Annotated[int, Field(ge=1, le=3_650)]


def _is_date(text: str) -> str:
    date.fromisoformat(text)
    return text


IsoDate = Annotated[
    str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_is_date)
]


class Action(StrEnum):
    """What an agreement may allow; a list in the agreement names those that it does."""

    ENCODE = "encode"
    SUBMIT = "submit"
    LINK = "link"
    REFINE = "refine"
    ANALYSE = "analyse"
    RELEASE = "release"


class Gateway(Frozen):
    """One party's legal basis, as that party states it."""

    legal_gateway: Text
    article_6_basis: Text
    article_9_condition: Text
    article_10_condition: Text
    common_law_route: Text


class AgreementParty(Frozen):
    """A signatory."""

    party: Slug
    name: Text
    role: Literal["controller", "joint_controller", "processor"]
    dpo_contact: Text
    keys: Hash
    gateway: Gateway


class Purpose(Frozen):
    """Why data are used; ``approach`` marks the one that a release may serve."""

    id: Slug
    description: Text
    approach: bool


class DataItem(Frozen):
    """A column that may be hashed, or released when ``releasable``."""

    id: Slug
    description: Text
    releasable: bool


IN_PROGRAMME: Final = "in_programme"
"""Reserved indicator: the family is in the programme already; not a need."""
CATEGORIES_MOST: Final = 98
"""Areas, teams or lengths of an agreement; with "several" and "unknown" a table has 100 rows."""
UsedAs = Literal["area", "team", "engagement", "referral"]
CATEGORISED: Final[tuple[UsedAs, ...]] = ("area", "team", "engagement")
"""Uses of several indicators that exclude each other."""


class IndicatorItem(Frozen):
    """A boolean that its owners may submit for a record."""

    id: Slug
    description: Text
    owners: Annotated[tuple[Slug, ...], Field(min_length=1)]
    window_months: Annotated[int, Field(ge=1, le=120)]
    rules: dict[Slug, IndicatorRule] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    """How each source works it out (ADR 35); one that is not named here does as its own mapping
    says. Left out of the bytes where it says nothing, as in agreements signed before it existed."""
    used_as: UsedAs | None = Field(default=None, exclude_if=lambda value: value is None)
    """What it is where it is no need (ADR 45): one of the areas, teams or lengths of engagement
    that families are counted by, or that they were referred by the usual route. Left out of the
    bytes likewise."""
    detail_of: Slug | None = Field(default=None, exclude_if=lambda value: value is None)
    """The indicator that this one tells more of (ADR 41): a further band, how it was at the start,
    whether it was met within a longer time. By itself it is no need, and puts no family forward.
    Left out of the bytes likewise."""


class Source(Frozen):
    """A source system and what may be taken from it."""

    id: Slug
    party: Slug
    description: Text
    items: Annotated[tuple[Slug, ...], Field(min_length=1)]
    indicators: tuple[Slug, ...]
    max_records: Annotated[int, Field(ge=1)]
    opt_outs: Literal["check", "column"] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    """How the national data opt-out is upheld: by NHS England's check of NHS numbers, not older
    than the agent's limit, or by a column of the extract. Left out of the bytes where it says
    nothing, as in agreements signed before it existed."""


class SignatureKind(StrEnum):
    """How a member of staff signs a request or an approval."""

    PASSKEY = "passkey"
    KEY_FILE = "key_file"


class FamilyRule(Frozen):
    """Whose permission a family's approach needs."""

    adults: Literal["every_adult"]
    children: Literal["own_or_parental_responsibility"]
    subset_allowed: bool


class Witnessing(Frozen):
    """How well witnessed a checkpoint must be before a partner relies on it."""

    quorum: Annotated[int, Field(ge=1)]
    max_age_minutes: Annotated[int, Field(ge=1, le=1_440)]
    merge_delay_minutes: Annotated[int, Field(ge=1, le=1_440)]


class Limits(Frozen):
    """Volumes that bound probing."""

    submissions_per_source_per_day: Annotated[int, Field(ge=1)]
    releases_per_party_per_day: Annotated[int, Field(ge=1)]
    refinement_pairs_per_record: Annotated[int, Field(ge=0, le=100)] = 0
    """Pairs of one record that may be asked about while the submissions stay the same."""
    refinement_pairs_per_run: Annotated[int, Field(ge=0)] = 0
    """Questions to one party in one link run, all rounds together, and in all runs within 24 hours,
    since the hub alone says what a run is; 0: no refinement."""
    calibration_share: Annotated[float, Field(ge=0, le=0.05)] = 0.0
    """Share of a submission's records that may be asked for levels, one pair each."""
    refinement_answer_hours: Annotated[int, Field(ge=1, le=720)] = 24
    """After so long a round closes, and what was not answered stays undecided."""


class Retention(Frozen):
    """How long each artefact is kept."""

    encodings_days: Days
    link_results_days: Days
    released_items_days: Days
    vault_days: Days
    consent_payload_days: Days | None = Field(default=None, exclude_if=lambda value: value is None)
    """For how long after a record's end its partner can show what was consented to, before the
    ledger forgets it (ADR 17); for good where it says nothing.

    Left out of the bytes then, as in agreements signed before it existed.
    """


class Dpia(Frozen):
    """The assessment that this agreement rests on."""

    reference: Text
    outcome: Literal["approved", "approved_with_conditions"]
    approved_on: IsoDate


class Agreement(Frozen):
    """A data-sharing agreement (``agreement/v1``)."""

    format: Literal["agreement/v1"] = "agreement/v1"
    id: Slug
    version: Annotated[int, Field(ge=1)]
    supersedes: Hash | None
    title: Text
    parties: Annotated[tuple[AgreementParty, ...], Field(min_length=2, max_length=64)]
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    items: Annotated[tuple[DataItem, ...], Field(min_length=1)]
    indicators: tuple[IndicatorItem, ...]
    sources: Annotated[tuple[Source, ...], Field(min_length=1, max_length=SOURCES_MOST)]
    encoding: Encoding
    actions: tuple[Action, ...]
    recipients: tuple[Slug, ...]
    staff_signatures: Annotated[tuple[SignatureKind, ...], Field(min_length=1)] = (
        SignatureKind.PASSKEY,
    )
    """What requests and approvals may be signed with (ADR 16)."""
    family_rule: FamilyRule
    witnessing: Witnessing
    limits: Limits
    quality: Quality | None = None
    retention: Retention
    opt_out: Literal["national_data_opt_out_upheld"]
    suppression_threshold: Annotated[int, Field(ge=2, le=100)]
    minimum_needs: Annotated[int, Field(ge=1, le=20)]
    dpia: Dpia
    valid_from: IsoDate
    expires: IsoDate
    review_by: IsoDate
    protected: Literal["never_encoded"] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    """Rows of protected people and homes: encoded without their home, or ``never_encoded``.

    Left out of the bytes where it says nothing, as in agreements signed before it existed.
    """
    privacy_budget: PrivacyBudget | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    """What models and tables with noise may cost in a calendar year (ADR 39); without it neither.

    Left out of the bytes then, as in agreements signed before it existed.
    """
    criteria: Hash | None = Field(default=None, exclude_if=lambda value: value is None)
    """Hash of the catalogue of criteria that explains the needs (ADR 32): others are refused.

    Left out of the bytes where it says nothing, as in agreements signed before it existed.
    """

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for label, ids in self._identifiers():
            if len(set(ids)) != len(ids):
                raise ValueError(f"{label}: the same id twice")
        parties = {party.party for party in self.parties}
        items = {item.id for item in self.items}
        indicators = {indicator.id: indicator for indicator in self.indicators}
        owners = {owner for indicator in self.indicators for owner in indicator.owners}
        self._known("indicators.owners", owners, parties)
        self._known("recipients", set(self.recipients), parties)
        for source in self.sources:
            where = f"sources.{source.id}"
            self._known(f"{where}.party", {source.party}, parties)
            self._known(f"{where}.items", set(source.items), items)
            self._known(f"{where}.indicators", set(source.indicators), set(indicators))
            if any(source.party not in indicators[i].owners for i in source.indicators):
                raise ValueError(f"{where}.indicators: an indicator of another party")
        for name, each in indicators.items():
            submitting = {source.id for source in self.sources if name in source.indicators}
            if set(each.rules or {}) - submitting:
                raise ValueError(f"indicators.{name}.rules: a source that does not submit it")
        self._uses()
        starts, reviewed, ends = map(
            date.fromisoformat, (self.valid_from, self.review_by, self.expires)
        )
        if self.quality is not None and len(set(self.quality.groups)) != len(self.quality.groups):
            raise ValueError("quality.groups: the same group twice")
        if not starts < reviewed <= ends:
            raise ValueError("expected valid_from < review_by <= expires")
        if self.witnessing.quorum > len(parties):
            raise ValueError("witnessing.quorum: more witnesses than parties")
        return self

    def _uses(self) -> None:
        for use in get_args(UsedAs):
            most = 1 if use == "referral" else CATEGORIES_MOST
            if len(self.used_as(use)) > most:
                raise ValueError(f"indicators.used_as: more than {most} of {use}")
        if any(each.id == IN_PROGRAMME and each.used_as for each in self.indicators):
            raise ValueError(f"indicators.{IN_PROGRAMME}.used_as: it has a use of its own")
        told = {each.id: each for each in self.indicators}
        for each in self.indicators:
            if each.detail_of is None:
                continue
            where = f"indicators.{each.id}.detail_of"
            self._known(where, {each.detail_of}, set(told))
            if each.id == IN_PROGRAMME or each.used_as is not None:
                raise ValueError(f"{where}: it has a use of its own")
            if told[each.detail_of].detail_of is not None:
                raise ValueError(f"{where}: a detail of a detail, or of itself")

    @model_validator(mode="after")
    def _learnt_from(self) -> Self:
        if self.privacy_budget is not None and Action.ANALYSE not in self.actions:
            raise ValueError("privacy_budget: expected analyse among the actions")
        return self

    def _identifiers(self) -> tuple[tuple[str, list[str]], ...]:
        return (
            ("parties", [party.party for party in self.parties]),
            ("purposes", [purpose.id for purpose in self.purposes]),
            ("items", [item.id for item in self.items]),
            ("indicators", [indicator.id for indicator in self.indicators]),
            ("sources", [source.id for source in self.sources]),
        )

    @staticmethod
    def _known(where: str, named: set[str], known: set[str]) -> None:
        unknown = sorted(named - known)
        if unknown:
            raise ValueError(f"{where}: not listed in this agreement: {', '.join(unknown)}")

    @cached_property
    def hash(self) -> str:
        """What signatures, submissions and requests name; it takes milliseconds to compute."""
        return hash_of(self)

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, checked where it is changed, that knows no hash yet."""
        copy = super().model_copy(update=update, deep=deep)
        copy.__dict__.pop("hash", None)  # pydantic copies it with the fields
        return type(self).model_validate(copy.model_dump()) if update else copy

    def party(self, party: str) -> AgreementParty | None:
        """The signatory of that name, if it is one."""
        return next((found for found in self.parties if found.party == party), None)

    @property
    def partners(self) -> tuple[AgreementParty, ...]:
        """The parties but for ``processors``: they witness, decide, release, and end an agreement.

        A hub that is named is among those whom witnesses watch, and acts for the others: with its
        word a quorum could be found for each of two trees, and a lead of its own would approve.
        """
        return tuple(party for party in self.parties if party.party not in self.processors)

    def partner(self, party: str) -> AgreementParty | None:
        """The partner of that name, if it is one."""
        return next((found for found in self.partners if found.party == party), None)

    def used_as(self, use: UsedAs) -> tuple[str, ...]:
        """Ids of the indicators of a use, in the agreement's order."""
        return tuple(each.id for each in self.indicators if each.used_as == use)

    @property
    def uses(self) -> frozenset[UsedAs]:
        """What indicators are used as that are no needs."""
        return frozenset(each.used_as for each in self.indicators if each.used_as is not None)

    @property
    def needs(self) -> tuple[str, ...]:
        """Ids of the indicators that are needs, in the agreement's order."""
        return tuple(
            each.id
            for each in self.indicators
            if each.used_as is None and each.detail_of is None and each.id != IN_PROGRAMME
        )

    @property
    def details(self) -> tuple[str, ...]:
        """Ids of the indicators that tell more of others, and of the programme, ascending."""
        return tuple(
            sorted(
                each.id
                for each in self.indicators
                if each.detail_of is not None or each.id == IN_PROGRAMME
            )
        )

    @property
    def processors(self) -> frozenset[str]:
        """Names of the processors that own no source: who acts as the hub, where one is named."""
        owners = {source.party for source in self.sources}
        named = {party.party for party in self.parties if party.role == "processor"}
        return frozenset(named - owners)

    def source(self, source: str) -> Source | None:
        """The source system of that name, if it is listed."""
        return next((found for found in self.sources if found.id == source), None)
