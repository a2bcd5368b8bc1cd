"""The hardening benchmark ranks as a plain count does."""

import numpy as np

from benchmarks.hardening.ranking import (
    COMBINATIONS,
    recall_of_best,
    recall_over,
    similarity_of_all,
)


def test_shares_and_ranks_equal_the_plain_definition() -> None:
    """Equal bits of every pair and view, the five best, pairs over a floor, counted one by one."""
    rng = np.random.default_rng(1)
    first, second = (rng.integers(0, 256, (2, n, 16), dtype=np.uint8) for n in (8, 12))
    second[:, :8] = first ^ (rng.random((2, 8, 16)) < 0.2).astype(np.uint8)
    views = similarity_of_all(first, second)
    for view, a, b in np.ndindex(2, 8, 12):
        unlike = np.bitwise_count(first[view, a] ^ second[view, b]).sum(dtype=np.int64)
        assert np.isclose(views[view, a, b], 1 - unlike / 128)
    (dice,) = similarity_of_all(first[:1], second[:1])
    common = np.bitwise_count(first[0, 0] & second[0, 0]).sum(dtype=np.int64)
    ones = [np.bitwise_count(each[0, 0]).sum(dtype=np.int64) for each in (first, second)]
    assert np.isclose(dice[0, 0], 2 * common / sum(ones))
    same = np.eye(8, 12, dtype=np.bool_)
    mean = COMBINATIONS["mean"](views)
    wanted = sum(at in np.argsort(-mean[at])[:5] for at in range(8)) / 8
    assert recall_of_best(mean, same) == wanted
    assert recall_over(views, same, 0.0) == 1.0
    assert recall_over(views, same, 1.1) == 0.0
