"""Families of true and of linked persons against the truth, and peers that group by address.

A true person counts where the truth knows its group. Two reference sets: ``everyone`` with a
record, those without any known home counted as alone; and ``home known``, those of whom some
record gives an address, or a postcode and a surname.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.quality import metrics
from benchmarks.quality.ours import Encoded
from governance.agreements.encoding import Hardening
from linkage_hub.families.build import build_families
from linkage_hub.families.columns import Evidence
from linkage_hub.families.reading import read_evidence
from linkage_hub.families.result import FamilyResult

GROUPS: Final = ("household", "family")
BINS: Final = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.01)
Ints = npt.NDArray[np.int64]
Row = dict[str, Any]


@dataclass(frozen=True)
class Reference:
    """What is true.

    Attributes:
        person: number of the true person of every record, int64 (r,), over all sources.
        groups: for each kind of group that of every true person, "" where it is not known.
        housed: whether some record gives a home, bool (n,).
    """

    person: Ints
    groups: dict[str, list[str]]
    housed: npt.NDArray[np.bool_]

    @property
    def persons(self) -> int:
        """How many true persons have records."""
        return len(self.housed)


def reference_of(sources: Sequence[Encoded], truth: pd.DataFrame) -> Reference:
    """The truth of the sources' records."""
    index = [(source.name, id_) for source in sources for id_ in source.record_ids]
    real = truth.set_index(["source", "record_id"]).loc[index].reset_index()
    number, names = pd.factorize(real.person_id, sort=True)
    first = real.drop_duplicates("person_id").set_index("person_id").loc[names]
    known = np.concatenate([_has_home(source.clean) for source in sources])
    housed = np.zeros(len(names), dtype=np.bool_)
    housed[number[known]] = True
    groups = {name: first[name].fillna("").tolist() for name in GROUPS if name in first}
    return Reference(number.astype(np.int64), groups, housed)


def _has_home(clean: pd.DataFrame) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(clean), dtype=np.bool_)
    for name in ("address", "uprn", "postcode"):
        if name in clean:
            found |= (clean[name].fillna("") != "").to_numpy()
    return found


def evidence_of(
    sources: Sequence[Encoded], person_of: Sequence[Ints], persons: int, hardening: Hardening | None
) -> Evidence:
    """What the hub would read."""
    tables = [source.data.table for source in sources]
    return read_evidence(tables, person_of, persons, None if hardening is None else hardening.k)


def split(person: Ints, sources: Sequence[Encoded]) -> list[Ints]:
    """Persons of all records, source by source."""
    ends = np.cumsum([len(source.record_ids) for source in sources])
    return np.split(person, ends[:-1])


def family_rows(
    sources: Sequence[Encoded],
    reference: Reference,
    linked: Sequence[Ints] | None,
    hardening: Hardening | None = None,
) -> list[Row]:
    """Ours on true persons and on linked ones, and the peers."""
    runs = [("ours, true persons", split(reference.person, sources))]
    if linked is not None:
        runs.append(("ours, linked persons", list(linked)))
    rows: list[Row] = []
    for who, person_of in runs:
        rows += _rows_on(who, sources, reference, person_of, hardening)
    return rows + peer_rows(sources, reference)


def true_rows(
    who: str, sources: Sequence[Encoded], reference: Reference, hardening: Hardening | None
) -> list[Row]:
    """Ours on true persons, of sources encoded under another profile."""
    return _rows_on(who, sources, reference, split(reference.person, sources), hardening)


def _rows_on(
    who: str,
    sources: Sequence[Encoded],
    reference: Reference,
    person_of: Sequence[Ints],
    hardening: Hardening | None,
) -> list[Row]:
    found = np.concatenate(person_of)
    evidence = evidence_of(sources, person_of, int(found.max()) + 1, hardening)
    return families_rows(who, reference, found, evidence)


def families_rows(who: str, reference: Reference, found: Ints, evidence: Evidence) -> list[Row]:
    """Families of evidence about ``found``, the person of every record, int64 (r,)."""
    result = build_families(evidence)
    labels = {"household": _homes(result), "family": result.family_of}
    true = {name: _of_true(reference, found, label) for name, label in labels.items()}
    return scores(who, reference, true)


def scores(who: str, reference: Reference, labels: dict[str, list[Hashable]]) -> list[Row]:
    """Pairwise and exact scores of every kind of group on both reference sets."""
    rows: list[Row] = []
    for name, true in reference.groups.items():
        for of, chosen in (("everyone", True), ("home known", False)):
            at = [i for i, group in enumerate(true) if group and (chosen or reference.housed[i])]
            mine, real = [labels[name][i] for i in at], [true[i] for i in at]
            for what, score in (
                (f"{name} pairs", metrics.pairwise(mine, real)),
                (f"{name}, exact", metrics.exact(mine, real)),
            ):
                rows.append({"who": who, "what": what, "of": of, "n": len(at), **score.figures()})
    return rows


def _homes(result: FamilyResult) -> Ints:
    """Household of each person; without one each is alone."""
    alone = -2 - np.arange(len(result.household_of))
    return np.where(result.household_of >= 0, result.household_of, alone)


def _of_true(reference: Reference, found: Ints, label: Ints) -> list[Hashable]:
    """Label of each true person: that of the person that most of its records were taken for."""
    pairs = np.stack([reference.person, found], axis=1)
    once, count = np.unique(pairs, axis=0, return_counts=True)
    order = np.lexsort((once[:, 1], -count, once[:, 0]))
    head = np.append(True, np.diff(once[order, 0]) > 0)
    chosen: list[Hashable] = label[once[order[head], 1]].tolist()
    return chosen


def peer_rows(sources: Sequence[Encoded], reference: Reference) -> list[Row]:
    """True persons grouped by the address that the first source with one gives, and by surname.

    Sources are in the order of the task, the census first where there is one, which is the best
    that a reader of the data could choose; the usual address over all sources does worse.
    """
    homes: list[list[str]] = [[] for _ in range(reference.persons)]
    names: list[list[str]] = [[] for _ in range(reference.persons)]
    for source, persons in zip(sources, split(reference.person, sources), strict=True):
        clean = source.clean
        for person, home, name in zip(
            persons.tolist(), _addresses(clean), clean.surname.tolist(), strict=True
        ):
            if home:
                homes[person].append(home)
                names[person].append(name)
    usual = [each[0] if each else f"?{at}" for at, each in enumerate(homes)]
    both = [f"{at}|{each[0] if each else ''}" for at, each in zip(usual, names, strict=True)]
    return scores("address only", reference, {"household": list(usual), "family": list(usual)}) + [
        row
        for row in scores(
            "address and surname", reference, {"household": list(both), "family": list(both)}
        )
        if row["what"].startswith("family")
    ]


def _addresses(clean: pd.DataFrame) -> list[str]:
    columns = [
        clean[name].fillna("") if name in clean else "" for name in ("uprn", "address", "postcode")
    ]
    uprn, address, postcode = (pd.Series(each, index=clean.index) for each in columns)
    written = (address + "|" + postcode).where(address != "", "")
    return uprn.where(uprn != "", written).tolist()


def reliability(result: FamilyResult, family: Sequence[str]) -> list[Row]:
    """Memberships by stated confidence, and how many are right.

    A membership of a family of several is right where the member's true family is that of most
    of the others; of true persons only.
    """
    members = result.members
    rows = np.flatnonzero(members.primary)
    size = np.bincount(members.family[rows], minlength=result.count)
    true = np.array(family, dtype=object)
    hits: list[tuple[float, bool]] = []
    starts = result.member_starts
    for number in np.flatnonzero(size > 1).tolist():
        own = [r for r in range(starts[number], starts[number + 1]) if members.primary[r]]
        for row in own:
            others = Counter(true[members.person[other]] for other in own if other != row)
            most = max(others.values())
            right = others[true[members.person[row]]] == most
            if true[members.person[row]]:
                hits.append((float(members.confidence[row]), right))
    stated, correct = np.array([h[0] for h in hits]), np.array([h[1] for h in hits])
    found = []
    for low, high in pairwise(BINS):
        inside = (stated >= low) & (stated < high)
        if inside.any():
            found.append(
                {
                    "from": low,
                    "to": min(high, 1.0),
                    "memberships": int(inside.sum()),
                    "stated": round(float(stated[inside].mean()), 4),
                    "right": round(float(correct[inside].mean()), 4),
                }
            )
    return found
