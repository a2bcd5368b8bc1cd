"""Persons from invented encodings: duplicates, strangers, answers, rulings, order."""

import numpy as np
import pytest

from governance.exchange.hub_api import Solver
from linkage_hub.linkage.answers import PairAnswers
from linkage_hub.linkage.candidates import Encodings, PairBlock, find_candidates
from linkage_hub.linkage.duplicates import Duplicates
from linkage_hub.linkage.errors import LinkageError
from linkage_hub.linkage.fitting import Problem, first_guesses
from linkage_hub.linkage.persons import (
    LinkResult,
    expected_recall,
    link,
    link_candidates,
)
from linkage_hub.linkage.scoring import Filters, block_evidence
from linkage_hub.linkage.weighing import Weighed, first_stage
from linkage_hub.quality.removal import without_synthetic
from linkage_hub.refinement.questions import persons_questions

WIDTH = 128


def people(count: int, seed: int) -> Encodings:
    """Full encodings of as many people, two bits in five set, uint8 (1, count, 128)."""
    bits = np.random.default_rng(seed).random((count, 8 * WIDTH)) < 0.4
    return np.packbits(bits, axis=1)[None]


def noisy(encodings: Encodings, seed: int, share: float = 0.08) -> Encodings:
    """The same people with some bits changed."""
    flips = np.random.default_rng(seed).random((encodings.shape[1], 8 * WIDTH)) < share
    return encodings ^ np.packbits(flips, axis=1)[None]


def answers(*rows: tuple[int, int, int, int, bool]) -> PairAnswers:
    """Answers from rows (first, second, left, right, yes)."""
    table = np.array([row[:4] for row in rows], dtype=np.int64).reshape(-1, 4)
    first, second, left, right = table.T
    return PairAnswers(
        first, second, left, right, np.array([row[4] for row in rows], dtype=np.bool_)
    )


def twice(*pairs: tuple[int, int], probability: float = 0.97) -> Duplicates:
    """What an agent says of its own records."""
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return Duplicates(left, right, np.full(len(left), probability))


def _all(pairs: Duplicates) -> tuple[np.ndarray, ...]:
    return pairs.left, pairs.right, pairs.probability


TOLD = [twice(*((at, 115 + at) for at in range(5))), twice(), twice()]
"""Of the three sources."""


@pytest.fixture(scope="module")
def three() -> list[Encodings]:
    """Three sources of 120: sixty in all, sixty in one only; five twice in the first."""
    common = people(60, 1)
    first = np.concatenate([common, people(55, 2), noisy(common[:, :5], 3)], axis=1)
    second = np.concatenate([noisy(common, 4), people(60, 5)], axis=1)
    third = np.concatenate([noisy(common, 6), people(60, 7)], axis=1)
    return [first, second, third]


@pytest.fixture(scope="module")
def linked(three: list[Encodings]) -> LinkResult:
    """Linked as a run does."""
    return link(three, duplicates=TOLD)


def test_the_same_people_are_linked_and_strangers_are_not(linked: LinkResult) -> None:
    """Sixty persons in three sources, and each of the others alone."""
    first, second, third = linked.person_of
    assert (first[:60] == second[:60]).mean() > 0.95
    assert (first[:60] == third[:60]).mean() > 0.95
    assert len(np.unique(np.concatenate([first[60:115], second[60:], third[60:]]))) == 175


def test_duplicates_within_a_source_are_kept_together(linked: LinkResult) -> None:
    """A record and its duplicate in one source are one person with those of other sources."""
    first = linked.person_of[0]
    assert (first[115:] == first[:5]).all()


def test_nothing_but_the_agents_word_joins_two_records_of_a_source(
    three: list[Encodings],
) -> None:
    """The same encodings without it, or with it for two strangers, part and join as it says."""
    apart = link(three).person_of[0]
    assert not (apart[115:] == apart[:5]).any()
    told = [twice((70, 71)), twice(), twice()]
    joined = link(three, duplicates=told).person_of[0]
    assert joined[70] == joined[71]


def test_persons_of_a_source_alone_are_clusters_of_its_agents_pairs(
    three: list[Encodings],
) -> None:
    """No encoding is looked at; where the agent names third sides, a chain without one is cut."""
    one = three[0]
    triples = [(at + a, at + b) for at in range(20, 110, 3) for a, b in ((0, 1), (0, 2), (1, 2))]
    told = twice((0, 1), (2, 3), (2, 4), (3, 4), *triples)
    chain = twice((10, 11), (11, 12), probability=0.6)
    told = Duplicates(*(np.concatenate(each) for each in zip(_all(told), _all(chain), strict=True)))
    found = link([one], duplicates=[told])
    person = found.person_of[0]
    assert len({person[at] for at in (2, 3, 4)}) == 1
    assert person[0] == person[1] != person[2]
    assert len({person[at] for at in (10, 11, 12)}) == 2
    assert found.estimate.precision == pytest.approx(0.962, abs=0.002)
    assert found.pairs[0].threshold == 0.5


def test_absent_pairs_weigh_less_where_triples_show_that_many_are_absent() -> None:
    """An agent that names few third sides of triples misses pairs of one person."""
    stars = [(5 * star, 5 * star + tip) for star in range(30) for tip in range(1, 5)]
    sides = [
        (5 * s + a, 5 * s + b) for s in range(30) for a in range(1, 5) for b in range(a + 1, 5)
    ]
    assert twice(*stars).absence() < 0.1 < twice().absence() < twice(*stars, *sides).absence()
    many = link([people(150, 1)], duplicates=[twice(*stars)]).person_of[0]
    assert len(set(many.tolist())) == 30


def test_a_few_wrong_pairs_of_one_partner_join_nobody_whom_others_hold_apart() -> None:
    """Two people that three sources hold stay two, whatever one agent says of its own rows."""
    common = people(60, 21)
    sources = [noisy(common, seed) for seed in (22, 23, 24)]
    told = [twice((0, 1), probability=1.0), twice(), twice()]
    persons = link(sources, duplicates=told).person_of
    assert persons[1][0] != persons[1][1]
    assert persons[1][0] == persons[2][0]
    assert persons[1][1] == persons[2][1]


def test_duplicates_of_records_that_are_not_there_are_refused(three: list[Encodings]) -> None:
    """A row number past the end, or a pair out of order, says so."""
    for wrong in (twice((3, 120)), twice((4, 4)), twice((5, 2))):
        with pytest.raises(LinkageError, match="duplicates"):
            link([three[0]], duplicates=[wrong])


def test_two_runs_are_alike(three: list[Encodings], linked: LinkResult) -> None:
    """The same encodings give the same persons."""
    again = link(three, duplicates=TOLD)
    assert all(map(np.array_equal, again.person_of, linked.person_of))


def test_records_in_another_order_give_the_same_persons(
    three: list[Encodings], linked: LinkResult
) -> None:
    """Shuffled rows give the same partition."""
    moved = np.random.default_rng(9).permutation(three[0].shape[1])
    new = np.argsort(moved)
    pairs = np.sort(np.column_stack([new[TOLD[0].left], new[TOLD[0].right]]), axis=1)
    left, right = np.ascontiguousarray(pairs.T)
    own = Duplicates(left, right, TOLD[0].probability)
    shuffled = link([three[0][:, moved], *three[1:]], duplicates=[own, *TOLD[1:]])
    before = np.concatenate([linked.person_of[0][moved], *linked.person_of[1:]])
    after = np.concatenate(shuffled.person_of)
    pairs = np.unique(np.column_stack([before, after]), axis=0)
    assert len(pairs) == len(np.unique(before)) == len(np.unique(after))


def test_files_that_share_nobody_give_nearly_no_links() -> None:
    """Of 300 strangers in each of two files fewer than one in a hundred is linked."""
    found = link([people(300, 11), people(300, 12)])
    assert found.persons >= 597


@pytest.mark.parametrize("solver", ["average", "anonlink"])
def test_decisions_and_rulings_prevail_over_the_encodings(
    three: list[Encodings], solver: Solver
) -> None:
    """A no parts what looks alike; must-link joins strangers; cannot-link parts duplicates."""
    blocks = find_candidates(three)
    sizes = [each.shape[1] for each in three]
    found = link_candidates(
        blocks,
        sizes,
        encodings=three,
        duplicates=TOLD,
        decisions=answers((0, 1, 10, 10, False), (0, 2, 10, 10, False)),
        ruled=answers((0, 1, 70, 70, True), (0, 0, 0, 115, False)),
        solver=solver,
    )
    first, second, third = found.person_of
    assert first[10] not in {second[10], third[10]}
    assert first[70] == second[70]
    assert first[0] != first[115]
    assert not found.conflicts


def test_answers_are_evidence_and_no_certainty(three: list[Encodings]) -> None:
    """One no about a pair of which all others of its kind were answered yes parts nobody."""
    blocks = find_candidates(three)
    sizes = [each.shape[1] for each in three]
    plain = link_candidates(blocks, sizes, encodings=three)
    pair = next(each for each in plain.pairs if (each.first, each.second) == (0, 1))
    rows = np.flatnonzero(pair.probability >= 0.5)
    said = [(0, 1, int(pair.left[at]), int(pair.right[at]), True) for at in rows]
    said[0] = (*said[0][:4], False)
    found = link_candidates(blocks, sizes, encodings=three, decisions=answers(*said))
    assert found.person_of[0][said[0][2]] == found.person_of[1][said[0][3]]
    strangers = answers((0, 1, 3, 100, True))  # no candidates: an answer that nobody asked for
    same = link_candidates(blocks, sizes, encodings=three, decisions=strangers)
    assert all(map(np.array_equal, same.person_of, plain.person_of))


def test_contradicting_rulings_are_reported(three: list[Encodings]) -> None:
    """The binding ruling that two others make impossible is named by its row."""
    sizes = [each.shape[1] for each in three]
    ruled = answers((0, 1, 0, 0, True), (0, 2, 0, 0, False), (1, 2, 0, 0, True))
    found = link_candidates(find_candidates(three), sizes, encodings=three, ruled=ruled)
    assert found.conflicts == [2]


def test_rulings_part_what_an_agent_holds_for_one(three: list[Encodings]) -> None:
    """Of two rows that an agent takes for one person, one is somebody and the other is not."""
    sizes = [each.shape[1] for each in three]
    ruled = answers((0, 1, 0, 0, True), (0, 1, 115, 0, False))
    found = link_candidates(
        find_candidates(three), sizes, encodings=three, duplicates=TOLD, ruled=ruled
    )
    first, second, _ = found.person_of
    assert first[0] == second[0] != first[115]
    assert found.conflicts == []


def test_a_ruling_that_two_agents_rows_make_impossible_is_reported(three: list[Encodings]) -> None:
    """Rulings that records alone could follow and entries cannot: the run says which it left."""
    sizes = [each.shape[1] for each in three]
    told = [TOLD[0], twice((0, 70)), twice()]
    ruled = answers((0, 1, 115, 0, True), (1, 2, 70, 0, True), (0, 2, 0, 0, False))
    found = link_candidates(
        find_candidates(three), sizes, encodings=three, duplicates=told, ruled=ruled
    )
    first, second, third = found.person_of
    assert found.conflicts == [1]
    assert first[115] == second[0] == second[70] != third[0] != first[0]


def test_a_person_without_a_record_is_held_together_by_answers_and_rulings(
    three: list[Encodings],
) -> None:
    """What joined by a yes on a lost pair, a ruling or a duplicate stays one without a third."""
    sizes = [each.shape[1] for each in three]
    ruled = answers((0, 1, 70, 70, True), (1, 2, 70, 71, True), (0, 2, 70, 71, True))
    found = link_candidates(
        find_candidates(three), sizes, encodings=three, duplicates=TOLD, ruled=ruled
    )
    real = [np.ones(size, dtype=np.bool_) for size in sizes]
    real[0][0] = False  # its duplicate 115 is as like to the others as it was
    real[1][70] = False
    left = without_synthetic(found, real)
    first, second, third = left.person_of
    assert first[114] == second[0] == third[0]
    assert first[69] == third[71]
    assert left.persons == found.persons


def test_an_answer_about_a_record_that_is_not_there_is_refused() -> None:
    """A row number past the end says so."""
    with pytest.raises(LinkageError, match="record that is not there"):
        link_candidates([], [2, 2], ruled=answers((0, 1, 5, 0, True)))


def test_questions_keep_to_budgets_and_never_repeat(three: list[Encodings]) -> None:
    """No record is asked about more often than allowed, no pair that was asked before."""
    blocks = find_candidates(three)
    sizes = [each.shape[1] for each in three]
    none = np.empty((0, 4), dtype=np.int64)
    asked = [np.zeros(size, dtype=np.int64) for size in sizes]
    weighed = first_stage(blocks, sizes, three, TOLD)
    first = persons_questions(weighed, sizes, asked=asked, per_record=2, most=1000, exclude=none)
    ends = np.concatenate([first[:, [0, 2]], first[:, [1, 3]]])
    assert np.unique(ends, axis=0, return_counts=True)[1].max(initial=0) <= 2
    second = persons_questions(weighed, sizes, asked=asked, per_record=2, most=1000, exclude=first)
    both = np.concatenate([first, second])
    assert len(np.unique(both, axis=0)) == len(both)


def test_expected_recall_counts_pairs_that_clusters_part_and_matches_below_the_floor() -> None:
    """Two of four matches are together; a lowest step half of the next goes on downwards."""
    similarity = np.array([0.9, 0.73, 0.73, 0.71])
    row = np.arange(4)
    block = PairBlock(0, 1, similarity, row, row, 0.7, similarity[:, None].astype(np.float32))
    sure = np.ones(4)
    weighed = Weighed(block, sure, sure, 0.5, sure, sure)
    label = np.array([0, 1, 2, 3, 0, 1, 4, 5])
    found = expected_recall([weighed], label, np.array([0, 4, 8]))
    assert found == pytest.approx(2.0 / (4.0 + 1.0))  # one in the lowest step, two in the next


def test_estimates_are_near_the_truth(linked: LinkResult) -> None:
    """On data with few errors the model expects few; of 360 records a tail says little."""
    assert linked.estimate.precision > 0.95
    assert linked.estimate.recall > 0.85


@pytest.mark.invariant(19, "a pair that outshines every other, made by one partner in two sources")
def test_a_crafted_pair_moves_nobody_elses_first_guesses() -> None:
    """What one partner's two sources hold alike says nothing of the matches of the others."""
    honest = [noisy(people(90, 3), seed, 0.15) for seed in range(4)]
    rng = np.random.default_rng(9)
    thin = [np.packbits(rng.random((90, 8 * WIDTH)) < 0.15, axis=1)[None] for _ in range(2)]
    dense = np.packbits(rng.random(8 * WIDTH) < 0.69)
    for each in thin:
        each[0, 0] = dense  # rare bits, and hundreds of them
    everything = [*honest, *thin]
    filters = [Filters.of(each) for each in everything]
    blocks = find_candidates(everything)
    problems = [
        Problem(
            block_evidence(block, filters[block.first], filters[block.second], ratio_alone=True),
            block.left,
            block.right,
            (90, 90),
        )
        for block in blocks
    ]
    best = [each.evidence.start.max(initial=-np.inf) for each in problems]
    assert best[-1] > 5 * sorted(best)[-2], "the crafted pair outshines every other"
    guessed = first_guesses(problems)
    for block, guess in zip(blocks, guessed, strict=True):
        if block.second < len(honest):
            assert (guess[block.left == block.right] > 0.5).sum() > 80
