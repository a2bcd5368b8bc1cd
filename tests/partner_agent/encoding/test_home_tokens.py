"""Tokens of homes, of surnames in them, and of addresses with one part left out."""

import hashlib
import hmac
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from partner_agent.encoding.home_tokens import (
    HomeTokens,
    home_tokens,
    sound_of,
    sounds,
    token_columns,
)
from partner_agent.encoding.tokens import LinkageKeys

KEYS = LinkageKeys.derive(bytes(range(32)), "sha256:" + "ab" * 32, 1)
HOME = {"uprn": "", "address": "12 mill lane", "postcode": "BN7 1AA"}


def tokens(surname: str = "smith", **changed: Any) -> HomeTokens:
    """Tokens of the home with some parts changed."""
    return home_tokens(KEYS, **{**HOME, **changed}, surname=surname)


def made(key: bytes, message: bytes) -> bytes:
    """What the agent must have made, by the standard library."""
    return hmac.new(key, message, hashlib.sha256).digest()[:16]


def test_token_bytes_are_pinned() -> None:
    """The messages are fixed: kind and parts, joined by the unit separator."""
    found = tokens()
    place = b"address\x1f12 mill lane\x1fBN7 1AA"
    assert found.household == made(KEYS.household, place)
    assert found.kin == (made(KEYS.kin, place + b"\x1fs530"),)
    assert found.near_number == made(KEYS.near, b"number\x1fmill lane\x1fBN7 1AA\x1fsmith")
    assert found.near_street == made(KEYS.near, b"street\x1f12\x1fBN7 1AA\x1fsmith")
    assert found.near_postcode == made(KEYS.near, b"postcode\x1f12 mill lane\x1fsmith")
    assert found.near_area == made(KEYS.near, b"area\x1fBN7 1AA\x1fsmith")
    uprn = tokens(uprn="000100012345", address="x")
    assert uprn.household == made(KEYS.household, b"uprn\x1f100012345")


def test_without_a_surname_there_is_only_a_home() -> None:
    """Kin and near tokens need a surname; no token needs more than an address."""
    assert tokens("") == HomeTokens(tokens().household)
    nowhere = home_tokens(KEYS, uprn="", address="", postcode="BN7 1AA", surname="")
    assert nowhere == HomeTokens(None)


def test_a_postcode_and_a_surname_are_an_area() -> None:
    """Without address there is the token of the area, and it is that of the full address."""
    found = tokens(address="")
    assert found == HomeTokens(None, near_area=tokens().near_area)


@pytest.mark.parametrize("town", ["lewes", "anytown wa"])
def test_a_town_is_no_home(town: str) -> None:
    """An address that holds neither number, street, building nor postcode has no token."""
    assert tokens(address=town, postcode="").household is None
    assert tokens(address=f"3 {town}", postcode="").household is not None


@pytest.mark.parametrize(
    ("changed", "kept"),
    [
        ({"address": "21 mill lane"}, "near_number"),
        ({"address": "12 mull lane"}, "near_street"),
        ({"postcode": "BN8 1AA"}, "near_postcode"),
        ({"postcode": "", "address": "12 mill lane lewes"}, "near_postcode"),
    ],
)
def test_one_error_leaves_a_token_whole(changed: dict[str, str], kept: str) -> None:
    """The token that leaves the wrong part out still agrees, and the household's does not."""
    right, wrong = tokens(), tokens(**changed)
    assert right.household != wrong.household
    assert getattr(right, kept) == getattr(wrong, kept)
    assert getattr(right, kept) != getattr(tokens("jones"), kept)


def test_kin_agrees_where_surnames_sound_alike() -> None:
    """A spelling error keeps the token, a double name holds both, a stranger has another."""
    assert tokens("smyth").kin == tokens("smith").kin
    assert set(tokens("smith jones").kin) == {*tokens("smith").kin, *tokens("jones").kin}
    assert not {*tokens("ng").kin} & {*tokens("smith").kin}
    assert tokens(address="9 mill lane").kin != tokens().kin


def test_columns_agree_with_single_tokens_and_spare_the_protected() -> None:
    """The column helper gives the same tokens, and none for a protected row."""
    frame = pd.DataFrame(
        {
            "uprn": ["", "77", "", ""],
            "address": [HOME["address"], "", "", HOME["address"]],
            "postcode": [HOME["postcode"], "", "BN1 1AA", HOME["postcode"]],
            "surname": ["smith", "", "smith", "smith"],
            "protected": ["", "", "", "y"],
        }
    )
    nothing = HomeTokens(None)
    uprn = home_tokens(KEYS, uprn="77", address="", postcode="", surname="")
    area = home_tokens(KEYS, uprn="", address="", postcode="BN1 1AA", surname="smith")
    assert token_columns(KEYS, frame) == [tokens(), uprn, area, nothing]


@pytest.mark.parametrize(
    ("word", "sound"),
    [
        ("robert", "r163"),
        ("rupert", "r163"),
        ("ashcraft", "a261"),
        ("tymczak", "t522"),
        ("pfister", "p236"),
        ("lee", "l000"),
        ("", ""),
    ],
)
def test_sounds_of_the_archives(word: str, sound: str) -> None:
    """The examples of the US National Archives come out as they print them."""
    assert sound_of(word) == sound


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz -", max_size=30))
def test_sounds_are_of_one_form(surname: str) -> None:
    """Every part gives a letter and three digits, each once and in order."""
    found = sounds(surname)
    assert found == sorted(set(found))
    assert all(len(sound) == 4 and sound[0].isalpha() for sound in found)
