"""JSON bodies by which analysts look into link runs; the rest of the hub's are in ``hub_api``.

A list that may be long is given in pages: ``offset`` and ``limit`` are asked for, ``total`` says
how many there are. Nothing here is a value of a record: handles and ids are pseudonyms, and what
is said of a pair is how alike its encodings are.
"""

from typing import Annotated, Final, Literal

from pydantic import Field

from governance.canonical import Frozen, Hash, Hex128, Slug, Time
from governance.exchange.hub_api import Count, RulingView, Share, Share3
from governance.ledger.payloads import Reason

PAGE: Final = 100
"""Lines of a page, where a caller does not say."""
PAGE_MOST: Final = 1_000

PersonId = Annotated[str, Field(pattern=r"^p-[0-9a-f]{32}$")]
Barrier = Literal["namesakes", "few_fields", "no_birth_date", "in_doubt"]
"""What stands in the way of linking a record that is alone; the first that holds."""


NO_EFFECTS: Final = "run.no_effects"
"""Reason by which the hub says that nobody worked out what errors of linkage do to a run."""
Effected = Literal[
    "persons", "families", "put_forward", "kept", "in_programme", "need", "needs_together"
]


class EffectRow(Frozen):
    """What errors of linkage do to one figure of a run (ADR 40).

    Attributes:
        figure: what is counted; ``kept`` are families put forward that would be so in a draw too.
        needs: the need, or the two that are met together; empty for other figures.
        found: the run's own figure; null where it is too small to be shown, as the others are.
        value, low, high: the figure without errors of linkage, and its 95 % interval.
        false_links, missed_links: what undoing each alone changes, on average.
    """

    figure: Effected
    needs: Annotated[tuple[Slug, ...], Field(max_length=2)]
    found: Count | None
    value: Count | None
    low: Count | None
    high: Count | None
    false_links: int | None
    missed_links: int | None


class LinkageEffects(Frozen):
    """``GET /v1/runs/{run}/effects``: what linkage error does to a run's figures.

    Attributes:
        draws: how many sets of persons the figures were counted on.
        precision, recall: of pairs of records, from which the draws were made.
    """

    draws: Annotated[int, Field(ge=2, le=100)]
    precision: Share3
    recall: Share3
    rows: tuple[EffectRow, ...]


class ThresholdRow(Frozen):
    """What a run would have found, had a pair been a match from another probability on.

    Attributes:
        own: the run's own threshold, at which the figures are the run's.
        links: pairs of records of one person.
        joined: persons of the run that would be one with another.
        parted: persons of the run that would be several.
        families_touched: families with such a person, whatever would become of them.
        flagged_touched: those of them that are put forward; None is not told.
    """

    threshold: Share
    own: bool
    persons: Count
    links: Count
    joined: Count
    parted: Count
    families_touched: Count
    flagged_touched: Count | None
    estimated_precision: Share
    estimated_recall: Share


class ThresholdTable(Frozen):
    """``GET /v1/runs/{run}/thresholds``: lowest first; none of a run from before they were kept.

    Who is put forward is None, not told, where the agreement does not name analysis.
    """

    run: Hex128
    families: Count
    flagged: Count | None
    rows: tuple[ThresholdRow, ...]


class PersonSummary(Frozen):
    """A person of a run."""

    person: PersonId
    records: Count
    sources: Count


class PersonList(Frozen):
    """``GET /v1/runs/{run}/persons``: those with most records first."""

    persons: tuple[PersonSummary, ...]
    total: Count


class PersonRecord(Frozen):
    """A record of a person."""

    handle: Hex128
    party: Slug
    source: Slug


class PersonLink(Frozen):
    """Two records that the run compared; what is null was not kept, or is an agent's word alone."""

    left: Hex128
    right: Hex128
    similarity: Share | None
    probability: Share


class NearRecord(Frozen):
    """A record of the person, and one that the run gave to another."""

    own: Hex128
    other: Hex128
    other_person: PersonId
    other_party: Slug
    other_source: Slug
    similarity: Share | None
    probability: Share


class PersonView(Frozen):
    """``GET /v1/runs/{run}/persons/{person}``: a person's records, and why they are one person.

    Attributes:
        links: pairs within, likeliest first.
        weakest: the least probable pair that the person needs to hold together.
        unsupported: records that no pair that was kept ties to the others: by a ruling, or by a
            record that was taken out since.
        near: pairs that the run left, likeliest first.
        families: ids.
    """

    run: Hex128
    person: PersonId
    records: tuple[PersonRecord, ...]
    links: tuple[PersonLink, ...]
    weakest: PersonLink | None
    unsupported: tuple[Hex128, ...]
    near: tuple[NearRecord, ...]
    rulings: tuple[RulingView, ...]
    families: tuple[str, ...]


class Changes(Frozen):
    """What became of persons or families, over the records that both runs hold.

    Attributes:
        kept: the same records in both, as far as both hold them.
        merged: of the newer run, those with records of several of the older one.
        split: of the older run, those with records in several of the newer one.
        new: of the newer run, those without a record that the older one holds.
        gone: of the older run, those without a record that the newer one holds.
    """

    kept: Count
    merged: Count
    split: Count
    new: Count
    gone: Count


class ComparedSource(Frozen):
    """A source in two runs; null where a run had none of it."""

    party: Slug
    source: Slug
    older: Hash | None
    newer: Hash | None
    older_records: Count | None
    newer_records: Count | None

    @property
    def changed(self) -> bool:
        """Whether the runs began with different submissions of it."""
        return self.older != self.newer


class ChangedPerson(Frozen):
    """A person of several before or after, with the ids of the other run's."""

    kind: Literal["merged", "split"]
    person: PersonId
    others: tuple[PersonId, ...]


class RunFigures(Frozen):
    """A run's figures, to be laid beside another's; ``flagged`` as in ``RunView``."""

    id: Hex128
    finished: Time
    mode: str
    solver: str
    questions: bool
    records: Count
    persons: Count
    families: Count
    flagged: Count | None
    threshold: Share | None
    estimated_precision: Share | None
    estimated_recall: Share | None
    pairs_asked: Count
    pairs_answered: Count
    rulings: Count  # that it was given


class RunComparison(Frozen):
    """``GET /v1/runs/{run}/comparison/{other}``, in either order: ``older`` finished first.

    ``persons`` and ``families`` are null where the results of one gave way to newer ones.
    """

    older: RunFigures
    newer: RunFigures
    persons: Changes | None
    families: Changes | None
    sources: tuple[ComparedSource, ...]
    changed: tuple[ChangedPerson, ...]
    total: Count  # of ``changed``


class SourceUnlinked(Frozen):
    """Records of a source that a run joined to no other, and what stood in the way.

    Attributes:
        records: that took part.
        alone: the only record of their person, with or without a barrier.
        barriers: how many of them by what stood in the way; the others resemble nobody.
        rejected: rows that the partner's agent did not submit, of which too few fields are one.
        opted_out: rows held back by the national data opt-out or as protected, rounded; null where
            they are fewer than may be shown, none included (``governance.disclosure.counts``).
    """

    party: Slug
    source: Slug
    records: Count
    alone: Count
    barriers: dict[Barrier, Count]
    rejected: Count
    opted_out: Count | None


class UnlinkedRecord(Frozen):
    """A record that is alone, and what stood in the way."""

    handle: Hex128
    party: Slug
    source: Slug
    barrier: Barrier


class UnlinkedList(Frozen):
    """``GET /v1/runs/{run}/unlinked``: by source, then barrier."""

    sources: tuple[SourceUnlinked, ...]
    records: tuple[UnlinkedRecord, ...]
    total: Count  # of ``records``


class SourceFreshness(Frozen):
    """How fresh a source of an agreement is; null where nothing was accepted.

    Attributes:
        submission: the one that the next run would start from.
        extracted_on: day of the extract, as its partner states it; null where it states none.
        age_days: of the extract, today.
        kept_until: when the agreement has its encodings destroyed, if nothing newer comes.
        in_current_run: whether the current run began with it.
        accepted, refused, replaced: submissions of the source that the hub knows of; replaced ones
            were accepted before.
        last_refusal: reason of the newest refused one that nothing accepted came after.
    """

    party: Slug
    source: Slug
    submission: Hex128 | None
    received: Time | None
    extracted_on: str | None
    age_days: Count | None
    kept_until: Time | None
    records: Count | None
    in_current_run: bool
    accepted: Count
    refused: Count
    replaced: Count
    last_refusal: Reason | None


class FreshnessList(Frozen):
    """``GET /v1/agreements/{agreement}/sources``: by party and source."""

    agreement: Hash
    sources: tuple[SourceFreshness, ...]
