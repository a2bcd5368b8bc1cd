"""The referee: compares what the hub found under pseudonyms with the county's truth.

Only the demo can do this. It opens each partner's vault with that partner's own key to learn which
handle stands for which row; no program of the county may.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from examples.county.demo.agreement import PARTNERS
from examples.county.demo.site import Site
from partner_agent.app import open_agent

MIN_NEEDS = 2


@dataclass(frozen=True)
class Agreement:
    """How two groupings of the same things agree."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """Harmonic mean."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0


@dataclass(frozen=True)
class Referee:
    """What is so: persons and families by record handle."""

    person_of: dict[str, str]
    family_of: dict[str, str]
    needy: frozenset[str]  # families with several recorded needs that live in the county
    left: frozenset[str]  # families with several recorded needs that have left it

    @classmethod
    def of(cls, site: Site, *months: Path) -> "Referee":
        """Read the truth and open the vaults.

        Args:
            site: where everything is.
            months: folders of truth, the newest last, of a county whose cases say who is in the
                programme, and so is not put forward; that of the generated county without any.
        """
        knows_cases = bool(months)
        months = months or (site.county / "truth",)
        truth = months[-1]
        person_of_row = {
            (row["partner"], row["source"], row["record_id"]): row["person_id"]
            for month in months
            for row in _rows(month / "records.csv")
        }
        families = {row["person_id"]: row["family_id"] for row in _rows(truth / "persons.csv")}
        person_of = {}
        for party in PARTNERS:
            with open_agent(site.agent(party)) as agent:
                for handle in list(agent.vault.handles()):
                    stored = agent.vault.get(handle)
                    key = (party, stored.source_id, stored.clean["source_record_id"])
                    person_of[handle.hex()] = person_of_row[key]
        several = [
            row
            for row in _rows(truth / "family_needs.csv")
            if len(row["recorded_needs"].split()) >= MIN_NEEDS
            and not (knows_cases and row["in_programme"] == "y")
        ]
        return cls(
            person_of,
            {handle: families[person] for handle, person in person_of.items()},
            frozenset(row["family_id"] for row in several if row["current"] == "y"),
            frozenset(row["family_id"] for row in several if row["current"] != "y"),
        )

    def families_in(self, truth: Path) -> dict[str, str]:
        """Families by record handle as they were in another month; newer people have none."""
        families = {row["person_id"]: row["family_id"] for row in _rows(truth / "persons.csv")}
        return {
            handle: families[person]
            for handle, person in self.person_of.items()
            if person in families
        }

    def persons(self, exports: Path) -> Agreement:
        """Pairs of records taken for one person, against the truth."""
        found = {row["handle"]: row["person"] for row in _rows(exports / "records.csv")}
        return pairwise(found, self.person_of)

    def flags(self, exports: Path) -> dict[str, int]:
        """Families put forward, against those that should be."""
        person = {row["handle"]: row["person"] for row in _rows(exports / "records.csv")}
        handles: defaultdict[str, list[str]] = defaultdict(list)
        for handle, pseudonym in person.items():
            handles[pseudonym].append(handle)
        members: defaultdict[str, list[str]] = defaultdict(list)
        for row in _rows(exports / "members.csv"):
            if row["is_primary"] in {"True", "1"}:
                members[row["family"]] += handles[row["person"]]
        flagged = {row["family"] for row in _rows(exports / "flags.csv")}
        true_of = {
            family: Counter(self.family_of[h] for h in members[family]).most_common(1)[0][0]
            for family in flagged
            if members[family]
        }
        hits = self.needy & set(true_of.values())
        return {
            "flagged": len(flagged),
            "should_be": len(self.needy),
            "found": len(hits),
            "have_needs": sum(family in self.needy | self.left for family in true_of.values()),
            "have_left": sum(family in self.left for family in true_of.values()),
        }


def pairwise(found: Mapping[str, Hashable], true: Mapping[str, Hashable]) -> Agreement:
    """Precision and recall over pairs of things in one group."""
    both = _pairs(Counter((found[key], true[key]) for key in found).values())
    return Agreement(
        both / max(1, _pairs(Counter(found.values()).values())),
        both / max(1, _pairs(Counter(true[key] for key in found).values())),
    )


def _pairs(sizes: Iterable[int]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes)


def as_figures(agreement: Agreement) -> dict[str, float]:
    """Rounded figures, F1 included."""
    return {
        name: round(value, 4) for name, value in (asdict(agreement) | {"f1": agreement.f1}).items()
    }


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
