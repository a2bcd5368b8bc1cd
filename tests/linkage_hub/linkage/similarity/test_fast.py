"""The fast mode finds nearly what the exact join finds, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from linkage_hub.linkage.similarity import fast as fast_module
from linkage_hub.linkage.similarity.fast import deal, fast_join, key_bits
from linkage_hub.linkage.similarity.join import Wanted, join
from linkage_hub.linkage.similarity.sides import as_words

CAP = 1 << 40
Matrix = NDArray[np.uint8]


def silent(_share: float, _message: str) -> None:
    """Hear nothing."""


def people(count: int, seed: int) -> list[Matrix]:
    """Two datasets of the same people, their bits set and lost at several rates."""
    rng = np.random.default_rng(seed)
    bits = rng.random((count, 1024)) < rng.uniform(0.1, 0.8, 1024)
    flipped = rng.random((count, 1024)) < rng.uniform(0.0, 0.18, (count, 1))
    return [np.packbits(bits, axis=1), np.packbits(bits ^ flipped, axis=1)]


def told(
    datasets: list[Matrix], wanted: list[Wanted], *, exact: bool, **options: object
) -> list[tuple[int, int, int, int]]:
    """Pairs with the place of what was wanted."""
    run = join if exact else fast_join
    found = run(datasets, wanted, progress=silent, **options)  # type: ignore[arg-type]
    return [(number, a, b, common) for number, part in found for a, b, common in part.tolist()]


def test_recall_is_high_and_nothing_is_invented(monkeypatch: pytest.MonkeyPatch) -> None:
    """At least .995 of the exact pairs, each once, with the same common bits."""
    monkeypatch.setattr(fast_module, "key_bits", lambda *_arguments: 16)
    datasets = [*people(4000, 1), people(4000, 1)[0][::2]]
    wanted = [Wanted(0, 1, 0.8, CAP), Wanted(0, 2, 0.8, CAP)]
    every = set(told(datasets, wanted, exact=True))
    found = told(datasets, wanted, exact=False)
    assert len(found) == len(set(found))
    assert set(found) <= every
    assert len(found) >= 0.995 * len(every)
    assert len(every) > 3000


def test_same_seed_same_pairs_on_any_executor(tmp_path: Path) -> None:
    """Fast mode is deterministic, and goes on from finished tables."""
    datasets, wanted = people(1500, 2), [Wanted(0, 1, 0.8, CAP)]
    expected = told(datasets, wanted, exact=False)
    with ThreadPoolExecutor(3) as threads:
        assert told(datasets, wanted, exact=False, executor=threads, folder=tmp_path) == expected
    assert len(list(tmp_path.glob("*/*.tile"))) == 64
    assert told(datasets, wanted, exact=False, folder=tmp_path) == expected


def test_few_records_are_compared_nearly_all() -> None:
    """Keys are as short as the number of records allows."""
    rng = np.random.default_rng(0)
    lengths = [
        key_bits(
            as_words(rng.integers(0, 256, (count, 128), dtype=np.uint8)),
            np.arange(count) % 3,
            np.arange(1024),
        )
        for count in (500, 5_000, 50_000)
    ]
    assert lengths == sorted(lengths)
    assert lengths[0] < 6 < lengths[2]


def test_a_huge_bucket_is_left_out_and_the_rest_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of copies of a placeholder cost no quadratic time; people beside are found."""
    monkeypatch.setattr(fast_module, "BUCKET_MOST", 500)
    first, second = people(1000, 3)
    copies = np.repeat(first[:1] ^ 255, 3000, axis=0)
    datasets, wanted = [np.concatenate([first, copies]), second], [Wanted(0, 1, 0.8, CAP)]
    expected = set(told(datasets, wanted, exact=True))
    found = set(told(datasets, wanted, exact=False))
    assert found <= expected
    assert len(found) >= 0.99 * len(expected)
    assert not told([datasets[0], copies], [Wanted(0, 1, 1.0, CAP)], exact=False)


def near(row: Matrix, count: int, seed: int, share: float) -> Matrix:
    """Rows that differ from one in a share of their bits."""
    bits = np.unpackbits(row) ^ (np.random.default_rng(seed).random((count, 1024)) < share)
    return np.packbits(bits, axis=1)


@pytest.mark.invariant(19, "variants of one person's encoding that fill the buckets")
def test_a_flood_of_variants_hides_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who fills a person's buckets is left out of them; pairs of other datasets stay the same."""
    monkeypatch.setattr(fast_module, "BUCKET_MOST", 300)
    first, second = people(2000, 4)
    expected = set(told([first, second], [Wanted(0, 1, 0.8, CAP)], exact=False))
    victims = {row for _, row, _, _ in expected}
    assert 0 in victims
    flood = near(first[0], 600, 5, 0.005)
    wanted = [Wanted(0, 1, 0.8, CAP), Wanted(0, 2, 0.8, CAP), Wanted(1, 2, 0.8, CAP)]
    found = {pair for pair in told([first, second, flood], wanted, exact=False) if pair[0] == 0}
    assert 0 in {row for _, row, _, _ in found}
    assert len(found & expected) >= 0.99 * len(expected)


def test_a_flood_makes_no_keys_longer() -> None:
    """One dataset full of one encoding does not lengthen keys, by which all would find less."""
    first, second = people(3000, 6)
    flood = near(first[0], 12_000, 7, 0.005)
    rows = [as_words(each) for each in (first, second, flood)]
    owner = np.repeat([0, 1, 2], [len(each) for each in rows])
    order = np.arange(1024)
    with_flood = key_bits(np.concatenate(rows), owner, order)
    assert with_flood <= key_bits(np.concatenate(rows[:2]), owner[:6000], order) + 2


@pytest.mark.invariant(19, "variants of one person's encoding that crowd out the others")
def test_copies_in_one_dataset_take_no_place_from_another() -> None:
    """A record's most similar pairs are counted by dataset: copies leave room for the others."""
    first, second = people(60, 8)
    flood = np.repeat(first, 40, axis=0)
    wanted = [Wanted(0, 1, 0.8, 20), Wanted(0, 2, 0.8, 20), Wanted(1, 2, 0.8, 20)]
    expected = set(told([first, second], [Wanted(0, 1, 0.8, 20)], exact=False))
    found = set(told([first, second, flood], wanted, exact=False))
    assert len(expected) > 50
    assert expected <= found


def test_bits_are_dealt_evenly() -> None:
    """No bit is in two tables before every bit is in one, and a table has each stratum."""
    dealt = deal(1024, 64, 16)
    assert sorted(dealt.ravel().tolist()) == list(range(1024))
    assert all((np.sort(table) // 64 == np.arange(16)).all() for table in dealt)
