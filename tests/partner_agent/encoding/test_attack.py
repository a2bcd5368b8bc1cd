"""Graph matching against encodings, with a complete and clean list (DESIGN, invariant 22).

Bounds are far from what was seen. Two populations: a village, where names and streets are few and
everybody resembles everybody, and a town with names and streets of all kinds.
"""

import random

import numpy as np
import pandas as pd
import pytest

from benchmarks.attack.graphs import encoded, layers_of, own_secrets
from benchmarks.attack.lists import Situation, Target, dirty, target_of
from benchmarks.attack.matching import matched
from benchmarks.attack.measure import named
from governance.agreements.encoding import Hardening
from partner_agent.encoding.person import default_hardening, schema_for

HOMES = 80
DOCUMENT = schema_for({"first_name", "surname", "date_of_birth", "sex", "address", "postcode"})
SECRET = bytes(range(32))
SYLLABLES = [first + second for first in "bdfghklmnprstvw" for second in "aeiou"]


def homes(names: int, streets: int, seed: int = 5) -> pd.DataFrame:
    """Three people in each home, in random order.

    Args:
        names: how many first names and as many surnames there are.
        streets: how many streets.
        seed: of everything random.
    """
    rng = random.Random(seed)

    def words(count: int, parts: int) -> list[str]:
        return ["".join(rng.choices(SYLLABLES, k=parts)) for _ in range(count)]

    first, last, roads = words(names, 2), words(names, 3), words(streets, 4)
    found = []
    for _ in range(HOMES):
        road = rng.randrange(streets)
        home = {
            "surname": rng.choice(last),
            "address": f"{rng.randint(1, 90)} {roads[road]} road",
            "postcode": f"ZE{road % 20 + 1} {rng.randint(1, 9)}AB",
        }
        for _ in range(3):
            born = f"{rng.randint(1940, 2020)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
            own = {"first_name": rng.choice(first), "date_of_birth": born, "sex": rng.choice("mf")}
            found.append(home | own)
    rng.shuffle(found)
    return pd.DataFrame(found)


@pytest.fixture(scope="module")
def village() -> pd.DataFrame:
    """Everybody resembles everybody."""
    return homes(names=20, streets=2)


@pytest.fixture(scope="module")
def town() -> pd.DataFrame:
    """Names and streets of all kinds."""
    return homes(names=200, streets=40)


def share_named(rows: pd.DataFrame, parameters: Hardening | None, known: float) -> float:
    """Share named by an attacker whose list is complete and clean."""
    target = Target(rows, rows, len(rows))
    return named(DOCUMENT, parameters, target, [known], SECRET)[0].share


def test_plain_encodings_are_opened(village: pd.DataFrame, town: pd.DataFrame) -> None:
    """The attack works on profile clk, with nobody known."""
    assert share_named(village, None, 0.0) > 0.8
    assert share_named(town, None, 0.0) > 0.8


@pytest.mark.invariant(22, "graph matching with a complete, clean list")
def test_the_default_profile_in_a_town(town: pd.DataFrame) -> None:
    """Few are named under the default by who knows nobody or two in a hundred of the people."""
    default = default_hardening(DOCUMENT)
    assert share_named(town, default, 0.0) <= 0.1
    assert share_named(town, default, 0.02) <= 0.15


def test_fewer_majorities_do_not_hold(town: pd.DataFrame) -> None:
    """With a tenth known k = 3 with views is opened: the default is not to be lowered to it."""
    assert share_named(town, default_hardening(DOCUMENT, 3), 0.1) > 0.7


def test_a_village_needs_more(village: pd.DataFrame) -> None:
    """Where people resemble each other only k = 4 without views holds."""
    assert share_named(village, default_hardening(DOCUMENT), 0.1) > 0.8
    assert share_named(village, Hardening(k=4), 0.1) <= 0.15


@pytest.mark.invariant(22, "lists that lack people or are dirty")
def test_a_worse_list_names_fewer(town: pd.DataFrame) -> None:
    """Overlap of four fifths, errors and synthetic rows each leave fewer people named."""
    rows, others = town.iloc[:180], town.iloc[180:]
    parameters = default_hardening(DOCUMENT, 3)
    found = {
        name: named(DOCUMENT, parameters, target_of(rows, others, 1, each), [0.1], SECRET)[0].share
        for name, each in (
            ("best", Situation()),
            ("lacks", Situation(overlap=0.8)),
            ("dirty", Situation(dirty=True)),
        )
    }
    assert max(found["lacks"], found["dirty"]) < found["best"]


def test_a_dirty_list_is_of_the_same_people(town: pd.DataFrame) -> None:
    """Most rows of a dirty list keep their surname, and some rows change."""
    other = dirty(town, 1)
    kept = (other["surname"] == town["surname"].to_numpy()).mean()
    assert 0.8 < kept < 1.0


def test_a_graph_is_laid_over_itself() -> None:
    """Without noise the matching is found, whatever the order of the encodings."""
    rng = np.random.default_rng(0)
    layers = layers_of(rng.integers(0, 256, (2, 60, 32), dtype=np.uint8))
    order = rng.permutation(60)
    shuffled = [layer[np.ix_(order, order)] for layer in layers]
    assert np.array_equal(order[matched(layers, shuffled)], np.arange(60))


def test_rows_that_cannot_be_encoded_are_no_attack(town: pd.DataFrame) -> None:
    """Rows that would stay empty would look like safety."""
    with pytest.raises(ValueError, match="cleaned"):
        encoded(DOCUMENT, None, town.assign(sex="unknown"), bytes(32))


def test_the_attackers_secrets_are_its_own() -> None:
    """No secret is used twice, and none is the benchmark's."""
    secrets = own_secrets(5)
    assert len(set(secrets)) == 5
    assert bytes(range(32)) not in secrets
