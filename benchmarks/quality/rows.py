"""Rows of the table that a folder's run prints."""

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.quality import metrics

Row = dict[str, Any]
Pairs = set[tuple[str, str]]
HEADINGS = ("task", "who", "what", "threshold", "at", "precision", "recall", "f1")
GROUPS = (
    ("person pairs", metrics.pairwise),
    ("persons, B-cubed", metrics.b_cubed),
    ("persons, exact", metrics.exact),
)


def row(who: str, what: str, threshold: str, value: float, score: metrics.Score) -> Row:
    """One line: precision, recall and F1 of somebody at a threshold."""
    return {
        "who": who,
        "what": what,
        "threshold": threshold,
        "at": float(f"{value:.4g}"),
        **score.figures(),
    }


def person_rows(
    who: str, stage: str, threshold: str, value: float, groups: Sequence[Any], person: list[str]
) -> list[Row]:
    """How a grouping of records agrees with their true persons: pairs, B-cubed, exact."""
    return [
        row(who, what + stage, threshold, value, score(groups, person)) for what, score in GROUPS
    ]


def markdown(name: str, rows: Iterable[Row]) -> str:
    """A heading and a table that can be pasted into docs/quality.md."""
    lines = [
        f"### {name}",
        "",
        "| " + " | ".join((*HEADINGS[:-1], "F1")) + " |",
        "|" + "---|" * len(HEADINGS),
    ]
    for each in rows:
        texts = [str(each[key]) for key in HEADINGS[:5]]
        texts += [f"{each[key]:.4f}" for key in HEADINGS[5:]]
        lines.append("| " + " | ".join(texts) + " |")
    return "\n".join(lines) + "\n"
