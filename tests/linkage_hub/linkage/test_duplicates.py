"""One source alone: duplicates that the encodings hide, and what its agent says of them."""

import numpy as np

from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.candidates import PairBlock, find_candidates
from linkage_hub.linkage.duplicates import FULL_BITS, weigh_alone
from linkage_hub.linkage.persons import link_candidates
from linkage_hub.refinement.questions import persons_questions
from tests.linkage_hub.linkage.test_persons import noisy, people

NOTHING = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.bool_)


def block(*pairs: tuple[int, int]) -> PairBlock:
    """Candidate pairs of one source."""
    left, right = np.array(pairs, dtype=np.int64).T
    similarity = np.linspace(0.9, 0.8, len(left))
    return PairBlock(0, 0, similarity, left, right, 0.5, similarity[:, None].astype(np.float32))


def test_a_pair_that_looks_unlike_does_not_part_two_that_are_like_a_third() -> None:
    """An unlikely pair says nothing by itself, and a denied one speaks against."""
    triangle = block((0, 1), (0, 2), (1, 2))
    likely = np.array([0.99, 0.98, 0.1])
    (silent,) = weigh_alone([triangle], [likely], [NOTHING])
    assert silent.weight[2] == 0.0
    assert silent.probability[2] == 0.0
    assert (silent.weight[:2] > 0.5).all()
    said = np.array([2]), np.array([False])
    (denied,) = weigh_alone([triangle], [likely], [said])
    assert -4.0 / FULL_BITS < denied.weight[2] < 0.0


def test_a_no_says_less_where_triples_show_that_matches_are_often_denied() -> None:
    """Third sides of triples that are answered no tell how often a match is."""
    stars = [(3 * star, 3 * star + tip) for star in range(60) for tip in (1, 2)]
    sides = [(3 * star + 1, 3 * star + 2) for star in range(60)]
    (alone,) = weigh_alone([block(*sides)], [np.full(60, 0.1)], [(np.arange(60), np.zeros(60) > 0)])
    likely = np.repeat([0.9, 0.1], [120, 60])
    told = np.arange(180), np.arange(180) < 120
    (beside,) = weigh_alone([block(*stars, *sides)], [likely], [told])
    assert alone.weight[0] < -0.1 < beside.weight[120] < 0.0


def test_an_agent_that_cannot_tell_takes_little_away() -> None:
    """Where hardly any of many likely pairs is answered yes, the rows are too dirty to agree."""
    pairs = block(*((2 * at, 2 * at + 1) for at in range(400)))
    likely = np.full(400, 0.9)
    (few,) = weigh_alone([pairs], [likely], [(np.arange(400), np.arange(400) < 36)])
    assert (few.weight[36:] > 0.0).all()
    assert (few.weight[:36] > few.weight[40]).all()


def test_absent_pairs_weigh_less_where_triples_show_that_many_are_absent() -> None:
    """Candidates that hold few third sides of triples lack pairs of one person."""
    stars = [(5 * star, 5 * star + tip) for star in range(30) for tip in range(1, 5)]
    sides = [
        (5 * s + a, 5 * s + b) for s in range(30) for a in range(1, 5) for b in range(a + 1, 5)
    ]
    (open_,) = weigh_alone([block(*stars)], [np.full(len(stars), 0.99)], [NOTHING])
    whole = block(*stars, *sides)
    (closed,) = weigh_alone([whole], [np.full(len(whole.left), 0.99)], [NOTHING])
    assert open_.loss < 0.1 < closed.loss


def test_the_agent_of_a_source_alone_finds_duplicates_that_encodings_hide() -> None:
    """Questions are asked about pairs within a source, and a yes makes one person of two."""
    first = people(300, 1)
    source = np.concatenate([first, noisy(first[:, :60], 2, 0.22)], axis=1)
    blocks, sizes = find_candidates([source]), [360]
    asked = persons_questions(
        blocks,
        sizes,
        asked=[np.zeros(360, dtype=np.int64)],
        per_record=4,
        most=10_000,
        exclude=np.empty((0, 4), dtype=np.int64),
    )
    assert len(asked)
    assert (asked[:, :2] == 0).all()
    assert np.bincount(asked[:, 2:].ravel(), minlength=360).max() <= 4
    yes = asked[:, 3] - asked[:, 2] == 300
    first_of, second_of, left, right = asked.T
    told = PairAnswers(first_of, second_of, left, right, yes)
    persons = link_candidates(blocks, sizes, decisions=told).person_of[0]
    twins = persons[300:] == persons[:60]
    assert twins[np.isin(np.arange(60), asked[yes, 2])].all()
    assert len(np.unique(persons)) >= 300
