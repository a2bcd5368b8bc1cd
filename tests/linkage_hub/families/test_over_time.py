"""Quality on a small seeded county, and ids that persist from month to month."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.county import describe
from benchmarks.families.measure import evidence_of, reference_of, scores, split
from benchmarks.quality.dataset import read_truth
from benchmarks.quality.ours import encode_sources
from examples.county.generate import generate
from linkage_hub.families.build import build_families
from linkage_hub.families.pairs import APART, TIMES, TOGETHER, pairs_of
from linkage_hub.families.rates import PRIOR_SHARE_PAIRS, _weight
from linkage_hub.families.residence import stays_of
from linkage_hub.families.result import FamilyResult
from linkage_hub.linkage.identity import KnownIds, carry
from tests.linkage_hub.families.evidence import EXTRACT, Stay, Town

SEED = 20261124


def test_families_of_a_small_county(tmp_path: Path) -> None:
    """On true persons nine found pairs in ten are right, and four true ones in five are found."""
    generate(1_500, SEED, tmp_path)
    dataset = describe(tmp_path)
    sources = list(encode_sources(tmp_path, dataset).values())
    reference = reference_of(sources, read_truth(tmp_path, dataset))
    evidence = evidence_of(
        sources, split(reference.person, sources), reference.persons, hardening=None
    )
    found = build_families(evidence)
    labels = {"household": found.household_of.tolist(), "family": found.family_of.tolist()}
    rows = scores("ours", reference, labels)
    pairs = next(row for row in rows if row["what"] == "family pairs" and row["of"] == "everyone")
    assert pairs["precision"] > 0.9
    assert pairs["recall"] > 0.82


def test_who_leaves_as_another_comes_makes_room() -> None:
    """A month in which one tenant leaves and the next comes is no time together."""
    town = Town()
    for at in range(30):
        for name in ("ash", "birch"):
            town.person("25_44", Stay(f"h{at}", name, EXTRACT - 40, EXTRACT - 20))
        town.person("25_44", Stay(f"h{at}", "cole", EXTRACT - 20))
    town.person("25_44", Stay("newest", "dean"))  # of the source's last month no beginning is known
    evidence = town.evidence()
    stays = stays_of(evidence.statements, evidence.statements.household, 31)
    pairs = pairs_of(stays, evidence.is_child, evidence.earliest, np.zeros(31, dtype=np.bool_))
    assert np.bincount(pairs.time, minlength=TIMES)[[TOGETHER, APART]].tolist() == [30, 60]


def test_kinds_that_hardly_differ_share_what_they_know() -> None:
    """Few pairs of one size are weighed against all sizes the more, the more alike sizes are."""
    count = np.array([[[100, 200, 400, 50]]])
    weights = [
        float(_weight(np.array([[hits]]), count, np.array([[[0.5]]]))[0, 0, 0])
        for hits in ([50, 100, 200, 25], [56, 90, 210, 19], [90, 140, 130, 15])
    ]
    assert weights[0] > weights[1] > weights[2] >= PRIOR_SHARE_PAIRS[0]


def ids_of(found: FamilyResult, names: list[bytes], previous: KnownIds) -> dict[bytes, str]:
    """The family's id of every person, carried from the month before."""
    first = found.members.primary
    members = np.array(names, dtype="S2")[found.members.person[first]]
    family = found.members.family[first]
    number = iter(range(10**6))
    carried = carry(
        previous,
        members,
        family,
        found.count,
        lambda count: [f"f-{len(previous.members)}-{next(number)}" for _ in range(count)],
    )
    return {
        name: carried.ids[at] for name, at in zip(members.tolist(), family.tolist(), strict=True)
    }


def month(*, baby: bool = False, moved: bool = False, apart: bool = False) -> FamilyResult:
    """A couple with a child; then a baby, then a move, then the father on his own."""
    town = Town()
    later = [Stay("b", "smith", EXTRACT - 1)] if moved else []
    for at in range(3):
        home = Stay("a", "smith", EXTRACT - 30)
        alone = [Stay("c", "smith", EXTRACT)] if apart and at == 1 else later
        gone = Stay("a", "smith", EXTRACT - 30, EXTRACT - 2) if moved else home
        town.person(["25_44", "25_44", "5_10"][at], gone, *alone)
    if baby:
        town.person("under_5", Stay("b" if moved else "a", "smith", EXTRACT - 1))
    return build_families(town.evidence())


@pytest.mark.parametrize("change", ["birth", "move"])
def test_a_family_keeps_its_id(change: str) -> None:
    """A birth or a move changes members or address and not the id."""
    names = [b"p1", b"p2", b"p3", b"p4"]
    before = ids_of(month(), names[:3], KnownIds.none())
    assert len(set(before.values())) == 1
    previous = KnownIds.of(
        np.array(list(before), dtype="S2"), np.array(list(before.values()), dtype="S8")
    )
    after = ids_of(month(baby=True, moved=change == "move"), names, previous)
    assert set(after.values()) == set(before.values())
