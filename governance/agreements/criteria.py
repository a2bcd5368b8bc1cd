"""A catalogue of criteria, as an editor writes it.

Rules: rules are data, a list of indicators and how many of them it takes, and never expressions; an
indicator counts for one need only, so that nobody is counted twice for one fact; what is missing is
unknown, and there is no way to say otherwise; a catalogue says since when, until when and by whose
word it holds. It is read here, and not at the hub alone, since an agreement may name it by its
hash: whoever signs that can open the file, and see that it is the one (``require_explained``).
"""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from governance.agreements.files import parse_yaml, read_text
from governance.agreements.models import IN_PROGRAMME, Agreement, Text
from governance.canonical import Frozen, Slug, hash_of
from governance.errors import FormatError
from governance.identity.envelope import parse_model


def _day(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError("expected a date, such as 2022-10-03") from None
    return text


Day = Annotated[str, AfterValidator(_day)]


def _is_none(value: Any) -> bool:
    return value is None


def _is_empty(value: Any) -> bool:
    return not value


class Rule(Frozen):
    """So many of these indicators at least."""

    of: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20)]
    at_least: Annotated[int, Field(ge=1)] = 1

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if len(set(self.of)) != len(self.of):
            raise ValueError("of: the same indicator twice")
        if self.at_least > len(self.of):
            raise ValueError("at_least: more than there are indicators in of")
        if IN_PROGRAMME in self.of:
            raise ValueError(f"of: {IN_PROGRAMME} says who is helped already, and is no need")
        return self


class Sustain(Frozen):
    """How long success must hold before it is claimed: months, or school terms.

    Attributes:
        known_by: the indicator that is met where the need was at any time within that long, and so
            is known to be unmet where success has lasted; null where nobody can tell.
    """

    months: Annotated[int, Field(ge=1, le=36)] | None = None
    terms: Annotated[int, Field(ge=1, le=9)] | None = None
    known_by: Slug | None = Field(default=None, exclude_if=_is_none)

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.months is None) == (self.terms is None):
            raise ValueError("give months or terms")
        return self


class Band(Frozen):
    """A step away from the target.

    Attributes:
        short_of: where the step begins, in the distance's unit.
        indicator: met where the measure falls short of that.
        at_start: the same when the family joined the programme; null where nobody says.
    """

    short_of: Annotated[Decimal, Field(ge=0)]
    indicator: Slug
    at_start: Slug | None = Field(default=None, exclude_if=_is_none)


class Distance(Frozen):
    """How far a family is from the target of a need that is measured.

    Attributes:
        bands: the target's own first, then ever farther from it; no number leaves its owner.
    """

    measure: Text
    target: Annotated[Decimal, Field(ge=0)]
    unit: Text
    bands: Annotated[tuple[Band, ...], Field(max_length=9)] = Field(
        default=(), exclude_if=_is_empty
    )

    @model_validator(mode="after")
    def _farther(self) -> Self:
        ends = [band.short_of for band in self.bands]
        if ends and ends[0] != self.target:
            raise ValueError("bands: the first is short of the target itself")
        if len(set(ends)) != len(ends) or ends not in (sorted(ends), sorted(ends)[::-1]):
            raise ValueError("bands: expected ever farther from the target")
        names = [band.indicator for band in self.bands]
        _once("bands: the same indicator twice", names)
        return self


class Need(Frozen):
    """One need.

    Attributes:
        applies_to: whose need it is.
        owner_partner: who holds the evidence.
        released_as: what agents submit of it.
        eligibility: which indicators are met where the need is.
        success: which of them are unmet, and known to be, where it is resolved.
        distance_travelled: what counts as progress short of success, in words; null where none
            does.
        baseline: the indicator that says whether the need was there when the family joined the
            programme; null where nobody does, and then nothing can be claimed for it.
        evidence: what an auditor is shown.
        missing: what a family is of which no source speaks.
        cost_links: ids of unit costs.
    """

    id: Slug
    title: Text
    applies_to: Literal["child", "young_person", "adult", "family"]
    owner_partner: Annotated[tuple[Text, ...], Field(min_length=1)]
    released_as: Literal["boolean", "band"]
    eligibility: Rule
    success: Rule
    sustain: Sustain
    distance: Distance | None = None
    distance_travelled: Text | None = None
    evidence: Text
    missing: Literal["unknown"]
    cost_links: tuple[Slug, ...] = ()
    baseline: Slug | None = Field(default=None, exclude_if=_is_none)

    @model_validator(mode="after")
    def _same_facts(self) -> Self:
        if not set(self.success.of) <= set(self.eligibility.of):
            raise ValueError("success: indicators that eligibility does not name")
        return self


class JoinedBand(Frozen):
    """Met where the family joined within so many months."""

    months: Annotated[int, Field(ge=1, le=120)]
    indicator: Slug


class Programme(Frozen):
    """What tells of a family's time in the programme, beside ``in_programme`` itself.

    Attributes:
        joined: bands of months since it joined, the shortest first.
        closed: the indicator that is met where it left lately; its claims are looked at still.
    """

    joined: Annotated[tuple[JoinedBand, ...], Field(max_length=9)] = ()
    closed: Slug | None = None

    @model_validator(mode="after")
    def _longer(self) -> Self:
        months = [band.months for band in self.joined]
        if months != sorted(set(months)):
            raise ValueError("joined: expected the shortest first")
        return self


class Criteria(Frozen):
    """A catalogue (``criteria/v1``).

    Attributes:
        programme: what tells of a family's time in it; null where nothing does.
        minimum: how many needs put a family forward.
        dependent_child: whether it must have a child.
        valid_until: the last day; null while it holds.
        source: who set these criteria, where and when.
    """

    format: Literal["criteria/v1"]
    id: Slug
    title: Text
    valid_from: Day
    valid_until: Day | None = None
    minimum: Annotated[int, Field(ge=1)]
    dependent_child: Literal["required", "not_required"]
    source: Text
    needs: Annotated[tuple[Need, ...], Field(min_length=1, max_length=50)]
    programme: Programme | None = Field(default=None, exclude_if=_is_none)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [need.id for need in self.needs]
        _once("needs: the same id twice", ids)
        _once(
            "needs: an indicator counts for one need only",
            [name for need in self.needs for name in need.eligibility.of],
        )
        if self.minimum > len(ids):
            raise ValueError("minimum: more than there are needs")
        if self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until: before valid_from")
        return self

    @property
    def indicators(self) -> tuple[str, ...]:
        """Every indicator that counts, in order."""
        return tuple(name for need in self.needs for name in need.eligibility.of)

    @property
    def details(self) -> tuple[str, ...]:
        """Every indicator that tells more: the start, what has lasted, distances, membership."""
        found: list[str | None] = [IN_PROGRAMME]
        for need in self.needs:
            found += [need.baseline, need.sustain.known_by]
            for band in need.distance.bands if need.distance else ():
                found += [band.indicator, band.at_start]
        if self.programme is not None:
            found += [self.programme.closed, *(band.indicator for band in self.programme.joined)]
        return tuple(dict.fromkeys(name for name in found if name is not None))

    def holds_on(self, day: date) -> bool:
        """Whether it is valid on a day."""
        since, until = date.fromisoformat(self.valid_from), self.valid_until
        return since <= day and (until is None or day <= date.fromisoformat(until))


def _once(what: str, ids: list[str]) -> None:
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise ValueError(f"{what}: {', '.join(twice)}")


def read_criteria(path: Path) -> Criteria:
    """Read and check a catalogue; ``linkage-hub catalogue check`` tells every fault by its line.

    Raises:
        FormatError: unreadable, not YAML, or fields wrong; says which.
    """
    return parse_model(parse_yaml(read_text(path)), Criteria)


def require_at_hand(named: str | None, criteria: Criteria | None) -> None:
    """That a catalogue which an agreement names can be looked into.

    Raises:
        FormatError: it cannot.
    """
    if named is not None and criteria is None:
        raise FormatError(
            "criteria: the agreement names a catalogue, which minimum_needs is held against",
            next_step="name the catalogue's file with --criteria",
        )


def require_explained(agreement: Agreement, criteria: Criteria | None) -> None:
    """Of an agreement that is drawn up: that it asks for as many needs as the catalogue it names.

    Raises:
        FormatError: it names another catalogue, or one that is not at hand, or it asks for another
            number of needs.
    """
    if criteria is None:
        require_at_hand(agreement.criteria, criteria)
        return
    if agreement.criteria != hash_of(criteria):
        raise FormatError(
            f"criteria: not the hash of {criteria.id}", next_step=f"criteria: {hash_of(criteria)}"
        )
    if agreement.minimum_needs != criteria.minimum:
        raise FormatError(
            f"minimum_needs: expected {criteria.minimum}, as {criteria.id} has it",
            next_step="put one of the two right: runs go by the agreement, reports by both",
        )
