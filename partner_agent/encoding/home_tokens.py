"""Tokens that say which records share a home, and there a surname; the hub compares them only.

- ``household``: the home, by its UPRN, else by its address and postcode.
- ``kin``: the home and the sound of one part of the surname, one token for each part, so that it
  repeats only among people whose surnames sound alike in one home: spelling errors and double
  names do not part a family.
- ``near_number``, ``near_street``, ``near_postcode``: the surname and the address with its
  numbers, its words or its postcode left out, so that one error in an address leaves two of three
  whole.
- ``near_area``: the surname and the postcode, also where a row has no address.

The surname keeps near tokens nearly unique; a street, a number or a postcode alone would be
frequent enough to be guessed.

The formats are fixed: labels and messages are never changed; a new format gets a new label.
"""

import hmac
from typing import Final, NamedTuple

import pandas as pd

from governance.exchange.submission import KIN_MOST, TOKEN_BYTES
from partner_agent.cleansing.address import parse_address
from partner_agent.cleansing.address_words import BUILDINGS, STREETS
from partner_agent.encoding.tokens import LinkageKeys, cleaned_column

_SEPARATOR: Final = b"\x1f"  # ASCII unit separator: in no cleaned value
_PART_LETTERS: Final = 3  # shorter parts of a surname are particles, as a rule
_SOUND_LENGTH: Final = 4
_SOUNDS: Final = {
    letter: code
    for letters, code in (
        ("bfpv", "1"), ("cgjkqsxz", "2"), ("dt", "3"), ("l", "4"), ("mn", "5"), ("r", "6"),
    )
    for letter in letters
}  # fmt: skip


class HomeTokens(NamedTuple):
    """Tokens of one row, 16 bytes each; None where what they are made of is missing."""

    household: bytes | None
    kin: tuple[bytes, ...] = ()
    near_number: bytes | None = None
    near_street: bytes | None = None
    near_postcode: bytes | None = None
    near_area: bytes | None = None


NONE: Final = HomeTokens(None)


def home_tokens(
    keys: LinkageKeys, *, uprn: str, address: str, postcode: str, surname: str
) -> HomeTokens:
    """Tokens of a home and a surname, HMAC-SHA256 cut to 16 bytes.

    A postcode without an address is no home, nor is a town: there is a token of the area only.
    Without a surname there is the household token only.
    """
    area = _token(keys.near, "area", postcode, surname) if postcode and surname else None
    place = _place(uprn, address, postcode)
    if place is None:
        return HomeTokens(None, near_area=area)
    household = _token(keys.household, place)
    if not surname:
        return HomeTokens(household)
    kin = tuple(sorted(_token(keys.kin, place, sound) for sound in sounds(surname)))
    return HomeTokens(household, kin, *_near(keys, address, postcode, surname), area)


def token_columns(keys: LinkageKeys, frame: pd.DataFrame) -> list[HomeTokens]:
    """Tokens of cleaned rows; none for a protected row.

    Args:
        keys: keys of the agreement.
        frame: cleaned columns ``uprn``, ``address``, ``postcode``, ``surname``, ``protected``;
            one that is absent counts as empty.
    """
    columns = [
        cleaned_column(frame, name)
        for name in ("uprn", "address", "postcode", "surname", "protected")
    ]
    known: dict[tuple[str, ...], HomeTokens] = {}
    found = []
    for row in zip(*columns, strict=True):
        tokens = known.get(row)
        if tokens is None:
            uprn, address, postcode, surname, protected = row
            tokens = known[row] = (
                NONE
                if protected
                else home_tokens(
                    keys, uprn=uprn, address=address, postcode=postcode, surname=surname
                )
            )
        found.append(tokens)
    return found


def sounds(surname: str) -> list[str]:
    """The sound of each part of a surname, sorted; particles are left out of longer names."""
    parts = surname.replace("-", " ").split()
    long = [part for part in parts if len(part) >= _PART_LETTERS]
    return sorted({code for part in long or parts if (code := sound_of(part))})[:KIN_MOST]


def sound_of(word: str) -> str:
    """American Soundex: the first letter and the sounds of up to three consonants behind it.

    Source: US National Archives, "The Soundex Indexing System".
    """
    letters = [letter for letter in word.lower() if "a" <= letter <= "z"]
    if not letters:
        return ""
    code, last = letters[0], _SOUNDS.get(letters[0], "")
    for letter in letters[1:]:
        sound = _SOUNDS.get(letter, "")
        if sound and sound != last:
            code += sound
        if letter not in "hw":  # they do not part two letters of one sound
            last = sound
    return code[:_SOUND_LENGTH].ljust(_SOUND_LENGTH, "0")


def _near(
    keys: LinkageKeys, address: str, postcode: str, surname: str
) -> tuple[bytes | None, bytes | None, bytes | None]:
    """Tokens of the surname and what is left of an address without one of its parts."""
    if not address:
        return None, None, None
    line, town = (address, "") if postcode else _without_town(address)
    words = line.split()
    numbers = " ".join(word for word in words if any(map(str.isdigit, word)))
    street = " ".join(word for word in words if not any(map(str.isdigit, word)))
    area = postcode or town
    return (
        _token(keys.near, "number", street, area, surname) if street else None,
        _token(keys.near, "street", numbers, area, surname) if numbers else None,
        _token(keys.near, "postcode", line, surname) if numbers and street else None,
    )


def _without_town(address: str) -> tuple[str, str]:
    """A cleaned line without postcode, parted into the home and the town behind it."""
    line = parse_address(address).line(with_town=False)
    if line and address.startswith(line):
        return line, address[len(line) :].strip()
    return address, ""


def _place(uprn: str, address: str, postcode: str) -> bytes | None:
    number = uprn.lstrip("0")  # some systems pad a UPRN to twelve digits
    if number:
        return b"uprn" + _SEPARATOR + number.encode()
    if address and (postcode or _tells(address)):
        return b"address" + _SEPARATOR + address.encode() + _SEPARATOR + postcode.encode()
    return None


def _tells(address: str) -> bool:
    """Whether an address without postcode says more than a town: a number, street or building."""
    return any(
        word in STREETS or word in BUILDINGS or any(map(str.isdigit, word))
        for word in address.split()
    )


def _token(key: bytes, *parts: bytes | str) -> bytes:
    message = _SEPARATOR.join(p if isinstance(p, bytes) else p.encode() for p in parts)
    return hmac.digest(key, message, "sha256")[:TOKEN_BYTES]
