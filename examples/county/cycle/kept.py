"""Whether persons and families kept their ids between two months, against the truth.

Only this referee can tell: it knows which records are of whom (``examples.county.demo.truth``).
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from examples.county.demo.truth import Referee


@dataclass(frozen=True)
class Kept:
    """Of true persons, or of true families, with records in both months.

    Attributes:
        both: how many have some.
        kept: of these, those most of whose records are under the same id in both.
        merged, split: ids of which the hub says so.
        new: ids of records that the hub had not seen before.
    """

    both: int
    kept: int
    merged: int
    split: int
    new: int

    @property
    def share(self) -> float:
        """Kept, 0 to 1."""
        return self.kept / self.both if self.both else 0.0


def persons_kept(before: Path, after: Path, referee: Referee) -> Kept:
    """Persons, from the exported files of two runs."""
    ids = [
        {row["handle"]: row["person"] for row in _rows(folder / "records.csv")}
        for folder in (before, after)
    ]
    return _kept(ids[0], ids[1], referee.person_of, after, "p-")


def families_kept(before: Path, after: Path, referee: Referee, then: Mapping[str, str]) -> Kept:
    """Families whose people are the same in both months.

    Args:
        before: exported files of the earlier run.
        after: of the later one.
        referee: of the later month.
        then: true family of each handle in the earlier month.
    """
    ids = []
    for folder in (before, after):
        home = {
            row["person"]: row["family"]
            for row in _rows(folder / "members.csv")
            if row["is_primary"] in {"True", "1"}
        }
        ids.append(
            {
                row["handle"]: home[row["person"]]
                for row in _rows(folder / "records.csv")
                if row["person"] in home
            }
        )
    same = _same_people(referee, then)
    true = {
        handle: family
        for handle, family in referee.family_of.items()
        if family in same and then.get(handle) == family
    }
    return _kept(ids[0], ids[1], true, after, "f-")


def _same_people(referee: Referee, then: Mapping[str, str]) -> set[str]:
    """True families of which nobody came or went."""
    people = []
    for family_of in (then, referee.family_of):
        members: defaultdict[str, set[str]] = defaultdict(set)
        for handle, family in family_of.items():
            members[family].add(referee.person_of[handle])
        people.append(members)
    return {family for family in people[0] if people[0][family] == people[1].get(family)}


def _kept(
    before: Mapping[str, str],
    after: Mapping[str, str],
    true: Mapping[str, str],
    folder: Path,
    prefix: str,
) -> Kept:
    names: list[defaultdict[str, Counter[str]]] = [defaultdict(Counter), defaultdict(Counter)]
    for handle in before.keys() & after.keys() & true.keys():
        for found, ids in zip(names, (before, after), strict=True):
            found[true[handle]][ids[handle]] += 1
    most = [{who: _most(ids) for who, ids in found.items()} for found in names]
    events = Counter(
        row["kind"] for row in _rows(folder / "ids.csv") if row["id"].startswith(prefix)
    )
    return Kept(
        both=len(most[0]),
        kept=sum(most[0][who] == most[1][who] for who in most[0]),
        merged=events["merge"],
        split=events["split"],
        new=events["new"],
    )


def _most(ids: Counter[str]) -> str:
    """The commonest id, the lowest of several."""
    return min(ids, key=lambda each: (-ids[each], each))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
