"""Text repaired and folded before anything else looks at it, and words that stand for missing."""

import re
from collections.abc import Callable

from anyascii import anyascii
from ftfy import TextFixerConfig, fix_text

from partner_agent.cleansing.outcome import MISSING, Outcome

_CONFIG = TextFixerConfig(unescape_html=True, uncurl_quotes=False, normalization="NFC")
_SAME_CHARACTER = re.compile(r"([^\W\d])\1{2,}$|[\W_]+$|xx$|zz$", re.IGNORECASE)

_MISSING_WORDS = frozenset(
    """unknown|unk|unkn|not known|n/k|n.k.|not given|not stated|not recorded|not supplied|
    not provided|not available|not applicable|n/a|n.a.|#n/a|#value!|#ref!|#name?|null|<null>|nil|
    none|nan|(blank)|blank|missing|no data|tbc|tba|refused|withheld|declined|no name|noname|
    unnamed|name unknown|anon|anonymous|dummy|test test|testing|do not use|duplicate|deleted|
    no fixed abode|nfa|no fixed address|address unknown|unknown address""".replace(
        "\n    ", ""
    ).split("|")
)
_MISSING_CODES = frozenset({"NA", "NK", "NKN", "TEST"})  # in capitals: 'Na' and 'Test' are names


def tidy(text: str) -> str:
    """Mojibake and HTML entities put right, NFC, runs of white space made one space.

    Source: ftfy (Speer 2019); plain ASCII without ``&`` needs no repair and is the common case.
    """
    if not text.isascii() or "&" in text:
        text = fix_text(text, config=_CONFIG)
    return " ".join(text.split())


def fold(text: str) -> str:
    """Lower-case ASCII: diacritics dropped, other scripts transliterated (anyascii)."""
    return (text if text.isascii() else anyascii(text)).lower()


def is_placeholder(text: str) -> bool:
    """Whether a tidied text only stands for a missing value."""
    return (
        text in _MISSING_CODES
        or text.casefold() in _MISSING_WORDS
        or _SAME_CHARACTER.match(text) is not None
    )


def guarded(clean: Callable[[str], Outcome]) -> Callable[[str], Outcome]:
    """A cleaner that sees tidied text only, never a blank one or a placeholder."""

    def run(raw: str) -> Outcome:
        text = tidy(raw)
        if not text:
            return MISSING
        if is_placeholder(text):
            return Outcome("", "text.placeholder")
        return clean(text)

    return run
