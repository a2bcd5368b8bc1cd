"""Candidate pairs as a hub finds them: floors, views, caps, and anonlink's arrays."""

import warnings

import numpy as np
import pytest
from numpy.typing import NDArray

from linkage_hub.linkage import candidates as module
from linkage_hub.linkage.candidates import anonlink_pairs, combine, find_candidates
from linkage_hub.linkage.errors import LinkageError

Encodings = NDArray[np.uint8]


def sources(count: int, views: int, seed: int = 5) -> list[Encodings]:
    """Three sources of the same people under several views, with their own noise."""
    rng = np.random.default_rng(seed)
    truth = rng.random((views, count, 1024)) < 0.45
    found = []
    for noise in (0.0, 0.04, 0.08):
        bits = truth ^ (rng.random(truth.shape) < noise)
        found.append(np.packbits(bits, axis=2))
    return found


def every_similarity(first: Encodings, second: Encodings) -> NDArray[np.float64]:
    """Dice of one view, of several the soft largest of their shares of equal bits, (n, m)."""
    if len(first) == 1:
        ones = [np.bitwise_count(each[0]).sum(axis=1, dtype=np.int64) for each in (first, second)]
        common = np.stack(
            [np.bitwise_count(second[0] & row).sum(axis=1, dtype=np.int64) for row in first[0]]
        )
        return np.asarray(2.0 * common / (ones[0][:, None] + ones[1][None, :]))
    unlike = np.stack(
        [
            np.stack([np.bitwise_count(b ^ row).sum(axis=1, dtype=np.int64) for row in a])
            for a, b in zip(first, second, strict=True)
        ]
    )
    equal = 1.0 - unlike / (8.0 * first.shape[2])
    return np.asarray(np.log(np.exp(equal * 64 / 3).mean(axis=0)) * 3 / 64)


@pytest.mark.parametrize("views", [1, 3])
def test_every_pair_at_its_floor_is_found(views: int) -> None:
    """Whatever the number of views: all pairs whose similarity is at the floor, and no other."""
    datasets = sources(150, views)
    blocks = find_candidates(datasets)
    assert [(block.first, block.second) for block in blocks] == [
        (a, b) for a in range(3) for b in range(a + 1, 3)
    ]
    for block in blocks:
        every = every_similarity(datasets[block.first], datasets[block.second])
        rows, columns = np.nonzero(every >= block.floor)
        assert set(zip(block.left, block.right, strict=True)) == set(
            zip(rows, columns, strict=True)
        )
        assert (np.diff(block.similarity) <= 0).all()
        assert block.similarity == pytest.approx(every[block.left, block.right], abs=1e-12)
        assert combine(block.views.astype(np.float64)) == pytest.approx(block.similarity, abs=1e-6)


def test_fast_mode_keeps_nothing_below_its_floor() -> None:
    """Every pair is one of the exact mode's, and true pairs are there."""
    datasets = sources(400, 1)
    exact = {(b.first, b.second): b for b in find_candidates(datasets)}
    for block in find_candidates(datasets, mode="fast"):
        reference = exact[block.first, block.second]
        known = dict(
            zip(
                zip(reference.left, reference.right, strict=True), reference.similarity, strict=True
            )
        )
        assert block.floor >= module.FAST_FLOOR
        for left, right, dice in zip(block.left, block.right, block.similarity, strict=True):
            assert known[left, right] == dice >= block.floor
        assert (block.left == block.right).sum() == 400


def test_a_small_budget_raises_floors(monkeypatch: pytest.MonkeyPatch) -> None:
    """All pairs together stay near the number that memory is meant for."""
    datasets = sources(600, 1)
    many = sum(len(block.left) for block in find_candidates(datasets))
    monkeypatch.setattr(module, "PAIRS_MOST", 6_000)
    few = sum(len(block.left) for block in find_candidates(datasets))
    assert many > 3 * few
    assert few < 12_000


def test_copies_of_one_record_are_capped() -> None:
    """A placeholder that fills two sources keeps a bounded number of pairs for each row."""
    copies = np.repeat(sources(1, 1)[0], 900, axis=1)
    (block,) = find_candidates([copies, copies], per_record=2)
    assert np.bincount(block.left).max() == 2 * module.CAP_FACTOR


def test_anonlink_takes_the_pairs() -> None:
    """Anonlink's solver links the true pairs from the arrays that it is given."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from anonlink.solving import greedy_solve, pairs_from_groups  # noqa: PLC0415

    first, _, third = sources(200, 1)
    blocks = find_candidates([first, third])
    links = pairs_from_groups(greedy_solve(anonlink_pairs(blocks)))
    assert sum(a == b for a, b in links) == 200


def test_empty_sources_and_other_shapes() -> None:
    """A source without records has no block; arrays that do not fit are refused."""
    first, second, _ = sources(50, 1)
    blocks = find_candidates([first, second[:, :0]])
    assert blocks == []
    assert find_candidates([first]) == []
    with pytest.raises(LinkageError):
        find_candidates([first, second[:, :, :64]])
    with pytest.raises(LinkageError):
        find_candidates([first[0]])
