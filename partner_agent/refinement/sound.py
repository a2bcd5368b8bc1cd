"""A sound code for names: how a name is likely to be heard, so that spellings of one name meet.

In order: letters that sound alike are written alike (``ph`` as ``f``, soft ``c`` as ``s``); silent
letters go; vowels go except at the start; repetitions go. Coarser than Metaphone and finer than
Soundex: consonants stay apart unless they are commonly taken for each other.
"""

import re
from functools import lru_cache
from typing import Final

_RULES: Final = (
    (re.compile("^(?:kn|gn|pn)"), "n"),
    (re.compile("^wr"), "r"),
    (re.compile("^x"), "s"),
    (re.compile("mc(?=[a-z])"), "mak"),
    (re.compile("ph"), "f"),
    (re.compile("gh(?=t|$)"), ""),
    (re.compile("sch|sh|tch|ch|cz"), "x"),
    (re.compile("c(?=[eiy])"), "s"),
    (re.compile("ck|c|q"), "k"),
    (re.compile("dg(?=[eiy])|g(?=[eiy])"), "j"),
    (re.compile("th"), "t"),
    (re.compile("z"), "s"),
    (re.compile("v(?=$)"), "f"),
    (re.compile("(?<=[aeiouy])w|h"), ""),
    (re.compile("^[aeiouy]+"), "a"),
    (re.compile("(?<!^)[aeiouy]"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
)


@lru_cache(maxsize=1 << 16)
def sound_code(name: str) -> str:
    """The code of one name in lower-case letters; empty for an empty name."""
    code = name.replace(" ", "")
    for pattern, written in _RULES:
        code = pattern.sub(written, code)
    return code
