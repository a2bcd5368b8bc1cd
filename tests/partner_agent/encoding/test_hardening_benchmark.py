"""The hardening benchmark ranks as a plain count does."""

import numpy as np

from benchmarks.hardening.ranking import COMBINATIONS, dice_of_all, recall_of_best, recall_over


def test_dice_and_ranks_equal_the_plain_definition() -> None:
    """Dice of every pair and view, the five best, and pairs over a floor, counted one by one."""
    rng = np.random.default_rng(1)
    first, second = (rng.integers(0, 256, (2, n, 16), dtype=np.uint8) for n in (8, 12))
    second[:, :8] = first ^ (rng.random((2, 8, 16)) < 0.2).astype(np.uint8)
    views = dice_of_all(first, second)
    for view, a, b in np.ndindex(2, 8, 12):
        bits = [np.bitwise_count(each).sum() for each in (first[view, a], second[view, b])]
        common = np.bitwise_count(first[view, a] & second[view, b]).sum()
        assert np.isclose(views[view, a, b], 2 * common / sum(bits))
    same = np.eye(8, 12, dtype=np.bool_)
    mean = COMBINATIONS["mean"](views)
    wanted = sum(at in np.argsort(-mean[at])[:5] for at in range(8)) / 8
    assert recall_of_best(mean, same) == wanted
    assert recall_over(views, same, 0.0) == 1.0
    assert recall_over(views, same, 1.1) == 0.0
