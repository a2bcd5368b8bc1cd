"""The referee: persons and families that were found, against the county's truth.

As in the demo, it opens each partner's vault with that partner's own key; no program may.
"""

import csv
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pandas as pd

from benchmarks.quality.metrics import pairwise
from examples.county.demo.agreement import PARTNERS
from examples.county.demo.site import Site
from partner_agent.app import open_agent

_AT_ONCE: Final = 20_000  # rows opened at once


class Referee:
    """Knows who is who in one site."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def quality(self, exports: Path) -> dict[str, Any]:
        """Pairwise figures of persons and of families, over records."""
        truth = self._truth()
        records = pd.read_csv(exports / "records.csv", dtype=str, usecols=["handle", "person"])
        members = pd.read_csv(exports / "members.csv", dtype=str)
        primary = members[members["is_primary"].isin(["True", "1"])]
        family = dict(zip(primary["person"], primary["family"], strict=True))
        records["family"] = records["person"].map(family)
        records["true"] = records["handle"].map(truth)
        records = records.dropna(subset=["true"])
        families = pd.read_csv(
            self._site.county / "truth" / "persons.csv", dtype=str, encoding="utf-8-sig"
        )
        home = dict(zip(families["person_id"], families["family_id"], strict=True))
        true_family = records["true"].map(home).fillna("")
        return {
            "persons_quality": pairwise(
                records["person"].tolist(), records["true"].tolist()
            ).figures(),
            "families_quality": pairwise(
                records["family"].tolist(), true_family.tolist()
            ).figures(),
        }

    def _truth(self) -> dict[str, str]:
        """True person by handle."""
        with (self._site.county / "truth" / "records.csv").open(encoding="utf-8-sig") as file:
            person = {
                (row["source"], row["record_id"]): row["person_id"] for row in csv.DictReader(file)
            }
        found = {}
        for party in PARTNERS:
            with open_agent(self._site.agent(party)) as agent:
                handles = agent.vault.handles()
                while part := list(islice(handles, _AT_ONCE)):
                    for handle, row in agent.vault.get_many(part).items():
                        key = (row.source_id, row.clean["source_record_id"])
                        found[handle.hex()] = person[key]
        return found
