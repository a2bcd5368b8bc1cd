"""docs/asvs.md answers every line of OWASP ASVS 5.0.0 that it is about, and what it names is there.

``asvs-5.0.0.txt`` has the standard's numbers and levels: a section, then the level of each of its
requirements in order. They are facts of the standard (github.com/OWASP/ASVS, 5.0/docs_en, release
5.0.0), whose words, under CC BY-SA 4.0, stand nowhere here.
"""

import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
TEXT: Final = (ROOT / "docs/asvs.md").read_text("utf-8")
STATES: Final = ("met", "not applicable", "not met")
ROW: Final = re.compile(
    r"^\| ([\d., to]+) \| ([\d, ]+) \| ([^|]+) \| ([^|]+) \| (.+) \|$", re.MULTILINE
)
NAMED: Final = re.compile(r"`((?:\w[\w.-]*/)+[\w.-]+|Makefile|pyproject\.toml)(?:::(\w+))?`")


class Row(NamedTuple):
    """A row of the document: one requirement, or several that have one answer."""

    numbers: tuple[str, ...]
    levels: str
    asks: str
    state: str
    shown: str


def standard() -> dict[str, int]:
    """The level of each requirement, in the standard's order."""
    lines = (ROOT / "tests/asvs-5.0.0.txt").read_text("ascii").split("\n")
    sections = [line.split() for line in lines if line]
    return {
        f"{section}.{place}": int(level)
        for section, levels in sections
        for place, level in enumerate(levels, 1)
    }


LEVELS: Final = standard()
ORDER: Final = list(LEVELS)


def numbers(text: str) -> tuple[str, ...]:
    """Numbers of a row: single ones, or from one to another."""
    found: list[str] = []
    for part in text.split(", "):
        first, _, last = part.partition(" to ")
        found += ORDER[ORDER.index(first) : ORDER.index(last or first) + 1]
    return tuple(found)


ROWS: Final = [
    Row(numbers(nos), levels, asks, state.strip("*"), shown)
    for nos, levels, asks, state, shown in ROW.findall(TEXT)
]


@cache
def names_in(path: str) -> set[str]:
    """Names of the tests of a file."""
    return set(re.findall(r"^def (test_\w+)", (ROOT / path).read_text("utf-8"), re.MULTILINE))


def counted() -> str:
    """The table of the document's opening, as its rows make it."""
    found = Counter((LEVELS[number], row.state) for row in ROWS for number in row.numbers)
    lines = ["| | met | not applicable | not met | in all |", "|---|---|---|---|---|"]
    for level in (1, 2, 3):
        counts = [found[level, state] for state in STATES]
        lines.append(f"| Level {level} | {' | '.join(map(str, counts))} | {sum(counts)} |")
    return "\n".join(lines)


def test_the_standard_is_whole() -> None:
    """As many requirements of each level as ASVS 5.0.0 has."""
    assert Counter(LEVELS.values()) == {1: 70, 2: 183, 3: 92}


def test_every_requirement_stands_there_once() -> None:
    """Rows in the standard's order, with their levels; none is lost to a slip in its form."""
    listed = [number for row in ROWS for number in row.numbers]
    assert sorted(listed, key=ORDER.index) == ORDER
    firsts = [ORDER.index(row.numbers[0]) for row in ROWS]
    assert firsts == sorted(firsts)
    for row in ROWS:
        assert row.levels == ", ".join(sorted({str(LEVELS[number]) for number in row.numbers})), row
    assert len(ROWS) == sum(re.match(r"\| \d", line) is not None for line in TEXT.splitlines())


def test_every_state_is_one_of_three() -> None:
    """And what is met names a test, or the file that shows it; what is not says why."""
    for row in ROWS:
        assert row.state in STATES, row
        assert row.state != "met" or NAMED.search(row.shown), row
        assert row.state == "met" or len(row.shown) > len("not used") - 1, row


def test_what_is_named_is_there() -> None:
    """Every test by its name, every other file."""
    named = NAMED.findall(TEXT)
    assert len(named) > 200
    for path, test in named:
        assert (ROOT / path).exists(), path
        assert not test or test in names_in(path), f"{path}::{test}"


def test_the_opening_counts_right() -> None:
    """By level and state, made of the rows."""
    assert counted() in TEXT, f"docs/asvs.md should have:\n{counted()}"
