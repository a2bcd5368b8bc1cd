"""The exact join gives the very pairs and similarities that anonlink gives."""

from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from anonlink.similarities import dice_coefficient_python
from bitarray import bitarray
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from linkage_hub.linkage.similarity import join as join_module
from linkage_hub.linkage.similarity.join import Wanted, join
from linkage_hub.linkage.similarity.running import TAKEN_UP
from linkage_hub.linkage.similarity.sides import bit_order, prepare
from linkage_hub.linkage.similarity.tiles import Ask, compare, needed

Matrix = NDArray[np.uint8]
Triples = set[tuple[int, int, float]]
ALL = 1 << 40


def silent(_share: float, _message: str) -> None:
    """Hear nothing."""


def records(count: int, width: int, seed: int, families: int = 12) -> Matrix:
    """Rows that resemble one another in groups, as people of one family do; some are empty."""
    rng = np.random.default_rng(seed)
    base = rng.random((families, width * 8)) < rng.uniform(0.2, 0.6, (families, 1))
    noise = rng.random((count, width * 8)) < rng.choice([0.0, 0.02, 0.1, 0.2], (count, 1))
    bits = base[rng.integers(0, families, count)] ^ noise
    bits[rng.random(count) < 0.05] = False
    return np.packbits(bits, axis=1)


def reference(first: Matrix, second: Matrix, floor: float) -> Triples:
    """Anonlink's pairs."""
    found, (left, right) = dice_coefficient_python((_filters(first), _filters(second)), floor)
    return set(zip(left, right, found, strict=True))


def _filters(rows: Matrix) -> list[bitarray]:
    filters = []
    for row in rows:
        bits = bitarray(endian="big")
        bits.frombytes(row.tobytes())
        filters.append(bits)
    return filters


def pairs(found: NDArray[np.int32], first: Matrix, second: Matrix) -> list[tuple[int, int, float]]:
    """Record numbers with the similarity that the common bits mean."""
    ones = [np.bitwise_count(each).sum(axis=1, dtype=np.int64) for each in (first, second)]
    left, right = found[:, 0], found[:, 1]
    dice = 2.0 * found[:, 2] / (ones[0][left] + ones[1][right])
    return list(zip(left.tolist(), right.tolist(), dice.tolist(), strict=True))


def joined(
    datasets: Sequence[Matrix], wanted: Sequence[Wanted], **options: object
) -> list[NDArray[np.int32]]:
    """The tiles of each wanted pair of datasets together."""
    parts: list[list[NDArray[np.int32]]] = [[np.empty((0, 3), np.int32)] for _ in wanted]
    for number, found in join(datasets, wanted, progress=silent, **options):  # type: ignore[arg-type]
        parts[number].append(found)
    return [np.concatenate(each) for each in parts]


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.tuples(st.integers(1, 150), st.integers(1, 150)),
    width=st.sampled_from([1, 7, 8, 16, 32, 100, 128, 256]),
    floor=st.sampled_from([0.5, 2 / 3, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0]) | st.floats(0.4, 1.0),
    words=st.sampled_from([1, 2, 3, 5, 8, 16]),
    groups=st.sampled_from([2, 8]),
    seed=st.integers(0, 1 << 32),
)
def test_tile_equals_anonlink(
    sizes: tuple[int, int], width: int, floor: float, words: int, groups: int, seed: int
) -> None:
    """Whatever sketch, tile and width: the same pairs with the same doubles, each once."""
    first, second = records(sizes[0], width, seed), records(sizes[1], width, seed)
    order = bit_order([first, second])
    words = min(words, len(order) // 64)
    sides = prepare(first, order, words), prepare(second, order, words)
    ask = Ask(floor, words, ALL)
    found = pairs(compare(*sides, ask, groups), first, second)
    assert len(found) == len(set(found))
    assert set(found) == reference(first, second, floor)


@pytest.mark.parametrize("floor", [0.5, 0.8, 2 / 3])
def test_pairs_exactly_at_the_floor_are_kept(floor: float) -> None:
    """A similarity equal to the floor in doubles counts, one bit less does not."""
    first = np.zeros((400, 128), dtype=np.uint8)
    bits = np.zeros((400, 1024), dtype=np.uint8)
    for row in range(400):
        bits[row, row : row + 60 + row % 40] = 1
    first = np.packbits(bits, axis=1)
    sides = prepare(first, bit_order([first]), 4)
    found = set(pairs(compare(sides, sides, Ask(floor, 4, ALL)), first, first))
    wanted = reference(first, first, floor)
    assert found == wanted
    assert any(each[2] == floor for each in wanted)


def test_across_the_borders_of_tiles_every_pair_comes_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However the two datasets are cut."""
    monkeypatch.setattr(join_module, "TILE_ROWS", 100)
    monkeypatch.setattr(join_module, "TILE_COLUMNS", 170)
    first, second = records(450, 128, 3), records(400, 128, 3)
    (found,) = joined([first, second], [Wanted(0, 1, 0.8, ALL)])
    got = pairs(found, first, second)
    assert len(got) == len(set(got))
    assert set(got) == reference(first, second, 0.8)


def test_needed_bits_are_what_division_says() -> None:
    """The table of needed bits agrees with dividing in doubles for every sum."""
    for floor in (0.4, 0.75, 0.8, 0.85, 2 / 3, 0.9, 1.0):
        need = needed(256, floor)
        for ones in range(1, 513):
            assert 2.0 * need[ones] / ones >= floor
            assert need[ones] == 0 or 2.0 * (need[ones] - 1) / ones < floor


def test_executors_and_tiles_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads and processes give the same pairs in the same order."""
    monkeypatch.setattr(join_module, "TILE_ROWS", 150)
    datasets = [records(400, 128, 1), records(300, 128, 1), records(200, 128, 1)]
    wanted = [Wanted(0, 1, 0.8, ALL), Wanted(0, 2, 0.7, ALL), Wanted(1, 2, 0.9, ALL)]
    expected = joined(datasets, wanted)
    with ThreadPoolExecutor(3) as threads:
        assert all(map(np.array_equal, joined(datasets, wanted, executor=threads), expected))
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        assert all(map(np.array_equal, joined(datasets, wanted, executor=processes), expected))


def test_a_crowded_row_keeps_its_most_similar_pairs() -> None:
    """A cap bounds what one row keeps, ties to the first columns."""
    first, second = records(50, 128, 9, families=1), records(4000, 128, 9, families=1)
    order = bit_order([first, second])
    sides = prepare(first, order, 4), prepare(second, order, 4)
    every = pairs(compare(*sides, Ask(0.5, 4, ALL)), first, second)
    found = pairs(compare(*sides, Ask(0.5, 4, 20)), first, second)
    for row in range(50):
        own = sorted((-dice for a, _, dice in every if a == row))
        assert sorted(-dice for a, _, dice in found if a == row) == own[:20]


def test_finished_tiles_are_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a stop only what was not finished is done again; a damaged tile is done again too."""
    monkeypatch.setattr(join_module, "TILE_ROWS", 100)
    datasets, wanted = [records(500, 128, 4)] * 2, [Wanted(0, 1, 0.8, ALL)]
    (expected,) = joined(datasets, wanted)
    stopped = join(datasets, wanted, folder=tmp_path, progress=silent)
    assert isinstance(stopped, Generator)
    next(stopped)
    next(stopped)
    stopped.close()
    files = sorted(tmp_path.glob("*/*.tile"))
    assert len(files) >= 2
    files[0].write_bytes(files[0].read_bytes()[:-3] + b"abc")
    kept = files[1].stat().st_mtime_ns
    told: list[str] = []
    parts = join(datasets, wanted, folder=tmp_path, progress=lambda _share, step: told.append(step))
    found = np.concatenate([part for _, part in parts])
    assert np.array_equal(found, expected)
    assert told.count(TAKEN_UP) == len(files) - 1, "progress says what of it was no work"
    assert files[1].stat().st_mtime_ns == kept
    (other,) = joined(datasets, [Wanted(0, 1, 0.9, ALL)], folder=tmp_path)
    assert len(other) < len(expected)
