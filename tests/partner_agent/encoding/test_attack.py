"""Graph matching against encodings, with a complete and clean list (DESIGN, invariant 22).

Bounds are far from what was seen. Two populations: a village, where names and streets are few and
everybody resembles everybody, and a town with names and streets of all kinds.
"""

import random

import numpy as np
import pandas as pd
import pytest

from benchmarks.attack.__main__ import named
from benchmarks.attack.graphs import encoded, layers_of, own_secrets
from benchmarks.attack.matching import matched
from governance.agreements.encoding import Hardening
from partner_agent.encoding.person import default_hardening, schema_for

HOMES = 80
DOCUMENT = schema_for({"first_name", "surname", "date_of_birth", "sex", "address", "postcode"})
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


def test_plain_encodings_are_opened(village: pd.DataFrame, town: pd.DataFrame) -> None:
    """The attack works on profile clk: a village from nothing, a town from a few known people."""
    assert named(DOCUMENT, None, village, [0.0])[0] > 0.6
    assert named(DOCUMENT, None, town, [0.1])[0] > 0.8


def test_the_default_profile_in_a_town(town: pd.DataFrame) -> None:
    """Few are named under k = 3 with the default views when the attacker knows nobody."""
    assert named(DOCUMENT, default_hardening(DOCUMENT, 3), town, [0.0])[0] <= 0.1


def test_two_majorities_do_not_hold(town: pd.DataFrame) -> None:
    """With views and a tenth known k = 2 is opened: the default is not to be lowered to it."""
    assert named(DOCUMENT, default_hardening(DOCUMENT, 2), town, [0.1])[0] > 0.5


def test_a_village_needs_more(village: pd.DataFrame) -> None:
    """Views open k = 3 where people resemble each other; without views, or by k = 4, it holds."""
    assert named(DOCUMENT, default_hardening(DOCUMENT, 3), village, [0.0])[0] > 0.3
    assert named(DOCUMENT, Hardening(k=3), village, [0.0])[0] <= 0.1
    assert named(DOCUMENT, default_hardening(DOCUMENT, 4), village, [0.0])[0] <= 0.2


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
