"""A name in one cell split into first name, middle name and surname.

In order: what stands before a comma is the surname; a run of capitals among mixed case is the
surname; else the mapping's order decides, and particles (``van der``) go with the surname.
"""

import re
from typing import NamedTuple

from partner_agent.cleansing.names import (
    SUFFIXES,
    TITLES,
    clean_given_name,
    clean_surname,
)
from partner_agent.cleansing.outcome import Outcome
from partner_agent.cleansing.text import fold, is_placeholder, tidy

PARTICLES = frozenset(
    """de da do dos das del della di du des la le las los van von der den ter ten zu zur al el bin
    ibn bint ben abu ap st saint mac mc o af av y e""".split()  # noqa: SIM905 - a table of words
)
_CAPITALS = 2  # letters at least, so that an initial is no run of capitals
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]")


class NameParts(NamedTuple):
    """First name, middle name and surname, each with its note."""

    first_name: Outcome
    middle_name: Outcome
    surname: Outcome


def clean_full_name(
    raw: str, *, surname_first: bool = False, expand_nicknames: bool = False
) -> NameParts:
    """The parts of a full name; a name of one word is kept as the surname, with a note."""
    text = tidy(_BRACKETS.sub(" ", raw))
    if not text or is_placeholder(text):
        note = "text.placeholder" if text else ""
        return NameParts(Outcome("", note), Outcome("", ""), Outcome("", note))
    given, surname = _split(text, surname_first=surname_first)
    first = clean_given_name(given[0] if given else "", expand_nicknames=expand_nicknames)
    middle = clean_given_name(" ".join(given[1:]))
    last = clean_surname(" ".join(surname))
    if last.value and not given:
        last = Outcome(last.value, "name.one_word")
    return NameParts(first, middle, last)


def _split(text: str, *, surname_first: bool) -> tuple[list[str], list[str]]:
    before, comma, after = text.partition(",")
    if comma and _words(after):
        return _words(after), _words(before)
    words = _words(before)
    shouted = _shouted(words)
    if shouted is not None:
        return words[: shouted.start] + words[shouted.stop :], words[shouted.start : shouted.stop]
    if len(words) == 1:
        return [], words
    if surname_first:
        end = _surname_end(words)
        return words[end:], words[:end]
    start = _surname_start(words)
    return words[:start], words[start:]


def _words(text: str) -> list[str]:
    words = text.split()
    while len(words) > 1 and fold(words[0]).strip(".") in TITLES:
        words.pop(0)
    while len(words) > 1 and fold(words[-1]).strip(".") in SUFFIXES:
        words.pop()
    return words


def _shouted(words: list[str]) -> range | None:
    """Where the only run of capitals stands, if it is at either end and not everywhere."""
    at = [i for i, w in enumerate(words) if w.isupper() and sum(map(str.isalpha, w)) >= _CAPITALS]
    if not at or len(at) == len(words) or at[-1] - at[0] + 1 != len(at):
        return None
    others = [word for i, word in enumerate(words) if i not in at and len(word.strip(".")) > 1]
    if not others or (at[0] != 0 and at[-1] != len(words) - 1):
        return None
    return range(at[0], at[-1] + 1)


def _surname_start(words: list[str]) -> int:
    start = len(words) - 1
    while start > 1 and fold(words[start - 1]) in PARTICLES:
        start -= 1
    return start


def _surname_end(words: list[str]) -> int:
    end = 1
    while end < len(words) - 1 and fold(words[end - 1]) in PARTICLES:
        end += 1
    return end
