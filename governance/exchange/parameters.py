"""What agents decide a pair by: the parameters of refinement, and what they are estimated from.

Format ``refinement-parameters/v1``: fields are never reordered, renamed or removed, and no level
of ``LEVELS`` changes its meaning; a new format gets a new name.

The model is Fellegi and Sunter's (1969) with three classes instead of two: one person (*match*),
two people of one home (*home*), and strangers (*chance*). Relatives agree on surname and address
whether or not they are one person, so that the two fields together say little more than one.
"""

from functools import cached_property
from itertools import combinations
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from governance.agreements.models import SOURCES_MOST
from governance.canonical import Frozen

TOKEN_BYTES: Final = 6
"""Two answers of 256 random tokens share one with probability 2**16 / 2**48 = 2**-32."""

LEVELS: Final[dict[str, tuple[str, ...]]] = {
    "first_name": ("exact", "near", "alike", "initial"),
    "middle_name": ("exact", "initial"),
    "surname": ("exact", "near", "alike"),
    "date_of_birth": ("exact", "near", "parts"),
    "sex": ("exact",),
    "address": ("exact", "near", "area"),
    "nhs_number": ("exact",),
    "nino": ("exact",),
    "upn": ("exact",),
    "phone": ("exact",),
    "email": ("exact",),
}
"""Fields of the cleaned row, and in what ways two values agree, strongest first.

Two values that agree in none of these ways *differ*; a value that one side lacks is *missing*.
"""

IDENTIFIERS: Final = frozenset({"nhs_number", "nino", "upn"})

Probability = Annotated[float, Field(gt=0, lt=1)]
Share = Annotated[float, Field(ge=0, le=1)]
LogOdds = Annotated[float, Field(ge=-64, le=64)]  # bits
Answers = Literal["calibrate", "decide"]

MIN_TOKENS: Final = 16
MAX_TOKENS: Final = 1024
LOWEST_THRESHOLD: Final = -4.0  # bits; an agent answers no question that asks for less
HIGHEST_ODDS: Final = -3.0  # bits; above it two records would match without agreeing on much
LEAST_EVIDENCE: Final = 12.0  # bits; fewer single nobody out, however small the source
ODDS_MOST: Final = SOURCES_MOST * (SOURCES_MOST + 1) // 2
PARAMETER_SETS_MOST: Final = 12
"""Different parameters, or orders of sources, that an agent decides under, of one agreement.

A hub keeps those of the same sources, so that it needs new ones where a source joins or is away. A
pair that is asked anew after each submission gives away no more bits than there are sets."""
_ROUNDING: Final = 0.01  # shares are told in four digits
SELDOM_HELD: Final = 0.95  # share of records that lack a field from which it is not compared
FEWEST_FIELDS: Final = 2  # a decision on one field would tell that field


class FieldParameters(Frozen):
    """Shares of each level of a field, strongest first and *differs* last, where both hold it."""

    field: str
    match: Annotated[tuple[Probability, ...], Field(min_length=2, max_length=8)]
    home: Annotated[tuple[Probability, ...], Field(min_length=2, max_length=8)]
    chance: Annotated[tuple[Probability, ...], Field(min_length=2, max_length=8)]
    missing: Annotated[tuple[Share, ...], Field(min_length=1)]
    """Of the records of each submission of the round, in its order; never weighs."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        levels = LEVELS.get(self.field)
        if levels is None:
            raise ValueError("not a field that is compared")
        if {len(self.match), len(self.home), len(self.chance)} != {len(levels) + 1}:
            raise ValueError(f"{len(levels) + 1} shares are expected for {self.field}")
        return self

    @property
    def lacking(self) -> float:
        """The largest share of records that lack it; orders patterns."""
        return max(self.missing)


class PairOdds(Frozen):
    """Prior log2 odds, against strangers, of one pair of the round's submissions.

    ``evidence`` is how many bits what agrees must say at least, from ``evidence_needed`` of the
    larger submission; each agent's own rows may ask for more.
    """

    first: Annotated[int, Field(ge=0)]
    second: Annotated[int, Field(ge=0)]
    match: LogOdds
    home: LogOdds
    evidence: Annotated[float, Field(ge=0, le=64)] = 0.0


class Parameters(Frozen):
    """What both agents weigh agreement by (signed as part of a round).

    Attributes:
        fields: each field once, in the order of ``LEVELS``.
        odds: one entry for each pair of submissions that is asked about.
        swapped: share of matches whose first name and surname are written in swapped order.
        threshold: log2 posterior odds from which a pair is a match; 0 is a probability of one half.
        tokens: size of a padded answer.
    """

    format: Literal["refinement-parameters/v1"] = "refinement-parameters/v1"
    fields: Annotated[tuple[FieldParameters, ...], Field(min_length=1, max_length=len(LEVELS))]
    odds: Annotated[tuple[PairOdds, ...], Field(max_length=ODDS_MOST)]
    swapped: Probability = 0.01
    threshold: LogOdds = 0.0
    tokens: Annotated[int, Field(ge=MIN_TOKENS, le=MAX_TOKENS)] = 256

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        places = [list(LEVELS).index(each.field) for each in self.fields]
        if places != sorted(set(places)):
            raise ValueError("each field once, in the order of LEVELS")
        if len({len(each.missing) for each in self.fields}) != 1:
            raise ValueError("each field says of every submission how many records lack it")
        submissions = len(self.fields[0].missing)
        if any(max(each.first, each.second) >= submissions for each in self.odds):
            raise ValueError("odds of a submission that the round does not have")
        return self

    def between(self, first: int, second: int) -> Self:
        """What records of two submissions are compared by: fields that both of them hold.

        A field that one of them lacks says nothing about any pair of theirs, and would take room
        in every answer. May leave no field at all.

        Raises:
            IndexError: there is no such submission.
        """
        fields = tuple(
            each.model_copy(update={"missing": (each.missing[first], each.missing[second])})
            for each in self.fields
            if max(each.missing[first], each.missing[second]) <= SELDOM_HELD
        )
        return self.model_copy(update={"fields": fields})

    def pair_odds(self, first: int, second: int) -> PairOdds:
        """The prior odds of two submissions, in either order.

        Raises:
            KeyError: the parameters do not cover the pair.
        """
        return self._odds_of[min(first, second), max(first, second)]

    @cached_property
    def _odds_of(self) -> dict[tuple[int, int], PairOdds]:
        return {(each.first, each.second): each for each in reversed(self.odds)}


class FieldProfile(Frozen):
    """One source's own figures of one field: shares, rounded, small counts suppressed.

    Attributes:
        missing: share of records that lack the field.
        chance: share of each level among random pairs of its records, *differs* last.
        home: the same among pairs of its records at one address; empty where too few.
    """

    field: str
    missing: Share
    chance: Annotated[tuple[Share, ...], Field(max_length=8)]
    home: Annotated[tuple[Share, ...], Field(max_length=8)] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        levels = LEVELS.get(self.field)
        if levels is None:
            raise ValueError("not a field that is compared")
        if len(self.chance) != len(levels) + 1 or len(self.home) not in {0, len(levels) + 1}:
            raise ValueError(f"{len(levels) + 1} shares are expected for {self.field}")
        return self


class SourceProfile(Frozen):
    """What a source tells about itself, so that chance agreement need not be guessed.

    Attributes:
        records: how many it holds, rounded to two digits.
        shared_home: share of random pairs of its records that live at one address.
        fields: the fields that it holds.
    """

    format: Literal["refinement-profile/v1"] = "refinement-profile/v1"
    records: Annotated[int, Field(ge=0)]
    shared_home: Share
    fields: Annotated[tuple[FieldProfile, ...], Field(max_length=len(LEVELS))]

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len({each.field for each in self.fields}) != len(self.fields):
            raise ValueError("a field twice")
        return self


CALIBRATION_SLOT: Final[dict[str, int]] = {"exact": 2, "near": 6, "alike": 8, "initial": 1,
                                           "parts": 1, "area": 2}  # fmt: skip
"""Tokens that a calibration answer gives each level, padded: the most keys a value may have."""

SWAPPED_SLOT: Final = 3
"""Tokens for first name and surname in each other's place, after those of all fields."""

CALIBRATION_SIZE: Final = TOKEN_BYTES * SWAPPED_SLOT + sum(
    1 + TOKEN_BYTES * sum(CALIBRATION_SLOT[level] for level in levels) for levels in LEVELS.values()
)


def evidence_needed(records: int) -> float:
    """Bits of agreement without which two rows are never said to match.

    Args:
        records: of a source; of so many rows, fewer than two others are to show what agrees.
    """
    return max(LEAST_EVIDENCE, float(records.bit_length() - 1))


def check_parameters(parameters: Parameters) -> None:
    """Refuse parameters that no honest hub would need.

    What they cannot rule out, that one field decides where all others are said to tell nothing,
    each agent rules out by its own counts (``partner_agent/refinement/evidence.py``).

    In order: the threshold is no lower than ``LOWEST_THRESHOLD`` and no prior odds are higher than
    ``HIGHEST_ODDS``; more than one field is compared; agreement that is stronger never weighs less.

    Raises:
        ValueError: with the rule that is broken; it names fields, never values.
    """
    if parameters.threshold < LOWEST_THRESHOLD:
        raise ValueError("the threshold is below what an agent answers")
    if any(max(each.match, each.home) > HIGHEST_ODDS for each in parameters.odds):
        raise ValueError("prior odds are above what an agent answers")
    if len(parameters.fields) < FEWEST_FIELDS:
        raise ValueError("one field alone is no decision about a person")
    for each in parameters.fields:
        for one, other in combinations(range(len(each.match)), 2):
            stronger, weaker = (each.match[at] / each.chance[at] for at in (one, other))
            if stronger < weaker * (1.0 - _ROUNDING):
                raise ValueError(f"{each.field}: a weaker level weighs more than a stronger one")


def answer_size(parameters: Parameters | None, kind: Answers) -> int:
    """Bytes of the answer to one question.

    Raises:
        ValueError: a decision without parameters.
    """
    if kind == "calibrate":
        return CALIBRATION_SIZE
    if parameters is None:
        raise ValueError("a decision needs parameters")
    return parameters.tokens * TOKEN_BYTES
