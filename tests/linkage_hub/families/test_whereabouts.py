"""Whether families live here still: one test for each rule, and what holds for all."""

from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from linkage_hub.families.build import build_families
from linkage_hub.families.columns import HERE, LEFT, NEVER, UNTOLD
from linkage_hub.families.whereabouts import CHECKED, Whereabouts, whereabouts_of
from tests.linkage_hub.families.evidence import EXTRACT, Stay, Town

ADULT = "25_44"
MAY = 12 * 2020 + 4
REGISTER, OLD_ROWS, TODAY_ONLY, OTHER_REGISTER = range(4)
"""Sources: one that writes ends, one that never does and keeps old rows, one of today's rows."""


def county(checked: int = 2 * CHECKED) -> Town:
    """People by whom sources are judged: half of those in the register have left."""
    town = Town(recorded_by=OLD_ROWS)  # what everybody's further record says is of no address
    for number in range(checked):
        home, gone = f"street {number}", number % 2 == 0
        end = MAY + 12 if gone else None
        both = Stay(home, "", MAY, end, REGISTER), Stay(home, "", source=OLD_ROWS)
        again = Stay(home, "", MAY, end, OTHER_REGISTER)
        today = () if gone else (Stay(home, "", source=TODAY_ONLY),)
        town.person(ADULT, *both, again, *today)
    for source in (REGISTER, OTHER_REGISTER):  # moved in last month
        town.person(ADULT, Stay(f"new {source}", "", EXTRACT - 1, None, source))
    return town


def told(town: Town) -> Whereabouts:
    """Of its families, by the number of their first person."""
    evidence = town.evidence()
    built = build_families(evidence)
    found = whereabouts_of(evidence, built, EXTRACT)
    return Whereabouts(found.state[built.family_of], found.told[built.family_of])


def test_an_old_row_does_not_hold_an_address_open_that_a_register_ends() -> None:
    """Who left by the register has left, whatever rows without ends say; who did not is here."""
    town = county()
    stayed = town.person(ADULT, Stay("a", "", MAY, None, REGISTER), Stay("a", source=OLD_ROWS))
    left = town.person(ADULT, Stay("b", "", MAY, MAY + 3, REGISTER), Stay("b", source=OLD_ROWS))
    found = told(town)
    assert found.state[[stayed, left]].tolist() == [HERE, LEFT]
    assert found.told[left] == MAY + 3
    assert found.told[stayed] == EXTRACT - 1  # the newest month that the register's rows name


def test_of_whom_old_rows_alone_speak_nobody_tells() -> None:
    """Neither here nor gone, and a resident all the same; so is who has no address at all."""
    town = county()
    old = town.person(ADULT, Stay("a", source=OLD_ROWS))
    nowhere = town.person(ADULT)
    found = told(town)
    assert found.state[[old, nowhere]].tolist() == [UNTOLD, UNTOLD]
    assert found.told[[old, nowhere]].tolist() == [NEVER, NEVER]
    assert found.resident[[old, nowhere]].all()


def test_a_source_of_todays_rows_is_found_without_being_declared() -> None:
    """Its rows hold no ends, and the registers never deny them."""
    town = county()
    pupil = town.person("5_10", Stay("a", source=TODAY_ONLY))
    assert told(town).state[pupil] == HERE
    few = county(CHECKED // 2)
    pupil = few.person("5_10", Stay("a", source=TODAY_ONLY))
    assert told(few).state[pupil] == UNTOLD  # too few to know


def test_todays_row_is_believed_before_an_old_end() -> None:
    """It says no beginning, and holds on the day of its extract."""
    town = county()
    ended = Stay("a", "", MAY, MAY + 3, REGISTER)
    pupil = town.person("5_10", ended, Stay("a", source=TODAY_ONLY))
    assert told(town).state[pupil] == HERE


def test_what_ends_for_one_of_a_family_ends_its_old_rows() -> None:
    """A mother whom the register has gone, her child in an old file; a second home holds."""
    town = county()
    for number in range(40):  # couples of one surname, from whom families are learnt
        for _ in range(2):
            home = f"couple {number}"
            town.person(ADULT, Stay(home, f"name{number}", MAY, None, REGISTER))
    gone = Stay("a", "smith", MAY, MAY + 5, REGISTER)
    mother = town.person(ADULT, gone)
    child = town.person("5_10", Stay("a", "smith", MAY + 1, source=OLD_ROWS))
    found = told(town)
    assert found.state[[mother, child]].tolist() == [LEFT, LEFT]
    town.stays.append((child, Stay("b", "smith", source=OLD_ROWS)))
    assert told(town).state[mother] == UNTOLD


def test_an_end_does_not_deny_what_began_after_it() -> None:
    """Who went and came back is here."""
    town = county()
    back = town.person(
        ADULT, Stay("a", "", MAY, MAY + 3, OTHER_REGISTER), Stay("a", "", MAY + 9, None, REGISTER)
    )
    assert told(town).state[back] == HERE


def test_two_registers_that_disagree_do_not_tell() -> None:
    """An end that one of them never heard of."""
    town = county()
    one = town.person(
        ADULT, Stay("a", "", MAY, MAY + 9, OTHER_REGISTER), Stay("a", "", MAY, None, REGISTER)
    )
    assert told(town).state[one] == UNTOLD


def test_who_was_followed_at_an_address_may_have_left() -> None:
    """A register that missed an end; a child that was born there follows nobody."""
    town = county()
    first = town.person(ADULT, Stay("a", "smith", MAY - 24, None, REGISTER))
    town.person("under_5", Stay("a", "jones", MAY - 3, None, REGISTER))
    assert told(town).state[first] == HERE
    second = town.person(ADULT, Stay("a", "brown", MAY - 1, None, REGISTER))
    assert told(town).state[[first, second]].tolist() == [UNTOLD, HERE]


def test_a_withheld_address_is_not_taken_for_a_move() -> None:
    """A record of the register without an address: somebody is protected, not gone."""
    town = county()
    town.recorded_by = REGISTER
    away = town.person(ADULT, Stay("a", "", MAY, MAY + 3, REGISTER))
    evidence = town.evidence()
    built = build_families(evidence)
    assert whereabouts_of(evidence, built, EXTRACT).state[built.family_of[away]] == LEFT
    evidence.records.placed[away] = False
    assert whereabouts_of(evidence, built, EXTRACT).state[built.family_of[away]] == UNTOLD


STAYS = st.lists(
    st.tuples(
        st.integers(0, 5),
        st.sampled_from("abc"),
        st.none() | st.integers(MAY, MAY + 3),
        st.none() | st.integers(MAY + 3, MAY + 6),
        st.integers(0, 3),
    ),
    max_size=12,
)


@given(STAYS, st.integers(0, 2**16))
@settings(max_examples=40)
def test_the_order_of_rows_does_not_matter_and_ends_never_bring_a_family_back(
    rows: list[tuple[int, str, int | None, int | None, int]], seed: int
) -> None:
    """And nobody who is in no place that a row ends has left."""
    town = county()
    people = [town.person(ADULT) for _ in range(6)]
    for who, home, first, last, source in rows:
        begin = min(first, last) if first is not None and last is not None else first
        town.stays.append((people[who], Stay(home, "", begin, last, source)))
    evidence = town.evidence()
    built = build_families(evidence)
    found = whereabouts_of(evidence, built, EXTRACT)
    order = list(range(len(town.stays)))
    Random(seed).shuffle(order)
    mixed = town.evidence(order)
    again = whereabouts_of(mixed, build_families(mixed), EXTRACT)
    assert (again.state == found.state).all()
    assert (again.told == found.told).all()
    ended = {who for who, _, _, last, _ in rows if last is not None}
    for who, person in enumerate(people):
        family = built.family_of[person]
        relatives = np.flatnonzero(built.family_of == family).tolist()
        if not any(people.index(each) in ended for each in relatives if each in people):
            assert found.state[family] != LEFT, who


def test_nobody() -> None:
    """No person, no family."""
    evidence = Town().evidence()
    assert not len(whereabouts_of(evidence, build_families(evidence), EXTRACT).state)
