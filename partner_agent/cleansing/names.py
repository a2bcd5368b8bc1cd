"""Given names and surnames: lower-case ASCII words joined by spaces, whatever script they came in.

In order: repair of the encoding; placeholders; bracketed parts; transliteration; apostrophes
joined (``O'Brien`` is ``obrien``), hyphens to spaces; digits and signs out; titles and suffixes
off, as long as a name is left; prefixes written apart joined (``Mc Donald``); nicknames, if asked.
Particles stay words of the surname: ``de la cruz``.
"""

import re

from partner_agent.cleansing.nicknames import FULL_NAMES
from partner_agent.cleansing.outcome import MISSING, Outcome
from partner_agent.cleansing.text import fold, is_placeholder, tidy

TITLES = frozenset(
    """mr mrs ms miss mx master mstr dr prof professor rev revd reverend sir dame lord lady
    father fr sister sr brother hon capt captain cllr councillor mme mlle madame""".split()  # noqa: SIM905 - a table of words reads better
)
SUFFIXES = frozenset(
    """jr jnr junior snr senior ii iii iv esq esquire obe mbe cbe phd md bsc msc decd
    deceased""".split()  # noqa: SIM905 - a table of words
)
_TITLES_ONLY = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr"})  # never a name by themselves
_BABY = re.compile(
    r"(baby|infant|newborn|twin|triplet|child|foetus|fetus)"
    r"( (boy|girl|male|female|one|two|three|of|a|b|c|i|ii|mother)\b.*)?$"
)
_NO_GIVEN_NAME = frozenset({"son", "daughter", "boy", "girl", "unborn", "test", "patient"})
_NO_SURNAME = frozenset({"patient", "testpatient", "zztest", "xxtest", "surname", "lastname"})
_JOINED_PREFIXES = frozenset({"mc", "mac", "o"})
_BRACKETS = re.compile(r"\([^)]*\)|\[[^\]]*\]|\"[^\"]*\"")
_APOSTROPHES = re.compile("['`´\u2018\u2019\u02bb\u02bc\u02b9\u02ba]")  # noqa: RUF001 - listed on purpose
_JOINTS = re.compile(r"[-_/.,&+\u2010-\u2015]")
_OTHER = re.compile(r"[^a-z ]")
_LATIN = re.compile("[A-Za-z\u00c0-\u024f\u1e00-\u1eff]")


def clean_given_name(raw: str, *, expand_nicknames: bool = False) -> Outcome:
    """A first or middle name, or a note on why there is none."""
    outcome = _clean(raw)
    if outcome.value in _NO_GIVEN_NAME or _BABY.match(outcome.value):
        return Outcome("", "text.placeholder")
    if expand_nicknames:
        return _expanded(outcome)
    return outcome


def clean_surname(raw: str) -> Outcome:
    """A surname with its particles, or a note on why there is none."""
    outcome = _clean(raw)
    if outcome.value in _NO_SURNAME:
        return Outcome("", "text.placeholder")
    return outcome


def _expanded(outcome: Outcome) -> Outcome:
    first, space, rest = outcome.value.partition(" ")
    full = FULL_NAMES.get(first)
    return Outcome(full + space + rest, "name.nickname_expanded") if full else outcome


def _clean(raw: str) -> Outcome:
    text = tidy(raw)
    if not text:
        return MISSING
    if is_placeholder(text):
        return Outcome("", "text.placeholder")
    note = "text.encoding_repaired" if text != " ".join(raw.split()) else ""
    if not text.isascii() and not _LATIN.search(text):
        note = "name.transliterated"
    words, removed = letters_only(text)
    kept = without_titles(words)
    if len(kept) < len(words):
        note = "name.title_removed"
    if removed:
        note = "name.characters_removed"
    value = " ".join(joined_prefixes(kept))
    if not value:
        return Outcome("", "name.no_letters")
    if value in _TITLES_ONLY or is_placeholder(value):  # such as "none." or "aaa-"
        return Outcome("", "text.placeholder")
    return Outcome(value, note)


def letters_only(text: str) -> tuple[list[str], bool]:
    """Words of ASCII letters, and whether digits or unusual signs had to go."""
    text = _BRACKETS.sub(" ", text) if text[0] not in '(["' else text
    text = fold(_APOSTROPHES.sub("", text))
    text = _JOINTS.sub(" ", text.replace("'", "").replace("`", ""))
    letters = _OTHER.sub("", text)
    return letters.split(), len(letters) != len(text)


def without_titles(words: list[str]) -> list[str]:
    """Words without leading titles and trailing suffixes, as long as one word is left."""
    start, end = 0, len(words)
    while end - start > 1 and words[start] in TITLES:
        start += 1
    while end - start > 1 and words[end - 1] in SUFFIXES:
        end -= 1
    return words[start:end]


def joined_prefixes(words: list[str]) -> list[str]:
    """``mc donald`` and ``o brien`` as one word."""
    out: list[str] = []
    for word in words:
        if out and out[-1] in _JOINED_PREFIXES and len(word) > 1:
            out[-1] += word
        else:
            out.append(word)
    return out
