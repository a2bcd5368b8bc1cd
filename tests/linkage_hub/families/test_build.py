"""Which people become one family: one test for each rule, and the laws that hold for all."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.exchange.submission import AGE_BANDS
from linkage_hub.families.build import build_families
from linkage_hub.families.result import FamilyResult
from tests.linkage_hub.families.evidence import EXTRACT, Stay, Town

MAY = 12 * 2020 + 4


def together(result: FamilyResult, *people: int) -> bool:
    """Whether all are of one primary family."""
    return len({int(result.family_of[person]) for person in people}) == 1


def with_street(town: Town, homes: int = 40) -> Town:
    """Ordinary neighbours: couples of one surname and a lodger, from whom the rates are learnt."""
    for number in range(homes):
        home, name = f"street {number}", f"name{number}"
        town.person("25_44", Stay(home, name, MAY))
        town.person("25_44", Stay(home, name, MAY))
        town.person("25_44", Stay(home, f"other{number}", MAY + 20))
    return town


def test_one_surname_at_one_home_is_a_family() -> None:
    """A couple and their child share home and surname; a lodger of another name stays apart."""
    town = Town()
    mother = town.person("25_44", Stay("a", "smith", MAY))
    father = town.person("25_44", Stay("a", "smith", MAY))
    child = town.person("5_10", Stay("a", "smith"))
    lodger = town.person("25_44", Stay("a", "jones", MAY + 30))
    found = build_families(with_street(town).evidence())
    assert together(found, mother, father, child)
    assert not together(found, mother, lodger)
    roles = {m.person: m.role for m in found.family(int(found.family_of[child])).members}
    assert roles == {mother: "parent", father: "parent", child: "child"}


def test_a_declared_partner_of_another_surname_joins() -> None:
    """A recognised mention binds two people of one home whatever their surnames."""
    town = Town()
    one = town.person("25_44", Stay("a", "smith"))
    other = town.person("25_44", Stay("a", "jones"))
    town.names(one, "partner", other)
    found = build_families(with_street(town).evidence())
    assert together(found, one, other)
    family = found.family(int(found.family_of[one]))
    assert {member.role for member in family.members} == {"partner"}
    assert "mention_partner" in family.reasons


def test_who_lived_there_before_is_no_family() -> None:
    """People of one surname whose stays follow one another are two families."""
    town = Town()
    before = town.person("25_44", Stay("a", "smith", MAY, MAY + 10))
    after = town.person("25_44", Stay("a", "jones", MAY + 12))
    found = build_families(with_street(town).evidence())
    assert not together(found, before, after)


def test_a_double_surname_binds_both_sides() -> None:
    """A child called after both parents belongs to both."""
    town = Town()
    mother = town.person("25_44", Stay("a", "smith", MAY))
    father = town.person("25_44", Stay("a", "jones", MAY))
    child = town.person("under_5", Stay("a", "smith jones"))
    found = build_families(with_street(town).evidence())
    assert together(found, mother, father, child)


def test_a_slip_in_an_address_is_put_right() -> None:
    """A lone address that shares surname and street with the family's home is taken for it."""
    town = with_street(Town())
    near = ("street smith", "12 smith", "12 street smith", "")
    mother = town.person(
        "25_44", Stay("a", "smith", near=near), Stay("a", "smith", source=1, near=near)
    )
    child = town.person("5_10", Stay("a mistyped", "smith", near=("", "12 smith", "", "")))
    for number in range(20):  # slips elsewhere, so that the rate is not one case
        known = ("", f"{number} street", "", "")
        town.person(
            "25_44",
            Stay(f"h{number}", f"n{number}", near=known),
            Stay(f"h{number}", f"n{number}", source=1, near=known),
        )
        town.person("25_44", Stay(f"slip{number}", f"n{number}", near=known))
    found = build_families(town.evidence())
    assert together(found, mother, child)
    assert found.household_of[mother] == found.household_of[child]


def test_a_postcode_and_surname_lead_home() -> None:
    """A record without address is taken for the only home of its surname in its postcode."""
    town = with_street(Town())
    mother = town.person("25_44", Stay("a", "smith", near=("", "", "", "area smith")))
    child = town.person("5_10", Stay("", "smith", near=("", "", "", "area smith")))
    stranger = town.person("5_10", Stay("", "smith", near=("", "", "", "elsewhere smith")))
    found = build_families(town.evidence())
    assert together(found, mother, child)
    assert found.household_of[child] == found.household_of[mother]
    assert not together(found, mother, stranger)
    assert found.household_of[stranger] == -1


def test_an_institution_joins_nobody_by_itself() -> None:
    """Above the size limit neither surname nor address binds, but a mention does."""
    town = with_street(Town())
    people = [town.person("65_plus", Stay("home", "smith", MAY)) for _ in range(20)]
    town.names(people[0], "partner", people[1])
    found = build_families(town.evidence(), size_limit=12)
    assert together(found, people[0], people[1])
    assert len({int(found.family_of[person]) for person in people}) == len(people) - 1
    assert len(found.institutional) == 1


def test_a_child_in_two_homes_is_in_both_families() -> None:
    """The child's other home makes it a member there, too, and joins no two families."""
    town = with_street(Town())
    mother = town.person("25_44", Stay("a", "smith", MAY))
    child = town.person("5_10", Stay("a", "smith", MAY), Stay("b", "jones smith", MAY + 5))
    father = town.person("25_44", Stay("b", "jones", MAY + 5))
    town.names(child, "parent", father)
    found = build_families(town.evidence())
    assert not together(found, mother, father)
    guests = found.members.person[~found.members.primary]
    assert guests.tolist() == [child]


def test_a_person_without_address_joins_by_a_mention() -> None:
    """A recognised mention is enough where no address is known."""
    town = with_street(Town())
    mother = town.person("25_44")
    child = town.person("5_10", Stay("a", "smith"))
    town.names(child, "parent", mother)
    found = build_families(town.evidence())
    assert together(found, mother, child)
    assert found.household_of[mother] == -1


def test_nobody_at_all() -> None:
    """No persons make no families."""
    assert build_families(Town().evidence()).count == 0


homes = st.sampled_from("abcd")
names = st.sampled_from(["", "smith", "jones", "smith jones"])
months = st.one_of(st.none(), st.integers(MAY, EXTRACT - 1))
stays = st.builds(Stay, homes, names, months, st.one_of(st.none(), st.just(EXTRACT)))
people = st.tuples(st.sampled_from([*AGE_BANDS, ""]), st.lists(stays, max_size=3))


def town_of(drawn: list[tuple[str, list[Stay]]]) -> Town:
    """A town of drawn people."""
    town = Town()
    for band, where in drawn:
        town.person(band, *where)
    return town


@settings(max_examples=60, deadline=None)
@given(st.lists(people, max_size=12), st.randoms(use_true_random=False))
def test_laws(drawn: list[tuple[str, list[Stay]]], random: Random) -> None:
    """One primary family each; the order of statements changes nothing; members met somewhere."""
    town = town_of(drawn)
    found = build_families(town.evidence())
    order = list(range(len(town.stays)))
    random.shuffle(order)
    again = build_families(town.evidence(order))
    assert found.family_of.tolist() == again.family_of.tolist()
    assert found.household_of.tolist() == again.household_of.tolist()
    np.testing.assert_allclose(found.members.confidence, again.members.confidence)
    primary = found.members.person[found.members.primary]
    assert sorted(primary.tolist()) == list(range(len(drawn)))
    assert ((found.members.confidence >= 0) & (found.members.confidence <= 1)).all()
    for family in found.families:
        inside = [drawn[member.person][1] for member in family.members]
        if len(inside) > 1:
            shared = [{stay.home for stay in where} for where in inside]
            assert all(any(a & b for b in shared if b is not a) for a in shared)
