"""Weights of pairs within a source, as its agent found them."""

import numpy as np

from linkage_hub.linkage.duplicates import MOST_LOSS, Duplicates
from linkage_hub.linkage.weighing import weigh_within


def chain(length: int) -> Duplicates:
    """Records in a row of which neighbours are named, and no others."""
    left = np.arange(length - 1)
    return Duplicates(left, left + 1, np.full(length - 1, 0.95))


def test_beside_other_sources_an_unnamed_pair_speaks_fully_against_one_person() -> None:
    """However many third sides the agent leaves unnamed."""
    found = weigh_within([chain(200), Duplicates.none()])
    assert [each.loss for each in found] == [MOST_LOSS, MOST_LOSS]
    assert np.allclose(found[0].weight, 0.9)
    assert (found[0].block.first, found[0].block.second) == (0, 0)


def test_in_a_source_alone_it_speaks_as_far_as_triples_are_named() -> None:
    """A chain names no third side, so that its absence says nearly nothing."""
    (dirty,) = weigh_within([chain(200)])
    (clean,) = weigh_within([Duplicates.none()])
    assert dirty.loss < 0.1 < clean.loss < MOST_LOSS
