"""Parameters of refinement without truth.

In order: what each source says of its own chance agreement (profiles); the levels of a small
sample of pairs that the agents answered field by field; expectation maximisation (Dempster, Laird
and Rubin 1977) over three classes, in which strangers and people of one home stay as the profiles
say and only the matches' shares move, held by a prior worth ``PRIOR_PAIRS`` pairs. Prior odds come
from the matches that the first stage expects and has not found yet.
"""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from governance.exchange.parameters import (
    CALIBRATION_SIZE,
    CALIBRATION_SLOT,
    HIGHEST_ODDS,
    LEVELS,
    TOKEN_BYTES,
    FieldParameters,
    PairOdds,
    Parameters,
    SourceProfile,
    evidence_needed,
)

MISSING: Final = -1
THRESHOLD: Final = -2.0
"""Log2 posterior odds of a yes. Below even, since a yes is one more piece of evidence beside the
first stage, and since each side counts rarity for itself and the stricter of the two decides."""
PRIOR_PAIRS: Final = 20.0
ROUNDS: Final = 100
_LEAST: Final = 1e-6  # no share is taken for nothing
_MOST: Final = 0.98
NAMES: Final = ("first_name", "surname")
USUAL_SWAPPED: Final = 0.01
SWAPPED_CHANCE: Final = 1e-4  # of two strangers
_ODDS_LIMIT: Final = 60.0  # bits
RECORDS_ROUNDED: Final = 1.06  # a source tells its size in two digits

USUAL: Final[dict[str, tuple[float, ...]]] = {
    "first_name": (0.85, 0.05, 0.05, 0.02, 0.03),
    "middle_name": (0.85, 0.10, 0.05),
    "surname": (0.87, 0.05, 0.04, 0.04),
    "date_of_birth": (0.92, 0.05, 0.01, 0.02),
    "sex": (0.985, 0.015),
    "address": (0.80, 0.08, 0.04, 0.08),
    "nhs_number": (0.99, 0.01),
    "nino": (0.99, 0.01),
    "upn": (0.99, 0.01),
    "phone": (0.60, 0.40),
    "email": (0.60, 0.40),
}
"""Shares of each level among matches, as person data usually shows them; the prior."""

USUAL_HOME: Final[dict[str, tuple[float, ...]]] = {
    "surname": (0.70, 0.03, 0.02, 0.25),
    "address": (0.95, 0.02, 0.01, 0.02),
    "date_of_birth": (0.005, 0.01, 0.005, 0.98),
    "phone": (0.30, 0.70),
    "email": (0.10, 0.90),
}
"""The same among two people of one home, where no source shows it; else as strangers."""

Levels = NDArray[np.int8]
Shares = dict[str, NDArray[np.float64]]


def observed_levels(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Levels:
    """The strongest level at which each field of each pair agrees.

    Args:
        first: calibration answers of one side, uint8 (n, CALIBRATION_SIZE).
        second: those of the other side.

    Returns:
        int8 (n, fields + 1): in the order of ``LEVELS`` the strongest level, the number of levels
        where the values differ, ``MISSING`` where a side lacks the field; last, 1 where first name
        and surname stand in each other's place, else 0.

    Raises:
        ValueError: answers of another size.
    """
    if first.shape != second.shape or first.shape[1:] != (CALIBRATION_SIZE,):
        raise ValueError(f"expected two uint8 (n, {CALIBRATION_SIZE})")
    found = np.empty((len(first), len(LEVELS) + 1), dtype=np.int8)
    at = 0
    for number, levels in enumerate(LEVELS.values()):
        held = (first[:, at] == 1) & (second[:, at] == 1)
        at += 1
        strongest = np.full(len(first), len(levels), dtype=np.int8)
        for level, name in enumerate(levels):
            end = at + TOKEN_BYTES * CALIBRATION_SLOT[name]
            common = _any_common(first[:, at:end], second[:, at:end])
            strongest[common & (strongest == len(levels))] = level
            at = end
        found[:, number] = np.where(held, strongest, MISSING)
    crossed = _any_common(first[:, at:], second[:, at:])
    straight = np.zeros(len(first), dtype=bool)
    for name in NAMES:  # a name that agrees in its own place is not swapped
        number, alike = list(LEVELS).index(name), LEVELS[name].index("alike")
        straight |= (found[:, number] >= 0) & (found[:, number] <= alike)
    found[:, -1] = crossed & ~straight
    return found


def _any_common(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.bool_]:
    one = first.reshape(len(first), -1, 1, TOKEN_BYTES)
    other = second.reshape(len(second), 1, -1, TOKEN_BYTES)
    return np.asarray((one == other).all(axis=3).any(axis=(1, 2)))


def estimate(
    profiles: Sequence[SourceProfile],
    levels: Levels,
    odds: Mapping[tuple[int, int], float],
    pair_of: Sequence[tuple[int, int]],
    *,
    drawn: NDArray[np.float64] | None = None,
    threshold: float = THRESHOLD,
    tokens: int = 256,
) -> Parameters:
    """Parameters of a round over the submissions whose profiles are given.

    Args:
        profiles: one for each submission, in the round's order.
        levels: of the calibration pairs, from ``observed_levels``; may be empty.
        odds: for each pair of submissions that is asked about, the prior log2 odds of a match.
        pair_of: the two submissions of each calibration pair.
        drawn: chance of each calibration pair to be one, in any unit; all alike when None.
        threshold: log2 posterior odds.
        tokens: size of an answer.
    """
    held = [{each.field for each in profile.fields} or set(LEVELS) for profile in profiles]
    told_by = set().union(*({each.field for each in profile.fields} for profile in profiles))
    compared = set().union(*(held[first] & held[second] for first, second in odds))
    fields = [name for name in LEVELS if name in compared & told_by]
    chance = {name: _pooled(profiles, name, "chance") for name in fields}
    home = {name: _home(profiles, name, chance[name]) for name in fields}
    told = {pair: _odds(profiles, pair, odds[pair]) for pair in sorted(odds)}
    sample = Sample(
        {name: levels[:, list(LEVELS).index(name)].astype(np.int64) for name in fields},
        levels[:, -1] == 1,
        np.array([told[pair].match for pair in pair_of]),
        np.array([told[pair].home for pair in pair_of]),
        np.ones(len(levels)) if drawn is None else drawn,
    )
    match, swapped = matches(sample, chance, home)
    return Parameters(
        fields=tuple(
            FieldParameters(
                field=name,
                match=_told(match[name]),
                home=_told(home[name]),
                chance=_told(_monotone(match[name], chance[name])),
                missing=_missing(profiles, name),
            )
            for name in fields
        ),
        odds=tuple(told.values()),
        swapped=max(round(swapped, 4), 1e-4),
        threshold=threshold,
        tokens=tokens,
    )


def _pooled(profiles: Sequence[SourceProfile], name: str, kind: str) -> NDArray[np.float64]:
    """The share over the sources that tell it, by their pairs of records; empty where none does.

    A small source's shares are mostly its suppressed small counts, and so weigh little.
    """
    told = [
        (getattr(each, kind), max(1, profile.records) ** 2)
        for profile in profiles
        for each in profile.fields
        if each.field == name and getattr(each, kind)
    ]
    if not told:
        return np.empty(0)
    shares = np.array([each[0] for each in told], dtype=np.float64)
    return _normal(np.average(shares, axis=0, weights=[each[1] for each in told]))


def _home(
    profiles: Sequence[SourceProfile], name: str, chance: NDArray[np.float64]
) -> NDArray[np.float64]:
    found = _pooled(profiles, name, "home")
    if len(found):
        return found
    return np.array(USUAL_HOME[name]) if name in USUAL_HOME else chance


class Sample(NamedTuple):
    """Calibration pairs.

    Attributes:
        column: for each field the observed level, int64 (n,).
        swapped: whether the names are in swapped order, bool (n,).
        match, home: prior log2 odds of each pair against strangers, float64 (n,).
        drawn: chance of each pair to be drawn, in any unit, float64 (n,).
    """

    column: dict[str, NDArray[np.int64]]
    swapped: NDArray[np.bool_]
    match: NDArray[np.float64]
    home: NDArray[np.float64]
    drawn: NDArray[np.float64]


def matches(sample: Sample, chance: Shares, home: Shares) -> tuple[Shares, float]:
    """Shares of each level among matches, and of swapped names.

    The prior odds hold for any two records that still look for their match, however alike the
    sampled ones are, so they stay fixed; only the matches' shares are fitted. A pair that was drawn
    with half the chance of another stands for twice as many (Horvitz and Thompson 1952).
    """
    match = {name: np.array(USUAL[name]) for name in sample.column}
    swapped = USUAL_SWAPPED
    weight = np.zeros(len(sample.match))
    others = np.logaddexp2(
        _likelihood(sample, chance, SWAPPED_CHANCE),
        sample.home + _likelihood(sample, home, SWAPPED_CHANCE),
    )
    for _ in range(ROUNDS):
        before = weight
        odds = sample.match + _likelihood(sample, match, swapped) - others
        weight = 1.0 / (1.0 + np.exp2(-np.clip(odds, -_ODDS_LIMIT, _ODDS_LIMIT)))
        stands = weight / sample.drawn
        # as many pairs as stand for all with equal weights would tell as much (Kish 1965)
        stands *= stands.sum() / max(float((stands**2).sum()), _LEAST)
        for name, seen in sample.column.items():
            held = seen != MISSING
            if name in NAMES:
                held &= ~sample.swapped
            counts = np.bincount(seen[held], weights=stands[held], minlength=len(USUAL[name]))
            match[name] = _normal(counts + PRIOR_PAIRS * np.array(USUAL[name]))
        swapped = (float(stands[sample.swapped].sum()) + PRIOR_PAIRS * USUAL_SWAPPED) / (
            float(stands.sum()) + PRIOR_PAIRS
        )
        if float(np.abs(before - weight).max(initial=0.0)) < _LEAST:
            break
    return match, swapped


def _likelihood(sample: Sample, shares: Shares, swapped: float) -> NDArray[np.float64]:
    """Log2 likelihood of each pair's levels, float64 (n,)."""
    total = np.full(len(sample.swapped), np.log2(1.0 - swapped))
    total[sample.swapped] = np.log2(swapped)
    for name, seen in sample.column.items():
        held = seen != MISSING
        if name in NAMES:
            held = held & ~sample.swapped
        total[held] += np.log2(shares[name])[seen[held]]
    return total


def _normal(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    kept: NDArray[np.float64] = np.maximum(shares, _LEAST)
    return np.asarray(kept / kept.sum(), dtype=np.float64)


def _monotone(match: NDArray[np.float64], chance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Chance shares, none above ``_MOST``, under which no weaker level outweighs a stronger one."""
    least = np.maximum.accumulate(match[::-1])[::-1] / _MOST
    ratio = np.maximum(np.minimum.accumulate(match / chance), least)
    return np.asarray(match / ratio, dtype=np.float64)


def _told(shares: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(f"{min(max(each, _LEAST), _MOST):.4g}") for each in shares)


def _missing(profiles: Sequence[SourceProfile], name: str) -> tuple[float, ...]:
    """Share of each source's records that lack a field; where one told nothing, of all others'."""
    told = [
        {each.field: each.missing for each in profile.fields}.get(name, 1.0) for profile in profiles
    ]
    known = [
        (share, each.records) for share, each in zip(told, profiles, strict=True) if each.fields
    ]
    total = sum(records for _, records in known)
    usual = sum(share * records for share, records in known) / max(1, total)
    return tuple(
        round(min(1.0, share if profile.fields else usual), 4)
        for share, profile in zip(told, profiles, strict=True)
    )


def _odds(profiles: Sequence[SourceProfile], pair: tuple[int, int], match: float) -> PairOdds:
    shared = max(*(profiles[at].shared_home for at in pair), _LEAST)
    largest = max(profiles[at].records for at in pair)
    return PairOdds(
        first=pair[0],
        second=pair[1],
        match=_bounded(match),
        home=_bounded(np.log2(shared)),
        evidence=evidence_needed(int(largest * RECORDS_ROUNDED)),
    )


def _bounded(odds: float) -> float:
    return round(float(np.clip(odds, -_ODDS_LIMIT, HIGHEST_ODDS)), 1)
