"""Which pairs of two sources are asked about."""

import numpy as np

from linkage_hub.linkage.candidates import PairBlock
from linkage_hub.linkage.weighing import Weighed
from linkage_hub.refinement.selection import grey_of_block


def test_the_likeliest_pair_of_a_record_is_asked_before_the_most_similar() -> None:
    """A pair's own evidence decides, not its Dice similarity alone."""
    block = PairBlock(
        0,
        1,
        np.array([0.9, 0.8, 0.7]),
        np.array([0, 0, 1]),
        np.array([0, 1, 1]),
        0.5,
        np.zeros((3, 1), dtype=np.float32),
    )
    likely = np.array([0.1, 0.6, 0.3])
    weighed = Weighed(block, np.zeros(3), np.zeros(3), 0.5, likely, likely)
    asked = grey_of_block(weighed, (2, 2), 1)
    assert asked.tolist() == [1]
