"""Precision on counties of a few hundred people, where two sources share few persons."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.county import describe
from benchmarks.quality import metrics
from benchmarks.quality.dataset import read_truth
from benchmarks.quality.ours import Encoded, encode_sources
from examples.county.generate import DEFAULT_SEED, generate
from linkage_hub.linkage.fitting import Fitted, PairModel, Problem, cautious
from linkage_hub.linkage.persons import link
from linkage_hub.linkage.scoring import Evidence

County = tuple[list[Encoded], list[str]]


@pytest.fixture(scope="module")
def county(tmp_path_factory: pytest.TempPathFactory) -> County:
    """Six hundred people in twenty sources, and each record's true person."""
    folder: Path = tmp_path_factory.mktemp("county")
    generate(600, DEFAULT_SEED, folder)
    dataset = describe(folder)
    sources = list(encode_sources(folder, dataset).values())
    known = read_truth(folder, dataset).set_index(["source", "record_id"]).person_id
    return sources, [known[each.name, id_] for each in sources for id_ in each.record_ids]


def score(county: County, *, told: bool = True) -> metrics.Score:
    """Of pairs of records within a person; agents may have told no duplicates."""
    sources, person = county
    duplicates = [each.data.duplicates for each in sources] if told else None
    linked = link([each.encodings for each in sources], duplicates=duplicates)
    found = np.concatenate(linked.person_of)
    return metrics.pairwise(found.tolist(), person)


def test_a_small_county_keeps_its_precision(county: County) -> None:
    """Few matches between two sources do not let strangers through."""
    found = score(county)
    assert found.precision > 0.95
    assert found.recall > 0.95


def test_what_an_agent_does_not_tell_is_left_apart(county: County) -> None:
    """Without a word about duplicates precision stands, and no relatives pass for them."""
    found = score(county, told=False)
    assert found.precision > 0.95
    assert 0.8 < found.recall < score(county).recall


def test_what_a_competition_adds_is_believed_as_far_as_matches_show_it() -> None:
    """One doubtful pair beside no match falls to its own evidence; beside many it stays."""
    rows = np.concatenate([[[0.0]], np.full((1000, 1), 10.0)]).astype(np.float32)

    def drawn(count: int) -> float:
        at = np.arange(count)
        problem = Problem(Evidence(rows[:count, 0], rows[:count]), at, at, (count, count))
        model = PairModel(np.array([-2.0, 1.0]), np.zeros(1))
        before = np.concatenate([[0.8], np.full(count - 1, 0.99)])
        return float(cautious([problem], Fitted([before], model)).probability[0][0])

    assert drawn(1) < 0.15
    assert drawn(1001) > 0.75
