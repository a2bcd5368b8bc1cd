"""How well a grouping or a set of pairs agrees with the truth."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Score:
    """Precision and recall, 0 to 1."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Their harmonic mean."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def figures(self) -> dict[str, float]:
        """Rounded to four places."""
        return {
            "precision": round(self.precision, 4),
            "recall": round(self.recall, 4),
            "f1": round(self.f1, 4),
        }


def links(found: Iterable[tuple[str, str]], true: set[tuple[str, str]]) -> Score:
    """Pairs of records that were linked, against the true pairs."""
    pairs = set(found)
    hits = len(pairs & true)
    return Score(hits / max(1, len(pairs)), hits / max(1, len(true)))


def pairwise(found: Sequence[Hashable], true: Sequence[Hashable]) -> Score:
    """Over pairs of things in one group."""
    both = _pairs(Counter(zip(found, true, strict=True)).values())
    return Score(
        both / max(1, _pairs(Counter(found).values())),
        both / max(1, _pairs(Counter(true).values())),
    )


def b_cubed(found: Sequence[Hashable], true: Sequence[Hashable]) -> Score:
    """B-cubed (Bagga and Baldwin 1998): the mean over things."""
    both = Counter(zip(found, true, strict=True))
    sizes, real = Counter(found), Counter(true)
    keys = list(zip(found, true, strict=True))
    total = max(1, len(keys))
    return Score(
        sum(both[key] / sizes[key[0]] for key in keys) / total,
        sum(both[key] / real[key[1]] for key in keys) / total,
    )


def exact(found: Sequence[Hashable], true: Sequence[Hashable]) -> Score:
    """Groups that are exactly right, of those found and of those that are."""
    mine, theirs = _groups(found), _groups(true)
    hits = len(mine & theirs)
    return Score(hits / max(1, len(mine)), hits / max(1, len(theirs)))


def _groups(labels: Sequence[Hashable]) -> set[frozenset[int]]:
    members: dict[Hashable, list[int]] = defaultdict(list)
    for at, label in enumerate(labels):
        members[label].append(at)
    return {frozenset(group) for group in members.values()}


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)
