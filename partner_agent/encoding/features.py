"""A feature of a linkage schema as a typed value."""

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["string", "integer", "date", "enum"]
Case = Literal["upper", "lower", "mixed"]


@dataclass(frozen=True, slots=True)
class Ngram:
    """Tokens are the n-grams of the padded text, with their place where ``positional``."""

    n: int
    positional: bool


@dataclass(frozen=True, slots=True)
class Exact:
    """The whole text is one token."""


@dataclass(frozen=True, slots=True)
class Numeric:
    """Tokens are the grid points around a number (Vatsalan and Christen 2015)."""

    interval: int  # threshold distance times 10 ** precision
    resolution: int
    precision: int  # decimal digits


@dataclass(frozen=True, slots=True)
class Strategy:
    """How many bits a token sets: a fixed number, or its share of the feature's bits."""

    per_token: int  # 0 where the feature's total is fixed
    per_feature: int  # 0 where each token's number is fixed


@dataclass(frozen=True, slots=True)
class Missing:
    """The text that stands for a missing value, and what is encoded in its place."""

    sentinel: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Feature:
    """One encoded feature; limits that do not apply to its kind are None."""

    identifier: str
    index: int  # place among all features, ignored ones included: it selects the key
    kind: Kind
    comparison: Ngram | Exact | Numeric
    strategy: Strategy
    encoding: str = "utf-8"
    missing: Missing | None = None
    pattern: re.Pattern[str] | None = None
    case: Case = "mixed"
    min_length: int | None = None
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    date_format: str = ""
    values: frozenset[str] = frozenset()
