"""The pass over all views at once gives the very pairs that a plain computation gives."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from linkage_hub.linkage.candidates import combine
from linkage_hub.linkage.similarity import tiles as tiles_module
from linkage_hub.linkage.similarity import views as module
from linkage_hub.linkage.similarity.join import Wanted
from linkage_hub.linkage.similarity.kernels import SOFTNESS
from linkage_hub.linkage.similarity.view_kernels import UNIT
from linkage_hub.linkage.similarity.views import (
    Ask,
    compare,
    curve_of,
    join_views,
    most_unlike,
    view_words,
)

Views = NDArray[np.uint8]
ALL = 1 << 40


def silent(_share: float, _message: str) -> None:
    """Hear nothing."""


def people(
    sizes: tuple[int, int], views: int, width: int, seed: int, families: int = 8
) -> tuple[Views, Views]:
    """Rows that resemble one another in groups; each view of a row has noise of its own."""
    rng = np.random.default_rng(seed)
    base = rng.random((views, families, width * 8)) < 0.5
    found = []
    for size in sizes:
        rate = rng.choice([0.0, 0.05, 0.3, 0.45], (views, size, 1))
        noise = rng.random((views, size, width * 8)) < rate
        found.append(np.packbits(base[:, rng.integers(0, families, size)] ^ noise, axis=2))
    return found[0], found[1]


def every_similarity(first: Views, second: Views) -> NDArray[np.float64]:
    """Of all pairs, view by view, (n, m)."""
    unlike = np.bitwise_count(first[:, :, None] ^ second[:, None]).sum(axis=3, dtype=np.int64)
    shares = 1.0 - unlike / (8.0 * first.shape[2])
    flat = shares.reshape(len(first), -1).T
    return combine(np.ascontiguousarray(flat)).reshape(first.shape[1], second.shape[1])


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 90), st.integers(1, 150)),
    views=st.integers(2, 8),
    width=st.sampled_from([16, 128]),
    floor=st.sampled_from([0.5, 0.52, 0.54, 0.625, 0.75, 1.0]) | st.floats(0.4, 1.0),
    groups=st.sampled_from([2, 8]),
    seed=st.integers(0, 1 << 32),
)
def test_tile_equals_plain_passes(
    sizes: tuple[int, int], views: int, width: int, floor: float, groups: int, seed: int
) -> None:
    """Whatever views, width, floor and vectors: all pairs at the floor, each once."""
    first, second = people(sizes, views, width, seed)
    every = every_similarity(first, second)
    found = compare(view_words(first), view_words(second), (0, 0), Ask(floor, ALL, 0), groups)
    pairs = list(map(tuple, found[:, :2].tolist()))
    assert len(pairs) == len(set(pairs))
    assert set(zip(*np.nonzero(every >= floor + 1e-8), strict=True)) <= set(pairs)
    assert set(pairs) <= set(zip(*np.nonzero(every >= floor - 1e-8), strict=True))
    assert found[:, 2] * UNIT == pytest.approx(every[found[:, 0], found[:, 1]], abs=UNIT)


@settings(max_examples=60, deadline=None)
@given(
    bits=st.sampled_from([64, 512, 1024, 2048]), views=st.integers(2, 12), floor=st.floats(0.4, 1)
)
def test_no_share_is_worth_less_by_the_curve(bits: int, views: int, floor: float) -> None:
    """The curve is nowhere below the exponential, but where a view is enough by itself."""
    slope, offset, *coefficients = curve_of(bits, views, floor)
    unlike = np.arange(bits + 1)
    at = np.clip(slope * unlike + offset, -1.0, 1.0)
    worth = np.polynomial.polynomial.polyval(at, coefficients)
    true = np.minimum(np.exp((1.0 - unlike / bits - floor) / SOFTNESS), views)
    assert (worth >= true - 1e-9).all()
    assert (worth <= true + 0.25).all(), "so loose that strangers would be computed in full"


def test_across_the_borders_of_tiles_every_pair_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiles smaller than the datasets, and room for few pairs at once, change nothing."""
    first, second = people((700, 900), 3, 16, 4)
    monkeypatch.setattr(module, "TILE_ROWS", 97)
    monkeypatch.setattr(module, "TILE_COLUMNS", 130)
    monkeypatch.setattr(tiles_module, "CAPACITY", 2_500)
    every = every_similarity(first, second)
    wanted = [Wanted(0, 1, 0.6, ALL), Wanted(0, 2, 0.7, ALL)]
    found: list[list[tuple[int, int]]] = [[], []]
    for number, part in join_views([first, second, first], wanted, progress=silent):
        found[number].extend(map(tuple, part[:, :2].tolist()))
    assert sorted(found[0]) == list(zip(*np.nonzero(every >= 0.6), strict=True))
    itself = every_similarity(first, first)
    assert sorted(found[1]) == list(zip(*np.nonzero(itself >= 0.7), strict=True))


def test_fast_finds_who_stands_out_and_invents_nobody(tmp_path: Path) -> None:
    """Of those at the floor nearly all who are well above strangers, the same again from disk."""
    rng = np.random.default_rng(5)
    truth = rng.random((7, 3000, 1024)) < 0.5
    rate = np.full((7, 3000, 1), 0.42)  # a field is wrong: one view alone is nearly equal
    rate[rng.integers(0, 7, 3000), np.arange(3000)] = 0.02
    noise = rng.random(truth.shape) < rate
    datasets = [np.packbits(truth, axis=2), np.packbits(truth ^ noise, axis=2)]
    wanted = [Wanted(0, 1, 0.535, ALL)]

    def told(*, fast: bool) -> set[tuple[int, int, int]]:
        parts = join_views(datasets, wanted, fast=fast, folder=tmp_path, progress=silent)
        return {tuple(pair) for _, part in parts for pair in part.tolist()}

    every, found = told(fast=False), told(fast=True)
    assert found <= every
    assert sum(left == right for left, right, _ in every) == 3000
    assert sum(left == right for left, right, _ in found) >= 0.999 * 3000
    assert told(fast=True) == found


def test_a_prefix_lets_few_strangers_through() -> None:
    """About the share that is meant."""
    rng = np.random.default_rng(6)
    bits = 7 * 4 * 64
    unlike = rng.binomial(bits, 0.5, 1_000_000)
    share = (unlike <= most_unlike(bits)).mean()
    assert 0.8 * module.PASSING < share < 1.2 * module.PASSING


def test_copies_of_one_record_are_capped() -> None:
    """A row keeps the most similar, whatever else is equal to it."""
    first, _ = people((40, 1), 4, 32, 7)
    copies = np.concatenate([np.repeat(first[:, :1], 500, axis=1), first], axis=1)
    found = compare(view_words(first), view_words(copies), (0, 0), Ask(0.45, 20, 0))
    assert np.bincount(found[:, 0]).max() == 20
    assert (found[found[:, 0] == 0][:, 2] == 10**9).all()
