"""Errors in one piece of text: typing, optical character recognition, hearing, spelling."""

import random
from collections.abc import Callable

_NEIGHBOURS = {
    "q": "wa", "w": "qes", "e": "wrd", "r": "etf", "t": "ryg", "y": "tuh", "u": "yij", "i": "uok",
    "o": "ipl", "p": "o", "a": "qsz", "s": "adw", "d": "sfe", "f": "dgr", "g": "fht", "h": "gjy",
    "j": "hku", "k": "jli", "l": "k", "z": "ax", "x": "zc", "c": "xv", "v": "cb", "b": "vn",
    "n": "bm", "m": "n",
}  # fmt: skip
_LOOKALIKES = (
    ("m", "rn"), ("rn", "m"), ("l", "1"), ("i", "l"), ("o", "0"), ("s", "5"), ("b", "6"),
    ("cl", "d"), ("d", "cl"), ("h", "b"), ("e", "c"), ("g", "9"), ("z", "2"), ("u", "v"),
    ("v", "u"), ("B", "8"), ("S", "5"), ("I", "1"), ("O", "0"), ("G", "6"), ("Z", "2"),
)  # fmt: skip
_SOUNDS = (
    ("ph", "f"), ("f", "ph"), ("ck", "k"), ("k", "ck"), ("ie", "y"), ("y", "ie"), ("ee", "ea"),
    ("ea", "ee"), ("ou", "u"), ("oo", "u"), ("c", "k"), ("s", "z"), ("z", "s"), ("ll", "l"),
    ("l", "ll"), ("tt", "t"), ("nn", "n"), ("n", "nn"), ("gh", "g"), ("sh", "sch"), ("kh", "h"),
    ("ai", "ay"), ("ay", "ai"), ("ei", "ie"), ("mm", "m"), ("w", "v"), ("dj", "j"), ("j", "dj"),
    ("x", "ks"), ("qu", "kw"), ("a", "e"), ("e", "a"), ("o", "u"), ("u", "o"), ("i", "y"),
)  # fmt: skip

TextError = Callable[[random.Random, str], str]


def mistype(rng: random.Random, text: str) -> str:
    """One slip of the fingers: a letter beside, missing, doubled or out of order."""
    places = [i for i, letter in enumerate(text) if letter.lower() in _NEIGHBOURS]
    if not places:
        return text
    at = rng.choice(places)
    letter = text[at]
    kind = rng.randrange(4)
    if kind == 0:
        wrong = rng.choice(_NEIGHBOURS[letter.lower()])
        return text[:at] + (wrong.upper() if letter.isupper() else wrong) + text[at + 1 :]
    if kind == 1 and len(text) > 2:  # noqa: PLR2004 - one letter must stay
        return text[:at] + text[at + 1 :]
    if kind == 2:  # noqa: PLR2004 - the third of four kinds
        return text[:at] + letter.lower() + text[at:] if at else text + text[-1]
    if at + 1 < len(text):
        return text[:at] + text[at + 1] + letter + text[at + 2 :]
    return text[:-2] + text[-1] + text[-2] if len(text) > 1 else text


def misread(rng: random.Random, text: str) -> str:
    """One shape taken for another, as a scanner does."""
    return _replace_one(rng, text, _LOOKALIKES)


def mishear(rng: random.Random, text: str) -> str:
    """One sound spelled another way, as over the telephone or between two alphabets."""
    return _replace_one(rng, text, _SOUNDS)


def _replace_one(rng: random.Random, text: str, pairs: tuple[tuple[str, str], ...]) -> str:
    fits = [(seen, written) for seen, written in pairs if text.find(seen, 1) > 0]
    if not fits:
        return text
    seen, written = rng.choice(fits)
    at = text.find(seen, 1)
    return text[:at] + written + text[at + len(seen) :]


def drop_marks(rng: random.Random, text: str) -> str:
    """A hyphen or apostrophe left out or written as a space; the second surname dropped."""
    if "-" in text or " " in text:
        joint = "-" if "-" in text else " "
        first, _, second = text.partition(joint)
        return rng.choice([f"{first} {second}", f"{first}{second}", second, f"{first}-{second}"])
    return text.replace("'", rng.choice(["", " "]))


def wrong_digit(rng: random.Random, text: str) -> str:
    """One digit wrong, or two neighbours swapped."""
    places = [i for i, letter in enumerate(text) if letter.isdigit()]
    if len(places) < 2:  # noqa: PLR2004 - nothing to swap
        return text
    at = rng.choice(places[:-1])
    if rng.random() < 0.5 and text[at] != text[at + 1] and text[at + 1].isdigit():  # noqa: PLR2004
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    other = rng.choice([d for d in "0123456789" if d != text[at]])
    return text[:at] + other + text[at + 1 :]


_SHORT = {
    "Road": ("Rd", "Rd."), "Street": ("St", "Str"), "Avenue": ("Ave", "Av"), "Close": ("Cl",),
    "Lane": ("Ln", "La"), "Drive": ("Dr", "Drv"), "Crescent": ("Cres", "Crs"),
    "Gardens": ("Gdns", "Gdn"), "Court": ("Ct", "Crt"), "Place": ("Pl",), "Terrace": ("Terr",),
}  # fmt: skip


def shorten_street(rng: random.Random, text: str) -> str:
    """The street's type abbreviated, as forms do."""
    root, _, kind = text.rpartition(" ")
    return f"{root} {rng.choice(_SHORT[kind])}" if kind in _SHORT else text
